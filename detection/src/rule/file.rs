//! Rule files: what they hold, and what keeps them from being rules.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

use super::definition::{Definition, Language, Source};
use super::memory::Memory;
use super::{elastic, loops, sigma};
use crate::query;

/// Longer files are refused before they are parsed: no real rule comes close.
const MAX_BYTES: usize = 1024 * 1024;

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

/// What files hold: rules, and why the rest cannot be used as rules.
#[derive(Debug, Default)]
pub struct Reading {
    /// The rules, in the order of the files.
    pub rules: Vec<Source>,
    /// Every mistake in every file.
    pub errors: Vec<Error>,
    /// Rules without a mistake that cannot be run here, each with the reason.
    pub not_run: Vec<Error>,
    /// Files that hold no rule for CloudTrail: TOML without a table `[rule]` or of another integration than `aws`, YAML
    /// without a detection for CloudTrail.
    pub no_rule: usize,
    /// Parts of the rules that only control the Elastic Stack, one sentence each.
    pub warnings: Vec<String>,
    /// The identifier of every rule, valid or not, with the first file that has it.
    pub ids: HashMap<String, String>,
}

impl Reading {
    /// The rules, if every rule in the files can be run.
    ///
    /// # Errors
    /// Every mistake, and every rule that cannot be run.
    pub fn all(self) -> Result<Vec<Source>, Vec<Error>> {
        let problems: Vec<_> = self.errors.into_iter().chain(self.not_run).collect();
        if problems.is_empty() { Ok(self.rules) } else { Err(problems) }
    }
}

/// Reads rule files, given as name and text. The extension determines how the text is read: `.yml` and `.yaml` are
/// Sigma's, any other is Elastic's.
pub fn read<N: Into<String>>(files: impl IntoIterator<Item = (N, String)>) -> Reading {
    let mut reading = Reading::default();
    let mut texts = HashMap::new();
    for (file, text) in files {
        let file = file.into();
        let read = if text.len() > MAX_BYTES {
            let reason = format!("the file has {} bytes: a rule file has at most {MAX_BYTES}", text.len());
            vec![Read { mistakes: vec![query::Error::new(&text, 0, reason)], ..Read::default() }]
        } else if has_extension(Path::new(&file), &["yml", "yaml"]) {
            sigma::read(&text)
        } else {
            elastic::read(&text).into_iter().collect()
        };
        if read.is_empty() {
            reading.no_rule += 1;
        }
        for rule in read {
            reading.add(&file, &text, rule);
        }
        if reading.rules.last().is_some_and(|rule| rule.on_signals && rule.file == file) {
            texts.insert(file, text);
        }
    }
    reading.refuse_loops(&texts);
    reading
}

/// Returns whether a file's name marks it as a rule file: `.toml`, `.yml` or `.yaml`, in any case.
#[must_use]
pub fn is_rule_file(path: &Path) -> bool {
    has_extension(path, &["toml", "yml", "yaml"])
}

fn has_extension(path: &Path, words: &[&str]) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| words.iter().any(|word| extension.eq_ignore_ascii_case(word)))
}

/// A rule without the file it came from.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) language: Language,
    pub(super) query: String,
    pub(super) on_signals: bool,
    pub(super) memory: Option<Memory>,
    pub(super) definition: Definition,
}

/// What a text says about one rule.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// The rule; not to be used if there is a mistake.
    pub(super) rule: Option<Rule>,
    /// The rule's identifier and where it begins, known even if other things are wrong.
    pub(super) id: Option<(String, usize)>,
    pub(super) mistakes: Vec<query::Error>,
    pub(super) not_run: Vec<query::Error>,
    /// What is ignored, and why.
    pub(super) ignored: Vec<String>,
}

impl Reading {
    /// Refuses rules on signals that could only match the signals of such rules. `texts` holds the text of their files.
    fn refuse_loops(&mut self, texts: &HashMap<String, String>) {
        let on_signals = self.rules.iter().filter(|rule| rule.on_signals);
        let ids = on_signals.clone().map(|rule| rule.definition.rule_id.as_str()).collect();
        let loops = on_signals.filter_map(|rule| Some((rule, loops::reason(rule, &ids)?)));
        let errors = loops.map(|(rule, reason)| {
            let text = texts.get(&rule.file).map(String::as_str).unwrap_or_default();
            let place = text.find(rule.query.trim()).unwrap_or_default();
            Error { file: rule.file.clone(), error: query::Error::new(text, place, reason) }
        });
        let errors: Vec<_> = errors.collect();
        self.rules.retain(|rule| errors.iter().all(|error| error.file != rule.file));
        self.errors.extend(errors);
    }

    fn add(&mut self, file: &str, text: &str, mut read: Read) {
        if let Some((id, place)) = read.id {
            match self.ids.entry(id) {
                Entry::Vacant(free) => _ = free.insert(file.to_owned()),
                Entry::Occupied(first) => {
                    let reason = format!("the rule_id {} is taken by {}", first.key(), first.get());
                    read.mistakes.push(query::Error::new(text, place, reason));
                }
            }
        }
        self.warnings.extend(read.ignored.into_iter().map(|reason| format!("{file}: {reason}")));
        let in_file = |error| Error { file: file.to_owned(), error };
        let not_run = read.not_run.into_iter().map(in_file);
        if !read.mistakes.is_empty() {
            self.errors.extend(read.mistakes.into_iter().map(in_file).chain(not_run));
        } else if not_run.len() > 0 {
            self.not_run.extend(not_run);
        } else {
            self.rules.extend(read.rule.map(|Rule { language, query, on_signals, memory, definition }| {
                Source { file: file.to_owned(), language, query, on_signals, memory, definition }
            }));
        }
    }
}

/// Joins a long text into one line: line breaks and indentation in a file only help people edit it.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
