//! Queries over a whole record, whose request parameters nest and have keys with dots.

use detection::ecs::{self, Document};
use detection::query::Query;

#[test]
fn a_path_into_flattened_objects_finds_exactly_the_leaf() {
    let record = serde_json::json!({
        "eventName": "PutThing",
        "requestParameters": {
            "plain": "x",
            "deep": { "er": { "est": "bottom" }, "list": [{ "k": "v1" }, { "k": "v2" }] },
            "dotted.key": { "in.side": "here" },
            "tags": ["one", "two"],
            "count": 3,
            "ratio": 1.0e10,
            "on": true,
            "gone": "",
        },
    });
    let serde_json::Value::Object(record) = record else { unreachable!() };
    let document = Document::from_record(record);
    let rows = [
        ("plain: x", true),
        ("plain: X", false),
        ("plain: *", true),
        ("deep.er.est: bottom", true),
        ("deep.er.est: bott*", true),
        ("deep.list.k: v2", true),
        ("deep.list.k: (v1 and v2)", true),
        ("dotted.key.in.side: here", true),
        ("dotted.key.in: here", false),
        ("tags: two", true),
        ("tags: (one and not two)", false),
        ("count: 3", true),
        ("count: \"3\"", true),
        ("ratio: 10000000000.0", true),
        ("on: true", true),
        ("gone: *", false),
        ("missing: *", false),
        // Elasticsearch keeps only leaves: an object in between has no value of its own.
        ("deep: *", false),
        ("deep.er: bottom", false),
        ("deep.list: v1", false),
    ];
    for (query, verdict) in rows {
        let query = format!("aws.cloudtrail.flattened.request_parameters.{query}");
        let parsed = Query::parse(&query, ecs::field).expect(&query);
        assert_eq!(parsed.evaluate(&document), Some(verdict), "{query}");
    }
    for (query, verdict) in
        [(": bottom", true), (": v2", true), (": 3", true), (": *", true), (": nowhere", false)]
    {
        let query = format!("aws.cloudtrail.flattened.request_parameters{query}");
        let parsed = Query::parse(&query, ecs::field).expect(&query);
        assert_eq!(parsed.evaluate(&document), Some(verdict), "every leaf counts for the whole: {query}");
    }
}
