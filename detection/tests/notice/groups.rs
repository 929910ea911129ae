//! Which signals share a notice.

use detection::rule::Severity;
use serde_json::json;

use crate::{definition, document, groups, record, short, with};

/// The principals of the groups that these calls form.
fn principals(members: &[&[(&str, serde_json::Value)]]) -> Vec<String> {
    let documents: Vec<_> = members.iter().map(|members| document(&definition(), &with(members))).collect();
    groups(&documents).iter().map(|group| group.principal.name()).collect()
}

#[test]
fn a_rule_and_a_principal_make_one_notice_across_accounts_regions_and_sessions() {
    let names = principals(&[
        &[],
        &[("recipientAccountId", json!("999988887777")), ("eventID", json!("e-2"))],
        &[("userIdentity.accountId", json!("999988887777")), ("awsRegion", json!("eu-west-1"))],
        &[("userIdentity.arn", json!("arn:aws:sts::444455556666:assumed-role/Deploy/eve"))],
        &[("userIdentity.sessionContext.sessionIssuer.userName", json!("Admin"))],
    ]);
    assert_eq!(names, ["Deploy", "Admin"]);
    let documents = [document(&definition(), &record()), document(&short("Other", Severity::Low), &record())];
    assert_eq!(groups(&documents).len(), 2, "two rules");
}

#[test]
fn the_principal_is_the_name_else_the_service_else_the_id_else_the_group_else_the_account() {
    let service: &[(&str, serde_json::Value)] =
        &[("userIdentity", json!({ "type": "AWSService", "invokedBy": "scheduler.amazonaws.com" }))];
    let id: &[(&str, serde_json::Value)] = &[(
        "userIdentity",
        json!({ "type": "AWSAccount", "principalId": "AIDAEXAMPLE", "accountId": "444455556666" }),
    )];
    let account: &[(&str, serde_json::Value)] =
        &[("userIdentity", json!({ "type": "AWSAccount", "accountId": "444455556666" }))];
    let owner: &[(&str, serde_json::Value)] = &[("userIdentity", json!(null))];
    let names = principals(&[service, id, account, owner]);
    assert_eq!(names, ["scheduler.amazonaws.com", "AIDAEXAMPLE", "444455556666", "111122223333"]);

    let mut grouped = document(&definition(), &with(account));
    grouped["kibana"]["alert"]["threshold_result"] =
        json!({ "terms": [{ "field": "source.ip", "value": "203.0.113.7" }, { "field": "x", "value": 7 }] });
    assert_eq!(groups(&[grouped])[0].principal.name(), "203.0.113.7, 7");
}

#[test]
fn the_address_of_a_group_of_events_is_named() {
    let mut document = document(&definition(), &record());
    document["source"] = json!({ "ip": "192.0.2.99" });
    let mail = crate::message(&[document]).mail;
    assert!(mail.contains("  Address       192.0.2.99\n"), "{mail}");
}

#[test]
fn an_account_has_name_and_number_in_every_form_that_has_room() {
    let rule = short("Short", Severity::Low);
    let message = crate::message(&[document(&rule, &record())]);
    assert_eq!(message.subject, "[low] Short: Deploy in payments-prod (111122223333), us-east-1");
    assert_eq!(message.sms, "[low] Short: Deploy in payments-prod (111122223333), us-east-1, 10:05 UTC");
    let description = message.card["content"]["description"].as_str().expect("a text");
    assert!(description.contains("Where: `payments-prod (111122223333), us-east-1`\n"), "{description}");
    assert!(message.mail.contains("1 signal in account payments-prod (111122223333)\n"), "{}", message.mail);

    let long = short("A Rule Whose Name Leaves No Room for the Account Number", Severity::Low);
    let message = crate::message(&[document(&long, &record())]);
    assert_eq!(message.subject, format!("[low] {}: Deploy in payments-prod, us-east-1", long.name));
}

#[test]
fn destinations_are_told_apart() {
    let mut grouping = detection::notice::Grouping::default();
    for topic in [0, 1, 0] {
        grouping.add(&document(&definition(), &record()), topic);
    }
    let groups = grouping.finish().0;
    let counts: Vec<_> = groups.iter().map(|group| (group.topic, group.signals)).collect();
    assert_eq!(counts, [(0, 2), (1, 1)]);
}

#[test]
fn the_key_is_the_same_for_a_rule_and_principal_and_for_no_other() {
    let key =
        |members: &[(&str, serde_json::Value)]| groups(&[document(&definition(), &with(members))])[0].key();
    let role = "userIdentity.sessionContext.sessionIssuer.userName";
    assert_eq!(key(&[]), key(&[("recipientAccountId", json!("999988887777"))]));
    assert_ne!(key(&[]), key(&[(role, json!("Admin"))]));
    let other = groups(&[document(&short("Other", Severity::Low), &record())])[0].key();
    assert_ne!(key(&[]), other);
}

#[test]
fn what_is_too_much_to_count_is_said_to_be_more() {
    let call = |index: usize| {
        with(&[
            ("requestParameters.functionName", json!(index.to_string())),
            ("recipientAccountId", json!(format!("{index:012}"))),
        ])
    };
    let short = short("Short", Severity::Low);
    let documents: Vec<_> = (0..1_100).map(|index| document(&short, &call(index))).collect();
    let message = crate::message(&documents);
    assert!(message.mail.contains("  Targets, the first 10 of 1000 or more:\n"), "{}", message.mail);
    assert!(message.mail.contains("  Accounts, the first 100 of 1100:\n"), "{}", message.mail);
    assert!(message.subject.contains("in 1100 accounts"), "{}", message.subject);
}

#[test]
fn the_memory_of_a_group_does_not_grow_with_its_signals() {
    let documents: Vec<_> = (0..300)
        .map(|index| {
            let name = format!("{index}{}", "x".repeat(1000));
            document(
                &short("Short", Severity::Low),
                &with(&[("requestParameters.functionName", json!(name))]),
            )
        })
        .collect();
    let group = &groups(&documents)[0];
    assert_eq!(group.signals, 300);
    let shown = format!("{group:?}").matches("more characters").count();
    assert_eq!(shown, 10, "the first ten targets");
}
