//! A state stays small, whatever comes. The benchmarks measure how quick a decision is.

use detection::memory::{Event, State, Verdict};
use detection::rule::Memory;

use super::{NEVER, counting, new_terms, suppression, threshold};

/// A table item is billed by the kilobyte.
const MAX_BYTES: usize = 64 * 1024;

fn id(number: u64) -> String {
    let number = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{:08x}-{:04x}-4000-8000-{number:012x}", number >> 32, number & 0xffff).chars().take(36).collect()
}

/// Events with these ids in one window, as `order` numbers them.
fn run(
    memory: &Memory,
    events: u64,
    order: impl Fn(u64) -> u64,
    values: impl Fn(u64) -> [u64; 3],
) -> (usize, usize) {
    let window = i64::try_from(memory.window()).unwrap() * 1000;
    let mut state = State::new(memory);
    let mut signals = 0;
    let events: Vec<Event> = (0..events)
        .map(order)
        .map(|number| {
            let time = i64::try_from(number).unwrap() * (window - 1) / i64::try_from(events).unwrap();
            counting(time, &id(number), &values(number)[..memory.cardinality().len()])
        })
        .collect();
    for event in &events {
        signals += usize::from(state.decide(memory, event, NEVER).0 != Verdict::Known);
    }
    let text = state.text(memory);
    assert_eq!(State::parse(memory, &text).map(|state| state.text(memory)), Ok(text.clone()));
    (text.len(), signals)
}

#[test]
fn a_million_events_of_one_group_in_one_window_leave_a_small_state() {
    let few = |number: u64| [number % 3, number % 2, 0];
    let many = |number: u64| [number % 999, number % 998, number % 997];
    let memories = [
        new_terms(3600),
        suppression(3600),
        threshold(10, &[], 3600),
        threshold(1000, &[], 3600),
        threshold(10, &[5], 3600),
        threshold(1000, &[1000, 1000, 1000], 3600),
    ];
    // A prime, so that every number comes once.
    let orders: [fn(u64, u64) -> u64; 3] =
        [|number, _| number, |number, events| events - 1 - number, |number, events| number * 7919 % events];
    for (order, events) in orders.into_iter().zip([1_000_000, 100_000, 100_000]) {
        for memory in &memories {
            for values in [few as fn(u64) -> [u64; 3], many] {
                let (bytes, _) = run(memory, events, |number| order(number, events), values);
                assert!(bytes < MAX_BYTES, "{bytes} bytes: {memory:?}");
            }
        }
    }
}

#[test]
fn a_group_that_needs_a_thousand_events_finds_them() {
    for cardinality in [&[][..], &[1000], &[1000, 1000, 1000]] {
        let memory = threshold(1000, cardinality, 3600);
        let (_, signals) = run(&memory, 1000, |number| number, |number| [number; 3]);
        assert_eq!(signals, 1, "{cardinality:?}");
        let (_, signals) = run(&memory, 999, |number| number, |number| [number; 3]);
        assert_eq!(signals, 0, "{cardinality:?}");
    }
}
