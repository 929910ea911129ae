//! Events of EventBridge: objects created in S3, and API calls that CloudTrail passes on at once.

use serde_json::{Map, Value};

use super::{Error, Source, s3, text};
use detection::key::Key;
use detection::origin::Origin;

/// An event, if it is one of the two kinds.
pub(super) fn event(envelope: &Map<String, Value>) -> Option<Vec<Result<Source, Error>>> {
    let kind = text(envelope, "detail-type")?;
    let detail = envelope.get("detail");
    if text(envelope, "source") == Some("aws.s3") && !kind.ends_with(VIA_CLOUDTRAIL) {
        return Some(vec![object(kind, detail)]);
    }
    kind.ends_with(VIA_CLOUDTRAIL).then(|| vec![record(detail)])
}

/// "AWS API Call via CloudTrail", and its siblings for service events and sign-ins.
const VIA_CLOUDTRAIL: &str = " via CloudTrail";

/// Its key is plain.
fn object(kind: &str, detail: Option<&Value>) -> Result<Source, Error> {
    const ENVELOPE: &str = "EventBridge event";
    if kind != "Object Created" {
        return Ok(Source::Nothing("an S3 event other than a creation"));
    }
    let (bucket, object) = s3::bucket_and_object(detail, ENVELOPE)?;
    let key = text(object, "key").ok_or(Error::Missing { envelope: ENVELOPE, part: "object key" })?;
    let version = text(object, "version-id").map(str::to_owned);
    s3::source(bucket, Key::plain(key), version)
}

fn record(detail: Option<&Value>) -> Result<Source, Error> {
    let detail = detail.filter(|detail| detail.is_object());
    let detail = detail.ok_or(Error::Missing { envelope: "EventBridge event", part: "detail" })?;
    Ok(Source::Records { origin: Origin::EventBridge, records: vec![detail.to_string()] })
}
