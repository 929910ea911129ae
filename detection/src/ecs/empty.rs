//! What Elastic's pipeline treats as missing: null, some texts, and objects and arrays with nothing else in them.

use serde_json::Value;

/// Returns whether a text counts as missing.
pub(crate) fn is_empty_text(text: &str) -> bool {
    matches!(text, "" | "-" | "none")
}

/// Returns whether a value has only empty parts.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => is_empty_text(text),
        Value::Array(items) => items.iter().all(is_empty),
        Value::Object(map) => map.values().all(is_empty),
    }
}

/// Removes every empty part at any depth. Returns whether the result is empty.
pub(super) fn drop_empty(value: &mut Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => is_empty_text(text),
        Value::Array(items) => {
            items.retain_mut(|item| !drop_empty(item));
            items.is_empty()
        }
        Value::Object(map) => {
            map.retain(|_, value| !drop_empty(value));
            map.is_empty()
        }
    }
}

/// A copy without the empty parts, if anything is left.
pub(super) fn without_empty(value: &Value) -> Option<Value> {
    let mut value = value.clone();
    (!drop_empty(&mut value)).then_some(value)
}
