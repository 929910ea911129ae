//! Objects as Java prints them.
//!
//! Elastic's pipeline turns `requestParameters` and its like into keywords with Java's `Map.toString()`, and rules
//! match that text with wildcards. So it must be the same text, down to the order in which a `java.util.HashMap`
//! walks its keys.

use std::fmt::Write;

use serde_json::{Map, Number, Value};

use super::is_empty_text;

/// The capacity that a `HashMap` starts with; it doubles when more than three quarters are in use.
const INITIAL_CAPACITY: usize = 16;

/// The text of `value` without its empty parts, or `None` where nothing is left of it.
///
/// The empty parts still count for the size of a map: the pipeline removes them after the map has grown.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number_text(number)),
        Value::String(text) => (!is_empty_text(text)).then(|| text.clone()),
        Value::Array(items) => enclose('[', items.iter().filter_map(text), ']'),
        Value::Object(map) => {
            let entries = in_hash_order(map);
            let entries =
                entries.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", text(value)?)));
            enclose('{', entries, '}')
        }
    }
}

fn enclose(open: char, items: impl Iterator<Item = String>, close: char) -> Option<String> {
    let mut items = items.peekable();
    items.peek()?;
    let mut text = String::from(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        text.push_str(&item);
    }
    text.push(close);
    Some(text)
}

/// The entries by bucket, and inside a bucket as they were put in.
fn in_hash_order(map: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut capacity = INITIAL_CAPACITY;
    while map.len() > capacity / 4 * 3 {
        capacity *= 2;
    }
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(key, _)| {
        let hash = hash_code(key);
        (hash ^ (hash >> 16)) as usize & (capacity - 1)
    });
    entries
}

/// `String.hashCode()`, over UTF-16 units.
fn hash_code(text: &str) -> u32 {
    text.encode_utf16().fold(0, |hash: u32, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)))
}

/// Whole numbers as they are, others as `Double.toString()` writes them.
pub(super) fn number_text(number: &Number) -> String {
    let Some(double) = number.as_f64().filter(|_| number.is_f64()) else { return number.to_string() };
    let magnitude = double.abs();
    let mut text = String::new();
    if magnitude == 0.0 || (1e-3..1e7).contains(&magnitude) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{double:?}");
    } else {
        let _ = write!(text, "{double:E}");
        if !text.contains('.') {
            text = text.replacen('E', ".0E", 1);
        }
    }
    text
}
