//! Rule files of type `eql`.

use detection::detect::Ruleset;
use detection::rule::{self, Language, Reading, Source};

use crate::matching;
use crate::refusals::rule_text;

/// A rule of type `eql` with additional keys, as a file.
pub fn rule_file(query: &str, keys: &str) -> String {
    rule_text("QUERY")
        .replace("language = \"kuery\"", "language = \"eql\"")
        .replace("type = \"query\"", &format!("{keys}type = \"eql\""))
        .replace("QUERY", query)
}

fn read(query: &str, keys: &str) -> Reading {
    rule::read([("a.toml", rule_file(query, keys))])
}

/// A rule with any query. In a file, a query that can never match would be refused.
pub fn source(index: usize, query: &str) -> Source {
    let mut source = read("any where true", "").all().expect("a good rule").remove(0);
    query.clone_into(&mut source.query);
    source.definition.rule_id = format!("eql-{index}");
    source
}

/// The first problem as it is shown, after the name of the file.
fn shown(problems: &[rule::Error]) -> String {
    problems.first().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn a_rule_in_eql_loads_and_says_so_in_its_signals() {
    let query = "iam where event.provider == \"iam.amazonaws.com\" and\n  not stringContains(aws.cloudtrail.request_parameters, aws.cloudtrail.recipient_account_id)";
    let rules = read(query, "").all().expect("a good rule");
    assert_eq!(rules[0].definition.rule_type, "eql");
    assert_eq!(rules[0].language, Language::Eql { category: "event.category".to_owned() });
    let json = serde_json::to_string(&rules).expect("rules are plain data");
    assert_eq!(
        serde_json::from_str::<Vec<Source>>(&json).expect("what the build leaves is read back"),
        rules
    );

    let rules = Ruleset::new(rules).expect("a good query");
    let record = |account: &str, source: &str| {
        format!(
            r#"{{"eventSource":"{source}","eventName":"CreateUser","recipientAccountId":"111122223333","requestParameters":{{"a":"{account}"}}}}"#
        )
    };
    assert_eq!(matching(&rules, &record("444455556666", "iam.amazonaws.com")).len(), 1);
    assert_eq!(matching(&rules, &record("of 111122223333", "iam.amazonaws.com")).len(), 0);
    assert_eq!(matching(&rules, &record("444455556666", "ec2.amazonaws.com")).len(), 0);
    // A function of a missing field is null.
    let record = r#"{"eventSource":"iam.amazonaws.com","eventName":"CreateUser","recipientAccountId":"1"}"#;
    assert_eq!(matching(&rules, record).len(), 0);
}

#[test]
fn the_category_is_a_value_of_the_field_that_the_rule_names() {
    let record = |action: &str| format!(r#"{{"eventSource":"iam.amazonaws.com","eventName":"{action}"}}"#);
    for (query, keys, matches) in [
        ("any where true", "", ["CreateUser", "DescribeInstances", "Odd"].as_slice()),
        ("iam where true", "", &["CreateUser"]),
        ("host where true", "", &["DescribeInstances"]),
        ("creation where true", "event_category_override = \"event.type\"\n", &["CreateUser"]),
        ("info where true", "event_category_override = \"event.type\"\n", &["DescribeInstances", "Odd"]),
    ] {
        let rules = Ruleset::new(read(query, keys).all().expect(query)).expect(query);
        let found = ["CreateUser", "DescribeInstances", "Odd"].into_iter();
        let found: Vec<_> = found.filter(|action| !matching(&rules, &record(action)).is_empty()).collect();
        assert_eq!(found, matches, "{query} {keys}");
    }
    let reading = read("any where true", "event_category_override = \"event.typo\"\n");
    assert!(shown(&reading.errors).contains("event.typo"), "{:?}", reading.errors);
    let reading = read("any where true", "event_category_override = 5\n");
    assert!(
        shown(&reading.errors).contains("event_category_override must be a string"),
        "{:?}",
        reading.errors
    );
}

#[test]
fn a_sequence_is_not_run_and_a_mistake_in_the_file_counts_more() {
    let query = "sequence by user.name with maxspan=1m\n  [any where event.action == \"x\"]\n  [any where event.action == \"y\"]";
    let reading = read(query, "");
    assert_eq!((reading.rules.len(), reading.errors.len(), reading.not_run.len()), (0, 0, 1));
    let shown = shown(&reading.not_run);
    assert!(shown.starts_with("a.toml:14:1: a sequence needs several events"), "{shown}");
    assert!(shown.contains("help: "), "{shown}");

    let text = rule_file(query, "").replace("\"low\"", "\"urgent\"");
    let reading = rule::read([("a.toml", text)]);
    assert_eq!((reading.errors.len(), reading.not_run.len()), (2, 0), "{:?}", reading.errors);
}

#[test]
fn a_mistake_in_a_query_is_shown_as_a_compiler_shows_it() {
    for (query, expected) in [
        (
            "any where event.action == \"x\"\n  && event.provider == \"y\"",
            "a.toml:15:3: && means nothing in EQL\n      && event.provider == \"y\"\n      ^^\n    help: write and",
        ),
        (
            "any where evnt.action == \"x\"",
            "a.toml:14:11: the field evnt.action is not mapped here; docs/fields.md lists the fields that are\n    any where evnt.action == \"x\"\n              ^^^^^^^^^^^",
        ),
        (
            "any where event.dataset == \"aws\"",
            "a.toml:14:11: the query can never match: event.dataset is always \"aws.cloudtrail\"\n    any where event.dataset == \"aws\"\n              ^^^^^^^^^^^^^^^^^^^^^^",
        ),
    ] {
        assert_eq!(shown(&read(query, "").errors), expected);
    }
    let text = rule_file("any where true", "").replace("\"eql\"\nname", "\"kuery\"\nname");
    let shown = shown(&rule::read([("a.toml", text)]).errors);
    assert!(shown.contains("language is kuery: a rule of type eql is written in eql"), "{shown}");
    assert!(shown.ends_with("language = \"kuery\"\n               ^^^^^^^"), "{shown}");
}
