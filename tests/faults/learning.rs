//! Rules that only learn at first, and rules that past deliveries teach.

use std::time::{Duration, Instant};

use detection::memory::Start;
use serde_json::{Value, json};

use crate::dynamodb::Table;
use crate::server::Script;
use crate::stage::{BUSY_USER, NEW_USER, Stage, WINDOW, busy_user, id_of_new, new_user, rule, seen};
use crate::world::{ATTEMPT, batch_job, log_with, matching};

/// A payload of a batch job that teaches.
fn lesson(deliveries: &[&str]) -> Value {
    let mut job = batch_job(deliveries);
    job["job"]["userArguments"] = json!({ "learn": "true" });
    job
}

/// A rule with this id and the memory of [`new_user`].
fn other(id: &str) -> Value {
    rule(id, "CreateUser", &new_user()["memory"])
}

/// The time at which a rule began, as the table has it.
fn start(stage: &Stage, id: &str) -> i64 {
    let state = stage.server.state();
    let item = state.items.iter().find(|(key, _)| key.starts_with(id) && key.ends_with("/learning"));
    let text = item.expect("a rule that has begun").1["state"]["S"].as_str().expect("a text");
    Start::parse(text).expect("a time").0
}

#[tokio::test]
async fn a_new_rule_only_learns_and_what_it_learned_is_never_published() {
    let stage = Stage::new("learning: new").await.set("LEARNING_DAYS", "");
    // The event is from 2020; the rule begins now.
    let run = stage.deliver("a", &[seen("ana", "2020-11-23T10:00:00", "e1"), matching("e2")]).await;
    assert_eq!((run.counter("published"), run.counter("known"), run.counter("failed")), (1, 1, 0));
    let ids = stage.ids();
    // Even when the rule is awake.
    let awake = stage.set("LEARNING_DAYS", "0");
    assert_eq!(awake.deliver("a", &[seen("ana", "2020-11-23T10:00:00", "e1")]).await.counter("known"), 1);
    assert_eq!(awake.deliver("b", &[seen("ana", "2020-11-23T11:00:00", "e3")]).await.counter("known"), 1);
    assert_eq!(awake.ids(), ids);
    assert_eq!(awake.deliver("c", &[seen("bob", "2020-11-23T11:00:00", "e4")]).await.counter("published"), 1);
}

#[tokio::test]
async fn a_process_reads_or_makes_the_beginning_of_each_rule_once_and_with_no_learning_days_never() {
    let stage = Stage::new("learning: once").await.set("LEARNING_DAYS", "1");
    stage.put("a", &[matching("e1")]);
    let function = stage.function();
    let first = stage.invoke(&function, &["a"]).await;
    assert_eq!(first.requests, ["BatchGetItem", "PutItem", "PutItem"]);
    assert_eq!(stage.invoke(&function, &["a"]).await.requests, [""; 0]);
    assert_eq!(stage.invoke(&stage.function(), &["a"]).await.requests, ["BatchGetItem"]);
    let stage = stage.set("LEARNING_DAYS", "0");
    assert_eq!(stage.invoke(&stage.function(), &["a"]).await.requests, [""; 0]);
}

#[tokio::test]
async fn the_log_says_once_a_process_which_rules_are_on_and_which_learn_until_when() {
    let id = "11111111-0000-4000-8000-00000000000e";
    let stage = Stage::new("learning: log").await.set("LEARNING_DAYS", "3").rules(vec![other(id)]);
    stage.put("a", &[matching("e1")]);
    let function = stage.function();
    stage.invoke(&function, &["a"]).await;
    stage.invoke(&function, &["a"]).await;
    let lines = log_with(id);
    let [line] = lines.as_slice() else { panic!("one line: {lines:?}") };
    let end = std::time::UNIX_EPOCH
        + Duration::from_millis(start(&stage, id).unsigned_abs())
        + Duration::from_hours(3 * 24);
    let learning = format!("Rule {id} until {}", detection::time::rfc3339(end));
    assert_eq!((&line["message"], &line["level"]), (&json!("rules that remember"), &json!("INFO")));
    assert_eq!((&line["learning"], &line["on"]), (&json!(learning), &json!("")));
    // Awake, it is on.
    let stage = stage.set("LEARNING_DAYS", "0");
    stage.invoke(&stage.function(), &["a"]).await;
    assert_eq!(log_with(id).last().expect("a line")["on"], format!("Rule {id}"));
}

