//! Laws that hold whatever events come, in any order, duplicated, and split between processes anywhere.

use std::collections::BTreeSet;

use detection::memory::{Change, Event, State, Time};
use detection::rule::Memory;
use proptest::prelude::*;

use super::model::{self, Group};
use super::{NEVER, counting, event, new_terms, signal, signals, suppression, threshold};

const WINDOW: u64 = 10;
const MILLISECONDS: i64 = 10_000;

/// Events of a few seconds, so that windows begin and end among them to the millisecond. An event that comes twice is the
/// same event, and an id belongs to one time.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let edge = prop_oneof![Just(-1_i64), Just(0), Just(1), Just(500)];
    let one = (0_i64..6, edge, 0_u64..4, 0_u64..3).prop_map(|(step, edge, first, second)| {
        let time = 1_000_000 + step * (MILLISECONDS / 2) + edge;
        counting(time, &format!("{first}{second}-{time}"), &[first, second])
    });
    let doubled = (proptest::collection::vec(one, 1..40), any::<proptest::sample::Index>());
    doubled.prop_map(|(mut events, from)| {
        // A redelivery of everything from some point on.
        let again = events[from.index(events.len())..].to_vec();
        events.extend(again);
        events
    })
}

/// The same in the order of time and id.
fn sorted(events: &[Event]) -> Vec<Event> {
    let mut events = events.to_vec();
    events.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
    events
}

/// The same in processes that each take a few events; each knows from the one before what was written.
fn cut(memory: &Memory, events: &[Event], cuts: &[bool]) -> Vec<Option<String>> {
    let mut text = None;
    let mut state = State::new(memory);
    let mut found = Vec::new();
    for (event, cut) in events.iter().zip(cuts.iter().chain(std::iter::repeat(&false))) {
        let (verdict, change) = state.decide(memory, event, NEVER);
        found.push(signal(&verdict, event));
        if change == Change::Needed {
            text = Some(state.text(memory));
            state.mark_saved();
        }
        if *cut {
            state = text
                .as_deref()
                .map_or_else(|| State::new(memory), |text| State::parse(memory, text).unwrap());
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn new_terms_decide_as_the_model_does(events in events(), learn_before in 1_000_000_i64..1_040_000) {
        for learn_before in [NEVER, learn_before] {
            let expected = model::new_terms(MILLISECONDS, learn_before, &events);
            prop_assert_eq!(signals(&new_terms(WINDOW), learn_before, &events), expected);
        }
    }

    #[test]
    fn suppression_decides_as_the_model_does(events in events(), cuts in proptest::collection::vec(any::<bool>(), 80)) {
        let expected = model::suppression(MILLISECONDS, &events);
        prop_assert_eq!(&signals(&suppression(WINDOW), NEVER, &events), &expected);
        prop_assert_eq!(cut(&suppression(WINDOW), &events, &cuts), expected);
    }

    #[test]
    fn a_threshold_decides_as_the_model_does(
        events in events(),
        value in 1_u32..6,
        cardinality in proptest::collection::vec(1_u32..4, 0..3),
        cuts in proptest::collection::vec(any::<bool>(), 80),
    ) {
        let memory = threshold(value, &cardinality, WINDOW);
        let distinct: Vec<_> = cardinality.iter().map(|value| *value as usize).collect();
        let mut group = Group::default();
        let expected: Vec<_> =
            events.iter().map(|event| group.decide(MILLISECONDS, value as usize, &distinct, event)).collect();
        prop_assert_eq!(&signals(&memory, NEVER, &events), &expected);
        prop_assert_eq!(cut(&memory, &events, &cuts), expected);
    }

    #[test]
    fn a_redelivery_of_everything_gives_the_same_signals_again(events in events(), value in 1_u32..4) {
        for memory in [new_terms(WINDOW), suppression(WINDOW), threshold(value, &[], WINDOW)] {
            let events = sorted(&events);
            let once = signals(&memory, NEVER, &events);
            let twice = signals(&memory, NEVER, &[&events[..], &events[..]].concat());
            let set = |found: &[Option<String>]| found.iter().flatten().cloned().collect::<BTreeSet<_>>();
            prop_assert_eq!(set(&once), set(&twice));
            prop_assert_eq!(set(&once), set(&twice[events.len()..]), "every signal comes again");
        }
    }

    #[test]
    fn a_late_event_makes_a_group_signal_in_any_order(events in events(), value in 1_u32..4) {
        let memory = threshold(value, &[], WINDOW);
        let in_order = signals(&memory, NEVER, &sorted(&events));
        let shuffled = signals(&memory, NEVER, &events);
        prop_assert_eq!(in_order.iter().any(Option::is_some), shuffled.iter().any(Option::is_some));
    }

    #[test]
    fn any_text_is_a_state_or_an_error(text in ".{0,60}", tail in "1[nstl]:[0-9a-f]{8} .{0,60}") {
        for memory in [new_terms(WINDOW), suppression(WINDOW), threshold(2, &[2], WINDOW)] {
            let _ = (State::parse(&memory, &text), State::parse(&memory, &tail));
        }
    }
}

#[test]
fn the_edges_of_the_windows_are_exact_to_the_millisecond() {
    let at = |time: Time| event(time, &format!("e{time}"));
    let found = |memory: &Memory, times: &[Time]| {
        let events: Vec<_> = times.iter().map(|time| at(*time)).collect();
        signals(memory, NEVER, &events).iter().map(Option::is_some).collect::<Vec<_>>()
    };
    // Last seen before T - window is new, at T - window it is known.
    assert_eq!(found(&new_terms(10), &[0, 10_000]), [true, false]);
    assert_eq!(found(&new_terms(10), &[0, 10_001]), [true, true]);
    // Events count in (T - window, T], and what follows is spent before T + window.
    assert_eq!(found(&threshold(2, &[], 10), &[0, 10_000]), [false, false]);
    assert_eq!(found(&threshold(2, &[], 10), &[0, 9_999]), [false, true]);
    assert_eq!(found(&threshold(1, &[], 10), &[0, 9_999]), [true, false]);
    assert_eq!(found(&threshold(1, &[], 10), &[0, 10_000]), [true, true]);
    // The window of suppression is [T, T + window).
    assert_eq!(found(&suppression(10), &[0, 9_999]), [true, false]);
    assert_eq!(found(&suppression(10), &[0, 10_000]), [true, true]);
}
