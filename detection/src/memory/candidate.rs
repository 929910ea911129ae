//! A match that memory has yet to decide on.

use std::sync::Arc;

use super::{Event, Firsts, PLACE, Reached, Terms, Time, Verdict, terms};
use crate::detect::{Rule, Ruleset};
use crate::ecs::{Document, Members};
use crate::notice::Accounts;
use crate::origin::Origin;
use crate::query::Fields;
use crate::records;
use crate::rule::{Definition, Memory};
use crate::signal::{self, AlertDocument, Detail, Finding, Group, Signal};
use crate::time;

/// A match of a rule that remembers, for one tuple of values. It waits as its record, not as a document.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The place of the rule in its [`Ruleset`].
    pub rule: usize,
    /// The values of the rule's fields, which distinguish the state that decides on it from the rule's other states.
    pub terms: Terms,
    /// What memory looks at.
    pub event: Event,
    /// The text of the record, or the alert document for a rule on signals; shared by all of its matches. A match that
    /// is not among the [`Firsts`] may have none.
    pub record: Option<Arc<[u8]>>,
}

impl Candidate {
    /// The key of the state that decides on it.
    ///
    /// # Panics
    /// If the match is not one of these rules.
    #[must_use]
    pub fn key(&self, rules: &Ruleset) -> String {
        let keys = rules.rules()[self.rule].keys.as_ref();
        keys.expect("a rule with candidates remembers").of(&self.terms)
    }

    /// About how many bytes it takes while it waits.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.terms.json().len() + self.record.as_ref().map_or(0, |record| record.len())
    }
}

/// What memory makes of a match.
pub(crate) enum Match {
    /// A candidate for each of its tuples; none if the event takes no part.
    Candidates(Vec<Candidate>),
    /// Memory has no say in it.
    Plain,
}

/// A record or a signal that a rule matches.
pub(crate) struct Matched<'a, F> {
    pub(crate) fields: &'a F,
    /// Its `event.id`, or the id of the signal.
    pub(crate) id: Option<&'a str>,
    /// The time of the event.
    pub(crate) time: Option<Time>,
}

/// The record of a match, or the alert document, for the candidates that it becomes.
pub(crate) struct Shared<'a> {
    pub(crate) text: &'a [u8],
    /// Decides which matches get it: all if it is `None`.
    pub(crate) firsts: Option<&'a mut Firsts>,
    /// Made when it is first needed.
    copy: Option<Arc<[u8]>>,
}

impl<'a> Shared<'a> {
    pub(crate) fn new(text: &'a [u8], firsts: Option<&'a mut Firsts>) -> Self {
        Self { text, firsts, copy: None }
    }

    fn record(&mut self, rule: usize, memory: &Memory, terms: &Terms, event: &Event) -> Option<Arc<[u8]>> {
        let gets_it = self.firsts.as_mut().is_none_or(|firsts| firsts.note(rule, memory, terms, event));
        gets_it.then(|| Arc::clone(self.copy.get_or_insert_with(|| self.text.into())))
    }
}

/// Splits a match into its candidates.
pub(crate) fn candidates<F: Fields>(rule: &Rule, matched: &Matched<'_, F>, shared: &mut Shared<'_>) -> Match {
    let Some(memory) = &rule.memory else { return Match::Plain };
    let Matched { fields: document, id, time } = *matched;
    let tuples = match id.zip(time) {
        Some(event) => (event, terms::tuples(memory, document)),
        None if memory.is_needed() => return Match::Candidates(Vec::new()),
        None => return Match::Plain,
    };
    let ((id, time), tuples) = tuples;
    if tuples.is_empty() && !memory.is_needed() {
        return Match::Plain;
    }
    let candidate = |terms: Terms| {
        let event = terms::event(memory, document, time, id);
        let record = shared.record(rule.place, memory, &terms, &event);
        Candidate { rule: rule.place, terms, event, record }
    };
    Match::Candidates(tuples.into_iter().map(candidate).collect())
}

