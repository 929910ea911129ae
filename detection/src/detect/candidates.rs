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
    sets: HashMap<Vec<Open>, Arc<Remaining>>,
}

/// The rules that a head does not rule out.
#[derive(Debug)]
pub(super) struct Remaining {
    pub(super) rules: Vec<Open>,
    /// Searches for the literals of all of them at once.
    pub(super) search: JointSearch,
}

/// A rule that a head does not rule out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Open {
    /// Its index.
    pub(super) rule: usize,
    /// The parts of its query that the head leaves open, if it is the record's.
    pub(super) parts: Box<[usize]>,
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
        let head = Head::unknown();
        self.set(ruleset, (0..ruleset.on_records).map(|rule| Open::of(rule, ruleset, &head)).collect())
    }

    /// The rules that `head` does not rule out.
    pub(super) fn of(&mut self, ruleset: &Ruleset, head: &Head<'_>) -> Arc<Remaining> {
        self.remaining(ruleset, 0..ruleset.on_records, head)
    }

    /// The same from the cache, which is filled on the first call; `None` for a head that is not cached.
    pub(super) fn cached(&mut self, ruleset: &Ruleset, head: &Head<'_>) -> Option<Arc<Remaining>> {
        let (provider, action, outcome) = head.key()?;
        let Some(known) = self.providers.get(provider) else {
            if self.providers.len() == MAX_PROVIDERS || provider.len() > MAX_NAME_BYTES {
                return None;
            }
            let alone = Head::of_provider(provider);
            let rules = possible(&ruleset.rules, 0..ruleset.on_records, &alone).collect();
            self.providers.insert(provider.to_owned(), Provider { rules, actions: HashMap::default() });
            return self.cached(ruleset, head);
        };
        let mut outcomes = known.actions.get(action).into_iter().flatten();
        if let Some((_, remaining)) = outcomes.find(|(known, _)| *known == outcome) {
            return Some(Arc::clone(remaining));
        }
        let rules = known.rules.clone();
        let remaining = self.remaining(ruleset, rules, head);
        if self.heads < MAX_HEADS
            && action.len() <= MAX_NAME_BYTES
            && let Some(known) = self.providers.get_mut(provider)
        {
            known.actions.entry(action.to_owned()).or_default().push((outcome, Arc::clone(&remaining)));
            self.heads += 1;
        }
        Some(remaining)
    }

    /// Those of some rules that `head` does not rule out.
    fn remaining(
        &mut self,
        ruleset: &Ruleset,
        rules: impl IntoIterator<Item = usize>,
        head: &Head<'_>,
    ) -> Arc<Remaining> {
        let confirmed = head.confirmed();
        let possible = possible(&ruleset.rules, rules, head);
        self.set(ruleset, possible.map(|rule| Open::of(rule, ruleset, &confirmed)).collect())
    }

    /// These rules and the search for their literals.
    fn set(&mut self, ruleset: &Ruleset, rules: Vec<Open>) -> Arc<Remaining> {
        if let Some(set) = self.sets.get(&rules) {
            return Arc::clone(set);
        }
        let search = ruleset.prefilter.joint_search(rules.iter().map(|open| open.rule));
        let set = Arc::new(Remaining { rules: rules.clone(), search });
        if self.sets.len() < MAX_HEADS {
            self.sets.insert(rules, Arc::clone(&set));
        }
        set
    }
}

impl Open {
    fn of(rule: usize, ruleset: &Ruleset, head: &Head<'_>) -> Self {
        Self { rule, parts: ruleset.rules[rule].query.open_parts(head) }
    }
}

fn possible(
    rules: &[Rule],
    indices: impl IntoIterator<Item = usize>,
    head: &Head<'_>,
) -> impl Iterator<Item = usize> {
    indices.into_iter().filter(|index| rules[*index].query.evaluate(head) != Some(false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecs;
    use crate::query::Query;

    #[test]
    fn what_the_head_of_a_record_decides_is_not_asked_again() {
        const QUERY: &str = "event.dataset: aws.cloudtrail and event.provider: p and (event.action: a or event.action: b) \
            and user.name: c and event.outcome: success";
        let query = Query::parse(QUERY, ecs::field).expect("a good query");
        let found = Head::of_search("p", "a");
        assert_eq!(*query.open_parts(&found), [1, 2, 3, 4], "it may be that of an inner object");
        assert_eq!(*query.open_parts(&found.confirmed()), [3, 4]);
        assert_eq!(*query.open_parts(&Head::of_search("p", "other").confirmed()), [2, 3, 4]);
    }
}
