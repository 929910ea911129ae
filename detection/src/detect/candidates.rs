//! Which rules a head leaves, remembered by provider, action and outcome: a record costs the same whatever the number
//! of rules.

use std::collections::HashMap;

use super::{Head, Rule};

/// Heads that are remembered. CloudTrail knows a few thousand pairs of service and action; what comes beyond is worked
/// out anew, so that odd input cannot grow the memory.
const MAX_HEADS: usize = 8192;
/// Providers that are remembered; CloudTrail knows a few hundred.
const MAX_PROVIDERS: usize = 1024;
/// A longer provider or action is no real one: neither can these grow the memory.
const MAX_NAME_BYTES: usize = 128;

#[derive(Debug)]
pub(super) struct Candidates<'r> {
    rules: &'r [Rule],
    providers: HashMap<String, Provider>,
    heads: usize,
}

/// What is known of the records of one provider.
#[derive(Debug)]
struct Provider {
    /// The rules that the provider alone leaves, by their index.
    rules: Vec<usize>,
    /// The rules that are left of those, by action and then by outcome.
    actions: HashMap<String, Vec<(&'static str, Vec<usize>)>>,
}

impl<'r> Candidates<'r> {
    pub(super) fn new(rules: &'r [Rule]) -> Self {
        Self { rules, providers: HashMap::new(), heads: 0 }
    }

    /// The rules that `head` does not rule out, by their index.
    pub(super) fn left_by(&self, head: &Head<'_>) -> Vec<usize> {
        possible(self.rules, 0..self.rules.len(), head)
    }

    /// The same from memory, where it is kept from now on; `None` for a head that is not worth keeping.
    pub(super) fn remembered(&mut self, head: &Head<'_>) -> Option<Vec<usize>> {
        let (provider, action, outcome) = head.key()?;
        if let Some(known) = self.providers.get_mut(provider) {
            let outcomes = known.actions.get(action).into_iter().flatten();
            if let Some((_, rules)) = outcomes.into_iter().find(|(known, _)| *known == outcome) {
                return Some(rules.clone());
            }
            let rules = possible(self.rules, known.rules.iter().copied(), head);
            if self.heads < MAX_HEADS && action.len() <= MAX_NAME_BYTES {
                known.actions.entry(action.to_owned()).or_default().push((outcome, rules.clone()));
                self.heads += 1;
            }
            return Some(rules);
        }
        if self.providers.len() == MAX_PROVIDERS || provider.len() > MAX_NAME_BYTES {
            return None;
        }
        let rules = self.left_by(&Head::of_provider(provider));
        self.providers.insert(provider.to_owned(), Provider { rules, actions: HashMap::new() });
        self.remembered(head)
    }
}

fn possible(rules: &[Rule], indices: impl Iterator<Item = usize>, head: &Head<'_>) -> Vec<usize> {
    indices.filter(|index| rules[*index].query.evaluate(head) != Some(false)).collect()
}
