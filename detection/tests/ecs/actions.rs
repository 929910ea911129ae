//! Categories and types, by action.

use crate::{ABSENT, Row, at, check, document};

const ROWS: &[Row] = &[
    (r#"{"eventName":"CreateUser"}"#, "event.category", r#"["iam"]"#),
    (r#"{"eventName":"CreateUser"}"#, "event.type", r#"["user","creation"]"#),
    (r#"{"eventName":"createuser"}"#, "event.category", ABSENT),
    (r#"{"eventName":"createuser"}"#, "event.type", r#"["info"]"#),
    (r#"{"eventName":"CreateUser2"}"#, "event.category", ABSENT),
    (r#"{"eventName":["CreateUser"]}"#, "event.category", ABSENT),
    (r#"{"eventName":"AttachRolePolicy"}"#, "event.type", r#"["change"]"#),
    (r#"{"eventName":"ConsoleLogin"}"#, "event.category", r#"["authentication"]"#),
    (r#"{"eventName":"AuthorizeSecurityGroupIngress"}"#, "event.type", r#"["access"]"#),
    (r#"{"eventName":"TerminateSession"}"#, "event.type", r#"["end"]"#),
    (r#"{"eventName":"CreateFunction20150331"}"#, "event.category", ABSENT),
];

#[test]
fn an_action_has_the_category_and_types_of_its_exact_name() {
    check(ROWS);
}

#[test]
fn every_action_is_in_the_table_once() {
    let mut actions = Vec::new();
    for (category, types, names) in detection::ecs::CATEGORIES {
        for action in *names {
            let document = document(&format!(r#"{{"eventName":"{action}"}}"#));
            assert_eq!(at(&document, "event.category"), Some(vec![*category].into()), "{action}");
            assert_eq!(at(&document, "event.type"), Some(types.to_vec().into()), "{action}");
            actions.push(*action);
        }
    }
    actions.sort_unstable();
    assert!(actions.is_sorted_by(|one, next| one < next), "{actions:?}");
    assert_eq!(actions.len(), 91);
}
