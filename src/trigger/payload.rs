//! The payload of an invocation, before it is recognised.

use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::Error;

/// The payload of an invocation: JSON as text, or why it is not JSON.
///
/// If a payload cannot be deserialized, the runtime refuses it before the handler runs, with an error of its own and
/// without a log line. This type accepts any payload, so that the handler can refuse it.
#[derive(Debug)]
pub struct Payload(Result<Box<RawValue>, String>);

impl Payload {
    /// The payload as JSON text.
    ///
    /// # Errors
    /// [`Error::NotJson`] if it is not JSON, or not UTF-8.
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
