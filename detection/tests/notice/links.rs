//! The link to the event in the console.

use serde_json::json;

use crate::{definition, document, message, with};

/// The console's link in the mail of an event.
fn link(members: &[(&str, serde_json::Value)]) -> Option<String> {
    let mail = message(&[document(&definition(), &with(members))]).mail;
    let links = mail.lines().filter(|line| line.contains("/cloudtrailv2/"));
    let links: Vec<_> = links.map(|line| line.trim().to_owned()).collect();
    assert!(links.len() <= 1);
    links.into_iter().next()
}

#[test]
fn the_link_leads_to_the_console_of_the_partition() {
    let rows = [
        ("us-east-1", Some("us-east-1.console.aws.amazon.com")),
        ("eu-central-2", Some("eu-central-2.console.aws.amazon.com")),
        ("cn-north-1", Some("cn-north-1.console.amazonaws.cn")),
        ("us-gov-west-1", Some("us-gov-west-1.console.amazonaws-us-gov.com")),
        ("eusc-de-east-1", Some("eusc-de-east-1.console.amazonaws-eusc.eu")),
        ("us-iso-east-1", None),
        ("us-isob-east-1", None),
        ("evil.example/", None),
        ("us-east-1?x", None),
    ];
    for (region, host) in rows {
        let id = "6f1c2c5e-0d2f-4a6b-9d58-2b7a3c1e9f40";
        let expected =
            host.map(|host| format!("https://{host}/cloudtrailv2/home?region={region}#/events/{id}"));
        assert_eq!(link(&[("awsRegion", json!(region))]), expected, "{region}");
    }
}

#[test]
fn an_event_that_the_event_history_does_not_hold_has_no_link() {
    for category in ["Data", "NetworkActivity"] {
        assert_eq!(link(&[("eventCategory", json!(category))]), None, "{category}");
    }
    assert!(link(&[("eventCategory", json!(null))]).is_some(), "older records name no category");
    assert_eq!(link(&[("eventID", json!(null))]), None);
    assert_eq!(link(&[("eventID", json!("../../evil"))]), None);
}
