//! Signals as comma-separated values, one line each, for spreadsheets.

use std::io::{self, Write};

use crate::row::Row;

const COLUMNS: [&str; 17] = [
    "time",
    "severity",
    "rule",
    "rule_id",
    "author",
    "principal",
    "session",
    "account",
    "region",
    "action",
    "outcome",
    "target",
    "source",
    "user_agent",
    "file",
    "event_id",
    "signal_id",
];

/// Writes the names of the columns.
pub fn head(out: &mut impl Write) -> io::Result<()> {
    write!(out, "{}\r\n", COLUMNS.join(","))
}

/// Writes a signal.
pub fn line(out: &mut impl Write, row: &Row) -> io::Result<()> {
    let cells: [&str; COLUMNS.len()] = [
        &row.time,
        row.severity.as_str(),
        &row.rule,
        &row.rule_id,
        &row.author,
        &row.principal,
        &row.session,
        &row.account,
        &row.region,
        &row.action,
        &row.outcome,
        &row.target,
        &row.source,
        &row.agent,
        &row.file,
        &row.event_id,
        &row.id,
    ];
    write!(out, "{}\r\n", cells.map(cell).join(","))
}

/// A cell that no spreadsheet takes for a formula: an apostrophe goes before a character that starts one.
fn cell(text: &str) -> String {
    let starts_formula = text.starts_with(['=', '+', '-', '@', '|', '%', '＝', '＋', '－', '＠', '\t', '\r']);
    let text = if starts_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', ';', '\'', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}
