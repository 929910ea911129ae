//! Rules that remember: nothing is lost and nothing is invented, whatever is delivered again and whatever is killed.

use serde_json::json;

use crate::stage::{Stage, busy_user, call, id_of_busy, id_of_new, messages, new_user, rule, seen};
use crate::world::{RULE, log_with, matching};

#[tokio::test]
async fn the_first_event_of_a_tuple_is_a_signal_and_later_ones_are_known() {
    let stage = Stage::new("remembering: first").await;
    let first = stage.deliver("a", &[seen("ana", "10:00:00", "e1"), seen("bob", "10:01:00", "e2")]).await;
    assert_eq!((first.counter("published"), first.counter("known")), (2, 0));
    let second = stage.deliver("b", &[seen("ana", "10:02:00", "e3"), seen("eve", "10:03:00", "e4")]).await;
    assert_eq!((second.counter("published"), second.counter("known")), (1, 1));
    let mut expected = vec![id_of_new("e1", "ana"), id_of_new("e2", "bob"), id_of_new("e4", "eve")];
    expected.sort();
    assert_eq!(stage.ids(), expected);
    let state = stage.server.state();
    let signal = &state.published.last().expect("a signal").signal;
    assert_eq!(signal["kibana"]["alert"]["new_terms"], json!(["eve"]));
}

#[tokio::test]
async fn events_of_a_group_that_are_enough_are_one_signal() {
    let stage = Stage::new("remembering: enough").await;
    let deletes = |name: &str, time: &str, event: &str| call("DeleteUser", name, time, event);
    let first = [deletes("ana", "10:00:00", "e1"), deletes("ana", "10:00:10", "e2")];
    assert_eq!(stage.deliver("a", &first).await.counter("known"), 2);
    let second = [deletes("ana", "10:00:20", "e3"), deletes("ana", "10:00:30", "e4")];
    let second = stage.deliver("b", &second).await;
    assert_eq!((second.counter("published"), second.counter("known")), (1, 1));
    assert_eq!(stage.ids(), [id_of_busy("e3", "ana")]);
}

#[tokio::test]
async fn a_replay_gives_the_same_signals_again_and_no_others() {
    let stage = Stage::new("remembering: replay").await;
    let records: Vec<_> = (0..9)
        .map(|second| call("DeleteUser", "ana", &format!("10:00:0{second}"), &format!("d{second}")))
        .chain((0..9).map(|second| seen("bob", &format!("10:00:0{second}"), &format!("c{second}"))))
        .collect();
    stage.deliver("a", &records).await;
    let ids = stage.ids();
    for _ in 0..2 {
        let again = stage.deliver("a", &records).await;
        assert_eq!(again.counter("published"), ids.len() as u64);
        assert_eq!(stage.ids(), ids);
    }
}

#[tokio::test]
async fn a_delivery_without_a_match_of_a_rule_that_remembers_makes_no_request_to_the_table() {
    let stage = Stage::new("remembering: no request").await;
    let run = stage.deliver("a", &[matching("e1"), call("ListUsers", "ana", "10:00:00", "e2")]).await;
    assert_eq!((run.counter("published"), run.requests.len()), (1, 0));
}

#[tokio::test]
async fn a_thousand_events_of_one_user_in_a_delivery_are_two_requests_and_no_more_in_a_warm_function() {
    let stage = Stage::new("remembering: a thousand").await;
    let records = |hour: usize| -> Vec<_> {
        let time = |number: usize| format!("{hour}:{:02}:{:02}", number / 60, number % 60);
        (0..1000).map(|number| seen("ana", &time(number), &format!("{hour}-{number}"))).collect()
    };
    stage.put("a", &records(10));
    stage.put("b", &records(11));
    let function = stage.function();
    let first = stage.invoke(&function, &["a"]).await;
    assert_eq!((first.counter("published"), first.counter("known")), (1, 999));
    assert_eq!(first.requests, ["BatchGetItem", "PutItem"]);
    let second = stage.invoke(&function, &["b"]).await;
    assert_eq!((second.counter("published"), second.counter("known")), (0, 1000));
    assert_eq!(second.requests, [""; 0]);
}

