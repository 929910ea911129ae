//! The document of a signal as JSON: the ECS document of the record, and the fields that Elastic's alerts add.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};

use super::{Detail, FUNCTION_NAME, Finding, Group, SignalId, words};
use crate::ecs::Document;
use crate::nested::{Field, Nested};
use crate::notice::Accounts;
use crate::origin::Origin;
use crate::rule::Definition;
use crate::time;

/// The fields to leave out of a signal that is too big, step by step until it fits. A step may name several fields.
pub(super) const OMITTED: [&[&str]; 7] = [
    &[NOTE],
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
/// The fields of the event that an alert repeats under `kibana.alert.original_event`.
const ORIGINAL_EVENT: [(&str, &str); 8] = [
    ("event.action", "kibana.alert.original_event.action"),
    ("event.provider", "kibana.alert.original_event.provider"),
    ("event.outcome", "kibana.alert.original_event.outcome"),
    ("event.id", "kibana.alert.original_event.id"),
    ("event.kind", "kibana.alert.original_event.kind"),
    ("event.dataset", "kibana.alert.original_event.dataset"),
    ("event.module", "kibana.alert.original_event.module"),
    ("event.type", "kibana.alert.original_event.type"),
];
/// Most signals are smaller: a text that grows is copied again and again.
const USUAL_BYTES: usize = 12 * 1024;
const USUAL_FIELDS: usize = 128;
const MESSAGE: &str = "message";
/// The same in all signals of a rule.
const NOTE: &str = "kibana.alert.rule.note";
const ORIGINAL: &str = "event.original";
const REQUEST_PARAMETERS: &str = "aws.cloudtrail.flattened.request_parameters";

/// The parts of a signal's document. It borrows from the record.
pub(super) struct Body<'a> {
    definition: Cow<'a, Definition>,
    document: &'a Document,
    record: Option<Cow<'a, str>>,
    origin: &'a Origin,
    now: &'a str,
    accounts: &'a Accounts,
    detail: Detail<'a>,
    id: SignalId,
    omitted: Vec<&'static str>,
}

/// A value of the document.
#[derive(Serialize)]
#[serde(untagged)]
enum Part<'a> {
    Text(Cow<'a, str>),
    Number(u8),
    Value(&'a Value),
    Made(Value),
    Ancestors(Vec<Ancestor<'a>>),
    Rule(&'a Definition),
    Omitted(&'a [&'static str]),
}

#[derive(Serialize)]
struct Ancestor<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    r#type: &'static str,
    /// What memory keeps about an event does not say where it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<String>,
    depth: u8,
}

impl<'a> Body<'a> {
    pub(super) fn new(finding: &Finding<'a>, id: SignalId) -> Self {
        let Finding { definition, document, record, origin, now, accounts, detail } = *finding;
        let record = record.map(String::from_utf8_lossy);
        let definition = Cow::Borrowed(definition);
        Self { definition, document, record, origin, now, accounts, detail, id, omitted: Vec::new() }
    }

    /// The document as JSON. Leaves out fields until it has at most `limit` bytes, as far as that is possible, and then also
    /// returns the whole document.
    pub(super) fn fit(mut self, limit: usize) -> (String, Option<String>) {
        let mut steps = OMITTED.into_iter();
        let mut uncut = None;
        loop {
            let text = self.json();
            let Some(step) = steps.next().filter(|_| text.len() > limit) else { return (text, uncut) };
            uncut.get_or_insert(text);
            let is_there = |field: &&str| match *field {
                ORIGINAL => self.record.is_some(),
                NOTE => self.definition.note.is_some(),
                field => self.document.value(field).is_some(),
            };
            self.omitted.extend(step.iter().copied().filter(is_there));
            if self.omitted.contains(&NOTE) {
                self.definition.to_mut().note = None;
            }
        }
    }

    fn json(&self) -> String {
        text_of(&Nested::new(&self.fields()))
    }

    /// Every field of the signal: `message` first, the others by name.
    fn fields(&self) -> Vec<Field<Part<'_>>> {
        let mut fields = Vec::with_capacity(USUAL_FIELDS);
        self.event(&mut fields);
        if self.record.is_some() {
            fields.extend(self.origin.fields().into_iter().map(|(name, text)| (name, text.into())));
        }
        fields.extend(self.alert());
        fields.extend(self.remembered());
        if !self.omitted.is_empty() {
            fields.push(("signal.omitted", Part::Omitted(&self.omitted)));
        }
        fields.sort_unstable_by_key(|(name, _)| (*name != MESSAGE, *name));
        fields
    }

    /// The fields of the record's document, as a signal has them.
    fn event<'s>(&'s self, fields: &mut Vec<Field<Part<'s>>>) {
        fields.extend([
            (MESSAGE, self.sentence().into()),
            ("@timestamp", self.now.into()),
            ("event.kind", "signal".into()),
            ("event.created", self.now.into()),
        ]);
        if let Some(record) = self.record.as_deref().filter(|_| !self.omitted.contains(&ORIGINAL)) {
            fields.push((ORIGINAL, record.into()));
        }
        for (name, value) in self.document.fields() {
            if self.omitted.contains(&name) {
                // Keep the name of the function when the request parameters are left out.
                let function = self.document.value(FUNCTION_NAME).filter(|_| name == REQUEST_PARAMETERS);
                fields.extend(function.map(|function| (FUNCTION_NAME, Part::Value(function))));
            } else if !matches!(name, "@timestamp" | "event.kind") {
                fields.push((name, Part::Value(value)));
            }
        }
    }

    /// The fields that Elastic adds to a document that becomes an alert.
    fn alert(&self) -> impl Iterator<Item = Field<Part<'_>>> {
        let Self { definition, document, .. } = self;
        let building_block = definition.building_block_type.as_deref();
        let original = ORIGINAL_EVENT
            .iter()
            .filter_map(|(from, to)| Some((*to, Part::Value(self.document.value(from)?))));
        [
            Some(("kibana.alert.uuid", self.id.to_string().into())),
            Some(("kibana.alert.status", "active".into())),
            Some(("kibana.alert.workflow_status", "open".into())),
            Some(("kibana.alert.depth", Part::Number(self.depth()))),
            Some(("kibana.alert.ancestors", Part::Ancestors(self.ancestors()))),
            Some(("kibana.alert.severity", definition.severity.as_str().into())),
            Some(("kibana.alert.risk_score", Part::Number(definition.risk_score))),
            Some(("kibana.alert.reason", words::reason(definition, |field| document.text(field)).into())),
            Some(("kibana.alert.original_event.created", self.now.into())),
            Some(("kibana.alert.rule", Part::Rule(definition))),
            building_block.map(|kind| ("kibana.alert.building_block_type", kind.into())),
            document.text("@timestamp").map(|time| ("kibana.alert.original_time", time.into())),
        ]
        .into_iter()
        .flatten()
        .chain(original)
    }
}

