//! Identities, computed here and by another program: `hashlib.sha256(text.encode()).hexdigest()` in Python.

use detection::ecs::Document;
use detection::origin::Origin;
use detection::rule::Definition;

use crate::{RULE_ID, definition, message, signal, signal_of, with};

fn id(record: &str) -> String {
    signal(record).id.to_string()
}

#[test]
fn the_id_is_made_of_rule_account_and_event() {
    // 1251b98a-ff45-11ee-89a1-f661ea17fbce/111122223333/e-1
    let expected = "5140fe34e692d8f625c722696fe935441d5ec042fffb46bcb939e9efeb5bca6b";
    assert_eq!(id(&with(serde_json::json!({}))), expected);
    let minimal =
        r#"{"eventID":"e-1","recipientAccountId":"111122223333","eventSource":"x","eventName":"y"}"#;
    assert_eq!(id(minimal), expected, "nothing else counts");
    let signal = signal(minimal);
    assert_eq!(message(&signal)["kibana"]["alert"]["uuid"], expected);
    assert_eq!(signal.attributes[0].name, "signal_id");
    assert_eq!(signal.attributes[0].value, expected);
}

#[test]
fn a_missing_account_is_the_empty_text() {
    // 1251b98a-ff45-11ee-89a1-f661ea17fbce//e-1
    let expected = "5d3cebd2007642523328f0ae07035b23432165fd4c407b2c98500d4708bff671";
    for account in [
        "",
        r#","recipientAccountId":"""#,
        r#","recipientAccountId":"-""#,
        r#","userIdentity":{"accountId":"4"}"#,
    ] {
        let record = format!(r#"{{"eventID":"e-1","eventSource":"x","eventName":"y"{account}}}"#);
        assert_eq!(id(&record), expected, "{record}");
    }
}

#[test]
fn another_rule_gives_another_id() {
    // 00000000-0000-4000-8000-000000000000/111122223333/e-1
    let other = Definition { rule_id: "00000000-0000-4000-8000-000000000000".to_owned(), ..definition() };
    let signal = signal_of(&other, &with(serde_json::json!({})), &Origin::EventBridge);
    assert_eq!(signal.id.to_string(), "ba9bbd376111f047a76a52151ec835dd38c715328fdf4e38be5ca32b08f61979");
    assert_ne!(other.rule_id, RULE_ID);
}

#[test]
fn the_place_where_the_record_was_found_does_not_count() {
    let record = with(serde_json::json!({}));
    let here = signal_of(&definition(), &record, &Origin::EventBridge);
    let there = signal_of(&definition(), &record, &Origin::File("x.json".to_owned()));
    assert_eq!(here.id, there.id);
    assert_ne!(here.message, there.message);
}

#[test]
fn without_an_event_id_the_whole_record_counts_with_its_keys_sorted() {
    // 1251b98a-ff45-11ee-89a1-f661ea17fbce/{"eventName":"CreateFunction","eventSource":"lambda.amazonaws.com"}
    let expected = "8727c8bd616969428bf80d25dfa566cb39d85204f0747b446c0145fe29fdfeb1";
    assert_eq!(id(r#"{"eventSource":"lambda.amazonaws.com","eventName":"CreateFunction"}"#), expected);
    assert_eq!(
        id(r#"{ "eventName" : "CreateFunction", "eventSource" : "lambda.amazonaws.\u0063om" }"#),
        expected
    );
    // …/{"eventName":"CreateFunction","eventSource":"lambda.amazonaws.com","requestParameters":{"a":"-","b":[1,{"a":"ü\"","z":null}]}}
    let nested = r#"{"requestParameters":{"b":[1,{"z":null,"a":"ü\""}],"a":"-"},"eventSource":"lambda.amazonaws.com","eventName":"CreateFunction"}"#;
    assert_eq!(id(nested), "45735af6022573ac4e501872eeae661ff4a5f8c6d14a98cc54cfc4d622eeda63");
    // …/{"eventID":"-","eventName":"CreateFunction","eventSource":"lambda.amazonaws.com"}
    let empty = r#"{"eventSource":"lambda.amazonaws.com","eventName":"CreateFunction","eventID":"-"}"#;
    assert_eq!(id(empty), "0e6e2093679a98d98448ff5b3279d56b4e793698f94517875067cf0a6ae5bcfb");
}

#[test]
fn records_without_an_event_id_differ_where_their_members_do() {
    let one = id(r#"{"eventSource":"x","eventName":"y","requestParameters":{"a":[1,2]}}"#);
    let other = id(r#"{"eventSource":"x","eventName":"y","requestParameters":{"a":[2,1]}}"#);
    assert_ne!(one, other);
}

#[test]
fn the_id_of_a_suppressed_match_is_the_signals_own() {
    let record = with(serde_json::json!({}));
    let document = Document::from_record(serde_json::from_str(&record).unwrap());
    let id = detection::signal::SignalId::new(RULE_ID, &document, record.as_bytes());
    assert_eq!(id, signal(&record).id);
    assert_eq!(format!("{id:?}"), id.to_string());
}
