//! What was called, on what, and how it ended.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::empty::{is_empty, without_empty};
use super::leaves::text_of;
use super::mapping::Mapping;

pub(crate) const CONSOLE_LOGIN: &str = "ConsoleLogin";
pub(crate) const SUCCESS: &str = "success";
pub(crate) const FAILURE: &str = "failure";

pub(super) fn service_name<'a>(mapping: &Mapping<'a>) -> Option<&'a str> {
    let service = mapping.text("eventSource")?.strip_suffix(".amazonaws.com")?;
    (!service.is_empty()).then_some(service)
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it stands in the table beside functions that may have no value"
)]
pub(super) fn outcome(mapping: &Mapping<'_>) -> Option<Value> {
    if is_login(mapping)
        && let Some(outcome) = mapping.text("responseElements.ConsoleLogin")
    {
        return Some(outcome.to_lowercase().into());
    }
    let has = |key| mapping.at(key).is_some_and(|value| !is_empty(value));
    Some(if has("errorCode") || has("errorMessage") { FAILURE } else { SUCCESS }.into())
}

fn is_login(mapping: &Mapping<'_>) -> bool {
    mapping.text("eventName") == Some(CONSOLE_LOGIN)
}

pub(super) fn login_to<'a>(mapping: &Mapping<'a>) -> Option<&'a str> {
    mapping.text("additionalEventData.LoginTo").filter(|_| is_login(mapping))
}

pub(super) fn mfa_used(mapping: &Mapping<'_>) -> Option<Value> {
    login_flag(mapping, "additionalEventData.MFAUsed")
}

pub(super) fn mobile_version(mapping: &Mapping<'_>) -> Option<Value> {
    login_flag(mapping, "additionalEventData.MobileVersion")
}

/// Anything other than `No` counts as yes.
fn login_flag(mapping: &Mapping<'_>, path: &'static str) -> Option<Value> {
    let answer = mapping.at(path).filter(|answer| is_login(mapping) && !is_empty(answer))?;
    Some((answer.as_str() != Some("No")).into())
}

/// The objects in `resources`. CloudTrail writes some of their keys in its own case.
pub(super) fn resources(mapping: &Mapping<'_>) -> Option<Value> {
    let items = match mapping.at("resources")? {
        Value::Array(items) => items.as_slice(),
        item => std::slice::from_ref(item),
    };
    let mut resources: Vec<Map<String, Value>> = Vec::with_capacity(items.len());
    // A record may hold tens of thousands, too many to compare each with all the others.
    let mut places = HashMap::with_capacity(items.len());
    for resource in items.iter().filter_map(resource) {
        let identity = ["arn", "account_id", "type"].map(|key| resource.get(key).cloned());
        let place = *places.entry(identity).or_insert(resources.len());
        match resources.get_mut(place) {
            Some(other) => *other = resource,
            None => resources.push(resource),
        }
    }
    (!resources.is_empty()).then(|| resources.into_iter().map(Value::Object).collect())
}

/// An object of `resources` without its empty parts, if anything is left. A key that CloudTrail writes in its own case
/// takes precedence over one that already has the name.
fn resource(item: &Value) -> Option<Map<String, Value>> {
    let mut resource = Map::new();
    for (key, value) in item.as_object()? {
        let (name, is_renamed) = match key.as_str() {
            "ARN" => ("arn", true),
            "accountId" => ("account_id", true),
            key => (key, false),
        };
        let is_keyword = matches!(name, "arn" | "account_id" | "type");
        let text = text_of(value).filter(|_| is_keyword).map(Value::from);
        if let Some(value) = text.or_else(|| without_empty(value))
            && (is_renamed || !resource.contains_key(name))
        {
            resource.insert(name.to_owned(), value);
        }
    }
    (!resource.is_empty()).then_some(resource)
}
