//! The list of fields is the truth about the mapping.

use std::collections::BTreeSet;

use detection::ecs;
use serde_json::Value;

use crate::{document, identity, json, mapping};

/// The dotted name of every leaf, arrays looked through.
fn leaves(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, below) in map {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                leaves(below, &path, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| leaves(item, path, found)),
        _ => {
            found.insert(path.to_owned());
        }
    }
}

fn produced() -> BTreeSet<String> {
    let tables = [
        mapping::CONSTANTS,
        mapping::COPIES,
        mapping::EMPTIES,
        mapping::OUTCOMES,
        mapping::LOGINS,
        mapping::NETWORK,
        identity::ROWS,
    ];
    let mut found = BTreeSet::new();
    for (record, ..) in tables.concat() {
        leaves(&json(&document(record)), "", &mut found);
    }
    found
}

#[test]
fn the_fields_are_sorted_so_that_they_can_be_found() {
    let names: Vec<_> = ecs::FIELDS.iter().map(|(name, _)| *name).collect();
    assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
    for (name, kind) in ecs::FIELDS {
        assert_eq!(ecs::field(name).map(|field| field.kind), Ok(*kind), "{name}");
    }
}

#[test]
fn every_field_of_every_document_can_be_asked_for() {
    for field in produced() {
        assert!(ecs::field(&field).is_ok(), "{field} is in a document, but no query can name it");
    }
}

#[test]
fn every_field_that_can_be_asked_for_is_in_some_document() {
    let produced = produced();
    for (name, _) in ecs::FIELDS {
        assert!(produced.contains(*name), "no record of the tables gives {name}");
    }
}
