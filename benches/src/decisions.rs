//! `decisions` has the memory of each rule type decide on a million events of one group in one window, the most that a
//! state can see. It prints the type, the nanoseconds per decision, and the size of the resulting state in bytes.

use std::hint::black_box;
use std::time::Instant;

use detection::memory::{Event, State, Time};
use detection::rule::{Cardinality, Memory, MissingFields};

const EVENTS: u32 = 1_000_000;
/// In seconds.
const WINDOW: u64 = 3600;
/// No rule has begun to learn.
const NEVER: Time = Time::MIN;

fn main() {
    let fields = || vec!["user.name".to_owned()];
    let threshold = |value, counted: &[&str]| {
        let cardinality = counted.iter().map(|field| Cardinality { field: (*field).to_owned(), value });
        Memory::Threshold { fields: fields(), value, cardinality: cardinality.collect(), window: WINDOW }
    };
    let missing_fields = MissingFields::Suppress;
    let memories = [
        ("new_terms", Memory::NewTerms { fields: fields(), window: WINDOW }),
        ("alert_suppression", Memory::Suppression { fields: fields(), window: WINDOW, missing_fields }),
        ("threshold of 10", threshold(10, &[])),
        ("threshold of 1,000", threshold(1000, &[])),
        (
            "threshold of 1,000 with three cardinalities",
            threshold(1000, &["source.ip", "event.action", "cloud.region"]),
        ),
    ];
    for (name, memory) in memories {
        let events: Vec<_> = (0..EVENTS).map(|number| event(number, memory.cardinality().len())).collect();
        let mut state = State::new(&memory);
        let started = Instant::now();
        for event in &events {
            black_box(state.decide(&memory, event, NEVER));
        }
        let nanoseconds = started.elapsed().as_nanos() / u128::from(EVENTS);
        println!("{name}\t{nanoseconds}\t{}", state.text(&memory).len());
    }
}

/// One of many events spread over the window, with about a thousand values in each counted field.
fn event(number: u32, counted: usize) -> Event {
    let mixed = number.wrapping_mul(0x9e37_79b9);
    let values = [997, 998, 999].map(|values| [u64::from(mixed % values)].into());
    Event {
        time: i64::from(number) * 3_599_999 / i64::from(EVENTS),
        id: format!("{mixed:08x}-0000-4000-8000-{number:012x}").into(),
        place: [Some(1), Some(2), Some(3)],
        counted: values.into_iter().take(counted).collect(),
    }
}
