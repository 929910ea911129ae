//! Counts by some property, the most frequent first.

use std::collections::HashMap;

/// How often each text occurred.
#[derive(Default)]
pub struct Counts(HashMap<String, u64>);

impl Counts {
    pub fn add(&mut self, text: &str) {
        self.add_many(text, 1);
    }

    pub fn add_many(&mut self, text: &str, times: u64) {
        if let Some(count) = self.0.get_mut(text) {
            *count += times;
        } else {
            self.0.insert(text.to_owned(), times);
        }
    }

    /// The most frequent first; equally frequent ones by name.
    pub fn sorted(&self) -> Vec<(&str, u64)> {
        let mut sorted: Vec<_> = self.0.iter().map(|(text, count)| (text.as_str(), *count)).collect();
        sorted.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
        sorted
    }
}
