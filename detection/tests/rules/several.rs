//! Several rules over one record, and exceptions.

use std::time::{Duration, UNIX_EPOCH};

use detection::bundle::Exception;
use detection::detect::Ruleset;
use detection::origin::Origin;
use detection::pipeline::Pipeline;
use detection::records::Rejection;
use detection::rule;
use detection::signal::Signal;

use crate::refusals::rule_text;

const RECORD: &str = r#"{"eventSource":"lambda.amazonaws.com","eventName":"CreateFunction","eventID":"e-1",
    "userIdentity":{"type":"IAMUser","userName":"ci"}}"#;

fn rules(queries: &[&str]) -> Ruleset {
    let texts = queries.iter().enumerate().map(|(index, query)| {
        let text = rule_text(query).replace("00000000-0000-4000-8000-000000000000", &format!("rule-{index}"));
        (format!("{index}.toml"), text.replace("A Rule", &format!("Rule {index}")))
    });
    let rules = rule::read(texts).all().unwrap_or_else(|errors| panic!("{}", errors[0]));
    Ruleset::new(rules).expect("the rules are good")
}

fn inspect(rules: &Ruleset, records: &[&str], look: impl FnOnce(&Pipeline<'_>)) {
    let origin = Origin::EventBridge;
    let mut pipeline = Pipeline::new(rules, &origin, "2026-11-23T10:05:00Z");
    for (position, record) in (0..).zip(records) {
        pipeline.process(position, Ok(record.as_bytes().into()));
    }
    look(&pipeline);
}

#[test]
fn every_rule_that_matches_gives_a_signal_and_the_record_counts_once() {
    let rules = rules(&[
        "event.action: CreateFunction*",
        "event.action: DeleteFunction*",
        "user.name: ci",
        "not user.name: root",
    ]);
    inspect(&rules, &[RECORD, r#"{"eventName":"Other","userIdentity":{"userName":"root"}}"#], |pipeline| {
        let found: Vec<_> = pipeline.found.iter().map(|signal| signal.rule.as_str()).collect();
        assert_eq!(found, ["rule-0", "rule-2", "rule-3"], "in the order of the files");
        let ids: std::collections::HashSet<_> = pipeline.found.iter().map(|signal| signal.id).collect();
        assert_eq!(ids.len(), 3, "each with an id of its own");
        let counters = pipeline.tally;
        assert_eq!((counters.records, counters.matched, counters.unmatched), (2, 1, 1));
        assert_eq!((counters.signals, counters.suppressed, counters.rejected), (3, 0, 0));
    });
}

#[test]
fn an_exception_takes_out_the_signals_of_every_rule_and_counts_them() {
    let queries = ["event.action: CreateFunction*", "user.name: *"];
    let (without, mut with) = (rules(&queries), rules(&queries));
    with.except(Exception::of_setting("EXCEPTION_QUERY", "user.name: ci".to_owned())).expect("a good query");
    let other = RECORD.replace("\"ci\"", "\"alice\"").replace("e-1", "e-2");
    inspect(&with, &[RECORD, &other], |pipeline| {
        assert_eq!(pipeline.found.len(), 2, "of the record that is no exception");
        assert_eq!(pipeline.suppressed.len(), 2);
        let counters = pipeline.tally;
        assert_eq!((counters.matched, counters.signals, counters.suppressed), (2, 4, 2));
    });
    inspect(&without, &[RECORD], |without| {
        inspect(&with, &[RECORD], |with| {
            let ids: Vec<_> = without.found.iter().map(|signal| signal.id).collect();
            let suppressed: Vec<_> = with.suppressed.iter().map(|suppressed| suppressed.id).collect();
            assert_eq!(suppressed, ids, "a suppressed signal has the id that it would have had");
        });
    });
}

#[test]
fn an_exception_takes_out_only_what_its_rules_find() {
    let mut rules = rules(&["event.action: CreateFunction*", "user.name: *"]);
    let exception = Exception {
        rules: Some(vec!["rule-1".to_owned()]),
        reason: Some("a pipeline".to_owned()),
        ..Exception::of_setting("exceptions/ci.toml", "user.name: ci".to_owned())
    };
    rules.except(exception).expect("a good query");
    inspect(&rules, &[RECORD], |pipeline| {
        let found: Vec<_> = pipeline.found.iter().map(|signal| signal.rule.as_str()).collect();
        assert_eq!(found, ["rule-0"]);
        let [suppressed] = &pipeline.suppressed[..] else { panic!("one is suppressed") };
        let said = (&suppressed.rule_id[..], &suppressed.exception[..], suppressed.reason.as_deref());
        assert_eq!(said, ("rule-1", "exceptions/ci.toml", Some("a pipeline")));
    });
}

#[test]
fn an_exception_that_expires_is_for_events_before_that_day_alone() {
    let mut rules = rules(&["user.name: *"]);
    let exception = Exception {
        expires: Some("2026-12-24".to_owned()),
        ..Exception::of_setting("a.toml", "user.name: ci".to_owned())
    };
    rules.except(exception).expect("a good query");
    let at = |time: &str| RECORD.replacen('{', &format!("{{\"eventTime\":\"{time}\","), 1);
    for (record, is_suppressed) in [
        (at("2026-12-23T23:59:59Z"), true),
        (at("2026-12-24T00:00:00Z"), false),
        (at("2027-01-01T00:00:00Z"), false),
        (at("yesterday"), false),
        (RECORD.to_owned(), false),
    ] {
        inspect(&rules, &[&record], |pipeline| {
            assert_eq!(pipeline.tally.suppressed == 1, is_suppressed, "{record}");
        });
    }
}

#[test]
fn exceptions_that_end_within_two_weeks_are_known() {
    let mut rules = rules(&["user.name: *"]);
    for day in ["2026-11-27", "2026-12-10", "2026-12-11", "2026-11-26"] {
        let exception = Exception {
            expires: Some(day.to_owned()),
            ..Exception::of_setting(day, "user.name: ci".to_owned())
        };
        rules.except(exception).expect("a good query");
    }
    let now = UNIX_EPOCH + Duration::from_secs(1_795_700_000); // 2026-11-26T13:33:20Z
    let ending: Vec<_> = rules.ending(now, 14).map(|exception| exception.file.as_str()).collect();
    assert_eq!(ending, ["2026-11-27", "2026-12-10"]);
}

#[test]
fn a_record_that_is_not_json_is_rejected_only_if_it_could_match() {
    let rules = rules(&["event.provider: lambda.amazonaws.com"]);
    let candidate = r#"{"eventSource":"lambda.amazonaws.com","x":tru}"#;
    let other = r#"{"eventSource":"s3.amazonaws.com","x":tru}"#;
    inspect(&rules, &[candidate, other], |pipeline| {
        assert_eq!((pipeline.tally.rejected, pipeline.tally.unmatched), (1, 1));
        assert_eq!(pipeline.rejections, [(0, Rejection::InvalidJson)]);
    });
}

/// The limit is the JSON parser's, whose recursion it bounds.
#[test]
fn a_record_deeper_than_127_levels_is_rejected_by_that_limit() {
    let rules = rules(&["event.provider: lambda.amazonaws.com and event.outcome: success"]);
    // The record and its parameters add two levels.
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"eventSource":"lambda.amazonaws.com","requestParameters":{{"a":{open}"]]"{close}}}}}"#)
    };
    inspect(&rules, &[&nested(125), &nested(126), &nested(2_000), &nested(1)], |pipeline| {
        assert_eq!((pipeline.tally.matched, pipeline.tally.rejected), (2, 2));
        assert_eq!(pipeline.rejections, [(1, Rejection::TooDeep), (2, Rejection::TooDeep)]);
    });
    assert_eq!(Rejection::TooDeep.to_string(), "the record nests objects and arrays deeper than 127 levels");
}

