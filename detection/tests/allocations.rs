//! What a delivery costs in memory, counted instead of timed: the same on every machine.

mod repository;

use std::fs;
use std::path::{Path, PathBuf};

use detection::detect::Ruleset;
use detection::origin::Origin;
use detection::pipeline::Pipeline;
use detection::records::Decoder;
use detection::rule;

/// What the main sample delivery took when this was last measured: 80 records, 8 of which become signals.
const ALLOCATIONS: u64 = 2_676;
const BYTES: u64 = 1_015_390;

#[test]
fn the_sample_delivery_takes_at_most_a_tenth_more_allocations_and_bytes_than_it_did() {
    let delivery = fs::read(sample(Path::new("events/deliveries/AWSLogs"))).expect("the sample is there");
    // As in a function without a table, where the seed rule is alone.
    let rules = repository::embedded().without_memory();
    let mut signals = 0;
    let measured = allocation_counter::measure(|| signals = inspect(&rules, &delivery));
    assert_eq!(signals, 8);
    let (count, bytes) = (measured.count_total, measured.bytes_total);
    assert!(count <= ALLOCATIONS + ALLOCATIONS / 10, "{count} allocations, where {ALLOCATIONS} did");
    assert!(bytes <= BYTES + BYTES / 10, "{bytes} bytes, where {BYTES} did");
    // A limit that is far too high would catch nothing.
    assert!(count >= ALLOCATIONS * 3 / 4 && bytes >= BYTES * 3 / 4, "now {count} allocations, {bytes} bytes");
}

/// A rule that ignores case needs the record's text without case, in every record.
#[test]
fn records_that_a_search_rules_out_take_no_memory_of_their_own() {
    const RULE: &str = r#"{"title":"A rule","id":"00000000-0000-4000-8000-000000000001","status":"test","description":"A rule.",
        "author":"tests","logsource":{"product":"aws","service":"cloudtrail"},"level":"low",
        "detection":{"selection":{"userAgent|contains":["kali","parrot"]},"condition":"selection"}}"#;
    let rules = rule::read([("rule.yml", RULE.to_owned())]).all().expect("a good rule");
    let rules = Ruleset::new(rules).expect("a good query");
    let mut detector = rules.detector();
    let record = |agent: &str| {
        let parameters = format!(r#"{{"a":"{}"}}"#, "x".repeat(2_000));
        let names = r#""eventSource":"s3.amazonaws.com","eventName":"GetObject""#;
        format!(r#"{{{names},"userAgent":"{agent}","requestParameters":{parameters}}}"#)
    };
    assert!(detector.detect(record("KALI").as_bytes()).expect("it is JSON").is_some());
    let other = record("aws-cli");
    assert!(detector.detect(other.as_bytes()).expect("it is JSON").is_none());
    let measured = allocation_counter::measure(|| {
        for _ in 0..100 {
            assert!(detector.detect(other.as_bytes()).expect("it is JSON").is_none());
        }
    });
    assert_eq!(measured.count_total, 0);
}

fn inspect(rules: &Ruleset, delivery: &[u8]) -> usize {
    let origin = Origin::File("sample".to_owned());
    let mut pipeline = Pipeline::new(rules, &origin, "2026-11-23T10:10:00Z");
    let mut decoder = Decoder::new();
    let mut input = delivery;
    while decoder
        .step(&mut input, &mut |position, record| pipeline.process(position, record))
        .expect("it is whole")
    {}
    decoder.finish().expect("it is whole");
    pipeline.found.len()
}

/// The largest delivery below a folder.
fn sample(folder: &Path) -> PathBuf {
    let mut largest = (0, PathBuf::new());
    let mut folders = vec![repository::path(folder.to_str().expect("it is text"))];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let size = entry.metadata().expect("a file").len();
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if size > largest.0 {
                largest = (size, entry.path());
            }
        }
    }
    largest.1
}
