//! Printed objects against what Java itself printed: `JavaMaps.java`, next to this file, wrote the table.

use serde_json::{Value, json};

use crate::{at, document};

const TABLE: &str = include_str!("java-maps.tsv");

#[test]
fn printed_maps_are_the_text_that_java_prints() {
    let mut rows = 0;
    for line in TABLE.lines() {
        let (map, printed) = line.split_once('\t').expect("two columns");
        let printed: Value = serde_json::from_str(printed).expect("a JSON string");
        let document = document(&format!(r#"{{"requestParameters":{map}}}"#));
        let ours = at(&document, "aws.cloudtrail.request_parameters");
        // The pipeline keeps nothing of an empty map.
        assert_eq!(ours.unwrap_or_else(|| json!("{}")), printed, "{map}");
        rows += 1;
    }
    assert!(rows >= 80, "{rows} rows");
}

#[test]
fn a_printed_object_of_any_size_is_kept_whole() {
    let long = "x".repeat(40_000);
    let document = document(&format!(r#"{{"requestParameters":{{"k":"{long}"}}}}"#));
    let ours = at(&document, "aws.cloudtrail.request_parameters");
    assert_eq!(ours, Some(json!(format!("{{k={long}}}"))));
}
