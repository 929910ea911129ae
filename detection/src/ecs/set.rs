//! Values of a field that gathers them from several places.

use serde_json::{Value, json};

/// Texts in the order in which they came, each once.
#[derive(Debug, Default)]
pub(super) struct Set<'a>(Vec<&'a str>);

impl<'a> Extend<&'a str> for Set<'a> {
    fn extend<T: IntoIterator<Item = &'a str>>(&mut self, texts: T) {
        for text in texts {
            if !text.is_empty() && !self.0.contains(&text) {
                self.0.push(text);
            }
        }
    }
}

impl Set<'_> {
    /// The value of the field, if there is one.
    pub(super) fn into_value(self) -> Option<Value> {
        (!self.0.is_empty()).then(|| json!(self.0))
    }
}
