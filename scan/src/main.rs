//! The function's detection over local files: `cloudtrail-scan PATH…` prints a signal a line.

mod arguments;
mod content;
mod files;
mod inputs;
mod printing;
mod reading;
mod rules;
mod run;
mod summary;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use detection::detect::Ruleset;
use detection::rule;

use arguments::Arguments;
use reading::{Job, Output};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let Some(rules) = ruleset(arguments.rules.as_deref()) else { return ExitCode::FAILURE };
    if arguments.check {
        eprintln!("{} rules are good", rules.rules().len());
        return ExitCode::SUCCESS;
    }
    let exceptions = arguments.exceptions();
    let output = if arguments.ecs { Output::Documents } else { Output::Signals };
    let job = Job { rules: &rules, exceptions: exceptions.as_ref(), output };
    match run::run(&job, &arguments.paths, io::BufWriter::new(io::stdout().lock())) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            printing::say(&format!("standard output cannot be written: {error}"));
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
