//! The signal: one match of one rule, ready for SNS.
//!
//! The document imitates Elastic's alert document, so that dashboards and rules that were built for Elastic's alerts work
//! with signals.

mod above;
mod body;
mod fields;
mod finding;
mod words;

pub use fields::{AlertDocument, field};

use std::fmt;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::bundle::Exception;
use crate::ecs::Document;
use crate::notice::{self, Accounts, Principal};
use crate::origin::Origin;
use crate::records;
use crate::rule::Definition;
pub(crate) use above::above;
pub(crate) use finding::{Detail, Finding, Group};

/// The size limit of SNS, in bytes: message, subject and attributes together.
pub const MAX_BYTES: usize = 262_144;
const FUNCTION_NAME: &str = "aws.cloudtrail.flattened.request_parameters.functionName";

/// The identity of a signal: the same for the same event and rule, by every path and on every replay.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SignalId([u8; 32]);

impl SignalId {
    /// The SHA-256 of `<rule_id>/<recipientAccountId>/<eventID>`, or, for an event without an identifier, of `<rule_id>/`
    /// and the record with sorted keys.
    #[must_use]
    pub fn new(rule_id: &str, document: &Document, record: &[u8]) -> Self {
        Self::with_terms(rule_id, document, record, None)
    }

    /// The same for one tuple of values, given as JSON: `/<terms>` is appended.
    fn with_terms(rule_id: &str, document: &Document, record: &[u8], terms: Option<&str>) -> Self {
        let mut hash = Sha256::new_with_prefix(rule_id);
        hash.update("/");
        if let Some(event) = document.text("event.id") {
            hash.update(document.text("aws.cloudtrail.recipient_account_id").unwrap_or_default());
            hash.update("/");
            hash.update(event);
        } else {
            // A record that became a document is JSON. Its keys are sorted, so that their order does not matter.
            let mut record = Value::Object(records::parse(record).unwrap_or_default());
            record.sort_all_objects();
            hash.update(record.to_string());
        }
        if let Some(terms) = terms {
            hash.update("/");
            hash.update(terms);
        }
        Self(hash.finalize().into())
    }

    /// The SHA-256 of the parts, joined by slashes.
    fn of(parts: &[&str]) -> Self {
        Self(Sha256::digest(parts.join("/")).into())
    }
}

/// Lower-case hexadecimal.
impl fmt::Display for SignalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (halves, _) = self.0.as_chunks();
        halves.iter().try_for_each(|half| write!(f, "{:032x}", u128::from_be_bytes(*half)))
    }
}

impl fmt::Debug for SignalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A message attribute of SNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// `String` or `Number`.
    pub data_type: &'static str,
    /// Its value, never empty.
    pub value: String,
}

/// A signal, ready to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// Its identity.
    pub id: SignalId,
    /// The identifier of the rule that matched.
    pub rule: String,
    /// The document as JSON.
    pub message: String,
    /// The document before fields were left out, if any were. Rules on signals look at it, and take it away.
    pub uncut: Option<String>,
    /// One printable line.
    pub subject: String,
    /// The message attributes, for subscription filters: at most ten.
    pub attributes: Vec<Attribute>,
    /// The principal that it is about.
    pub principal: Principal,
    /// The caller's account.
    pub caller_account: Option<String>,
    /// The account that owns the called resource, or `unknown`: it groups the messages of a FIFO topic.
    pub group: String,
    /// The day of the event (UTC, `YYYY-MM-DD`), if its time has one.
    pub date: Option<String>,
    /// The time of the event, as in the record.
    pub time: Option<String>,
}

impl Signal {
    /// Makes the signal of a match. `document` is the record as ECS, `record` its JSON text, `now` the time as RFC
    /// 3339. `accounts` provides account names for its sentences; its fields do not depend on them.
    #[must_use]
    pub fn new(
        definition: &Definition,
        document: &Document,
        record: &[u8],
        origin: &Origin,
        now: &str,
        accounts: &Accounts,
    ) -> Self {
        let (record, detail) = (Some(record), Detail::None);
        Finding { definition, document, record, origin, now, accounts, detail }.signal()
    }

    /// The size of the signal as SNS counts it, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let attributes = self.attributes.iter();
        let attributes = attributes.map(|part| part.name.len() + part.data_type.len() + part.value.len());
        self.message.len() + self.subject.len() + attributes.sum::<usize>()
    }
}

