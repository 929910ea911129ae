//! The human-readable texts of a signal: message, reason and subject.

use std::borrow::Cow;
use std::fmt::Write;

use serde_json::json;

use super::{FUNCTION_NAME, Group};
use crate::ecs::{self, Document};
use crate::notice::{self, Accounts};
use crate::rule::Definition;

/// The longest subject that SNS accepts, in characters.
const MAX_SUBJECT_CHARS: usize = 100;
/// The fields that hold an account's id: that of the called resource, and the caller's.
const ACCOUNT_IDS: [&str; 2] = ["aws.cloudtrail.recipient_account_id", "cloud.account.id"];

/// Elastic's reason sentence.
pub(super) fn reason<'d>(definition: &Definition, text: impl Fn(&str) -> Option<&'d str>) -> String {
    let source = text("source.ip").map(|ip| format!(" with source {ip},")).unwrap_or_default();
    let user = text("user.name").map(|name| format!(" by {name}")).unwrap_or_default();
    let Definition { severity, name, .. } = definition;
    format!("event{source}{user} created {} alert {name}.", severity.as_str())
}

/// The best name for the caller in a record. A service that acted for itself may have opened a session that reads like
/// an address; it is still the service that called.
pub(super) fn caller<'d>(text: impl Fn(&str) -> Option<&'d str>) -> &'d str {
    text("user.name")
        .or(text("service.name"))
        .or(text("user.email"))
        .or(text("aws.cloudtrail.user_identity.arn"))
        .or(text("user.id"))
        .unwrap_or("an unnamed caller")
}

/// The message: who (by name and session) called what on which target, where, when and from where.
pub(super) fn sentence(document: &Document, accounts: &Accounts) -> String {
    let text = |field| document.text(field);
    let who = caller(|field| document.text(field));
    let kind = text("aws.cloudtrail.user_identity.type");
    let session = kind.zip(text("aws.cloudtrail.user_identity.arn"));
    let session = session.and_then(|(kind, arn)| ecs::session_name(kind, arn));
    let session = session.or(text("user.email")).filter(|session| *session != who);
    let caller = match (kind, session) {
        (Some(kind), Some(session)) => format!("{who} ({kind}, {session})"),
        (Some(detail), None) | (None, Some(detail)) => format!("{who} ({detail})"),
        (None, None) => who.to_owned(),
    };
    let action = text("event.action").unwrap_or("an unnamed action");
    let dry_run = if is_dry_run(document) { " (a dry run)" } else { "" };
    let mut sentence = format!("{caller} called {action}{dry_run}");
    let targets =
        [(" on function ", FUNCTION_NAME), (" on user ", "user.target.name"), (" on group ", "group.name")];
    let target = targets.map(|(words, field)| (words, text(field)));
    let target = target.into_iter().find(|(_, name)| name.is_some()).unwrap_or_default();
    let account = account(document, accounts);
    let parts = [
        target,
        (" in account ", account.as_deref()),
        (", ", text("cloud.region")),
        (", at ", text("@timestamp")),
        (", from ", text("source.address")),
    ];
    for (words, value) in parts {
        if let Some(value) = value {
            sentence += words;
            sentence += value;
        }
    }
    sentence + "."
}

/// The message of a group: how many events with which values in what time, where, and when the last of them happened.
pub(super) fn group_sentence(group: &Group<'_>, document: &Document, accounts: &Accounts) -> String {
    let values = group.terms.values().into_iter().map(Option::unwrap_or_default);
    let value_of = |(field, value): (&String, String)| {
        let is_account = ACCOUNT_IDS.contains(&field.as_str());
        let value = if is_account { notice::account(&value, accounts).into_owned() } else { value };
        format!("{field} {value}")
    };
    let values: Vec<_> = group.fields.iter().zip(values).map(value_of).collect();
    let events = if group.reached.count == 1 { "event" } else { "events" };
    let mut sentence =
        format!("{} {events} of {} within {}", group.reached.count, values.join(" and "), span(group.window));
    for (counted, count) in group.cardinality.iter().zip(&group.reached.cardinality) {
        let values = if *count == 1 { "value" } else { "values" };
        // Writing to a String cannot fail.
        let _ = write!(sentence, ", {count} {values} of {}", counted.field);
    }
    let text = |field| document.text(field);
    let account = account(document, accounts);
    let parts = [
        (", in account ", account.as_deref()),
        (", ", text("cloud.region")),
        (", the last at ", text("@timestamp")),
    ];
    for (words, value) in parts {
        if let Some(value) = value {
            sentence += words;
            sentence += value;
        }
    }
    sentence + "."
}

/// The account that owns the called resource, else the caller's, with its name if that is known.
fn account<'d>(document: &'d Document, accounts: &Accounts) -> Option<Cow<'d, str>> {
    let id = ACCOUNT_IDS.into_iter().find_map(|field| document.text(field));
    id.map(|id| notice::account(id, accounts))
}

/// A number of seconds in its largest whole unit.
fn span(seconds: u64) -> String {
    let units = [(24 * 60 * 60, "day"), (60 * 60, "hour"), (60, "minute"), (1, "second")];
    let unit = units.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit));
    let (unit, word) = unit.unwrap_or((1, "second"));
    let number = seconds / unit;
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

fn is_dry_run(document: &Document) -> bool {
    let dry_run = document.value("aws.cloudtrail.flattened.request_parameters.dryRun");
    dry_run.is_some_and(|value| value == &json!(true) || value == &json!("true"))
}

/// `[low] Rule name: function in account, region`, as printable ASCII.
pub(super) fn subject<'d>(
    definition: &Definition,
    text: impl Fn(&str) -> Option<&'d str>,
    accounts: &Accounts,
) -> String {
    let mut subject = format!("[{}] {}", definition.severity.as_str(), definition.name);
    let target = text(FUNCTION_NAME).or(text("event.action"));
    let account = text(ACCOUNT_IDS[0]).map(|id| notice::account(id, accounts));
    for (words, value) in [(": ", target), (" in ", account.as_deref()), (", ", text("cloud.region"))] {
        if let Some(value) = value {
            subject += words;
            subject += value;
        }
    }
    let printable = |character: char| if matches!(character, ' '..='~') { character } else { '?' };
    let mut subject: String = subject.chars().map(printable).take(MAX_SUBJECT_CHARS).collect();
    subject.truncate(subject.trim_end().len());
    subject
}
