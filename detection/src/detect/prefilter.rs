//! Rules records out by a search for the literals that queries require, before anything is parsed.
//!
//! A query that asks for `event.provider: "lambda.amazonaws.com"` cannot match a record that does not contain these
//! characters, unless the record writes one of them as a `\u` escape. So each rule has groups of required literals: a
//! record that it matches contains at least one literal of every group. They come from every field whose value the
//! record holds unchanged. The search runs at memory speed.
//!
//! A small set of rules is searched for in every record, and most records of most trails end there. With any number of
//! rules, those that the record's head does not rule out are searched for together, in one pass through the record
//! ([`JointSearch`]), and then one by one, before the record is parsed for them.

use std::cell::OnceCell;

use aho_corasick::packed;
use memchr::memmem::Finder;

use super::literals::{Group, required};
use super::search::hides_text;
use crate::query::Query;
use crate::records::RawRecord;

/// With more literals than this, finding the head of every record is cheaper than a search for each of them.
const MAX_LITERALS: usize = 8;

#[derive(Debug)]
pub(super) struct Prefilter {
    /// The groups of every rule, the one that is cheapest to search for first.
    rules: Vec<Vec<Required>>,
    /// Whether it pays to search every record.
    searches_all: bool,
}

/// A group, ready to be searched for.
#[derive(Debug)]
struct Required {
    group: Group,
    finders: Vec<Finder<'static>>,
}

/// One search for the literals of several rules.
#[derive(Debug)]
pub(super) struct JointSearch {
    /// `None` if nothing can be ruled out: one of the rules requires no literal, or there are too many literals.
    searcher: Option<packed::Searcher>,
}

/// The record that is searched.
pub(super) struct Haystack<'a> {
    record: RawRecord<'a>,
    hides_text: OnceCell<bool>,
}

impl<'a> Haystack<'a> {
    pub(super) fn new(record: RawRecord<'a>) -> Self {
        Self { record, hides_text: OnceCell::new() }
    }

    fn meets(&self, required: &Required) -> bool {
        required.finders.iter().any(|literal| literal.find(self.record.text()).is_some())
    }

    /// Whether a search may overlook a literal.
    fn hides_text(&self) -> bool {
        *self.hides_text.get_or_init(|| hides_text(self.record))
    }
}

impl Prefilter {
    pub(super) fn new<'q>(queries: impl Iterator<Item = &'q Query>) -> Self {
        let groups: Vec<Vec<Group>> = queries.map(|query| required(query.root())).collect();
        let literals: usize = groups.iter().flatten().map(|group| group.literals.len()).sum();
        let searches_all = literals <= MAX_LITERALS && groups.iter().all(|groups| !groups.is_empty());
        let rules = groups.into_iter().map(|mut groups| {
            groups.sort_by_key(Group::cost);
            groups.dedup();
            groups.into_iter().map(Required::from).collect()
        });
        Self { rules: rules.collect(), searches_all }
    }

    /// Says whether any rule could match; `false` is certain.
    pub(super) fn may_match(&self, haystack: &Haystack<'_>) -> bool {
        !self.searches_all
            || self.rules.iter().any(|rule| rule.iter().all(|required| haystack.meets(required)))
            || haystack.hides_text()
    }

    /// Says whether a rule that the record's head does not rule out could match; `false` is certain.
    pub(super) fn may_match_rule(&self, rule: usize, haystack: &Haystack<'_>) -> bool {
        self.beside_head(rule).all(|required| haystack.meets(required)) || haystack.hides_text()
    }

    /// A search for the cheapest group of each of these rules.
    pub(super) fn joint_search(&self, rules: &[usize]) -> JointSearch {
        let cheapest: Option<Vec<_>> = rules.iter().map(|rule| self.beside_head(*rule).next()).collect();
        let Some(cheapest) = cheapest.filter(|cheapest| !cheapest.is_empty()) else {
            return JointSearch { searcher: None };
        };
        let literals = cheapest.iter().flat_map(|required| &required.group.literals);
        JointSearch { searcher: packed::Config::new().builder().extend(literals).build() }
    }

    /// The groups that the head does not decide.
    fn beside_head(&self, rule: usize) -> impl Iterator<Item = &Required> {
        self.rules[rule].iter().filter(|required| !required.group.is_of_head)
    }
}

impl JointSearch {
    /// Says whether any of the rules could match; `false` is certain.
    pub(super) fn may_match(&self, haystack: &Haystack<'_>) -> bool {
        let Some(searcher) = &self.searcher else { return true };
        searcher.find(haystack.record.text()).is_some() || haystack.hides_text()
    }
}

impl From<Group> for Required {
    fn from(group: Group) -> Self {
        let finders = group.literals.iter().map(|literal| Finder::new(literal).into_owned()).collect();
        Self { group, finders }
    }
}
