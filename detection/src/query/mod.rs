//! Queries over fields: a tree of tests, what it says of a document, and the languages that are written for it.
//!
//! | module | holds |
//! |---|---|
//! | `tree` | the one form of every query: [`Node`] and [`Test`] over the values of a [`Subject`], a field or a part of the record |
//! | `glob`, `pattern`, `regex` | what a text can be compared with, beyond another text |
//! | `evaluate` | the verdict on anything that can look up [`Fields`], in three values, so that a query can often be decided from a few fields |
//! | `satisfiable` | which trees can never match, and the parts that contradict |
//! | `kql` | Kibana Query Language: text to tree and back |
//!
//! A further language is a folder beside `kql` that lowers into the same tree.

mod decimal;
mod error;
mod evaluate;
mod glob;
mod kql;
mod pattern;
mod regex;
mod satisfiable;
pub mod sigma;
mod tree;

pub use decimal::Decimal;
pub use error::Error;
pub use evaluate::{Fields, Scalar};
pub use glob::{Glob, Token};
pub use pattern::Pattern;
pub use regex::Regex;
pub use tree::{Comparison, Field, Kind, Node, Relation, Subject, Test, Values};

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
    /// The first error of syntax, or else every field and value that cannot be used, in the order of the text.
    pub fn parse(text: &str, schema: impl Fn(&str) -> Result<Field, String>) -> Result<Self, Vec<Error>> {
        kql::parse(text, &schema).map(|parsed| Self { root: parsed.root })
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
        let kql::Parsed { root, places } = kql::parse(text, &schema)?;
        let values = |field: &str| schema(field).map_or(Values::Many, |field| field.values);
        match satisfiable::check(&root, &values) {
            Ok(()) => Ok(Self { root }),
            Err(conflicts) => Err(conflicts
                .into_iter()
                .map(|conflict| Error::new(text, places[conflict.leaf], conflict.reason))
                .collect()),
        }
    }

    /// Parses the section `detection` of a Sigma rule, which asks for CloudTrail's own names.
    ///
    /// # Errors
    /// Everything in it that is wrong or not run here, in the order of the file.
    pub fn parse_sigma(section: &sigma::Item) -> Result<Self, Vec<sigma::Problem>> {
        sigma::parse(section).map(|root| Self { root })
    }

    /// The syntax tree.
    #[must_use]
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// Says whether the query holds: `None` where it depends on a field that `fields` does not know.
    pub fn evaluate(&self, fields: &impl Fields) -> Option<bool> {
        self.root.evaluate(fields)
    }
}
