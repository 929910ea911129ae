//! The ladder against the plain way, which parses the whole record and asks every rule. Its rungs are added one at a
//! time, and each is tried alone: all give the same verdicts, over generated records and over the samples.

use std::fs;
use std::path::{Path, PathBuf};

use detection::detect::{Ruleset, Rungs};
use detection::ecs::{Document, Raw};
use detection::query::{Fields, Scalar};
use detection::records::{self, Decoder, Record};
use detection::rule::{self, Language, Source};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

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
const OTHERS: [&str; 26] = [
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
    r#"{"note":"a\u000afunction"}"#,
    r#"{"ConsoleLogin":"Success"}"#,
    r#""10.1.2.3""#,
    r#"{"items":[{"cidrIp":"0.0.0.0/0"}]}"#,
    r#"{"userName":"LAMBDA.AMAZONAWS.COM"}"#,
    // Letters that count as s and k where case is ignored.
    "{\"userName\":\"lambda.amazonaw\u{17f}.com\"}",
    r#"{"userName":"lambda.amazonaw\u017f.com","note":"to\u212aen"}"#,
    "{\"note\":\"to\u{212a}en\"}",
    r#"{"items":[{"userName":"TOKEN"}],"note.text":{"path":"C:\\users"}}"#,
    r#"{"note":{"text":["a",null,"token"]}}"#,
    r#"{"n\u006fte":{"text":"Token"}}"#,
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
        "aws.cloudtrail.flattened.request_parameters.note.text: *",
        "not aws.cloudtrail.flattened.request_parameters.note: *",
        "aws.cloudtrail.flattened.response_elements.items.userName: (TOKEN or token)",
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

/// A Sigma rule with any of these detections.
fn sigma_source(index: usize, detection: &str) -> Source {
    let mut source = source(index, detection);
    source.language = Language::Sigma;
    source.parse().unwrap_or_else(|errors| panic!("{detection}: {}", errors[0]));
    source
}

/// A detection of a Sigma rule, as JSON: fields that a head knows in any case and in their own, and others.
fn detection() -> impl Strategy<Value = String> {
    let field = |name: &'static str, words: &'static [&'static str]| {
        let modifiers =
            select(&["", "|cased", "|contains", "|startswith", "|endswith|cased", "|contains|cased"][..]);
        let written = |word: &str, form: u8| match form {
            0 => word.to_owned(),
            1 => word.to_uppercase(),
            2 => word.chars().take(word.len() / 2).chain(['*']).collect(),
            _ => word.chars().skip(word.len() / 3).collect(),
        };
        let values = vec((select(words), 0..4_u8).prop_map(move |(word, form)| written(word, form)), 1..3);
        (modifiers, values)
            .prop_map(move |(modifiers, values)| json!({(format!("{name}{modifiers}")): values}))
    };
    let fixed = select(vec![
        json!({"eventName": null}),
        json!({"eventSource|exists": "true"}),
        json!({"eventSource": "-"}),
        json!({"eventName": ""}),
        json!({"errorCode": "AccessDenied"}),
        json!({"requestParameters|contains": "username"}),
        json!({"requestParameters|contains|cased": "nfunction"}),
        json!({"requestParameters.userName|fieldref": "eventSource"}),
        json!({"requestParameters.userName|re": "^lambda"}),
        json!({"requestParameters.items.userName": "*"}),
        json!({"requestParameters.note.text|exists": "true"}),
        json!({"requestParameters.note": null}),
        json!({"requestParameters.note": "token"}),
        json!({"requestParameters|contains": "TOKEN"}),
        json!({"requestParameters|contains|cased": ["token", "Create"]}),
        json!({"responseElements.note.text|contains": ["OKEN", "lambda"]}),
        json!(["token"]),
        json!({"sourceIPAddress|cidr": "10.0.0.0/8"}),
        json!(["createfunction", "ROOT"]),
    ]);
    let part = prop_oneof![
        3 => field("eventSource", &PROVIDERS),
        3 => field("eventName", &ACTIONS),
        1 => field("requestParameters.userName", &PROVIDERS),
        2 => fixed,
    ];
    let condition = select(vec![
        "a",
        "not a",
        "a and b",
        "a or b",
        "a and not b",
        "1 of them",
        "a and (b or c)",
        "not (a or b) or c",
    ]);
    (part.clone(), part.clone(), part, condition)
        .prop_map(|(a, b, c, condition)| json!({"a": a, "b": b, "c": c, "condition": condition}).to_string())
}

/// An EQL query, with fields that a head knows and others, and functions under `not`.
fn eql() -> impl Strategy<Value = String> {
    let quoted = |text: &str| json!(text).to_string();
    let action = select(&ACTIONS[..]);
    let provider = select(&PROVIDERS[..]);
    let sign = select(vec!["==", "!=", ":", "like", "like~"]);
    let fixed = select(vec![
        "event.outcome == \"success\"",
        "event.action != null",
        "user.name == null",
        "user.name == event.provider",
        "event.action regex~ \"create.*\"",
        "event.provider regex \"[a-z]+\\\\.amazonaws.com\"",
        "not stringContains(aws.cloudtrail.request_parameters, \"userName\")",
        "not startsWith(user.name, \"lambda\", \"Create\")",
        "stringContains(aws.cloudtrail.request_parameters, event.provider)",
        "not endsWith~(event.action, \"V2\")",
        "length(event.action) > 12",
        "cidrMatch(source.ip, \"10.0.0.0/8\")",
        "not cidrMatch(source.ip, \"10.0.0.0/8\")",
        "user.name : \"*TOKEN*\"",
        "aws.cloudtrail.flattened.request_parameters.note.text like~ \"t?ken\"",
        "event.action in~ (\"createfunction\", \"CONSOLELOGIN\")",
        "event.action not in (\"CreateFunction20150331\", \"ConsoleLogin\")",
        "?aws.nothing == \"x\"",
        "true",
    ])
    .prop_map(str::to_owned);
    let leaf = prop_oneof![
        2 => (provider, sign.clone()).prop_map(move |(text, sign)| format!("event.provider {sign} {}", quoted(text))),
        2 => (action.clone(), sign).prop_map(move |(text, sign)| format!("event.action {sign} {}", quoted(text))),
        1 => action.prop_filter("a function takes no empty text", |text| !text.is_empty())
            .prop_map(move |text| format!("stringContains(event.action, {})", quoted(&text[text.len() / 2..]))),
        3 => fixed,
    ];
    let condition = leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            3 => vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" and "))),
            2 => vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" or "))),
            1 => inner.prop_map(|part| format!("not {part}")),
        ]
    });
    (select(vec!["any", "iam", "authentication"]), condition)
        .prop_map(|(category, condition)| format!("{category} where {condition}"))
}

