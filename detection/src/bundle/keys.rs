//! A small TOML file, read key by key, with the location of every mistake.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::query::{Error, Field, Query};

/// The keys of one file that have not been taken yet.
pub(super) struct Keys<'a> {
    pub(super) text: &'a str,
    table: DeTable<'a>,
    pub(super) mistakes: Vec<Error>,
}

impl<'a> Keys<'a> {
    /// Text that is not TOML is a mistake, and has no keys.
    pub(super) fn new(text: &'a str) -> Self {
        let (table, mistakes) = match DeTable::parse(text) {
            Ok(table) => (table.into_inner(), Vec::new()),
            Err(error) => {
                let place = error.span().unwrap_or_default();
                (DeTable::new(), vec![Error::spanning(text, place, error.message().replace('\n', "; "))])
            }
        };
        Self { text, table, mistakes }
    }

    pub(super) fn refuse(&mut self, place: Range<usize>, reason: impl Into<String>) {
        self.mistakes.push(Error::spanning(self.text, place, reason));
    }

    pub(super) fn value(&mut self, key: &str) -> Option<Spanned<DeValue<'a>>> {
        self.table.remove(key)
    }

    pub(super) fn missing(&mut self, key: &str, expected: &str) {
        // A file that is not TOML lacks every key, and one mistake is enough.
        if self.mistakes.is_empty() {
            self.refuse(0..0, format!("{key} is missing: write {expected}"));
        }
    }

    /// A non-empty string, trimmed.
    pub(super) fn optional_text(&mut self, key: &str) -> Option<Spanned<String>> {
        let value = self.value(key)?;
        match value.get_ref().as_str().map(str::trim) {
            None | Some("") => {
                self.refuse(value.span(), format!("{key} must be a string that is not empty"));
                None
            }
            Some(text) => Some(Spanned::new(value.span(), text.to_owned())),
        }
    }

    pub(super) fn text(&mut self, key: &str, expected: &str) -> Option<Spanned<String>> {
        if !self.table.contains_key(key) {
            self.missing(key, expected);
        }
        self.optional_text(key)
    }

    /// A query that can match.
    pub(super) fn query(
        &mut self,
        schema: impl Fn(&str) -> Result<Field, String>,
    ) -> Option<(Spanned<String>, Query)> {
        let query = self.text("query", "query = 'user.name: …'")?;
        match Query::parse_satisfiable(query.get_ref(), schema) {
            Ok(parsed) => Some((query, parsed)),
            Err(errors) => {
                let (text, span) = (self.text, query.span());
                let placed = errors.into_iter().map(|error| error.placed(text, &span, query.get_ref()));
                self.mistakes.extend(placed);
                None
            }
        }
    }

    /// Refuses every key that was not taken.
    pub(super) fn finish(mut self, known: &str) -> Vec<Error> {
        for (key, _) in std::mem::take(&mut self.table) {
            let name = key.get_ref();
            self.refuse(key.span(), format!("unknown key {name}: expected {known}"));
        }
        self.mistakes.sort_by_key(|mistake| mistake.offset);
        self.mistakes
    }
}
