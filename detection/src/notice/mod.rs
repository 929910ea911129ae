//! Notices: what was found, in words that people read.
//!
//! [`Grouping`] collects the alert documents of an invocation, one group for each rule and principal. [`Message`] is a
//! group, or the digest of ungrouped signals, in the forms that SNS sends to mail, chat and phones.

mod alert;
mod card;
mod digest;
mod distinct;
mod exception;
mod grouping;
mod link;
mod mail;
mod message;
mod note;
mod routes;
mod sms;
mod text;

pub use alert::{Alert, Principal};
pub use exception::draft;
pub use grouping::{Digest, Group, Grouping, MAX_GROUPS};
pub use message::Message;
pub use routes::Routes;
pub use text::plain;

use std::borrow::Cow;
use std::collections::BTreeMap;

/// Account names, by id.
pub type Accounts = BTreeMap<String, String>;

/// The longest account name, in characters.
const MAX_ACCOUNT_NAME: usize = 100;

/// An account for display: `payments-prod (111122223333)` if its name is known, else its id as it is. A name is free
/// text chosen by whoever created the account, so it is sanitized.
#[must_use]
pub fn account<'a>(id: &'a str, accounts: &Accounts) -> Cow<'a, str> {
    accounts
        .get(id)
        .map_or(Cow::Borrowed(id), |name| format!("{} ({id})", plain(name, MAX_ACCOUNT_NAME)).into())
}
