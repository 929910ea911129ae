//! Remembers which rules a head leaves, by provider, action and outcome, so that a record takes the same time whatever
//! the number of rules.

use std::collections::HashMap;
use std::rc::Rc;

use super::prefilter::{Gate, Prefilter};
use super::{Head, Rule};

/// How many heads are remembered. CloudTrail has a few thousand pairs of service and action. Further heads are judged anew
/// each time, so that odd input cannot grow the memory.
const MAX_HEADS: usize = 8192;
/// How many providers are remembered. CloudTrail has a few hundred.
const MAX_PROVIDERS: usize = 1024;
/// No real provider or action is longer. Longer ones are not remembered, so that they cannot grow the memory.
const MAX_NAME_BYTES: usize = 128;

#[derive(Debug)]
pub(super) struct Candidates<'r> {
    rules: &'r [Rule],
    prefilter: &'r Prefilter,
    providers: HashMap<String, Provider>,
    heads: usize,
    /// Many heads leave the same rules.
    left: HashMap<Vec<usize>, Rc<Left>>,
}

/// The rules that a head leaves.
#[derive(Debug)]
pub(super) struct Left {
    /// By their index.
    pub(super) rules: Vec<usize>,
    pub(super) gate: Gate,
}

/// What is known of the records of one provider.
#[derive(Debug)]
struct Provider {
    /// The rules that the provider alone leaves, by their index.
    rules: Vec<usize>,
    /// The rules that are left of those, by action and then by outcome.
    actions: HashMap<String, Vec<(&'static str, Rc<Left>)>>,
}

impl<'r> Candidates<'r> {
    pub(super) fn new(rules: &'r [Rule], prefilter: &'r Prefilter) -> Self {
        Self { rules, prefilter, providers: HashMap::new(), heads: 0, left: HashMap::new() }
    }

    /// Every rule.
    pub(super) fn all(&mut self) -> Rc<Left> {
        self.left((0..self.rules.len()).collect())
    }

    /// The rules that `head` does not rule out.
    pub(super) fn left_by(&mut self, head: &Head<'_>) -> Rc<Left> {
        self.left(possible(self.rules, 0..self.rules.len(), head))
    }

    /// The same from memory, where it is kept from now on; `None` for a head that is not worth keeping.
    pub(super) fn remembered(&mut self, head: &Head<'_>) -> Option<Rc<Left>> {
        let (provider, action, outcome) = head.key()?;
        let Some(known) = self.providers.get(provider) else {
            if self.providers.len() == MAX_PROVIDERS || provider.len() > MAX_NAME_BYTES {
                return None;
            }
            let rules = possible(self.rules, 0..self.rules.len(), &Head::of_provider(provider));
            self.providers.insert(provider.to_owned(), Provider { rules, actions: HashMap::new() });
            return self.remembered(head);
        };
        let mut outcomes = known.actions.get(action).into_iter().flatten();
        if let Some((_, left)) = outcomes.find(|(known, _)| *known == outcome) {
            return Some(Rc::clone(left));
        }
        let rules = possible(self.rules, known.rules.iter().copied(), head);
        let left = self.left(rules);
        if self.heads < MAX_HEADS
            && action.len() <= MAX_NAME_BYTES
            && let Some(known) = self.providers.get_mut(provider)
        {
            known.actions.entry(action.to_owned()).or_default().push((outcome, Rc::clone(&left)));
            self.heads += 1;
        }
        Some(left)
    }

    /// Rules with the gate before them.
    fn left(&mut self, rules: Vec<usize>) -> Rc<Left> {
        if let Some(left) = self.left.get(&rules) {
            return Rc::clone(left);
        }
        let gate = self.prefilter.gate(&rules);
        let left = Rc::new(Left { rules: rules.clone(), gate });
        if self.left.len() < MAX_HEADS {
            self.left.insert(rules, Rc::clone(&left));
        }
        left
    }
}

fn possible(rules: &[Rule], indices: impl Iterator<Item = usize>, head: &Head<'_>) -> Vec<usize> {
    indices.filter(|index| rules[*index].query.evaluate(head) != Some(false)).collect()
}
