//! What an object turns out to be: a record, a wrapper around one, or neither.

use detection::records::{RawRecord, Rejection, parse, repaired};
use proptest::prelude::*;
use serde_json::{Value, json};

fn unwrapped(text: &str) -> Result<String, Rejection> {
    let unwrapped = RawRecord::from(text.as_bytes()).unwrapped()?;
    Ok(String::from_utf8_lossy(unwrapped.record().text()).into_owned())
}

/// Everything that AWS puts around a record.
fn wrappings(record: &str) -> [String; 4] {
    let parsed: Value = serde_json::from_str(record).expect(record);
    [
        json!({ "id": "1", "timestamp": 1, "message": record }).to_string(),
        json!({ "EventId": "e", "EventName": "x", "Resources": [], "CloudTrailEvent": record }).to_string(),
        json!({ "version": "0", "detail-type": "AWS API Call via CloudTrail", "source": "aws.lambda", "detail": parsed })
            .to_string(),
        json!({ "detail": parsed, "detail-type": "AWS Service Event via CloudTrail" }).to_string(),
    ]
}

#[test]
fn a_record_has_one_of_the_keys_that_every_record_has_or_is_an_insight() {
    for key in ["eventVersion", "eventSource", "eventName", "insightDetails"] {
        for record in [
            json!({ key: "x" }),
            json!({ "awsRegion": "us-east-1", "class_uid": 1, key: null }),
            json!({ "message": "{}", "detail-type": "x", "detail": {}, key: {} }),
        ] {
            let text = record.to_string();
            assert_eq!(unwrapped(&text), Ok(text));
        }
    }
}

#[test]
fn a_record_is_taken_out_of_whatever_aws_puts_around_it() {
    let record = r#"{"awsRegion":"us-east-1","eventName":"CreateFunction","n":1.50}"#;
    for once in wrappings(record) {
        assert_eq!(unwrapped(&once).map(|text| parse(text.as_bytes()).is_ok()), Ok(true), "{once}");
        for twice in wrappings(&once) {
            let found = unwrapped(&twice).expect(&twice);
            assert_eq!(
                serde_json::from_str::<Value>(&found).unwrap(),
                serde_json::from_str::<Value>(record).unwrap()
            );
        }
    }
}

#[test]
fn what_is_not_a_record_is_rejected_as_what_it_looks_like() {
    let rows: &[(&str, Value)] = &[
        (
            "OCSF",
            json!({ "metadata": {}, "class_uid": 6003, "api": { "operation": "CreateFunction20150331" } }),
        ),
        ("query result", json!({ "eventversion": "1.08", "eventsource": "lambda.amazonaws.com" })),
        ("Splunk", json!({ "preview": false, "result": { "_raw": "{\"eventName\":\"x\"}" } })),
        ("digest", json!({ "awsAccountId": "1", "digestStartTime": "x", "logFiles": [] })),
        ("AWS Config", json!({ "fileVersion": "1.0", "configSnapshotId": "x", "configurationItems": [] })),
        (
            "S3",
            json!({ "eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {} }),
        ),
        ("S3", json!({ "awsRegion": "x", "eventName": "ObjectCreated:Put", "eventSource": "aws:s3" })),
        ("", json!({})),
        ("", json!({ "a": 1, "userIdentity": { "eventName": "x" } })),
        ("", json!({ "message": "START RequestId: 1" })),
        ("", json!({ "message": 7 })),
        ("", json!({ "detail": { "eventName": "x" } })),
        ("", json!({ "detail-type": "EC2 Instance State-change Notification", "detail": { "state": "x" } })),
        ("", json!({ "CloudTrailEvent": "null" })),
    ];
    for (looks_like, object) in rows {
        let text = object.to_string();
        let rejection = unwrapped(&text).expect_err(&text);
        assert!(matches!(rejection, Rejection::NotCloudTrail { .. }), "{text}: {rejection:?}");
        let words = rejection.to_string();
        assert!(
            words.starts_with("not a CloudTrail record") && words.contains(looks_like),
            "{text}: {words}"
        );
        assert_eq!(words.contains("looks like"), !looks_like.is_empty(), "{text}: {words}");
    }
}

#[test]
fn wrappings_without_end_are_not_followed() {
    let mut text = r#"{"eventName":"x"}"#.to_owned();
    for _ in 0..10 {
        text = json!({ "message": text }).to_string();
    }
    assert!(matches!(unwrapped(&text), Err(Rejection::NotCloudTrail { .. })));
}

#[test]
fn half_a_character_becomes_the_replacement_character_and_whole_ones_stay() {
    let rows: &[(&[u8], &str)] = &[
        (br#"{"a":"\ud83d"}"#, "\u{fffd}"),
        (br#"{"a":"\uDE00"}"#, "\u{fffd}"),
        (br#"{"a":"\ud83d\ud83d\ude00"}"#, "\u{fffd}\u{1f600}"),
        (br#"{"a":"\ud83d\u0041"}"#, "\u{fffd}A"),
        (br#"{"a":"\ud83dx\ude00"}"#, "\u{fffd}x\u{fffd}"),
        (br#"{"a":"\\ud83d\ud83d"}"#, "\\ud83d\u{fffd}"),
        (b"{\"a\":\"\xf0\x9f\"}", "\u{fffd}"),
        (b"{\"a\":\"\xff\\ud83d\"}", "\u{fffd}\u{fffd}"),
    ];
    for (text, expected) in rows {
        assert_eq!(parse(text).expect("it is repaired")["a"], *expected, "{}", String::from_utf8_lossy(text));
    }
    for whole in [r#"{"a":"\ud83d\ude00"}"#, r#"{"a":"\\ud83d"}"#, r#"{"a":"\u00e9é\n"}"#] {
        assert_eq!(repaired(whole.as_bytes()), None, "{whole}");
    }
    for broken in [&b"{\"a\":\"\0\"}"[..], br#"{"a":"\ud8"}"#, br#"{"a":"\ux"}"#, b"{", b"[]", b"7"] {
        assert_eq!(parse(broken), Err(Rejection::InvalidJson));
    }
}

#[test]
fn a_log_event_with_half_a_character_is_unwrapped_all_the_same() {
    for text in [
        r#"{"message":"{\"eventName\":\"x\",\"a\":\"\\ud83d\"}"}"#,
        r#"{"message":"{\"eventName\":\"x\",\"a\":\"\ud83d\"}"}"#,
        r#"{"detail-type":"x","detail":{"eventName":"x","a":"\ud83d"}}"#,
    ] {
        let found = unwrapped(text).expect(text);
        assert_eq!(parse(found.as_bytes()).expect("a record")["a"], "\u{fffd}", "{text}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_unwrapped_or_refused(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..100),
            r#"\{["\\{}:,a-z0-9 \u{d7ff}]{0,80}"#.prop_map(String::into_bytes),
            r#"\{"(message|detail|CloudTrailEvent|detail-type)":["\\{}:,a-zud8 ]{0,60}"#.prop_map(String::into_bytes),
        ],
    ) {
        let record = RawRecord::from(&bytes[..]);
        if let Ok(found) = record.unwrapped() {
            prop_assert!(!found.record().text().is_empty());
        }
        if let Some(again) = repaired(&bytes) {
            prop_assert_eq!(repaired(&again), None, "a repair leaves nothing to repair");
        }
    }
}
