//! Copies rule files that run here from another collection, and notes where they are from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use detection::rule::{self, Source};
use rules_folder::Folder;

use crate::summary::count;

const NOTES: &str = "SOURCE.md";

/// What was copied, and what was left out.
pub struct Imported {
    files: usize,
    not_run: usize,
    not_ready: usize,
}

/// Copies the rule files of `source` whose rules all run into `target`, unchanged. With `all`, also those that are not
/// for production.
///
/// # Errors
/// A file that cannot be read or written, or a target that holds something else. The error names the path.
pub fn import(source: &Folder, target: &Path, all: bool) -> Result<Imported, String> {
    let is_free = !target.join(NOTES).exists()
        && fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_some());
    if is_free {
        return Err(format!("{}: neither an empty folder nor an earlier import", target.display()));
    }
    let reading = &source.contents.reading;
    let left: BTreeSet<_> =
        reading.errors.iter().chain(&reading.not_run).map(|error| error.file.as_str()).collect();
    let mut files: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for rule in reading.rules.iter().filter(|rule| !left.contains(rule.file.as_str())) {
        files.entry(&rule.file).or_default().push(rule);
    }
    let found = files.len();
    if !all {
        let mut ready = BTreeMap::new();
        for (file, rules) in files {
            let text = fs::read_to_string(file).map_err(named(Path::new(file)))?;
            if rule::is_for_production(&text) {
                ready.insert(file, rules);
            }
        }
        files = ready;
    }
    for file in files.keys() {
        let to = target.join(relative(source, file));
        fs::create_dir_all(to.parent().unwrap_or(target)).map_err(named(&to))?;
        fs::copy(file, &to).map_err(named(&to))?;
    }
    fs::create_dir_all(target).map_err(named(target))?;
    let notes = target.join(NOTES);
    fs::write(&notes, text(source, &files)).map_err(named(&notes))?;
    Ok(Imported { files: files.len(), not_run: left.len(), not_ready: found - files.len() })
}

impl Imported {
    /// A one-line summary.
    pub fn summary(&self, target: &Path) -> String {
        let Self { files, not_run, not_ready } = self;
        format!(
            "{} copied to {}; left: {not_run} not run or wrong, {not_ready} not for production",
            count(*files as u64, "file"),
            target.display()
        )
    }
}

/// The notes: which files, under which licences, by whom.
fn text(source: &Folder, files: &BTreeMap<&str, Vec<&Source>>) -> String {
    let mut text = String::from(
        "# Where these rules are from\n\nCopied unchanged by `cloudtrail-scan --import`. Keep this file with them: \
         their licences ask for the names of their authors.\n\n| file | rule | licence | authors |\n|---|---|---|---|\n",
    );
    for (file, rules) in files {
        for Source { definition, .. } in rules {
            let license = definition.license.as_deref().unwrap_or("not named in the rule");
            let cells = [&relative(source, file).display().to_string(), &definition.name, license];
            let cells = cells.map(cell);
            // Writing to a string cannot fail.
            _ = writeln!(text, "| {} | {} |", cells.join(" | "), cell(&definition.author.join(", ")));
        }
    }
    text
}

/// Text for a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(char::is_control, " ")
}

fn relative(source: &Folder, file: &str) -> PathBuf {
    let file = Path::new(file);
    file.strip_prefix(&source.path).unwrap_or(file).to_owned()
}

fn named(path: &Path) -> impl Fn(io::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}
