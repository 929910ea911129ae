//! One level of a payload: the members of all known envelopes, each as unparsed text.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::error::{Error, quoted};

/// An error names at most this many keys.
const MAX_KEYS: usize = 5;

/// An unparsed member of an envelope.
pub(super) type Member<'a> = Option<&'a RawValue>;

/// An object with the members of all known envelopes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope<'a> {
    #[serde(skip)]
    source_text: &'a str,
    // Lambda's events from S3, SQS and SNS.
    #[serde(borrow, rename = "Records")]
    pub(super) records: Member<'a>,
    #[serde(borrow)]
    event_source: Member<'a>,
    #[serde(borrow, rename = "EventSource")]
    event_source_of_sns: Member<'a>,
    #[serde(borrow)]
    pub(super) event_name: Member<'a>,
    #[serde(borrow)]
    pub(super) event_version: Member<'a>,
    #[serde(borrow)]
    pub(super) s3: Member<'a>,
    #[serde(borrow)]
    pub(super) message_id: Member<'a>,
    #[serde(borrow)]
    pub(super) body: Member<'a>,
    #[serde(borrow, rename = "Sns")]
    pub(super) sns: Member<'a>,
    // An SNS notification.
    #[serde(borrow, rename = "Type")]
    pub(super) kind: Member<'a>,
    #[serde(borrow, rename = "TopicArn")]
    pub(super) topic_arn: Member<'a>,
    #[serde(borrow, rename = "Message")]
    pub(super) message: Member<'a>,
    // An AWS Config notice that names no object.
    #[serde(borrow)]
    pub(super) message_type: Member<'a>,
    #[serde(borrow)]
    pub(super) record_version: Member<'a>,
    // S3's test event, and a notice from CloudTrail or AWS Config.
    #[serde(borrow, rename = "Event")]
    pub(super) event: Member<'a>,
    #[serde(borrow)]
    pub(super) s3_bucket: Member<'a>,
    #[serde(borrow)]
    pub(super) s3_object_key: Member<'a>,
    // An EventBridge event, or its detail alone.
    #[serde(borrow, rename = "detail-type")]
    pub(super) detail_type: Member<'a>,
    #[serde(borrow)]
    pub(super) source: Member<'a>,
    #[serde(borrow)]
    pub(super) detail: Member<'a>,
    #[serde(borrow)]
    pub(super) bucket: Member<'a>,
    #[serde(borrow)]
    pub(super) object: Member<'a>,
    #[serde(borrow)]
    pub(super) insight_details: Member<'a>,
    // A schedule's request for a check.
    #[serde(borrow)]
    pub(super) check: Member<'a>,
    #[serde(borrow)]
    pub(super) time: Member<'a>,
    // CloudWatch Logs.
    #[serde(borrow)]
    pub(super) awslogs: Member<'a>,
    // S3 Batch Operations.
    #[serde(borrow)]
    pub(super) invocation_schema_version: Member<'a>,
    #[serde(borrow)]
    pub(super) invocation_id: Member<'a>,
    #[serde(borrow)]
    pub(super) job: Member<'a>,
    #[serde(borrow)]
    pub(super) tasks: Member<'a>,
}

impl<'a> Envelope<'a> {
    /// Reads any JSON object.
    ///
    /// # Errors
    /// [`Error::Unknown`] for anything but an object.
    pub(super) fn parse(text: &'a str) -> Result<Self, Error> {
        // serde would also accept an array, member by member.
        let object = Some(text).filter(|text| text.trim_start().starts_with('{'));
        let envelope = object.and_then(|text| serde_json::from_str(text).ok());
        envelope.map(|envelope| Self { source_text: text, ..envelope }).ok_or_else(|| unknown(text))
    }

    /// The service that sent the record, under either of the names in Lambda's events.
    pub(super) fn event_source(&self) -> Option<Cow<'a, str>> {
        text(self.event_source).or_else(|| text(self.event_source_of_sns))
    }

    /// The error for an unknown envelope.
    pub(super) fn unknown(&self) -> Error {
        match self.event_source().or_else(|| text(self.source)) {
            Some(source) => Error::Unknown { found: format!("from {:?}", quoted(&source)) },
            None => unknown(self.source_text),
        }
    }
}

/// A member that is a string.
pub(super) fn text<'a>(member: Member<'a>) -> Option<Cow<'a, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str(member?.get()).ok().map(|Text(text): Text<'a>| text)
}

/// A member that is an object with these members of its own.
pub(super) fn object<'a, T: Deserialize<'a>>(member: Member<'a>) -> Option<T> {
    let text = member?.get();
    text.starts_with('{').then(|| serde_json::from_str(text).ok()).flatten()
}

/// Hands the elements of an array to `take`, one after another, until it returns `false`.
pub(super) fn each<'a>(array: &'a RawValue, take: impl FnMut(&'a str) -> bool) {
    // The text is JSON, so only `take` can stop the iteration.
    let _ = serde_json::Deserializer::from_str(array.get()).deserialize_any(Each(take));
}

struct Each<F>(F);

impl<'de, F: FnMut(&'de str) -> bool> Visitor<'de> for Each<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element::<&RawValue>()? {
            if !(self.0)(item.get()) {
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

fn unknown(text: &str) -> Error {
    let found = match text.trim_start().as_bytes().first() {
        Some(b'{') => {
            let mut keys = Keys::default();
            // If the object breaks off, the keys up to there are enough.
            let _ = serde_json::Deserializer::from_str(text).deserialize_map(&mut keys);
            format!("an object with the keys {:?}", keys.0)
        }
        Some(b'[') => "an array".to_owned(),
        Some(b'"') => "a string".to_owned(),
        Some(b't' | b'f') => "a boolean".to_owned(),
        Some(b'n') => "null".to_owned(),
        Some(_) => "a number".to_owned(),
        None => "nothing".to_owned(),
    };
    Error::Unknown { found }
}

/// The first few keys of an object.
#[derive(Default)]
struct Keys(Vec<String>);

impl<'de> Visitor<'de> for &mut Keys {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((key, IgnoredAny)) = map.next_entry::<Cow<'de, str>, _>()? {
            if self.0.len() < MAX_KEYS {
                self.0.push(quoted(&key));
            }
        }
        Ok(())
    }
}
