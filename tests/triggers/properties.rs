//! What holds for any payload.

use detection::key::Key;
use proptest::prelude::*;
use serde_json::Value;

use crate::{MAIN, parts, payload, recognised, sqs};

/// Any JSON value.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((".{0,8}", inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// JSON made of the words that mean something here, so that it comes close to being an envelope.
fn nearly_an_envelope() -> impl Strategy<Value = Value> {
    let words = [
        "Records",
        "eventSource",
        "EventSource",
        "aws:s3",
        "aws:sqs",
        "aws:sns",
        "eventName",
        "ObjectCreated:Put",
        "s3",
        "bucket",
        "name",
        "object",
        "key",
        "Sns",
        "Message",
        "Type",
        "Notification",
        "body",
        "messageId",
        "source",
        "aws.s3",
        "detail-type",
        "Object Created",
        "AWS API Call via CloudTrail",
        "detail",
        "awslogs",
        "data",
        "s3Bucket",
        "s3ObjectKey",
        "invocationSchemaVersion",
        "1.0",
        "invocationId",
        "tasks",
        "taskId",
        "s3Key",
        "s3BucketArn",
        "Event",
        "s3:TestEvent",
        "CloudTrail validation message.",
        "{}",
        "[]",
        "{\"Records\":[{}]}",
        "",
        "H4sIAAAAAAAC/6uuBQBDv6ajAgAAAA==",
    ];
    let word = proptest::sample::select(words.to_vec());
    let leaf = prop_oneof![word.clone().prop_map(Value::from), Just(Value::Null), Just(Value::from(7))];
    leaf.prop_recursive(6, 96, 8, move |inner| {
        let word = word.clone();
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            3 => proptest::collection::vec((word, inner), 0..8).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

/// Fields that make an object one of the known envelopes.
const MARKS: [&str; 8] =
    ["Records", "tasks", "Type", "Event", "s3Bucket", "detail-type", "awslogs", "invocationSchemaVersion"];

proptest! {
    #[test]
    fn any_json_that_has_no_mark_of_an_envelope_is_an_error(payload in any_json()) {
        let marked = payload.as_object().is_some_and(|fields| MARKS.iter().any(|mark| fields.contains_key(*mark)));
        prop_assert!(marked || recognised(&payload).is_err());
    }

    #[test]
    fn anything_like_an_envelope_is_unwrapped_without_a_panic_and_every_message_has_a_part(
        payload in nearly_an_envelope(),
        body in nearly_an_envelope(),
    ) {
        for payload in [payload, sqs(&[body.to_string()])] {
            if let Ok(invocation) = recognised(&payload) {
                prop_assert!(!invocation.messages.is_empty());
                for message in invocation.messages {
                    prop_assert!(!message.parts.is_empty());
                    prop_assert!(message.id != Some(String::new()));
                }
            }
        }
    }

    #[test]
    fn any_text_as_the_body_of_a_message_costs_its_neighbours_nothing(body in ".{0,200}") {
        let good = payload("s3-put.json").to_string();
        let invocation = recognised(&sqs(&[good.clone(), body, good])).expect("a batch");
        let parts = parts(&invocation);
        prop_assert_eq!(&parts[0], &[MAIN.to_owned()]);
        prop_assert_eq!(&parts[2], &[MAIN.to_owned()]);
    }

    #[test]
    fn a_form_encoded_key_gives_back_what_was_encoded(key in "\\PC{0,60}") {
        let encoded: String = key
            .bytes()
            .map(|byte| match byte {
                b' ' => "+".to_owned(),
                b'a'..=b'z' | b'0'..=b'9' => (byte as char).to_string(),
                byte => format!("%{byte:02x}"),
            })
            .collect();
        let decoded = Key::form_encoded(&encoded).expect("UTF-8");
        prop_assert_eq!(decoded.as_str(), key);
    }
}
