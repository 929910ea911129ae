//! Which values of a document belong together, and the keys under which states are kept.

use serde_json::json;
use sha2::{Digest, Sha256};

use super::text::{digest, digits};
use super::{Event, PLACE, Place, Time};
use crate::query::{Fields, Scalar};
use crate::rule::{Memory, MissingFields, Source};

/// An event takes part with so many tuples at most: fields with many values make a product of them.
const MAX_TUPLES: usize = 1000;
/// Longer terms stand in a key as their hash.
const MAX_TERMS_BYTES: usize = 512;

/// Values of the fields of a rule, in the order of the fields. A missing field, with suppression, has none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Terms(Box<[Option<Box<str>>]>);

impl Terms {
    /// The values as a compact JSON array.
    #[must_use]
    pub fn json(&self) -> String {
        // Strings and nulls can always be written.
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// The values, in the order of the fields.
    pub fn values(&self) -> impl Iterator<Item = Option<&str>> {
        self.0.iter().map(Option::as_deref)
    }
}

/// The keys of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    prefix: String,
}

impl Keys {
    /// The keys of a rule that remembers: `<rule_id>/<hash of query, fields and window>/…`. A rule of which one of these
    /// changes begins anew.
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
        let terms = terms.json();
        if terms.len() <= MAX_TERMS_BYTES {
            return self.prefix.clone() + &terms;
        }
        self.prefix.clone() + &digits(&Sha256::digest(terms))
    }

    /// The key under which the time is kept at which the rule first watched.
    #[must_use]
    pub fn learning(&self) -> String {
        self.prefix.clone() + "learning"
    }
}

/// The tuples with which a document takes part: every combination of the values of the fields, in the order of the values.
pub(crate) fn tuples(memory: &Memory, document: &impl Fields) -> Vec<Terms> {
    let allows_missing =
        matches!(memory, Memory::Suppression { missing_fields: MissingFields::Suppress, .. });
    let mut tuples: Vec<Vec<Option<Box<str>>>> = vec![Vec::new()];
    for field in memory.fields() {
        let mut values: Vec<_> = values(field, document).into_iter().map(Some).collect();
        if values.is_empty() && allows_missing {
            values.push(None);
        }
        tuples = tuples
            .iter()
            .flat_map(|tuple| values.iter().map(|value| [&tuple[..], std::slice::from_ref(value)].concat()))
            .take(MAX_TUPLES)
            .collect();
    }
    tuples.into_iter().map(|tuple| Terms(tuple.into())).collect()
}

/// What memory looks at of an event.
pub(crate) fn event(memory: &Memory, document: &impl Fields, time: Time, id: &str) -> Event {
    let counted = memory
        .cardinality()
        .iter()
        .map(|counted| values(&counted.field, document).iter().map(|value| digest(value)).collect());
    let place: Place = if memory.cardinality().is_empty() && !matches!(memory, Memory::Threshold { .. }) {
        Place::default()
    } else {
        PLACE.map(|field| {
            // The lower half is as good as the upper one.
            values(field, document).first().map(|value| (digest(value) & 0xffff_ffff) as u32)
        })
    };
    Event { time, id: id.into(), place, counted: counted.collect() }
}

/// The values of a field as text, each once, in the order of the document.
fn values(field: &str, document: &impl Fields) -> Vec<Box<str>> {
    let mut values: Vec<Box<str>> = Vec::new();
    document.any(field, &mut |value| {
        let text = match value {
            Scalar::Text(text) | Scalar::Number(text) => text,
            Scalar::Boolean(true) => "true",
            Scalar::Boolean(false) => "false",
        };
        if values.len() < MAX_TUPLES && !values.iter().any(|value| **value == *text) {
            values.push(text.into());
        }
        false
    });
    values
}
