//! Queries over alert documents: the fields of the event, and those that an alert adds.

use serde_json::Value;

use crate::ecs;
use crate::query::{Field, Fields, Kind, Scalar, Values};

/// The fields that an alert adds below `kibana.alert.`, or changes.
const ADDED: [(&str, Kind, bool); 41] = [
    ("event.created", Kind::Date, false),
    ("event.kind", Kind::Keyword, false),
    ("kibana.alert.ancestors.depth", Kind::Long, true),
    ("kibana.alert.ancestors.id", Kind::Keyword, true),
    ("kibana.alert.ancestors.index", Kind::Keyword, true),
    ("kibana.alert.ancestors.rule", Kind::Keyword, true),
    ("kibana.alert.ancestors.type", Kind::Keyword, true),
    ("kibana.alert.building_block_type", Kind::Keyword, false),
    ("kibana.alert.depth", Kind::Long, false),
    ("kibana.alert.new_terms", Kind::Keyword, true),
    ("kibana.alert.original_event.action", Kind::Keyword, false),
    ("kibana.alert.original_event.created", Kind::Date, false),
    ("kibana.alert.original_event.dataset", Kind::Keyword, false),
    ("kibana.alert.original_event.id", Kind::Keyword, false),
    ("kibana.alert.original_event.kind", Kind::Keyword, false),
    ("kibana.alert.original_event.module", Kind::Keyword, false),
    ("kibana.alert.original_event.outcome", Kind::Keyword, false),
    ("kibana.alert.original_event.provider", Kind::Keyword, false),
    ("kibana.alert.original_event.type", Kind::Keyword, true),
    ("kibana.alert.original_time", Kind::Date, false),
    ("kibana.alert.reason", Kind::Keyword, false),
    ("kibana.alert.risk_score", Kind::Long, false),
    ("kibana.alert.rule.author", Kind::Keyword, true),
    ("kibana.alert.rule.building_block_type", Kind::Keyword, false),
    ("kibana.alert.rule.license", Kind::Keyword, false),
    ("kibana.alert.rule.name", Kind::Keyword, false),
    ("kibana.alert.rule.risk_score", Kind::Long, false),
    ("kibana.alert.rule.rule_id", Kind::Keyword, false),
    ("kibana.alert.rule.severity", Kind::Keyword, false),
    ("kibana.alert.rule.references", Kind::Keyword, true),
    ("kibana.alert.rule.tags", Kind::Keyword, true),
    ("kibana.alert.rule.threat.framework", Kind::Keyword, true),
    ("kibana.alert.rule.threat.tactic.id", Kind::Keyword, true),
    ("kibana.alert.rule.threat.tactic.name", Kind::Keyword, true),
    ("kibana.alert.rule.threat.technique.id", Kind::Keyword, true),
    ("kibana.alert.rule.threat.technique.name", Kind::Keyword, true),
    ("kibana.alert.rule.threat.technique.subtechnique.id", Kind::Keyword, true),
    ("kibana.alert.rule.type", Kind::Keyword, false),
    ("kibana.alert.severity", Kind::Keyword, false),
    ("kibana.alert.threshold_result.count", Kind::Long, false),
    ("kibana.alert.uuid", Kind::Keyword, false),
];

/// The schema of alert documents: a field of the event, or one that an alert adds.
///
/// # Errors
/// A human-readable reason that names the field.
pub fn field(name: &str) -> Result<Field, String> {
    let added = ADDED.iter().find(|(field, ..)| *field == name);
    let field = |(_, kind, many): &(&str, Kind, bool)| {
        let values = if *many { Values::Many } else { Values::One };
        Field { kind: *kind, values }
    };
    added.map(field).map_or_else(|| ecs::field(name), Ok)
}

/// An alert document as queries see it.
#[derive(Debug, Clone, Copy)]
pub struct AlertDocument<'a>(pub &'a Value);

impl<'a> AlertDocument<'a> {
    /// The string at a dotted path of plain keys.
    pub(crate) fn text(self, field: &str) -> Option<&'a str> {
        field.split('.').try_fold(self.0, |value, key| value.get(key))?.as_str()
    }
}

impl Fields for AlertDocument<'_> {
    fn any(&self, name: &str, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        Some(ecs::any_in(self.0, name, test))
    }
}
