//! Turns a constant into a test of a field of some kind, or says why the field cannot have such a value.

use super::lucene;
use super::syntax::Kind as Syntax;
use crate::query::kql::{network, time};
use crate::query::{Comparison, Glob, Kind, Regex, Test, Token};

/// What is wrong, and what to write instead.
pub(super) type Refusal = (String, Option<&'static str>);

/// A string in which `*` stands for any text and `?` for any character.
pub(super) fn like(pattern: &str, any_case: bool) -> Test {
    let token = |character| match character {
        '*' => Token::Many,
        '?' => Token::One,
        other => Token::Literal(other),
    };
    Test::like(Glob::new(pattern.chars().map(token), any_case))
}

pub(super) fn regex(pattern: &str, any_case: bool) -> Result<Test, Refusal> {
    let refused = |reason| (reason, None);
    let translated = lucene::translate(pattern).map_err(refused)?;
    Regex::whole(&translated, if any_case { "is" } else { "s" }).map(Test::Regex).map_err(refused)
}

pub(super) fn equality(kind: Kind, value: &Syntax) -> Result<Test, Refusal> {
    let refused = |reason| (reason, None);
    match (kind, value) {
        (Kind::Keyword, Syntax::Text(text)) => Ok(Test::Text(text.clone())),
        (Kind::Keyword | Kind::Boolean, Syntax::Boolean(wanted)) => Ok(Test::Boolean(*wanted)),
        (Kind::Keyword | Kind::Long, Syntax::Number(number)) => Ok(Test::Number(number.clone())),
        (Kind::Ip, Syntax::Text(text)) => network(text).map_err(refused),
        (Kind::Date, Syntax::Text(text)) => time(text).map(Test::Text).map_err(refused),
        _ => Err(wrong_kind(kind)),
    }
}

pub(super) fn range(kind: Kind, comparison: Comparison, value: &Syntax) -> Result<Test, Refusal> {
    match (kind, value) {
        (Kind::Keyword, Syntax::Text(text)) => Ok(Test::TextRange(comparison, text.clone())),
        (Kind::Keyword | Kind::Long, Syntax::Number(number)) => {
            Ok(Test::NumberRange(comparison, number.clone()))
        }
        (Kind::Date, Syntax::Text(text)) => {
            time(text).map(|time| Test::TextRange(comparison, time)).map_err(|reason| (reason, None))
        }
        (Kind::Ip, Syntax::Text(text)) => text
            .parse()
            .map(|address| Test::AddressRange(comparison, address))
            .map_err(|_| ("expected an IP address".to_owned(), None)),
        (Kind::Boolean, _) => Err(("a boolean has no order".to_owned(), None)),
        _ => Err(wrong_kind(kind)),
    }
}

fn wrong_kind(kind: Kind) -> Refusal {
    let reason = match kind {
        Kind::Keyword => "expected a text in double quotes: booleans have no order",
        Kind::Boolean => "expected true or false: the field is a boolean",
        Kind::Long => "expected a number: the field is numeric",
        Kind::Ip => "expected an address in double quotes",
        Kind::Date => "expected a time in double quotes",
    };
    (reason.to_owned(), None)
}
