//! The files of the repository that this crate is tested with.

use std::fs;
use std::path::{Path, PathBuf};

use detection::detect::Ruleset;
use detection::rule;

/// A file or folder of the repository.
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