/// The signal of a match on which memory has decided. `rules` and `origin` are those of the match, `now` is the time as
/// RFC 3339. The signal of a group may be that of an earlier event, which a late one has shown to complete the group.
///
/// # Panics
/// If the match is not one of these rules. A match without its record gives a signal without fields.
#[must_use]
pub fn signal(
    rules: &Ruleset,
    candidate: &Candidate,
    verdict: &Verdict,
    origin: &Origin,
    now: &str,
) -> Signal {
    let Rule { definition, memory, on_signals, .. } = &rules.rules()[candidate.rule];
    if *on_signals {
        return on_signal(definition, memory.as_ref(), candidate, verdict, now, &rules.accounts);
    }
    let record = candidate.record.as_deref().unwrap_or_default();
    // A record that became a candidate is JSON, as it is or repaired.
    let document = match Members::of(record) {
        Ok(members) if members.can_be_parsed() => Document::from_members(&members),
        _ => Document::from_record(records::parse(record).unwrap_or_default()),
    };
    let finding = Finding {
        definition,
        document: &document,
        record: Some(record),
        origin,
        now,
        accounts: &rules.accounts,
        detail: Detail::None,
    };
    match (memory, verdict) {
        (Some(Memory::Threshold { fields, cardinality, window, .. }), Verdict::Reached(reached)) => {
            let terms = &candidate.terms;
            let group = Group { fields, terms, cardinality, window: *window, reached, of_signals: false };
            let document = group_document(&group, |field| document.text(field));
            let (document, record) = (&document, None);
            Finding { document, record, detail: Detail::Group(group), ..finding }.signal()
        }
        (Some(Memory::NewTerms { .. }), _) => {
            Finding { detail: Detail::NewTerms(&candidate.terms), ..finding }.signal()
        }
        _ => finding.signal(),
    }
}

/// The same for a rule on signals, whose candidates wait as alert documents.
fn on_signal(
    definition: &Definition,
    memory: Option<&Memory>,
    candidate: &Candidate,
    verdict: &Verdict,
    now: &str,
    accounts: &Accounts,
) -> Signal {
    let text = candidate.record.as_deref().map(String::from_utf8_lossy);
    let alert = text.and_then(|text| records::parse_document(&text)).unwrap_or_default();
    match (memory, verdict) {
        (Some(Memory::Threshold { fields, cardinality, window, .. }), Verdict::Reached(reached)) => {
            let terms = &candidate.terms;
            let group = Group { fields, terms, cardinality, window: *window, reached, of_signals: true };
            let document = group_document(&group, |field| AlertDocument(&alert).text(field));
            // A group has no single source.
            let origin = &Origin::EventBridge;
            let detail = Detail::Group(group);
            Finding { definition, document: &document, record: None, origin, now, accounts, detail }.signal()
        }
        (Some(Memory::NewTerms { .. }), _) => {
            signal::above(definition, alert, Some(&candidate.terms), now, accounts)
        }
        _ => signal::above(definition, alert, None, now, accounts),
    }
}

/// What all events of a group share: the fields that make the group, and where they happened as far as they agree.
fn group_document<'d>(group: &Group<'d>, text: impl Fn(&str) -> Option<&'d str>) -> Document {
    let Reached { time, agreed, .. } = group.reached;
    let time = time::of_milliseconds(*time);
    let place = PLACE.into_iter().zip(agreed).filter(|(_, agrees)| **agrees);
    let place = place.filter_map(|(field, _)| Some((field, text(field)?)));
    let values = group.terms.values();
    let fields = group.fields.iter().map(String::as_str).zip(&values);
    let fields = fields.filter_map(|(field, value)| Some((field, value.as_deref()?)));
    Document::of(place.chain(fields).chain([("@timestamp", time.as_str())]))
}
