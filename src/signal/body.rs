//! The document of a signal as JSON: the record's document, with what Elastic's alerts add to it.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use super::{SignalId, words};
use crate::ecs::Document;
use crate::origin::Origin;
use crate::rule::{Definition, Severity};

/// What is left out of a signal that is too big, in this order, until it fits. Each step may name several fields.
const OMITTED: [&[&str]; 6] = [
    &[ORIGINAL],
    &[
        "aws.cloudtrail.service_event_details",
        "aws.cloudtrail.additional_eventdata",
        "aws.cloudtrail.response_elements",
        "aws.cloudtrail.request_parameters",
    ],
    &["aws.cloudtrail.flattened.service_event_details"],
    &["aws.cloudtrail.flattened.additional_eventdata"],
    &["aws.cloudtrail.flattened.response_elements"],
    &[REQUEST_PARAMETERS],
];
const ORIGINAL: &str = "event.original";
const REQUEST_PARAMETERS: &str = "aws.cloudtrail.flattened.request_parameters";

/// The parts of a document, written without being put together first: nothing of the record is copied.
pub(super) struct Body<'a> {
    message: String,
    now: &'a str,
    fields: Cow<'a, Map<String, Value>>,
    original: Option<Cow<'a, str>>,
    origin: Map<String, Value>,
    alert: Alert<'a>,
    omitted: Vec<&'static str>,
}

/// Everything under `kibana.alert`.
#[derive(serde::Serialize)]
struct Alert<'a> {
    uuid: String,
    status: &'static str,
    workflow_status: &'static str,
    depth: u8,
    ancestors: [Ancestor<'a>; 1],
    severity: Severity,
    risk_score: u8,
    reason: String,
    original_event: OriginalEvent<'a>,
    rule: &'a Definition,
    #[serde(skip_serializing_if = "Option::is_none")]
    building_block_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_time: Option<&'a str>,
}

#[derive(serde::Serialize)]
struct Ancestor<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    r#type: &'static str,
    index: String,
    depth: u8,
}

/// The event of the record, as it was before it became a signal.
struct OriginalEvent<'a> {
    event: Option<&'a Map<String, Value>>,
    created: &'a str,
}

impl<'a> Body<'a> {
    pub(super) fn new(
        definition: &'a Definition,
        document: &'a Document,
        record: &'a [u8],
        origin: &Origin,
        now: &'a str,
        id: SignalId,
    ) -> Self {
        let fields = document.fields();
        let ancestor =
            Ancestor { id: document.text("event.id"), r#type: "event", index: origin.index(), depth: 0 };
        let event = fields.get("event").and_then(Value::as_object);
        let alert = Alert {
            uuid: id.to_string(),
            status: "active",
            workflow_status: "open",
            depth: 1,
            ancestors: [ancestor],
            severity: definition.severity,
            risk_score: definition.risk_score,
            reason: words::reason(definition, document),
            original_event: OriginalEvent { event, created: now },
            rule: definition,
            building_block_type: definition.building_block_type.as_deref(),
            original_time: document.text("@timestamp"),
        };
        Self {
            message: words::sentence(document),
            now,
            fields: Cow::Borrowed(fields),
            original: Some(String::from_utf8_lossy(record)),
            origin: origin.fields(),
            alert,
            omitted: Vec::new(),
        }
    }

    /// The document as JSON of at most `limit` bytes, if leaving out what may be left out can do it.
    pub(super) fn fit(mut self, limit: usize) -> String {
        let mut steps = OMITTED.into_iter();
        loop {
            let text = self.json();
            if text.len() <= limit {
                return text;
            }
            let Some(step) = steps.next() else { return text };
            for field in step {
                let omitted = if *field == ORIGINAL {
                    self.original.take().is_some()
                } else {
                    omit(self.fields.to_mut(), field)
                };
                if omitted {
                    self.omitted.push(field);
                }
            }
        }
    }

    /// JSON without the two characters that JSON allows and SNS does not.
    fn json(&self) -> String {
        // Strings and maps with string keys always have a JSON text.
        let text = serde_json::to_string(self).unwrap_or_default();
        if text.contains('\u{fffe}') || text.contains('\u{ffff}') {
            text.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
        } else {
            text
        }
    }
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("message", &self.message)?;
        map.serialize_entry("@timestamp", self.now)?;
        for (name, value) in self.fields.iter().filter(|(name, _)| *name != "@timestamp") {
            match (name.as_str(), value) {
                ("event", Value::Object(event)) => map.serialize_entry(name, &Event { event, body: self })?,
                (_, Value::Object(base)) => {
                    let more = self.origin.get(name).and_then(Value::as_object);
                    map.serialize_entry(name, &Joined { base, more })?;
                }
                (_, value) => map.serialize_entry(name, value)?,
            }
        }
        for (name, value) in self.origin.iter().filter(|(name, _)| !self.fields.contains_key(*name)) {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("kibana", &Nested { name: "alert", value: &self.alert })?;
        if !self.omitted.is_empty() {
            map.serialize_entry("signal", &Nested { name: "omitted", value: &self.omitted })?;
        }
        map.end()
    }
}

/// The record's event, turned into a signal.
struct Event<'a> {
    event: &'a Map<String, Value>,
    body: &'a Body<'a>,
}

impl Serialize for Event<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", "signal")?;
        for (name, value) in self.event.iter().filter(|(name, _)| *name != "kind") {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("created", self.body.now)?;
        if let Some(original) = &self.body.original {
            map.serialize_entry("original", original)?;
        }
        map.end()
    }
}

impl Serialize for OriginalEvent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for name in ["action", "provider", "outcome", "id", "kind", "dataset", "module", "type"] {
            if let Some(value) = self.event.and_then(|event| event.get(name)) {
                map.serialize_entry(name, value)?;
            }
        }
        map.serialize_entry("created", self.created)?;
        map.end()
    }
}

/// An object of the record's document, with the fields that name the place it came from.
struct Joined<'a> {
    base: &'a Map<String, Value>,
    more: Option<&'a Map<String, Value>>,
}

impl Serialize for Joined<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.base.iter().chain(self.more.into_iter().flatten()))
    }
}

/// An object with one member.
struct Nested<'a, T> {
    name: &'static str,
    value: &'a T,
}

impl<T: Serialize> Serialize for Nested<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.name, self.value)])
    }
}

/// Removes a field, with the objects that are left empty, and says whether it was there. Of the request, the function's
/// name stays.
fn omit(fields: &mut Map<String, Value>, path: &str) -> bool {
    let Some((parents, name)) = path.rsplit_once('.') else { return fields.remove(path).is_some() };
    let parent = parents.split('.').try_fold(&mut *fields, |map, key| map.get_mut(key)?.as_object_mut());
    let Some(parent) = parent else { return false };
    let removed = parent.shift_remove(name);
    if path == REQUEST_PARAMETERS
        && let Some(function) = removed.as_ref().and_then(|request| request.get("functionName"))
    {
        parent.insert(name.to_owned(), json!({ "functionName": function }));
    }
    if removed.is_some() && parent.is_empty() {
        omit(fields, parents);
    }
    removed.is_some()
}
