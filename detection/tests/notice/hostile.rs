//! Whoever makes a call chooses what its record contains. No form of a notice lets such text do anything.

use detection::notice::Message;
use detection::rule::Severity;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{document, message, record, short, with};

const HOSTILE: [&str; 16] = [
    "<script>alert(1)</script>",
    "<!channel> come here",
    "<https://evil.example/|Sign in>",
    "[Sign in](https://evil.example/)",
    "https://evil.example/login",
    "www.evil.example",
    "a\r\nBcc: everybody@example.com\r\n\r\nbody",
    "\u{202e}gnp.exe\u{2066}",
    "\u{1b}[31mred\u{7}\u{0}",
    "zero\u{200b}width\u{feff}\u{e0041}",
    "*bold* _x_ ~y~ `code` ```block```",
    "=cmd|' /C calc'!A0",
    "` <@U123> `",
    "\u{2028}line\u{2029}\u{85}",
    "\n\nFOR MACHINES\n  Rule id       forged",
    "漢字かな交じり文の名前",
];
/// Fields of a record that a caller, or whoever a caller asks, can choose.
const FIELDS: [&str; 14] = [
    "userIdentity.type",
    "userIdentity.arn",
    "userIdentity.accountId",
    "userIdentity.accessKeyId",
    "userIdentity.invokedBy",
    "userIdentity.sessionContext.sessionIssuer.userName",
    "eventTime",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "requestParameters.functionName",
    "recipientAccountId",
];

/// What no form of a notice may contain.
#[track_caller]
fn check(message: &Message, context: &str) {
    crate::check(message);
    let card = message.card.to_string();
    for text in [&message.subject, &message.mail, &message.sms, &card] {
        for bad in ["<", ">", "://evil", "www.evil"] {
            assert!(!text.contains(bad), "{bad} of {context} in {text}");
        }
        let is_bad = |c: char| {
            c != '\n' && c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        };
        assert_eq!(text.find(is_bad), None, "{context} in {text:?}");
    }
    // Text of a record is formatted as code, and no backtick in it ends that.
    let description = message.card["content"]["description"].as_str().expect("a text");
    for line in description.lines() {
        let ticks = line.matches('`').count();
        assert_eq!(ticks % 2, 0, "{context}: {line}");
        let outside: String = line.split('`').step_by(2).collect();
        assert!(!outside.contains("evil") && !outside.contains(['*', '[', ']']), "{context}: {line}");
    }
    assert_eq!(message.mail.lines().filter(|line| *line == "FOR MACHINES").count(), 1, "{context}");
}

fn all_hostile(text: &str) -> Value {
    with(&FIELDS.map(|field| (field, json!(text))))
}

#[test]
fn hostile_text_in_any_field_is_neutralised_in_every_form() {
    let definition = short("Short", Severity::High);
    for text in HOSTILE {
        for field in FIELDS {
            let message = message(&[document(&definition, &with(&[(field, json!(text))]))]);
            check(&message, &format!("{text:?} in {field}"));
        }
        check(&message(&[document(&definition, &all_hostile(text))]), text);
    }
}

#[test]
fn a_name_of_ten_thousand_characters_pushes_nothing_out_of_sight() {
    let definition = short("Short", Severity::High);
    let usual = message(&[document(&definition, &record())]).mail.len();
    for letter in ["x", "\u{202e}", "漢", "x ", "<"] {
        for field in FIELDS {
            let message = message(&[document(&definition, &with(&[(field, json!(letter.repeat(10_000)))]))]);
            check(&message, field);
            assert!(message.mail.len() < usual + 6_000, "{letter:?} in {field}: {}", message.mail.len());
        }
    }
    let name = "userIdentity.sessionContext.sessionIssuer.userName";
    let mail = message(&[document(&definition, &with(&[(name, json!("x".repeat(10_000)))]))]).mail;
    assert!(mail.contains("more characters)"), "{mail}");
}

#[test]
fn the_subject_says_who_and_where_however_long_the_rule_is_called() {
    let long = short(&"Very Long Name of a Rule ".repeat(20), Severity::Critical);
    let message = message(&[document(&long, &record())]);
    assert!(message.subject.starts_with("[critical] Very Long"), "{}", message.subject);
    assert!(message.subject.ends_with(": Deploy in payments-prod, us-east-1"), "{}", message.subject);
    assert!(message.sms.contains(": Deploy in payments-prod, us-east-1"), "{}", message.sms);
}

#[test]
fn words_of_a_rule_are_plain_text_and_its_links_stand_alone() {
    let mut definition = short("Short", Severity::Low);
    definition.note = Some(
        "## Triage\n\n> **Mind** the `gap`.\n\n- *One* [page](https://docs.example.com/a/very/long/path/that/goes/on/and/on/and/on/for/more/than/eighty/columns).\n\
         1. Two <b>\n```\ncode\n```\n!{investigate{\"x\":1}}\nThe end."
            .to_owned(),
    );
    definition.references = vec!["javascript:alert(1)".to_owned(), "https://ok.example/".to_owned()];
    let mail = message(&[document(&definition, &record())]).mail;
    let note = mail.split("WHAT TO LOOK AT\n").nth(1).unwrap().split("\nTHE EVENT").next().unwrap();
    let expected = "  TRIAGE\n  Mind the gap.\n  - One page\n    https://docs.example.com/a/very/long/path/that/goes/on/and/on/and/on/for/more/than/eighty/columns\n  1. Two ‹b›\n  code\n  The end.\n";
    assert_eq!(note, expected);
}

proptest! {
    #[test]
    fn any_text_in_a_note_or_a_name_gives_a_notice(
        note in r"([-*#>`\[\]()!{}. a-zé\n]|\*\*|\]\(|https://x\.y/){0,80}", name in any::<String>(), rule in any::<String>(),
    ) {
        let mut definition = short("Short", Severity::Low);
        definition.note = Some(note);
        definition.name = rule;
        let role = "userIdentity.sessionContext.sessionIssuer.userName";
        message(&[document(&definition, &with(&[(role, json!(name))]))]);
    }

    #[test]
    fn any_document_gives_a_notice(field in "[a-z.]{0,20}", text in any::<String>(), number in any::<i64>()) {
        let mut documents = vec![json!(null), json!([text]), json!({ "kibana": { "alert": number } })];
        let mut nested = json!({ "value": text });
        for key in field.split('.').rev() {
            nested = json!({ key: nested });
        }
        documents.push(nested);
        for document in documents {
            message(&[document]);
        }
    }
}
