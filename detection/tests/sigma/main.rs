//! Sigma rules: what they make of records, what is refused and where, and what an alert document says about them.

mod cases;
mod definitions;
mod hostile;
mod laws;
mod refusals;
mod verdicts;

use std::fs;
use std::path::Path;

use detection::detect::Ruleset;
use detection::rule::{self, Reading, Source};

/// A rule with this `detection` section, whose lines are already indented by two spaces.
fn rule_text(detection: &str) -> String {
    format!(
        "title: A Rule\nid: 6c0f7c1e-3c55-4be5-9a9c-0a8a3b7c1f52\nlogsource:\n  product: aws\n  service: cloudtrail\ndetection:\n{detection}\n"
    )
}

fn read(text: &str) -> Reading {
    rule::read([("rule.yml", text.to_owned())])
}

fn sources(text: &str) -> Vec<Source> {
    read(text).all().unwrap_or_else(|errors| panic!("{}", errors[0]))
}

/// Returns whether any of the rules matches a record.
fn fires(rules: &Ruleset, record: &str) -> bool {
    rules.detector().detect(record.as_bytes()).expect(record).is_some()
}

/// Returns whether a rule with this detection matches a record.
fn detects(detection: &str, record: &str) -> bool {
    fires(&Ruleset::new(sources(&rule_text(detection))).expect("the rule was read"), record)
}

/// Returns whether a field with one value (both as written in YAML) matches a record.
fn compares(field: &str, value: &str, record: &str) -> bool {
    detects(&format!("  selection:\n    {field}: {value}\n  condition: selection"), record)
}

/// This test's own rules, in order of name.
fn corpus() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sigma/rules");
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("the folder is there").map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), fs::read_to_string(path).expect("rules are text"))).collect()
}