/// A record and its document together: they know every field of every language.
struct Plain {
    record: Map<String, Value>,
    document: Document,
}

impl Plain {
    fn new(record: &str) -> Self {
        let map = records::parse(record.as_bytes()).expect(record);
        Self { document: Document::from_record(map.clone()), record: map }
    }
}

impl Fields for Plain {
    fn any(&self, name: &str, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        self.document.any(name, test)
    }

    fn any_in_record(&self, path: Option<&str>, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        Raw(&self.record).any_in_record(path, test)
    }
}

/// The rules that match, by the plain way.
fn plainly(sources: &[Source], record: &str) -> Vec<String> {
    let record = Plain::new(record);
    let matches = |source: &&Source| {
        source.parse().expect("the rule was read").evaluate(&record).expect("every field is known")
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
    ladders.push(Rungs { search: true, ..ladders[3] });
    ladders.push(Rungs { literals: true, ..ladders[4] });
    ladders.push(Rungs::ALL);
    let alone = [
        Rungs { prefilter: true, ..none },
        Rungs { literals: true, ..none },
        head,
        Rungs { candidates: true, ..head },
        Rungs { search: true, ..head },
        Rungs { search: true, candidates: true, ..head },
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
    fn rules_of_two_languages_give_the_verdicts_of_the_plain_way(
        detections in vec(detection(), 1..4), queries in vec(query(), 0..2), records in vec(record(), 20),
    ) {
        let elastic = queries.iter().enumerate().map(|(index, query)| source(index, query));
        let sigma = detections.iter().enumerate().map(|(index, detection)| sigma_source(index + 10, detection));
        compare(&elastic.chain(sigma).collect::<Vec<_>>(), &records)?;
    }

    #[test]
    fn rules_in_eql_give_the_verdicts_of_the_plain_way(
        eql in vec(eql(), 1..4), queries in vec(query(), 0..2), records in vec(record(), 20),
    ) {
        let elastic = queries.iter().enumerate().map(|(index, query)| source(index, query));
        let eql = eql.iter().enumerate().map(|(index, query)| crate::eql::source(index, query));
        compare(&elastic.chain(eql).collect::<Vec<_>>(), &records)?;
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

    #[test]
    fn many_rules_of_three_languages_give_the_verdicts_of_the_plain_way(
        detections in vec(detection(), 20), queries in vec(query(), 10), eql in vec(eql(), 10), records in vec(record(), 30),
    ) {
        let elastic = queries.iter().enumerate().map(|(index, query)| source(index, query));
        let sigma = detections.iter().enumerate().map(|(index, detection)| sigma_source(index + 100, detection));
        let eql = eql.iter().enumerate().map(|(index, query)| crate::eql::source(index + 200, query));
        compare(&elastic.chain(sigma).chain(eql).collect::<Vec<_>>(), &records)?;
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

/// The Sigma rules of the tests of that language.
fn corpus() -> Vec<Source> {
    let folder = repository::path("detection/tests/sigma/rules");
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("the rules are there").map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let text =
        |path: &PathBuf| (path.display().to_string(), fs::read_to_string(path).expect("rules are text"));
    rule::read(paths.iter().map(text)).all().expect("the rules are good")
}

#[test]
fn every_rung_gives_the_verdicts_of_the_plain_way_over_the_samples() {
    let mut records = Vec::new();
    deliveries(&repository::path("events/deliveries"), &mut records);
    assert!(records.len() > 10, "{} records", records.len());
    for sources in [embedded(), techniques(), corpus(), [techniques(), corpus()].concat()] {
        compare(&sources, &records).expect("the verdicts are the same");
    }
    assert!(records.iter().any(|record| !plainly(&embedded(), record).is_empty()), "some sample matches");
}

#[test]
fn a_text_that_an_escape_of_an_objects_json_begins_is_not_ruled_out() {
    let detection =
        |word: &str| json!({"a": {"requestParameters|contains|cased": word}, "condition": "a"}).to_string();
    let record = |text: &str| format!(r#"{{"requestParameters":{{"note":"a{text}function"}}}}"#);
    for (word, text) in [
        ("nfunction", "\\u000a"),
        (r"a\nfunction", "\\u000a"),
        ("u001ffunction", "\\u001F"),
        ("1ffunction", "\\u001F"),
    ] {
        let (source, record) = (sigma_source(0, &detection(word)), record(text));
        assert_eq!(plainly(std::slice::from_ref(&source), &record).len(), 1, "{word} in {record}");
        compare(&[source], &[record]).expect("the verdicts are the same");
    }
}

#[test]
fn a_word_in_another_case_or_with_a_letter_beyond_ascii_is_not_ruled_out() {
    let detections = [
        json!({"requestParameters.note|contains": "token"}),
        json!({"requestParameters.note|startswith": "TOKEN"}),
        json!({"requestParameters.note|endswith": "sToken"}),
        json!({"userAgent|contains": "mask"}),
        json!(["tokens"]),
    ];
    let records = [
        r#"{"requestParameters":{"note":"ToKeN of"}}"#,
        "{\"requestParameters\":{\"note\":\"to\u{212a}en\u{17f}to\u{212a}en\"}}",
        r#"{"requestParameters":{"note":"to\u212Aen\u017Fto\u212aen"}}"#,
        r#"{"requestParameters":[{"no\u0074e":["masks","TOKENSTOKEN"]}]}"#,
        "{\"userAgent\":\"ma\u{17f}\u{212a}\"}",
    ];
    let records = records.map(str::to_owned);
    let detections = detections.map(|part| json!({"a": part, "condition": "a"}).to_string());
    let matched = |detection: &String| {
        let source = sigma_source(0, detection);
        let matched =
            records.iter().filter(|record| !plainly(std::slice::from_ref(&source), record).is_empty());
        let matched = matched.count();
        compare(&[source], &records).expect("the verdicts are the same");
        matched
    };
    assert_eq!(detections.each_ref().map(matched), [4, 4, 3, 1, 3]);
}
