//! The values in nested JSON, as a query sees them.

use serde_json::{Map, Value};

use super::empty::is_empty_text;
use crate::query::Scalar;

/// Follows a dotted path into nested objects whose own keys may hold dots, as keys of request parameters do.
pub(super) fn any_in_map(map: &Map<String, Value>, path: &str, test: &mut dyn FnMut(&Value) -> bool) -> bool {
    any_at(&|key| map.get(key), path, test)
}

/// The same for an object whose members `get` returns.
pub(super) fn any_at<'v>(
    get: &dyn Fn(&str) -> Option<&'v Value>,
    path: &str,
    test: &mut dyn FnMut(&Value) -> bool,
) -> bool {
    if get(path).is_some_and(&mut *test) {
        return true;
    }
    path.match_indices('.')
        .any(|(dot, _)| get(&path[..dot]).is_some_and(|value| any_below(value, &path[dot + 1..], test)))
}

/// Looks at the values of a field of a whole document.
pub(crate) fn any_in_document(
    document: &Value,
    field: &str,
    test: &mut dyn FnMut(Scalar<'_>) -> bool,
) -> bool {
    any_below(document, field, &mut |value| any_leaf(value, false, test))
}

pub(super) fn any_below(value: &Value, path: &str, test: &mut dyn FnMut(&Value) -> bool) -> bool {
    match value {
        Value::Object(map) => any_in_map(map, path, test),
        Value::Array(items) => items.iter().any(|item| any_below(item, path, test)),
        _ => false,
    }
}

/// Looks at one value or several. Elasticsearch keeps leaves: an object has no value of its own, unless it is a `whole`
/// flattened object, which all its leaves belong to.
pub(super) fn any_leaf(value: &Value, whole: bool, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(boolean) => test(Scalar::Boolean(*boolean)),
        Value::Number(number) => test(Scalar::Number(number.as_str())),
        Value::String(text) => test(Scalar::Text(text)),
        Value::Array(items) => items.iter().any(|item| any_leaf(item, whole, test)),
        Value::Object(map) => whole && map.values().any(|value| any_leaf(value, whole, test)),
    }
}

/// The text of a value that has one and does not count as missing. Numbers keep the digits of the record.
pub(super) fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text.as_str()).filter(|text| !is_empty_text(text)),
        Value::Number(number) => Some(number.as_str()),
        Value::Bool(true) => Some("true"),
        Value::Bool(false) => Some("false"),
        _ => None,
    }
}
