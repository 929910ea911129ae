//! The function's detection over local files: `cloudtrail-scan PATH…` prints a signal a line.

mod arguments;
mod cases;
mod content;
mod counts;
mod csv;
mod event_pattern;
mod explain;
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
use detection::detect::Ruleset;

use arguments::Arguments;
use reading::{Job, Output};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.testing.test {
        return if test(&arguments) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let Some(rules) = ruleset(arguments.rules.as_deref(), arguments.check) else { return ExitCode::FAILURE };
    if arguments.check {
        return ExitCode::SUCCESS;
    }
    if arguments.event_pattern {
        return if event_pattern::print(&rules) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    if let Some([rule, event]) = arguments.explain.as_deref() {
        return explain(&rules, rule, event, &arguments.paths);
    }
    let exceptions = arguments.exceptions();
    let output = if arguments.ecs { Output::Documents } else { Output::Signals };
    let job =
        Job { rules: &rules, exceptions: exceptions.as_ref(), output, selection: arguments.selection() };
    let output = io::BufWriter::new(io::stdout().lock());
    match run::run(&job, &arguments.history, &arguments.paths, arguments.sheet(), output) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
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

/// The embedded rules, or those of a folder. `None` if a rule is wrong, or if one cannot be run and `check` is off;
/// standard error has the reason.
fn ruleset(folder: Option<&Path>, check: bool) -> Option<Ruleset> {
    let Some(folder) = folder else {
        let rules = rules::embedded();
        if check {
            eprintln!("{}", good(rules.rules().len()));
        }
        return Some(rules);
    };
    let rules::Folder { reading, ignored, .. } = without_mistakes(folder)?;
    if check {
        let (not_run, no_rule) = (reading.not_run.len(), reading.no_rule);
        let good = good(reading.rules.len());
        eprintln!("{good}; not run: {not_run}; no rule: {no_rule}; other files: {ignored}");
    } else if !reading.not_run.is_empty() {
        eprintln!("remove the rules that cannot be run from {}", folder.display());
        return None;
    }
    Ruleset::new(reading.rules).ok()
}

/// The content of a folder of rules; `None` if a rule is wrong or there is none. Standard error has what is wrong, what
/// is not run and what is ignored.
fn without_mistakes(folder: &Path) -> Option<rules::Folder> {
    let content = rules::read(folder).map_err(|error| eprintln!("{error}")).ok()?;
    let reading = &content.reading;
    for warning in &reading.warnings {
        eprintln!("warning: {warning}");
    }
    for error in &reading.errors {
        eprintln!("{error}\n");
    }
    for reason in &reading.not_run {
        eprintln!("not run: {reason}\n");
    }
    if !reading.errors.is_empty() {
        eprintln!("{} in the rules", count(reading.errors.len(), "mistake"));
        return None;
    }
    if reading.rules.is_empty() && reading.not_run.is_empty() {
        eprintln!(
            "{}: no rule (*.toml with a [rule], *.yml with a detection for CloudTrail) in it, at any depth",
            folder.display()
        );
        return None;
    }
    Some(content)
}

/// Runs the cases of a folder of rules. Returns whether all of them are right.
fn test(arguments: &Arguments) -> bool {
    let Some(content) = arguments.rules.as_deref().and_then(without_mistakes) else { return false };
    let suites = cases::judge(&content.reading, &content.cases, arguments.testing.strict);
    // If nobody reads it, the exit code still shows the outcome.
    let _ = io::stdout().write_all(report::table(&suites).as_bytes());
    eprintln!("{}", report::summary(&suites));
    if let Some(path) = &arguments.testing.junit
        && let Err(error) = fs::write(path, report::junit(&suites))
    {
        eprintln!("{}: {error}", path.display());
        return false;
    }
    suites.iter().flat_map(|suite| &suite.verdicts).all(|verdict| verdict.wrong.is_none())
}

fn good(rules: usize) -> String {
    format!("{} {} good", count(rules, "rule"), if rules == 1 { "is" } else { "are" })
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
