//! Exception files.

use std::collections::HashMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;

use super::Exception;
use super::keys::Keys;
use crate::ecs;
use crate::query::{self, Query, Schema};
use crate::rule::{Language, Source};
use crate::signal;

const KEYS: &str = "rules, query, reason, owner or expires";
const RULES: &str = "rules = [\"<rule_id>\"] or rules = \"all\"";

/// The rules that exceptions may name. Those that are not run are `None`.
pub(super) type Known<'a> = HashMap<&'a str, Option<&'a Source>>;

/// Reads one file.
pub(super) fn read(file: &str, text: &str, known: &Known<'_>) -> Result<Exception, Vec<query::Error>> {
    let mut keys = Keys::new(text);
    let rules = rules(&mut keys, known);
    let schema = schema(rules.as_ref().and_then(Option::as_deref), known);
    let query = keys.query(schema);
    let reason = keys.text("reason", "reason = \"…\": why these matches are expected");
    let owner = keys.optional_text("owner");
    let expires = expires(&mut keys);
    if let (Some((place, query)), Some(rules)) = (&query, &rules) {
        check(&mut keys, place.span(), (query, schema), rules.as_deref(), known);
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
    // If anything is missing, there is a mistake.
    if mistakes.is_empty() { exception.ok_or(mistakes) } else { Err(mistakes) }
}

/// The rules' identifiers; the inner option is `None` for all rules.
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

/// The fields that the query may test: what an alert adds to the event exists only for rules on signals.
fn schema(rules: Option<&[String]>, known: &Known<'_>) -> Schema {
    let on_signals =
        |id: &String| known.get(id.as_str()).copied().flatten().is_some_and(|rule| rule.on_signals);
    if rules.is_some_and(|ids| ids.iter().all(on_signals)) { signal::field } else { ecs::field }
}

/// A day, written as a TOML date.
fn expires(keys: &mut Keys<'_>) -> Option<String> {
    let value = keys.value("expires")?;
    let day = value.get_ref().as_datetime().filter(|date| date.time.is_none());
    let day = day.map(ToString::to_string).filter(|day| day.parse::<jiff::civil::Date>().is_ok());
    if day.is_none() {
        keys.refuse(value.span(), "expires must be a date without quotes, as 2026-12-24");
    }
    day
}

/// Refuses a query that takes out everything that a rule finds, or none of it.
fn check(
    keys: &mut Keys<'_>,
    place: Range<usize>,
    (query, schema): (&Query, Schema),
    rules: Option<&[String]>,
    known: &Known<'_>,
) {
    if query.always_matches(schema) {
        return keys
            .refuse(place, "the query matches every event: turn the rules off instead, or say which events");
    }
    for id in rules.unwrap_or_default() {
        let Some(rule) = known.get(id.as_str()).copied().flatten() else { continue };
        // Sigma queries use different field names than exceptions do.
        let (false, Ok(of_rule)) = (rule.language == Language::Sigma, rule.parse()) else { continue };
        let name = &rule.definition.name;
        let schema = if rule.on_signals { signal::field } else { schema };
        if !query.can_match_with(&of_rule, schema) {
            keys.refuse(
                place.clone(),
                format!("the query can never match an event that the rule {name} finds"),
            );
        } else if query.covers(&of_rule, schema) {
            let reason =
                format!("the query matches every event that the rule {name} finds: remove the rule instead");
            keys.refuse(place.clone(), reason);
        }
    }
}
