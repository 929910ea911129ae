//! Queries over fields: a tree of tests, its evaluation on a document, and the languages that are parsed into it.
//!
//! | module | holds |
//! |---|---|
//! | `tree` | the one form of every query: [`Node`] and [`Test`] over the values of a [`Subject`], a field or a part of the record |
//! | `glob`, `pattern`, `regex` | what a string can be compared with, besides another string |
//! | `evaluate` | the three-valued verdict on anything that can look up [`Fields`], so a few fields often decide a query |
//! | `satisfiable` | which trees can never match, and the contradicting parts |
//! | `kql` | Kibana Query Language: text to tree and back |
//! | `eql` | Event Query Language on one event: text to tree |
//! | `sigma` | Sigma detections: a rule's section to tree |

mod decimal;
mod eql;
mod error;
mod evaluate;
mod glob;
mod kql;
mod pattern;
mod regex;
mod satisfiable;
pub mod sigma;
mod tree;

use std::ops::Range;

pub use decimal::Decimal;
pub use error::Error;
pub use evaluate::{Fields, Scalar};
pub use glob::{Glob, Token};
pub use pattern::Pattern;
pub use regex::Regex;
pub use tree::{Comparison, Field, Kind, Node, Relation, Subject, Test, Values};

/// Returns what a field is, or why there is no such field: the fields of an event, or of an alert document.
pub(crate) type Schema = fn(&str) -> Result<Field, String>;

/// A parsed query.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    root: Node,
}

impl From<Node> for Query {
    fn from(root: Node) -> Self {
        Self { root }
    }
}

impl Query {
    /// Parses KQL, asking `schema` about every field: how it compares, or why a query cannot use it.
    ///
    /// # Errors
    /// The first syntax error, or else every field and value that cannot be used, in the order of the text.
    pub fn parse(text: &str, schema: impl Fn(&str) -> Result<Field, String>) -> Result<Self, Vec<Error>> {
        check_size(text)?;
        kql::parse(text, &schema).map(|parsed| parsed.root.into())
    }

    /// Parses KQL as [`Query::parse`] does, and refuses a query that can never match. Use it wherever people write
    /// queries: one that never matches is a mistake.
    ///
    /// # Errors
    /// Those of [`Query::parse`], or else the parts that contradict each other or the schema.
    pub fn parse_satisfiable(
        text: &str,
        schema: impl Fn(&str) -> Result<Field, String>,
    ) -> Result<Self, Vec<Error>> {
        check_size(text)?;
        kql::parse(text, &schema)?.satisfiable(text, &schema)
    }

    /// Parses EQL on one event. Its category is a value of the field `category`.
    ///
    /// # Errors
    /// The first syntax error, or else every field and value that cannot be used, in the order of the text.
    pub fn parse_eql(
        text: &str,
        category: &str,
        schema: impl Fn(&str) -> Result<Field, String>,
    ) -> Result<Self, Vec<Error>> {
        check_size(text)?;
        eql::parse(text, category, &schema).map(|parsed| parsed.root.into())
    }

    /// Parses EQL as [`Query::parse_eql`] does, and refuses a query that can never match.
    ///
    /// # Errors
    /// Those of [`Query::parse_eql`], or else the parts that contradict each other or the schema.
    pub fn parse_eql_satisfiable(
        text: &str,
        category: &str,
        schema: impl Fn(&str) -> Result<Field, String>,
    ) -> Result<Self, Vec<Error>> {
        check_size(text)?;
        eql::parse(text, category, &schema)?.satisfiable(text, &schema)
    }

    /// The part of an EQL query that keeps it from being run here but is not a mistake, such as a sequence.
    #[must_use]
    pub fn eql_not_run(text: &str) -> Option<Error> {
        check_size(text).ok().and_then(|()| eql::not_run(text))
    }

    /// Parses the `detection` section of a Sigma rule, which uses CloudTrail's own field names.
    ///
    /// # Errors
    /// Everything in it that is wrong or not run here, in the order of the file.
    pub fn parse_sigma(section: &sigma::Item) -> Result<Self, Vec<sigma::Problem>> {
        sigma::parse(section).map(|root| Self { root })
    }

