//! S3 envelopes, and notices that name objects in S3.

use std::borrow::Cow;
use std::collections::BTreeMap;

use detection::key::Key;
use detection::origin::Object;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::envelope::{Envelope, Member, each, object, text};
use super::error::quoted;
use super::{Error, Invocation, MAX_PARTS, Message, Part, Parts, ReplyKind, Source};
use crate::s3::is_bucket_name;

const TASK: &str = "S3 batch task";

/// `{"bucket":{"name":"…"},"object":{"key":"…"}}`, which S3 and EventBridge share.
#[derive(Deserialize)]
pub(super) struct Entity<'a> {
    #[serde(borrow)]
    bucket: Member<'a>,
    #[serde(borrow)]
    object: Member<'a>,
}

#[derive(Deserialize)]
struct Bucket<'a> {
    #[serde(borrow)]
    name: Member<'a>,
}

#[derive(Deserialize)]
struct ObjectMembers<'a> {
    #[serde(borrow)]
    key: Member<'a>,
    #[serde(borrow, rename = "versionId", alias = "version-id")]
    version: Member<'a>,
}

impl<'a> Entity<'a> {
    pub(super) fn new(bucket: Member<'a>, object: Member<'a>) -> Self {
        Self { bucket, object }
    }

    /// The object to read. `decode` decodes its key.
    pub(super) fn part(
        &self,
        envelope: &'static str,
        decode: impl FnOnce(&str) -> Result<Key, Error>,
    ) -> Result<Part, Error> {
        let missing = |part| Error::Missing { envelope, part };
        let bucket = object::<Bucket<'_>>(self.bucket).and_then(|bucket| text(bucket.name));
        let bucket = bucket.ok_or_else(|| missing("bucket name"))?;
        let members: ObjectMembers<'_> = object(self.object).ok_or_else(|| missing("object"))?;
        let key = text(members.key).ok_or_else(|| missing("object key"))?;
        part(&bucket, decode(&key)?, text(members.version))
    }
}

/// One record of an event notification. Its key is form-encoded.
pub(super) fn notification(record: &Envelope<'_>) -> Result<Part, Error> {
    const ENVELOPE: &str = "S3 notification";
    let event = text(record.event_name).ok_or(Error::Missing { envelope: ENVELOPE, part: "eventName" })?;
    // "ObjectCreated:Put" from S3 to Lambda, "s3:ObjectCreated:Put" elsewhere.
    if !event.trim_start_matches("s3:").starts_with("ObjectCreated:") {
        return Ok(Part::Nothing("an S3 event other than a creation"));
    }
    let entity: Option<Entity<'_>> = object(record.s3);
    entity.unwrap_or(Entity::new(None, None)).part(ENVELOPE, form_encoded)
}

/// The object to read, if the names of the bucket and of the key are possible.
fn part(bucket: &str, key: Key, version: Option<Cow<'_, str>>) -> Result<Part, Error> {
    if !is_bucket_name(bucket) {
        return Err(Error::Bucket { bucket: quoted(bucket) });
    }
    if key.as_str().is_empty() {
        return Err(Error::Missing { envelope: "event", part: "object key" });
    }
    let version = version.filter(|version| !version.is_empty()).map(Cow::into_owned);
    Ok(Part::Source(Source::Object(Object { bucket: bucket.to_owned(), key, version })))
}

/// The message that S3 sends when a notification is set up.
pub(super) fn test_event(envelope: &Envelope<'_>) -> Option<Result<Part, Error>> {
    let is_test = text(envelope.event)? == "s3:TestEvent";
    is_test.then_some(Ok(Part::Nothing("S3's test of a notification")))
}

/// `{"s3Bucket":"…","s3ObjectKey":["…"]}`, which a trail sends to its SNS topic. AWS Config sends the same with one key as
/// a string. The keys are plain.
pub(super) fn is_notice(envelope: &Envelope<'_>) -> bool {
    text(envelope.s3_bucket).is_some()
}

pub(super) fn notice(envelope: &Envelope<'_>, parts: &mut Parts) {
    const ENVELOPE: &str = "CloudTrail notice";
    let bucket = text(envelope.s3_bucket).unwrap_or_default();
    let mut add = |key: Option<Cow<'_, str>>| {
        let missing = Error::Missing { envelope: ENVELOPE, part: "key that is a string" };
        parts.add_result(key.ok_or(missing).and_then(|key| part(&bucket, Key::plain(key), None)));
        parts.takes_more()
    };
    let mut is_empty = true;
    if let Some(key) = text(envelope.s3_object_key) {
        add(Some(key));
        is_empty = false;
    } else if let Some(keys) = envelope.s3_object_key {
        each(keys, |key| {
            is_empty = false;
            add(serde_json::from_str::<&RawValue>(key).ok().and_then(|key| text(Some(key))))
        });
    }
    if is_empty {
        parts.add(Part::Error(Error::Missing { envelope: ENVELOPE, part: "s3ObjectKey" }));
    }
}

