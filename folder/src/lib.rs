//! The files of a folder of rules: the build reads `rules/` with it, and `cloudtrail-scan` the folder of `--rules`.
//!
//! `exceptions/`, `routes/` and `accounts.json` at the top are what their names say. Every other `*.toml`, `*.yml` and
//! `*.yaml`, at any depth, is a rule file, and `NAME.cases.jsonl` holds its cases. Anything else is counted.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use detection::bundle::{Bundle, Contents, Texts};
use detection::query;
use detection::rule::{self, Source};

const CASES: &str = ".cases.jsonl";

/// What was found in a folder of rules.
#[derive(Debug, Default)]
pub struct Folder {
    /// The folder.
    pub path: PathBuf,
    /// What its files hold.
    pub contents: Contents,
    /// Files with cases, in the order of their paths.
    pub cases: Vec<PathBuf>,
    /// The number of files that are none of a folder of rules by their names.
    pub ignored: usize,
}

impl Folder {
    /// Reads a folder, without what is named in `skipped` at its top. Exceptions may name the rules in it and `others`.
    ///
    /// # Errors
    /// A file or folder that cannot be read. The error names its path.
    pub fn read(path: &Path, skipped: &[&str], others: &[Source]) -> Result<Self, String> {
        let mut walk = Walk::default();
        walk.seen.extend(fs::canonicalize(path));
        walk.top(path, skipped)?;
        let mut contents = Contents::read(walk.texts, others);
        contents.reading.errors.extend(walk.unreadable);
        Ok(Self { path: path.to_owned(), contents, cases: walk.cases, ignored: walk.ignored })
    }

    /// The bundle of the folder, if every file is good and every rule can be run.
    ///
    /// # Errors
    /// Every mistake, and every rule that cannot be run.
    pub fn bundle(self) -> Result<Bundle, Vec<rule::Error>> {
        self.contents.bundle(&self.path.display().to_string())
    }
}

/// Reads an exception file, or those of a folder, which may name `rules`.
///
/// # Errors
/// A file or folder that cannot be read. The error names its path.
pub fn exceptions(path: &Path, rules: &[Source]) -> Result<Contents, String> {
    let exceptions = if path.is_dir() { Walk::default().list(path)? } else { vec![text(path)?] };
    Ok(Contents::read(Texts { exceptions, ..Texts::default() }, rules))
}

/// Says whether a file holds cases by its name.
#[must_use]
pub fn holds_cases(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().ends_with(CASES.as_bytes()))
}

#[derive(Default)]
struct Walk {
    texts: Texts,
    cases: Vec<PathBuf>,
    /// Rule files that are not text.
    unreadable: Vec<rule::Error>,
    ignored: usize,
    /// Resolved paths, so that each file and folder is read once, however many links lead to it.
    seen: HashSet<PathBuf>,
}

impl Walk {
    fn top(&mut self, folder: &Path, skipped: &[&str]) -> Result<(), String> {
        for path in entries(folder)? {
            match path.file_name().and_then(OsStr::to_str) {
                Some(name) if skipped.contains(&name) => {}
                Some("exceptions") if path.is_dir() => {
                    let texts = self.list(&path)?;
                    self.texts.exceptions = texts;
                }
                Some("routes") if path.is_dir() => {
                    let texts = self.list(&path)?;
                    self.texts.routes = texts;
                }
                Some("accounts.json") if path.is_file() => self.texts.accounts = Some(text(&path)?),
                _ => self.entry(path)?,
            }
        }
        Ok(())
    }

    fn entry(&mut self, path: PathBuf) -> Result<(), String> {
        let (is_rule, holds_cases) = (rule::is_rule_file(&path), holds_cases(&path));
        if !path.is_dir() && !is_rule && !holds_cases {
            self.ignored += 1;
        } else if self.seen.insert(fs::canonicalize(&path).map_err(named(&path))?) {
            if path.is_dir() {
                entries(&path)?.into_iter().try_for_each(|path| self.entry(path))?;
            } else if is_rule {
                self.rule(&path)?;
            } else {
                self.cases.push(path);
            }
        }
        Ok(())
    }

    fn rule(&mut self, path: &Path) -> Result<(), String> {
        match String::from_utf8(fs::read(path).map_err(named(path))?) {
            Ok(text) => self.texts.rules.push((path.display().to_string(), text)),
            Err(error) => {
                let text = String::from_utf8_lossy(error.as_bytes());
                let place = error.utf8_error().valid_up_to();
                let error = query::Error::new(&text, place, "the file is not UTF-8");
                self.unreadable.push(rule::Error { file: path.display().to_string(), error });
            }
        }
        Ok(())
    }

    /// The TOML files of a folder of exceptions or routes.
    fn list(&mut self, folder: &Path) -> Result<Vec<(String, String)>, String> {
        let mut texts = Vec::new();
        for path in entries(folder)? {
            let is_toml = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
            if is_toml && path.is_file() {
                texts.push(text(&path)?);
            } else {
                self.ignored += 1;
            }
        }
        Ok(texts)
    }
}

/// What stands in a folder, sorted by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = entries.map_err(named(folder))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    Ok(entries.iter().map(fs::DirEntry::path).collect())
}

fn text(path: &Path) -> Result<(String, String), String> {
    Ok((path.display().to_string(), fs::read_to_string(path).map_err(named(path))?))
}

fn named(path: &Path) -> impl Fn(io::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}
