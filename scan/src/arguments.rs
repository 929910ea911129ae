//! The arguments of the command line.

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, error::ErrorKind};
use detection::ecs;
use detection::query::Query;

/// Finds detection signals in CloudTrail files.
///
/// Reads files and folders: deliveries as CloudTrail writes them, arrays of records, or one record a line, compressed
/// with gzip or not. Prints one signal a line on standard output, and a summary on standard error.
///
/// A file in a folder that is neither gzip nor JSON is passed over and named. Exit code 0; 1 if an input failed, a
/// record was rejected, or nothing was read; 2 for wrong usage.
#[derive(Parser)]
#[command(version)]
pub struct Arguments {
    /// Use the rules in this folder instead of the embedded ones.
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
    /// Leave out matches that fulfil this query, as the function does with its own.
    #[arg(long, value_name = "KQL")]
    exceptions: Option<String>,
    /// Print the ECS document of every record instead of signals.
    #[arg(long)]
    pub ecs: bool,
    /// Check the rules and stop.
    #[arg(long)]
    pub check: bool,
    #[command(flatten)]
    pub testing: Testing,
    /// Files and folders.
    #[arg(value_name = "PATH", required_unless_present_any = ["check", "test"])]
    pub paths: Vec<PathBuf>,
}

/// Running the cases of rules.
#[derive(Args)]
pub struct Testing {
    /// Run the cases beside the rules and stop: NAME.cases.jsonl for NAME.toml or NAME.yml.
    #[arg(long, requires = "rules")]
    pub test: bool,
    /// With --test: every rule needs a case that fires, and one that does not.
    #[arg(long, requires = "test")]
    pub strict: bool,
    /// With --test: write the verdicts into this file, as XML in the form of `junit`.
    #[arg(long, value_name = "FILE", requires = "test")]
    pub junit: Option<PathBuf>,
}

impl Arguments {
    /// The query of `--exceptions`. Ends the process if it is not valid.
    pub fn exceptions(&self) -> Option<Query> {
        let text = self.exceptions.as_deref()?;
        let query = Query::parse_satisfiable(text, ecs::field).unwrap_or_else(|errors| {
            let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
            let message = format!("--exceptions cannot be used:\n{}", errors.join("\n"));
            Self::command().error(ErrorKind::ValueValidation, message).exit()
        });
        Some(query)
    }
}
