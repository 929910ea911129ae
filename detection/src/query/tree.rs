//! What every query language is lowered into: a tree of tests on fields.

use std::net::IpAddr;
use std::slice;

use super::{Decimal, Glob, Pattern, Regex};

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
    /// At most one.
    One,
    /// Any number.
    Many,
}

/// The properties of a field in a schema.
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

/// What a test looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A field of the alert's namespace, by its dotted name.
    Field(String),
    /// A dotted path into the original record. A path goes through arrays: any element will do. An object at its end is
    /// tested as its compact JSON and as every text in it.
    Record(String),
    /// Every string, number and boolean in the original record.
    Anywhere,
}

impl From<&str> for Subject {
    fn from(field: &str) -> Self {
        Self::Field(field.to_owned())
    }
}

impl From<String> for Subject {
    fn from(field: String) -> Self {
        Self::Field(field)
    }
}

/// A relation between the texts of two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// They are the same.
    Equals,
    /// The first starts with the second.
    StartsWith,
    /// The first ends with the second.
    EndsWith,
    /// The first contains the second.
    Contains,
}

/// A test of one value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// There is a value at all.
    Exists,
    /// The value is this text (for a date: this time).
    Text(String),
    /// The value matches the wildcards.
    Pattern(Pattern),
    /// The value matches wildcards that a [`Pattern`] cannot express: in any case, or with `?`.
    Glob(Glob),
    /// The expression matches the value.
    Regex(Regex),
    /// The value is this boolean.
    Boolean(bool),
    /// The value is this number.
    Number(Decimal),
    /// The address lies in the block; a single address is a block of full length.
    Network(IpAddr, u8),
    /// `null`, which no value is.
    Null,
    /// The text lies on this side of the bound.
    TextRange(Comparison, String),
    /// The number lies on this side of the bound.
    NumberRange(Comparison, Decimal),
    /// The address lies on this side of the bound.
    AddressRange(Comparison, IpAddr),
    /// The text has this many UTF-16 code units.
    Length(Decimal),
    /// The text's number of UTF-16 code units lies on this side of the bound.
    LengthRange(Comparison, Decimal),
}

impl Test {
    /// The test for a string with wildcards, in the simplest form, which suits the prefilter best.
    #[must_use]
    pub fn like(glob: Glob) -> Self {
        if glob.is_any() {
            return Self::Exists;
        }
        match glob.as_pieces() {
            Some(mut pieces) if pieces.len() == 1 => Self::Text(pieces.remove(0)),
            Some(pieces) => Self::Pattern(Pattern::new(pieces)),
            None => Self::Glob(glob),
        }
    }
}

/// A syntax tree. A field without values never passes a test: if a language says more about missing fields, it lowers
/// that to [`Test::Exists`].
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// All of them hold.
    And(Vec<Node>),
    /// At least one of them holds.
    Or(Vec<Node>),
    /// It does not hold.
    Not(Box<Node>),
    /// Some value of the field passes the test.
    Field {
        /// The field.
        subject: Subject,
        /// How its values compare.
        kind: Kind,
        /// The test.
        test: Test,
    },
    /// The relation holds between some value of one field and some value of another.
    Fields {
        /// The first field.
        one: Subject,
        /// The relation of its value to the other's.
        relation: Relation,
        /// The second field.
        other: Subject,
        /// Whether case is ignored, as [`Glob`] ignores it.
        any_case: bool,
    },
}

impl Node {
    /// The parts joined by `and`, or the node itself.
    pub(super) fn parts(&self) -> &[Self] {
        match self {
            Self::And(parts) => parts,
            node => slice::from_ref(node),
        }
    }
}
