//! The function's detection over local files: `scan PATH…` prints a signal a line.
//!
//! Exit code 0; 1 if an input failed or a record was rejected (everything else is still done); 2 for wrong usage.

mod files;
mod rules;
mod run;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, error::ErrorKind};
use detection::detect::Ruleset;
use detection::ecs;
use detection::query::Query;

/// Finds detection signals in CloudTrail files.
///
/// Reads files and folders (of .json and .json.gz): deliveries as CloudTrail writes them, arrays of records, or one
/// record a line. Prints one signal a line on standard output, and a summary on standard error.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Use the rules in this folder instead of the embedded ones.
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Leave out matches that fulfil this query, as the function does with its own.
    #[arg(long, value_name = "KQL")]
    exceptions: Option<String>,
    /// Print the ECS document of every record instead of signals.
    #[arg(long)]
    ecs: bool,
    /// Check the rules and stop.
    #[arg(long)]
    check: bool,
    /// Files and folders.
    #[arg(value_name = "PATH", required_unless_present = "check")]
    paths: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let Some(rules) = ruleset(arguments.rules.as_deref(), arguments.check) else { return ExitCode::FAILURE };
    if arguments.check {
        return ExitCode::SUCCESS;
    }
    let exceptions = arguments.exceptions.as_deref().map(|text| {
        Query::parse_satisfiable(text, ecs::field).unwrap_or_else(|errors| {
            let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
            let message = format!("--exceptions cannot be used:\n{}", errors.join("\n"));
            Arguments::command().error(ErrorKind::ValueValidation, message).exit()
        })
    });
    let output = if arguments.ecs { run::Output::Documents } else { run::Output::Signals };
    let job = run::Job { rules: &rules, exceptions: exceptions.as_ref(), output };
    match run::run(&job, &arguments.paths, &mut io::BufWriter::new(io::stdout().lock())) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to tell if standard error is gone too.
            let _ = writeln!(io::stderr(), "standard output cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The embedded rules or those of a folder, unless one is wrong, or cannot be run and is not only checked. Says on
/// standard error what keeps them from being used.
fn ruleset(folder: Option<&Path>, check: bool) -> Option<Ruleset> {
    let Some(folder) = folder else {
        let rules = rules::embedded();
        if check {
            eprintln!("{}", good(rules.rules().len()));
        }
        return Some(rules);
    };
    let rules::Folder { reading, ignored } =
        rules::read(folder).map_err(|error| eprintln!("{error}")).ok()?;
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
        eprintln!("{}: no rule (*.toml with a [rule]) in it, at any depth", folder.display());
        return None;
    }
    if check {
        let (not_run, no_rule) = (reading.not_run.len(), reading.no_rule);
        let good = good(reading.rules.len());
        eprintln!("{good}; not run: {not_run}; TOML without a rule: {no_rule}; other files: {ignored}");
    } else if !reading.not_run.is_empty() {
        eprintln!("take out of {} what cannot be run", folder.display());
        return None;
    }
    Ruleset::new(reading.rules).ok()
}

fn good(rules: usize) -> String {
    format!("{} {} good", count(rules, "rule"), if rules == 1 { "is" } else { "are" })
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
