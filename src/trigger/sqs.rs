//! Messages of an SQS queue.

use serde_json::{Map, Value};

use super::{Error, Source, text, unwrap_text};

pub(super) fn is_message(record: &Value) -> bool {
    record.get("eventSource").and_then(Value::as_str) == Some("aws:sqs")
}

pub(super) fn message_id(record: &Value) -> Option<String> {
    let id = record.get("messageId")?.as_str()?;
    // An empty identifier in the reply would fail the whole batch.
    (!id.is_empty()).then(|| id.to_owned())
}

/// The body, which is any envelope as a string.
pub(super) fn body(message: &Map<String, Value>, depth: usize) -> Vec<Result<Source, Error>> {
    match text(message, "body") {
        Some(body) => unwrap_text(body, "SQS message", depth),
        None => vec![Err(Error::Missing { envelope: "SQS message", part: "body" })],
    }
}
