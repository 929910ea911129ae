//! The signal: its identity, its words, its attributes, its size, and its schema.

#[path = "../repository/mod.rs"]
mod repository;

mod identity;
mod size;
mod words;

use detection::ecs::Document;
use detection::key::Key;
use detection::notice::Accounts;
use detection::origin::Object;
use detection::origin::Origin;
use detection::rule::Definition;
use detection::signal::Signal;
use serde_json::{Value, json};

const NOW: &str = "2026-11-23T10:15:00Z";
const RULE_ID: &str = "1251b98a-ff45-11ee-89a1-f661ea17fbce";

/// The embedded rule's definition.
fn definition() -> Definition {
    let rules = crate::repository::embedded();
    rules
        .rules()
        .iter()
        .find(|rule| rule.definition.rule_id == RULE_ID)
        .expect("it is embedded")
        .definition
        .clone()
}

fn origin() -> Origin {
    let key = Key::plain("AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/23/x.json.gz");
    Origin::Object(Object { bucket: "trail".to_owned(), key, version: None })
}

fn signal_of(definition: &Definition, record: &str, origin: &Origin) -> Signal {
    let document = Document::from_record(serde_json::from_str(record).expect(record));
    Signal::new(definition, &document, record.as_bytes(), origin, NOW, &Accounts::new())
}

/// The signal of a record as the embedded rule makes it, after checking everything that must hold for every signal.
fn signal(record: &str) -> Signal {
    let signal = signal_of(&definition(), record, &origin());
    check(&signal);
    signal
}

fn message(signal: &Signal) -> Value {
    serde_json::from_str(&signal.message).expect("the message is JSON")
}

/// What holds for every signal.
fn check(signal: &Signal) {
    repository::follows_the_schema(&message(signal));
    assert!(signal.bytes() <= 262_144, "{} bytes", signal.bytes());
    assert!((1..=100).contains(&signal.subject.len()), "{}", signal.subject);
    assert!(signal.subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{:?}", signal.subject);
    assert!(signal.attributes.len() <= 10, "{:?}", signal.attributes);
    for attribute in &signal.attributes {
        assert!(!attribute.value.is_empty(), "{}", attribute.name);
        let number = attribute.name == "risk_score";
        assert_eq!(attribute.data_type, if number { "Number" } else { "String" }, "{}", attribute.name);
    }
}

/// A complete record.
fn record() -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:bob@example.com",
            "arn": "arn:aws:sts::444455556666:assumed-role/Deploy/bob@example.com",
            "accountId": "444455556666",
            "sessionContext": { "sessionIssuer": { "type": "Role", "userName": "Deploy" } },
        },
        "eventTime": "2026-11-23T10:05:00Z",
        "eventSource": "lambda.amazonaws.com",
        "eventName": "UpdateFunctionCode20150331v2",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "aws-cli/2.0",
        "requestParameters": { "functionName": "orders", "dryRun": false },
        "responseElements": { "functionArn": "arn:aws:lambda:us-east-1:111122223333:function:orders" },
        "eventID": "e-1",
        "readOnly": false,
        "managementEvent": true,
        "recipientAccountId": "111122223333",
    })
}

/// The record with members replaced, or, where the new value is null, removed.
fn with(members: Value) -> String {
    let mut record = record();
    let Value::Object(members) = members else { panic!("an object") };
    for (name, value) in members {
        if value.is_null() {
            record.as_object_mut().unwrap().remove(&name);
        } else {
            record[name] = value;
        }
    }
    record.to_string()
}
