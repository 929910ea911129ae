//! An exception file for one rule and principal, ready to be saved.

use std::fmt::Write;

use jiff::{Timestamp, ToSpan, tz::TimeZone};

use super::alert::Principal;
use super::grouping::Group;
use super::text::{WIDTH, columns};
use crate::key::is_account;

/// An exception should be reviewed. It stops applying this many days after the last event.
const DAYS: i64 = 90;
/// A mail indents the file by this many columns.
pub(super) const INDENT: usize = 2;

/// The fields that name an account.
const ACCOUNTS: [&str; 2] = ["cloud.account.id", "aws.cloudtrail.recipient_account_id"];

/// The lines of the file for a group of signals.
pub(super) fn of_group(group: &Group) -> Option<Vec<String>> {
    let callers = group.callers.as_ref().filter(|callers| callers.hidden() == 0);
    let accounts = callers.map_or(&[][..], |callers| &callers.shown);
    draft(&group.rule_id, &group.principal, accounts, group.last)
}

/// The lines of an exception file for signals of one rule and principal. `accounts` are the callers' accounts: none if
/// they do not matter, or are not all known. `last` is the time of the last event. `None` if there is no principal, or
/// if its exact name does not fit on a line.
#[must_use]
pub fn draft(
    rule_id: &str,
    principal: &Principal,
    accounts: &[String],
    last: Option<Timestamp>,
) -> Option<Vec<String>> {
    let names_account = principal.0.iter().any(|(field, _)| field == ACCOUNTS[0]);
    let accounts = if names_account { &[] } else { accounts };
    // Only an account's id is certain to be exactly what the record says.
    if accounts.iter().any(|account| !is_account(account)) || principal.0.is_empty() {
        return None;
    }
    let mut lines = vec![format!("rules = [{}]", toml_text(rule_id)), "query = '''".to_owned()];
    let mut query = conditions(principal)?;
    query.extend(among("cloud.account.id", accounts));
    let count = query.len();
    for (index, clause) in query.into_iter().enumerate() {
        lines.extend(clause);
        if index + 1 < count {
            // KQL allows a line break between any two words.
            lines.last_mut()?.push_str(" and");
        }
    }
    lines.push("'''".to_owned());
    lines.push("reason = \"Expected: say here why, and who decided it\"".to_owned());
    let until = last.and_then(until);
    lines.extend(until.map(|day| format!("expires = {day}")));
    lines.iter().all(|line| INDENT + columns(line) <= WIDTH).then_some(lines)
}

/// A condition for each field of the principal.
fn conditions(principal: &Principal) -> Option<Vec<Vec<String>>> {
    let plain =
        |field: &str| field.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._@".contains(&byte));
    let condition = |(field, value): &(String, String)| {
        plain(field).then(|| vec![format!("{field}: {}", kql_text(value))])
    };
    let mut conditions: Vec<_> = principal.0.iter().map(condition).collect::<Option<_>>()?;
    if matches!(&principal.0[..], [(field, _)] if ACCOUNTS.contains(&field.as_str())) {
        // This is meant only for calls without a caller of their own, not for everyone's calls in the account.
        let others = ["user.name", "user.id", "service.name"];
        conditions.extend(others.map(|field| vec![format!("not {field}: *")]));
    }
    Some(conditions)
}

/// A condition that the field has one of the values, on as many lines as it takes.
fn among(field: &str, values: &[String]) -> Option<Vec<String>> {
    let (first, others) = values.split_first()?;
    if others.is_empty() {
        return Some(vec![format!("{field}: {}", kql_text(first))]);
    }
    let mut lines = vec![format!("{field}: ({}", kql_text(first))];
    for value in others {
        let more = format!(" or {}", kql_text(value));
        match lines.last_mut() {
            // Room for a parenthesis and for "and".
            Some(line) if INDENT + columns(line) + columns(&more) + 5 <= WIDTH => line.push_str(&more),
            _ => lines.push(format!("  {}", more.trim_start())),
        }
    }
    lines.last_mut()?.push(')');
    Some(lines)
}

/// A quoted KQL value that is printable ASCII, holds no TOML quotes, and does not read as a link or markup.
fn kql_text(value: &str) -> String {
    let is_link = value.contains("://") || value.contains("www.");
    let reads_as_more =
        |character| matches!(character, '\'' | '<' | '>' | '`') || is_link && matches!(character, ':' | '.');
    let mut text = String::from("\"");
    for character in value.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            ' '..='~' if !reads_as_more(character) => text.push(character),
            character => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to a string cannot fail.
                    _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text + "\""
}

/// A TOML basic string in printable ASCII.
fn toml_text(value: &str) -> String {
    let mut text = String::from("\"");
    for character in value.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            ' '..='~' if !matches!(character, '<' | '>') => text.push(character),
            character => _ = write!(text, "\\U{:08x}", u32::from(character)),
        }
    }
    text + "\""
}

fn until(last: Timestamp) -> Option<String> {
    let day = last.to_zoned(TimeZone::UTC).date().checked_add(DAYS.days()).ok()?;
    Some(day.to_string())
}