/// An AWS Config notice that names no object, such as one about a changed resource. A topic that AWS Config and
/// CloudTrail share, like Control Tower's, has many of them.
pub(super) fn config_notice(envelope: &Envelope<'_>) -> Option<Result<Part, Error>> {
    let is_config = text(envelope.message_type).is_some() && text(envelope.record_version).is_some();
    is_config.then_some(Ok(Part::Nothing("a notice of AWS Config without an object")))
}

/// An invocation by S3 Batch Operations, schema 1.0 (bucket by ARN) or 2.0 (bucket by name).
pub(super) fn batch_job(envelope: &Envelope<'_>, tasks: &RawValue) -> Result<Invocation, Error> {
    const ENVELOPE: &str = "S3 batch job";
    let required = |member, part: &'static str| {
        text(member).map(Cow::into_owned).ok_or(Error::Missing { envelope: ENVELOPE, part })
    };
    let learns = learns(envelope);
    let mut messages = Vec::new();
    each(tasks, |task| {
        let task: Option<Task<'_>> = serde_json::from_str(task).ok();
        let id = task.as_ref().and_then(|task| text(task.id)).map(Cow::into_owned);
        let part =
            task.as_ref().ok_or(Error::Missing { envelope: ENVELOPE, part: "task" }).and_then(Task::part);
        let mut parts = vec![learns.clone().and(part).unwrap_or_else(Part::Error)];
        if id.is_none() {
            parts.push(Part::Error(Error::Missing { envelope: TASK, part: "taskId" }));
        }
        messages.push(Message { id, parts });
        messages.len() <= MAX_PARTS
    });
    if messages.len() > MAX_PARTS {
        return Err(Error::TooMany);
    }
    if messages.is_empty() {
        return Err(Error::Missing { envelope: ENVELOPE, part: "tasks" });
    }
    Ok(Invocation {
        messages,
        reply: ReplyKind::S3BatchJob {
            schema_version: required(envelope.invocation_schema_version, "invocationSchemaVersion")?,
            invocation_id: required(envelope.invocation_id, "invocationId")?,
        },
        learns: learns.unwrap_or_default(),
    })
}

/// Whether the arguments of a batch job say that rules are to learn from it. Jobs of schema 1.0 have no arguments.
fn learns(envelope: &Envelope<'_>) -> Result<bool, Error> {
    let job: Option<Job<'_>> = object(envelope.job);
    let arguments = job.and_then(|job| job.user_arguments).map_or("null", RawValue::get);
    let argument = |argument: String| Error::Argument { argument: quoted(&argument) };
    let arguments: Option<BTreeMap<String, Value>> =
        serde_json::from_str(arguments).map_err(|_| argument(arguments.to_owned()))?;
    let mut learns = false;
    for (name, value) in arguments.unwrap_or_default() {
        if name != "learn" || value != "true" {
            return Err(argument(format!("{name}={value}")));
        }
        learns = true;
    }
    Ok(learns)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Job<'a> {
    #[serde(borrow)]
    user_arguments: Member<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task<'a> {
    #[serde(borrow, rename = "taskId")]
    id: Member<'a>,
    #[serde(borrow)]
    s3_key: Member<'a>,
    #[serde(borrow)]
    s3_version_id: Member<'a>,
    #[serde(borrow)]
    s3_bucket: Member<'a>,
    #[serde(borrow)]
    s3_bucket_arn: Member<'a>,
}

impl Task<'_> {
    fn part(&self) -> Result<Part, Error> {
        // arn:aws:s3:::bucket
        let by_arn = text(self.s3_bucket_arn);
        let by_arn = by_arn.as_deref().and_then(|arn| arn.rsplit(':').next());
        let by_name = text(self.s3_bucket);
        let bucket = by_name.as_deref().or(by_arn);
        let bucket = bucket.ok_or(Error::Missing { envelope: TASK, part: "bucket" })?;
        let key = text(self.s3_key).ok_or(Error::Missing { envelope: TASK, part: "s3Key" })?;
        part(bucket, form_encoded(&key)?, text(self.s3_version_id))
    }
}

fn form_encoded(key: &str) -> Result<Key, Error> {
    Key::form_encoded(key).map_err(|_| Error::Key { key: quoted(key) })
}
