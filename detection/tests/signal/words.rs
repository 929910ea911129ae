//! What a signal says: its document, its sentences, its subject and attributes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use std::time::{Duration, UNIX_EPOCH};

use detection::bundle::Exception;
use detection::ecs::Document;
use detection::notice::Accounts;
use detection::origin::Origin;
use detection::pipeline::Pipeline;
use detection::records::Decoder;
use detection::rule::Definition;
use detection::signal::Signal;
use detection::time::rfc3339;
use serde_json::{Value, json};

use crate::{NOW, RULE_ID, check, definition, message, record, signal, signal_of, with};

const MINIMAL: &str = r#"{"eventSource":"lambda.amazonaws.com","eventName":"CreateFunction"}"#;

fn attributes(signal: &Signal) -> BTreeMap<&str, &str> {
    signal.attributes.iter().map(|attribute| (attribute.name, attribute.value.as_str())).collect()
}

#[test]
fn a_signal_is_the_document_with_the_alert_beside_it() {
    let text = with(json!({}));
    let message = message(&signal(&text));
    assert_eq!(message.as_object().unwrap().keys().next().map(String::as_str), Some("message"));
    assert_eq!(message["@timestamp"], NOW);
    assert_eq!(message["event"]["kind"], "signal");
    assert_eq!(message["event"]["created"], NOW);
    assert_eq!(message["event"]["action"], "UpdateFunctionCode20150331v2");
    assert_eq!(message["event"]["original"], text.as_str());
    assert_eq!(message["aws"]["s3"]["bucket"]["name"], "trail");
    let key = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/23/x.json.gz";
    assert_eq!(message["aws"]["s3"]["object"]["key"], key);
    let flattened = &message["aws"]["cloudtrail"]["flattened"];
    assert_eq!(flattened["request_parameters"], json!({ "functionName": "orders", "dryRun": false }));
    assert_eq!(flattened["response_elements"], record()["responseElements"]);
    assert_eq!(message["cloud"]["account"]["id"], "444455556666", "the caller's");
    assert_eq!(message["aws"]["cloudtrail"]["recipient_account_id"], "111122223333", "the function's");
    let alert = &message["kibana"]["alert"];
    assert_eq!(alert["original_time"], "2026-11-23T10:05:00Z");
    let original = json!({
        "action": "UpdateFunctionCode20150331v2", "provider": "lambda.amazonaws.com", "outcome": "success", "id": "e-1",
        "kind": "event", "dataset": "aws.cloudtrail", "module": "aws", "type": ["info"], "created": NOW,
    });
    assert_eq!(alert["original_event"], original);
    let index = format!("s3://trail/{key}");
    assert_eq!(alert["ancestors"], json!([{ "id": "e-1", "type": "event", "index": index, "depth": 0 }]));
    for (name, value) in [
        ("status", json!("active")),
        ("workflow_status", json!("open")),
        ("depth", json!(1)),
        ("severity", json!("low")),
        ("risk_score", json!(21)),
        ("building_block_type", json!("default")),
    ] {
        assert_eq!(alert[name], value, "{name}");
    }
}

#[test]
fn the_timestamp_always_has_three_digits_of_milliseconds() {
    let rows = [
        (0, "2026-11-23T10:15:00.000Z"),
        (1_000_000, "2026-11-23T10:15:00.001Z"),
        (120_000_000, "2026-11-23T10:15:00.120Z"),
        (999_999_999, "2026-11-23T10:15:00.999Z"),
    ];
    for (nanoseconds, timestamp) in rows {
        let now = rfc3339(UNIX_EPOCH + Duration::new(1_795_428_900, nanoseconds));
        let record = with(json!({}));
        let document = Document::from_record(serde_json::from_str(&record).unwrap());
        let signal = Signal::new(
            &definition(),
            &document,
            record.as_bytes(),
            &Origin::EventBridge,
            &now,
            &Accounts::new(),
        );
        check(&signal);
        let message = message(&signal);
        assert_eq!(message["@timestamp"], timestamp);
        assert_eq!(message["event"]["created"], timestamp);
    }
}