/// A match that an exception suppresses: enough to show what the exception hides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppressed {
    /// The identity of the signal that is not published.
    pub id: SignalId,
    /// The identifier of the rule that matched.
    pub rule_id: String,
    /// Its name.
    pub rule_name: String,
    /// The file of the exception, or the name of the setting that holds it.
    pub exception: String,
    /// Why the exception was made.
    pub reason: Option<String>,
    /// The action of the event.
    pub action: Option<String>,
    /// The identifier of the event.
    pub event_id: Option<String>,
    /// The caller, as named in a signal's message.
    pub caller: String,
    /// The account that owns the called resource, else the caller's.
    pub account: Option<String>,
    /// The same account with its name, if that is known.
    pub account_name: Option<String>,
    /// The region.
    pub region: Option<String>,
}

impl Suppressed {
    /// Describes a match of a rule on records. `document` is the record as ECS, `record` its JSON text.
    pub(crate) fn new(
        definition: &Definition,
        exception: &Exception,
        document: &Document,
        record: &[u8],
        accounts: &Accounts,
    ) -> Self {
        let id = SignalId::new(&definition.rule_id, document, record);
        Self::of(definition, exception, id, |field| document.text(field), accounts)
    }

    /// Describes a match of a rule on signals. `alert` is the document of the signal `parent`.
    pub(crate) fn above(
        definition: &Definition,
        exception: &Exception,
        alert: AlertDocument<'_>,
        parent: SignalId,
        accounts: &Accounts,
    ) -> Self {
        let id = SignalId::of(&[&definition.rule_id, &parent.to_string()]);
        Self::of(definition, exception, id, |field| alert.text(field), accounts)
    }

    fn of<'d>(
        definition: &Definition,
        exception: &Exception,
        id: SignalId,
        value: impl Fn(&str) -> Option<&'d str>,
        accounts: &Accounts,
    ) -> Self {
        let text = |field| value(field).map(str::to_owned);
        let account = text("aws.cloudtrail.recipient_account_id").or(text("cloud.account.id"));
        let named = account.as_deref().filter(|id| accounts.contains_key(*id));
        let account_name = named.map(|id| notice::account(id, accounts).into_owned());
        Self {
            id,
            rule_id: definition.rule_id.clone(),
            rule_name: definition.name.clone(),
            exception: exception.file.clone(),
            reason: exception.reason.clone(),
            action: text("event.action"),
            event_id: text("event.id"),
            caller: words::caller(&value).to_owned(),
            account,
            account_name,
            region: text("cloud.region"),
        }
    }
}

/// Whether SNS accepts this as a message group: up to 128 printable ASCII characters without spaces.
fn is_group(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The day in the time of the event, which is text like `2026-11-23T10:05:00Z`.
fn day(document: &Document) -> Option<String> {
    document.text("@timestamp").and_then(day_of)
}

fn day_of(time: &str) -> Option<String> {
    let (day, _) = time.split_once('T')?;
    let shape: String = day.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    (shape == "0000-00-00").then(|| day.to_owned())
}

fn attributes<'d>(
    definition: &Definition,
    value: impl Fn(&str) -> Option<&'d str>,
    id: SignalId,
) -> Vec<Attribute> {
    let text = |name, value: Option<&str>| {
        value.map(attribute_text).filter(|value| !value.is_empty()).map(|value| Attribute {
            name,
            data_type: "String",
            value,
        })
    };
    let field = |name, field| text(name, value(field));
    [
        text("signal_id", Some(&id.to_string())),
        text("rule_id", Some(&definition.rule_id)),
        text("severity", Some(definition.severity.as_str())),
        Some(Attribute { name: "risk_score", data_type: "Number", value: definition.risk_score.to_string() }),
        text("building_block_type", definition.building_block_type.as_deref()),
        field("event_action", "event.action"),
        field("account_id", "aws.cloudtrail.recipient_account_id"),
        field("region", "cloud.region"),
        field("user_name", "user.name"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Shortens the value of an attribute, which is for filters, and replaces control characters (line breaks and tabs among
/// them) and characters that XML cannot hold: a subscription with a filter loses messages that have one in an attribute.
fn attribute_text(text: &str) -> String {
    const MAX_CHARS: usize = 256;
    let is_plain = |character: char| !character.is_control() && !matches!(character, '\u{fffe}' | '\u{ffff}');
    text.chars()
        .take(MAX_CHARS)
        .map(|character| if is_plain(character) { character } else { '\u{fffd}' })
        .collect()
}
