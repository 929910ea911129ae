//! Messages of an SQS queue.

use super::envelope::{Envelope, text};
use super::{Error, Part, Parts, unwrap_text};

pub(super) fn is_message(record: &Envelope<'_>) -> bool {
    record.event_source().as_deref() == Some("aws:sqs")
}

pub(super) fn message_id(record: &Envelope<'_>) -> Option<String> {
    // An empty identifier in the reply fails the whole batch.
    text(record.message_id).filter(|id| !id.is_empty()).map(Into::into)
}

/// Unwraps the body, which is any envelope as a string.
pub(super) fn body(message: &Envelope<'_>, depth: usize, parts: &mut Parts) {
    match text(message.body) {
        Some(body) => unwrap_text(&body, "SQS message", depth, parts),
        None => parts.add(Part::Error(Error::Missing { envelope: "SQS message", part: "body" })),
    }
}