/// A number can be written in several ways, and a query sees it as the record has it.
#[test]
fn a_name_that_is_a_number_is_compared_as_its_text() {
    let rules = rules(&["event.action: 1.2345E4"]);
    inspect(&rules, &[r#"{"eventName":1.2345E4}"#, r#"{"eventName":12345}"#], |pipeline| {
        assert_eq!((pipeline.tally.matched, pipeline.tally.unmatched), (1, 1));
    });
}

/// A search finds the provider's and the action's keys wherever they are: only the record's own count.
#[test]
fn a_provider_or_action_inside_another_object_is_none_of_the_records() {
    let rules = rules(&[
        "not event.provider: lambda.amazonaws.com",
        "not event.action: *",
        "event.action: CreateFunction",
    ]);
    let rows = [
        (
            r#"{"requestParameters":{"eventSource":"lambda.amazonaws.com"},"eventName":"CreateFunction"}"#,
            vec!["rule-0", "rule-2"],
        ),
        (
            r#"{"eventSource":"lambda.amazonaws.com","requestParameters":{"eventName":"CreateFunction"}}"#,
            vec!["rule-1"],
        ),
        (
            r#"{"eventVersion":"1.11","x":[{"eventName":"CreateFunction","eventSource":"lambda.amazonaws.com"}]}"#,
            vec!["rule-0", "rule-1"],
        ),
        (r#"{"eventSource":"lambda.amazonaws.com","eventName":"CreateFunction"}"#, vec!["rule-2"]),
        (r#"{"eventSource":"-","eventName":"none"}"#, vec!["rule-0", "rule-1"]),
    ];
    for (record, expected) in rows {
        inspect(&rules, &[record], |pipeline| {
            let found: Vec<_> = pipeline.found.iter().map(|signal| signal.rule.as_str()).collect();
            assert_eq!(found, expected, "{record}");
        });
    }
}

/// The caller may take what was found after any record, and counting restarts from there.
#[test]
fn a_pipeline_is_full_at_256_kib_of_signals_and_empty_once_they_are_taken() {
    let rules = rules(&["event.action: CreateFunction*"]);
    let origin = Origin::EventBridge;
    let mut pipeline = Pipeline::new(&rules, &origin, "2026-11-23T10:05:00Z");
    let record = RECORD.replace("\"ci\"", &format!("\"{}\"", "x".repeat(3_000)));
    let mut taken = 0;
    for position in 0..500 {
        pipeline.process(position, Ok(record.as_bytes().into()));
        let bytes: usize = pipeline.found.iter().map(Signal::bytes).sum();
        assert_eq!(pipeline.is_full(), bytes >= 256 * 1024, "{bytes} bytes");
        if pipeline.is_full() {
            taken += std::mem::take(&mut pipeline.found).len();
            assert!(!pipeline.is_full(), "the caller has taken all");
        }
    }
    assert!(taken > 200, "{taken}");
    assert_eq!(pipeline.tally.signals, 500);
}
