//! The ladder against the plain way, which parses the whole record and asks every rule. Its rungs are added one at a
//! time, and each is tried alone: all give the same verdicts, over generated records and over the samples.

use std::fs;
use std::path::Path;

use detection::detect::{Ruleset, Rungs};
use detection::ecs::{self, Document};
use detection::query::Query;
use detection::records::{self, Decoder, Record};
use detection::rule::{self, Source};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use crate::refusals::rule_text;
use crate::{repository, techniques};

/// What rules ask for, and what only looks like it.
const PROVIDERS: [&str; 10] = [
    "lambda.amazonaws.com",
    "iam.amazonaws.com",
    "ec2.amazonaws.com",
    "sts.amazonaws.com",
    "guardduty.amazonaws.com",
    "signin.amazonaws.com",
    "lambda.amazonaws.com.cn",
    "LAMBDA.amazonaws.com",
    "-",
    "",
];
const ACTIONS: [&str; 14] = [
    "CreateFunction20150331",
    "CreateFunctionUrlConfig",
    "UpdateFunctionCode20150331v2",
    "UpdateFunctionConfiguration20150331v2",
    "createfunction",
    "Create",
    "CreateAccessKey",
    "AuthorizeSecurityGroupIngress",
    "AssumeRole",
    "DeleteDetector",
    "UpdateDetector",
    "ConsoleLogin",
    "none",
    "",
];
const KEYS: [&str; 12] = [
    "eventSource",
    "eventName",
    "errorCode",
    "errorMessage",
    "eventsource",
    "event\\u004eame",
    "sourceIPAddress",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "userIdentity",
    "eventSource ",
];
const OTHERS: [&str; 18] = [
    r#"{"eventSource":"lambda.amazonaws.com","eventName":"CreateFunction20150331"}"#,
    r#"["eventSource","eventName"]"#,
    "null",
    "true",
    "12",
    "1.2345E4",
    "12345.0",
    "{}",
    "[]",
    "[\"CreateFunction\"]",
    r#""AccessDenied""#,
    r#"{"enable":true}"#,
    r#"{"userName":"lambda.amazonaws.com"}"#,
    r#"{"type":"Root","userName":"CreateFunction20150331"}"#,
    r#"{"MFAUsed":"No"}"#,
    r#"{"ConsoleLogin":"Success"}"#,
    r#""10.1.2.3""#,
    r#"{"items":[{"cidrIp":"0.0.0.0/0"}]}"#,
];

/// A JSON string in which some letters are written as escapes.
fn literal(text: &'static str) -> impl Strategy<Value = String> {
    vec(proptest::bool::weighted(0.05), text.len()).prop_map(move |escapes| {
        let escaped = text.chars().zip(escapes).map(|(character, escape)| {
            if escape { format!("\\u{:04x}", u32::from(character)) } else { character.to_string() }
        });
        format!("\"{}\"", escaped.collect::<String>())
    })
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(&PROVIDERS[..]).prop_flat_map(literal),
        4 => select(&ACTIONS[..]).prop_flat_map(literal),
        3 => select(&OTHERS[..]).prop_map(str::to_owned),
    ]
}

/// Mostly a provider and an action, with other members around them, some of which may come twice.
fn record() -> impl Strategy<Value = String> {
    let member = |name: &'static str, value: BoxedStrategy<String>| {
        let member = value.prop_map(move |value| format!("\"{name}\" :{value}"));
        proptest::option::weighted(0.9, member)
    };
    let other = || (select(&KEYS[..]), value()).prop_map(|(key, value)| format!("\"{key}\":{value}"));
    let provider = member("eventSource", select(&PROVIDERS[..]).prop_flat_map(literal).boxed());
    let action = member("eventName", select(&ACTIONS[..]).prop_flat_map(literal).boxed());
    (vec(other(), 0..3), provider, action, vec(other(), 0..3)).prop_map(
        |(mut members, provider, action, more)| {
            members.extend(provider.into_iter().chain(action).chain(more));
            format!("{{{}}}", members.join(","))
        },
    )
}

/// A rule with any query. As a file, one that can never match would be refused.
fn source(index: usize, query: &str) -> Source {
    let rules = rule::read([("rule.toml", rule_text("event.action: x"))]).rules;
    let mut source = rules.into_iter().next().expect("a good rule");
    query.clone_into(&mut source.query);
    source.definition.rule_id = format!("rule-{index}");
    source
}

/// A query as rules are written: some fields that a head knows, some that it does not.
fn query() -> impl Strategy<Value = String> {
    let quoted = |text: &str| json!(text).to_string();
    let provider = select(&PROVIDERS[..]).prop_map(move |text| format!("event.provider: {}", quoted(text)));
    let action = select(&ACTIONS[..]).prop_map(move |text| format!("event.action: {}", quoted(text)));
    let start =
        select(&ACTIONS[..]).prop_map(|text| format!("event.action: {}*", &text[..text.len().min(9)]));
    let middle = select(&ACTIONS[..]).prop_map(|text| format!("event.action: *{}*", &text[text.len() / 2..]));
    let fixed = select(vec![
        "event.outcome: success",
        "event.outcome: failure",
        "event.dataset: aws.cloudtrail",
        "event.dataset: other",
        "event.action: *",
        "event.provider > m",
        "event.action: 1.2345E4",
        "event.action: true",
        "source.ip: 10.0.0.0/8",
        "user.name: *",
        "aws.cloudtrail.request_parameters: *userName=*",
        "aws.cloudtrail.error_code: AccessDenied",
        "aws.cloudtrail.flattened.request_parameters.enable: true",
        "event.action: (CreateFunction* or UpdateFunctionCode* and not *Config)",
        "event.provider: (lambda* or iam.amazonaws.com)",
    ])
    .prop_map(str::to_owned);
    let leaf = prop_oneof![3 => provider, 2 => action, 2 => start, 1 => middle, 3 => fixed];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            3 => vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" and "))),
            2 => vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" or "))),
            1 => inner.prop_map(|part| format!("not {part}")),
        ]
    })
}

