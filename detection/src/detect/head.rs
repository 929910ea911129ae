//! The few fields that decide most records, read without building a document.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::search::{FirstHead, has_one_head};
use crate::ecs::{CONSOLE_LOGIN, FAILURE, SUCCESS, category_of, constant_value, is_empty_text, types_of};
use crate::query::{Fields, Scalar};
use crate::records::RawRecord;

/// The head of a record: provider, action and outcome.
///
/// Parsing it checks that the whole record is JSON.
#[derive(Debug, Default)]
pub struct Head<'a> {
    event_source: Part<'a>,
    event_name: Part<'a>,
    error_code: Part<'a>,
    error_message: Part<'a>,
}

/// The value of a member, as far as the head knows it.
#[derive(Debug, Clone, Default)]
enum Part<'a> {
    /// Missing, or empty by the rules of Elastic's pipeline.
    #[default]
    Absent,
    Text(Cow<'a, str>),
    /// Either this or missing.
    Perhaps(&'a str),
    /// An array or object, or not read: only the whole document knows.
    Other,
}

/// What the head knows of one field.
enum Known<'a> {
    Value(&'a str),
    /// Either this or missing.
    Perhaps(&'a str),
    Missing,
    Unknown,
}

impl<'a> Head<'a> {
    /// Reads the head of a record.
    ///
    /// # Errors
    /// The record is not JSON.
    pub fn parse(record: &'a [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(record)
    }

    /// Finds the provider and the action by a search, where a search can tell. The outcome stays unknown, and so does
    /// whether the record is valid JSON.
    #[must_use]
    pub fn find(record: RawRecord<'a>) -> Option<Self> {
        let first = FirstHead::find(record)?;
        first.head().filter(|_| has_one_head(record))
    }

    /// A head with this provider and this action, if they are the record's own.
    pub(super) fn of_search(provider: &'a str, action: &'a str) -> Self {
        Self::perhaps(provider, Part::perhaps(action))
    }

    /// The same, given that what a search found is the record's own.
    pub(super) fn confirmed(&self) -> Self {
        let confirmed = |part: &Part<'a>| match part {
            Part::Perhaps(text) => Part::Text(Cow::Borrowed(text)),
            part => part.clone(),
        };
        Self {
            event_source: confirmed(&self.event_source),
            event_name: confirmed(&self.event_name),
            error_code: self.error_code.clone(),
            error_message: self.error_message.clone(),
        }
    }

    /// A head with this provider and this action. The outcome is unknown.
    pub(crate) fn of(provider: &'a str, action: &'a str) -> Self {
        let text = |text: &'a str| if is_empty_text(text) { Part::Absent } else { Part::Text(text.into()) };
        Self { event_source: text(provider), event_name: text(action), ..Self::unknown() }
    }

    /// The same, as if the outcome were not known.
    pub(crate) fn without_outcome(self) -> Self {
        Self { event_source: self.event_source, event_name: self.event_name, ..Self::unknown() }
    }

    /// The same, as if only the provider were known.
    pub(crate) fn provider_alone(&self) -> Self {
        Self { event_source: self.event_source.clone(), ..Self::unknown() }
    }

    /// A head about which nothing is known.
    pub(super) fn unknown() -> Self {
        Self {
            event_source: Part::Other,
            event_name: Part::Other,
            error_code: Part::Other,
            error_message: Part::Other,
        }
    }

    fn perhaps(provider: &'a str, event_name: Part<'a>) -> Self {
        let event_source = Part::perhaps(provider);
        Self { event_source, event_name, error_code: Part::Other, error_message: Part::Other }
    }

    /// The provider, the action and what is known about the outcome; `None` unless the first two are known. Every query
    /// gives the same answer for heads with the same key.
    pub(crate) fn key(&self) -> Option<(&str, &str, &'static str)> {
        match (&self.event_source, &self.event_name) {
            (Part::Text(provider), Part::Text(action)) => {
                Some((provider, action, self.outcome().unwrap_or("unknown")))
            }
            (Part::Perhaps(provider), Part::Perhaps(action)) => Some((provider, action, "not read")),
            _ => None,
        }
    }

    /// A head with only the provider known.
    pub(crate) fn of_provider(provider: &'a str) -> Self {
        Self::perhaps(provider, Part::Other)
    }

    fn outcome(&self) -> Option<&'static str> {
        match (&self.event_name, &self.error_code, &self.error_message) {
            // The response of a sign-in says whether it succeeded.
            (Part::Other | Part::Perhaps(_), ..) => None,
            (Part::Text(name), ..) if name == CONSOLE_LOGIN => None,
            (_, Part::Absent, Part::Absent) => Some(SUCCESS),
            (_, Part::Text(_), _) | (_, _, Part::Text(_)) => Some(FAILURE),
            // An object may turn out to be empty.
            _ => None,
        }
    }

    /// The answer to a test that depends on the action alone. For a missing action, the test gets the empty text.
    fn by_action(&self, passes: &mut dyn FnMut(&str) -> bool) -> Option<bool> {
        match self.event_name.known() {
            Known::Value(action) => Some(passes(action)),
            Known::Missing => Some(passes("")),
            Known::Perhaps(action) => {
                let (given, missing) = (passes(action), passes(""));
                (given == missing).then_some(given)
            }
            Known::Unknown => None,
        }
    }

    fn known(&self, field: &str) -> Known<'_> {
        match field {
            "event.provider" => self.event_source.known(),
            "event.action" => self.event_name.known(),
            "event.outcome" => self.outcome().map_or(Known::Unknown, Known::Value),
            _ => constant_value(field).map_or(Known::Unknown, Known::Value),
        }
    }
}

