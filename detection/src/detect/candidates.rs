//! Caches which rules remain possible for a provider, an action and an outcome, so that the time a record takes does not
//! depend on the number of rules.

use std::collections::HashMap;
use std::rc::Rc;

use super::prefilter::{JointSearch, Prefilter};
use super::{Head, Rule};

/// How many heads the cache holds. CloudTrail has a few thousand pairs of service and action. Further heads are judged
/// each time, so that unusual input cannot fill the memory.
const MAX_HEADS: usize = 8192;
/// How many providers the cache holds. CloudTrail has a few hundred.
const MAX_PROVIDERS: usize = 1024;
/// No real provider or action is longer. Longer ones are not cached, so that they cannot fill the memory.
const MAX_NAME_BYTES: usize = 128;

#[derive(Debug)]
pub(super) struct Candidates<'r> {
    rules: &'r [Rule],
    prefilter: &'r Prefilter,
    providers: HashMap<String, Provider>,
    heads: usize,
    /// Many heads share the same remaining rules.
    sets: HashMap<Vec<usize>, Rc<Remaining>>,
}

/// The rules that a head does not rule out.
#[derive(Debug)]
pub(super) struct Remaining {
    /// By their index.
    pub(super) rules: Vec<usize>,
    /// Searches for the literals of all of them at once.
    pub(super) search: JointSearch,
}

/// The cache for one provider.
#[derive(Debug)]
struct Provider {
    /// The rules that the provider alone does not rule out, by their index.
    rules: Vec<usize>,
    /// The rules that remain of those, by action and then by outcome.
    actions: HashMap<String, Vec<(&'static str, Rc<Remaining>)>>,
}

impl<'r> Candidates<'r> {
    pub(super) fn new(rules: &'r [Rule], prefilter: &'r Prefilter) -> Self {
        Self { rules, prefilter, providers: HashMap::new(), heads: 0, sets: HashMap::new() }
    }

    /// Every rule.
    pub(super) fn all(&mut self) -> Rc<Remaining> {
        self.set((0..self.rules.len()).collect())
    }

    /// The rules that `head` does not rule out.
    pub(super) fn of(&mut self, head: &Head<'_>) -> Rc<Remaining> {
        self.set(possible(self.rules, 0..self.rules.len(), head))
    }

    /// The same from the cache, which is filled on the first call; `None` for a head that is not cached.
    pub(super) fn cached(&mut self, head: &Head<'_>) -> Option<Rc<Remaining>> {
        let (provider, action, outcome) = head.key()?;
        let Some(known) = self.providers.get(provider) else {
            if self.providers.len() == MAX_PROVIDERS || provider.len() > MAX_NAME_BYTES {
                return None;
            }
            let rules = possible(self.rules, 0..self.rules.len(), &Head::of_provider(provider));
            self.providers.insert(provider.to_owned(), Provider { rules, actions: HashMap::new() });
            return self.cached(head);
        };
        let mut outcomes = known.actions.get(action).into_iter().flatten();
        if let Some((_, remaining)) = outcomes.find(|(known, _)| *known == outcome) {
            return Some(Rc::clone(remaining));
        }
        let rules = possible(self.rules, known.rules.iter().copied(), head);
        let remaining = self.set(rules);
        if self.heads < MAX_HEADS
            && action.len() <= MAX_NAME_BYTES
            && let Some(known) = self.providers.get_mut(provider)
        {
            known.actions.entry(action.to_owned()).or_default().push((outcome, Rc::clone(&remaining)));
            self.heads += 1;
        }
        Some(remaining)
    }

    /// These rules and the search for their literals.
    fn set(&mut self, rules: Vec<usize>) -> Rc<Remaining> {
        if let Some(set) = self.sets.get(&rules) {
            return Rc::clone(set);
        }
        let search = self.prefilter.joint_search(&rules);
        let set = Rc::new(Remaining { rules: rules.clone(), search });
        if self.sets.len() < MAX_HEADS {
            self.sets.insert(rules, Rc::clone(&set));
        }
        set
    }
}

fn possible(rules: &[Rule], indices: impl Iterator<Item = usize>, head: &Head<'_>) -> Vec<usize> {
    indices.filter(|index| rules[*index].query.evaluate(head) != Some(false)).collect()
}
