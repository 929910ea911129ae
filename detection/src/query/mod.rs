//! Kibana Query Language, as detection rules use it.
//!
//! [`Query::parse`] takes the text and a schema that knows every [`Field`]; [`Query::evaluate`] answers for
//! anything that can look up [`Fields`], in three values, so that a query can often be decided from a few fields.
//!
//! Taken: `field: value`, quoted and unquoted values, `*` in unquoted ones, `field: *` (exists), value lists with
//! `and`, `or` and `not`, ranges, CIDR blocks on IP fields, `and or not` in any case, parentheses, all of KQL's escapes.
//! Refused by name, because they mean nothing without an index: values without a field, nested queries, wildcards
//! in field names, date arithmetic.

mod error;
mod evaluate;
mod kql;
mod pattern;

use std::net::IpAddr;

pub use error::Error;
pub use evaluate::{Fields, Scalar};
pub use pattern::Pattern;

/// How Elasticsearch compares the values of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whole strings, case-sensitive, ranges in byte order; numbers and booleans as their text.
    Keyword,
    /// `true` and `false`.
    Boolean,
    /// Numbers.
    Long,
    /// Addresses and CIDR blocks.
    Ip,
    /// RFC 3339 times in UTC.
    Date,
}

/// How many values a field has in one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// Always this one.
    Constant(&'static str),
    /// One at most.
    One,
    /// Any number.
    Many,
}

/// What a schema says about a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// How its values compare.
    pub kind: Kind,
    /// How many values it has.
    pub values: Values,
}

/// Which side of a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// What is asked of one value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// There is a value at all.
    Exists,
    /// The value is this text (for a date: this time).
    Text(String),
    /// The value fits the wildcards.
    Pattern(Pattern),
    /// The value is this boolean.
    Boolean(bool),
    /// The value is this number.
    Number(f64),
    /// The address lies in the block; a single address is a block of full length.
    Network(IpAddr, u8),
    /// `null`, which no value is.
    Null,
    /// The text lies on this side of the bound.
    TextRange(Comparison, String),
    /// The number lies on this side of the bound.
    NumberRange(Comparison, f64),
    /// The address lies on this side of the bound.
    AddressRange(Comparison, IpAddr),
}

/// A syntax tree.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// Every one holds.
    And(Vec<Node>),
    /// At least one holds.
    Or(Vec<Node>),
    /// It does not hold.
    Not(Box<Node>),
    /// Some value of the field passes the test.
    Field {
        /// The field's dotted name.
        name: String,
        /// How its values compare.
        kind: Kind,
        /// What is asked of them.
        test: Test,
    },
}

/// A parsed query.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    root: Node,
}

impl Query {
    /// Parses `text`, asking `schema` about every field, or why the field cannot be used.
    ///
    /// # Errors
    /// The first error of syntax, or else every field and value that cannot be used, in the order of the text.
    pub fn parse(text: &str, schema: impl Fn(&str) -> Result<Field, String>) -> Result<Self, Vec<Error>> {
        kql::parse(text, &schema).map(|root| Self { root })
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
