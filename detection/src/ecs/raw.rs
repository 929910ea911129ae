//! The record as it came, for queries that use CloudTrail's own names.

use serde_json::{Map, Value};

use super::any_in_map;
use crate::query::{Fields, Scalar};

/// A parsed record under the names that it has: nothing is dropped, moved or renamed. It knows no field of the mapping.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a>(pub &'a Map<String, Value>);

impl Fields for Raw<'_> {
    fn any(&self, _name: &str, _test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        None
    }

    fn any_in_record(&self, path: Option<&str>, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        Some(match path {
            Some(path) => any_in_map(self.0, path, &mut |value| any_value(value, test)),
            None => self.0.values().any(|value| any_leaf(value, test)),
        })
    }
}

/// The values at the end of a path.
fn any_value(value: &Value, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
    match value {
        Value::Object(map) => {
            test(Scalar::Text(&value.to_string())) || map.values().any(|value| any_text(value, test))
        }
        Value::Array(items) => items.iter().any(|item| any_value(item, test)),
        scalar => any_leaf(scalar, test),
    }
}

fn any_text(value: &Value, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
    any_leaf(value, &mut |scalar| matches!(scalar, Scalar::Text(_)) && test(scalar))
}

fn any_leaf(value: &Value, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(boolean) => test(Scalar::Boolean(*boolean)),
        Value::Number(number) => {
            test(Scalar::Number(number.as_f64().unwrap_or(f64::NAN), &number.to_string()))
        }
        Value::String(text) => test(Scalar::Text(text)),
        Value::Array(items) => items.iter().any(|item| any_leaf(item, test)),
        Value::Object(map) => map.values().any(|value| any_leaf(value, test)),
    }
}
