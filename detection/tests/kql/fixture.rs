//! A schema with a field of every kind, and flat documents to query.

use detection::query::{Field, Fields, Kind, Query, Scalar, Values};
use serde_json::{Map, Value};

/// Kinds that CloudTrail's own fields lack are here too.
pub fn schema(field: &str) -> Result<Field, String> {
    let kind = match field {
        "a" | "b" | "c" | "dotted.name" | "odd name" | "star*" | "colon:name" | "order" | "not" | "größe" => {
            Kind::Keyword
        }
        "flag" => Kind::Boolean,
        "size" => Kind::Long,
        "ip" => Kind::Ip,
        "time" => Kind::Date,
        _ => return Err(format!("no field {field} in the test's schema")),
    };
    Ok(Field { kind, values: Values::Many })
}

pub fn parse(query: &str) -> Query {
    match Query::parse(query, schema) {
        Ok(query) => query,
        Err(errors) => panic!("{query}\n{}", errors[0]),
    }
}

/// A document whose names are whole field names; an array is a field with several values.
#[derive(Debug, Clone)]
pub struct Flat(pub Map<String, Value>);

impl Flat {
    pub fn new(json: &str) -> Self {
        Self(serde_json::from_str(json).expect("the table holds JSON objects"))
    }
}

impl Fields for Flat {
    fn any(&self, name: &str, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        Some(self.0.get(name).is_some_and(|value| any(value, test)))
    }
}

fn any(value: &Value, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
    match value {
        Value::Null | Value::Object(_) => false,
        Value::Bool(value) => test(Scalar::Boolean(*value)),
        Value::Number(value) => test(Scalar::Number(&value.to_string())),
        Value::String(value) => test(Scalar::Text(value)),
        Value::Array(items) => items.iter().any(|item| any(item, test)),
    }
}
