//! Rules records out by a search for the literals that queries require, before anything is parsed.
//!
//! A query that asks for `event.provider: "lambda.amazonaws.com"` cannot match a record that does not contain these
//! characters, unless the record writes one of them as a `\u` escape. So each rule has groups of required literals: a
//! record that it matches contains at least one literal of every group. They come from every field whose value the
//! record holds unchanged. The search runs at memory speed.
//!
//! With a small set of rules, every record is searched, and most records of most trails go no further. With any number
//! of rules, the literals of those that the record's head does not rule out are searched for together, in one pass
//! through the record ([`JointSearch`]), and then rule by rule, before the record is parsed for them. Rules share
//! literals, so each literal is searched for once in a record.
//!
//! The literals of a rule that ignores case are searched for in the record's text without case ([`without_case`]).

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;

use aho_corasick::packed;
use memchr::memmem::Finder;

use super::literals::{Group, required};
use super::search::{hides_case, hides_text};
use crate::query::Query;
use crate::records::RawRecord;

/// With more literals than this, finding the head of every record is cheaper than a search for each of them.
const MAX_LITERALS: usize = 8;

#[derive(Debug)]
pub(super) struct Prefilter {
    /// The groups of every rule, starting with the one that is cheapest to search for.
    rules: Vec<Vec<Required>>,
    literals: Vec<Literal>,
    /// Whether searching every record pays off.
    searches_all: bool,
}

/// A group: a record must contain one of its literals.
#[derive(Debug)]
struct Required {
    /// Their indices.
    literals: Vec<usize>,
    is_of_head: bool,
}

/// A literal, ready to be searched for.
#[derive(Debug)]
struct Literal {
    text: String,
    any_case: bool,
    finder: Finder<'static>,
}

/// One search for the literals of several rules.
#[derive(Debug)]
pub(super) struct JointSearch {
    /// `None` if nothing can be ruled out: one of the rules requires no literal, or there are too many literals.
    searcher: Option<packed::Searcher>,
    any_case: bool,
}

/// The record that is searched.
pub(super) struct Haystack<'a> {
    record: RawRecord<'a>,
    without_case: OnceCell<Vec<u8>>,
    /// For the text without case.
    buffer: Cell<Vec<u8>>,
    hides_text: OnceCell<bool>,
    hides_case: OnceCell<bool>,
    /// For every literal that was searched for, whether it was found.
    found: RefCell<Vec<Option<bool>>>,
}

/// The buffers of one record, for the next one: few records are small enough for the allocator's fast path.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    without_case: Vec<u8>,
    found: Vec<Option<bool>>,
}

impl<'a> Haystack<'a> {
    pub(super) fn new(record: RawRecord<'a>, Buffers { without_case, mut found }: Buffers) -> Self {
        found.clear();
        Self {
            record,
            without_case: OnceCell::new(),
            buffer: Cell::new(without_case),
            hides_text: OnceCell::new(),
            hides_case: OnceCell::new(),
            found: RefCell::new(found),
        }
    }

    pub(super) fn into_buffers(self) -> Buffers {
        let without_case = self.without_case.into_inner().unwrap_or_else(|| self.buffer.into_inner());
        Buffers { without_case, found: self.found.into_inner() }
    }

    fn text(&self, any_case: bool) -> &[u8] {
        if any_case {
            self.without_case.get_or_init(|| {
                let mut text = self.buffer.take();
                text.clear();
                text.extend(without_case(self.record.text()));
                text
            })
        } else {
            self.record.text()
        }
    }

    /// Whether a search may overlook a literal.
    fn hides(&self, any_case: bool) -> bool {
        *self.hides_text.get_or_init(|| hides_text(self.record))
            || any_case && *self.hides_case.get_or_init(|| hides_case(self.record))
    }
}

