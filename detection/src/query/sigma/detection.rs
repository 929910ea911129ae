//! Detections: maps, lists of maps and bare words, as tests joined by `and` and `or`.

use super::field::Field;
use super::{Content, Item, Key, Problem, values};
use crate::query::Node;

/// Parses one detection. Adds every problem in it to `problems`.
pub(super) fn parse(item: &Item, problems: &mut Vec<Problem>) -> Option<Node> {
    let before = problems.len();
    let node = detection(item, problems);
    (problems.len() == before).then_some(node)
}

fn detection(item: &Item, problems: &mut Vec<Problem>) -> Node {
    match &item.content {
        Content::Map(entries) => map(item, entries, problems),
        Content::List(items) => {
            if items.is_empty() {
                problems.push(Problem::wrong(&item.place, "an empty list asks for nothing"));
            }
            let nodes = items.iter().map(|item| match &item.content {
                Content::Map(entries) => map(item, entries, problems),
                Content::List(_) => {
                    problems
                        .push(Problem::wrong(&item.place, "expected a map or a word, not a list in a list"));
                    never()
                }
                Content::Text(_) | Content::Null => words(&Field::anywhere(), item, problems),
            });
            joined(nodes.collect(), Node::Or)
        }
        Content::Text(_) => words(&Field::anywhere(), item, problems),
        Content::Null => {
            problems.push(Problem::wrong(&item.place, "an empty detection asks for nothing"));
            never()
        }
    }
}

fn map(item: &Item, entries: &[(Key, Item)], problems: &mut Vec<Problem>) -> Node {
    if entries.is_empty() {
        problems.push(Problem::wrong(&item.place, "an empty map asks for nothing"));
    }
    let nodes = entries.iter().map(|(key, value)| match Field::parse(key) {
        Ok(field) => words(&field, value, problems),
        Err(mut found) => {
            // A placeholder in the value also keeps the rule from running.
            found.extend(values::placeholders(key, value));
            problems.extend(found);
            never()
        }
    });
    joined(nodes.collect(), Node::And)
}

/// The values of one field: any of them, or all.
fn words(field: &Field, item: &Item, problems: &mut Vec<Problem>) -> Node {
    if let Content::List(items) = &item.content
        && items.is_empty()
    {
        problems.push(Problem::wrong(&item.place, "an empty list asks for nothing"));
    }
    let nodes = item.items().iter().map(|item| {
        values::test(field, item).unwrap_or_else(|found| {
            problems.push(found);
            never()
        })
    });
    joined(nodes.collect(), if field.all { Node::And } else { Node::Or })
}

fn joined(mut nodes: Vec<Node>, join: fn(Vec<Node>) -> Node) -> Node {
    if nodes.len() == 1 { nodes.remove(0) } else { join(nodes) }
}

/// A placeholder for a part with a mistake.
fn never() -> Node {
    Node::Or(Vec::new())
}
