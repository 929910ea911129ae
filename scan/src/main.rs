//! The function's detection over local files: `cloudtrail-scan PATH…` prints one signal per line.

mod arguments;
mod cases;
mod check;
mod content;
mod counts;
mod csv;
mod event_pattern;
mod explain;
mod forecast;
mod import;
mod inputs;
mod memory;
mod page;
mod printing;
mod reading;
mod report;
mod row;
mod rules;
mod run;
mod selection;
mod sheet;
mod summary;
mod table;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use clap::Parser;
use detection::bundle::{Bundle, Embedded};
use detection::detect::Ruleset;
use rules_folder::Folder;

use arguments::Arguments;
use reading::{Job, Output};

/// A signal is five to ten thousand bytes long.
const OUTPUT_BYTES: usize = 64 * 1024;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = |is_good| if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if arguments.testing.test {
        return outcome(test(&arguments));
    }
    if arguments.check {
        return outcome(check(&arguments));
    }
    if let Some(file) = &arguments.bundle {
        return outcome(bundle(&arguments, file));
    }
    if let Some([source, target]) = arguments.importing.import.as_deref() {
        return outcome(import(source, target, arguments.importing.all));
    }
    let Some(mut bundle) = rules::chosen(arguments.rules.as_deref(), arguments.embedded) else {
        return ExitCode::FAILURE;
    };
    bundle.exceptions.extend(arguments.exceptions(&bundle.rules));
    // Every query has already been parsed.
    let Ok(rules) = Ruleset::of_bundle(bundle) else { return ExitCode::FAILURE };
    if arguments.event_pattern {
        return outcome(event_pattern::print(&rules));
    }
    if let Some([rule, event]) = arguments.explain.as_deref() {
        return explain(&rules, rule, event, &arguments.paths);
    }
    let output = if arguments.ecs { Output::Documents } else { Output::Signals };
    let (selection, max_per_day) = (arguments.selection(), arguments.max_per_day);
    let job = Job { rules: &rules, output, selection, max_per_day };
    let output = io::BufWriter::with_capacity(OUTPUT_BYTES, io::stdout().lock());
    match run::run(&job, &arguments.history, &arguments.paths, arguments.sheet(), output) {
        Ok(is_good) => outcome(is_good),
        // The reader of standard output has closed it, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            printing::say(&format!("standard output cannot be written: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints the query of a rule over one event.
fn explain(rules: &Ruleset, rule: &str, event: &str, paths: &[PathBuf]) -> ExitCode {
    match explain::explain(rules, rule, event, paths) {
        Ok(text) => {
            let _ = io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(problem) => {
            printing::say(&problem);
            ExitCode::FAILURE
        }
    }
}

/// Prints what is in the rules. Returns whether nothing is wrong.
fn check(arguments: &Arguments) -> bool {
    let Some(folder) = &arguments.rules else {
        let rules = rules::embedded(arguments.embedded.unwrap_or_default()).rules;
        print(&check::rules(&rules));
        eprintln!("{}", check::good(rules.len()));
        return true;
    };
    let Some(folder) = folder_of(folder) else { return false };
    let is_good = rules::say_mistakes(&folder);
    print(&check::table(&folder));
    if is_good {
        let reading = &folder.contents.reading;
        let (not_run, no_rule, ignored) = (reading.not_run.len(), reading.no_rule, folder.ignored);
        let good = check::good(reading.rules.len());
        eprintln!("{good}; not run: {not_run}; no rule: {no_rule}; other files: {ignored}");
    }
    is_good
}

/// Writes the bundle of a folder of rules. Returns whether it was written.
fn bundle(arguments: &Arguments, file: &Path) -> bool {
    let Some(bundle) = arguments.rules.as_deref().and_then(folder_of).and_then(rules::bundle) else {
        return false;
    };
    let text = bundle.text();
    if text.len() as u64 > detection::bundle::MAX_BYTES {
        eprintln!("{}: {} bytes are more than the function reads", file.display(), text.len());
        return false;
    }
    if let Err(error) = fs::write(file, text) {
        eprintln!("{}: {error}", file.display());
        return false;
    }
    let Bundle { files, rules, exceptions, accounts, routes, .. } = bundle;
    eprintln!(
        "{}: {}, {}, {}, {} of {}",
        file.display(),
        count(rules.len(), "rule"),
        count(exceptions.len(), "exception"),
        count(accounts.len(), "account name"),
        count(routes.len(), "route"),
        count(files.count, "file"),
    );
    true
}

/// Copies rules. Returns whether nothing is wrong in the folder they are from.
fn import(source: &Path, target: &Path, all: bool) -> bool {
    let Some(folder) = folder_of(source) else { return false };
    let is_good = rules::say_mistakes(&folder);
    match import::import(&folder, target, all) {
        Ok(imported) => eprintln!("{}", imported.summary(target)),
        Err(error) => {
            eprintln!("{error}");
            return false;
        }
    }
    is_good
}

fn folder_of(path: &Path) -> Option<Folder> {
    rules::read(path).map_err(|error| eprintln!("{error}")).ok()
}

/// Prints on standard output. If nobody reads it, the exit code still shows the outcome.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

/// Runs the cases of a folder of rules. Returns whether all of them are right.
fn test(arguments: &Arguments) -> bool {
    let folder = arguments.rules.as_deref().and_then(folder_of);
    let Some(folder) = folder.filter(rules::say_mistakes) else { return false };
    let embedded = rules::embedded(arguments.embedded.unwrap_or(Embedded::None)).rules;
    let suites = cases::judge(&folder.contents.reading, &embedded, &folder.cases, arguments.testing.strict);
    print(&report::table(&suites));
    eprintln!("{}", report::summary(&suites));
    if let Some(path) = &arguments.testing.junit
        && let Err(error) = fs::write(path, report::junit(&suites))
    {
        eprintln!("{}: {error}", path.display());
        return false;
    }
    suites.iter().flat_map(|suite| &suite.verdicts).all(|verdict| verdict.wrong.is_none())
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
