//! A rule in Elastic's TOML format, read with the location of every mistake.
//!
//! Each key is read by serde into what the rule needs, one key at a time: deserialising the whole table at once would
//! stop at its first mistake.

mod keys;
mod memory;

use std::ops::Range;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use self::keys::{OF_THE_STACK, REFUSED, UNUSED};
use super::definition::{Definition, Language, Severity, schema, text};
use super::file::{Read, Rule, one_line};
use crate::query::{self, Query};

/// How the names of Elastic's alert indices begin.
const ALERTS: &str = ".alerts-security";
/// The name of Elastic's integration that brings CloudTrail's events.
const INTEGRATION: &str = "aws";
const A_TEXT: &str = "a string that is not empty";

/// Reads one file; `None` if it has no `[rule]`, or one of another integration.
pub(super) fn read(text: &str) -> Option<Read> {
    let mut reader = Reader::new(text)?;
    let rule = reader.rule();
    let Reader { mistakes, not_run, ignored, id, .. } = reader;
    Some(Read { rule, id: id.map(|id| (id.get_ref().clone(), id.span().start)), mistakes, not_run, ignored })
}

/// Returns whether the author marks the rule as ready for production, or does not say.
#[must_use]
pub fn is_for_production(text: &str) -> bool {
    let Ok(document) = DeTable::parse(text) else { return true };
    let maturity = metadata(document.get_ref(), "maturity").and_then(|maturity| maturity.get_ref().as_str());
    maturity.is_none_or(|maturity| maturity == "production")
}

/// What the author says about the rule.
fn metadata<'d, 'a>(document: &'d DeTable<'a>, key: &str) -> Option<&'d Spanned<DeValue<'a>>> {
    document.get("metadata")?.get_ref().get(key)
}

/// Whether a list, or a single value in its place, has a string that passes.
fn has(value: Option<&DeValue<'_>>, test: impl Fn(&str) -> bool) -> bool {
    match value {
        Some(DeValue::Array(items)) => items.iter().any(|item| item.get_ref().as_str().is_some_and(&test)),
        Some(value) => value.as_str().is_some_and(test),
        None => false,
    }
}

/// Reads one file, taking the keys out of its table one by one.
struct Reader<'a> {
    text: &'a str,
    rule: DeTable<'a>,
    /// A missing key has no location of its own; that of its neighbours is the next best.
    start: Range<usize>,
    mistakes: Vec<query::Error>,
    not_run: Vec<query::Error>,
    ignored: Vec<String>,
    /// Whether the rule looks at signals.
    on_signals: bool,
    /// The rule's identifier and its location, known even if other things are wrong.
    id: Option<Spanned<String>>,
}

impl<'a> Reader<'a> {
    /// `None` if the text has no `[rule]`, or one of another integration. Text that is not TOML is a mistake, and an empty table.
    fn new(text: &'a str) -> Option<Self> {
        let mut reader = Self {
            text,
            rule: DeTable::new(),
            start: 0..0,
            mistakes: Vec::new(),
            not_run: Vec::new(),
            ignored: Vec::new(),
            on_signals: false,
            id: None,
        };
        match DeTable::parse(text) {
            Ok(document) => {
                let mut document = document.into_inner();
                let integrations = metadata(&document, "integration").map(Spanned::get_ref);
                let is_of_another =
                    has(integrations, |_| true) && !has(integrations, |name| name == INTEGRATION);
                let maturity = metadata(&document, "maturity");
                let deprecated =
                    maturity.filter(|maturity| maturity.get_ref().as_str() == Some("deprecated"));
                let deprecated = deprecated.map(Spanned::span);
                let DeValue::Table(rule) = document.remove("rule")?.into_inner() else {
                    return None;
                };
                let first = rule.keys().map(Spanned::span).min_by_key(|span| span.start);
                (reader.rule, reader.start) = (rule, first.unwrap_or_default());
                if is_of_another && !reader.names_alerts() {
                    return None;
                }
                if let Some(place) = deprecated {
                    reader.not_run(&place, "the maturity of the rule is deprecated: such rules are not run");
                }
            }
            Err(error) => {
                reader.refuse(&error.span().unwrap_or_default(), error.message().replace('\n', "; "));
            }
        }
        Some(reader)
    }

    fn refuse(&mut self, place: &Range<usize>, reason: impl Into<String>) {
        self.mistakes.push(query::Error::spanning(self.text, place.clone(), reason));
    }

