//! Where notices go, by queries over alert documents.

use detection::notice::Routes;
use detection::query::Query;
use detection::rule::Severity;
use detection::signal::{self, AlertDocument};
use serde_json::json;

use crate::{definition, document, record, short, with};

/// The topics that the signal of a rule goes to.
fn topics(routes: &[(&str, &str, bool)], document: &serde_json::Value) -> Vec<String> {
    let mut all = Routes::to("default".to_owned());
    for (query, topic, stop) in routes {
        all.add(query, topic, *stop).expect("a good query");
    }
    all.of(document).into_iter().map(|topic| all.topics()[topic].clone()).collect()
}

#[test]
fn a_route_takes_a_notice_elsewhere_and_what_no_route_takes_goes_to_the_topic_for_notices() {
    let high = document(&short("Grave", Severity::High), &record());
    let low = document(&short("Ordinary", Severity::Low), &record());
    let routes = [
        ("kibana.alert.severity: (high or critical)", "on-call", false),
        (
            "aws.cloudtrail.recipient_account_id: \"111122223333\" and kibana.alert.risk_score >= 21",
            "payments",
            true,
        ),
        ("user.name: Deploy", "later", false),
    ];
    assert_eq!(topics(&routes, &high), ["on-call", "payments"]);
    assert_eq!(topics(&routes, &low), ["payments"]);
    assert_eq!(topics(&routes[..1], &low), ["default"]);
    assert_eq!(topics(&[], &low), ["default"]);
    let twice = [
        ("user.name: *", "a", false),
        ("cloud.account.id: *", "a", false),
        ("event.action: *", "default", false),
    ];
    assert_eq!(topics(&twice, &low), ["a", "default"]);
}

#[test]
fn a_query_over_an_alert_document_asks_for_fields_of_the_event_and_of_the_alert() {
    let document = document(&definition(), &with(&[("requestParameters.tags", json!([{ "key": "team" }]))]));
    for (query, expected) in [
        ("kibana.alert.rule.rule_id: 1251b98a-ff45-11ee-89a1-f661ea17fbce", true),
        ("kibana.alert.rule.name: \"AWS Lambda Function Created or Updated\"", true),
        ("kibana.alert.rule.tags: \"Domain: Cloud\"", true),
        ("kibana.alert.rule.threat.tactic.name: Execution", true),
        ("kibana.alert.rule.threat.technique.id: T1648", true),
        ("kibana.alert.risk_score > 21", false),
        ("kibana.alert.depth: 1 and event.kind: signal", true),
        ("kibana.alert.ancestors.type: event", true),
        ("kibana.alert.building_block_type: *", false),
        ("kibana.alert.original_event.action: UpdateFunctionCode*", true),
        ("kibana.alert.original_time < \"2026-11-24T00:00:00Z\"", true),
        ("aws.cloudtrail.flattened.request_parameters.tags.key: team", true),
        ("user.name: Admin", false),
        ("not user.name: Admin and source.ip: 203.0.113.0/24", true),
    ] {
        let query = Query::parse_satisfiable(query, signal::field).expect(query);
        assert_eq!(query.evaluate(&AlertDocument(&document)) == Some(true), expected, "{query}");
    }
    let errors = Query::parse(" kibana.alert.nothing: x", signal::field).expect_err("no such field");
    assert!(errors[0].to_string().contains("kibana.alert.nothing"), "{}", errors[0]);
}
