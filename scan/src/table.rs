//! Signals as a table for a terminal: a line for each distinct one, repeats folded and counted, and sums below.

use std::collections::HashMap;
use std::io::{self, Write};

use detection::rule::Severity;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::counts::Counts;
use crate::row::Row;

const TITLES: [&str; 8] = ["TIME", "SEVERITY", "RULE", "PRINCIPAL", "ACCOUNT", "TARGET", "SOURCE", "COUNT"];
/// The columns that become narrower if the terminal is too narrow, and how narrow they may become.
const FLEXIBLE: [(usize, usize); 4] = [(2, 12), (3, 8), (5, 8), (6, 9)];
/// The widest cell.
const MAX_WIDTH: usize = 60;
/// Distinct signals beyond this number are only counted.
const MAX_LINES: usize = 100_000;
/// The sums name this many rules and principals.
const MAX_SUMS: usize = 20;

/// The properties of the terminal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    pub colour: bool,
    /// Its width in columns, if it is a terminal.
    pub width: Option<usize>,
}

/// A table under construction.
pub struct Table {
    style: Style,
    lines: Vec<Line>,
    /// The index of each line by what it shows, without the time.
    index: HashMap<[String; 7], usize>,
    unlisted: u64,
    severities: [u64; 4],
    rules: Counts,
    principals: Counts,
}

struct Line {
    severity: Severity,
    first: String,
    cells: [String; 7],
    count: u64,
}

impl Table {
    pub fn new(style: Style) -> Self {
        Self {
            style,
            lines: Vec::new(),
            index: HashMap::new(),
            unlisted: 0,
            severities: [0; 4],
            rules: Counts::default(),
            principals: Counts::default(),
        }
    }

    /// Adds a signal. One that differs from an earlier one only in its time is folded into it.
    pub fn add(&mut self, row: &Row) {
        self.severities[row.severity as usize] += 1;
        self.rules.add(&row.rule_by_author());
        self.principals.add(&row.principal);
        let severity = row.severity.as_str().to_owned();
        let [rule, principal, account, target, source, action] =
            [&row.rule, &row.principal, &row.account, &row.target, &row.source, &row.action]
                .map(String::clone);
        let key = [severity, rule, principal, account, target, source, action];
        if let Some(line) = self.index.get(&key).and_then(|index| self.lines.get_mut(*index)) {
            line.count += 1;
            if row.time < line.first {
                line.first.clone_from(&row.time);
            }
        } else if self.lines.len() < MAX_LINES {
            self.index.insert(key.clone(), self.lines.len());
            self.lines.push(Line { severity: row.severity, first: row.time.clone(), cells: key, count: 1 });
        } else {
            self.unlisted += 1;
        }
    }

    /// Writes the lines in the order of their first times, and the sums.
    pub fn write(mut self, out: &mut impl Write) -> io::Result<()> {
        let signals: u64 = self.severities.iter().sum();
        if signals == 0 {
            return writeln!(out, "no signals");
        }
        self.lines.sort_by(|one, other| one.first.cmp(&other.first));
        let rows: Vec<_> = self.lines.iter().map(|line| (line.severity, line.cells())).collect();
        let widths = widths(rows.iter().map(|(_, cells)| cells), self.style.width);
        writeln!(out, "{}", self.painted("1", &padded(&TITLES.map(str::to_owned), &widths).join("  ")))?;
        for (severity, cells) in &rows {
            let mut cells = padded(cells, &widths);
            cells[1] = self.painted(colour(*severity), &cells[1]);
            writeln!(out, "{}", cells.join("  ").trim_end())?;
        }
        if self.unlisted > 0 {
            writeln!(out, "and {} more signals that are not listed", self.unlisted)?;
        }
        writeln!(
            out,
            "\n{signals} {} in {} {}",
            plural(signals, "signal"),
            rows.len(),
            plural(rows.len() as u64, "line")
        )?;
        let severities: Vec<_> = Severity::ALL.into_iter().rev().collect();
        for severity in severities {
            let count = self.severities[severity as usize];
            if count > 0 {
                writeln!(out, "{count:>8}  {}", self.painted(colour(severity), severity.as_str()))?;
            }
        }
        sums(out, "by rule", &self.rules)?;
        sums(out, "by principal", &self.principals)
    }

