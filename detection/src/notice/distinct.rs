//! The distinct texts among many, within a limit on memory.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::text::foreign;

/// More distinct texts than this are not counted.
const MAX_COUNTED: usize = 1_000;
/// The longest text that is kept, in characters. AWS names are shorter.
const MAX_CHARS: usize = 160;

/// The first distinct texts, and how many there are.
#[derive(Debug, Clone)]
pub(super) struct Distinct {
    limit: usize,
    max_counted: usize,
    /// Sanitized for display.
    pub(super) shown: Vec<String>,
    seen: HashSet<u64>,
}

impl Distinct {
    /// Keeps the first `limit` texts.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, max_counted: MAX_COUNTED, shown: Vec::new(), seen: HashSet::new() }
    }

    /// Counts up to `max_counted` texts.
    pub(super) fn counting(self, max_counted: usize) -> Self {
        Self { max_counted, ..self }
    }

    /// Adds a text, if there is one.
    pub(super) fn add(&mut self, text: Option<&str>) {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        if self.seen.len() < self.max_counted
            && self.seen.insert(hasher.finish())
            && self.shown.len() < self.limit
        {
            self.shown.push(foreign(text, MAX_CHARS));
        }
    }

    /// How many distinct texts there are, as far as they are counted.
    pub(super) fn count(&self) -> usize {
        self.seen.len()
    }

    /// The same in words: `60`, `1000 or more`.
    pub(super) fn number(&self) -> String {
        let more = if self.count() == self.max_counted { " or more" } else { "" };
        format!("{}{more}", self.count())
    }

    /// How many of them are not shown.
    pub(super) fn hidden(&self) -> usize {
        self.count() - self.shown.len()
    }

    /// The only text, if there is just one.
    pub(super) fn only(&self) -> Option<&str> {
        if self.count() == 1 { self.shown.first().map(String::as_str) } else { None }
    }

    /// The texts in one line: `a, b and 3 more`.
    pub(super) fn line(&self) -> Option<String> {
        let all = self.shown.join(", ");
        match self.hidden() {
            _ if self.shown.is_empty() => None,
            0 => Some(all),
            hidden => Some(format!("{all} and {hidden} more")),
        }
    }
}