    /// Returns whether it is certain that every document satisfies the query.
    #[must_use]
    pub fn always_matches(&self, schema: impl Fn(&str) -> Result<Field, String>) -> bool {
        !can_match(&Node::Not(Box::new(self.root.clone())), &schema)
    }

    /// Returns whether some document may satisfy both queries.
    #[must_use]
    pub fn can_match_with(&self, other: &Self, schema: impl Fn(&str) -> Result<Field, String>) -> bool {
        can_match(&Node::And(vec![self.root.clone(), other.root.clone()]), &schema)
    }

    /// Returns whether it is certain that every document that satisfies `other` satisfies this query too.
    #[must_use]
    pub fn covers(&self, other: &Self, schema: impl Fn(&str) -> Result<Field, String>) -> bool {
        let rest = Node::Not(Box::new(self.root.clone()));
        !can_match(&Node::And(vec![rest, other.root.clone()]), &schema)
    }

    /// The syntax tree.
    #[must_use]
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// Returns whether the query holds, or `None` if it depends on a field that `fields` does not know.
    pub fn evaluate(&self, fields: &impl Fields) -> Option<bool> {
        self.root.evaluate(fields)
    }

    /// The parts joined by `and` that may not hold, as far as `fields` knows.
    pub(crate) fn open_parts(&self, fields: &impl Fields) -> Parts {
        let mut open = Parts::ALL;
        for (place, part) in self.root.parts().iter().enumerate() {
            if part.evaluate(fields) == Some(true) {
                open.remove(place);
            }
        }
        open
    }

    /// Returns whether these parts of the query hold, as [`Query::evaluate`] does for all of them.
    pub(crate) fn evaluate_parts(&self, parts: Parts, fields: &impl Fields) -> Option<bool> {
        let all = self.root.parts().iter().enumerate();
        evaluate::decide(all.filter(|(place, _)| parts.has(*place)).map(|(_, part)| part), fields, false)
    }
}

/// Some of the parts joined by `and`, by position. Those from the 65th on are always included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts(u64);

impl Parts {
    pub(crate) const ALL: Self = Self(u64::MAX);

    fn remove(&mut self, place: usize) {
        self.0 &= !bit(place);
    }

    pub(crate) fn has(self, place: usize) -> bool {
        place >= u64::BITS as usize || self.0 & bit(place) != 0
    }
}

/// No bit for a position beyond the last.
fn bit(place: usize) -> u64 {
    u32::try_from(place).ok().and_then(|place| 1_u64.checked_shl(place)).unwrap_or(0)
}

/// Returns whether a tree might match some document.
fn can_match(root: &Node, schema: &dyn Fn(&str) -> Result<Field, String>) -> bool {
    let values = |field: &str| schema(field).map_or(Values::Many, |field| field.values);
    satisfiable::check(root, &values).is_ok()
}

/// What a language makes of a text.
struct Parsed {
    root: Node,
    /// The location of every test in the text, in the order of the tree.
    places: Vec<Range<usize>>,
}

impl Parsed {
    fn satisfiable(
        self,
        text: &str,
        schema: &dyn Fn(&str) -> Result<Field, String>,
    ) -> Result<Query, Vec<Error>> {
        let values = |field: &str| schema(field).map_or(Values::Many, |field| field.values);
        let Err(conflicts) = satisfiable::check(&self.root, &values) else { return Ok(self.root.into()) };
        let error = |conflict: satisfiable::Conflict| {
            Error::spanning(text, self.places[conflict.leaf].clone(), conflict.reason)
        };
        let mut errors: Vec<_> = conflicts.into_iter().map(error).collect();
        if errors.is_empty() {
            errors.push(Error::new(text, 0, "the query can never match, whatever the event"));
        }
        Err(errors)
    }
}

/// No query written by a person is longer.
const MAX_BYTES: usize = 256 * 1024;

fn check_size(text: &str) -> Result<(), Vec<Error>> {
    if text.len() <= MAX_BYTES {
        return Ok(());
    }
    Err(vec![Error::new(text, 0, format!("the query is longer than {MAX_BYTES} bytes"))])
}
