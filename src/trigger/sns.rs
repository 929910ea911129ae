//! Messages of an SNS topic: those that Lambda gets, and those that a queue without raw delivery gets.

use super::envelope::{Envelope, object, text};
use super::error::quoted;
use super::{Error, Part, Parts, unwrap_text};

/// `{"EventSource":"aws:sns","Sns":{"Message":"…"}}`
pub(super) fn record(record: &Envelope<'_>, depth: usize, parts: &mut Parts) {
    match object::<Envelope<'_>>(record.sns) {
        Some(notification) => message(&notification, depth, parts),
        None => parts.add(Part::Error(Error::Missing { envelope: "SNS record", part: "Sns" })),
    }
}

/// `{"Type":"Notification","TopicArn":"…","Message":"…"}`
pub(super) fn is_notification(envelope: &Envelope<'_>) -> bool {
    text(envelope.kind).as_deref() == Some("Notification")
}

pub(super) fn message(notification: &Envelope<'_>, depth: usize, parts: &mut Parts) {
    match text(notification.message) {
        Some(message) => unwrap_text(&message, "SNS message", depth, parts),
        None => parts.add(Part::Error(Error::Missing { envelope: "SNS message", part: "Message" })),
    }
}

/// The confirmation request that SNS sends to a queue if the subscriber has no permission for it.
pub(super) fn confirmation(envelope: &Envelope<'_>) -> Option<Result<Part, Error>> {
    if text(envelope.kind)? != "SubscriptionConfirmation" {
        return None;
    }
    let topic = text(envelope.topic_arn).unwrap_or_default();
    Some(Err(Error::Confirmation { topic: quoted(&topic) }))
}