    fn painted(&self, code: &str, text: &str) -> String {
        if self.style.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

impl Line {
    /// The cells in the order of the titles. A line without a target shows the action.
    fn cells(&self) -> [String; 8] {
        let [severity, rule, principal, account, target, source, action] = &self.cells;
        let target = if target.is_empty() { action } else { target };
        let count = if self.count > 1 { format!("×{}", self.count) } else { String::new() };
        [&self.first, severity, rule, principal, account, target, source, &count].map(String::clone)
    }
}

fn sums(out: &mut impl Write, title: &str, counts: &Counts) -> io::Result<()> {
    let sorted = counts.sorted();
    writeln!(out, "{title}:")?;
    for (text, count) in sorted.iter().take(MAX_SUMS) {
        writeln!(out, "{count:>8}  {text}")?;
    }
    if sorted.len() > MAX_SUMS {
        writeln!(out, "          and {} more", sorted.len() - MAX_SUMS)?;
    }
    Ok(())
}

/// The width of each column, in a terminal that is `limit` columns wide.
fn widths<'a>(rows: impl Iterator<Item = &'a [String; 8]>, limit: Option<usize>) -> [usize; 8] {
    let mut widths = TITLES.map(str::len);
    for cells in rows {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(cell.width().min(MAX_WIDTH));
        }
    }
    let gaps = 2 * (TITLES.len() - 1);
    let mut excess = limit.map_or(0, |limit| (widths.iter().sum::<usize>() + gaps).saturating_sub(limit));
    while excess > 0 {
        // The widest column loses a column at a time.
        let widest = FLEXIBLE.iter().filter(|(column, least)| widths[*column] > *least);
        let Some((column, _)) = widest.max_by_key(|(column, _)| widths[*column]) else { break };
        widths[*column] -= 1;
        excess -= 1;
    }
    widths
}

/// The cells, as wide as their columns.
fn padded(cells: &[String; 8], widths: &[usize; 8]) -> Vec<String> {
    let pad = |(cell, width): (&String, &usize)| {
        let cell = fitted(cell, *width);
        let space = width.saturating_sub(cell.width());
        cell + &" ".repeat(space)
    };
    cells.iter().zip(widths).map(pad).collect()
}

/// A text of at most `width` columns. An ellipsis replaces its middle: names that start alike often differ at the end.
fn fitted(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    let head = first(text.chars(), room - room / 2);
    let tail: String = first(text.chars().rev(), room / 2).chars().rev().collect();
    // A combining mark without its letter would attach to the ellipsis.
    let tail = tail.trim_start_matches(|character: char| character.width().unwrap_or(0) == 0);
    head + "…" + tail
}

/// The first characters, as many as fit in `width` columns.
fn first(characters: impl Iterator<Item = char>, width: usize) -> String {
    let mut columns = 0;
    let fits = |character: &char| {
        columns += character.width().unwrap_or(0);
        columns <= width
    };
    characters.take_while(fits).collect()
}

fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "36",
        Severity::Medium => "33",
        Severity::High => "31",
        Severity::Critical => "1;31",
    }
}

fn plural(number: u64, noun: &str) -> String {
    format!("{noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(severity: Severity, rule: &str) -> Row {
        let text = String::new;
        Row {
            time: "2026-11-23 10:05:00".to_owned(),
            severity,
            rule: rule.to_owned(),
            rule_id: text(),
            author: text(),
            tactics: Vec::new(),
            is_building_block: false,
            principal: "a principal with a long name".to_owned(),
            session: text(),
            account: "111122223333".to_owned(),
            region: text(),
            action: text(),
            outcome: text(),
            target: "a target with a long name".to_owned(),
            source: "192.0.2.1".to_owned(),
            agent: text(),
            parameters: text(),
            message: text(),
            file: text(),
            event_id: text(),
            id: text(),
        }
    }

    fn written(style: Style) -> String {
        let mut table = Table::new(style);
        for severity in Severity::ALL {
            table.add(&row(severity, "漢字の長い名前のルール"));
        }
        let mut out = Vec::new();
        table.write(&mut out).expect("memory can be written");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn severities_are_in_colour_only_where_that_is_asked_for() {
        let plain = written(Style::default());
        let coloured = written(Style { colour: true, width: None });
        for code in ["\u{1b}[36m", "\u{1b}[33m", "\u{1b}[31m", "\u{1b}[1;31m"] {
            assert!(coloured.contains(code) && !plain.contains(code), "{code:?}");
        }
        let without = ["\u{1b}[1;31m", "\u{1b}[36m", "\u{1b}[33m", "\u{1b}[31m", "\u{1b}[1m", "\u{1b}[0m"]
            .iter()
            .fold(coloured, |text, code| text.replace(code, ""));
        assert_eq!(
            without.split_whitespace().collect::<Vec<_>>(),
            plain.split_whitespace().collect::<Vec<_>>()
        );
    }

    #[test]
    fn what_is_cut_keeps_its_beginning_and_its_end() {
        assert_eq!(fitted("AWS Lambda Function Created by a New Principal", 21), "AWS Lambda… Principal");
        assert_eq!(fitted("漢字の名前です", 8), "漢字…す");
        assert_eq!(fitted("aaaae\u{301}b", 4), "aa…b");
        assert_eq!(fitted("abc", 1), "…");
    }

    #[test]
    fn a_table_fits_into_the_terminal_as_long_as_names_stay_readable() {
        for width in [100, 110, 120, 200] {
            let table = written(Style { colour: false, width: Some(width) });
            let widest = table.lines().map(UnicodeWidthStr::width).max();
            assert!(widest <= Some(width), "{widest:?} in {table}");
        }
    }
}
