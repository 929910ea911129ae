//! A rule in Sigma's YAML format, read with the location of every mistake.
//!
//! The parser is our own, built on `serde-saphyr`. The crate `rsigma-parser` would save a few hundred lines, but it
//! reads YAML through a successor of `serde_yaml`, without limits on depth and aliases, and does not keep the location
//! of a field or value, so errors could name only the file. Either way, the code would still have to lower detections
//! into the tree, check them against CloudTrail's fields, and provide the facts of the alert document.

use std::fmt::Write;
use std::ops::Range;

use super::definition::{Definition, Language, Severity};
use super::file::{Read, Rule, one_line};
use super::{attack, yaml};
use crate::query::sigma::{Content, Item};
use crate::query::{self, Query};

/// The licence of Sigma's own rules, and its specification's default for a rule that does not name one.
const LICENSE: &str = "DRL 1.1";
/// The key that makes a rule look at several events, wherever it appears.
const TIMEFRAME: &str = "timeframe";
/// How many problems of one detection are shown: a longer list helps nobody.
const MAX_PROBLEMS: usize = 50;
/// Keys that need no warning: they are for people to read, or are read below.
const KNOWN: [&str; 21] = [
    "action",
    "author",
    "date",
    "description",
    "detection",
    "falsepositives",
    "fields",
    "id",
    "level",
    "license",
    "logsource",
    "modified",
    "name",
    "references",
    "related",
    "schema",
    "scope",
    "status",
    "tags",
    "taxonomy",
    "title",
];

/// Reads every rule in a text, each in a document of its own; none if no document is a rule for CloudTrail.
pub(super) fn read(text: &str) -> Vec<Read> {
    match yaml::documents(text) {
        Ok(documents) => documents.iter().filter_map(|document| one(text, document)).collect(),
        Err(error) => vec![Read { mistakes: vec![error], ..Read::default() }],
    }
}

fn one(text: &str, document: &Item) -> Option<Read> {
    let mut reader = Reader { text, document, read: Read::default() };
    if let Some(action) = document.get("action")
        && let Some("global" | "repeat" | "reset") = action.text()
    {
        let instead = "write each rule into a document of its own";
        reader.not_run(
            &action.place,
            format!("collections of rules with an action are not supported: {instead}"),
        );
        return Some(reader.read);
    }
    let detection = document.get("detection")?;
    if !is_for_cloudtrail(document.get("logsource")?) {
        return None;
    }
    reader.rule(detection);
    Some(reader.read)
}

fn is_for_cloudtrail(logsource: &Item) -> bool {
    let is = |key, wanted: &str| {
        logsource.get(key).and_then(Item::text).is_some_and(|word| word.eq_ignore_ascii_case(wanted))
    };
    is("product", "aws") && is("service", "cloudtrail") && logsource.get("category").is_none()
}

/// Returns whether two words differ in one letter or in two adjacent letters.
fn is_nearly(word: &str, known: &str) -> bool {
    let same =
        |pairs: &mut dyn Iterator<Item = (char, char)>| pairs.take_while(|(one, other)| one == other).count();
    let start = same(&mut word.chars().zip(known.chars()));
    let end = same(&mut word.chars().rev().zip(known.chars().rev()));
    let (length, longest) = (word.chars().count(), word.chars().count().max(known.len()));
    let wrong = longest.saturating_sub(start + end);
    longest > 3 && (wrong <= 1 || wrong == 2 && length == known.len())
}

struct Reader<'a> {
    text: &'a str,
    document: &'a Item,
    read: Read,
}