#[test]
fn a_number_of_the_record_keeps_its_digits_in_the_signal() {
    let record =
        MINIMAL.replace('}', r#","requestParameters":{"a":1.50,"b":1E3,"c":12345678901234567890123}}"#);
    let rules = crate::repository::embedded();
    let mut pipeline = Pipeline::new(&rules, &Origin::EventBridge, NOW);
    pipeline.process(0, Ok(record.as_bytes().into()));
    let signal = &pipeline.found[0];
    check(signal);
    let flattened = r#""request_parameters":{"a":1.50,"b":1E3,"c":12345678901234567890123}"#;
    assert!(signal.message.contains(flattened), "{}", signal.message);
    assert!(signal.message.contains("{a=1.50, b=1E3, c=12345678901234567890123}"), "{}", signal.message);
    assert_eq!(message(signal)["event"]["original"], record.as_str());
}

#[test]
fn every_kind_of_field_is_valid_in_a_signal() {
    let record = with(json!({
        "userIdentity": {
            "type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/R/a@b.c", "userName": "n", "credentialId": "c", "identityProvider": "p",
            "invokedBy": "x", "invokedByDelegate": { "accountId": 1 }, "onBehalfOf": { "userId": "u", "identityStoreArn": "a" },
            "inScopeOf": { "issuerType": "T", "credentialsIssuedTo": "C", "sourceArn": "S", "sourceAccount": 1 },
            "sessionContext": {
                "ec2RoleDelivery": 2.0, "sourceIdentity": "s", "assumedRoot": true, "signInSessionArn": "a",
                "attributes": { "creationDate": "20131102T010628Z", "mfaAuthenticated": false },
                "webIdFederationData": { "federatedProvider": "f", "attributes": { "x.example.com:aud": "b" } },
            },
        },
        "sourceIPAddress": "fe80::1%eth0",
        "tlsDetails": { "tlsVersion": "TLSv1.3", "cipherSuite": "c", "keyExchange": "k", "clientProvidedHostHeader": "h" },
        "resources": [{ "ARN": "a", "accountId": 1, "x.y": 1 }],
        "requestParameters": { "userName": "u", "newUserName": "v", "groupName": "g" },
        "responseElements": { "user": { "userId": 1 }, "group": { "groupId": 2 } },
        "addendum": { "reason": "r", "updatedFields": "u", "originalRequestID": "r", "originalEventID": "e" },
        "sharedEventId": "s", "vpcEndpointId": "v", "vpcEndpointAccountId": 1, "errorCode": 1, "apiVersion": 1,
        "managementEvent": "maybe", "sessionCredentialFromConsole": true, "readOnly": "true",
    }));
    signal(&record);
    for action in ["ConsoleLogin", "UserAuthentication", "CreateUser"] {
        signal(&with(json!({ "eventName": action, "userIdentity": null,
            "additionalEventData": { "UserName": "x", "LoginTo": 1, "MFAUsed": "No", "MobileVersion": 1 } })));
    }
}

#[test]
fn the_rule_stands_in_the_signal_with_all_its_facts() {
    let message = message(&signal(MINIMAL));
    let rule = &message["kibana"]["alert"]["rule"];
    let definition = definition();
    assert_eq!(*rule, serde_json::to_value(&definition).unwrap());
    assert_eq!(rule["rule_id"], RULE_ID);
    assert_eq!(rule["type"], "query");
    assert_eq!(rule["threat"][0]["technique"][0]["id"], "T1648");
    let names: Vec<_> = rule.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "rule_id",
        "name",
        "type",
        "description",
        "severity",
        "risk_score",
        "author",
        "license",
        "references",
        "false_positives",
        "note",
        "tags",
        "threat",
        "from",
        "interval",
        "building_block_type",
        "timestamp_override",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_record_with_nothing_but_a_provider_and_an_action_gives_a_valid_signal() {
    let signal = signal(MINIMAL);
    let message = message(&signal);
    assert_eq!(message["message"], "an unnamed caller called CreateFunction.");
    assert_eq!(
        message["kibana"]["alert"]["reason"],
        "event created low alert AWS Lambda Function Created or Updated."
    );
    assert_eq!(message["kibana"]["alert"].get("original_time"), None);
    assert_eq!(message["kibana"]["alert"]["ancestors"][0].get("id"), None);
    let names: Vec<_> = signal.attributes.iter().map(|attribute| attribute.name).collect();
    assert_eq!(
        names,
        ["signal_id", "rule_id", "severity", "risk_score", "building_block_type", "event_action"]
    );
    assert_eq!(signal.group, "unknown");
    assert_eq!(signal.subject, "[low] AWS Lambda Function Created or Updated: CreateFunction");
}

#[test]
fn the_reason_is_elastics_sentence() {
    let created = "created low alert AWS Lambda Function Created or Updated.";
    let rows = [
        (json!({}), format!("event with source 203.0.113.7, by Deploy {created}")),
        (json!({ "sourceIPAddress": "cloudformation.amazonaws.com" }), format!("event by Deploy {created}")),
        (json!({ "userIdentity": null }), format!("event with source 203.0.113.7, {created}")),
        (json!({ "userIdentity": { "type": "Root" }, "sourceIPAddress": null }), format!("event {created}")),
    ];
    for (members, reason) in rows {
        let record = with(members);
        assert_eq!(message(&signal(&record))["kibana"]["alert"]["reason"], reason, "{record}");
    }
}

#[test]
fn the_message_says_who_did_what_to_which_function_where_and_when() {
    let tail =
        "on function orders in account 111122223333, us-east-1, at 2026-11-23T10:05:00Z, from 203.0.113.7.";
    let action = "UpdateFunctionCode20150331v2";
    let rows = [
        (json!({}), format!("Deploy (AssumedRole, bob@example.com) called {action} {tail}")),
        (
            json!({ "requestParameters": { "functionName": "orders", "dryRun": true } }),
            format!("Deploy (AssumedRole, bob@example.com) called {action} (a dry run) {tail}"),
        ),
        (
            json!({ "userIdentity": { "type": "IAMUser", "userName": "alice" } }),
            format!("alice (IAMUser) called {action} {tail}"),
        ),
        (
            json!({ "userIdentity": { "type": "AWSService", "invokedBy": "x.amazonaws.com" } }),
            format!("x.amazonaws.com (AWSService) called {action} {tail}"),
        ),
        // A service that acted for itself, whatever it calls its session.
        (
            json!({ "userIdentity": {
                "type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/R/task@7", "invokedBy": "x.amazonaws.com",
                "sessionContext": { "sessionIssuer": { "arn": "arn:aws:iam::1:role/aws-service-role/x.amazonaws.com/R" } },
            } }),
            format!("x.amazonaws.com (AssumedRole, task@7) called {action} {tail}"),
        ),
        (
            json!({ "userIdentity": { "type": "Root", "arn": "arn:aws:iam::1:root" } }),
            format!("arn:aws:iam::1:root (Root) called {action} {tail}"),
        ),
        (
            json!({ "userIdentity": { "type": "Root", "userName": "my-alias" } }),
            format!("my-alias (Root) called {action} {tail}"),
        ),
        // The session is named whether or not it is an e-mail address.
        (
            json!({ "userIdentity": {
                "type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/Deploy/run-7",
                "sessionContext": { "sessionIssuer": { "userName": "Deploy" } },
            } }),
            format!("Deploy (AssumedRole, run-7) called {action} {tail}"),
        ),
        (
            json!({ "requestParameters": { "userName": "bob" } }),
            format!(
                "Deploy (AssumedRole, bob@example.com) called {action} {}",
                tail.replace("function orders", "user bob")
            ),
        ),
        (
            json!({ "requestParameters": { "groupName": "admins" } }),
            format!(
                "Deploy (AssumedRole, bob@example.com) called {action} {}",
                tail.replace("function orders", "group admins")
            ),
        ),
    ];
    for (members, sentence) in rows {
        let record = with(members);
        assert_eq!(message(&signal(&record))["message"], sentence, "{record}");
    }
}

#[test]
fn attributes_carry_what_subscriptions_filter_by() {
    let signal = signal(&with(json!({})));
    let id = signal.id.to_string();
    let expected = BTreeMap::from([
        ("signal_id", id.as_str()),
        ("rule_id", RULE_ID),
        ("severity", "low"),
        ("risk_score", "21"),
        ("building_block_type", "default"),
        ("event_action", "UpdateFunctionCode20150331v2"),
        ("account_id", "111122223333"),
        ("region", "us-east-1"),
        ("user_name", "Deploy"),
    ]);
    assert_eq!(attributes(&signal), expected);
    assert_eq!(signal.rule, RULE_ID);
    assert_eq!(signal.group, "111122223333");
}

#[test]
fn a_rule_that_is_no_building_block_gives_signals_without_the_field_and_the_attribute() {
    let alerting = Definition { building_block_type: None, ..definition() };
    let signal = signal_of(&alerting, MINIMAL, &Origin::EventBridge);
    check(&signal);
    assert!(!signal.message.contains("building_block"), "{}", signal.message);
    assert!(!attributes(&signal).contains_key("building_block_type"));
}

#[test]
fn a_rule_with_only_what_a_rule_must_have_gives_a_valid_signal() {
    let bare = Definition {
        author: Vec::new(),
        license: None,
        references: Vec::new(),
        false_positives: Vec::new(),
        tags: Vec::new(),
        threat: Vec::new(),
        from: None,
        interval: None,
        building_block_type: None,
        timestamp_override: None,
        ..definition()
    };
    check(&signal_of(&bare, MINIMAL, &Origin::EventBridge));
}

#[test]
fn odd_characters_reach_sns_in_a_form_that_it_takes() {
    let name = "a\u{0}b\u{1f}\u{fffe}\u{ffff}\n😀é\"\t\r\u{7f}\u{85}";
    let signal = signal(&with(json!({
        "userIdentity": { "type": "IAMUser", "userName": name }, "eventName": name, "requestParameters": { "functionName": name },
    })));
    assert!(!signal.message.contains(['\u{fffe}', '\u{ffff}', '\0', '\n']), "{}", signal.message);
    assert_eq!(message(&signal)["user"]["name"], name, "and yet nothing is lost");
    for attribute in ["user_name", "event_action"] {
        let expected = "a\u{fffd}b\u{fffd}\u{fffd}\u{fffd}\u{fffd}😀é\"\u{fffd}\u{fffd}\u{fffd}\u{fffd}";
        assert_eq!(
            attributes(&signal)[attribute],
            expected,
            "a filter loses a message with a control character"
        );
    }
    assert!(signal.subject.contains(": a?b??????\"????"), "{}", signal.subject);
}

#[test]
fn long_names_are_cut_in_the_subject_and_the_attributes_only() {
    let name = "n".repeat(1000);
    let signal = signal(&with(json!({ "eventName": name, "requestParameters": { "functionName": name } })));
    assert_eq!(signal.subject.len(), 100);
    assert_eq!(attributes(&signal)["event_action"].len(), 256);
    assert_eq!(message(&signal)["event"]["action"], name.as_str());
    // A space at the cut would be left at the end.
    let subject = "[low] AWS Lambda Function Created or Updated: ".len();
    let name = format!("{} x", "n".repeat(99 - subject));
    let signal = self::signal(&with(json!({ "requestParameters": { "functionName": name } })));
    assert_eq!(signal.subject.len(), 99);
}

#[test]
fn every_origin_is_named_and_valid() {
    let rows = [
        (Origin::EventBridge, "eventbridge", None),
        (
            Origin::LogStream { group: "g".to_owned(), stream: "s".to_owned() },
            "logs:g:s",
            Some(("/aws/cloudwatch/log_group", "g")),
        ),
        (Origin::File("a.json".to_owned()), "a.json", Some(("/log/file/path", "a.json"))),
    ];
    for (origin, index, field) in rows {
        let signal = signal_of(&definition(), MINIMAL, &origin);
        check(&signal);
        let message = message(&signal);
        assert_eq!(message["kibana"]["alert"]["ancestors"][0]["index"], index);
        if let Some((pointer, value)) = field {
            assert_eq!(message.pointer(pointer), Some(&Value::from(value)));
        }
    }
}

fn deliveries(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the samples are there") {
        let path = entry.unwrap().path();
        if path.is_dir() { deliveries(&path, found) } else { found.push(path) }
    }
}

#[test]
fn every_signal_of_the_sample_deliveries_is_valid() {
    let mut paths = Vec::new();
    deliveries(&crate::repository::path("events/deliveries"), &mut paths);
    let rules = crate::repository::embedded();
    let mut signals = 0;
    for path in paths {
        let origin = Origin::File(path.display().to_string());
        let mut pipeline = Pipeline::new(&rules, &origin, NOW);
        let mut decoder = Decoder::new();
        let bytes = fs::read(&path).unwrap();
        let mut input = bytes.as_slice();
        while decoder.step(&mut input, &mut |position, record| pipeline.process(position, record)).unwrap() {}
        pipeline.found.iter().for_each(check);
        signals += pipeline.found.len();
    }
    assert_eq!(signals, 11);
}

#[test]
fn a_known_account_is_named_in_message_subject_and_suppressed_match_and_fields_keep_its_id() {
    let record = MINIMAL.replace('}', r#","recipientAccountId":"111122223333"}"#);
    let judged = |name: Option<&str>, exception: Option<&str>| {
        let mut rules = crate::repository::embedded();
        rules.accounts = name.map(|name| ("111122223333".to_owned(), name.to_owned())).into_iter().collect();
        if let Some(query) = exception {
            let (file, query) = ("exceptions/a.toml".to_owned(), query.to_owned());
            let exception = Exception { file, query, rules: None, reason: None, owner: None, expires: None };
            rules.except(exception).expect("a good query");
        }
        let mut pipeline = Pipeline::new(&rules, &Origin::EventBridge, NOW);
        pipeline.process(0, Ok(record.as_bytes().into()));
        (pipeline.found.pop(), pipeline.suppressed.pop())
    };
    let (named, plain) = (judged(Some("pay\u{202e}\n"), None).0, judged(None, None).0);
    let (named, plain) = (named.expect("a signal"), plain.expect("a signal"));
    check(&named);
    let text = message(&named)["message"].as_str().map(str::to_owned).unwrap_or_default();
    assert!(text.contains(" in account pay\u{fffd} (111122223333)"), "{text}");
    assert!(named.subject.contains(" in pay? (111122223333)"), "{}", named.subject);
    assert_eq!((named.id, &named.attributes, &named.group), (plain.id, &plain.attributes, &plain.group));
    let of = |name| judged(name, Some("event.action: CreateFunction")).1.expect("it is suppressed");
    let (named, plain) = (of(Some("pay")), of(None));
    assert_eq!(named.account_name.as_deref(), Some("pay (111122223333)"));
    assert_eq!((named.account.as_deref(), plain.account_name), (Some("111122223333"), None));
}
