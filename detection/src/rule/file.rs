//! Rule files: Elastic's TOML, read with the place of every mistake.

use std::collections::HashMap;
use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::definition::{Definition, Severity, Source, Threat, ThreatEntry};
use crate::ecs;
use crate::query::{self, Query};

/// Keys that are read, or that need no word about it: people read them, or the state of Elastic's stack.
const KNOWN: &[&str] = &[
    "author",
    "building_block_type",
    "description",
    "enabled",
    "false_positives",
    "from",
    "index",
    "interval",
    "language",
    "license",
    "name",
    "note",
    "query",
    "references",
    "risk_score",
    "rule_id",
    "setup",
    "severity",
    "tags",
    "threat",
    "timestamp_override",
    "type",
    "version",
];
/// Keys that would change what matches, unless they are empty lists.
const REFUSED: &[(&str, &str)] = &[
    ("exceptions_list", "exceptions change what matches; write them into the query"),
    ("filters", "filters change what matches; write them into the query"),
    ("threshold", "only rules of type query are supported"),
    ("new_terms", "only rules of type query are supported"),
];

/// A mistake in a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The file.
    pub file: String,
    /// The place and the reason.
    pub error: query::Error,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.error)
    }
}

impl std::error::Error for Error {}

/// Rules read from files, and what in them is ignored.
#[derive(Debug, Default)]
pub struct Files {
    /// The rules, in the order of the files.
    pub rules: Vec<Source>,
    /// Parts of the files that only steer Elastic's stack, one sentence each.
    pub warnings: Vec<String>,
}

/// Reads rule files, given as name and text.
///
/// # Errors
/// Every mistake in every file.
pub fn read<N: Into<String>>(files: impl IntoIterator<Item = (N, String)>) -> Result<Files, Vec<Error>> {
    let mut read = Files::default();
    let mut errors = Vec::new();
    let mut seen: HashMap<String, String> = HashMap::new();
    for (file, text) in files {
        let file = file.into();
        let mut reader = Reader { text: &text, errors: Vec::new(), ignored: Vec::new(), id: None };
        let rule = reader.rule();
        if let Some((id, offset)) = reader.id.take() {
            if let Some(first) = seen.get(&id) {
                reader.refuse(offset, format!("the rule_id {id} is taken by {first}"));
            } else {
                seen.insert(id, file.clone());
            }
        }
        read.rules.extend(rule.map(|(query, definition)| Source { file: file.clone(), query, definition }));
        let ignored = reader.ignored.into_iter();
        read.warnings.extend(
            ignored.map(|key| format!("{file}: {key} is ignored: it steers Elastic's stack, or is misspelt")),
        );
        errors.extend(reader.errors.into_iter().map(|error| Error { file: file.clone(), error }));
    }
    if errors.is_empty() { Ok(read) } else { Err(errors) }
}

/// Reads one file, collecting its mistakes.
struct Reader<'a> {
    text: &'a str,
    errors: Vec<query::Error>,
    ignored: Vec<String>,
    /// The rule's identifier and its place, known even where other things are wrong.
    id: Option<(String, usize)>,
}

type Table<'a> = DeTable<'a>;

