//! `--event-pattern`: a pattern that misses no event of any rule, and a warning where it asks for a lot.

use serde_json::{Value, json};

use crate::rules::rule;
use crate::{Run, folder, path, scan};

fn run(queries: &[(&str, &str)]) -> Run {
    let files: Vec<_> =
        queries.iter().map(|(name, query)| (format!("{name}.toml"), rule(name, query))).collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let rules = folder(&files);
    scan(&["--event-pattern", "--rules", path(&rules)])
}

fn detail(run: &Run) -> Value {
    assert_eq!(run.code, Some(0), "{}", run.err);
    let pattern: Value = serde_json::from_str(&run.out).expect("the pattern is JSON");
    assert_eq!(pattern["source"], json!([{"prefix": "aws."}]));
    pattern["detail"].clone()
}

#[test]
fn the_pattern_of_the_embedded_rules_asks_for_what_the_seed_matches() {
    let run = scan(&["--event-pattern"]);
    let names = json!([{"prefix": "CreateFunction"}, {"prefix": "UpdateFunctionCode"}]);
    assert_eq!(detail(&run), json!({"eventSource": ["lambda.amazonaws.com"], "eventName": names}));
    assert_eq!(run.err, "");
}

#[test]
fn sign_in_and_service_events_are_asked_for_too() {
    let run = scan(&["--event-pattern"]);
    let pattern: Value = serde_json::from_str(&run.out).expect("the pattern is JSON");
    let types = pattern["detail-type"].as_array().expect("an array");
    for wanted in ["API Call", "Console Sign In", "Service Event", "Console Action"] {
        assert!(types.contains(&json!(format!("AWS {wanted} via CloudTrail"))), "{wanted}");
    }
}

#[test]
fn rules_on_several_services_are_told_apart() {
    let run = run(&[
        ("a", "event.provider: s3.amazonaws.com and event.action: (PutBucketPolicy or DeleteBucket*)"),
        ("b", "event.provider: (iam.amazonaws.com or sts.amazonaws.com)"),
        ("c", "event.action: ConsoleLogin and not user.name: x"),
    ]);
    assert_eq!(
        detail(&run),
        json!({"$or": [
            {"eventSource": ["iam.amazonaws.com", "sts.amazonaws.com"]},
            {"eventName": ["ConsoleLogin"]},
            {"eventSource": ["s3.amazonaws.com"], "eventName": ["PutBucketPolicy", {"prefix": "DeleteBucket"}]},
        ]})
    );
}

#[test]
fn a_provider_that_one_rule_asks_for_whole_is_asked_for_whole() {
    let run = run(&[
        ("a", "event.provider: iam.amazonaws.com and event.action: CreateUser"),
        ("b", "event.provider: iam.amazonaws.com and user.name: x"),
    ]);
    assert_eq!(detail(&run), json!({"eventSource": ["iam.amazonaws.com"]}));
}

#[test]
fn what_a_pattern_cannot_say_asks_for_more_and_never_for_less() {
    let run = run(&[("a", "event.provider: iam.amazonaws.com and not event.action: (GetUser or ListUsers)")]);
    assert_eq!(detail(&run), json!({"eventSource": ["iam.amazonaws.com"]}));
    let run = self::run(&[("a", "event.provider: iam.amazonaws.com or (event.action: A* and user.name: x)")]);
    assert_eq!(
        detail(&run),
        json!({"$or": [{"eventSource": ["iam.amazonaws.com"]}, {"eventName": [{"prefix": "A"}]}]})
    );
}

#[test]
fn stars_inside_a_value_are_wildcards_and_literal_ones_are_not() {
    let run = run(&[("a", r"event.provider: iam.amazonaws.com and event.action: *Create*\**User")]);
    assert_eq!(detail(&run)["eventName"], json!([{"wildcard": r"*Create*\**User"}]));
}

#[test]
fn a_sigma_rule_is_asked_for_in_any_case() {
    let rule = "title: T\nid: 0f0e0d0c-0000-4000-8000-000000000000\nlogsource:\n  product: aws\n  service: cloudtrail\n\
                detection:\n  selection:\n    eventSource: iam.amazonaws.com\n    eventName|startswith: Create\n  \
                condition: selection\nlevel: low\n";
    let rules = folder(&[("rule.yml", rule)]);
    let run = scan(&["--event-pattern", "--rules", path(&rules)]);
    assert_eq!(
        detail(&run),
        json!({
            "eventSource": [{"equals-ignore-case": "iam.amazonaws.com"}],
            "eventName": [{"prefix": {"equals-ignore-case": "create"}}],
        })
    );
}

#[test]
fn a_rule_that_names_no_provider_and_no_action_is_warned_of() {
    let run = run(&[
        ("narrow", "event.provider: iam.amazonaws.com"),
        ("wide", "user.name: x or event.provider: sts.amazonaws.com"),
    ]);
    assert_eq!(detail(&run), Value::Null);
    assert!(run.err.contains("warning: wide: names neither"), "{}", run.err);
    assert!(!run.err.contains("narrow"), "{}", run.err);
}

#[test]
fn calls_that_only_read_are_warned_of() {
    let run = run(&[("a", "event.provider: iam.amazonaws.com and event.action: Get*")]);
    assert!(run.err.contains("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"), "{}", run.err);
}

#[test]
fn a_pattern_that_is_too_long_for_eventbridge_is_warned_of() {
    let actions: Vec<_> = (0..200).map(|number| format!("Action{number:012}")).collect();
    let run = run(&[("a", &format!("event.action: ({})", actions.join(" or ")))]);
    assert!(run.err.contains("EventBridge accepts 2048"), "{}", run.err);
}

#[test]
fn a_rule_on_signals_asks_eventbridge_for_nothing() {
    let on_signals = rule("on signals", "kibana.alert.severity: medium")
        .replace("[rule]\n", "[rule]\nindex = [\".alerts-security.*\"]\n");
    let narrow = rule("narrow", "event.provider: iam.amazonaws.com");
    let rules = folder(&[("a.toml", narrow.as_str()), ("b.toml", on_signals.as_str())]);
    let run = scan(&["--event-pattern", "--rules", path(&rules)]);
    assert_eq!(detail(&run), json!({"eventSource": ["iam.amazonaws.com"]}));
    assert_eq!(run.err, "");
}
