//! Notices as people get them. `GOLDEN=write` rewrites the files: read them before you commit them.

use std::fs;

use detection::key::Key;
use detection::memory::{Verdict, signal};
use detection::notice::{Accounts, Digest, Message};
use detection::origin::{Object, Origin};
use detection::pipeline::Pipeline;
use detection::records::RawRecord;
use detection::rule::Severity;
use serde_json::{Value, json};

use crate::{check, definition, document, grouping, groups, message, record, repository, short, with};

const NOW: &str = "2026-11-23T10:10:00.000Z";

/// Compares a notice with the file of this name.
#[track_caller]
fn compare(name: &str, message: &Message) {
    check(message);
    let text = format!(
        "Subject: {}\n\n{}\n=== sms ===\n{}\n\n=== chat ===\n{:#}\n",
        message.subject, message.mail, message.sms, message.card
    );
    let path = repository::path(&format!("detection/tests/notice/golden/{name}.txt"));
    if std::env::var_os("GOLDEN").is_some() {
        fs::write(&path, &text).expect("the file can be written");
    }
    assert_eq!(fs::read_to_string(path).expect("the file is there"), text);
}

/// `count` calls of one role, a minute apart, in as many accounts, each on its own function.
fn sweep(count: usize) -> Vec<Value> {
    let call = |index: usize| {
        with(&[
            ("eventID", json!(format!("6f1c2c5e-0d2f-4a6b-9d58-{index:012}"))),
            ("eventTime", json!(format!("2026-11-23T10:{:02}:00Z", index % 60))),
            ("recipientAccountId", json!(format!("{:012}", 111_122_223_333_u64 + index as u64))),
            ("requestParameters.functionName", json!(format!("orders-{index}"))),
        ])
    };
    (0..count).map(|index| document(&definition(), &call(index))).collect()
}

#[test]
fn one_call_of_a_role() {
    compare("role", &message(&[document(&definition(), &record())]));
}

/// The alerts of the embedded rule with memory on a sample delivery, as if it had seen nobody before.
fn alerts_of_sample() -> Vec<Value> {
    let text = fs::read(repository::path("events/records/main.json")).expect("the file is there");
    let delivery: Value = serde_json::from_slice(&text).expect("JSON");
    let key = delivery["key"].as_str().expect("a key");
    let origin = Origin::Object(Object { bucket: "trail".to_owned(), key: Key::plain(key), version: None });
    let rules = repository::embedded();
    let mut pipeline = Pipeline::new(&rules, &origin, NOW);
    for sample in delivery["records"].as_array().expect("a list") {
        pipeline.process(0, Ok(RawRecord::from(sample["record"].to_string().as_bytes())));
    }
    let signals = pipeline.candidates.iter().map(|new| signal(&rules, new, &Verdict::Signal, &origin, NOW));
    signals.map(|signal| serde_json::from_str(&signal.message).expect("JSON")).collect()
}

#[test]
fn a_role_deploys_for_the_first_time() {
    let groups = groups(&alerts_of_sample());
    let group = groups.iter().find(|group| group.principal.name() == "developer").expect("it deploys");
    compare("new_principal", &Message::of_group(group, &Accounts::new(), 0));
}

#[test]
fn one_role_swept_through_sixty_accounts_is_one_notice_that_lists_them() {
    let message = message(&sweep(60));
    compare("sweep", &message);
    for index in 0..60 {
        assert!(message.mail.contains(&format!("{:012}", 111_122_223_333_u64 + index)), "{index}");
    }
    assert!(message.subject.contains("in 60 accounts"), "{}", message.subject);
}

#[test]
fn a_root_user_signs_in_with_a_rule_of_somebody_else() {
    let mut definition = short("Root Sign-In", Severity::High);
    definition.author = vec!["Jo Doe".to_owned(), "Elastic".to_owned()];
    definition.license = Some("DRL 1.1".to_owned());
    let record = json!({
        "eventVersion": "1.11",
        "userIdentity": { "type": "Root", "principalId": "111122223333", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333" },
        "eventTime": "2026-11-23T03:14:15Z",
        "eventSource": "signin.amazonaws.com",
        "eventName": "ConsoleLogin",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "2001:db8::17",
        "userAgent": "Mozilla/5.0",
        "responseElements": { "ConsoleLogin": "Success" },
        "additionalEventData": { "MFAUsed": "No", "LoginTo": "https://console.aws.amazon.com/", "MobileVersion": "No" },
        "eventID": "0d1b7f6a-4a0e-4f0e-8f43-1a2b3c4d5e6f",
        "recipientAccountId": "111122223333",
    });
    compare("root", &message(&[document(&definition, &record)]));
}

#[test]
fn a_threshold_signal_names_its_group() {
    let mut document = document(&short("Many Failed Calls", Severity::Critical), &record());
    for field in ["user", "service", "event"] {
        document.as_object_mut().expect("an object").remove(field);
    }
    document["kibana"]["alert"]["threshold_result"] = json!({
        "terms": [{ "field": "source.ip", "value": "203.0.113.7" }, { "field": "event.action", "value": "GetObject" }],
        "cardinality": [], "count": 12, "from": "2026-11-23T10:00:00.000Z",
    });
    compare("threshold", &message(&[document]));
}

#[test]
fn notices_that_were_held_back_are_mentioned_in_the_next_one() {
    let groups = groups(&[document(&definition(), &record())]);
    let message = Message::of_group(&groups[0], &crate::accounts(), 3);
    check(&message);
    let words = "3 earlier notices of this rule and principal were held back since the last one.";
    assert!(message.mail.lines().any(|line| line == words), "{}", message.mail);
    assert!(
        message.card["content"]["description"].as_str().unwrap().contains("3 notices"),
        "{:#}",
        message.card
    );
}

#[test]
fn signals_without_a_notice_are_counted_by_rule_in_one_digest() {
    let call = |index: usize| {
        with(&[("userIdentity.sessionContext.sessionIssuer.userName", json!(format!("role-{index}")))])
    };
    let mut documents: Vec<_> =
        (0..115).map(|index| document(&short("Ordinary", Severity::Low), &call(index))).collect();
    documents.extend((0..5).map(|index| document(&short("Grave", Severity::High), &call(index))));
    let (groups, mut digests) = grouping(&documents).finish();
    let severities: Vec<_> = groups.iter().map(|group| group.severity).collect();
    assert_eq!((severities.len(), &severities[..5]), (100, &[Severity::High; 5][..]));
    assert_eq!((digests.len(), digests[&0].signals()), (1, 20));
    let digest = digests.entry(0).or_default();
    groups[4..6].iter().for_each(|group| digest.add(group));
    compare("digest", &Message::of_digest(digest, 0));
}

#[test]
fn digests_that_were_held_back_are_mentioned_in_the_next_one() {
    let mut digest = Digest::default();
    digest.add(&groups(&[document(&definition(), &record())])[0]);
    let message = Message::of_digest(&digest, 2);
    check(&message);
    let words = "2 earlier digests were held back since the last one.";
    assert!(message.mail.lines().any(|line| line == words), "{}", message.mail);
    let description = message.card["content"]["description"].as_str().expect("a text");
    assert!(description.lines().any(|line| line == words), "{description}");
}