#[tokio::test]
async fn a_warm_function_renews_a_tuple_when_its_last_sighting_is_a_hundredth_of_the_window_old() {
    let stage = Stage::new("remembering: renewal").await;
    stage.put("a", &[seen("ana", "10:00:00", "e1")]);
    // A hundredth of ten days is two hours and 24 minutes.
    stage.put("b", &[seen("ana", "12:23:59", "e2")]);
    stage.put("c", &[seen("ana", "12:24:00", "e3")]);
    let function = stage.function();
    stage.invoke(&function, &["a"]).await;
    assert_eq!(stage.invoke(&function, &["b"]).await.requests, [""; 0]);
    assert_eq!(stage.invoke(&function, &["c"]).await.requests, ["PutItem"]);
    // Another process knows nothing of that, and writes what is later than the item.
    stage.put("d", &[seen("ana", "12:24:01", "e4")]);
    assert_eq!(stage.invoke(&stage.function(), &["d"]).await.requests, ["BatchGetItem", "PutItem"]);
    assert_eq!(stage.invoke(&stage.function(), &["a"]).await.requests, ["BatchGetItem"]);
}

#[tokio::test]
async fn a_hundred_items_are_read_at_once_and_as_many_requests_as_it_takes_are_made() {
    let stage = Stage::new("remembering: batches").await;
    let records: Vec<_> =
        (0..250).map(|user| seen(&format!("u{user}"), "10:00:00", &format!("e{user}"))).collect();
    let run = stage.deliver("a", &records).await;
    let reads = run.requests.iter().filter(|operation| *operation == "BatchGetItem").count();
    assert_eq!((run.counter("published"), reads, run.requests.len()), (250, 3, 253));
}

#[tokio::test]
async fn more_matches_than_a_chunk_holds_are_decided_chunk_by_chunk() {
    let stage = Stage::new("remembering: chunks").await;
    let time = |number: usize| format!("10:{:02}:{:02}", number / 60, number % 60);
    let records: Vec<_> = (0..2500).map(|number| seen("ana", &time(number), &format!("e{number}"))).collect();
    let run = stage.deliver("a", &records).await;
    assert_eq!((run.counter("published"), run.counter("known"), run.counter("failed")), (1, 2499, 0));
}

#[tokio::test]
async fn without_a_table_rules_that_need_it_are_off_and_named_in_one_warning() {
    let id = "11111111-0000-4000-8000-00000000000f";
    let needy = rule(id, "CreateUser", &new_user()["memory"]);
    let stage = Stage::new("remembering: off").await.set("MEMORY_TABLE", "").rules(vec![needy]);
    stage.put("a", &[seen("ana", "10:00:00", "e1"), matching("e2")]);
    let function = stage.function();
    for _ in 0..2 {
        let run = stage.invoke(&function, &["a"]).await;
        assert_eq!((run.counter("signals"), run.counter("published")), (1, 1));
        assert_eq!(run.requests, [""; 0]);
    }
    let [line] = log_with(id).try_into().expect("one line");
    assert_eq!((&line["level"], &line["rules"]), (&json!("WARN"), &json!(format!("Rule {id}"))));
    assert!(line["message"].as_str().expect("a message").contains("MEMORY_TABLE"), "{line}");
}

/// Invokes until every message is done, each time with a function that has just started.
async fn finish(stage: &Stage, deliveries: &[&str]) {
    let mut left: Vec<_> = deliveries.to_vec();
    for _ in 0..5 {
        let run = stage.invoke(&stage.function(), &left).await;
        let failed: Vec<_> = run.failures().into_iter().map(|(message, ..)| message).collect();
        left.retain(|name| failed.iter().any(|failed| failed == name));
        if left.is_empty() {
            return;
        }
    }
    panic!("{left:?} never succeed");
}

/// Two deliveries with everything in them: tuples that are new, known and new again, and a group that is complete.
fn busy_day(stage: &Stage) {
    let deletes = |time: &str, event: &str| call("DeleteUser", "ana", time, event);
    stage.put(
        "a",
        &[
            seen("ana", "10:00:00", "n1"),
            seen("bob", "10:00:01", "n2"),
            seen("ana", "10:00:02", "k1"),
            deletes("10:00:03", "d1"),
            deletes("10:00:04", "d2"),
            matching("s1"),
        ],
    );
    stage.put(
        "b",
        &[
            seen("ana", "10:00:05", "k2"),
            seen("eve", "10:00:06", "n3"),
            deletes("10:00:07", "d3"),
            deletes("10:00:08", "d4"),
            seen("ana", "2026-11-30T10:00:05", "k3"),
        ],
    );
}

