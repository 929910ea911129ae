//! Which values of a document belong together, and the keys under which states are kept.

use std::borrow::Cow;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::text::{digest, digits};
use super::{Event, PLACE, Place, Time};
use crate::query::{Fields, Scalar};
use crate::rule::{Memory, MissingFields, Source};

/// An event takes part with at most this many tuples: fields with many values multiply.
const MAX_TUPLES: usize = 1000;
/// Longer terms appear in a key as their hash.
const MAX_TERMS_BYTES: usize = 512;
const USUAL_TERMS_BYTES: usize = 96;

/// Values of the fields of a rule, in the order of the fields, as a compact JSON array. A missing field, with suppression, is
/// `null`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms(Box<str>);

impl Terms {
    /// The JSON array.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.0
    }

    /// What distinguishes them from others: the JSON array, or its hash if it is long.
    #[must_use]
    pub fn key(&self) -> Cow<'_, str> {
        if self.0.len() <= MAX_TERMS_BYTES {
            Cow::Borrowed(&self.0)
        } else {
            Cow::Owned(digits(&Sha256::digest(&*self.0)))
        }
    }

    /// The values.
    #[must_use]
    pub fn values(&self) -> Vec<Option<String>> {
        // We wrote this JSON.
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

/// The keys of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    prefix: String,
}

impl Keys {
    /// The keys of a rule that remembers: `<rule_id>/<hash of query, fields and window>/…`. A rule starts over when one
    /// of these changes.
    #[must_use]
    pub fn new(source: &Source, memory: &Memory) -> Self {
        let counted: Vec<_> = memory.cardinality().iter().map(|counted| &counted.field).collect();
        let facts =
            json!([source.definition.rule_type, source.query, memory.fields(), counted, memory.window()]);
        let hash = Sha256::digest(facts.to_string());
        Self { prefix: format!("{}/{}/", source.definition.rule_id, digits(&hash[..4])) }
    }

    /// The key of a tuple or group.
    #[must_use]
    pub fn of(&self, terms: &Terms) -> String {
        [&*self.prefix, &terms.key()].concat()
    }

    /// The key of the time at which the rule first watched.
    #[must_use]
    pub fn learning(&self) -> String {
        self.prefix.clone() + "learning"
    }
}

/// The tuples with which a document takes part: every combination of the values of the fields, in the order of the values.
pub(crate) fn tuples(memory: &Memory, document: &impl Fields) -> Vec<Terms> {
    let allows_missing =
        matches!(memory, Memory::Suppression { missing_fields: MissingFields::Suppress, .. });
    let mut empty = String::with_capacity(USUAL_TERMS_BYTES);
    empty.push('[');
    let mut tuples = vec![empty];
    for field in memory.fields() {
        // Strings always serialize.
        let values = values(field, document, |text| serde_json::to_string(text).unwrap_or_default());
        match &values[..] {
            [] if allows_missing => tuples.iter_mut().for_each(|tuple| append(tuple, "null")),
            [value] => tuples.iter_mut().for_each(|tuple| append(tuple, value)),
            values => {
                let with = |tuple: &String, value| {
                    let mut tuple = tuple.clone();
                    append(&mut tuple, value);
                    tuple
                };
                let tuples_with = |tuple| values.iter().map(move |value| with(tuple, value));
                tuples = tuples.iter().flat_map(tuples_with).take(MAX_TUPLES).collect();
            }
        }
    }
    tuples.into_iter().map(|tuple| Terms((tuple + "]").into())).collect()
}

/// Appends a value, as JSON, to the JSON array of those before it, which is not closed yet.
fn append(tuple: &mut String, value: &str) {
    if !tuple.ends_with('[') {
        tuple.push(',');
    }
    *tuple += value;
}

/// The parts of an event that memory looks at.
pub(crate) fn event(memory: &Memory, document: &impl Fields, time: Time, id: &str) -> Event {
    let counted = memory.cardinality().iter().map(|counted| values(&counted.field, document, digest).into());
    let place: Place = if memory.cardinality().is_empty() && !matches!(memory, Memory::Threshold { .. }) {
        Place::default()
    } else {
        PLACE.map(|field| {
            // The lower half is as good as the upper one.
            values(field, document, digest).first().map(|digest| (digest & 0xffff_ffff) as u32)
        })
    };
    Event { time, id: id.into(), place, counted: counted.collect() }
}

/// Applies `of` to the values of a field as text, in the order of the document, and keeps each result once.
fn values<T: PartialEq>(field: &str, document: &impl Fields, of: impl Fn(&str) -> T) -> Vec<T> {
    let mut values = Vec::new();
    document.any(field, &mut |value| {
        let text = match value {
            Scalar::Text(text) | Scalar::Number(text) => text,
            Scalar::Boolean(true) => "true",
            Scalar::Boolean(false) => "false",
        };
        if values.len() < MAX_TUPLES {
            let value = of(text);
            if !values.contains(&value) {
                values.push(value);
            }
        }
        false
    });
    values
}
