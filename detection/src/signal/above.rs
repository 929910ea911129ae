//! The signal of a rule on signals: the alert document of its parent, one level up.

use serde_json::{Map, Value, json};

use super::{AlertDocument, MAX_BYTES, Signal, SignalId, attributes, body, is_group, words};
use crate::memory::Terms;
use crate::notice::{Accounts, Principal};
use crate::rule::Definition;

/// Makes the signal of a match. `alert` is the alert document of the parent, `terms` what was new, `now` the time as RFC 3339.
pub(crate) fn above(
    definition: &Definition,
    mut alert: Value,
    terms: Option<&Terms>,
    now: &str,
    accounts: &Accounts,
) -> Signal {
    let document = AlertDocument(&alert);
    let text = |field: &str| document.text(field);
    let parent = text("kibana.alert.uuid").unwrap_or_default();
    let id = match terms {
        None => SignalId::of(&[&definition.rule_id, parent]),
        Some(terms) => SignalId::of(&[&definition.rule_id, parent, terms.json()]),
    };
    let group = text("aws.cloudtrail.recipient_account_id").filter(|group| is_group(group));
    let time = text("kibana.alert.original_time").map(str::to_owned);
    let mut signal = Signal {
        id,
        rule: definition.rule_id.clone(),
        message: String::new(),
        uncut: None,
        subject: words::subject(definition, text, accounts),
        attributes: attributes(definition, text, id),
        principal: Principal::of(text, Vec::new),
        caller_account: text("cloud.account.id").map(str::to_owned),
        group: group.unwrap_or("unknown").to_owned(),
        date: time.as_deref().and_then(super::day_of),
        time,
    };
    let reason = words::reason(definition, text);
    let ancestor = json!({
        "id": parent, "type": "signal", "rule": text("kibana.alert.rule.rule_id"), "depth": depth(&alert),
    });
    if let Some(Value::Object(kibana)) = alert.pointer_mut("/kibana/alert") {
        raise(kibana, definition, id, ancestor, &reason);
        if let Some(terms) = terms {
            kibana.insert("new_terms".to_owned(), terms.values().into_iter().map(Value::from).collect());
        }
    }
    if let Value::Object(fields) = &mut alert {
        fields.insert("@timestamp".to_owned(), now.into());
    }
    let limit = MAX_BYTES.saturating_sub(signal.bytes());
    signal.message = fit(alert, limit);
    signal
}

fn depth(alert: &Value) -> u64 {
    alert.pointer("/kibana/alert/depth").and_then(Value::as_u64).unwrap_or(1)
}

/// Turns the fields that the parent's alert adds into those of the new one.
fn raise(
    kibana: &mut Map<String, Value>,
    definition: &Definition,
    id: SignalId,
    ancestor: Value,
    reason: &str,
) {
    for of_parent in ["new_terms", "threshold_result", "building_block_type"] {
        kibana.shift_remove(of_parent);
    }
    let depth = ancestor["depth"].as_u64().unwrap_or(1) + 1;
    if let Some(Value::Array(ancestors)) = kibana.get_mut("ancestors") {
        ancestors.push(ancestor);
    }
    let fields = [
        ("uuid", json!(id.to_string())),
        ("depth", json!(depth)),
        ("severity", json!(definition.severity)),
        ("risk_score", json!(definition.risk_score)),
        ("reason", json!(reason)),
        ("rule", json!(definition)),
    ];
    kibana.extend(fields.into_iter().map(|(name, value)| (name.to_owned(), value)));
    if let Some(kind) = &definition.building_block_type {
        kibana.insert("building_block_type".to_owned(), json!(kind));
    }
}

/// The document as JSON. Leaves out what a signal of a record leaves out, step by step, until it has at most `limit` bytes.
fn fit(mut alert: Value, limit: usize) -> String {
    for step in body::OMITTED {
        let text = body::text_of(&alert);
        if text.len() <= limit {
            return text;
        }
        let mut omitted = Vec::new();
        for field in step {
            let (path, name) = field.rsplit_once('.').unwrap_or_default();
            let pointer = format!("/{}", path.replace('.', "/"));
            if let Some(Value::Object(map)) = alert.pointer_mut(&pointer)
                && map.shift_remove(name).is_some()
            {
                omitted.push(json!(field));
            }
        }
        let all = alert
            .as_object_mut()
            .map(|fields| fields.entry("signal").or_insert_with(|| json!({"omitted": []})));
        if let Some(Value::Array(list)) = all.and_then(|signal| signal.get_mut("omitted")) {
            list.extend(omitted);
        }
    }
    body::text_of(&alert)
}
