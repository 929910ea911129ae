//! The exception file that a notice offers.

use detection::ecs::{self, Document};
use detection::query::Query;
use detection::rule::Severity;
use serde_json::{Value, json};

use crate::{definition, document, message, record, short, with};

/// The exception file in the mail of these records, without its indentation.
fn file(records: &[Value]) -> Option<String> {
    let documents: Vec<_> = records.iter().map(|record| document(&definition(), record)).collect();
    let mail = message(&documents).mail;
    let section = mail.split("IF THIS IS EXPECTED\n").nth(1)?.split("\nFOR MACHINES").next()?;
    let (_, file) = section.split_once("\n\n")?;
    Some(file.lines().map(|line| line.trim_start_matches("  ").to_owned() + "\n").collect())
}

fn table(file: &str) -> toml::Table {
    toml::from_str(file).expect(file)
}

/// Whether the file's exception suppresses the record.
fn takes_out(file: &str, record: &Value) -> bool {
    let table = table(file);
    let text = table["query"].as_str().expect("a query");
    let query = Query::parse_satisfiable(text, ecs::field).expect(text);
    query.evaluate(&Document::from_record(record.as_object().unwrap().clone())) == Some(true)
}

#[test]
fn the_exception_file_takes_out_the_signals_of_the_notice_and_no_others() {
    let file = file(&[record()]).expect("a file");
    let table = table(&file);
    assert_eq!(table["rules"].as_array().unwrap(), &[toml::Value::from(definition().rule_id)]);
    assert_eq!(
        table["expires"].as_datetime().expect("a date").to_string(),
        "2027-02-21",
        "ninety days after the last event"
    );
    assert!(!table["reason"].as_str().unwrap().is_empty());
    let keys: Vec<_> = table.keys().map(String::as_str).collect();
    assert_eq!(keys.len(), 4, "{keys:?}");
    assert!(takes_out(&file, &record()));
    let others = [
        ("userIdentity.sessionContext.sessionIssuer.userName", json!("Admin")),
        ("userIdentity.accountId", json!("999988887777")),
    ];
    for (path, value) in others {
        assert!(!takes_out(&file, &with(&[(path, value)])), "{path}");
    }
}

#[test]
fn the_exception_file_names_every_account_of_a_sweep() {
    let in_account =
        |index: u64| with(&[("userIdentity.accountId", json!(format!("{:012}", 400_000_000_000 + index)))]);
    let records: Vec<_> = (0..60).map(in_account).collect();
    let file = file(&records).expect("a file");
    assert!(records.iter().all(|record| takes_out(&file, record)));
    assert!(!takes_out(&file, &in_account(61)));
}

#[test]
fn an_exception_file_names_a_strange_principal_exactly() {
    let role = "userIdentity.sessionContext.sessionIssuer.userName";
    for name in [
        "a*",
        "a\"b",
        "a\\b",
        "it's",
        "'''",
        "a\nb",
        "\u{202e}x",
        "😀",
        "<b>",
        "a and b",
        "$(x)",
        "{}",
        "é",
        "https://evil.example",
        "www.evil.example",
    ] {
        let record = with(&[(role, json!(name))]);
        let file = file(std::slice::from_ref(&record)).unwrap_or_else(|| panic!("{name:?}"));
        assert!(takes_out(&file, &record), "{name:?}: {file}");
        assert!(!takes_out(&file, &with(&[(role, json!(format!("{name}x")))])), "{name:?}: {file}");
    }
}

#[test]
fn a_service_and_an_account_can_be_excepted_too() {
    for identity in [
        json!({ "type": "AWSService", "invokedBy": "scheduler.amazonaws.com" }),
        json!({ "type": "AWSAccount", "principalId": "AIDAEXAMPLE", "accountId": "444455556666" }),
        json!({ "type": "AWSAccount", "accountId": "444455556666" }),
    ] {
        let record = with(&[("userIdentity", identity)]);
        let file = file(std::slice::from_ref(&record)).expect("a file");
        assert!(takes_out(&file, &record), "{file}");
        assert!(!takes_out(&file, &crate::record()), "{file}");
        let other = with(&[(
            "userIdentity",
            json!({ "type": "Root", "principalId": "1", "accountId": "444455556666" }),
        )]);
        assert!(!takes_out(&file, &other), "{file}");
    }
}

#[test]
fn a_principal_that_cannot_be_named_exactly_gets_no_exception_file() {
    let role = "userIdentity.sessionContext.sessionIssuer.userName";
    assert_eq!(file(&[with(&[(role, json!("x".repeat(200)))])]), None);
    let nobody = with(&[("userIdentity", json!(null)), ("recipientAccountId", json!(null))]);
    assert_eq!(file(&[nobody]), None);
}

#[test]
fn a_rule_id_is_quoted_in_the_exception_file() {
    let mut definition = short("Short", Severity::Low);
    definition.rule_id = "a\"]\nquery = \"b".to_owned();
    let mail = message(&[document(&definition, &record())]).mail;
    let start = mail.find("rules = ").expect("a file");
    let end = start + mail[start..].find('\n').expect("a line");
    let table: toml::Table = toml::from_str(&mail[start..end]).expect("TOML");
    assert_eq!(table["rules"].as_array().unwrap(), &[toml::Value::from(definition.rule_id)]);
}
