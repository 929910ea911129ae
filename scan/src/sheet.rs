//! The form in which signals are printed.

use std::io::{self, Write};

use clap::ValueEnum;
use detection::notice::Accounts;
use detection::signal::Signal;

use crate::csv;
use crate::page::Page;
use crate::row::Row;
use crate::table::{Style, Table};

/// `--format`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A signal a line, as JSON: for programs.
    Json,
    /// A line for each distinct signal, and sums: for terminals.
    Table,
    /// Comma-separated values: for spreadsheets.
    Csv,
    /// One page that needs nothing else: for reports.
    Html,
}

/// Signals on their way to standard output. Table and page are written at the end.
pub enum Sheet {
    Json,
    Csv,
    Table(Box<Table>),
    Page(Box<Page>),
}

impl Sheet {
    /// An empty sheet.
    pub fn new(format: Format, style: Style) -> Self {
        match format {
            Format::Json => Self::Json,
            Format::Csv => Self::Csv,
            Format::Table => Self::Table(Box::new(Table::new(style))),
            Format::Html => Self::Page(Box::default()),
        }
    }

    /// Writes what comes before the first signal.
    pub fn begin(&self, out: &mut impl Write) -> io::Result<()> {
        if matches!(self, Self::Csv) { csv::head(out) } else { Ok(()) }
    }

    /// Adds a signal. The forms for people show account names.
    pub fn add(&mut self, out: &mut impl Write, signal: &Signal, accounts: &Accounts) -> io::Result<()> {
        if matches!(self, Self::Json) {
            return writeln!(out, "{}", signal.message);
        }
        // The document of a signal is JSON.
        let Some(row) = Row::of(signal, accounts) else { return Ok(()) };
        match self {
            Self::Json => {}
            Self::Csv => csv::line(out, &row)?,
            Self::Table(table) => table.add(&row),
            Self::Page(page) => page.add(row),
        }
        Ok(())
    }

    /// Writes what is left. `now` is the time of the run.
    pub fn end(self, out: &mut impl Write, now: &str) -> io::Result<()> {
        match self {
            Self::Json | Self::Csv => Ok(()),
            Self::Table(table) => table.write(out),
            Self::Page(page) => page.write(out, now),
        }
    }
}
