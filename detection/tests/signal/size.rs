//! A signal that is too big for SNS loses its least important parts, one step after the other.

use detection::signal::MAX_BYTES;
use serde_json::{Value, json};

use crate::{message, signal, with};

const NOTE: &str = "kibana.alert.rule.note";
const ORIGINAL: &str = "event.original";
const PRINTED: [&str; 4] = [
    "aws.cloudtrail.service_event_details",
    "aws.cloudtrail.additional_eventdata",
    "aws.cloudtrail.response_elements",
    "aws.cloudtrail.request_parameters",
];
const FLATTENED: [&str; 4] = [
    "aws.cloudtrail.flattened.service_event_details",
    "aws.cloudtrail.flattened.additional_eventdata",
    "aws.cloudtrail.flattened.response_elements",
    "aws.cloudtrail.flattened.request_parameters",
];

/// A record whose four objects hold that many thousand letters each, in the order in which they are left out.
fn record(thousands: [usize; 4]) -> String {
    let [service, additional, response, request] = thousands.map(|count| "x".repeat(count * 1000));
    with(json!({
        "serviceEventDetails": { "k": service },
        "additionalEventData": { "k": additional },
        "responseElements": { "k": response },
        "requestParameters": { "functionName": "orders", "k": request },
    }))
}

fn omitted(record: &str) -> Vec<String> {
    let message = message(&signal(record));
    let omitted: Vec<String> = message
        .pointer("/signal/omitted")
        .map_or(Vec::new(), |omitted| serde_json::from_value(omitted.clone()).unwrap());
    for field in &omitted {
        let value = message.pointer(&format!("/{}", field.replace('.', "/")));
        let kept = (field == FLATTENED[3]).then(|| json!({ "functionName": "orders" }));
        assert_eq!(value, kept.as_ref(), "{field} was left out");
    }
    omitted
}

#[test]
fn each_step_is_taken_only_when_the_steps_before_are_not_enough() {
    let steps: Vec<&str> = [NOTE, ORIGINAL].into_iter().chain(PRINTED).chain(FLATTENED).collect();
    let rows = [
        ([1, 1, 1, 1], 0),
        ([25, 25, 25, 25], 2),
        ([50, 50, 50, 50], 6),
        ([70, 70, 70, 70], 7),
        ([100, 100, 100, 100], 8),
        ([10, 10, 300, 100], 9),
        ([10, 10, 10, 300], 10),
    ];
    for (thousands, count) in rows {
        assert_eq!(omitted(&record(thousands)), steps[..count], "{thousands:?}");
    }
}

#[test]
fn only_what_was_there_is_listed() {
    let request = |length: usize| {
        with(json!({
            "requestParameters": { "functionName": "orders", "k": "x".repeat(length) }, "responseElements": null,
        }))
    };
    assert_eq!(omitted(&request(100_000)), [NOTE, ORIGINAL]);
    assert_eq!(omitted(&request(200_000)), [NOTE, ORIGINAL, PRINTED[3]]);
    assert_eq!(omitted(&request(300_000)), [NOTE, ORIGINAL, PRINTED[3], FLATTENED[3]]);
}

#[test]
fn nothing_empty_is_left_where_everything_was_left_out() {
    let record = with(json!({ "responseElements": { "k": "x".repeat(300_000) }, "requestParameters": null }));
    assert_eq!(omitted(&record), [NOTE, ORIGINAL, PRINTED[2], FLATTENED[2]]);
    assert_eq!(message(&signal(&record)).pointer("/aws/cloudtrail/flattened"), None);
    // Without a function's name, nothing of the request is left either.
    let record = with(json!({ "requestParameters": { "k": "x".repeat(300_000) }, "responseElements": null }));
    let message = message(&signal(&record));
    assert_eq!(message.pointer("/aws/cloudtrail/flattened"), None);
}

#[test]
fn a_signal_that_just_fits_keeps_everything() {
    let sized = |parameter: usize, agent: usize| {
        let record = with(
            json!({ "requestParameters": { "k": "x".repeat(parameter) }, "userAgent": "x".repeat(agent) }),
        );
        signal(&record)
    };
    // One more letter in the parameter appears in three places, one more in the agent's name in two.
    let spare = MAX_BYTES - sized(1, 1).bytes();
    let (parameter, agent) = (1 + spare / 3 - spare % 3, 1 + 2 * (spare % 3));
    let full = sized(parameter, agent);
    assert_eq!(full.bytes(), MAX_BYTES);
    assert_eq!(message(&full).pointer("/signal"), None);
    let over = message(&sized(parameter, agent + 1));
    assert_eq!(over.pointer("/signal/omitted"), Some(&json!([NOTE])));
    assert_eq!(over.pointer("/kibana/alert/rule/note"), None::<&Value>);
}

#[test]
fn the_largest_record_that_cloudtrail_writes_gives_a_signal_that_sns_takes() {
    // 256 KB in which every letter takes two bytes once it is inside a string.
    let record = with(json!({ "requestParameters": { "functionName": "orders", "k": "\"".repeat(100_000) },
        "responseElements": { "k": "\\".repeat(28_000) } }));
    assert!(record.len() > 256_000);
    assert!(signal(&record).bytes() <= MAX_BYTES);
}
