//! Objects as Java prints them.
//!
//! Elastic's pipeline turns `requestParameters` and its like into keywords with Java's `Map.toString()`, and rules
//! match that text with wildcards. So it must be the same text, down to the order in which a `java.util.HashMap`
//! iterates over its keys.

use serde_json::{Map, Value};

use super::empty::is_empty_text;

/// The capacity that a `HashMap` starts with; it doubles when more than three quarters are in use.
const INITIAL_CAPACITY: usize = 16;

/// The text of `value` without its empty parts, or `None` if nothing is left of it.
///
/// The empty parts still count toward the size of a map: the pipeline removes them after the map has grown.
/// The same holds for the object's entry that is `left_out`.
pub(super) fn text(value: &Value, left_out: Option<&str>) -> Option<String> {
    let mut text = String::new();
    let is_written = match (value, left_out) {
        (Value::Object(map), Some(left_out)) => {
            let entries = in_hash_order(map).into_iter().filter(|(key, _)| *key != left_out);
            enclose(&mut text, ['{', '}'], entries.map(|(key, value)| (Some(key), value)))
        }
        _ => write(&mut text, value),
    };
    is_written.then_some(text)
}

/// Writes the text of `value`, or returns `false` and leaves `text` as it was.
fn write(text: &mut String, value: &Value) -> bool {
    match value {
        Value::Null => return false,
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => text.push_str(number.as_str()),
        Value::String(string) if is_empty_text(string) => return false,
        Value::String(string) => text.push_str(string),
        Value::Array(items) => return enclose(text, ['[', ']'], items.iter().map(|item| (None, item))),
        Value::Object(map) => {
            let entries = in_hash_order(map).into_iter().map(|(key, value)| (Some(key), value));
            return enclose(text, ['{', '}'], entries);
        }
    }
    true
}

fn enclose<'a>(
    text: &mut String,
    [open, close]: [char; 2],
    entries: impl Iterator<Item = (Option<&'a String>, &'a Value)>,
) -> bool {
    let start = text.len();
    text.push(open);
    let mut end = text.len();
    for (key, value) in entries {
        if end > start + open.len_utf8() {
            text.push_str(", ");
        }
        if let Some(key) = key {
            text.push_str(key);
            text.push('=');
        }
        if write(text, value) {
            end = text.len();
        }
        // Drops the separator and the key if the value is empty.
        text.truncate(end);
    }
    if end == start + open.len_utf8() {
        text.truncate(start);
        return false;
    }
    text.push(close);
    true
}

/// The entries by bucket, and within a bucket in insertion order. A `HashMap` also grows when nine keys meet in one
/// bucket of a small table. Only keys crafted to collide cause that, so it is left out here.
fn in_hash_order(map: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut capacity = INITIAL_CAPACITY;
    while map.len() > capacity / 4 * 3 {
        capacity *= 2;
    }
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_cached_key(|(key, _)| {
        let hash = hash_code(key);
        (hash ^ (hash >> 16)) as usize & (capacity - 1)
    });
    entries
}

/// `String.hashCode()`, over UTF-16 units.
fn hash_code(text: &str) -> u32 {
    text.encode_utf16().fold(0, |hash: u32, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)))
}
