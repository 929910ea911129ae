//! The rules: embedded in the binary, or read from a folder.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use detection::detect::Ruleset;
use detection::rule::{self, Reading, Source};

use crate::cases;

/// Every rule below `rules/`, checked by the build and written as JSON.
const EMBEDDED: &str = include_str!(concat!(env!("OUT_DIR"), "/rules.json"));

/// Names at the top of a folder of rules that are not rules.
const NO_RULES: [&str; 3] = ["accounts.json", "exceptions", "routes"];

/// The rules compiled into this binary.
///
/// # Panics
/// Never: the build script has read and checked the same text.
#[must_use]
pub fn embedded() -> Ruleset {
    // The build script serialized these types after it had parsed every query.
    let sources: Vec<Source> = serde_json::from_str(EMBEDDED).expect("the build wrote valid rules");
    Ruleset::new(sources).expect("the build parsed every query")
}

/// The content of a folder of rules.
pub struct Folder {
    /// Every rule file in it, at any depth, read in the order of their paths.
    pub reading: Reading,
    /// Files with cases, in the order of their paths.
    pub cases: Vec<PathBuf>,
    /// The number of files that hold neither rules nor cases by their names.
    pub ignored: usize,
}

/// Reads the rules of a folder.
///
/// # Errors
/// A file or folder that cannot be read. The error names its path.
pub fn read(folder: &Path) -> Result<Folder, String> {
    let mut walk = Walk::default();
    walk.seen.extend(fs::canonicalize(folder));
    walk.below(folder, &NO_RULES)?;
    let text =
        |path: &PathBuf| Ok((path.display().to_string(), fs::read_to_string(path).map_err(named(path))?));
    let texts: Vec<_> = walk.rules.iter().map(text).collect::<Result<_, String>>()?;
    Ok(Folder { reading: rule::read(texts), cases: walk.cases, ignored: walk.ignored })
}

#[derive(Default)]
struct Walk {
    rules: Vec<PathBuf>,
    cases: Vec<PathBuf>,
    ignored: usize,
    /// Resolved paths, so that each file and folder is read once.
    seen: HashSet<PathBuf>,
}

impl Walk {
    fn below(&mut self, folder: &Path, skipped: &[&str]) -> Result<(), String> {
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = entries.map_err(named(folder))?;
        entries.retain(|entry| !skipped.iter().any(|name| entry.file_name() == *name));
        entries.sort_by_key(fs::DirEntry::file_name);
        for path in entries.iter().map(fs::DirEntry::path) {
            let (is_rule, has_cases) = (rule::is_rule_file(&path), cases::are_in(&path));
            if !path.is_dir() && !is_rule && !has_cases {
                self.ignored += 1;
            } else if self.seen.insert(fs::canonicalize(&path).map_err(named(&path))?) {
                if path.is_dir() {
                    self.below(&path, &[])?;
                } else if is_rule {
                    self.rules.push(path);
                } else {
                    self.cases.push(path);
                }
            }
        }
        Ok(())
    }
}

fn named(path: &Path) -> impl Fn(io::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}
