//! Any bytes, read as a record: the ladder gives the same verdict as the straightforward path, and a match becomes a
//! signal of the right size.

#![no_main]

use std::sync::LazyLock;

use detection::ecs::Document;
use detection::records;
use detection::origin::Origin;
use detection::detect::Ruleset;
use detection::rule;
use detection::signal::{MAX_BYTES, Signal};
use libfuzzer_sys::fuzz_target;

const SEED: &str = include_str!("../../rules/aws_lambda_function_created_or_updated.toml");

static RULES: LazyLock<Ruleset> = LazyLock::new(|| {
    let seed = rule::read([("seed", SEED.to_owned())]).all().expect("the rule is good");
    Ruleset::new(seed).expect("its query is good")
});

fuzz_target!(|record: &[u8]| {
    let repaired = records::repaired(record);
    let mut detector = RULES.detector();
    let verdict = match (detector.detect(record), &repaired) {
        (Err(_), Some(repaired)) => detector.detect(&repaired[..]),
        (verdict, _) => verdict,
    };
    if let Ok(Some(matched)) = &verdict {
        let whole = Document::from_record(records::parse(record).expect("a match is JSON"));
        assert_eq!(*matched.document(), whole);
    }
    let Ok(fields) = records::parse(record) else {
        assert!(!matches!(verdict, Ok(Some(_))), "what is no JSON object cannot match");
        return;
    };
    let document = Document::from_record(fields);
    let plain: Vec<_> = RULES.rules().iter().filter(|rule| rule.matches(&document)).collect();
    let verdict = verdict.expect("a JSON object is not rejected");
    let fast = verdict.map(|matched| matched.rules).unwrap_or_default();
    assert_eq!(fast.len(), plain.len());
    for rule in plain {
        let signal = Signal::new(&rule.definition, &document, record, &Origin::EventBridge, "2026-11-23T10:00:00Z", &Default::default());
        assert!(signal.attributes.len() <= 10);
        assert!(signal.subject.len() <= 100 && signal.subject.is_ascii());
        assert!(signal.bytes() <= MAX_BYTES || record.len() > MAX_BYTES / 8, "{} bytes", signal.bytes());
    }
});
