//! Ruling records out by a search for bytes, before anything is parsed.
//!
//! The first rung of the ladder. A query that asks for `event.provider: "lambda.amazonaws.com"` cannot match a record in which these letters do not
//! stand together, unless one of them is written as a `\u` escape. The search runs at memory speed; most records of
//! most trails end here.

use memchr::memmem::Finder;

use super::glance::hides_text;
use crate::query::{Node, Query, Subject, Test};
use crate::records::RawRecord;

/// With more needles than this, a glance at every record is cheaper than a search for each of them.
const MAX_NEEDLES: usize = 8;
/// A shorter needle is everywhere.
const MIN_NEEDLE_BYTES: usize = 4;

/// Texts of which a record must hold at least one.
type Group = Vec<String>;

#[derive(Debug)]
pub(super) struct Prefilter {
    /// For every rule, groups that must all be met. `None`: every record must be looked at.
    rules: Option<Vec<Vec<Vec<Finder<'static>>>>>,
}

impl Prefilter {
    pub(super) fn new<'q>(queries: impl Iterator<Item = &'q Query>) -> Self {
        let rules: Option<Vec<Vec<Group>>> = queries
            .map(|query| {
                let mut groups = required(query.root());
                // The group that is cheapest to miss comes first.
                groups.sort_by_key(Vec::len);
                (!groups.is_empty()).then_some(groups)
            })
            .collect();
        let needles: usize = rules.iter().flatten().flatten().map(Vec::len).sum();
        let finders = |group: Group| group.iter().map(|needle| Finder::new(needle).into_owned()).collect();
        let rules = rules
            .filter(|_| needles <= MAX_NEEDLES)
            .map(|rules| rules.into_iter().map(|groups| groups.into_iter().map(finders).collect()).collect());
        Self { rules }
    }

    /// Says whether a rule could match; `false` is certain.
    pub(super) fn may_match(&self, record: RawRecord<'_>) -> bool {
        let Some(rules) = &self.rules else { return true };
        let met = |group: &Vec<Finder<'_>>| group.iter().any(|needle| needle.find(record.text()).is_some());
        rules.iter().any(|groups| groups.iter().all(met)) || hides_text(record)
    }
}

/// The groups that any record which fulfils `node` must meet.
fn required(node: &Node) -> Vec<Group> {
    match node {
        Node::And(nodes) => nodes.iter().flat_map(required).collect(),
        Node::Or(nodes) => {
            // Of every branch the group with the fewest needles; a branch without one makes the whole unsure.
            let branches: Option<Vec<Group>> =
                nodes.iter().map(|node| required(node).into_iter().min_by_key(Vec::len)).collect();
            branches.into_iter().map(|branches| branches.concat()).collect()
        }
        Node::Field { subject, test, .. } if is_copied(subject) => {
            let needle = match test {
                Test::Text(text) => Some(text.clone()),
                Test::Pattern(pattern) => pattern.pieces().iter().max_by_key(|piece| piece.len()).cloned(),
                Test::Glob(glob) => Some(glob.longest_text()),
                _ => None,
            };
            needle.filter(|needle| is_plain(needle)).map(|needle| vec![needle]).into_iter().collect()
        }
        Node::Field { .. } | Node::Fields { .. } | Node::Not(_) => Vec::new(),
    }
}

/// Values that stand in the record as they are.
fn is_copied(subject: &Subject) -> bool {
    match subject {
        Subject::Field(name) => matches!(name.as_str(), "event.provider" | "event.action"),
        // Spaces and escapes may differ in the JSON of an object, but a plain text holds neither.
        Subject::Record(_) | Subject::Anywhere => true,
    }
}

/// A text that JSON can write in one way only, `\u` escapes aside: no number, that is, of which `1.5E3` and `1500.0` are
/// the same one.
fn is_plain(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() && !matches!(byte, b'e' | b'E');
    text.len() >= MIN_NEEDLE_BYTES
        && text.bytes().any(is_letter)
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}
