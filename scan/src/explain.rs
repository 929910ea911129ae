//! Shows a rule's query over one event: each part with the values seen and its verdict.

use std::path::PathBuf;

use detection::detect::{Rule, Ruleset};
use detection::ecs::Mapping;
use detection::query::{Fields, Node, Query, Scalar, Subject};
use detection::records::{self, RawRecord, Record};
use serde_json::{Map, Value};

use crate::inputs::{Input, Inputs};
use crate::reading::each_record;
use crate::selection::Selection;
use crate::summary::name;

/// At most this many values of a field are shown.
const MAX_VALUES: usize = 5;
/// A longer value is cut to this many characters.
const MAX_CHARS: usize = 80;

/// A record, and where it is.
type Found = (Map<String, Value>, String);

/// The query of a rule, by id or name, over the first event with this id in the files.
///
/// # Errors
/// There is no such rule or no such event.
pub fn explain(rules: &Ruleset, rule: &str, event: &str, paths: &[PathBuf]) -> Result<String, String> {
    let is_wanted =
        |known: &&Rule| known.definition.rule_id == rule || known.definition.name.eq_ignore_ascii_case(rule);
    let Some(rule) = rules.rules().iter().find(is_wanted) else {
        return Err(format!("no rule has the id or the name {rule}"));
    };
    if rule.on_signals {
        return Err(format!("{} looks at signals, not at events", rule.definition.name));
    }
    let (record, place) = find(event, paths)?;
    let fields = Mapping::of(&record);
    let matches = rule.query().evaluate(&fields) == Some(true);
    let mut lines =
        vec![format!("{} ({})", rule.definition.name, rule.definition.rule_id), format!("over {place}")];
    tree(rule.query().root(), &fields, 0, &mut lines);
    lines.push(format!("the query {}", if matches { "matches" } else { "does not match" }));
    if matches && rule.memory.is_some() {
        lines.push(
            "the rule remembers: whether a match becomes a signal depends on earlier events".to_owned(),
        );
    }
    Ok(lines.join("\n") + "\n")
}

/// A line for the node, and one for each node below it.
fn tree(node: &Node, fields: &Mapping<'_>, depth: usize, lines: &mut Vec<String>) {
    let holds = Query::from(node.clone()).evaluate(fields) == Some(true);
    let (label, below, subjects): (_, &[Node], Vec<&Subject>) = match node {
        Node::And(nodes) if !nodes.is_empty() => ("all of".to_owned(), nodes, Vec::new()),
        Node::Or(nodes) if !nodes.is_empty() => ("any of".to_owned(), nodes, Vec::new()),
        Node::Not(node) => ("not".to_owned(), std::slice::from_ref(&**node), Vec::new()),
        Node::Field { subject, .. } => (node.to_string(), &[], vec![subject]),
        Node::Fields { one, other, .. } => (node.to_string(), &[], vec![one, other]),
        Node::And(_) | Node::Or(_) => (node.to_string(), &[], Vec::new()),
    };
    let seen: Vec<_> = subjects.iter().filter_map(|subject| seen(subject, fields)).collect();
    let verdict = match holds {
        true => "true",
        false if seen.len() < subjects.len() => "missing",
        false => "false",
    };
    let values = if seen.is_empty() { String::new() } else { format!("   seen: {}", seen.join("; ")) };
    lines.push(format!("  {verdict:<8}{:indent$}{label}{values}", "", indent = 2 * depth));
    for node in below {
        tree(node, fields, depth + 1, lines);
    }
}

/// The values of a field as JSON; `None` if it has none.
fn seen(subject: &Subject, fields: &Mapping<'_>) -> Option<String> {
    let mut values = Vec::new();
    let mut add = |value: Scalar<'_>| {
        values.push(match value {
            Scalar::Text(text) => Value::from(shortened(text)).to_string(),
            Scalar::Boolean(value) => value.to_string(),
            Scalar::Number(digits) => digits.to_owned(),
        });
        false
    };
    match subject {
        Subject::Field(name) => fields.any(name, &mut add),
        Subject::Record(path) => fields.any_in_record(Some(path), &mut add),
        Subject::Anywhere => return Some("the whole record".to_owned()),
    };
    let more = values.len().saturating_sub(MAX_VALUES);
    values.truncate(MAX_VALUES);
    if more > 0 {
        values.push(format!("and {more} more"));
    }
    (!values.is_empty()).then(|| values.join(", "))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The first record with this event id, and where it is.
fn find(event: &str, paths: &[PathBuf]) -> Result<Found, String> {
    let (mut read, mut problems) = (0, Vec::new());
    for input in Inputs::of(paths, &Selection::default()).files {
        match input.and_then(|input| find_in(&input, event)) {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => read += 1,
            Err(problem) => problems.push(problem),
        }
    }
    problems.push(format!("no event with the eventID {event} in {}", crate::summary::count(read, "file")));
    Err(problems.join("\n"))
}

fn find_in(input: &Input, event: &str) -> Result<Option<Found>, String> {
    let failed = |reason: String| format!("{}: {reason}", name(&input.path));
    let mut found = None;
    let mut take = |position: u64, record: Record<'_>| {
        let parsed =
            record.and_then(RawRecord::unwrapped).and_then(|one| records::parse(one.record().text()));
        if let Ok(record) = parsed
            && found.is_none()
            && record.get("eventID").and_then(Value::as_str) == Some(event)
        {
            found = Some((record, format!("record {position} of {}", name(&input.path))));
        }
    };
    let read = each_record(&input.path, &mut take).map_err(|error| failed(error.to_string()))?;
    // Errors after the event do not matter.
    if found.is_none() && input.named {
        read.map_err(|error| failed(error.to_string()))?;
    }
    Ok(found)
}
