//! The mapping of CloudTrail records to ECS documents, as a table of records, fields and values.

mod actions;
mod agreement;
mod identity;
mod java_maps;
mod mapping;
mod network;
mod numbers;
mod related;
mod table;

use std::collections::BTreeSet;

use detection::ecs::Document;
use detection::records;
use serde_json::Value;

/// A record, a field of its document, and the field's value as JSON (or [`ABSENT`]).
type Row = (&'static str, &'static str, &'static str);

const ABSENT: &str = "";

fn document(record: &str) -> Document {
    Document::from_record(records::parse(record.as_bytes()).expect(record))
}

/// The value at a dotted path of the document's JSON.
fn at(document: &Document, field: &str) -> Option<Value> {
    field.split('.').try_fold(json(document), |value, key| value.get(key).cloned())
}

fn json(document: &Document) -> Value {
    serde_json::to_value(document).expect("a document has a JSON text")
}

fn check(rows: &[Row]) {
    for (record, field, expected) in rows {
        let expected: Option<Value> =
            (*expected != ABSENT).then(|| serde_json::from_str(expected).expect("the table holds JSON"));
        let document = document(record);
        let value = at(&document, field);
        if field.starts_with("related.") {
            assert_eq!(set(value), set(expected), "{field} of {record}");
        } else {
            assert_eq!(value, expected, "{field} of {record}");
        }
    }
}

/// The elements of an array whose order has no meaning.
fn set(value: Option<Value>) -> Option<BTreeSet<String>> {
    let texts = value?.as_array().expect("an array").iter().map(ToString::to_string).collect::<Vec<_>>();
    let set: BTreeSet<_> = texts.iter().cloned().collect();
    assert_eq!(set.len(), texts.len(), "a value came twice: {texts:?}");
    Some(set)
}
