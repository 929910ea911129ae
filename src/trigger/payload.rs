//! The bytes that an invocation brings, before anything is known about them.

use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::Error;

/// The payload of an invocation: JSON as text, or why it is none.
///
/// The runtime refuses a payload that it cannot deserialize before the handler sees it, with an error of its own and
/// without a word in the log. So this takes any payload, and the handler refuses what cannot be read.
#[derive(Debug)]
pub struct Payload(Result<Box<RawValue>, String>);

impl Payload {
    /// The payload as JSON text.
    ///
    /// # Errors
    /// [`Error::NotJson`] if it is none, or not UTF-8.
    pub fn text(&self) -> Result<&str, Error> {
        let not_json = |reason: &String| Error::NotJson { envelope: "payload", reason: reason.clone() };
        self.0.as_ref().map(|text| text.get()).map_err(not_json)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Box::<RawValue>::deserialize(deserializer).map_err(|error| error.to_string())))
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Self(RawValue::from_string(text).map_err(|error| error.to_string()))
    }
}
