//! Exception files.

use std::collections::HashMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;

use super::Exception;
use super::keys::Keys;
use crate::ecs;
use crate::query::{self, Query};
use crate::rule::{Language, Source};

const KEYS: &str = "rules, query, reason, owner or expires";
const RULES: &str = "rules = [\"<rule_id>\"] or rules = \"all\"";

/// The rules that exceptions may name. Those that are not run are `None`.
pub(super) type Known<'a> = HashMap<&'a str, Option<&'a Source>>;

/// Reads one file.
pub(super) fn read(file: &str, text: &str, known: &Known<'_>) -> Result<Exception, Vec<query::Error>> {
    let mut keys = Keys::new(text);
    let rules = rules(&mut keys, known);
    let query = keys.query(ecs::field);
    let reason = keys.text("reason", "reason = \"…\": why these matches are expected");
    let owner = keys.optional_text("owner");
    let expires = expires(&mut keys);
    if let (Some((place, query)), Some(rules)) = (&query, &rules) {
        check(&mut keys, place.span(), query, rules.as_deref(), known);
    }
    let exception = rules.zip(query).zip(reason).map(|((rules, (query, _)), reason)| Exception {
        file: file.to_owned(),
        rules,
        query: query.into_inner(),
        reason: Some(reason.into_inner()),
        owner: owner.map(Spanned::into_inner),
        expires,
    });
    let mistakes = keys.finish(KEYS);
    // Where something is missing, there is a mistake.
    if mistakes.is_empty() { exception.ok_or(mistakes) } else { Err(mistakes) }
}

/// The rules' identifiers, `None` inside for all rules.
#[expect(clippy::option_option, reason = "a mistake is not the same as all rules")]
fn rules(keys: &mut Keys<'_>, known: &Known<'_>) -> Option<Option<Vec<String>>> {
    let Some(value) = keys.value("rules") else {
        keys.missing("rules", RULES);
        return None;
    };
    let items = match value.get_ref() {
        DeValue::String(word) if word == "all" => return Some(None),
        DeValue::Array(items) if !items.is_empty() => items,
        _ => {
            keys.refuse(value.span(), format!("rules must name some: write {RULES}"));
            return None;
        }
    };
    let mut ids = Vec::new();
    for item in items {
        match item.get_ref().as_str() {
            Some(id) if known.contains_key(id) => ids.push(id.to_owned()),
            Some(id) => keys.refuse(item.span(), format!("there is no rule with the rule_id {id}")),
            None => keys.refuse(item.span(), "a rule_id must be a string"),
        }
    }
    (ids.len() == items.len()).then_some(Some(ids))
}

/// A day, written as a date of TOML.
fn expires(keys: &mut Keys<'_>) -> Option<String> {
    let value = keys.value("expires")?;
    let day = value.get_ref().as_datetime().filter(|date| date.time.is_none());
    let day = day.map(ToString::to_string).filter(|day| day.parse::<jiff::civil::Date>().is_ok());
    if day.is_none() {
        keys.refuse(value.span(), "expires must be a date without quotes, as 2026-12-24");
    }
    day
}

/// Refuses a query that takes out everything, or nothing of what a rule finds.
fn check(
    keys: &mut Keys<'_>,
    place: Range<usize>,
    query: &Query,
    rules: Option<&[String]>,
    known: &Known<'_>,
) {
    if query.always_matches(ecs::field) {
        return keys
            .refuse(place, "the query matches every event: turn the rules off instead, or say which events");
    }
    for id in rules.unwrap_or_default() {
        let Some(rule) = known.get(id.as_str()).copied().flatten() else { continue };
        if rule.on_signals {
            let name = &rule.definition.name;
            let reason = format!("the rule {name} looks at signals: except from the rules that make them");
            keys.refuse(place.clone(), reason);
            continue;
        }
        // Sigma's queries ask for other names than exceptions do.
        let (false, Ok(of_rule)) = (rule.language == Language::Sigma, rule.parse()) else { continue };
        let name = &rule.definition.name;
        if !query.can_match_with(&of_rule, ecs::field) {
            keys.refuse(
                place.clone(),
                format!("the query can never match an event that the rule {name} finds"),
            );
        } else if query.covers(&of_rule, ecs::field) {
            let reason =
                format!("the query matches every event that the rule {name} finds: remove the rule instead");
            keys.refuse(place.clone(), reason);
        }
    }
}
