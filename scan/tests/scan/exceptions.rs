//! Exceptions: the typical cases, each with one record that it takes out and others that it leaves.

use std::fs;

use detection::ecs;
use detection::query::Query;
use detection::rule;
use serde_json::{Value, json};

use crate::{delivery, folder, hit, path, root, scan};

fn with(event: &str, members: Value) -> Value {
    let mut record = hit(event);
    let Value::Object(members) = members else { panic!("an object") };
    record.as_object_mut().unwrap().extend(members);
    record
}

fn records() -> Vec<Value> {
    let role = |name: &str| {
        json!({ "userIdentity": { "type": "AssumedRole", "sessionContext": { "sessionIssuer": {
            "arn": format!("arn:aws:iam::111122223333:role/{name}"), "userName": name,
        }}}})
    };
    vec![
        with("ci", role("deploy-pipeline")),
        with("person", role("administrator")),
        with(
            "stack",
            json!({ "userIdentity": { "type": "IAMUser", "userName": "x", "invokedBy": "cloudformation.amazonaws.com" },
            "sourceIPAddress": "cloudformation.amazonaws.com" }),
        ),
        with("sandbox", json!({ "recipientAccountId": "444455556666" })),
        with(
            "rehearsal",
            json!({ "eventName": "UpdateFunctionCode20150331v2", "requestParameters": { "dryRun": true } }),
        ),
        with(
            "for real",
            json!({ "eventName": "UpdateFunctionCode20150331v2", "requestParameters": { "dryRun": false } }),
        ),
    ]
}

/// The cases of docs/rules.md, and the record that each takes out.
const CASES: [(&str, &str); 4] = [
    (
        r#"aws.cloudtrail.user_identity.session_context.session_issuer.arn: "arn:aws:iam::111122223333:role/deploy-pipeline""#,
        "ci",
    ),
    (r#"aws.cloudtrail.user_identity.invoked_by: "cloudformation.amazonaws.com""#, "stack"),
    (r#"aws.cloudtrail.recipient_account_id: "444455556666""#, "sandbox"),
    ("aws.cloudtrail.flattened.request_parameters.dryRun: true", "rehearsal"),
];

#[test]
fn each_typical_exception_takes_out_its_own_and_counts_it() {
    let records = records();
    let folder = folder(&[("a.json", &delivery(&records))]);
    let all: Vec<_> = records.iter().map(|record| record["eventID"].as_str().unwrap().to_owned()).collect();
    assert_eq!(scan(&[path(&folder)]).events(), all);
    for (query, event) in CASES {
        let run = scan(&["--exceptions", query, path(&folder)]);
        let expected: Vec<_> = all.iter().filter(|id| *id != event).cloned().collect();
        assert_eq!((run.code, run.events()), (Some(0), expected), "{query}: {}", run.err);
        assert!(run.err.contains("6 records: 6 matched, 0 unmatched"), "{}", run.err);
        assert!(run.err.contains("6 signals: 5 printed, 1 suppressed, 0 duplicates"), "{}", run.err);
    }
}

#[test]
fn several_exceptions_are_joined_with_or() {
    let folder = folder(&[("a.json", &delivery(&records()))]);
    let query = CASES.map(|(query, _)| query).join(" or ");
    let run = scan(&["--exceptions", &query, path(&folder)]);
    assert_eq!(run.events(), ["person", "for real"]);
    assert!(run.err.contains("2 printed, 4 suppressed"), "{}", run.err);
}

/// The fenced blocks of one language in a page.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("docs").join(page)).expect(page);
    let start = format!("```{language}\n");
    text.split(&start)
        .skip(1)
        .map(|block| block.split("```").next().unwrap_or_default().trim().to_owned())
        .collect()
}

#[test]
fn the_queries_and_rules_of_the_docs_are_good() {
    let queries = [blocks("rules.md", "kql"), blocks("fields.md", "kql")].concat();
    for (query, _) in CASES {
        assert!(queries.iter().any(|block| block.contains(query)), "{query} is in docs/rules.md");
    }
    for query in queries {
        assert!(Query::parse_satisfiable(&query, ecs::field).is_ok(), "{query}");
    }
    let shell = blocks("rules.md", "sh").remove(0);
    let (_, rule) = shell.split_once("<<'END'\n").expect("a rule is written");
    let rule = rule.trim_end_matches("END").to_owned();
    for (name, text) in [("rule.toml", rule), ("rule.yml", blocks("sigma.md", "yaml").remove(0))] {
        let reading = rule::read([(name, text)]);
        assert_eq!(reading.rules.len(), 1, "{name}");
        assert_eq!(reading.warnings, Vec::<String>::new());
        reading.all().unwrap_or_else(|errors| panic!("{}", errors[0]));
    }
}