/// The rules that match, by the plain way.
fn plainly(sources: &[Source], record: &str) -> Vec<String> {
    let document = Document::from_record(records::parse(record.as_bytes()).expect(record));
    let matches = |source: &&Source| {
        let query = Query::parse(&source.query, ecs::field).expect("the rule was read");
        query.evaluate(&document) == Some(true)
    };
    sources.iter().filter(matches).map(|source| source.definition.rule_id.clone()).collect()
}

/// The ladder without rungs, with one rung more each time, and with each rung alone.
fn ladders() -> Vec<Rungs> {
    let none = Rungs::NONE;
    let head = Rungs { head: true, ..none };
    let fields = Rungs { fields: true, ..none };
    let mut ladders = vec![none, fields];
    ladders.push(Rungs { fields: true, ..head });
    ladders.push(Rungs { candidates: true, ..ladders[2] });
    ladders.push(Rungs { glance: true, ..ladders[3] });
    ladders.push(Rungs { witnesses: true, ..ladders[4] });
    ladders.push(Rungs::ALL);
    let alone = [
        Rungs { prefilter: true, ..none },
        Rungs { witnesses: true, ..none },
        head,
        Rungs { candidates: true, ..head },
        Rungs { glance: true, ..head },
        Rungs { glance: true, candidates: true, ..head },
    ];
    ladders.extend(alone);
    ladders
}

fn compare(sources: &[Source], records: &[String]) -> Result<(), TestCaseError> {
    let rules = Ruleset::new(sources.to_vec()).expect("the rules were read");
    let expected: Vec<_> = records.iter().map(|record| plainly(sources, record)).collect();
    for rungs in ladders() {
        // One detector for all records: what it remembers must not change a verdict.
        let mut detector = rules.detector_with(rungs);
        for (record, expected) in records.iter().zip(&expected) {
            let found = detector.detect(record.as_bytes()).expect("the record is JSON");
            let found: Vec<_> = found
                .map(|found| found.rules.iter().map(|rule| rule.definition.rule_id.clone()).collect())
                .unwrap_or_default();
            prop_assert_eq!(&found, expected, "{:?} over {}", rungs, record);
        }
    }
    Ok(())
}

fn embedded() -> Vec<Source> {
    let text = include_str!("../../../rules/aws_lambda_function_created_or_updated.toml").to_owned();
    rule::read([("lambda.toml", text)]).all().expect("the embedded rule is good")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_embedded_rule_gives_the_verdicts_of_the_plain_way(records in vec(record(), 20)) {
        compare(&embedded(), &records)?;
    }

    #[test]
    fn ten_rules_together_give_the_verdicts_of_the_plain_way(records in vec(record(), 10)) {
        compare(&techniques(), &records)?;
    }

    #[test]
    fn any_few_rules_give_the_verdicts_of_the_plain_way(queries in vec(query(), 1..4), records in vec(record(), 20)) {
        let sources: Vec<_> = queries.iter().enumerate().map(|(index, query)| source(index, query)).collect();
        compare(&sources, &records)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_hundred_rules_give_the_verdicts_of_the_plain_way(queries in vec(query(), 100), records in vec(record(), 50)) {
        let sources: Vec<_> = queries.iter().enumerate().map(|(index, query)| source(index, query)).collect();
        compare(&sources, &records)?;
    }
}

/// Every record of the deliveries below a folder.
fn deliveries(folder: &Path, records: &mut Vec<String>) {
    for path in fs::read_dir(folder).expect("the samples are there").map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            deliveries(&path, records);
            continue;
        }
        let bytes = fs::read(&path).expect("a sample can be read");
        let (mut input, mut decoder) = (bytes.as_slice(), Decoder::new());
        let mut take = |_, record: Record<'_>| {
            let text = record.expect("samples are records").text().to_vec();
            records.push(String::from_utf8(text).expect("samples are text"));
        };
        while decoder.step(&mut input, &mut take).expect("samples are deliveries") {}
    }
}

#[test]
fn every_rung_gives_the_verdicts_of_the_plain_way_over_the_samples() {
    let mut records = Vec::new();
    deliveries(&repository::path("events/deliveries"), &mut records);
    assert!(records.len() > 10, "{} records", records.len());
    for sources in [embedded(), techniques()] {
        compare(&sources, &records).expect("the verdicts are the same");
    }
    assert!(records.iter().any(|record| !plainly(&embedded(), record).is_empty()), "some sample matches");
}
