//! Rules on signals that could only ever match signals of rules on signals, which nothing looks at again.

use std::collections::HashSet;

use super::definition::Source;
use crate::query::{Fields, Node, Scalar, Subject, Test};

const RULE_ID: &str = "kibana.alert.rule.rule_id";

/// The reason why a rule on signals can never match; `on_signals` are the ids of all such rules.
pub(super) fn reason(source: &Source, on_signals: &HashSet<&str>) -> Option<String> {
    let query = source.parse().ok()?;
    let mut ids = Some(Vec::new());
    rule_ids(query.root(), &mut ids);
    // Stands for a rule on records that the query does not name.
    let mut parents = vec![ids.is_some().then_some("")];
    parents.extend(ids.into_iter().flatten().filter(|id| !on_signals.contains(id)).map(Some));
    let can_match = parents.into_iter().any(|rule_id| query.evaluate(&Parent { rule_id }) != Some(false));
    (!can_match).then(|| {
        "the query can only match signals of rules on signals, and those are not looked at again; ask for a rule that looks at records"
            .to_owned()
    })
}

/// Collects the ids that a query asks for; `None` if it asks by anything other than whole ids.
fn rule_ids<'q>(node: &'q Node, ids: &mut Option<Vec<&'q str>>) {
    match node {
        Node::And(nodes) | Node::Or(nodes) => nodes.iter().for_each(|node| rule_ids(node, ids)),
        Node::Not(node) => rule_ids(node, ids),
        Node::Field { subject: Subject::Field(field), test, .. } if field == RULE_ID => match test {
            Test::Text(id) => ids.iter_mut().for_each(|ids| ids.push(id)),
            _ => *ids = None,
        },
        Node::Field { .. } | Node::Fields { .. } => {}
    }
}

/// What is known about the alert document of a rule that looks at records.
struct Parent<'a> {
    rule_id: Option<&'a str>,
}

impl Fields for Parent<'_> {
    fn any(&self, name: &str, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        match name {
            RULE_ID => self.rule_id.map(|id| test(Scalar::Text(id))),
            "kibana.alert.depth" => Some(test(Scalar::Number("1"))),
            "kibana.alert.ancestors.type" => Some(test(Scalar::Text("event"))),
            "kibana.alert.ancestors.depth" => Some(test(Scalar::Number("0"))),
            "kibana.alert.ancestors.rule" => Some(false),
            _ => None,
        }
    }
}
