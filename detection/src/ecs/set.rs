//! The values of a field that gathers them from several places.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// Distinct texts, in the order in which they were added.
#[derive(Debug, Default)]
pub(super) struct Set<'a> {
    texts: Vec<&'a str>,
    /// The same texts. A record may hold tens of thousands, too many to search one by one.
    known: BTreeSet<&'a str>,
}

impl<'a> Extend<&'a str> for Set<'a> {
    fn extend<T: IntoIterator<Item = &'a str>>(&mut self, texts: T) {
        for text in texts {
            if !text.is_empty() && self.known.insert(text) {
                self.texts.push(text);
            }
        }
    }
}

impl Set<'_> {
    /// The value of the field, if there is one.
    pub(super) fn into_value(self) -> Option<Value> {
        (!self.texts.is_empty()).then(|| json!(self.texts))
    }
}
