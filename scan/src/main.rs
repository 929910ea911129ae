//! The function's detection over local files: `scan PATH…` prints a signal a line.
//!
//! Exit code 0; 1 if an input failed or a record was rejected (everything else is still done); 2 for wrong usage.

mod files;
mod rules;
mod run;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, error::ErrorKind};
use detection::detect::Ruleset;
use detection::ecs;
use detection::query::Query;
use detection::rule;

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
    let Some(rules) = ruleset(arguments.rules.as_deref()) else { return ExitCode::FAILURE };
    if arguments.check {
        eprintln!("{} rules are good", rules.rules().len());
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

/// The embedded rules or those of a folder; says on standard error what is wrong with them.
fn ruleset(folder: Option<&std::path::Path>) -> Option<Ruleset> {
    let Some(folder) = folder else { return Some(rules::embedded()) };
    let texts = files::rules(folder).map_err(|error| eprintln!("{error}")).ok()?;
    let read = rule::read(texts).map_err(|errors| {
        for error in &errors {
            eprintln!("{error}\n");
        }
        eprintln!("{} mistakes in the rules", errors.len());
    });
    let read = read.ok()?;
    for warning in &read.warnings {
        eprintln!("warning: {warning}");
    }
    Ruleset::new(read.rules).ok()
}
