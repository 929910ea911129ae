//! What a rule says about itself, which every signal has under `kibana.alert.rule`.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::memory::Memory;
use crate::ecs;
use crate::query::{self, Field, Query, sigma};
use crate::signal;

/// How serious a match is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// `low`
    Low,
    /// `medium`
    Medium,
    /// `high`
    High,
    /// `critical`
    Critical,
}

impl Severity {
    /// Every severity.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word for it in rules and signals.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// A tactic, technique or subtechnique of a threat framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThreatEntry {
    /// Its identifier, such as `T1648`.
    #[serde(deserialize_with = "text")]
    pub id: String,
    /// Its name.
    #[serde(deserialize_with = "text")]
    pub name: String,
    /// A page about it.
    #[serde(deserialize_with = "text")]
    pub reference: String,
    /// Its subtechniques, if the rule names any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subtechnique: Vec<ThreatEntry>,
}

/// What a match means in a threat framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threat {
    /// The framework, such as `MITRE ATT&CK`.
    #[serde(deserialize_with = "text")]
    pub framework: String,
    /// What the attacker is after.
    pub tactic: ThreatEntry,
    /// How it is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub technique: Vec<ThreatEntry>,
}

/// The facts of a rule, under the names that Elastic's alerts use for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// The identifier, which stays the same everywhere and in every version of the rule.
    pub rule_id: String,
    /// The name.
    pub name: String,
    /// `query`, `eql`, `new_terms` or `threshold`. Sigma rules are of type `query` too: consumers of alert documents
    /// know Elastic's rule types, and for a Sigma rule this type means the same.
    #[serde(rename = "type")]
    pub rule_type: String,
    /// What it finds and why that matters.
    pub description: String,
    /// How serious a match is.
    pub severity: Severity,
    /// The same as a number, 0 to 100.
    pub risk_score: u8,
    /// Who wrote it.
    pub author: Vec<String>,
    /// Its licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Pages about it.
    pub references: Vec<String>,
    /// Harmless activity that raises it.
    pub false_positives: Vec<String>,
    /// How to investigate a match, in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// What it means in threat frameworks.
    pub threat: Vec<Threat>,
    /// How far back the Elastic Stack looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// How often the Elastic Stack looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// `default` for a building block; missing for a rule whose signals are alerts in their own right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub building_block_type: Option<String>,
    /// The time field that the Elastic Stack uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_override: Option<String>,
}

/// What a rule's query is written in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// KQL.
    Kuery,
    /// EQL on one event.
    Eql {
        /// The field that the word before `where` is compared with.
        category: String,
    },
    /// The `detection` section of a Sigma rule, as JSON.
    Sigma,
}

/// A rule as it is compiled into the binary: checked, and without what the function does not need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The rule file it came from.
    pub file: String,
    /// What its query is written in.
    pub language: Language,
    /// The text of its query.
    pub query: String,
    /// Whether it looks at the alert documents of signals instead of records.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_signals: bool,
    /// What it remembers about earlier events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// What it says about itself.
    pub definition: Definition,
}

impl Source {
    /// The query.
    ///
    /// # Errors
    /// The mistakes in its text.
    pub fn parse(&self) -> Result<Query, Vec<query::Error>> {
        let schema = schema(self.on_signals);
        match &self.language {
            Language::Kuery => Query::parse(&self.query, schema),
            Language::Eql { category } => Query::parse_eql(&self.query, category, schema),
            Language::Sigma => {
                let error = |reason: String| query::Error::new(&self.query, 0, reason);
                let section: sigma::Item =
                    serde_json::from_str(&self.query).map_err(|fault| vec![error(fault.to_string())])?;
                Query::parse_sigma(&section)
                    .map_err(|problems| problems.into_iter().map(|problem| error(problem.reason)).collect())
            }
        }
    }
}

/// The schema that determines which fields a rule can use.
pub(super) fn schema(on_signals: bool) -> fn(&str) -> Result<Field, String> {
    if on_signals { signal::field } else { ecs::field }
}

/// A non-empty string, trimmed.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.trim() {
        "" => Err(D::Error::custom("an empty string")),
        text => Ok(text.to_owned()),
    }
}
