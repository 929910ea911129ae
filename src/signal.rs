//! The signal: one match of one rule, as SNS gets it.
//!
//! The document imitates the alert document of Elastic's stack, so that what was built on those (dashboards, other
//! rules, people's eyes) can be built on these.

use std::fmt;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::ecs::{Document, put};
use crate::origin::Origin;
use crate::rule::Definition;

/// The most that SNS takes: message, subject and attributes together.
pub const MAX_BYTES: usize = 262_144;
/// The longest subject that SNS takes.
const MAX_SUBJECT_CHARS: usize = 100;

/// What is left out of a signal that is too big, in this order, until it fits. Each step may name several fields.
const OMITTED: [&[&str]; 6] = [
    &["event.original"],
    &[
        "aws.cloudtrail.service_event_details",
        "aws.cloudtrail.additional_eventdata",
        "aws.cloudtrail.response_elements",
        "aws.cloudtrail.request_parameters",
    ],
    &["aws.cloudtrail.flattened.service_event_details"],
    &["aws.cloudtrail.flattened.additional_eventdata"],
    &["aws.cloudtrail.flattened.response_elements"],
    &[REQUEST_PARAMETERS],
];
const REQUEST_PARAMETERS: &str = "aws.cloudtrail.flattened.request_parameters";
const FUNCTION_NAME: &str = "aws.cloudtrail.flattened.request_parameters.functionName";

/// The identity of a signal: the same for the same event and rule, by every road and on every replay.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SignalId([u8; 32]);

impl SignalId {
    /// SHA-256 of `<rule_id>/<recipientAccountId>/<eventID>`, or for an event without an identifier of `<rule_id>/`
    /// and the record with its keys sorted.
    #[must_use]
    pub fn new(rule_id: &str, document: &Document, record: &[u8]) -> Self {
        let mut hash = Sha256::new_with_prefix(rule_id);
        hash.update("/");
        if let Some(event) = document.text("event.id") {
            hash.update(document.text("aws.cloudtrail.recipient_account_id").unwrap_or_default());
            hash.update("/");
            hash.update(event);
        } else {
            // A record that became a document is JSON; its keys are sorted to make its writer's order not matter.
            let mut record: Value = serde_json::from_slice(record).unwrap_or_default();
            record.sort_all_objects();
            hash.update(record.to_string());
        }
        Self(hash.finalize().into())
    }
}

/// Lower-case hexadecimal.
impl fmt::Display for SignalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
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
    /// One printable line.
    pub subject: String,
    /// What subscriptions can filter by: at most ten.
    pub attributes: Vec<Attribute>,
    /// The account that owns what was called, or `unknown`: signals of one account stay in order on a FIFO topic.
    pub group: String,
}

impl Signal {
    /// Makes the signal of a match: `document` is the record's, `record` its JSON text, `now` the time as RFC 3339.
    #[must_use]
    pub fn new(
        definition: &Definition,
        document: &Document,
        record: &[u8],
        origin: &Origin,
        now: &str,
    ) -> Self {
        let id = SignalId::new(&definition.rule_id, document, record);
        let subject = subject(definition, document);
        let attributes = attributes(definition, document, id);
        let envelope: usize = attributes
            .iter()
            .map(|attribute| attribute.name.len() + attribute.data_type.len() + attribute.value.len())
            .sum();
        let fields = fields(definition, document, record, origin, now, id);
        let message = fit(fields, MAX_BYTES.saturating_sub(subject.len() + envelope));
        let group = document.text("aws.cloudtrail.recipient_account_id").filter(|id| is_group(id));
        let rule = definition.rule_id.clone();
        Self { id, rule, message, subject, attributes, group: group.unwrap_or("unknown").to_owned() }
    }

    /// What SNS counts against its limit.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let attributes = self.attributes.iter();
        let attributes = attributes.map(|part| part.name.len() + part.data_type.len() + part.value.len());
        self.message.len() + self.subject.len() + attributes.sum::<usize>()
    }
}

/// What SNS takes as a message group: printable ASCII without spaces, up to 128 of them.
fn is_group(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn fields(
    definition: &Definition,
    document: &Document,
    record: &[u8],
    origin: &Origin,
    now: &str,
    id: SignalId,
) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("message".to_owned(), sentence(document).into());
    fields.insert("@timestamp".to_owned(), now.into());
    for (name, value) in document.fields() {
        if name != "@timestamp" {
            fields.insert(name.clone(), value.clone());
        }
    }
    put(&mut fields, "event.kind", "signal".into());
    put(&mut fields, "event.created", now.into());
    put(&mut fields, "event.original", String::from_utf8_lossy(record).into());
    for (name, value) in origin.fields() {
        put(&mut fields, name, value.into());
    }
    put(&mut fields, "kibana.alert", alert(definition, document, origin, now, id));
    fields
}