#[tokio::test]
async fn a_rule_reports_what_happens_after_it_has_learned() {
    let stage = Stage::new("learning: end").await.set("LEARNING_DAYS", "");
    stage.deliver("a", &[matching("e1")]).await;
    // It began ten days, the window, before 23 November at 10:00.
    let began = 1_606_125_600_000_i64 - i64::try_from(WINDOW).expect("small") * 1000;
    {
        let mut state = stage.server.state();
        for (_, item) in state.items.iter_mut().filter(|(key, _)| key.starts_with(NEW_USER)) {
            item["state"] = json!({ "S": Start(began).to_string() });
        }
    }
    let records = [
        seen("ana", "2020-11-23T09:59:59", "e2"),
        seen("bob", "2020-11-23T10:00:00", "e3"),
        seen("ana", "2020-11-23T10:00:01", "e4"),
    ];
    let run = stage.deliver("b", &records).await;
    assert_eq!((run.counter("published"), run.counter("known")), (1, 2));
    assert!(stage.ids().contains(&id_of_new("e3", "bob")));
}

#[tokio::test]
async fn a_rule_that_is_added_learns_by_itself_and_wakes_or_stops_no_other() {
    let stage = Stage::new("learning: added").await.set("LEARNING_DAYS", "3");
    stage.deliver("a", &[matching("e1")]).await;
    let before = start(&stage, NEW_USER);
    let stage = stage.rules(vec![new_user(), busy_user(), other("11111111-0000-4000-8000-000000000003")]);
    let run = stage.deliver("b", &[matching("e2")]).await;
    assert_eq!(run.requests, ["BatchGetItem", "PutItem"]);
    assert_eq!(start(&stage, NEW_USER), before);
    assert!(start(&stage, "11111111-0000-4000-8000-000000000003") >= before);
}

#[tokio::test]
async fn when_nobody_knows_when_a_rule_began_its_matches_fail_and_others_are_published() {
    let stage = Stage::new("learning: no table").await.set("LEARNING_DAYS", "1");
    stage.server.state().read_faults = Script::forever(Table::Status(400, "ResourceNotFoundException"));
    let function = stage.function();
    stage.put("a", &[seen("ana", "2020-11-23T10:00:00", "e1"), matching("e2")]);
    stage.put("b", &[matching("e3")]);
    let run = stage.invoke(&function, &["a", "b"]).await;
    assert_eq!((run.counter("published"), run.counter("failed")), (2, 1));
    let [(message, retry, reason)] = run.failures().try_into().expect("one message fails");
    assert_eq!((message.as_str(), retry.as_str()), ("a", "transient"));
    assert!(reason.contains("MEMORY_TABLE"), "{reason}");
    // The same process asks again.
    stage.server.state().read_faults = Script::default();
    assert_eq!(stage.invoke(&function, &["a"]).await.counter("known"), 1);
}

#[tokio::test]
async fn a_slow_table_costs_a_rule_that_asks_when_it_began_time_and_no_match() {
    let stage = Stage::new("learning: slow").await.set("LEARNING_DAYS", "1");
    {
        let mut state = stage.server.state();
        // Two answers take longer than an invocation without a match would wait.
        state.read_faults = Script::forever(Table::Delay(ATTEMPT * 3 / 4));
        state.write_faults = state.read_faults.clone();
    }
    let run = stage.deliver("a", &[seen("ana", "2020-11-23T10:00:00", "e1"), matching("e2")]).await;
    assert_eq!(run.failures(), []);
    assert_eq!((run.counter("published"), run.counter("known")), (1, 1));
}

