//! The mapping of CloudTrail records to ECS documents, as a table of records, fields and values.

mod identity;
mod java_maps;
mod mapping;
mod schema;

use detection::ecs::Document;
use serde_json::Value;

/// A record, a field of its document, and the field's value as JSON (or [`ABSENT`]).
type Row = (&'static str, &'static str, &'static str);

const ABSENT: &str = "";

fn document(record: &str) -> Document {
    Document::from_record(serde_json::from_str(record).expect(record))
}

/// The value at a dotted path of the document's JSON.
fn at(document: &Document, field: &str) -> Option<Value> {
    json(document).pointer(&format!("/{}", field.replace('.', "/"))).cloned()
}

fn json(document: &Document) -> Value {
    serde_json::to_value(document).expect("a document has a JSON text")
}

fn check(rows: &[Row]) {
    for (record, field, expected) in rows {
        let expected: Option<Value> =
            (*expected != ABSENT).then(|| serde_json::from_str(expected).expect("the table holds JSON"));
        let document = document(record);
        assert_eq!(at(&document, field), expected, "{field} of {record}");
    }
}
