//! The mapping of CloudTrail records to ECS documents, as a table of records, fields and values.

mod identity;
mod java_maps;
mod mapping;
mod schema;

use cloudtrail_signals::ecs::Document;
use serde_json::Value;

/// A record, a field of its document, and the field's value as JSON (or [`ABSENT`]).
type Row = (&'static str, &'static str, &'static str);

const ABSENT: &str = "";

fn document(record: &str) -> Document {
    Document::from_record(serde_json::from_str(record).expect(record))
}

/// The value at a dotted path.
fn at<'d>(document: &'d Document, field: &str) -> Option<&'d Value> {
    let (first, rest) = field.split_once('.').unwrap_or((field, ""));
    let below = document.fields().get(first)?;
    if rest.is_empty() { Some(below) } else { below.pointer(&format!("/{}", rest.replace('.', "/"))) }
}

fn check(rows: &[Row]) {
    for (record, field, expected) in rows {
        let expected: Option<Value> =
            (*expected != ABSENT).then(|| serde_json::from_str(expected).expect("the table holds JSON"));
        let document = document(record);
        assert_eq!(at(&document, field), expected.as_ref(), "{field} of {record}");
    }
}