impl Reader<'_> {
    fn refuse(&mut self, offset: usize, reason: impl Into<String>) {
        self.errors.push(query::Error::new(self.text, offset, reason));
    }

    fn rule(&mut self) -> Option<(String, Definition)> {
        let text = self.text.to_owned();
        let document = match DeTable::parse(&text) {
            Ok(document) => document,
            Err(error) => {
                let offset = error.span().map_or(0, |span| span.start);
                self.refuse(offset, error.message().replace('\n', "; "));
                return None;
            }
        };
        let Some(rule) = document.get_ref().get("rule").and_then(|rule| rule.get_ref().as_table()) else {
            self.refuse(0, "the file has no [rule]");
            return None;
        };
        let is_kuery = self.check_type(rule);
        let query = if is_kuery { self.query(rule) } else { None };
        let rule_id = self.text(rule, "rule_id");
        self.id = rule_id.clone().zip(rule.get("rule_id").map(|id| id.span().start));
        let name = self.text(rule, "name");
        let description = self.text(rule, "description").as_deref().map(one_line);
        let severity = self.severity(rule);
        let risk_score = self.risk_score(rule);
        let author = self.texts(rule, "author");
        let references = self.texts(rule, "references");
        let false_positives = self.texts(rule, "false_positives").iter().map(|text| one_line(text)).collect();
        let tags = self.texts(rule, "tags");
        let license = self.optional(rule, "license");
        let from = self.optional(rule, "from");
        let interval = self.optional(rule, "interval");
        let building_block_type = self.building_block_type(rule);
        let timestamp_override = self.optional(rule, "timestamp_override");
        self.check_rest(rule, is_kuery);
        let threat = self.threats(rule);
        let definition = Definition {
            rule_id: rule_id?,
            name: name?,
            rule_type: "query".to_owned(),
            description: description?,
            severity: severity?,
            risk_score: risk_score?,
            author,
            license,
            references,
            false_positives,
            tags,
            threat,
            from,
            interval,
            building_block_type,
            timestamp_override,
        };
        Some((query?, definition))
    }

    /// Says whether the rest can be judged as a KQL rule's. A rule of another type has another language too, or none;
    /// of these two mistakes the first is enough.
    fn check_type(&mut self, rule: &Table<'_>) -> bool {
        [
            ("type", "query", "only rules of type query are supported"),
            ("language", "kuery", "only the language kuery is supported"),
        ]
        .into_iter()
        .all(|(key, wanted, why)| {
            let text = self.text(rule, key);
            self.check_word(rule, key, text.as_deref(), wanted, why)
        })
    }

    fn building_block_type(&mut self, rule: &Table<'_>) -> Option<String> {
        const KEY: &str = "building_block_type";
        let kind = self.optional(rule, KEY);
        self.check_word(rule, KEY, kind.as_deref(), "default", "expected default");
        kind
    }

    /// Says whether the text of a key is the one that it must be, if it is there at all.
    fn check_word(
        &mut self,
        rule: &Table<'_>,
        key: &str,
        text: Option<&str>,
        wanted: &str,
        why: &str,
    ) -> bool {
        let other = text.filter(|text| *text != wanted);
        if let Some(text) = other {
            let offset = rule.get(key).map_or(0, |value| value.span().start);
            self.refuse(offset, format!("{key} is {text}: {why}"));
        }
        other.is_none()
    }

    /// The query, parsed only to be checked. Its mistakes are placed in the file.
    fn query(&mut self, rule: &Table<'_>) -> Option<String> {
        let query = self.text(rule, "query")?;
        if let Err(errors) = Query::parse_satisfiable(&query, ecs::field) {
            let span = rule.get("query").map_or(0..0, Spanned::span);
            // With escapes in the TOML string the text stands nowhere as it is: then its start must do.
            let verbatim = self.text.get(span.clone()).and_then(|raw| raw.find(&query));
            for error in errors {
                match verbatim {
                    Some(start) => self.refuse(span.start + start + error.offset, error.reason),
                    None => self.refuse(span.start, format!("in the query, {error}")),
                }
            }
        }
        Some(query)
    }

    fn severity(&mut self, rule: &Table<'_>) -> Option<Severity> {
        let text = self.text(rule, "severity")?;
        let severity = Severity::ALL.into_iter().find(|severity| severity.as_str() == text);
        if severity.is_none() {
            let offset = rule.get("severity").map_or(0, |value| value.span().start);
            self.refuse(offset, format!("unknown severity {text}: expected low, medium, high or critical"));
        }
        severity
    }

    fn risk_score(&mut self, rule: &Table<'_>) -> Option<u8> {
        let value = self.required(rule, "risk_score")?;
        let score = match value.get_ref() {
            DeValue::Integer(score) => score.as_str().parse().ok().filter(|score| *score <= 100),
            _ => None,
        };
        if score.is_none() {
            self.refuse(value.span().start, "risk_score must be a whole number from 0 to 100");
        }
        score
    }

    fn threats(&mut self, rule: &Table<'_>) -> Vec<Threat> {
        let tables = self.tables(rule, "threat");
        tables
            .into_iter()
            .filter_map(|table| {
                let framework = self.text(table, "framework");
                let tactic = self.required(table, "tactic").and_then(|tactic| {
                    let table = tactic.get_ref().as_table();
                    if table.is_none() {
                        self.refuse(tactic.span().start, "tactic must be a table");
                    }
                    self.threat_entry(table?)
                });
                let technique = self.threat_entries(table, "technique");
                Some(Threat { framework: framework?, tactic: tactic?, technique })
            })
            .collect()
    }

    fn threat_entries(&mut self, table: &Table<'_>, key: &str) -> Vec<ThreatEntry> {
        let tables = self.tables(table, key);
        tables.into_iter().filter_map(|entry| self.threat_entry(entry)).collect()
    }

    fn threat_entry(&mut self, table: &Table<'_>) -> Option<ThreatEntry> {
        let (id, name) = (self.text(table, "id"), self.text(table, "name"));
        let reference = self.text(table, "reference");
        let subtechnique = self.threat_entries(table, "subtechnique");
        Some(ThreatEntry { id: id?, name: name?, reference: reference?, subtechnique })
    }

    /// The tables of an array of tables, which may be missing.
    fn tables<'t>(&mut self, table: &'t Table<'_>, key: &str) -> Vec<&'t Table<'t>> {
        let Some(value) = table.get(key) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            self.refuse(value.span().start, format!("{key} must be an array of tables"));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items {
            match item.get_ref().as_table() {
                Some(table) => tables.push(table),
                None => self.refuse(item.span().start, format!("{key} must be an array of tables")),
            }
        }
        tables
    }

    fn required<'t, 'i>(&mut self, table: &'t Table<'i>, key: &str) -> Option<&'t Spanned<DeValue<'i>>> {
        let value = table.get(key);
        if value.is_none() {
            // A missing key has no place of its own; the place of its neighbours is the next best.
            let offset = table.keys().map(|key| key.span().start).min().unwrap_or(0);
            self.refuse(offset, format!("{key} is missing"));
        }
        value
    }

    fn text(&mut self, table: &Table<'_>, key: &str) -> Option<String> {
        let value = self.required(table, key)?;
        self.as_text(value, key)
    }

    fn as_text(&mut self, value: &Spanned<DeValue<'_>>, key: &str) -> Option<String> {
        let text = value.get_ref().as_str().map(str::trim).filter(|text| !text.is_empty());
        if text.is_none() {
            self.refuse(value.span().start, format!("{key} must be a string that is not empty"));
        }
        text.map(str::to_owned)
    }

    fn optional(&mut self, table: &Table<'_>, key: &str) -> Option<String> {
        let value = table.get(key)?;
        self.as_text(value, key)
    }

    /// A list of strings, which may be missing, or a single one.
    fn texts(&mut self, table: &Table<'_>, key: &str) -> Vec<String> {
        match table.get(key) {
            None => Vec::new(),
            Some(value) => match value.get_ref() {
                DeValue::Array(items) => items.iter().filter_map(|item| self.as_text(item, key)).collect(),
                _ => self.as_text(value, key).into_iter().collect(),
            },
        }
    }

    /// Refuses keys that would change what matches (those of another type of rule only beside the type they
    /// contradict), and notes those that are ignored.
    fn check_rest(&mut self, rule: &Table<'_>, is_kuery: bool) {
        for (key, value) in rule {
            let name = key.get_ref().as_ref();
            let is_empty = value.get_ref().as_array().is_some_and(|items| items.is_empty());
            if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
                if is_kuery && !is_empty {
                    self.refuse(value.span().start, *why);
                }
            } else if !KNOWN.contains(&name) {
                self.ignored.push(name.to_owned());
            }
        }
    }
}

/// Where a file breaks a long text, and how far it indents the rest, is for whoever edits the file.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
