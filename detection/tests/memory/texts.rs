//! The form in which states are kept, and texts that are not states.

use detection::memory::{Error, Start, State, Verdict};

use super::{NEVER, counting, event, new_terms, suppression, threshold};

const UUID: &str = "0f9d4c1a-8f3e-4b6a-9c64-5a1f3e0b7d21";

fn written(memory: &detection::rule::Memory) -> String {
    let mut state = State::new(memory);
    for (time, id) in [(1, UUID), (2, "by hand"), (3, &"0f".repeat(32)), (4, &"long ".repeat(30))] {
        state.decide(memory, &counting(time, id, &[7, 8]), NEVER);
    }
    state.text(memory)
}

#[test]
fn a_state_is_the_same_after_its_text() {
    for memory in [new_terms(10), suppression(10), threshold(9, &[3, 4], 10), threshold(2, &[1], 10)] {
        let text = written(&memory);
        let state = State::parse(&memory, &text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(state.text(&memory), text);
    }
}

#[test]
fn an_alert_is_the_same_after_its_text() {
    let memory = threshold(2, &[1], 10);
    let mut state = State::new(&memory);
    state.decide(&memory, &counting(1, UUID, &[7]), NEVER);
    let (first, _) = state.decide(&memory, &counting(2, "by hand", &[8]), NEVER);
    assert!(matches!(first, Verdict::Reached(_)));
    let mut state = State::parse(&memory, &state.text(&memory)).expect("a text of our own");
    assert_eq!(state.decide(&memory, &counting(2, "by hand", &[8]), NEVER).0, first);
}

#[test]
fn a_text_that_is_newer_cut_or_altered_is_refused_for_that() {
    for memory in [new_terms(10), suppression(10), threshold(9, &[3], 10)] {
        let text = written(&memory);
        let error = |text: &str| State::parse(&memory, text).expect_err(text);
        for length in 0..text.len() {
            assert_eq!(error(&text[..length]), Error::Damaged, "{}", &text[..length]);
        }
        assert_eq!(error(&text.replacen('1', "2", 1)), Error::Newer(2));
        assert_eq!(error(&(text.clone() + "1")), Error::Damaged);
        assert_eq!(error("by hand"), Error::Damaged);
        assert_eq!(error("99999999999999999999n"), Error::Damaged);
    }
    let other = State::parse(&threshold(9, &[], 10), &written(&new_terms(10))).expect_err("another type");
    assert_eq!(other, Error::OtherType);
    assert!(Error::Newer(2).to_string().contains("newer version"));
}

#[test]
fn the_start_of_learning_is_a_text_too() {
    let text = Start(-5).to_string();
    assert_eq!(Start::parse(&text), Ok(Start(-5)));
    assert_eq!(Start::parse(&text[..text.len() - 1]), Err(Error::Damaged));
    assert_eq!(Start::parse("2l:00000000 5"), Err(Error::Newer(2)));
    let memory = new_terms(10);
    let mut state = State::new(&memory);
    state.decide(&memory, &event(1, "a"), NEVER);
    assert_eq!(Start::parse(&state.text(&memory)), Err(Error::OtherType));
}
