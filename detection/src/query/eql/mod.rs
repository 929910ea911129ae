//! EQL on one event, as Elasticsearch reads it: `category where condition`.
//!
//! | module | holds |
//! |---|---|
//! | `lex` | text to words, strings, numbers and signs |
//! | `syntax` | the parts of a condition, before fields are resolved |
//! | `parse` | words to syntax |
//! | `lower` | syntax to the tree, with Elasticsearch's treatment of missing fields |
//! | `values` | constants to tests, by the field's kind |
//! | `lucene` | Lucene's regular expressions in the syntax of `regex-lite` |
//!
//! Constructs that need more than one event (sequences, samples, joins, pipes), arithmetic, and functions that build
//! strings are recognized but not run: [`not_run`] names them.

mod lex;
mod lower;
mod lucene;
mod parse;
mod syntax;
mod values;

#[cfg(test)]
mod laws;

use super::{Error, Field, Parsed};

/// No query written by a person nests deeper than this.
const MAX_DEPTH: usize = 64;
/// More tests than this, counting the values of lists, are refused.
const MAX_TESTS: usize = 4096;

pub(super) fn parse(
    text: &str,
    category_field: &str,
    schema: &dyn Fn(&str) -> Result<Field, String>,
) -> Result<Parsed, Vec<Error>> {
    let one = |error| vec![error];
    let (tokens, outcome) = lex::tokens(text);
    if let Some(error) = parse::not_run(text, &tokens) {
        return Err(vec![error]);
    }
    outcome.map_err(one)?;
    let event = parse::event(text, &tokens).map_err(one)?;
    lower::lower(text, &event, category_field, schema)
}

/// The part of a query that is valid EQL but not run here, with the reason.
pub(super) fn not_run(text: &str) -> Option<Error> {
    parse::not_run(text, &lex::tokens(text).0)
}
