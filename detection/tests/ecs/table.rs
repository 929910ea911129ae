//! The table describes the mapping correctly, and so does the page of fields.

use std::collections::BTreeSet;

use detection::ecs;
use detection::query::Values;
use serde_json::Value;

use crate::{document, identity, json, mapping, network, related};

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
        network::ROWS,
        related::ROWS,
        identity::ROWS,
        identity::SESSIONS,
    ];
    let mut found = BTreeSet::new();
    for (record, ..) in tables.concat() {
        leaves(&json(&document(record)), "", &mut found);
    }
    leaves(&json(&document(r#"{"eventName":"CreateUser"}"#)), "", &mut found);
    found
}

#[test]
fn the_rows_are_sorted_so_that_they_can_be_found() {
    assert!(ecs::TABLE.is_sorted_by(|one, next| one.name < next.name));
    for row in ecs::TABLE {
        let below = format!("{}.", row.name);
        assert!(!ecs::TABLE.iter().any(|row| row.name.starts_with(&below)), "{below}");
        let asked = if row.is_open() { format!("{below}arn") } else { row.name.to_owned() };
        assert_eq!(ecs::field(&asked), Ok(row.field), "{asked}");
    }
}

#[test]
fn every_field_of_every_document_can_be_asked_for() {
    for field in produced() {
        assert!(ecs::field(&field).is_ok(), "{field} is in a document, but no query can name it");
    }
}

#[test]
fn every_row_has_a_value_in_some_document() {
    let produced = produced();
    for row in ecs::TABLE {
        let is_there =
            |name: &String| name.strip_prefix(row.name).is_some_and(|rest| rest.is_empty() || row.is_open());
        assert!(produced.iter().any(is_there), "no record of the tables gives {}", row.name);
    }
}

#[test]
fn a_constant_has_its_value_in_every_document() {
    let document = json(&document("{}"));
    let mut constants = 0;
    for row in ecs::TABLE {
        if let Values::Constant(value) = row.field.values {
            assert_eq!(
                document.pointer(&format!("/{}", row.name.replace('.', "/"))),
                Some(&value.into()),
                "{}",
                row.name
            );
            constants += 1;
        }
    }
    assert_eq!(constants, 6);
}

#[test]
fn what_is_not_mapped_is_refused_as_that() {
    let rows = [
        (
            "source.geo.city_name",
            "the field source.geo.city_name is not mapped here: it needs a GeoIP database",
        ),
        (
            "source.as.number",
            "the field source.as.number is not mapped here: it needs a database of autonomous systems",
        ),
        ("user_agent.name", "the field user_agent.name is not mapped here: it needs a parser"),
        (
            "actor.entity.id",
            "the field actor.entity.id is not mapped here: Elastic writes it only on request",
        ),
        (
            "target.entity.id",
            "the field target.entity.id is not mapped here: Elastic writes it only on request",
        ),
        ("related.entity", "the field related.entity is not mapped here: Elastic writes it only on request"),
        (
            "user.target.entity.id",
            "the field user.target.entity.id is not mapped here: Elastic writes it only on request",
        ),
        ("event.acton", "the field event.acton is not mapped here; docs/fields.md lists"),
        ("event.action.x", "the field event.action.x is not mapped here; docs/fields.md lists"),
        (
            "aws.cloudtrail.resources",
            "the field aws.cloudtrail.resources is not mapped here; docs/fields.md lists",
        ),
        ("userx.name", "the field userx.name is not mapped here; docs/fields.md lists"),
    ];
    for (field, reason) in rows {
        let error = ecs::field(field).expect_err(field);
        assert!(error.starts_with(reason), "{error}");
    }
}

/// The rows of a table on the page, found by its header row.
fn rows<'p>(page: &'p str, head: &str) -> Vec<&'p str> {
    page.lines().skip_while(|line| *line != head).skip(2).take_while(|line| line.starts_with('|')).collect()
}

/// The items of a list on the page, found by the start of its first item.
fn list<'p>(page: &'p str, start: &str) -> Vec<&'p str> {
    page.lines().skip_while(|line| !line.starts_with(start)).take_while(|line| !line.is_empty()).collect()
}

/// A path of the record as ECS writes it: `accessKeyId` as `access_key_id`, and `eventID` as `event_id`.
fn in_snake_case(path: &str) -> String {
    let mut snake = String::new();
    let mut before = '.';
    for letter in path.chars() {
        if letter.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
        before = letter;
    }
    snake
}

#[test]
fn the_page_of_fields_shows_the_table() {
    let page = include_str!("../../../docs/fields.md");
    let (mut fields, mut as_in_the_record) = (vec![], vec![]);
    for row in ecs::TABLE {
        let below = if row.is_open() { ".…" } else { "" };
        let kind = format!("{:?}", row.field.kind).to_lowercase();
        let several = if row.field.values == Values::Many { "[]" } else { "" };
        // The page says of all open fields that they are keywords with several values.
        let marked = match format!("{kind}{several}").as_str() {
            "keyword[]" if row.is_open() => String::new(),
            "keyword" if !row.is_open() => String::new(),
            other => format!(" ({other})"),
        };
        let (name, origin) = (row.name, row.origin());
        let path = name.strip_prefix("aws.cloudtrail.").map(|path| format!("`{path}`"));
        if path == Some(in_snake_case(&origin)) {
            as_in_the_record.push(format!("- `{name}`{marked}"));
        } else {
            fields.push(format!("| `{name}{below}`{marked} | {origin} |"));
        }
    }
    assert_eq!(rows(page, "| field | source |"), fields, "\n{}", fields.join("\n"));
    let listed = list(page, "- `aws.cloudtrail.");
    assert_eq!(listed, as_in_the_record, "\n{}", as_in_the_record.join("\n"));
    for (category, ..) in ecs::CATEGORIES {
        assert!(page.contains(&format!("`{category}`")), "the page does not name {category}");
    }
}

#[test]
fn the_schema_of_signals_describes_every_row() {
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/signal.schema.json")).expect("it is JSON");
    for row in ecs::TABLE {
        let mut below = &schema;
        for key in row.name.split('.') {
            let reference =
                below["$ref"].as_str().and_then(|path| schema.pointer(path.trim_start_matches('#')));
            below = &reference.unwrap_or(below)["properties"][key];
        }
        assert!(below["description"].is_string(), "the schema does not describe {}", row.name);
    }
}
