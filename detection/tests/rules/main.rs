//! Rule files, and what rules make of records.

#[path = "../repository/mod.rs"]
mod repository;

mod embedded;
mod eql;
mod generated;
mod hostile;
mod ladder;
mod memory;
mod refusals;
mod several;
mod techniques;

use std::fs;
use std::path::{Path, PathBuf};

use detection::detect::Ruleset;
use detection::rule::{self, Source};

/// The folder of this test's own rules.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules")
}

/// The names and texts of this test's own rules, in order of name.
fn texts() -> Vec<(String, String)> {
    let mut paths: Vec<_> =
        fs::read_dir(folder()).expect("the folder is there").map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), fs::read_to_string(path).expect("rules are text"))).collect()
}

fn techniques() -> Vec<Source> {
    let reading = rule::read(texts());
    assert_eq!(reading.warnings, Vec::<String>::new());
    reading.all().unwrap_or_else(|errors| panic!("{}", errors[0]))
}

/// The names of the rules that match a record.
fn matching(rules: &Ruleset, record: &str) -> Vec<String> {
    let found = rules.detector().detect(record.as_bytes()).expect(record);
    found.map_or(Vec::new(), |found| found.rules.iter().map(|rule| rule.definition.name.clone()).collect())
}
