//! Ruling records out by a search for bytes, before anything is parsed.
//!
//! A query that asks for `event.provider: "lambda.amazonaws.com"` cannot match a record in which these letters do not
//! stand together, unless one of them is written as a `\u` escape. So each rule has its witnesses: words of which a
//! record that it matches must hold at least one of every group. They come from every field whose values stand in the
//! record as they are. The search runs at memory speed.
//!
//! While the rules are few, their witnesses are searched in every record, and most records of most trails end there.
//! However many rules there are, those that a record's head leaves are searched for together, in one pass through the
//! record ([`Gate`]), and then one by one, before the record is parsed for them.

use std::cell::OnceCell;

use aho_corasick::packed;
use memchr::memmem::Finder;

use super::glance::hides_text;
use super::words::{Group, required};
use crate::query::Query;
use crate::records::RawRecord;

/// With more words than this, a glance at every record is cheaper than a search for each of them.
const MAX_WORDS: usize = 8;

#[derive(Debug)]
pub(super) struct Prefilter {
    /// For every rule, groups that must all be met; those that are cheapest to miss come first.
    rules: Vec<Vec<Witness>>,
    /// Whether it pays to search every record.
    searches_all: bool,
}

/// A group, ready to be searched for.
#[derive(Debug)]
struct Witness {
    group: Group,
    finders: Vec<Finder<'static>>,
}

/// One search for what any of several rules needs.
#[derive(Debug)]
pub(super) struct Gate {
    /// `None` lets every record through: a rule among them needs no word, or they need too many.
    search: Option<packed::Searcher>,
}

/// A record whose bytes are searched.
pub(super) struct Haystack<'a> {
    record: RawRecord<'a>,
    hides_text: OnceCell<bool>,
}

impl<'a> Haystack<'a> {
    pub(super) fn new(record: RawRecord<'a>) -> Self {
        Self { record, hides_text: OnceCell::new() }
    }

    fn meets(&self, witness: &Witness) -> bool {
        witness.finders.iter().any(|word| word.find(self.record.text()).is_some())
    }

    /// Whether a search may overlook a word.
    fn hides_text(&self) -> bool {
        *self.hides_text.get_or_init(|| hides_text(self.record))
    }
}

impl Prefilter {
    pub(super) fn new<'q>(queries: impl Iterator<Item = &'q Query>) -> Self {
        let groups: Vec<Vec<Group>> = queries.map(|query| required(query.root())).collect();
        let words: usize = groups.iter().flatten().map(|group| group.words.len()).sum();
        let searches_all = words <= MAX_WORDS && groups.iter().all(|groups| !groups.is_empty());
        let rules = groups.into_iter().map(|mut groups| {
            groups.sort_by_key(Group::cost);
            groups.dedup();
            groups.into_iter().map(Witness::from).collect()
        });
        Self { rules: rules.collect(), searches_all }
    }

    /// Says whether any rule could match; `false` is certain.
    pub(super) fn may_match(&self, haystack: &Haystack<'_>) -> bool {
        !self.searches_all
            || self.rules.iter().any(|rule| rule.iter().all(|witness| haystack.meets(witness)))
            || haystack.hides_text()
    }

    /// Says whether a rule could match that the record's head leaves; `false` is certain.
    pub(super) fn may_match_rule(&self, rule: usize, haystack: &Haystack<'_>) -> bool {
        self.beside_head(rule).all(|witness| haystack.meets(witness)) || haystack.hides_text()
    }

    /// The gate before these rules.
    pub(super) fn gate(&self, rules: &[usize]) -> Gate {
        let witnesses: Option<Vec<_>> = rules.iter().map(|rule| self.beside_head(*rule).next()).collect();
        let Some(witnesses) = witnesses.filter(|witnesses| !witnesses.is_empty()) else {
            return Gate { search: None };
        };
        let words = witnesses.iter().flat_map(|witness| &witness.group.words);
        Gate { search: packed::Config::new().builder().extend(words).build() }
    }

    fn beside_head(&self, rule: usize) -> impl Iterator<Item = &Witness> {
        self.rules[rule].iter().filter(|witness| !witness.group.is_of_head)
    }
}

impl Gate {
    /// Says whether any of the rules could match; `false` is certain.
    pub(super) fn lets_through(&self, haystack: &Haystack<'_>) -> bool {
        let Some(search) = &self.search else { return true };
        search.find(haystack.record.text()).is_some() || haystack.hides_text()
    }
}

impl From<Group> for Witness {
    fn from(group: Group) -> Self {
        Self { finders: group.words.iter().map(|word| Finder::new(word).into_owned()).collect(), group }
    }
}
