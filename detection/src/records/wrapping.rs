//! Decides what an object is: a CloudTrail record, a wrapper around one, or neither.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{RawRecord, Rejection, repair};

/// A record in a log event in an EventBridge event in a log event: AWS writes nothing deeper.
const MAX_DEPTH: u8 = 4;

/// A record without its wrappers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwrapped<'a> {
    text: Cow<'a, [u8]>,
    may_have_escapes: bool,
}

impl Unwrapped<'_> {
    /// The record itself.
    #[must_use]
    pub fn record(&self) -> RawRecord<'_> {
        RawRecord { text: &self.text, may_have_escapes: self.may_have_escapes }
    }
}

impl<'a> RawRecord<'a> {
    /// Takes the record out of the log event, the EventBridge event or the `lookup-events` entry that holds it. Most
    /// records have no wrapper, as their first key shows.
    ///
    /// # Errors
    /// [`Rejection::NotCloudTrail`] for an object that neither is nor holds a record, and [`Rejection::InvalidJson`] for
    /// one that cannot be read.
    pub fn unwrapped(self) -> Result<Unwrapped<'a>, Rejection> {
        let Self { text, may_have_escapes } = self;
        let first_key = text.strip_prefix(b"{").unwrap_or_default().trim_ascii_start();
        if first_key.starts_with(b"\"eventVersion\":\"1.") {
            return Ok(Unwrapped { text: Cow::Borrowed(text), may_have_escapes });
        }
        match unwrapped(text, 0)? {
            None => Ok(Unwrapped { text: Cow::Borrowed(text), may_have_escapes }),
            Some(inner) => Ok(Unwrapped { text: Cow::Owned(inner), may_have_escapes: true }),
        }
    }
}

/// The record inside `text`, or `None` if `text` itself is one.
fn unwrapped(text: &[u8], depth: u8) -> Result<Option<Vec<u8>>, Rejection> {
    let mut members = Members::default();
    let read = members.read(text);
    if members.is_record {
        return Ok(None);
    }
    if let Err(error) = read {
        // The text may still need a repair.
        return match repair::repaired(text) {
            Some(repaired) if depth < MAX_DEPTH => {
                Ok(Some(unwrapped(&repaired, depth + 1)?.unwrap_or(repaired)))
            }
            _ if text.get(1) == Some(&0) => Err(Rejection::Utf16),
            _ => Err(error),
        };
    }
    let inner = match (members.detail, members.text) {
        _ if depth == MAX_DEPTH => None,
        (Some(detail), _) if members.is_event => Some(detail.get().as_bytes().to_vec()),
        (_, Some(text)) => string(text.get().as_bytes()).map(String::into_bytes),
        _ => None,
    };
    match inner.filter(|inner| inner.trim_ascii_start().starts_with(b"{")) {
        Some(inner) => Ok(Some(unwrapped(&inner, depth + 1)?.unwrap_or(inner))),
        None => Err(Rejection::NotCloudTrail { looks_like: members.looks_like }),
    }
}

/// The members that show what an object is.
#[derive(Default)]
struct Members<'a> {
    /// The object has a key that only records have.
    is_record: bool,
    /// The `detail-type` of EventBridge.
    is_event: bool,
    detail: Option<&'a RawValue>,
    /// The `message` of a log event, or the `CloudTrailEvent` of a `lookup-events` entry.
    text: Option<&'a RawValue>,
    looks_like: Option<&'static str>,
}

impl<'a> Members<'a> {
    /// Reads the keys of the object, up to the first that only a record has.
    fn read(&mut self, text: &'a [u8]) -> Result<(), Rejection> {
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let read = deserializer.deserialize_map(MembersVisitor(self)).and_then(|()| deserializer.end());
        read.map_err(|_| Rejection::InvalidJson)
    }
}

struct MembersVisitor<'m, 'a>(&'m mut Members<'a>);

impl<'de: 'a, 'a> Visitor<'de> for MembersVisitor<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            match &*key {
                "eventVersion" | "eventName" => self.0.is_record = true,
                // The records of notifications by S3 differ from those of CloudTrail in their source.
                "eventSource" if map.next_value::<&RawValue>()?.get().starts_with("\"aws:") => {
                    *self.0 = Members { looks_like: Some("a notification by S3"), ..Members::default() };
                    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                    return Ok(());
                }
                "eventSource" | "insightDetails" => {
                    self.0.is_record = true;
                    return Err(A::Error::custom("the rest of the record is read by others"));
                }
                "detail-type" => self.0.is_event = true,
                "detail" => {
                    self.0.detail = Some(map.next_value()?);
                    continue;
                }
                "message" | "CloudTrailEvent" => {
                    self.0.text = Some(map.next_value()?);
                    continue;
                }
                key => self.0.looks_like = self.0.looks_like.or(known(key)),
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// The text of a JSON string.
fn string(text: &[u8]) -> Option<String> {
    let parsed = serde_json::from_slice(text);
    parsed
        .or_else(|error| repair::repaired(text).map_or(Err(error), |text| serde_json::from_slice(&text)))
        .ok()
}

/// What an object with this key most likely is.
fn known(key: &str) -> Option<&'static str> {
    Some(match key {
        "class_uid" | "category_uid" => "an OCSF event, as Security Lake keeps it",
        "eventversion" | "eventsource" | "eventname" => {
            "a row of a query result, whose columns are in lower case"
        }
        "_raw" | "result" => "an export of Splunk",
        "digestStartTime" => "a digest of CloudTrail deliveries",
        "configurationItems" | "configSnapshotId" => "a file of AWS Config",
        "logEvents" | "Records" | "Events" => "a container of records whose array is missing",
        "Type" | "TopicArn" => "a message of SNS",
        _ => return None,
    })
}

/// A key that is borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
