//! The arguments of the command line.

use std::env;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, error::ErrorKind};
use detection::bundle::{Embedded, Exception};
use detection::ecs;
use detection::query::Query;
use detection::rule::Source;
use jiff::Timestamp;

use crate::rules;
use crate::selection::{self, Selection};
use crate::sheet::{Format, Sheet};
use crate::table::Style;

/// Finds detection signals in CloudTrail files.
///
/// Reads files and folders: deliveries as CloudTrail writes them, arrays of records, or one record a line, compressed
/// with gzip or not. Prints the signals on standard output, and a summary on standard error.
///
/// A file in a folder that is neither gzip nor JSON is passed over and named. Exit code 0; 1 if an input failed, a
/// record was rejected, or nothing was read; 2 for wrong usage.
#[derive(Parser)]
#[command(version)]
pub struct Arguments {
    /// Use the rules in this folder, and its exceptions and account names, instead of the embedded rules.
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
    /// Use these embedded rules, with --rules beside those of the folder: seed (the default), starter or none.
    #[arg(long, value_name = "CHOICE", value_parser = choice)]
    pub embedded: Option<Embedded>,
    /// Leave out matches that these exceptions take out: an exception file, a folder of them, or a query in KQL.
    #[arg(long, value_name = "FILE|DIR|KQL")]
    exceptions: Option<String>,
    /// Learn from these files and folders first: what rules that remember see there is known, and nothing of it is printed.
    /// May be given several times.
    #[arg(long, value_name = "PATH", conflicts_with = "ecs")]
    pub history: Vec<PathBuf>,
    /// Print the ECS document of every record instead of signals.
    #[arg(long)]
    pub ecs: bool,
    /// Check the rules and stop: what is loaded, about something else, not run, and wrong.
    #[arg(long)]
    pub check: bool,
    /// Print the EventBridge pattern that brings the events which the rules need, and stop.
    #[arg(long)]
    pub event_pattern: bool,
    /// Show a rule's query, by the rule's id or name, over one event of the files: each part with the values seen and its verdict.
    #[arg(long, num_args = 2, value_names = ["RULE", "EVENTID"])]
    pub explain: Option<Vec<String>>,
    /// Write the rules, exceptions, account names and routes of --rules into this file for the function, and stop.
    #[arg(long, value_name = "FILE", requires = "rules", conflicts_with_all = ["check", "test", "embedded"])]
    pub bundle: Option<PathBuf>,
    #[command(flatten)]
    pub importing: Importing,
    #[command(flatten)]
    pub testing: Testing,
    /// How signals are printed. The default is a table on a terminal, and JSON elsewhere.
    #[arg(long, value_enum, conflicts_with = "ecs")]
    format: Option<Format>,
    /// Fail if a rule has more signals than this on a day, by the time of the events in UTC.
    #[arg(long, value_name = "N", conflicts_with = "ecs")]
    pub max_per_day: Option<u64>,
    #[command(flatten)]
    choice: Choice,
    /// Files and folders.
    #[arg(
        value_name = "PATH",
        required_unless_present_any = ["check", "event_pattern", "test", "bundle", "import"],
        conflicts_with_all = ["check", "event_pattern", "test", "bundle", "import"]
    )]
    pub paths: Vec<PathBuf>,
}

/// Copying rules out of a collection.
#[derive(Args)]
pub struct Importing {
    /// Copy the rule files that run from one folder into another, with a SOURCE.md about where they are from, and stop.
    #[arg(long, num_args = 2, value_names = ["SRC", "DEST"], conflicts_with_all = ["check", "test", "bundle", "rules", "embedded"])]
    pub import: Option<Vec<PathBuf>>,
    /// With --import: also rules that their author does not yet call ready for production.
    #[arg(long, requires = "import")]
    pub all: bool,
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

/// Which records are looked at. In a copy of a bucket, files are chosen by their paths first.
#[derive(Args)]
struct Choice {
    /// Look at events since this time (2026-11-23T10:05:00Z), or since the beginning of this day in UTC (2026-11-23).
    #[arg(long, value_name = "T", value_parser = selection::since)]
    since: Option<Timestamp>,
    /// Look at events until this time, or until the end of this day in UTC.
    #[arg(long, value_name = "T", value_parser = selection::until)]
    until: Option<Timestamp>,
    /// Look at this account, the one that owns the called resource. May be given several times.
    #[arg(long, value_name = "ID", value_parser = selection::account)]
    account: Vec<String>,
    /// Look at this region. May be given several times.
    #[arg(long, value_name = "NAME")]
    region: Vec<String>,
}

impl Arguments {
    /// Which records are looked at. Exits if there can be none.
    pub fn selection(&self) -> Selection {
        let Choice { since, until, account, region } = &self.choice;
        if let (Some(since), Some(until)) = (since, until)
            && since > until
        {
            Self::command().error(ErrorKind::ValueValidation, "--since is later than --until").exit();
        }
        Selection { since: *since, until: *until, accounts: account.clone(), regions: region.clone() }
    }

    /// The form of the output.
    pub fn sheet(&self) -> Sheet {
        let is_terminal = io::stdout().is_terminal();
        let by_default = if is_terminal { Format::Table } else { Format::Json };
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        let style = Style {
            colour: is_terminal && !is_set("NO_COLOR") && !is_dumb,
            width: terminal_size::terminal_size().filter(|_| is_terminal).map(|(width, _)| width.0.into()),
        };
        Sheet::new(self.format.unwrap_or(by_default), style)
    }

    /// The exceptions of `--exceptions`, which may name `rules`. Exits if they are not valid.
    pub fn exceptions(&self, rules: &[Source]) -> Vec<Exception> {
        let Some(text) = self.exceptions.as_deref() else { return Vec::new() };
        let exceptions = rules::exceptions(text, rules).and_then(|exceptions| {
            for exception in &exceptions {
                Query::parse_satisfiable(&exception.query, ecs::field).map_err(|errors| {
                    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
                })?;
            }
            Ok(exceptions)
        });
        exceptions.unwrap_or_else(|problem| {
            let message = format!("--exceptions cannot be used:\n{problem}");
            Self::command().error(ErrorKind::ValueValidation, message).exit()
        })
    }
}

fn choice(word: &str) -> Result<Embedded, String> {
    word.parse()
}
