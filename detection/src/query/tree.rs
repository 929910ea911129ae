//! What every query language is lowered into: a tree of tests on fields.

use std::net::IpAddr;

use super::Pattern;

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
