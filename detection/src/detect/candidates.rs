//! Caches which rules remain possible for a provider, an action and an outcome, so that the time a record takes does not
//! depend on the number of rules.

use std::sync::Arc;

use foldhash::HashMap;

use super::prefilter::JointSearch;
use super::{Head, Rule, Ruleset};

/// How many heads the cache holds. CloudTrail has a few thousand pairs of service and action. Further heads are judged
/// each time, so that unusual input cannot fill the memory.
const MAX_HEADS: usize = 8192;
/// How many providers the cache holds. CloudTrail has a few hundred.
const MAX_PROVIDERS: usize = 1024;
/// No real provider or action is longer. Longer ones are not cached, so that they cannot fill the memory.
const MAX_NAME_BYTES: usize = 128;

/// The cache. It belongs to one set of rules.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    providers: HashMap<String, Provider>,
    heads: usize,
    /// Many heads share the same remaining rules.
    sets: HashMap<Vec<usize>, Arc<Remaining>>,
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
    actions: HashMap<String, Vec<(&'static str, Arc<Remaining>)>>,
}

impl Candidates {
    /// Every rule.
    pub(super) fn all(&mut self, ruleset: &Ruleset) -> Arc<Remaining> {
        self.set(ruleset, (0..ruleset.on_records).collect())
    }

    /// The rules that `head` does not rule out.
    pub(super) fn of(&mut self, ruleset: &Ruleset, head: &Head<'_>) -> Arc<Remaining> {
        self.set(ruleset, possible(&ruleset.rules, 0..ruleset.on_records, head))
    }

    /// The same from the cache, which is filled on the first call; `None` for a head that is not cached.
    pub(super) fn cached(&mut self, ruleset: &Ruleset, head: &Head<'_>) -> Option<Arc<Remaining>> {
        let (provider, action, outcome) = head.key()?;
        let Some(known) = self.providers.get(provider) else {
            if self.providers.len() == MAX_PROVIDERS || provider.len() > MAX_NAME_BYTES {
                return None;
            }
            let rules = possible(&ruleset.rules, 0..ruleset.on_records, &Head::of_provider(provider));
            self.providers.insert(provider.to_owned(), Provider { rules, actions: HashMap::default() });
            return self.cached(ruleset, head);
        };
        let mut outcomes = known.actions.get(action).into_iter().flatten();
        if let Some((_, remaining)) = outcomes.find(|(known, _)| *known == outcome) {
            return Some(Arc::clone(remaining));
        }
        let rules = possible(&ruleset.rules, known.rules.iter().copied(), head);
        let remaining = self.set(ruleset, rules);
        if self.heads < MAX_HEADS
            && action.len() <= MAX_NAME_BYTES
            && let Some(known) = self.providers.get_mut(provider)
        {
            known.actions.entry(action.to_owned()).or_default().push((outcome, Arc::clone(&remaining)));
            self.heads += 1;
        }
        Some(remaining)
    }

    /// These rules and the search for their literals.
    fn set(&mut self, ruleset: &Ruleset, rules: Vec<usize>) -> Arc<Remaining> {
        if let Some(set) = self.sets.get(&rules) {
            return Arc::clone(set);
        }
        let search = ruleset.prefilter.joint_search(&rules);
        let set = Arc::new(Remaining { rules: rules.clone(), search });
        if self.sets.len() < MAX_HEADS {
            self.sets.insert(rules, Arc::clone(&set));
        }
        set
    }
}

fn possible(rules: &[Rule], indices: impl Iterator<Item = usize>, head: &Head<'_>) -> Vec<usize> {
    indices.filter(|index| rules[*index].query.evaluate(head) != Some(false)).collect()
}