    /// The query and the facts. After a mistake, a default stands in for what could not be read.
    fn rule(&mut self) -> Option<Rule> {
        if !self.mistakes.is_empty() {
            return None;
        }
        self.on_signals = self.names_alerts();
        let rule_type = self.text("type");
        let language = self.language(&rule_type);
        let memory = language.as_ref().and_then(|_| self.memory(rule_type.get_ref()));
        let query = language.as_ref().and_then(|language| self.query(language));
        let rule_id = self.text("rule_id");
        self.id = Some(rule_id.clone()).filter(|id| !id.get_ref().is_empty());
        let definition = Definition {
            rule_id: rule_id.into_inner(),
            name: self.text("name").into_inner(),
            rule_type: rule_type.into_inner(),
            description: one_line(self.text("description").get_ref()),
            severity: self.severity(),
            risk_score: self.risk_score(),
            author: self.list("author", A_TEXT).map(into_text).collect(),
            license: self.optional_text("license"),
            references: self.list("references", A_TEXT).map(into_text).collect(),
            false_positives: self.list("false_positives", A_TEXT).map(|Text(text)| one_line(&text)).collect(),
            note: self.optional_text("note"),
            tags: self.list("tags", A_TEXT).map(into_text).collect(),
            threat: self.list("threat", "an array of tables").collect(),
            from: self.optional_text("from"),
            interval: self.optional_text("interval"),
            building_block_type: self.building_block_type(),
            timestamp_override: self.optional_text("timestamp_override"),
        };
        self.check_rest(language.is_some());
        let on_signals = self.on_signals;
        Some(Rule { language: language?, query: query?, on_signals, memory, definition })
    }

    /// Whether one of the rule's indices is an alert index.
    fn names_alerts(&self) -> bool {
        let is_of_alerts = |index: &str| index.trim_start_matches(".internal").starts_with(ALERTS);
        has(self.rule.get("index").map(Spanned::get_ref), is_of_alerts)
    }

    /// What a query needs to know about a field.
    fn field(&self, name: &str) -> Result<query::Field, String> {
        schema(self.on_signals)(name)
    }

    /// What the query is written in, or `None` for a rule that is not run. A rule of another type has another language
    /// too, or none; the first of these two reasons is enough.
    fn language(&mut self, rule_type: &Spanned<String>) -> Option<Language> {
        let (place, rule_type) = (rule_type.span(), rule_type.get_ref().as_str());
        let wanted = match rule_type {
            "query" | "new_terms" | "threshold" | "" => "kuery",
            "eql" => "eql",
            other => {
                let reason = format!(
                    "type is {other}: only rules of type query, eql, new_terms and threshold are supported"
                );
                self.leave(&place, reason);
                return None;
            }
        };
        let language = self.text("language");
        let (place, word) = (language.span(), language.into_inner());
        if wanted == "eql" {
            if word != wanted && !word.is_empty() {
                self.refuse(&place, format!("language is {word}: a rule of type eql is written in eql"));
            }
            return Some(Language::Eql { category: self.event_category() });
        }
        if word != wanted && !word.is_empty() {
            let reason = format!(
                "language is {word}: only the language kuery is supported in a rule of type {rule_type}"
            );
            self.leave(&place, reason);
            return None;
        }
        Some(Language::Kuery)
    }

    fn not_run(&mut self, place: &Range<usize>, reason: impl Into<String>) {
        self.not_run.push(query::Error::spanning(self.text, place.clone(), reason));
    }

    /// Notes that the rule is not run; what its query says does not matter.
    fn leave(&mut self, place: &Range<usize>, reason: String) {
        self.not_run(place, reason);
        for key in ["language", "query"] {
            self.rule.remove(key);
        }
    }

    /// The field that the word before `where` is compared with.
    fn event_category(&mut self) -> String {
        const KEY: &str = "event_category_override";
        let place = self.rule.get(KEY).map(Spanned::span);
        let Some((place, field)) = place.zip(self.optional_text(KEY)) else {
            return "event.category".to_owned();
        };
        if let Err(reason) = self.field(&field) {
            self.refuse(&place, reason);
        }
        field
    }

    /// The query, parsed only to check it. Its mistakes are reported at their location in the file.
    fn query(&mut self, language: &Language) -> Option<String> {
        let query = self.text("query");
        let (span, query) = (query.span(), query.into_inner());
        if query.is_empty() {
            return None;
        }
        let outcome = match language {
            Language::Eql { category } => {
                if let Some(error) = Query::eql_not_run(&query) {
                    self.not_run.push(error.placed(self.text, &span, &query));
                    return None;
                }
                Query::parse_eql_satisfiable(&query, category, schema(self.on_signals))
            }
            _ => Query::parse_satisfiable(&query, schema(self.on_signals)),
        };
        for error in outcome.err().into_iter().flatten() {
            self.mistakes.push(error.placed(self.text, &span, &query));
        }
        Some(query)
    }