#[tokio::test]
async fn a_function_that_is_killed_at_any_request_loses_no_signal_and_invents_none() {
    let model = Stage::new("remembering: never killed").await;
    busy_day(&model);
    finish(&model, &["a"]).await;
    finish(&model, &["b"]).await;
    let mut expected =
        vec![id_of_new("n1", "ana"), id_of_new("n2", "bob"), id_of_new("n3", "eve"), id_of_busy("d3", "ana")];
    expected.extend(model.published().into_iter().filter(|(rule, _)| rule == RULE).map(|(_, id)| id));
    expected.sort();
    assert_eq!(model.ids(), expected);

    for first in ["a", "b"] {
        for request in 1.. {
            let stage = Stage::new(&format!("remembering: killed at {request} of {first}")).await;
            busy_day(&stage);
            if first == "b" {
                finish(&stage, &["a"]).await;
            }
            {
                let mut state = stage.server.state();
                state.requests.clear();
                state.killed_after = Some(request);
            }
            let (function, payload) = (stage.function(), messages(&[first]));
            let was_killed = tokio::select! {
                _ = stage.invoke_with(&function, &payload) => false,
                () = stage.server.kill() => true,
            };
            drop(function);
            stage.server.state().killed_after = None;
            finish(&stage, if first == "a" { &["a"] } else { &["b"] }).await;
            finish(&stage, &["b"]).await;
            assert_eq!(stage.ids(), expected, "killed at request {request} of {first}");
            if !was_killed {
                assert!(request > 5, "it made {request} requests");
                break;
            }
        }
    }
}

#[tokio::test]
async fn two_functions_on_the_same_items_at_once_give_each_tuple_and_each_group_its_signal() {
    for round in 0..10 {
        let stage = Stage::new(&format!("remembering: two functions, round {round}")).await;
        let users = ["ana", "bob", "eve"];
        // The same times in both, so that either may be first.
        let records = |half: &str| -> Vec<_> {
            let new = users.iter().map(|user| seen(user, "10:00:00", &format!("{half}-{user}")));
            let busy = (0..2).map(|second| {
                call("DeleteUser", "ana", &format!("10:00:0{second}"), &format!("{half}-{second}"))
            });
            new.chain(busy).collect()
        };
        stage.put("a", &records("a"));
        stage.put("b", &records("b"));
        let (one, other) = (stage.function(), stage.function());
        let (first, second) = tokio::join!(stage.invoke(&one, &["a"]), stage.invoke(&other, &["b"]));
        assert_eq!((first.failures(), second.failures()), (vec![], vec![]));
        let ids = stage.ids();
        for user in users {
            let claims = ["a", "b"].map(|half| id_of_new(&format!("{half}-{user}"), user));
            assert_eq!(claims.iter().filter(|id| ids.contains(id)).count(), 1, "{user}");
        }
        assert_eq!(ids.len(), 4, "three users and one group");
        // A function that sees them again says the same.
        stage.invoke(&one, &["a", "b"]).await;
        stage.invoke(&stage.function(), &["b", "a"]).await;
        assert_eq!(stage.ids(), ids);
    }
}

#[tokio::test]
async fn a_new_version_of_the_function_and_the_old_one_remember_together_what_their_rules_share() {
    let old = Stage::new("remembering: two versions").await.rules(vec![new_user()]);
    let mut renamed = new_user();
    renamed["definition"]["name"] = "Another name".into();
    old.put("a", &[seen("ana", "10:00:00", "e1")]);
    old.put("b", &[seen("ana", "10:01:00", "e2"), call("DeleteUser", "ana", "10:01:00", "e3")]);
    let before = old.function();
    let new = old.rules(vec![renamed, busy_user()]);
    let after = new.function();
    assert_eq!(new.invoke(&before, &["a"]).await.counter("published"), 1);
    let run = new.invoke(&after, &["b"]).await;
    assert_eq!((run.counter("published"), run.counter("known")), (0, 2));
    assert_eq!(new.invoke(&before, &["b"]).await.counter("known"), 1);
}
