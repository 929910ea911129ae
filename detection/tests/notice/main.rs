//! Notices: grouping, the words in each form, and hostile text in every field.

#[path = "../repository/mod.rs"]
mod repository;

mod exceptions;
mod golden;
mod groups;
mod hostile;
mod links;
mod routes;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use detection::ecs::Document;
use detection::key::Key;
use detection::notice::{Accounts, Group, Grouping, Message};
use detection::origin::{Object, Origin};
use detection::rule::{Definition, Severity};
use detection::signal::Signal;
use jsonschema::Validator;
use serde_json::{Value, json};

const RULE_ID: &str = "1251b98a-ff45-11ee-89a1-f661ea17fbce";

/// The embedded rule, as an alert and not as a building block.
fn definition() -> Definition {
    let rules = repository::embedded();
    let rule = rules.rules().iter().find(|rule| rule.definition.rule_id == RULE_ID).expect("it is embedded");
    let mut definition = rule.definition.clone();
    definition.building_block_type = None;
    definition
}

/// A rule with little text.
fn short(name: &str, severity: Severity) -> Definition {
    Definition {
        rule_id: name.to_lowercase().replace(' ', "-"),
        name: name.to_owned(),
        severity,
        description: "It happened.".to_owned(),
        note: None,
        ..definition()
    }
}

/// A call by a role in a session.
fn record() -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:bob@example.com",
            "arn": "arn:aws:sts::444455556666:assumed-role/Deploy/bob@example.com",
            "accountId": "444455556666",
            "accessKeyId": "ASIAEXAMPLE",
            "sessionContext": {
                "sessionIssuer": { "type": "Role", "userName": "Deploy" },
                "attributes": { "mfaAuthenticated": "false" },
            },
        },
        "eventTime": "2026-11-23T10:05:00Z",
        "eventSource": "lambda.amazonaws.com",
        "eventName": "UpdateFunctionCode20150331v2",
        "eventCategory": "Management",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "aws-cli/2.31.4 md/awscrt#0.27.6 ua/2.1 os/linux#6.8.0 md/arch#x86_64 lang/python#3.13.7",
        "requestParameters": { "functionName": "orders", "dryRun": false },
        "eventID": "6f1c2c5e-0d2f-4a6b-9d58-2b7a3c1e9f40",
        "recipientAccountId": "111122223333",
    })
}

/// The record with members replaced, or, where the new value is null, removed. A dot leads into a member.
fn with(members: &[(&str, Value)]) -> Value {
    let mut record = record();
    for (path, value) in members {
        let (parents, name) = path.rsplit_once('.').unwrap_or(("", path));
        let parents = parents.split('.').filter(|parent| !parent.is_empty());
        let parent = parents.fold(&mut record, |value, parent| &mut value[parent]);
        if value.is_null() {
            parent.as_object_mut().expect("an object").remove(name);
        } else {
            parent[name] = value.clone();
        }
    }
    record
}

/// The alert document of a record.
fn document(definition: &Definition, record: &Value) -> Value {
    let ecs = Document::from_record(record.as_object().expect("an object").clone());
    let key = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/23/111122223333_CloudTrail_us-east-1_20261123T1010Z_x.json.gz";
    let origin = Origin::Object(Object { bucket: "trail".to_owned(), key: Key::plain(key), version: None });
    let signal = Signal::new(
        definition,
        &ecs,
        record.to_string().as_bytes(),
        &origin,
        "2026-11-23T10:10:00.000Z",
        &Accounts::new(),
    );
    serde_json::from_str(&signal.message).expect("the message is JSON")
}

fn grouping(documents: &[Value]) -> Grouping {
    let mut grouping = Grouping::default();
    for document in documents {
        grouping.add(document, 0);
    }
    grouping
}

fn groups(documents: &[Value]) -> Vec<Group> {
    grouping(documents).finish().0
}

/// The one notice of these documents.
fn message(documents: &[Value]) -> Message {
    let groups = groups(documents);
    assert_eq!(groups.len(), 1);
    let message = Message::of_group(&groups[0], &accounts(), 0);
    check(&message);
    message
}

fn accounts() -> Accounts {
    BTreeMap::from([("111122223333".to_owned(), "payments-prod".to_owned())])
}

/// What holds for every notice.
#[track_caller]
fn check(message: &Message) {
    static SCHEMA: OnceLock<Validator> = OnceLock::new();
    let Message { subject, mail, sms, card } = message;
    let is_ascii = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    assert!((1..=99).contains(&subject.len()) && is_ascii(subject), "{subject:?}");
    assert!((1..=140).contains(&sms.len()) && is_ascii(sms), "{sms:?}");
    for line in mail.lines() {
        let is_link = line.trim_start().starts_with("https://") && !line.trim().contains(' ');
        assert!(line.chars().count() <= 80 || is_link, "{line:?}");
        assert_eq!(line.trim_end(), line, "{line:?}");
    }
    assert_eq!(mail.find(|c: char| c.is_control() && c != '\n'), None, "{mail:?}");
    let validator = SCHEMA.get_or_init(|| {
        let schema =
            std::fs::read(repository::path("detection/tests/notice/card.schema.json")).expect("the schema");
        jsonschema::validator_for(&serde_json::from_slice(&schema).expect("JSON")).expect("a schema")
    });
    let errors: Vec<_> =
        validator.iter_errors(card).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert_eq!(errors, [""; 0], "{card:#}");
    let body: Value = serde_json::from_str(&message.body()).expect("JSON");
    let body = body.as_object().expect("an object");
    assert_eq!(body.keys().map(String::as_str).collect::<Vec<_>>(), ["default", "email", "sms", "https"]);
    assert!(body.values().all(Value::is_string));
    assert!(message.body().len() + subject.len() <= 262_144);
    assert_eq!(serde_json::from_str::<Value>(body["https"].as_str().expect("a text")).expect("JSON"), *card);
}
