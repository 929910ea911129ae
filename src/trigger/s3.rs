//! S3's own envelopes, and CloudTrail's notice of a delivery.

use serde_json::{Map, Value};

use super::{Error, Invocation, Message, ReplyKind, Source, quoted, text};
use crate::s3::is_bucket_name;
use detection::key::Key;
use detection::origin::Object;

/// One record of an event notification. Its key is form-encoded.
pub(super) fn notification(record: &Map<String, Value>) -> Result<Source, Error> {
    const ENVELOPE: &str = "S3 notification";
    let event = text(record, "eventName").ok_or(Error::Missing { envelope: ENVELOPE, part: "eventName" })?;
    // "ObjectCreated:Put" from S3 to Lambda, "s3:ObjectCreated:Put" elsewhere.
    if !event.trim_start_matches("s3:").starts_with("ObjectCreated:") {
        return Ok(Source::Nothing("an S3 event other than a creation"));
    }
    let (bucket, object) = bucket_and_object(record.get("s3"), ENVELOPE)?;
    let key = text(object, "key").ok_or(Error::Missing { envelope: ENVELOPE, part: "object key" })?;
    let version = text(object, "versionId").map(str::to_owned);
    source(bucket, form_encoded(key)?, version)
}

/// The object to read, if bucket and key can be what they should be.
pub(super) fn source(bucket: &str, key: Key, version: Option<String>) -> Result<Source, Error> {
    if !is_bucket_name(bucket) {
        return Err(Error::Bucket { bucket: quoted(bucket) });
    }
    if key.as_str().is_empty() {
        return Err(Error::Missing { envelope: "event", part: "object key" });
    }
    Ok(Source::Object(Object { bucket: bucket.to_owned(), key, version }))
}

/// The bucket's name and the object of `{"bucket":{"name"},"object":{…}}`, which S3 and EventBridge share.
pub(super) fn bucket_and_object<'a>(
    value: Option<&'a Value>,
    envelope: &'static str,
) -> Result<(&'a str, &'a Map<String, Value>), Error> {
    let bucket = value.and_then(|value| value.get("bucket")?.get("name")?.as_str());
    let bucket = bucket.ok_or(Error::Missing { envelope, part: "bucket name" })?;
    let object = value.and_then(|value| value.get("object")?.as_object());
    Ok((bucket, object.ok_or(Error::Missing { envelope, part: "object" })?))
}

/// What S3 sends when a notification is set up.
pub(super) fn test_event(envelope: &Map<String, Value>) -> Option<Vec<Result<Source, Error>>> {
    let is_test = text(envelope, "Event") == Some("s3:TestEvent");
    is_test.then(|| vec![Ok(Source::Nothing("S3's test of a notification"))])
}

/// `{"s3Bucket":"…","s3ObjectKey":["…"]}`, which a trail sends to its SNS topic. Its keys are plain.
pub(super) fn cloudtrail_notice(envelope: &Map<String, Value>) -> Option<Vec<Result<Source, Error>>> {
    const ENVELOPE: &str = "CloudTrail notice";
    let bucket = text(envelope, "s3Bucket")?;
    let keys = envelope.get("s3ObjectKey").and_then(Value::as_array).filter(|keys| !keys.is_empty());
    let Some(keys) = keys else {
        return Some(vec![Err(Error::Missing { envelope: ENVELOPE, part: "s3ObjectKey" })]);
    };
    let object = |key: &Value| match key.as_str() {
        Some(key) => source(bucket, Key::plain(key), None),
        None => Err(Error::Missing { envelope: ENVELOPE, part: "key that is a string" }),
    };
    Some(keys.iter().map(object).collect())
}

pub(super) fn is_batch_job(envelope: &Map<String, Value>) -> bool {
    envelope.contains_key("invocationSchemaVersion") && envelope.contains_key("tasks")
}

/// An invocation by S3 Batch Operations, schema 1.0 (bucket by ARN) or 2.0 (bucket by name).
pub(super) fn batch_job(envelope: &Map<String, Value>) -> Result<Invocation, Error> {
    const ENVELOPE: &str = "S3 batch job";
    let part = |part: &'static str| {
        text(envelope, part).map(str::to_owned).ok_or(Error::Missing { envelope: ENVELOPE, part })
    };
    let tasks = envelope.get("tasks").and_then(Value::as_array).filter(|tasks| !tasks.is_empty());
    let tasks = tasks.ok_or(Error::Missing { envelope: ENVELOPE, part: "tasks" })?;
    let messages = tasks.iter().map(|task| Message {
        id: task.get("taskId").and_then(Value::as_str).map(str::to_owned),
        sources: vec![task_object(task)],
    });
    Ok(Invocation {
        messages: messages.collect(),
        reply: ReplyKind::S3BatchJob {
            schema_version: part("invocationSchemaVersion")?,
            invocation_id: part("invocationId")?,
        },
    })
}

fn task_object(task: &Value) -> Result<Source, Error> {
    const ENVELOPE: &str = "S3 batch task";
    let part = |name: &str| task.get(name).and_then(Value::as_str);
    // arn:aws:s3:::bucket
    let by_arn = || part("s3BucketArn").and_then(|arn| arn.rsplit(':').next());
    let bucket = part("s3Bucket").or_else(by_arn);
    let bucket = bucket.ok_or(Error::Missing { envelope: ENVELOPE, part: "bucket" })?;
    let key = part("s3Key").ok_or(Error::Missing { envelope: ENVELOPE, part: "s3Key" })?;
    let version = part("s3VersionId").filter(|version| !version.is_empty()).map(str::to_owned);
    source(bucket, form_encoded(key)?, version)
}

fn form_encoded(key: &str) -> Result<Key, Error> {
    Key::form_encoded(key).map_err(|_| Error::Key { key: quoted(key) })
}