    fn severity(&mut self) -> Severity {
        let text = self.text("severity");
        let word = text.get_ref().as_str();
        let severity = Severity::ALL.into_iter().find(|severity| severity.as_str() == word);
        if severity.is_none() && !word.is_empty() {
            self.refuse(
                &text.span(),
                format!("unknown severity {word}: expected low, medium, high or critical"),
            );
        }
        severity.unwrap_or(Severity::Low)
    }

    fn risk_score(&mut self) -> u8 {
        const EXPECTED: &str = "a whole number from 0 to 100";
        let score: Spanned<u8> = self.required("risk_score", EXPECTED);
        if *score.get_ref() > 100 {
            self.refuse(&score.span(), format!("risk_score must be {EXPECTED}"));
        }
        score.into_inner()
    }

    fn building_block_type(&mut self) -> Option<String> {
        const KEY: &str = "building_block_type";
        let place = self.rule.get(KEY).map(Spanned::span)?;
        let kind = self.optional_text(KEY)?;
        if kind != "default" {
            self.refuse(&place, format!("{KEY} is {kind}: expected default"));
        }
        Some(kind)
    }

    /// Refuses unknown keys, and keys that would change what matches (those of another rule type only beside the type they
    /// contradict), and notes those that are ignored.
    fn check_rest(&mut self, is_run: bool) {
        for (key, value) in std::mem::take(&mut self.rule) {
            let name = key.get_ref().as_ref();
            let is_empty = value.get_ref().as_array().is_some_and(|items| items.is_empty());
            if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
                if is_run && !is_empty {
                    self.refuse(&value.span(), *why);
                }
            } else if OF_THE_STACK.contains(&name) {
                self.ignored.push(format!("{name} is ignored: it controls Elastic's stack"));
            } else if !UNUSED.contains(&name) {
                self.refuse(
                    &key.span(),
                    format!("unknown key {name}: Elastic's rules have none of this name"),
                );
            }
        }
    }

    fn text(&mut self, key: &str) -> Spanned<String> {
        let text: Spanned<Text> = self.required(key, A_TEXT);
        Spanned::new(text.span(), text.into_inner().0)
    }

    fn optional_text(&mut self, key: &str) -> Option<String> {
        let value = self.rule.remove(key)?;
        self.value(key, A_TEXT, value).map(into_text)
    }

    /// A table that the rule must have.
    fn table<T: DeserializeOwned>(&mut self, key: &str, expected: &str) -> Option<T> {
        let value = self.rule.remove(key);
        if value.is_none() {
            self.refuse(&self.start.clone(), format!("{key} is missing: write {expected}"));
        }
        self.value(key, expected, value?)
    }

    fn required<T: DeserializeOwned + Default>(&mut self, key: &str, expected: &str) -> Spanned<T> {
        let value = self.rule.remove(key);
        if value.is_none() {
            self.refuse(&self.start.clone(), format!("{key} is missing"));
        }
        let (span, value) = match value {
            Some(value) => (value.span(), self.value(key, expected, value)),
            None => (0..0, None),
        };
        Spanned::new(span, value.unwrap_or_default())
    }

    /// The values of a list that may be missing, or a single value in its place.
    fn list<T: DeserializeOwned>(&mut self, key: &str, expected: &str) -> impl Iterator<Item = T> {
        let items = match self.rule.remove(key).map(|value| (value.span(), value.into_inner())) {
            None => Vec::new(),
            Some((_, DeValue::Array(items))) => items.into_iter().collect(),
            Some((span, value)) => vec![Spanned::new(span, value)],
        };
        let values: Vec<_> = items.into_iter().filter_map(|item| self.value(key, expected, item)).collect();
        values.into_iter()
    }

    /// A value, unless it is a mistake.
    fn value<T: DeserializeOwned>(
        &mut self,
        key: &str,
        expected: &str,
        value: Spanned<DeValue<'_>>,
    ) -> Option<T> {
        let (span, is_table) = (value.span(), value.get_ref().is_table());
        let read = T::deserialize(value.into_deserializer());
        read.map_err(|error| {
            // Only serde can say what is wrong inside a table.
            let detail = if is_table { format!(": {}", error.message()) } else { String::new() };
            self.refuse(&error.span().unwrap_or(span), format!("{key} must be {expected}{detail}"));
        })
        .ok()
    }
}

/// A non-empty string, trimmed.
#[derive(Default, Deserialize)]
struct Text(#[serde(deserialize_with = "text")] String);

fn into_text(text: Text) -> String {
    text.0
}
