//! Notices: what was found, in words that people read.
//!
//! [`Grouping`] collects the alert documents of an invocation, one group for each rule and principal. [`Message`] is a group,
//! or the digest of what is in none, in the forms that SNS sends to mail, chat and phones.

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
pub use grouping::{Digest, Group, Grouping, MAX_NOTICES};
pub use message::Message;
pub use routes::Routes;
pub use text::plain;

use std::collections::BTreeMap;

/// Names of accounts, by their ids.
pub type Accounts = BTreeMap<String, String>;
