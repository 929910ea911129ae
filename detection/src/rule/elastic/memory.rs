//! The tables of a rule that say what it remembers: `new_terms`, `threshold` and `alert_suppression`.

use std::collections::HashSet;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::Reader;
use crate::rule::memory::{Cardinality, Memory, MissingFields};

/// How far back the Elastic Stack looks if a rule does not say: six minutes.
const DEFAULT_WINDOW: u64 = 6 * 60;
/// Ten years, in seconds.
const MAX_WINDOW: u64 = 10 * 365 * 24 * 60 * 60;
const MAX_FIELDS: usize = 3;
const MAX_VALUE: i64 = 1000;
const NEW_TERMS_FIELDS: &str = "new_terms_fields";
const HISTORY: &str = "history_window_start";

type Text = Spanned<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTerms {
    field: Text,
    value: Spanned<Vec<Text>>,
    history_window_start: Spanned<Vec<Setting>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    field: Text,
    value: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Threshold {
    field: Spanned<Vec<Text>>,
    value: Spanned<i64>,
    #[serde(default)]
    cardinality: Vec<Distinct>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Distinct {
    field: Text,
    value: Spanned<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suppression {
    group_by: Spanned<Vec<Text>>,
    duration: Option<Spanned<Duration>>,
    missing_fields_strategy: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Duration {
    value: Spanned<i64>,
    unit: Text,
}

impl Reader<'_> {
    /// What the rule remembers. Call it before `from` is taken.
    pub(super) fn memory(&mut self, rule_type: &str) -> Option<Memory> {
        let memory = match rule_type {
            "new_terms" => self.new_terms(),
            "threshold" => self.threshold(),
            _ => return self.suppression(),
        };
        if let Some(suppression) = self.rule.remove("alert_suppression") {
            let reason =
                format!("alert_suppression is not run on rules of type {rule_type}, only on query and eql");
            self.not_run(&suppression.span(), reason);
        }
        memory
    }

    fn new_terms(&mut self) -> Option<Memory> {
        let NewTerms { field, value, history_window_start } = self.table(
            "new_terms",
            "a table like { field = \"new_terms_fields\", value = [\"user.name\"] } with a [[rule.new_terms.history_window_start]]",
        )?;
        self.named(&field, NEW_TERMS_FIELDS);
        let fields = self.fields("new_terms", &value);
        let window = if let [Setting { field, value }] = history_window_start.get_ref().as_slice() {
            self.named(field, HISTORY);
            self.look_back(HISTORY, value.span(), value.get_ref())
        } else {
            let reason = format!("{HISTORY} must be one table, with value = \"now-10d\" or another time");
            self.refuse(&history_window_start.span(), reason);
            None
        };
        Some(Memory::NewTerms { fields: fields?, window: window? })
    }

    fn threshold(&mut self) -> Option<Memory> {
        let Threshold { field, value, cardinality } = self.table(
            "threshold",
            "a table like { field = [\"user.name\"], value = 10 }, with the fields of a group",
        )?;
        let fields = self.fields("threshold", &field);
        let value = self.number("value", &value);
        if let Some(Distinct { field, .. }) = cardinality.get(MAX_FIELDS) {
            self.refuse(
                &field.span(),
                format!("cardinality has more than {MAX_FIELDS} fields: leave some out"),
            );
        }
        let counted: Vec<_> = cardinality
            .iter()
            .map(|Distinct { field, value }| (self.remembered(field), self.number("value", value)))
            .collect();
        let counted = counted
            .into_iter()
            .map(|(field, value)| Some(Cardinality { field: field?, value: value? }))
            .collect::<Option<_>>();
        let from =
            self.rule.get("from").map(|from| (from.span(), from.get_ref().as_str().map(str::to_owned)));
        let window = match from {
            // A value that is not a string is refused where the facts are read.
            None | Some((_, None)) => Some(DEFAULT_WINDOW),
            Some((place, Some(from))) => self.look_back("from", place, &from),
        };
        Some(Memory::Threshold { fields: fields?, value: value?, cardinality: counted?, window: window? })
    }

    fn suppression(&mut self) -> Option<Memory> {
        let place = self.rule.get("alert_suppression").map(Spanned::span)?;
        let Suppression { group_by, duration, missing_fields_strategy } = self.table(
            "alert_suppression",
            "a table like { group_by = [\"user.name\"], duration = { value = 5, unit = \"h\" } }",
        )?;
        let fields = self.fields("alert_suppression", &group_by);
        let missing_fields =
            match missing_fields_strategy.as_ref().map(|strategy| strategy.get_ref().as_str()) {
                None | Some("suppress") => Some(MissingFields::Suppress),
                Some("doNotSuppress") => Some(MissingFields::DoNotSuppress),
                Some(other) => {
                    let place = missing_fields_strategy.as_ref().map(Spanned::span).unwrap_or_default();
                    let reason = format!(
                        "missing_fields_strategy is {other:?}: expected \"suppress\" or \"doNotSuppress\""
                    );
                    self.refuse(&place, reason);
                    None
                }
            };
        let Some(duration) = duration else {
            self.not_run(
                &place,
                "alert_suppression without a duration follows the runs of Elastic's stack, which are not here: write duration = { value = 5, unit = \"h\" }",
            );
            return None;
        };
        let window = self.duration(&duration);
        Some(Memory::Suppression { fields: fields?, window: window?, missing_fields: missing_fields? })
    }

    fn duration(&mut self, duration: &Spanned<Duration>) -> Option<u64> {
        let Duration { value, unit } = duration.get_ref();
        let is_unit = matches!(unit.get_ref().as_str(), "s" | "m" | "h");
        let Some(seconds) = unit_seconds(unit.get_ref()).filter(|_| is_unit) else {
            self.refuse(&unit.span(), format!("unit is {:?}: expected s, m or h", unit.get_ref()));
            return None;
        };
        let window = u64::try_from(*value.get_ref()).ok().and_then(|value| value.checked_mul(seconds));
        let window = window.filter(|window| (1..=MAX_WINDOW).contains(window));
        if window.is_none() {
            self.refuse(&value.span(), "duration must be from 1 second to ten years");
        }
        window
    }

    /// How many seconds ago a time like `now-10d` was.
    fn look_back(&mut self, key: &str, place: Range<usize>, text: &str) -> Option<u64> {
        let window = text.trim().strip_prefix("now-").and_then(|back| {
            let (unit, _) = back.char_indices().next_back()?;
            let number: u64 = Some(&back[..unit])
                .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?
                .parse()
                .ok()?;
            number.checked_mul(unit_seconds(&back[unit..])?)
        });
        let window = window.filter(|window| (1..=MAX_WINDOW).contains(window));
        if window.is_none() {
            let reason = format!(
                "{key} is {text:?}: expected a time like \"now-10d\", in s, m, h, d or w, at most ten years back"
            );
            self.refuse(&place, reason);
        }
        window
    }

    /// One to three fields, each once.
    fn fields(&mut self, table: &str, names: &Spanned<Vec<Text>>) -> Option<Vec<String>> {
        let count = names.get_ref().len();
        if !(1..=MAX_FIELDS).contains(&count) {
            let reason =
                format!("{table} has {count} fields: name one to {MAX_FIELDS}, such as [\"user.name\"]");
            self.refuse(&names.span(), reason);
            return None;
        }
        let mut seen = HashSet::new();
        let fields: Vec<_> = names
            .get_ref()
            .iter()
            .map(|name| {
                if !seen.insert(name.get_ref()) {
                    self.refuse(
                        &name.span(),
                        format!("the field {} appears twice: name it once", name.get_ref()),
                    );
                }
                self.remembered(name)
            })
            .collect();
        fields.into_iter().collect()
    }

    fn remembered(&mut self, name: &Text) -> Option<String> {
        self.field(name.get_ref()).map_err(|reason| self.refuse(&name.span(), reason)).ok()?;
        Some(name.get_ref().clone())
    }

    fn number(&mut self, key: &str, number: &Spanned<i64>) -> Option<u32> {
        let value =
            u32::try_from(*number.get_ref()).ok().filter(|_| (1..=MAX_VALUE).contains(number.get_ref()));
        if value.is_none() {
            self.refuse(&number.span(), format!("{key} must be a whole number from 1 to {MAX_VALUE}"));
        }
        value
    }

    /// Elastic names the setting that a table holds inside the table itself.
    fn named(&mut self, name: &Text, expected: &str) {
        if name.get_ref() != expected {
            self.refuse(&name.span(), format!("field is {:?}: expected {expected:?}", name.get_ref()));
        }
    }
}

fn unit_seconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        "w" => 7 * 24 * 60 * 60,
        _ => return None,
    })
}
