//! Caches which rules remain possible for a provider, an action and an outcome, so that the time a record takes does not
//! depend on the number of rules.

use std::sync::Arc;

use foldhash::HashMap;

use super::prefilter::JointSearch;
use super::{Head, Rule, Ruleset};
use crate::query::Parts;

/// How many heads the cache holds. CloudTrail has a few thousand pairs of service and action. Further heads are judged
/// each time, so that unusual input cannot fill the memory.
const MAX_HEADS: usize = 8192;
/// How many providers the cache holds. CloudTrail has a few hundred.
const MAX_PROVIDERS: usize = 1024;
/// No real provider or action is longer. Longer ones are not cached, so that they cannot fill the memory.
const MAX_NAME_BYTES: usize = 128;
/// The most rules, across all heads, whose open query parts are cached: half a megabyte.
const MAX_PARTS: usize = 1 << 16;

/// The cache. It belongs to one set of rules.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    providers: HashMap<String, Provider>,
    heads: usize,
    /// Many heads share the same remaining rules.
    sets: HashMap<Vec<usize>, Arc<Remaining>>,
    /// The number of rules whose open query parts are cached.
    parts: usize,
}

/// Rules, and a search for what they require.
#[derive(Debug)]
pub(super) struct Remaining {
    /// Their indices in the set.
    pub(super) rules: Vec<usize>,
    /// Searches for the literals of all of them at once.
    pub(super) search: JointSearch,
}

/// What a head leaves undecided.
#[derive(Debug, Clone)]
pub(super) struct Open {
    /// The rules that it does not rule out.
    pub(super) remaining: Arc<Remaining>,
    /// The parts of their queries, in the same order, that it does not decide, provided that it is the record's own
    /// head. `None` if they were not determined.
    parts: Option<Arc<[Parts]>>,
}

impl Open {
    fn all(remaining: Arc<Remaining>) -> Self {
        Self { remaining, parts: None }
    }

    /// The rule at a place among those that remain, and the open parts of its query.
    pub(super) fn at(&self, place: usize) -> (usize, Parts) {
        (self.remaining.rules[place], self.parts.as_ref().map_or(Parts::ALL, |parts| parts[place]))
    }
}

/// The cache for one provider.
#[derive(Debug)]
struct Provider {
    /// The rules that the provider alone does not rule out, by their index.
    rules: Vec<usize>,
    /// What remains of those, by action and then by outcome.
    actions: HashMap<String, Vec<(&'static str, Open)>>,
}

impl Candidates {
    /// Every rule.
    pub(super) fn all(&mut self, ruleset: &Ruleset) -> Open {
        Open::all(self.set(ruleset, (0..ruleset.on_records).collect()))
    }

    /// The rules that `head` does not rule out.
    pub(super) fn of(&mut self, ruleset: &Ruleset, head: &Head<'_>) -> Open {
        Open::all(self.set(ruleset, possible(&ruleset.rules, 0..ruleset.on_records, head)))
    }

    /// The same from the cache, which is filled on the first call; `None` for a head that is not cached.
    pub(super) fn cached(&mut self, ruleset: &Ruleset, head: &Head<'_>) -> Option<Open> {
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
        if let Some((_, open)) = outcomes.find(|(known, _)| *known == outcome) {
            return Some(open.clone());
        }
        let rules = possible(&ruleset.rules, known.rules.iter().copied(), head);
        let mut open = Open::all(self.set(ruleset, rules));
        if self.heads < MAX_HEADS
            && action.len() <= MAX_NAME_BYTES
            && let Some(known) = self.providers.get_mut(provider)
        {
            let rules = &open.remaining.rules;
            if self.parts + rules.len() <= MAX_PARTS {
                self.parts += rules.len();
                let confirmed = head.confirmed();
                let parts = rules.iter().map(|rule| ruleset.rules[*rule].query.open_parts(&confirmed));
                open.parts = Some(parts.collect());
            }
            known.actions.entry(action.to_owned()).or_default().push((outcome, open.clone()));
            self.heads += 1;
        }
        Some(open)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecs;
    use crate::query::Query;

    /// The places of the parts that might not hold.
    fn open(query: &str, head: &Head<'_>) -> Vec<usize> {
        let parts = Query::parse(query, ecs::field).expect("a good query").open_parts(head);
        (0..query.split(" and ").count()).filter(|place| parts.has(*place)).collect()
    }

    #[test]
    fn what_the_head_of_a_record_decides_is_not_asked_again() {
        const QUERY: &str = "event.dataset: aws.cloudtrail and event.provider: p and (event.action: a or event.action: b) \
            and user.name: c and event.outcome: success";
        let found = Head::of_search("p", "a");
        assert_eq!(open(QUERY, &found), [1, 2, 3, 4], "it may be that of an inner object");
        assert_eq!(open(QUERY, &found.confirmed()), [3, 4]);
        assert_eq!(open(QUERY, &Head::of_search("p", "other").confirmed()), [2, 3, 4]);
        assert!(open("event.action: a", &found.confirmed()).is_empty());
        let many = ["event.action: a"; 66].join(" and ");
        assert_eq!(open(&many, &found.confirmed()), [64, 65], "so many are not told apart");
    }
}
