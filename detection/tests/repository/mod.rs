//! The repository files that this crate is tested with.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use detection::detect::Ruleset;
use detection::rule;
use jsonschema::Validator;
use serde_json::Value;

/// A file or folder in the repository.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// The rules that the function and the command embed.
#[allow(dead_code, reason = "not every test needs them")]
pub fn embedded() -> Ruleset {
    let mut paths: Vec<_> = fs::read_dir(path("rules"))
        .expect("the folder is there")
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let text =
        |path: &PathBuf| (path.display().to_string(), fs::read_to_string(path).expect("rules are text"));
    let rules = rule::read(paths.iter().map(text)).all().expect("the rules are good");
    Ruleset::new(rules).expect("their queries are good")
}

/// Fails if the schema that receivers are given does not describe a signal's document.
#[allow(dead_code, reason = "not every test makes signals")]
pub fn follows_the_schema(signal: &Value) {
    static SCHEMA: OnceLock<Validator> = OnceLock::new();
    let validator = SCHEMA.get_or_init(|| {
        let schema = fs::read(path("docs/signal.schema.json")).expect("the schema is there");
        let schema = serde_json::from_slice(&schema).expect("the schema is JSON");
        jsonschema::options().should_validate_formats(true).build(&schema).expect("the schema is one")
    });
    let errors: Vec<_> =
        validator.iter_errors(signal).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new(), "{signal}");
}
