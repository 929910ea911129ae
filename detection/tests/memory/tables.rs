//! Cases one by one.

use detection::memory::{Change, State, Time, Verdict, learns_until};

use super::{NEVER, counting, event, new_terms, signals, suppression, threshold};

const DAY: i64 = 24 * 60 * 60 * 1000;

fn found(
    memory: &detection::rule::Memory,
    learn_before: Time,
    events: &[(Time, &str)],
) -> Vec<Option<String>> {
    let events: Vec<_> = events.iter().map(|(time, id)| event(*time, id)).collect();
    signals(memory, learn_before, &events)
}

fn some(ids: &[&str]) -> Vec<Option<String>> {
    ids.iter().map(|id| Some((*id).to_owned()).filter(|id| !id.is_empty())).collect()
}

#[test]
fn the_window_of_new_terms_slides_with_every_sighting() {
    let memory = new_terms(10);
    let events = [(0, "a"), (9_000, "b"), (18_000, "c"), (28_001, "d")];
    assert_eq!(found(&memory, NEVER, &events), some(&["a", "", "", "d"]));
}

#[test]
fn the_event_that_claimed_values_is_new_again_and_no_other() {
    let memory = new_terms(10);
    let events = [(0, "a"), (0, "b"), (0, "a"), (20_000, "c"), (0, "a"), (20_000, "c"), (20_000, "d")];
    assert_eq!(found(&memory, NEVER, &events), some(&["a", "", "a", "c", "a", "c", ""]));
}

#[test]
fn an_event_older_than_what_is_known_is_not_new() {
    assert_eq!(found(&new_terms(10), NEVER, &[(50_000, "a"), (1_000, "b")]), some(&["a", ""]));
}

#[test]
fn what_is_learned_gives_no_signal_then_or_later() {
    let memory = new_terms(10);
    let events = [(0, "a"), (4_999, "b"), (5_000, "c"), (20_000, "d")];
    assert_eq!(found(&memory, 5_000, &events), some(&["", "", "", "d"]));
    // A scan of the past learns everything; delivered again, none of it is news.
    let mut state = State::new(&memory);
    assert_eq!(state.decide(&memory, &event(7_000, "a"), Time::MAX).0, Verdict::Known);
    assert_eq!(state.decide(&memory, &event(7_000, "a"), NEVER).0, Verdict::Known);
    let memory = threshold(2, &[], 10);
    let mut state = State::new(&memory);
    for (id, learn_before) in [("a", Time::MAX), ("b", Time::MAX), ("a", NEVER), ("b", NEVER)] {
        assert_eq!(state.decide(&memory, &event(7_000, id), learn_before).0, Verdict::Known, "{id}");
    }
}

#[test]
fn a_rule_learns_for_its_own_window_or_for_the_days_given_and_suppression_never() {
    assert_eq!(learns_until(&new_terms(10), 5, None), 10_005);
    assert_eq!(learns_until(&new_terms(10), 5, Some(2)), 2 * DAY + 5);
    assert_eq!(learns_until(&new_terms(10), 5, Some(0)), 5);
    assert_eq!(learns_until(&suppression(10), 5, Some(2)), Time::MIN);
}

#[test]
fn a_threshold_counts_an_event_once_however_often_it_comes() {
    let events = [(0, "a"), (0, "a"), (1, "a2"), (0, "a"), (1, "a2"), (2, "a3"), (2, "a3"), (0, "a")];
    assert_eq!(found(&threshold(3, &[], 10), NEVER, &events), some(&["", "", "", "", "", "a3", "a3", ""]));
}

#[test]
fn what_an_alert_has_counted_or_made_quiet_is_spent() {
    let memory = threshold(2, &[], 10);
    let events = [(0, "a"), (1, "b"), (5, "c"), (10_000, "d"), (10_001, "e"), (10_002, "f"), (20_000, "g")];
    assert_eq!(found(&memory, NEVER, &events), some(&["", "b", "", "", "", "f", ""]));
}

#[test]
fn a_late_event_shows_which_event_completes_the_group_and_shows_it_again() {
    let memory = threshold(3, &[], 10);
    let events = [(5_000, "c"), (1_000, "a"), (3_000, "b"), (3_000, "b"), (5_000, "c"), (1_000, "a")];
    assert_eq!(found(&memory, NEVER, &events), some(&["", "", "c", "c", "c", ""]));
}

#[test]
fn every_cardinality_must_be_reached() {
    let memory = threshold(2, &[2, 3], 10);
    let events = [
        counting(0, "a", &[1, 1]),
        counting(1, "b", &[2, 1]),
        counting(2, "c", &[2, 2]),
        counting(3, "d", &[1, 3]),
    ];
    let mut state = State::new(&memory);
    let mut verdicts = events.iter().map(|event| state.decide(&memory, event, NEVER).0).collect::<Vec<_>>();
    let Some(Verdict::Reached(reached)) = verdicts.pop() else { panic!("the fourth completes it") };
    assert_eq!(verdicts, [Verdict::Known, Verdict::Known, Verdict::Known]);
    assert_eq!((reached.count, reached.cardinality, reached.time), (4, vec![2, 3], 3));
    assert_eq!(reached.ancestors, ["a", "b", "c", "d"]);
    assert_eq!(reached.agreed, [true; 3]);
}

#[test]
fn a_group_tells_which_places_its_events_agree_on() {
    let memory = threshold(2, &[], 10);
    let mut state = State::new(&memory);
    let other = detection::memory::Event { place: [Some(1), None, Some(4)], ..event(1, "b") };
    state.decide(&memory, &event(0, "a"), NEVER);
    let (Verdict::Reached(reached), _) = state.decide(&memory, &other, NEVER) else {
        panic!("two are enough")
    };
    assert_eq!(reached.agreed, [true, false, false]);
}

#[test]
fn suppression_holds_back_what_follows_and_gives_the_first_again() {
    let events = [(0, "a"), (1, "b"), (0, "a"), (10_000, "c"), (10_001, "d"), (-1, "e")];
    assert_eq!(found(&suppression(10), NEVER, &events), some(&["a", "", "a", "c", "", "e"]));
}

#[test]
fn a_renewal_within_a_hundredth_of_the_window_can_wait() {
    let memory = new_terms(1000);
    let mut state = State::new(&memory);
    let mut change = |time| {
        let (_, change) = state.decide(&memory, &event(time, "x"), NEVER);
        if change == Change::Needed {
            state.mark_saved();
        }
        change
    };
    assert_eq!(change(0), Change::Needed);
    assert_eq!(change(0), Change::None);
    assert_eq!(change(9_999), Change::Renewal);
    assert_eq!(change(10_000), Change::Needed);
    assert_eq!(change(5_000), Change::None, "an older event changes nothing");
}

#[test]
fn a_state_expires_two_days_after_its_window_by_the_later_of_clock_and_event() {
    let memory = new_terms(10);
    let mut state = State::new(&memory);
    state.decide(&memory, &event(5_000, "a"), NEVER);
    assert_eq!(state.expires(&memory, 0), 5 + 10 + 2 * 86_400);
    assert_eq!(state.expires(&memory, 7_999), 7 + 10 + 2 * 86_400);
}
