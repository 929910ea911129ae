//! Ruling records out by a search for bytes, before anything is parsed.
//!
//! A query that asks for `event.provider: "lambda.amazonaws.com"` cannot match a record in which these letters do not
//! stand together, unless one of them is written as a `\u` escape. So each rule has its witnesses: words of which a
//! record that it matches must hold at least one of every group. They come from every field whose values stand in the
//! record as they are. The search runs at memory speed.
//!
//! While the rules are few, their witnesses are searched in every record, and most records of most trails end there.
//! However many rules there are, those that a record's head leaves are asked for their witnesses before the record is
//! parsed for them.

use std::cell::OnceCell;
use std::cmp::Reverse;

use memchr::memmem::Finder;

use super::glance::hides_text;
use crate::ecs::{self, Standing};
use crate::query::{Glob, Node, Query, Subject, Test};
use crate::records::RawRecord;

/// With more words than this, a glance at every record is cheaper than a search for each of them.
const MAX_WORDS: usize = 8;
/// A shorter word is everywhere.
const MIN_WORD_BYTES: usize = 4;

/// What a record must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    text: String,
    /// Of the provider or the action, which the head knows already.
    is_of_head: bool,
}

/// Words of which a record must hold at least one.
type Group = Vec<Word>;

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
    finders: Vec<Finder<'static>>,
    is_of_head: bool,
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
        let words: usize = groups.iter().flatten().map(Vec::len).sum();
        let searches_all = words <= MAX_WORDS && groups.iter().all(|groups| !groups.is_empty());
        let rules = groups.into_iter().map(|mut groups| {
            let shortest = |group: &Group| group.iter().map(|word| word.text.len()).min();
            groups.sort_by_key(|group| (group.len(), Reverse(shortest(group))));
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
        let witnesses = self.rules[rule].iter().filter(|witness| !witness.is_of_head);
        let mut missing = witnesses.filter(|witness| !haystack.meets(witness));
        missing.next().is_none() || haystack.hides_text()
    }
}

impl From<Group> for Witness {
    fn from(group: Group) -> Self {
        Self {
            is_of_head: group.iter().all(|word| word.is_of_head),
            finders: group.iter().map(|word| Finder::new(&word.text).into_owned()).collect(),
        }
    }
}

/// The groups that any record which fulfils `node` must meet.
fn required(node: &Node) -> Vec<Group> {
    match node {
        Node::And(nodes) => nodes.iter().flat_map(required).collect(),
        Node::Or(nodes) => {
            // Of every branch the group with the fewest words; a branch without one makes the whole unsure.
            let branches: Option<Vec<Group>> =
                nodes.iter().map(|node| required(node).into_iter().min_by_key(Vec::len)).collect();
            branches.into_iter().map(|branches| branches.concat()).collect()
        }
        Node::Field { subject, test, .. } => {
            let texts = match test {
                Test::Text(text) => std::slice::from_ref(text).to_vec(),
                Test::Pattern(pattern) => pattern.pieces().to_vec(),
                Test::Glob(glob) => vec![Glob::longest_text(glob)],
                _ => return Vec::new(),
            };
            let word = texts.iter().flat_map(|text| words(subject, text)).max_by_key(|word| word.len());
            let is_of_head = is_of_head(subject);
            word.map(|word| vec![Word { text: word.to_owned(), is_of_head }]).into_iter().collect()
        }
        Node::Fields { .. } | Node::Not(_) => Vec::new(),
    }
}

fn is_of_head(subject: &Subject) -> bool {
    match subject {
        Subject::Field(name) => matches!(name.as_str(), "event.provider" | "event.action"),
        Subject::Record(path) => matches!(path.as_str(), "eventSource" | "eventName"),
        Subject::Anywhere => false,
    }
}

/// The words in a part of a value that must stand in the record too.
fn words<'t>(subject: &Subject, text: &'t str) -> Vec<&'t str> {
    let (standing, text) = match subject {
        Subject::Field(name) => (ecs::standing(name), text),
        Subject::Record(_) => (Standing::AsItIs, behind_escape(text)),
        Subject::Anywhere => (Standing::AsItIs, text),
    };
    let parts: Vec<_> = match standing {
        Standing::AsItIs => vec![text],
        // Java's punctuation differs from JSON's; between two of its signs there is a key or a value, or a part of one.
        Standing::Printed => text.split(['{', '}', '[', ']', '=', ',', ' ']).collect(),
        Standing::Derived => Vec::new(),
    };
    parts.into_iter().filter(|word| is_plain(word)).collect()
}

/// What of a part of a value stands in the record for sure. A path of the record may lead to an object, whose JSON is
/// the value: there `n` may be the rest of a line break that the record writes as `\u000a`. The longest such rest is
/// `u000a`. Spaces and other escapes may differ too, but a plain word holds neither.
fn behind_escape(text: &str) -> &str {
    text.char_indices().nth(5).map_or("", |(start, _)| &text[start..])
}

/// A text that JSON can write in one way only, `\u` escapes aside: no number, that is, of which `1.5E3` and `1500.0` are
/// the same one.
fn is_plain(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() && !matches!(byte, b'e' | b'E');
    text.len() >= MIN_WORD_BYTES
        && text.bytes().any(is_letter)
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}