impl<'a> Part<'a> {
    fn of(value: &'a RawValue) -> serde_json::Result<Self> {
        let text = match value.get().as_bytes() {
            [b'[' | b'{', ..] => return Ok(Self::Other),
            [b'n', ..] => return Ok(Self::Absent),
            [b'"', inner @ .., b'"'] if memchr::memchr(b'\\', inner).is_none() => {
                Cow::Borrowed(&value.get()[1..=inner.len()])
            }
            [b'"', ..] => Cow::Owned(serde_json::from_str(value.get())?),
            // Numbers and booleans count as their text.
            _ => Cow::Borrowed(value.get()),
        };
        Ok(if is_empty_text(&text) { Self::Absent } else { Self::Text(text) })
    }

    fn perhaps(text: &'a str) -> Self {
        if is_empty_text(text) { Self::Absent } else { Self::Perhaps(text) }
    }

    fn known(&self) -> Known<'_> {
        match self {
            Self::Absent => Known::Missing,
            Self::Text(text) => Known::Value(text),
            Self::Perhaps(text) => Known::Perhaps(text),
            Self::Other => Known::Unknown,
        }
    }
}

impl Fields for Head<'_> {
    fn any(&self, name: &str, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        let mut passes = |text: &str| test(Scalar::Text(text));
        match name {
            "event.category" => self.by_action(&mut |action| category_of(action).is_some_and(&mut passes)),
            "event.type" => self.by_action(&mut |action| types_of(action).iter().copied().any(&mut passes)),
            _ => match self.known(name) {
                Known::Value(text) => Some(passes(text)),
                // A missing value passes no test either.
                Known::Perhaps(text) if passes(text) => None,
                Known::Perhaps(_) | Known::Missing => Some(false),
                Known::Unknown => None,
            },
        }
    }

    fn any_in_record(&self, path: Option<&str>, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        let part = match path? {
            "eventSource" => &self.event_source,
            "eventName" => &self.event_name,
            _ => return None,
        };
        match part.known() {
            Known::Value(text) => Some(test(Scalar::Text(text))),
            Known::Perhaps(text) => {
                if test(Scalar::Text(text)) {
                    None
                } else {
                    Some(false)
                }
            }
            // A text that counts as empty in Elastic's pipeline is still a text in the record.
            Known::Missing | Known::Unknown => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Head<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeadVisitor)
    }
}

struct HeadVisitor;

impl<'de> Visitor<'de> for HeadVisitor {
    type Value = Head<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a CloudTrail record")
    }

    /// The last of several equal keys counts, as it does in the whole document. (A derived implementation would refuse
    /// them.)
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut head = Head::default();
        while let Some(key) = map.next_key()? {
            let part = match key {
                Key::EventSource => &mut head.event_source,
                Key::EventName => &mut head.event_name,
                Key::ErrorCode => &mut head.error_code,
                Key::ErrorMessage => &mut head.error_message,
                Key::Unneeded => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *part = Part::of(map.next_value()?).map_err(A::Error::custom)?;
        }
        Ok(head)
    }
}

/// The keys of a record that the head needs.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Key {
    EventSource,
    EventName,
    ErrorCode,
    ErrorMessage,
    #[serde(other)]
    Unneeded,
}