/// Everything under `kibana.alert`.
fn alert(definition: &Definition, document: &Document, origin: &Origin, now: &str, id: SignalId) -> Value {
    let mut original_event = Map::new();
    let source = document.fields().get("event").and_then(Value::as_object);
    for name in ["action", "provider", "outcome", "id", "kind", "dataset", "module", "type"] {
        if let Some(value) = source.and_then(|event| event.get(name)) {
            original_event.insert(name.to_owned(), value.clone());
        }
    }
    original_event.insert("created".to_owned(), now.into());

    let mut ancestor = json!({ "type": "event", "index": origin.index(), "depth": 0 });
    if let Some(event) = document.text("event.id") {
        ancestor["id"] = event.into();
    }
    let mut alert = json!({
        "uuid": id.to_string(),
        "status": "active",
        "workflow_status": "open",
        "depth": 1,
        "ancestors": [ancestor],
        "severity": definition.severity,
        "risk_score": definition.risk_score,
        "reason": reason(definition, document),
        "original_event": original_event,
        "rule": definition,
    });
    if let Some(kind) = &definition.building_block_type {
        alert["building_block_type"] = kind.as_str().into();
    }
    if let Some(time) = document.text("@timestamp") {
        alert["original_time"] = time.into();
    }
    alert
}

/// Elastic's reason sentence.
fn reason(definition: &Definition, document: &Document) -> String {
    let source = document.text("source.ip").map(|ip| format!(" with source {ip},")).unwrap_or_default();
    let user = document.text("user.name").map(|name| format!(" by {name}")).unwrap_or_default();
    let Definition { severity, name, .. } = definition;
    format!("event{source}{user} created {} alert {name}.", severity.as_str())
}

/// Who did what to which function, where, when and from where.
fn sentence(document: &Document) -> String {
    let text = |field| document.text(field);
    let who = text("user.name")
        .or(text("user.email"))
        .or(text("service.name"))
        .or(text("aws.cloudtrail.user_identity.arn"))
        .or(text("user.id"))
        .unwrap_or("an unnamed caller");
    let kind = text("aws.cloudtrail.user_identity.type");
    let session = text("user.email").filter(|email| *email != who);
    let caller = match (kind, session) {
        (Some(kind), Some(session)) => format!("{who} ({kind}, {session})"),
        (Some(detail), None) | (None, Some(detail)) => format!("{who} ({detail})"),
        (None, None) => who.to_owned(),
    };
    let action = text("event.action").unwrap_or("an unnamed action");
    let dry_run = if is_dry_run(document) { " (a dry run)" } else { "" };
    let mut sentence = format!("{caller} called {action}{dry_run}");
    let parts = [
        (" on function ", text(FUNCTION_NAME)),
        (" in account ", text("aws.cloudtrail.recipient_account_id").or(text("cloud.account.id"))),
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

fn is_dry_run(document: &Document) -> bool {
    let flattened = document.fields().get("aws").and_then(|aws| aws.pointer("/cloudtrail/flattened"));
    let dry_run = flattened.and_then(|objects| objects.pointer("/request_parameters/dryRun"));
    dry_run.is_some_and(|value| value == &json!(true) || value == &json!("true"))
}

/// `[low] Rule name: function in account, region`, as printable ASCII.
fn subject(definition: &Definition, document: &Document) -> String {
    let mut subject = format!("[{}] {}", definition.severity.as_str(), definition.name);
    let target = document.text(FUNCTION_NAME).or(document.text("event.action"));
    let account = document.text("aws.cloudtrail.recipient_account_id");
    for (words, value) in [(": ", target), (" in ", account), (", ", document.text("cloud.region"))] {
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

fn attributes(definition: &Definition, document: &Document, id: SignalId) -> Vec<Attribute> {
    let text = |name, value: Option<&str>| {
        value.map(xml_text).filter(|value| !value.is_empty()).map(|value| Attribute {
            name,
            data_type: "String",
            value,
        })
    };
    let field = |name, field| text(name, document.text(field));
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

/// Attribute values must be text that XML can hold, and should be short: they are for filters.
fn xml_text(text: &str) -> String {
    const MAX_CHARS: usize = 256;
    let allowed =
        |character: char| matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    text.chars()
        .take(MAX_CHARS)
        .map(|character| if allowed(character) { character } else { '\u{fffd}' })
        .collect()
}

/// The document as JSON of at most `limit` bytes, if leaving out what may be left out can do it.
fn fit(mut fields: Map<String, Value>, limit: usize) -> String {
    let mut omitted: Vec<&str> = Vec::new();
    let mut steps = OMITTED.into_iter();
    loop {
        let message = json_text(&fields);
        if message.len() <= limit {
            return message;
        }
        let Some(step) = steps.next() else { return message };
        for field in step {
            if omit(&mut fields, field) {
                omitted.push(field);
            }
        }
        put(&mut fields, "signal.omitted", json!(omitted));
    }
}

/// Removes a field, and says whether it was there. Of the request, the function's name stays.
fn omit(fields: &mut Map<String, Value>, path: &str) -> bool {
    let Some((parents, name)) = path.rsplit_once('.') else { return fields.remove(path).is_some() };
    let parent = parents.split('.').try_fold(fields, |map, key| map.get_mut(key)?.as_object_mut());
    let Some(parent) = parent else { return false };
    let removed = parent.shift_remove(name);
    if path == REQUEST_PARAMETERS
        && let Some(function) = removed.as_ref().and_then(|request| request.get("functionName"))
    {
        parent.insert(name.to_owned(), json!({ "functionName": function }));
    }
    removed.is_some()
}

/// JSON without the two characters that JSON allows and SNS does not.
fn json_text(fields: &Map<String, Value>) -> String {
    // A map of JSON values always has a JSON text.
    let text = serde_json::to_string(fields).unwrap_or_default();
    if text.contains(['\u{fffe}', '\u{ffff}']) {
        text.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
    } else {
        text
    }
}
