//! Messages of an SNS topic: as Lambda gets them, and as a queue gets them without raw delivery.

use serde_json::{Map, Value};

use super::{Error, Source, text, unwrap_text};

/// `{"EventSource":"aws:sns","Sns":{"Message":"…"}}`
pub(super) fn record(record: &Map<String, Value>, depth: usize) -> Vec<Result<Source, Error>> {
    match record.get("Sns").and_then(Value::as_object) {
        Some(notification) => message(notification, depth),
        None => vec![Err(Error::Missing { envelope: "SNS record", part: "Sns" })],
    }
}

/// `{"Type":"Notification","TopicArn":"…","Message":"…"}`
pub(super) fn notification(
    envelope: &Map<String, Value>,
    depth: usize,
) -> Option<Vec<Result<Source, Error>>> {
    (text(envelope, "Type") == Some("Notification")).then(|| message(envelope, depth))
}

fn message(notification: &Map<String, Value>, depth: usize) -> Vec<Result<Source, Error>> {
    match text(notification, "Message") {
        Some(message) => unwrap_text(message, "SNS message", depth),
        None => vec![Err(Error::Missing { envelope: "SNS message", part: "Message" })],
    }
}
