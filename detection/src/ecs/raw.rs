//! The record as received, for queries that use CloudTrail's own names.

use serde_json::{Map, Value};

use super::leaves::{any_in_map, any_leaf};
use crate::query::{Fields, Scalar};

/// A parsed record under its own names: nothing is dropped, moved or renamed. It has none of the mapping's fields.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a>(pub &'a Map<String, Value>);

impl Fields for Raw<'_> {
    fn any(&self, _name: &str, _test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        None
    }

    fn any_in_record(&self, path: Option<&str>, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        Some(match path {
            Some(path) => any_in_map(self.0, path, &mut |value| any_value(value, test)),
            None => self.0.values().any(|value| any_leaf(value, true, test)),
        })
    }
}

/// The values at the end of a path.
pub(super) fn any_value(value: &Value, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
    match value {
        Value::Object(map) => {
            test(Scalar::Text(&value.to_string())) || map.values().any(|value| any_text(value, test))
        }
        Value::Array(items) => items.iter().any(|item| any_value(item, test)),
        scalar => any_leaf(scalar, true, test),
    }
}

fn any_text(value: &Value, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
    any_leaf(value, true, &mut |scalar| matches!(scalar, Scalar::Text(_)) && test(scalar))
}
