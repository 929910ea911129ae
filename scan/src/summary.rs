//! Counts what was read and found.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;
use std::path::{Path, PathBuf};

use detection::bundle::Exception;
use detection::detect::{Reach, Rule, Ruleset, Sight};
use detection::pipeline::Tally;

use crate::forecast::Forecast;

/// This many names are listed for each reason for passing over files; later ones are only counted.
const NAMES: usize = 10;

/// Where signals are counted whose event has no readable time.
pub const UNKNOWN_DAY: &str = "an unknown day";

/// `1 file`, `2 files`.
pub fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A path as one line of text: a line break in it must not look like another name.
pub fn name(path: &Path) -> String {
    path.display().to_string().replace(char::is_control, "\u{fffd}")
}

/// The files in folders that were not read, by reason.
#[derive(Default)]
pub struct PassedOver(BTreeMap<&'static str, Paths>);

#[derive(Default)]
struct Paths {
    count: u64,
    first: Vec<PathBuf>,
}

impl PassedOver {
    pub fn add(&mut self, reason: &'static str, path: &Path) {
        let paths = self.0.entry(reason).or_default();
        paths.count += 1;
        if paths.first.len() < NAMES {
            paths.first.push(path.to_owned());
        }
    }

    fn count(&self) -> u64 {
        self.0.values().map(|paths| paths.count).sum()
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (reason, Paths { count, first }) in &self.0 {
            lines.push(format!("{count} passed over: {reason}"));
            lines.extend(first.iter().map(|path| format!("  {}", name(path))));
            let unnamed = count - first.len() as u64;
            if unnamed > 0 {
                lines.push(format!("  and {unnamed} more"));
            }
        }
        lines
    }
}

/// What was read of one file, or of all files.
#[derive(Clone, Copy, Default)]
pub struct Read {
    /// Files that were read to their end.
    pub files: u64,
    /// Inputs that could not be read.
    pub failed: u64,
    pub tally: Tally,
    /// Records that were read but not asked for.
    pub left_out: u64,
    pub bytes_in: u64,
    pub bytes_inflated: u64,
}

impl AddAssign for Read {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.failed += other.failed;
        self.tally += other.tally;
        self.left_out += other.left_out;
        self.bytes_in += other.bytes_in;
        self.bytes_inflated += other.bytes_inflated;
    }
}

/// Signals that were printed.
#[derive(Default)]
pub struct Published {
    pub signals: u64,
    pub duplicates: u64,
    pub by_rule: BTreeMap<String, u64>,
    /// By rule and the day of the event.
    pub by_day: BTreeMap<(String, String), u64>,
}

impl Published {
    /// A line for each rule that has more signals than `most` on a day, about its loudest day.
    pub fn loud(&self, rules: &Ruleset, most: u64) -> Vec<String> {
        let line = |rule: &Rule| {
            let of_rule = self.by_day.iter().filter(|((id, _), _)| *id == rule.definition.rule_id);
            let ((_, day), signals) = of_rule.max_by_key(|(_, signals)| **signals)?;
            let (name, signals_text) = (&rule.definition.name, count(*signals, "signal"));
            (*signals > most)
                .then(|| format!("{name}: {signals_text} on {day}, more than --max-per-day {most}"))
        };
        rules.rules().iter().filter_map(line).collect()
    }
}

/// The whole run.
#[derive(Default)]
pub struct Summary {
    pub read: Read,
    pub published: Published,
    pub passed_over: PassedOver,
    /// Past records that rules learned from.
    pub learned: u64,
    /// Past records that were rejected.
    pub not_learned: u64,
    /// The exceptions that took out a match.
    pub excepted: BTreeSet<String>,
    pub forecast: Forecast,
}

impl Summary {
    /// Whether something was read, and nothing failed or was rejected.
    pub fn is_good(&self) -> bool {
        let rejected = self.read.tally.rejected + self.not_learned;
        self.read.files > 0 && self.read.failed == 0 && rejected == 0
    }

    /// The summary as text, with signals and what the rules could see unless ECS documents were printed.
    pub fn text(&self, signals_of: Option<(&Ruleset, &Reach)>, seconds: f64) -> String {
        let Read { files, failed, tally, left_out, bytes_in, bytes_inflated } = self.read;
        let Tally { records, matched, unmatched, rejected, signals, suppressed, known } = tally;
        let mut lines = self.passed_over.lines();
        lines.push(format!(
            "{}, {}: {matched} matched, {unmatched} unmatched, {rejected} rejected",
            count(files, "file"),
            count(records, "record"),
        ));
        if self.learned > 0 {
            lines.push(format!("{} of the past learned from", count(self.learned, "record")));
        }
        if self.not_learned > 0 {
            lines.push(format!("{} of the past rejected", count(self.not_learned, "record")));
        }
        if left_out > 0 {
            let records = count(left_out, "more record");
            lines.push(format!("{records} outside of --since, --until, --account or --region"));
        }
        if let Some((rules, reach)) = signals_of {
            let Published { signals: printed, duplicates, by_rule, .. } = &self.published;
            let remembers = rules.rules().iter().any(|rule| rule.memory.is_some());
            let known = if remembers { format!(", {known} known") } else { String::new() };
            lines.push(format!(
                "{}: {printed} printed, {suppressed} suppressed, {}{known}",
                count(signals, "signal"),
                count(*duplicates, "duplicate"),
            ));
            // Without a record, there is nothing to say about what records lack.
            let sights = if records > 0 { reach.sights() } else { &[] };
            let sights = sights.iter().copied().chain(std::iter::repeat(Sight::Event));
            lines.extend(rules.rules().iter().zip(sights.clone()).map(|(rule, sight)| {
                let printed = by_rule.get(&rule.definition.rule_id).copied().unwrap_or_default();
                let lacks = match sight {
                    Sight::Nothing => " (blind: no event of its service in these files)",
                    Sight::Service => " (blind: its events are not in these files)",
                    Sight::Event => "",
                };
                format!("{printed:>8}  {}{lacks}", rule.definition.name)
            }));
            let blind = sights.take(rules.rules().len()).filter(|sight| *sight < Sight::Event).count();
            if blind > 0 {
                lines.push(format!(
                    "{} blind: nothing in these files could set it off; does the trail record such events?",
                    count(blind as u64, "rule"),
                ));
            }
            let idle = rules.exceptions().filter(|exception| !self.excepted.contains(&exception.file));
            lines.extend(idle.map(|Exception { file, reason, .. }| {
                let reason = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
                format!("exception never matched: {file}{reason}").replace(char::is_control, " ")
            }));
            lines.extend(self.forecast.lines(by_rule, rules, reach));
        }
        lines.push(format!("{} read, {bytes_inflated} inflated, in {seconds:.2} s", count(bytes_in, "byte")));
        let passed_over = self.passed_over.count();
        if passed_over > 0 {
            lines.push(format!("{passed_over} passed over, see above"));
        }
        if failed > 0 {
            lines.push(format!("{} failed, see above", count(failed, "input")));
        }
        if files == 0 && records == 0 {
            lines.push("nothing was read".to_owned());
        }
        lines.join("\n")
    }
}
