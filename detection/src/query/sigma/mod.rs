//! Sigma's detections, as rules for CloudTrail use them, on the record's own fields.
//!
//! Supported: maps, lists of maps, bare words, `null`, wildcards with their escapes, the modifiers contains,
//! startswith, endswith, all, re (with i, m, s), cidr, exists, fieldref, cased, lt, lte, gt, gte, and conditions with
//! `and`, `or`, `not`, parentheses and `1 of`, `any of`, `all of`. Refused by name: every other modifier, placeholders
//! without values, aggregations, `near` and `timeframe`.
//!
//! Sigma has two truth values: a test of a missing field is false, so `not` of it holds. Case is ignored unless a
//! modifier says otherwise, by Unicode's simple folding, which maps one character to one, so `?` still means one.

mod condition;
mod detection;
mod field;
mod item;
mod pcre;
mod record;
mod values;

use std::ops::Range;

pub use item::{Content, Item, Key};

use super::Node;
use super::regex::{MAX_PER_RULE, TOO_MANY};

/// The key of a detection section that correlates events.
const CORRELATING: &str = "timeframe";
const CONDITION: &str = "condition";

/// What keeps a detection from being used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The byte range in the file that it is about.
    pub place: Range<usize>,
    /// What is wrong, and what to write instead.
    pub reason: String,
    /// The rule is valid, but not run here.
    pub not_run: bool,
}

impl Problem {
    /// A mistake.
    pub fn wrong(place: &Range<usize>, reason: impl Into<String>) -> Self {
        Self { place: place.clone(), reason: reason.into(), not_run: false }
    }

    /// Something valid that is not run here.
    pub fn not_run(place: &Range<usize>, reason: impl Into<String>) -> Self {
        Self { place: place.clone(), reason: reason.into(), not_run: true }
    }

    fn at(self, place: Range<usize>) -> Self {
        Self { place, ..self }
    }
}

/// Parses a rule's `detection` section into a tree over the record itself.
pub(super) fn parse(section: &Item) -> Result<Node, Vec<Problem>> {
    let Content::Map(entries) = &section.content else {
        return Err(vec![Problem::wrong(&section.place, "detection must be a map with a condition")]);
    };
    let mut expressions = Vec::new();
    find_expressions(section, &mut expressions);
    if let Some(place) = expressions.get(MAX_PER_RULE) {
        return Err(vec![Problem::wrong(place, TOO_MANY)]);
    }
    let mut problems = Vec::new();
    let mut detections = Vec::new();
    for (key, item) in entries {
        match key.text.as_str() {
            CONDITION => {}
            CORRELATING => problems.push(Problem::not_run(
                &key.place,
                "timeframe looks at several events; correlate the signals behind the topic",
            )),
            name => detections.push((name, detection::parse(item, &mut problems))),
        }
    }
    let Some(condition) = section.get(CONDITION) else {
        problems.push(Problem::wrong(&section.place, "the detection has no condition"));
        return Err(problems);
    };
    if condition.items().is_empty() {
        problems.push(Problem::wrong(&condition.place, "the condition is empty"));
    }
    let mut nodes = Vec::new();
    for condition in condition.items() {
        match condition::parse(condition, &detections) {
            Ok(node) => nodes.push(node),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        problems.sort_by_key(|problem| problem.place.start);
        return Err(problems);
    }
    Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::Or(nodes) })
}

/// The locations of all regular expressions, which are counted before any is compiled.
fn find_expressions<'i>(item: &'i Item, places: &mut Vec<&'i Range<usize>>) {
    match &item.content {
        Content::Map(entries) => {
            for (key, item) in entries {
                if key.text.split('|').skip(1).any(|modifier| modifier == "re") {
                    places.extend(item.items().iter().map(|item| &item.place));
                } else {
                    find_expressions(item, places);
                }
            }
        }
        Content::List(items) => items.iter().for_each(|item| find_expressions(item, places)),
        Content::Text(_) | Content::Null => {}
    }
}
