//! The few fields that decide most records, read without building anything.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::glance;
use crate::ecs::{CONSOLE_LOGIN, FAILURE, SUCCESS, constant, is_empty_text};
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

/// A value that the head can tell.
#[derive(Debug, Default)]
enum Part<'a> {
    /// Missing, or empty in the sense of Elastic's pipeline.
    #[default]
    Absent,
    Text(Cow<'a, str>),
    /// Either this or missing.
    Perhaps(&'a str),
    /// Not a string, or not looked at: left to the whole document.
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

    /// What provider and action can be, where that can be had without parsing the record. The outcome is left unknown,
    /// and so is whether the record is JSON.
    #[must_use]
    pub fn glance(record: RawRecord<'a>) -> Option<Self> {
        let (provider, action) = glance::provider_and_action(record)?;
        Some(Self::perhaps(provider, Part::perhaps(action)))
    }

    fn perhaps(provider: &'a str, event_name: Part<'a>) -> Self {
        let event_source = Part::perhaps(provider);
        Self { event_source, event_name, error_code: Part::Other, error_message: Part::Other }
    }

    /// Provider, action and what is known of the outcome, if there is something to say of the first two: heads alike
    /// in them are alike to every query.
    pub(crate) fn key(&self) -> Option<(&str, &str, &'static str)> {
        match (&self.event_source, &self.event_name) {
            (Part::Text(provider), Part::Text(action)) => {
                Some((provider, action, self.outcome().unwrap_or("unknown")))
            }
            (Part::Perhaps(provider), Part::Perhaps(action)) => Some((provider, action, "not looked at")),
            _ => None,
        }
    }

    /// What every head with this provider has in common.
    pub(crate) fn of_provider(provider: &'a str) -> Self {
        Self::perhaps(provider, Part::Other)
    }

    fn outcome(&self) -> Option<&'static str> {
        match (&self.event_name, &self.error_code, &self.error_message) {
            // Whether a sign-in succeeded stands in its response.
            (Part::Other | Part::Perhaps(_), ..) => None,
            (Part::Text(name), ..) if name == CONSOLE_LOGIN => None,
            (_, Part::Absent, Part::Absent) => Some(SUCCESS),
            (_, Part::Text(_), _) | (_, _, Part::Text(_)) => Some(FAILURE),
            // An object, which may be empty all the way down.
            _ => None,
        }
    }

    fn known(&self, field: &str) -> Known<'_> {
        match field {
            "event.provider" => self.event_source.known(),
            "event.action" => self.event_name.known(),
            "event.outcome" => self.outcome().map_or(Known::Unknown, Known::Value),
            _ => constant(field).map_or(Known::Unknown, Known::Value),
        }
    }
}

impl<'a> Part<'a> {
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
        match self.known(name) {
            Known::Value(text) => Some(test(Scalar::Text(text))),
            // What is missing passes no test either.
            Known::Perhaps(text) if test(Scalar::Text(text)) => None,
            Known::Perhaps(_) | Known::Missing => Some(false),
            Known::Unknown => None,
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
            // A text that Elastic's pipeline takes for empty is a text in the record.
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

    /// A key that comes twice counts as it does in the whole document: the last one holds.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut head = Head::default();
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::EventSource => head.event_source = map.next_value()?,
                Key::EventName => head.event_name = map.next_value()?,
                Key::ErrorCode => head.error_code = map.next_value()?,
                Key::ErrorMessage => head.error_message = map.next_value()?,
                Key::Unneeded => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(head)
    }
}

/// The keys of a record that the head needs.
enum Key {
    EventSource,
    EventName,
    ErrorCode,
    ErrorMessage,
    Unneeded,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Key, E> {
        Ok(match key {
            "eventSource" => Key::EventSource,
            "eventName" => Key::EventName,
            "errorCode" => Key::ErrorCode,
            "errorMessage" => Key::ErrorMessage,
            _ => Key::Unneeded,
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Part<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PartVisitor)
    }
}

struct PartVisitor;

impl<'de> Visitor<'de> for PartVisitor {
    type Value = Part<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Part<'de>, E> {
        Ok(if is_empty_text(text) { Part::Absent } else { Part::Text(Cow::Borrowed(text)) })
    }

    fn visit_str<E>(self, text: &str) -> Result<Part<'de>, E> {
        Ok(if is_empty_text(text) { Part::Absent } else { Part::Text(Cow::Owned(text.to_owned())) })
    }

    fn visit_unit<E>(self) -> Result<Part<'de>, E> {
        Ok(Part::Absent)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Part<'de>, E> {
        Ok(Part::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Part<'de>, E> {
        Ok(Part::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Part<'de>, E> {
        Ok(Part::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Part<'de>, E> {
        Ok(Part::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Part<'de>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Part::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Part<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Part::Other)
    }
}
