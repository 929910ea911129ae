//! The parts of a query, before its fields are resolved.

use std::ops::Range;

use crate::query::{Comparison, Decimal};

/// A part of the text.
pub(super) type Place = Range<usize>;

/// `category where condition`
#[derive(Debug)]
pub(super) struct Event {
    /// `None` for `any`.
    pub(super) category: Option<(String, Place)>,
    pub(super) condition: Condition,
}

/// Something that holds or does not.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare(Operand, Sign, Operand),
    In {
        operand: Operand,
        any_case: bool,
        values: Vec<Operand>,
    },
    Match {
        operand: Operand,
        how: How,
        patterns: Vec<(String, Place)>,
    },
    /// A function or a boolean on its own.
    Operand(Operand),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sign {
    Equal,
    NotEqual,
    Order(Comparison),
}

/// How a string is matched against a pattern.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum How {
    /// `:` and `like~` ignore case, `like` does not.
    Like {
        any_case: bool,
    },
    Regex {
        any_case: bool,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operand {
    pub(super) kind: Kind,
    pub(super) place: Place,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// An optional field may be unknown: it then counts as missing.
    Field {
        name: String,
        optional: bool,
    },
    Call {
        name: String,
        any_case: bool,
        arguments: Vec<Operand>,
    },
    Text(String),
    Number(Decimal),
    Boolean(bool),
    Null,
}

impl Operand {
    pub(super) const fn is_constant(&self) -> bool {
        !matches!(self.kind, Kind::Field { .. } | Kind::Call { .. })
    }
}