#[tokio::test]
async fn an_invocation_without_a_match_waits_two_seconds_at_most_to_find_out_when_rules_began() {
    let stage = Stage::new("learning: not needed").await.set("LEARNING_DAYS", "1");
    stage.server.state().read_faults = Script::forever(Table::Delay(Duration::from_mins(1)));
    let started = Instant::now();
    let run = stage.deliver("a", &[matching("e1")]).await;
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert_eq!((run.counter("published"), run.failures()), (1, vec![]));
}

#[tokio::test]
async fn history_publishes_nothing_and_wakes_the_rules() {
    let stage = Stage::new("learning: history").await.set("LEARNING_DAYS", "");
    stage.put("live", &[seen("ana", "2020-11-23T10:00:00", "l1"), seen("eve", "2020-11-23T10:00:00", "l2")]);
    stage.put(
        "old",
        &[seen("ana", "2020-11-01T10:00:00", "h1"), matching("h2"), seen("bob", "2020-11-02T10:00:00", "h3")],
    );
    stage.put("newer", &[seen("ana", "2020-11-20T10:00:00", "h4")]);
    let function = stage.function();
    assert_eq!(stage.invoke(&function, &["live"]).await.counter("known"), 2);

    let run = stage.invoke_with(&stage.function(), &lesson(&["newer", "old"])).await;
    let results = run.reply.as_ref().expect("a reply")["results"].as_array().expect("results").clone();
    assert_eq!(results.len(), 2);
    assert!(results.iter().all(|result| result["resultCode"] == "Succeeded"), "{results:?}");
    assert_eq!((run.counter("signals"), run.counter("known"), run.counter("published")), (4, 4, 0));
    assert_eq!(stage.ids(), [""; 0]);
    // 1 November 2020, 10:00.
    assert_eq!((start(&stage, NEW_USER), start(&stage, BUSY_USER)), (1_604_224_800_000, 1_604_224_800_000));

    // What was learned is known and what was not is new, both for a running function and for one that starts.
    for (function, user) in [(&function, "zoe"), (&stage.function(), "zac")] {
        stage.put(
            "next",
            &[
                seen("ana", "2020-11-23T11:00:00", &format!("{user}-1")),
                seen(user, "2020-11-23T11:00:00", user),
            ],
        );
        let run = stage.invoke(function, &["next"]).await;
        assert_eq!((run.counter("published"), run.counter("known")), (1, 1));
        assert!(stage.ids().contains(&id_of_new(user, user)));
    }
    // Teaching the same again changes nothing.
    let again = stage.invoke_with(&stage.function(), &lesson(&["old", "newer"])).await;
    assert_eq!((again.counter("known"), again.counter("published")), (4, 0));
}

#[tokio::test]
async fn without_a_table_there_is_nothing_to_teach_and_every_task_is_a_permanent_failure() {
    let stage = Stage::new("learning: nothing to teach").await.set("MEMORY_TABLE", "");
    stage.put("a", &[matching("e1")]);
    let run = stage.invoke_with(&stage.function(), &lesson(&["a"])).await;
    let reply = run.reply.expect("a reply");
    assert_eq!(reply["results"][0]["resultCode"], "PermanentFailure");
    assert!(reply["results"][0]["resultString"].as_str().expect("a reason").contains("MEMORY_TABLE"));
    assert_eq!(stage.ids(), [""; 0]);
}

#[tokio::test]
async fn a_lesson_that_the_table_does_not_take_is_a_temporary_failure_of_its_task() {
    let stage = Stage::new("learning: throttled").await;
    stage.server.state().write_faults = Script::forever(Table::Status(400, "ThrottlingException"));
    stage.put("a", &[seen("ana", "2020-11-23T10:00:00", "e1")]);
    stage.put("b", &[matching("e2")]);
    let run = stage.invoke_with(&stage.function(), &lesson(&["a", "b"])).await;
    let reply = run.reply.expect("a reply");
    let codes: Vec<_> = (0..2).map(|task| reply["results"][task]["resultCode"].clone()).collect();
    assert_eq!(codes, ["TemporaryFailure", "Succeeded"]);
}
