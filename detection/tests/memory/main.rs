//! What rules that remember decide: a plain model beside the real thing, in every order, duplicated and split.

#[path = "../repository/mod.rs"]
mod repository;

mod above;
mod bounds;
mod laws;
mod model;
mod pipeline;
mod tables;
mod texts;

use detection::memory::{Change, Event, State, Time, Verdict};
use detection::rule::{Cardinality, Memory, MissingFields};

const NEVER: Time = Time::MIN;

fn new_terms(window: u64) -> Memory {
    Memory::NewTerms { fields: vec!["user.name".to_owned()], window }
}

fn threshold(value: u32, cardinality: &[u32], window: u64) -> Memory {
    let counted = ["source.ip", "event.action", "cloud.region"];
    let cardinality = cardinality.iter().zip(counted);
    let cardinality =
        cardinality.map(|(value, field)| Cardinality { field: field.to_owned(), value: *value });
    Memory::Threshold {
        fields: vec!["user.name".to_owned()],
        value,
        cardinality: cardinality.collect(),
        window,
    }
}

fn suppression(window: u64) -> Memory {
    let missing_fields = MissingFields::Suppress;
    Memory::Suppression { fields: vec!["user.name".to_owned()], window, missing_fields }
}

fn event(time: Time, id: &str) -> Event {
    Event { time, id: id.into(), place: [Some(1), Some(2), Some(3)], counted: Box::default() }
}

fn counting(time: Time, id: &str, values: &[u64]) -> Event {
    Event { counted: values.iter().map(|value| [*value].into()).collect(), ..event(time, id) }
}

/// The identifier under which a verdict signals.
fn signal(verdict: &Verdict, event: &Event) -> Option<String> {
    match verdict {
        Verdict::Known => None,
        Verdict::Signal => Some(event.id.to_string()),
        Verdict::Reached(reached) => Some(reached.id.clone()),
    }
}

/// The signals for events that come one after the other, each in a process of its own.
fn signals(memory: &Memory, learn_before: Time, events: &[Event]) -> Vec<Option<String>> {
    let mut text: Option<String> = None;
    let verdicts = events.iter().map(|event| {
        let mut state = match &text {
            None => State::new(memory),
            Some(text) => State::parse(memory, text).expect("a text of our own"),
        };
        let (verdict, change) = state.decide(memory, event, learn_before);
        // A process that has just started knows nothing about the one before, and writes what it can.
        if change != Change::None {
            text = Some(state.text(memory));
        }
        signal(&verdict, event)
    });
    verdicts.collect()
}
