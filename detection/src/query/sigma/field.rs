//! The keys of a detection: a field and its modifiers.

use super::{Key, Problem, record};
use crate::query::Subject;

/// A field and how its values are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) subject: Subject,
    pub(super) operator: Operator,
    /// All values must match, not just any.
    pub(super) all: bool,
    /// Case matters.
    pub(super) cased: bool,
    /// Values may hold placeholders.
    pub(super) expand: bool,
}

/// How the values of a field are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equals,
    Contains,
    StartsWith,
    EndsWith,
    Regex(Flags),
    Cidr,
    Exists,
    FieldRef,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Flags of a regular expression, by their letters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flags {
    ignore_case: bool,
    multi_line: bool,
    dot_is_all: bool,
}

impl Flags {
    pub(super) fn letters(self) -> String {
        let letters = [(self.ignore_case, 'i'), (self.multi_line, 'm'), (self.dot_is_all, 's')];
        letters.into_iter().filter(|(is_set, _)| *is_set).map(|(_, letter)| letter).collect()
    }
}

/// Sigma modifiers that are not run here, each with what to write instead.
const NOT_RUN: [(&str, &str); 19] = [
    ("base64", ENCODED),
    ("base64offset", ENCODED),
    ("utf16", ENCODED),
    ("utf16le", ENCODED),
    ("utf16be", ENCODED),
    ("wide", ENCODED),
    ("windash", "CloudTrail records no command lines; list the spellings with contains"),
    ("neq", "write the value into a detection of its own, and \"not\" before its name in the condition"),
    ("minute", TIME),
    ("hour", TIME),
    ("day", TIME),
    ("week", TIME),
    ("month", TIME),
    ("year", TIME),
    ("count", COUNT),
    ("min", COUNT),
    ("max", COUNT),
    ("avg", COUNT),
    ("sum", COUNT),
];
const ENCODED: &str = "write the encoded text itself, with contains";
const TIME: &str = "compare eventTime with startswith or re";
const COUNT: &str = "it looks at several events; count signals behind the topic";

impl Field {
    /// No field: a word may appear anywhere in the record.
    pub(super) fn anywhere() -> Self {
        Self {
            subject: Subject::Anywhere,
            operator: Operator::Contains,
            all: false,
            cased: false,
            expand: false,
        }
    }

    /// Reads `name|modifier|…`.
    pub(super) fn parse(key: &Key) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let (name, modifiers) =
            key.text.split_once('|').map_or((key.text.as_str(), None), |(name, rest)| (name, Some(rest)));
        let mut field = Self::anywhere();
        if name.is_empty() && modifiers.is_none() {
            problems.push(Problem::wrong(&key.place, "a field needs a name"));
        } else if !name.is_empty() {
            field = Self { subject: Subject::Record(name.to_owned()), operator: Operator::Equals, ..field };
            if let Err(reason) = record::check(name) {
                problems.push(Problem::wrong(&key.place, reason));
            }
        }
        let mut offset = name.len() + 1;
        let mut seen: Vec<&str> = Vec::new();
        for modifier in modifiers.into_iter().flat_map(|modifiers| modifiers.split('|')) {
            let place = if key.place.len() == key.text.len() {
                key.place.start + offset..key.place.start + offset + modifier.len()
            } else {
                key.place.clone()
            };
            offset += modifier.len() + 1;
            if seen.contains(&modifier) {
                problems.push(Problem::wrong(&place, format!("the modifier {modifier} appears twice")));
            } else if let Err(problem) = field.modify(modifier, &seen) {
                problems.push(problem.at(place));
            }
            seen.push(modifier);
        }
        if problems.is_empty() { Ok(field) } else { Err(problems) }
    }

    fn modify(&mut self, modifier: &str, before: &[&str]) -> Result<(), Problem> {
        let wrong = |reason: String| Err(Problem::wrong(&(0..0), reason));
        let operator = match modifier {
            "all" => {
                self.all = true;
                return Ok(());
            }
            "expand" => {
                self.expand = true;
                return Ok(());
            }
            "cased" => {
                self.cased = true;
                return match self.operator {
                    Operator::Equals | Operator::Contains | Operator::StartsWith | Operator::EndsWith => {
                        Ok(())
                    }
                    _ => wrong(format!("cased has no effect after {}: leave it out", last_operator(before))),
                };
            }
            "i" | "ignorecase" | "m" | "multiline" | "s" | "dotall" => {
                let Operator::Regex(flags) = &mut self.operator else {
                    return wrong(format!(
                        "the flag {modifier} belongs after re: expected \"|re|{modifier}\""
                    ));
                };
                match modifier.as_bytes()[0] {
                    b'i' => flags.ignore_case = true,
                    b'm' => flags.multi_line = true,
                    _ => flags.dot_is_all = true,
                }
                return Ok(());
            }
            "contains" => Operator::Contains,
            "startswith" => Operator::StartsWith,
            "endswith" => Operator::EndsWith,
            "re" => Operator::Regex(Flags::default()),
            "cidr" => Operator::Cidr,
            "exists" => Operator::Exists,
            "fieldref" => Operator::FieldRef,
            "lt" => Operator::Less,
            "lte" => Operator::LessOrEqual,
            "gt" => Operator::Greater,
            "gte" => Operator::GreaterOrEqual,
            _ => {
                if let Some((_, instead)) = NOT_RUN.iter().find(|(name, _)| *name == modifier) {
                    return Err(Problem::not_run(
                        &(0..0),
                        format!("the modifier {modifier} is not supported: {instead}"),
                    ));
                }
                return wrong(format!(
                    "unknown modifier {modifier}: expected contains, startswith, endswith, all, re, cidr, exists, fieldref, cased, lt, lte, gt or gte"
                ));
            }
        };
        if self.subject == Subject::Anywhere && !matches!(operator, Operator::Contains | Operator::Regex(_)) {
            return wrong(format!("{modifier} needs a field: expected \"FIELD|{modifier}\""));
        }
        if let Some(other) = before.iter().find(|name| is_operator(name)) {
            return wrong(format!("{other} and {modifier} do not go together: leave one out"));
        }
        if self.cased && !matches!(operator, Operator::Contains | Operator::StartsWith | Operator::EndsWith) {
            return wrong(format!("cased has no effect before {modifier}: leave it out"));
        }
        self.operator = operator;
        Ok(())
    }
}

fn is_operator(modifier: &str) -> bool {
    const OPERATORS: [&str; 11] =
        ["contains", "startswith", "endswith", "re", "cidr", "exists", "fieldref", "lt", "lte", "gt", "gte"];
    OPERATORS.contains(&modifier)
}

fn last_operator<'a>(before: &[&'a str]) -> &'a str {
    before.iter().rev().find(|name| is_operator(name)).copied().unwrap_or_default()
}
