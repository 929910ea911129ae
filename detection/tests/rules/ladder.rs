//! The ladder against the plain way, which parses the whole record and asks every rule. Its rungs are added one at a
//! time, and each is tried alone: all give the same verdicts, over generated records and over the samples.

use std::fs;
use std::path::{Path, PathBuf};

use detection::detect::{Ruleset, Rungs};
use detection::ecs::{Document, Raw};
use detection::query::{Fields, Scalar};
use detection::records::{self, Decoder, Record};
use detection::rule::{self, Source};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::generated::{detection, eql, query, record, sigma_source, source};
use crate::{repository, techniques};

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

/// The rules that match, found in the plain way.
fn plainly(sources: &[Source], record: &str) -> Vec<String> {
    let record = Plain::new(record);
    let matches = |source: &&Source| {
        source.parse().expect("the rule was read").evaluate(&record).expect("every field is known")
    };
    sources.iter().filter(matches).map(|source| source.definition.rule_id.clone()).collect()
}

/// The ladder without rungs, with one more rung each time, and with each rung alone.
fn ladders() -> Vec<Rungs> {
    let none = Rungs::NONE;
    let head = Rungs { head: true, ..none };
    let mut ladders = Rungs::ladder().map(|(_, rungs)| rungs).to_vec();
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

/// Every record in the deliveries under a folder.
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

/// The Sigma rules from the Sigma tests.
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
fn only_the_records_own_provider_and_action_count_wherever_others_stand() {
    let other = source(1, "not event.provider: lambda.amazonaws.com and not event.action: CreateFunction*");
    let sources = [embedded(), vec![other]].concat();
    let (lambda, s3) = (
        r#""eventSource":"lambda.amazonaws.com","eventName":"CreateFunction20150331""#,
        r#""eventSource":"s3.amazonaws.com","eventName":"GetObject""#,
    );
    let escaped = lambda.replace("eventSource", r"event\u0053ource").replace("eventName", r"event\u004eame");
    let swapped = r#""eventName":"CreateFunction20150331","eventSource":"lambda.amazonaws.com""#;
    let is_lambda = [
        (format!("{{{lambda}}}"), true),
        (format!("{{{swapped}}}"), true),
        (format!("{{{s3}}}"), false),
        (format!(r#"{{"requestParameters":{{{lambda}}},{s3}}}"#), false),
        (format!(r#"{{"requestParameters":{{{s3}}},{lambda}}}"#), true),
        (format!(r#"{{{s3},"requestParameters":{{{lambda}}}}}"#), false),
        (format!(r#"{{{lambda},"requestParameters":{{{s3}}}}}"#), true),
        (format!(r#"{{"requestParameters":{{{lambda}}}}}"#), false),
        (format!("{{{lambda},{s3}}}"), false),
        (format!("{{{s3},{lambda}}}"), true),
        (format!("{{{s3},{escaped}}}"), true),
        (format!("{{{escaped},{s3}}}"), false),
        (format!(r#"{{"note":"{}",{s3}}}"#, lambda.replace('"', "\\\"")), false),
    ];
    for (record, is_lambda) in &is_lambda {
        let expected = if *is_lambda { sources[0].definition.rule_id.as_str() } else { "rule-1" };
        assert_eq!(plainly(&sources, record), [expected], "{record}");
    }
    compare(&sources, &is_lambda.map(|(record, _)| record)).expect("the verdicts are the same");
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