impl Prefilter {
    pub(super) fn new<'q>(queries: impl Iterator<Item = &'q Query>) -> Self {
        let groups: Vec<Vec<Group>> = queries.map(|query| required(query.root())).collect();
        let literals: usize = groups.iter().flatten().map(|group| group.literals.len()).sum();
        let searches_all = literals <= MAX_LITERALS && groups.iter().all(|groups| !groups.is_empty());
        let mut literals = Literals::default();
        let rules = groups.into_iter().map(|mut groups| {
            groups.sort_by_key(Group::cost);
            groups.dedup();
            groups.into_iter().map(|group| literals.required(group)).collect()
        });
        Self { rules: rules.collect(), literals: literals.list, searches_all }
    }

    /// Returns whether any rule could match; `false` is certain.
    pub(super) fn may_match(&self, haystack: &Haystack<'_>) -> bool {
        !self.searches_all || self.rules.iter().any(|rule| self.meets_all(rule.iter(), haystack))
    }

    /// Returns whether a rule that the record's head does not rule out could match; `false` is certain.
    pub(super) fn may_match_rule(&self, rule: usize, haystack: &Haystack<'_>) -> bool {
        self.meets_all(self.beside_head(rule), haystack)
    }

    fn meets_all<'w>(&self, mut groups: impl Iterator<Item = &'w Required>, haystack: &Haystack<'_>) -> bool {
        groups.all(|required| required.literals.iter().any(|literal| self.meets(*literal, haystack)))
    }

    fn meets(&self, index: usize, haystack: &Haystack<'_>) -> bool {
        let mut found = haystack.found.borrow_mut();
        if found.is_empty() {
            found.resize(self.literals.len(), None);
        }
        let literal = &self.literals[index];
        *found[index].get_or_insert_with(|| {
            literal.finder.find(haystack.text(literal.any_case)).is_some() || haystack.hides(literal.any_case)
        })
    }

    /// A search for the cheapest group of each of these rules.
    pub(super) fn joint_search(&self, rules: &[usize]) -> JointSearch {
        let open = JointSearch { searcher: None, any_case: false };
        let groups: Option<Vec<_>> = rules.iter().map(|rule| self.beside_head(*rule).next()).collect();
        let Some(groups) = groups.filter(|groups| !groups.is_empty()) else { return open };
        let literals =
            groups.iter().flat_map(|required| &required.literals).map(|index| &self.literals[*index]);
        let any_case = literals.clone().any(|literal| literal.any_case);
        let in_case = |literal: &Literal| as_searched(&literal.text, any_case);
        let mut literals: Vec<_> = literals.map(in_case).collect();
        literals.sort_unstable();
        literals.dedup();
        JointSearch { searcher: packed::Config::new().builder().extend(literals).build(), any_case }
    }

    /// The groups that the head does not decide.
    fn beside_head(&self, rule: usize) -> impl Iterator<Item = &Required> {
        self.rules[rule].iter().filter(|required| !required.is_of_head)
    }
}

impl JointSearch {
    /// Returns whether any of the rules could match; `false` is certain.
    pub(super) fn may_match(&self, haystack: &Haystack<'_>) -> bool {
        let Some(searcher) = &self.searcher else { return true };
        searcher.find(haystack.text(self.any_case)).is_some() || haystack.hides(self.any_case)
    }
}

/// The literals of all rules, each once.
#[derive(Default)]
struct Literals {
    list: Vec<Literal>,
    indices: HashMap<(String, bool), usize>,
}

impl Literals {
    fn required(&mut self, group: Group) -> Required {
        let Group { literals, any_case, is_of_head, .. } = group;
        Required {
            literals: literals.into_iter().map(|literal| self.index(literal, any_case)).collect(),
            is_of_head,
        }
    }

    fn index(&mut self, text: String, any_case: bool) -> usize {
        *self.indices.entry((text, any_case)).or_insert_with_key(|(text, _)| {
            let finder = Finder::new(&as_searched(text, any_case)).into_owned();
            self.list.push(Literal { text: text.clone(), any_case, finder });
            self.list.len() - 1
        })
    }
}

fn as_searched(literal: &str, any_case: bool) -> Vec<u8> {
    if any_case { without_case(literal.as_bytes()).collect() } else { literal.as_bytes().to_vec() }
}

/// The text with the bit set that distinguishes lowercase ASCII letters from uppercase ones. This also makes some other
/// characters equal, such as `@` and a backtick, which rules fewer records out, but is several times faster than
/// looking for letters.
fn without_case(text: &[u8]) -> impl ExactSizeIterator<Item = u8> {
    text.iter().map(|byte| byte | 0x20)
}
