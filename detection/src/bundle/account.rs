//! Account names, as `aws organizations list-accounts` prints them.

use serde::Deserialize;

use crate::key::is_account;
use crate::notice::Accounts;
use crate::query::Error;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    accounts: Vec<Account>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Account {
    id: String,
    name: String,
}

/// Reads the file.
pub(super) fn read(text: &str) -> Result<Accounts, Error> {
    let text = text.trim_start_matches('\u{feff}');
    let list: List = serde_json::from_str(text).map_err(|error| {
        let before =
            text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
        let place = text.floor_char_boundary(before + error.column().saturating_sub(1));
        let reason = error.to_string();
        // The message ends with the location, which is already shown before it.
        let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason);
        Error::new(text, place, reason).help("save what `aws organizations list-accounts` prints")
    })?;
    let mut accounts = Accounts::new();
    for Account { id, name } in list.accounts {
        if !is_account(&id) {
            // Finds the string unless it has escapes, which account ids never need.
            let place = text.find(&id).unwrap_or_default();
            return Err(Error::spanning(
                text,
                place..place + id.len(),
                "the id of an account has twelve digits",
            ));
        }
        let name = name.trim();
        if !name.is_empty() {
            accounts.insert(id, name.to_owned());
        }
    }
    Ok(accounts)
}
