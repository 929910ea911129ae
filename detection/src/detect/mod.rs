//! From raw records to signals.

mod candidates;
mod glance;
mod head;
mod inspector;
mod prefilter;

pub use head::Head;
pub use inspector::{Inspector, Tally};

use serde_json::Value;

use crate::ecs::{self, Document, Verbatim};
use crate::query::{self, Query};
use crate::records::{RawRecord, Rejection};
use crate::rule::{Definition, Source};
use candidates::Candidates;
use prefilter::Prefilter;

/// One rule, ready to judge.
#[derive(Debug, Clone)]
pub struct Rule {
    /// What it says about itself.
    pub definition: Definition,
    query: Query,
}

impl Rule {
    /// Says whether the whole query holds for a document.
    #[must_use]
    pub fn matches(&self, document: &Document) -> bool {
        self.query.evaluate(document) == Some(true)
    }
}

/// Rules that are applied together.
#[derive(Debug)]
pub struct Ruleset {
    rules: Vec<Rule>,
    prefilter: Prefilter,
}

/// A record that at least one rule matches.
#[derive(Debug)]
pub struct Match<'r> {
    /// The record as an ECS document.
    pub document: Document,
    /// The rules that match it, in the order of their files.
    pub rules: Vec<&'r Rule>,
}

impl Ruleset {
    /// A set of the given rules.
    ///
    /// # Errors
    /// The mistakes in their queries.
    pub fn new(sources: Vec<Source>) -> Result<Self, Vec<query::Error>> {
        let rules = sources
            .into_iter()
            .map(|source| {
                let query = Query::parse(&source.query, ecs::field)?;
                Ok(Rule { definition: source.definition, query })
            })
            .collect::<Result<Vec<_>, Vec<query::Error>>>()?;
        let prefilter = Prefilter::new(rules.iter().map(|rule| &rule.query));
        Ok(Self { rules, prefilter })
    }

    /// The rules, in the order of their files.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Something that judges records one after the other.
    #[must_use]
    pub fn detector(&self) -> Detector<'_> {
        Detector { ruleset: self, candidates: Candidates::new(&self.rules) }
    }
}

/// Judges records, remembering what the heads seen so far mean, so that a record costs the same whatever the number
/// of rules.
#[derive(Debug)]
pub struct Detector<'r> {
    ruleset: &'r Ruleset,
    candidates: Candidates<'r>,
}

impl<'r> Detector<'r> {
    /// Applies every rule to one raw record; `None` if none matches.
    ///
    /// # Errors
    /// [`Rejection::InvalidJson`] for a record that cannot be ruled out and is not JSON.
    pub fn detect<'a>(&mut self, record: impl Into<RawRecord<'a>>) -> Result<Option<Match<'r>>, Rejection> {
        let record = record.into();
        if !self.ruleset.prefilter.may_match(record) {
            return Ok(None);
        }
        let head = match Head::glance(record) {
            Some(head) => head,
            None => Head::parse(record.text()).map_err(|_| Rejection::InvalidJson)?,
        };
        let candidates = self.candidates.of(&head);
        if candidates.is_empty() {
            return Ok(None);
        }
        let Ok(Value::Object(record)) = serde_json::from_slice(record.text()) else {
            return Err(Rejection::InvalidJson);
        };
        let rules = candidates.into_iter().map(|index| &self.ruleset.rules[index]);
        let mut rules: Vec<_> =
            rules.filter(|rule| rule.query.evaluate(&Verbatim(&record)) != Some(false)).collect();
        if rules.is_empty() {
            return Ok(None);
        }
        let document = Document::from_record(record);
        rules.retain(|rule| rule.matches(&document));
        Ok((!rules.is_empty()).then_some(Match { document, rules }))
    }
}
