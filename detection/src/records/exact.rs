//! A record as JSON whose numbers keep their own digits.

use std::fmt;

use memchr::{memchr2, memmem};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use super::MAX_LEVELS;

/// The JSON parser does not see objects whose first key begins with this as objects: it uses them internally to
/// represent numbers and raw values.
const RESERVED: &[u8] = b"$serde_json::private::";

/// The most levels of a signal's document above a value of its record.
const LEVELS_ABOVE: usize = 8;

/// Parses a record, which is a JSON object. Every number keeps its digits.
///
/// # Errors
/// The text is not JSON, or not an object.
pub(super) fn parse(text: &[u8]) -> serde_json::Result<Map<String, Value>> {
    // Checking UTF-8 as a whole costs less than string by string.
    let text = std::str::from_utf8(text).map_err(serde_json::Error::custom)?;
    if may_have_reserved_keys(text) {
        return limited(text, MAX_LEVELS).and_then(exact_object);
    }
    let record: Map<String, Value> = serde_json::from_str(text)?;
    // serde_json keeps digits, but rewrites exponents. Few records have one.
    if record.values().any(has_exponent) { exact_object(text) } else { Ok(record) }
}

/// The same for a value already known to be JSON, except for its depth.
pub(super) fn parse_value(text: &str) -> serde_json::Result<Value> {
    if may_have_reserved_keys(text) {
        return limited(text, MAX_LEVELS).and_then(exact);
    }
    let value = serde_json::from_str(text)?;
    if has_exponent(&value) { exact(text) } else { Ok(value) }
}

/// The same for the document of a signal, in which the values of a record are a few levels deeper than in the record.
pub(super) fn parse_document(text: &str) -> serde_json::Result<Value> {
    parse_value(text).or_else(|_| limited(text, MAX_LEVELS + LEVELS_ABOVE).and_then(exact))
}

/// Whether a key could be one of the parser's own, as it is or with escapes.
fn may_have_reserved_keys(text: &str) -> bool {
    let text = text.as_bytes();
    // Most texts have neither of these bytes, and this search is the fastest.
    memchr2(b'$', b'\\', text).is_some()
        && (memmem::find(text, RESERVED).is_some() || memmem::find(text, br"\u00").is_some())
}

/// The text, unless it is nested deeper than `levels`.
fn limited(text: &str, levels: usize) -> serde_json::Result<&str> {
    if super::repair::levels(text.as_bytes()) > levels {
        return Err(serde_json::Error::custom("too deep"));
    }
    Ok(text.trim_ascii())
}

fn has_exponent(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_str().contains(['e', 'E']),
        Value::Array(items) => items.iter().any(has_exponent),
        Value::Object(map) => map.values().any(has_exponent),
        _ => false,
    }
}

/// The value of a text whose depth is limited. Takes numbers from the text.
fn exact(text: &str) -> serde_json::Result<Value> {
    match text.as_bytes().first() {
        Some(b'{') => exact_object(text).map(Value::Object),
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            items.into_iter().map(|item| exact(item.get())).collect()
        }
        Some(b'-' | b'0'..=b'9') => Ok(Value::Number(Number::from_string_unchecked(text.to_owned()))),
        _ => serde_json::from_str(text),
    }
}

fn exact_object(text: &str) -> serde_json::Result<Map<String, Value>> {
    let Entries(entries) = serde_json::from_str(text)?;
    entries.into_iter().map(|(key, value)| Ok((key, exact(value.get())?))).collect()
}

/// The entries of an object in their order. Of equal keys the last one counts, as in a map.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}
