//! A notice as SNS accepts it: a subject, and a text for each protocol.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::grouping::{Digest, Group};
use super::text::{ascii, cut, foreign, plain};
use super::{Accounts, account, card, digest, mail, sms};

/// SNS accepts subjects of fewer than 100 characters.
const MAX_SUBJECT: usize = 99;
/// The longest name in a line, in characters: what follows it must still be readable.
const MAX_NAME: usize = 32;

/// A message for `MessageStructure: json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// One line of at most 99 characters of printable ASCII: severity, rule, who, where.
    pub subject: String,
    /// The mail: plain text of at most 80 columns, except for a link alone on its line.
    pub mail: String,
    /// One line of at most 140 characters of printable ASCII.
    pub sms: String,
    /// A custom notification for Amazon Q Developer in chat applications.
    pub card: Value,
}

impl Message {
    /// Writes the notice of a group. `held_back` is the number of notices of the same rule and principal that were not sent
    /// since the last one.
    #[must_use]
    pub fn of_group(group: &Group, accounts: &Accounts, held_back: u64) -> Self {
        let subject = line(group, accounts, "", MAX_SUBJECT);
        Self {
            mail: mail::text(group, accounts, held_back),
            sms: sms::line(group, accounts),
            card: card::of_group(group, accounts, held_back, &subject),
            subject,
        }
    }

    /// Writes the digest of the signals that have no notice. `held_back` is the number of digests that were not sent
    /// since the last one.
    #[must_use]
    pub fn of_digest(digest: &Digest, held_back: u64) -> Self {
        let subject = digest::subject(digest);
        Self {
            mail: digest::mail(digest, held_back),
            sms: cut(&subject, sms::MAX_CHARS),
            card: card::of_digest(digest, held_back, &subject),
            subject,
        }
    }

    /// The body for `MessageStructure: json`: a text for each protocol.
    #[must_use]
    pub fn body(&self) -> String {
        json!({
            "default": self.mail,
            "email": self.mail,
            "sms": self.sms,
            "https": self.card.to_string(),
        })
        .to_string()
    }
}

/// One line of at most `limit` characters: `[severity] rule: who in account, region`, and `more`. What there is no room
/// for is left out: an account's number beside its name first, then the end of the rule's name.
pub(super) fn line(group: &Group, accounts: &Accounts, more: &str, limit: usize) -> String {
    let start = format!("[{}] ", group.severity.as_str());
    let rule = ascii(&plain(&group.rule.name, 200));
    let who = cut(&foreign(&group.who, 200), MAX_NAME);
    let tail = |place: &str| ascii(&format!(": {who} {place}{more}"));
    let whole = format!("{start}{rule}{}", tail(&place(group, accounts)));
    if whole.len() <= limit {
        return whole;
    }
    let tail = tail(&short_place(group, accounts));
    let left = limit.saturating_sub(start.len() + tail.len());
    cut(&format!("{start}{}{tail}", cut(&rule, left)), limit)
}

/// `in payments (111122223333), us-east-1`, `in 60 accounts`.
pub(super) fn place(group: &Group, accounts: &Accounts) -> String {
    place_in(group, |id| account(id, accounts))
}

/// `in payments, us-east-1`.
fn short_place(group: &Group, accounts: &Accounts) -> String {
    place_in(group, |id| {
        let name = accounts.get(id).map_or_else(|| id.to_owned(), |name| plain(name, 200));
        cut(&name, MAX_NAME).into()
    })
}

/// The place, with an only account as `account` writes its id.
fn place_in<'a>(group: &'a Group, account: impl FnOnce(&'a str) -> Cow<'a, str>) -> String {
    let account = match group.accounts.count() {
        0 => "in an unnamed account".to_owned(),
        1 => format!("in {}", account(group.accounts.only().unwrap_or_default())),
        _ => format!("in {} accounts", group.accounts.number()),
    };
    match group.regions.only() {
        Some(region) => format!("{account}, {}", cut(region, 20)),
        None => account,
    }
}
