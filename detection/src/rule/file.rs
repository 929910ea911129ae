//! Rule files: what they hold, and what keeps them from being rules.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use super::definition::{Language, Source};
use super::elastic::Reader;
use crate::query;

/// A mistake in a rule file, or the reason why a rule cannot be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The file.
    pub file: String,
    /// The place and the reason.
    pub error: query::Error,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.error)
    }
}

impl std::error::Error for Error {}

/// What files hold: rules, and what keeps the others from being one.
#[derive(Debug, Default)]
pub struct Reading {
    /// The rules, in the order of the files.
    pub rules: Vec<Source>,
    /// Every mistake in every file.
    pub errors: Vec<Error>,
    /// Rules without a mistake that cannot be run here, each with the reason.
    pub not_run: Vec<Error>,
    /// Files that hold no rule: TOML without a table `[rule]`.
    pub no_rule: usize,
    /// Parts of the rules that only steer Elastic's stack, one sentence each.
    pub warnings: Vec<String>,
}

impl Reading {
    /// The rules, if every rule of the files can be run.
    ///
    /// # Errors
    /// Every mistake, and every rule that cannot be run.
    pub fn all(self) -> Result<Vec<Source>, Vec<Error>> {
        let problems: Vec<_> = self.errors.into_iter().chain(self.not_run).collect();
        if problems.is_empty() { Ok(self.rules) } else { Err(problems) }
    }
}

/// Reads rule files, given as name and text.
pub fn read<N: Into<String>>(files: impl IntoIterator<Item = (N, String)>) -> Reading {
    let mut reading = Reading::default();
    let mut taken: HashMap<String, String> = HashMap::new();
    for (file, text) in files {
        let file = file.into();
        let Some(mut reader) = Reader::new(&text) else {
            reading.no_rule += 1;
            continue;
        };
        let rule = reader.rule();
        if let Some(id) = reader.id.take() {
            match taken.entry(id.get_ref().clone()) {
                Entry::Vacant(free) => _ = free.insert(file.clone()),
                Entry::Occupied(first) => {
                    let reason = format!("the rule_id {} is taken by {}", first.key(), first.get());
                    reader.refuse(&id.span(), reason);
                }
            }
        }
        let ignored = reader.ignored.into_iter();
        reading.warnings.extend(
            ignored.map(|key| format!("{file}: {key} is ignored: it steers Elastic's stack, or is misspelt")),
        );
        let in_file = |error| Error { file: file.clone(), error };
        let not_run = reader.not_run.into_iter().map(in_file);
        if !reader.mistakes.is_empty() {
            reading.errors.extend(reader.mistakes.into_iter().map(in_file).chain(not_run));
        } else if not_run.len() > 0 {
            reading.not_run.extend(not_run);
        } else {
            reading.rules.extend(rule.map(|(query, definition)| Source {
                file: file.clone(),
                language: Language::Kuery,
                query,
                definition,
            }));
        }
    }
    reading
}