impl Reader<'_> {
    fn rule(&mut self, detection: &Item) {
        let (rule_id, place) = self.required("id");
        self.read.id = (!rule_id.is_empty()).then(|| (rule_id.clone(), place.start));
        let (name, _) = self.required("title");
        let tags = self.texts("tags");
        let severity = self.severity();
        let definition = Definition {
            rule_id,
            rule_type: "query".to_owned(),
            description: one_line(&self.optional("description").unwrap_or_else(|| name.clone())),
            severity,
            risk_score: match severity {
                Severity::Low => 21,
                Severity::Medium => 47,
                Severity::High => 73,
                Severity::Critical => 99,
            },
            author: self.authors(),
            license: Some(self.optional("license").unwrap_or_else(|| LICENSE.to_owned())),
            references: self.texts("references"),
            false_positives: self.texts("falsepositives").iter().map(|text| one_line(text)).collect(),
            note: None,
            threat: attack::threat(tags.iter().map(String::as_str)),
            tags,
            name,
            from: None,
            interval: None,
            building_block_type: None,
            timestamp_override: None,
        };
        self.status();
        self.check_keys();
        if let Err(problems) = Query::parse_sigma(detection) {
            let more = problems.len().saturating_sub(MAX_PROBLEMS);
            for (index, mut problem) in problems.into_iter().take(MAX_PROBLEMS).enumerate() {
                if more > 0 && index + 1 == MAX_PROBLEMS {
                    _ = write!(problem.reason, "; {more} more are not shown");
                }
                let error = query::Error::spanning(self.text, problem.place, problem.reason);
                if problem.not_run { &mut self.read.not_run } else { &mut self.read.mistakes }.push(error);
            }
        }
        // A map of strings always serializes.
        let query = serde_json::to_string(detection).unwrap_or_default();
        self.read.rule =
            Some(Rule { language: Language::Sigma, query, on_signals: false, memory: None, definition });
    }

    /// Checks whether the rule's author wants it to run.
    fn status(&mut self) {
        let Some(item) = self.document.get("status") else { return };
        match item.text().unwrap_or_default() {
            "stable" | "test" | "experimental" => {}
            word @ ("deprecated" | "unsupported") => {
                self.not_run(
                    &item.place,
                    format!("the status of the rule is {word}: such rules are not run"),
                );
            }
            word => {
                let expected = "expected stable, test, experimental, deprecated or unsupported";
                self.wrong(&item.place, format!("unknown status {word}: {expected}"));
            }
        }
    }

    fn severity(&mut self) -> Severity {
        let Some(item) = self.document.get("level") else { return Severity::Low };
        let word = item.text().unwrap_or_default();
        if word == "informational" {
            return Severity::Low;
        }
        let severity = Severity::ALL.into_iter().find(|severity| severity.as_str() == word);
        severity.unwrap_or_else(|| {
            let expected = "expected informational, low, medium, high or critical";
            self.wrong(&item.place, format!("unknown level {word}: {expected}"));
            Severity::Low
        })
    }

    /// Sigma has one string for all authors.
    fn authors(&mut self) -> Vec<String> {
        let texts = self.texts("author");
        let names = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
        names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    /// Rules may hold custom keys, so only those that look like one of Sigma's are worth a warning.
    fn check_keys(&mut self) {
        let Content::Map(entries) = &self.document.content else { return };
        for (key, _) in entries {
            let name = key.text.as_str();
            if name == TIMEFRAME {
                self.not_run(
                    &key.place,
                    "timeframe looks at several events; correlate the signals behind the topic",
                );
            } else if let Some(meant) = KNOWN.iter().find(|known| **known != name && is_nearly(name, known))
                && !KNOWN.contains(&name)
            {
                self.read.ignored.push(format!("{name} is ignored: expected {meant}"));
            }
        }
    }

    fn required(&mut self, key: &str) -> (String, Range<usize>) {
        let place = self.document.get(key).map_or(self.document.place.clone(), |item| item.place.clone());
        let text = self.optional(key);
        if text.is_none() && self.document.get(key).is_none_or(|item| item.content == Content::Null) {
            self.wrong(&place, format!("{key} is missing"));
        }
        (text.unwrap_or_default(), place)
    }

    fn optional(&mut self, key: &str) -> Option<String> {
        let item = self.document.get(key)?;
        match item.text().map(str::trim) {
            None if item.content == Content::Null => None,
            None | Some("") => {
                self.wrong(&item.place, format!("{key} must be a text that is not empty"));
                None
            }
            Some(text) => Some(text.to_owned()),
        }
    }

    /// The strings of a list that may be missing, or a single string in its place.
    fn texts(&mut self, key: &str) -> Vec<String> {
        let Some(item) = self.document.get(key) else { return Vec::new() };
        let mut texts = Vec::new();
        for item in item.items() {
            match item.text().map(str::trim) {
                Some("") => {}
                Some(text) => texts.push(text.to_owned()),
                None if item.content == Content::Null => {}
                None => self.wrong(&item.place, format!("{key} must be a list of texts")),
            }
        }
        texts
    }

    fn wrong(&mut self, place: &Range<usize>, reason: impl Into<String>) {
        self.read.mistakes.push(query::Error::spanning(self.text, place.clone(), reason));
    }

    fn not_run(&mut self, place: &Range<usize>, reason: impl Into<String>) {
        self.read.not_run.push(query::Error::spanning(self.text, place.clone(), reason));
    }
}