impl Body<'_> {
    fn sentence(&self) -> String {
        match &self.detail {
            Detail::None | Detail::NewTerms(_) => words::sentence(self.document, self.accounts),
            Detail::Group(group) => words::group_sentence(group, self.document, self.accounts),
            Detail::Sentence(sentence) => (*sentence).to_owned(),
        }
    }

    fn ancestors(&self) -> Vec<Ancestor<'_>> {
        let (r#type, depth) = if self.depth() == 1 { ("event", 0) } else { ("signal", 1) };
        let ancestor = |id, index| Ancestor { id, r#type, index, depth };
        match &self.detail {
            Detail::None | Detail::NewTerms(_) | Detail::Sentence(_) => {
                vec![ancestor(self.document.text("event.id"), Some(self.origin.index()))]
            }
            Detail::Group(group) => {
                group.reached.ancestors.iter().map(|id| ancestor(Some(id.as_str()), None)).collect()
            }
        }
    }

    /// One more than the depth of what it is about.
    fn depth(&self) -> u8 {
        if matches!(self.detail, Detail::Group(Group { of_signals: true, .. })) { 2 } else { 1 }
    }

    /// The field that tells what memory has to do with it.
    fn remembered(&self) -> Option<Field<Part<'_>>> {
        match &self.detail {
            Detail::None | Detail::Sentence(_) => None,
            Detail::NewTerms(terms) => {
                let values = terms.values().into_iter().map(Value::from).collect();
                Some(("kibana.alert.new_terms", Part::Made(values)))
            }
            Detail::Group(group) => {
                Some(("kibana.alert.threshold_result", Part::Made(threshold_result(group))))
            }
        }
    }
}

/// JSON that escapes the two characters that JSON allows and SNS does not.
pub(super) fn text_of(document: &impl Serialize) -> String {
    // Both start with this byte, and few texts have it.
    const FIRST_BYTE: u8 = "\u{ffff}".as_bytes()[0];
    let mut text = Vec::with_capacity(USUAL_BYTES);
    // Strings and maps with string keys always serialize, and to UTF-8.
    let _ = serde_json::to_writer(&mut text, document);
    // A copy has the right size: shrinking would make the allocator tidy up each time.
    let text = std::str::from_utf8(&text).unwrap_or_default().to_owned();
    if memchr::memchr(FIRST_BYTE, text.as_bytes()).is_some() {
        text.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
    } else {
        text
    }
}

fn threshold_result(group: &Group<'_>) -> Value {
    let Group { fields, terms, cardinality, window, reached, .. } = group;
    let terms: Vec<_> = fields
        .iter()
        .zip(terms.values())
        .map(|(field, value)| json!({"field": field, "value": value}))
        .collect();
    let counts = cardinality.iter().zip(&reached.cardinality);
    let counts: Vec<_> =
        counts.map(|(counted, count)| json!({"field": counted.field, "value": count})).collect();
    let window = i64::try_from(*window).unwrap_or(i64::MAX).saturating_mul(1000);
    let from = time::of_milliseconds(reached.time.saturating_sub(window));
    json!({"terms": terms, "cardinality": counts, "count": reached.count, "from": from})
}

impl<'a> From<&'a str> for Part<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Part<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}
