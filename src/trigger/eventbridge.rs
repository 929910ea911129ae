//! Events of EventBridge: objects created in S3, and API calls via CloudTrail. Those about Insights are skipped, as are
//! the files of Insights in a bucket.

use detection::key::Key;
use detection::origin::Origin;
use serde_json::value::RawValue;

use super::envelope::{Envelope, object, text};
use super::s3::Entity;
use super::{Error, Part, Source};

/// The end of "AWS API Call via CloudTrail" and of its siblings for service events, sign-ins and console actions. A call
/// to S3 about the trail's bucket is such a record, too, not a notice of a delivery.
const VIA_CLOUDTRAIL: &str = " via CloudTrail";
const ENVELOPE: &str = "EventBridge event";
const INSIGHT: Part = Part::Nothing("a CloudTrail Insights event");

/// Unwraps an event, if it is of one of the two kinds.
pub(super) fn event(envelope: &Envelope<'_>) -> Option<Result<Part, Error>> {
    let kind = text(envelope.detail_type)?;
    if kind == "AWS Insight via CloudTrail" {
        return Some(Ok(INSIGHT));
    }
    if kind.ends_with(VIA_CLOUDTRAIL) {
        return Some(record(envelope));
    }
    if text(envelope.source)? != "aws.s3" {
        return None;
    }
    if kind != "Object Created" {
        return Some(Ok(Part::Nothing("an S3 event other than a creation")));
    }
    let entity: Option<Entity<'_>> = object(envelope.detail);
    Some(created(&entity.unwrap_or(Entity::new(None, None))))
}

/// Unwraps an event's detail that was sent without the event, by a rule with the input path `$.detail`.
pub(super) fn detail(envelope: &Envelope<'_>, text: &str) -> Option<Result<Part, Error>> {
    if envelope.event_version.is_some() && envelope.insight_details.is_some() {
        return Some(Ok(INSIGHT));
    }
    if envelope.event_version.is_some() && envelope.event_name.is_some() {
        let source = Source::Bytes { origin: Origin::EventBridge, bytes: text.as_bytes().to_vec() };
        return Some(Ok(Part::Source(source)));
    }
    let entity = Entity::new(Some(envelope.bucket?), Some(envelope.object?));
    Some(created(&entity))
}

/// The object that was created. EventBridge does not encode its key.
fn created(entity: &Entity<'_>) -> Result<Part, Error> {
    entity.part(ENVELOPE, |key| Ok(Key::plain(key)))
}

fn record(envelope: &Envelope<'_>) -> Result<Part, Error> {
    let detail = envelope.detail.map(RawValue::get).filter(|detail| detail.starts_with('{'));
    let detail = detail.ok_or(Error::Missing { envelope: ENVELOPE, part: "detail" })?;
    let source = Source::Bytes { origin: Origin::EventBridge, bytes: detail.as_bytes().to_vec() };
    Ok(Part::Source(source))
}
