//! Signals as one self-contained HTML page, for reports: it loads nothing, and all text is escaped.

mod timeline;

use std::collections::BTreeMap;
use std::io::{self, Write};

use detection::rule::Severity;

use crate::counts::Counts;
use crate::row::Row;
use timeline::Timeline;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// Signals beyond this number are counted but not listed: a browser must still be able to open the page.
const MAX_LISTED: usize = 10_000;
/// The tables have at most this many rows.
const MAX_ROWS: usize = 200;

/// A page under construction.
#[derive(Default)]
pub struct Page {
    signals: u64,
    severities: [u64; 4],
    timeline: Timeline,
    rules: Counts,
    principals: Counts,
    accounts: Counts,
    addresses: Counts,
    /// The rules below each tactic.
    tactics: BTreeMap<String, Counts>,
    listed: Vec<Row>,
}

impl Page {
    /// Adds a signal.
    pub fn add(&mut self, row: Row) {
        self.signals += 1;
        self.severities[row.severity as usize] += 1;
        self.timeline.add(&row.time, row.severity);
        self.rules.add(&row.rule_by_author());
        self.principals.add(&row.principal);
        self.accounts.add(&row.account);
        self.addresses.add(&row.source);
        for tactic in &row.tactics {
            self.tactics.entry(tactic.clone()).or_default().add(&row.rule);
        }
        if row.tactics.is_empty() {
            self.tactics.entry("Without a tactic".to_owned()).or_default().add(&row.rule);
        }
        if self.listed.len() < MAX_LISTED {
            self.listed.push(row);
        }
    }

    /// Writes the page. `now` is the time at which it is made.
    pub fn write(mut self, out: &mut impl Write, now: &str) -> io::Result<()> {
        // Nothing may be loaded, whatever the page contains.
        const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
        write!(
            out,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n<link rel=\"icon\" href=\"data:,\">\n\
             <title>CloudTrail signals</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>CloudTrail signals</h1>\n",
        )?;
        writeln!(out, "<p>{} signals. This page was made at {}.</p>", self.signals, escaped(now))?;
        for severity in Severity::ALL.into_iter().rev() {
            let (word, count) = (severity.as_str(), self.severities[severity as usize]);
            if count > 0 {
                writeln!(out, "<p class=\"{word}\">{count} {word}</p>")?;
            }
        }
        self.timeline.write(out)?;
        self.matrix(out)?;
        writeln!(out, "<div class=\"tables\">")?;
        table(out, "Rules", "Rule", &self.rules)?;
        table(out, "Principals", "Principal", &self.principals)?;
        table(out, "Accounts", "Account", &self.accounts)?;
        table(out, "Addresses", "Address", &self.addresses)?;
        writeln!(out, "</div>")?;
        self.list(out)?;
        write!(out, "<script>\n{SCRIPT}</script>\n</body>\n</html>\n")
    }

    /// A column for each tactic, with the rules that serve it.
    fn matrix(&self, out: &mut impl Write) -> io::Result<()> {
        if self.tactics.is_empty() {
            return Ok(());
        }
        writeln!(out, "<section>\n<h2>Tactics</h2>\n<div class=\"wide\"><table>\n<thead><tr>")?;
        for tactic in self.tactics.keys() {
            writeln!(out, "<th scope=\"col\">{}</th>", escaped(tactic))?;
        }
        writeln!(out, "</tr></thead>\n<tbody><tr>")?;
        for rules in self.tactics.values() {
            writeln!(out, "<td>")?;
            for (rule, count) in rules.sorted().into_iter().take(MAX_ROWS) {
                writeln!(out, "<p>{} ×{count}</p>", escaped(rule))?;
            }
            writeln!(out, "</td>")?;
        }
        writeln!(out, "</tr></tbody>\n</table></div>\n</section>")
    }

    /// Every signal, folded.
    fn list(&mut self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "<section>\n<h2>Signals</h2>")?;
        self.listed.sort_by(|one, other| one.time.cmp(&other.time));
        for row in &self.listed {
            signal(out, row)?;
        }
        let unlisted = self.signals - self.listed.len() as u64;
        if unlisted > 0 {
            writeln!(out, "<p>{unlisted} more signals are counted above and not listed.</p>")?;
        }
        writeln!(out, "</section>")
    }
}

fn table(out: &mut impl Write, title: &str, column: &str, counts: &Counts) -> io::Result<()> {
    let sorted = counts.sorted();
    writeln!(
        out,
        "<section>\n<h2>{title}</h2>\n<table>\n<thead><tr><th scope=\"col\"><button>{column}</button></th>\
         <th scope=\"col\" class=\"n\"><button>Signals</button></th></tr></thead>\n<tbody>",
    )?;
    for (text, count) in sorted.iter().take(MAX_ROWS) {
        let text = if text.is_empty() { "—".to_owned() } else { escaped(text) };
        writeln!(out, "<tr><td>{text}</td><td class=\"n\">{count}</td></tr>")?;
    }
    writeln!(out, "</tbody>\n</table>")?;
    if sorted.len() > MAX_ROWS {
        writeln!(out, "<p>and {} more</p>", sorted.len() - MAX_ROWS)?;
    }
    writeln!(out, "</section>")
}

fn signal(out: &mut impl Write, row: &Row) -> io::Result<()> {
    let severity = row.severity.as_str();
    let target = if row.target.is_empty() { &row.action } else { &row.target };
    writeln!(
        out,
        "<details><summary><time>{}</time> <b class=\"{severity}\">{severity}</b> {}: {} · {} · {}</summary>\n<p>{}</p>\n<dl>",
        escaped(&row.time),
        escaped(&row.rule),
        escaped(&row.principal),
        escaped(target),
        escaped(&row.account),
        escaped(&row.message),
    )?;
    let tactics = row.tactics.join(", ");
    let kind = if row.is_building_block { "building block" } else { "alert" };
    let facts = [
        ("Rule id", row.rule_id.as_str()),
        ("Rule by", &row.author),
        ("Kind", kind),
        ("Tactics", &tactics),
        ("Principal", &row.principal),
        ("Session", &row.session),
        ("Account", &row.account),
        ("Region", &row.region),
        ("Action", &row.action),
        ("Outcome", &row.outcome),
        ("Target", &row.target),
        ("Address", &row.source),
        ("Client", &row.agent),
        ("Parameters", &row.parameters),
        ("Event id", &row.event_id),
        ("File", &row.file),
        ("Signal id", &row.id),
    ];
    for (name, fact) in facts.into_iter().filter(|(_, fact)| !fact.is_empty()) {
        writeln!(out, "<dt>{name}</dt><dd>{}</dd>", escaped(fact))?;
    }
    writeln!(out, "</dl></details>")
}

/// Text escaped for an element or a quoted attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            character => escaped.push(character),
        }
    }
    escaped
}
