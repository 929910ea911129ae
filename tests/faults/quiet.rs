//! The quiet time after notices, which functions share in the table.

use std::time::Duration;

use serde_json::json;

use crate::dynamodb::Table;
use crate::notices::{NOTICE_TOPIC, calls};
use crate::server::{Script, Wire};
use crate::sns::Batch;
use crate::stage::Stage;
use crate::world::matching;

const GOOD: Batch = Batch::Delay(Duration::ZERO);

/// Functions that send notices of everything and share a table. No rule remembers, so only notices ask the table.
async fn stage(name: &str) -> Stage {
    let stage = Stage::new(name).await.rules(Vec::new());
    for event in ["e1", "e2", "e3", "e4"] {
        stage.put(event, &[matching(event)]);
    }
    stage.set("NOTICE_TOPIC_ARN", NOTICE_TOPIC).set("NOTICES", "all")
}

/// The mails that the topic for notices took.
fn mails(stage: &Stage) -> Vec<String> {
    let state = stage.server.state();
    let notices = state.published.iter().filter(|published| published.topic == NOTICE_TOPIC);
    notices.map(|notice| notice.signal["email"].as_str().expect("a mail").to_owned()).collect()
}

/// The subjects of what the topic for notices took.
fn subjects(stage: &Stage) -> Vec<String> {
    let state = stage.server.state();
    let notices = state.published.iter().filter(|published| published.topic == NOTICE_TOPIC);
    notices.map(|notice| notice.entry.subject.clone()).collect()
}

/// Makes the last notices as old as possible.
fn let_time_pass(stage: &Stage) {
    for item in stage.server.state().items.values_mut() {
        let state = item["state"]["S"].as_str().expect("a state").to_owned();
        let mut words: Vec<_> = state.split(' ').collect();
        words[1] = "0";
        item["state"]["S"] = words.join(" ").into();
    }
}

#[tokio::test]
async fn functions_that_share_a_table_share_the_quiet_time_too() {
    let stage = stage("notice-quiet-shared").await;
    let first = stage.invoke(&stage.function(), &["e1"]).await;
    assert_eq!((first.counter("notices"), mails(&stage).len()), (1, 1));
    assert_eq!(first.requests, ["PutItem"], "one conditional write");
    for event in ["e2", "e3"] {
        let other = stage.invoke(&stage.function(), &[event]).await;
        assert_eq!((other.counter("published"), other.counter("notices")), (1, 0));
    }
    let_time_pass(&stage);
    stage.invoke(&stage.function(), &["e4"]).await;
    let mails = mails(&stage);
    assert_eq!(mails.len(), 2);
    assert!(mails[1].contains("2 earlier notices of this rule and principal were held back"), "{}", mails[1]);
}

#[tokio::test]
async fn of_two_functions_that_ask_for_the_same_notice_at_once_one_sends_it() {
    let stage = stage("notice-quiet-race").await;
    let (one, other) = (stage.function(), stage.function());
    let ends = tokio::join!(stage.invoke(&one, &["e1"]), stage.invoke(&other, &["e2"]));
    assert_eq!(ends.0.counter("notices") + ends.1.counter("notices"), 1);
    assert_eq!(mails(&stage).len(), 1);
}

#[tokio::test]
async fn a_notice_is_sent_whatever_the_table_says_and_the_process_keeps_the_quiet_time() {
    let gone = || Script::forever(Table::Status(400, "ResourceNotFoundException"));
    let faults = [
        ("gone", gone()),
        ("denied", Script::forever(Table::Status(400, "AccessDeniedException"))),
        ("fault", Script::forever(Table::Status(500, "InternalServerError"))),
        ("reset", Script::forever(Table::Wire(Wire::Reset))),
        ("silent", Script::forever(Table::Delay(Duration::from_mins(1)))),
        ("damaged", Script::once([Table::Overtaken(json!({ "state": { "S": "9 of a newer version" } }))])),
    ];
    for (name, script) in faults {
        let stage = stage(&format!("notice-quiet-{name}")).await;
        stage.server.state().write_faults = script;
        let function = stage.function();
        let first = stage.invoke(&function, &["e1"]).await;
        assert_eq!(first.failures(), [], "{name}");
        assert_eq!((first.counter("published"), first.counter("notices")), (1, 1), "{name}");
        let second = stage.invoke(&function, &["e2"]).await;
        assert_eq!((second.counter("notices"), mails(&stage).len()), (0, 1), "{name}");
    }
}

#[tokio::test]
async fn a_notice_that_sns_does_not_take_makes_no_function_quiet() {
    let stage = stage("notice-quiet-unsent").await;
    stage.server.state().batch_faults =
        Script::once([GOOD, Batch::Fails { event: "-", sender_fault: true, code: "InvalidParameter" }]);
    let failed = stage.invoke(&stage.function(), &["e1"]).await;
    assert_eq!((failed.counter("notices"), failed.counter("notices_failed")), (0, 1));
    let next = stage.invoke(&stage.function(), &["e2"]).await;
    assert_eq!((next.counter("notices"), mails(&stage).len()), (1, 1));
}

#[tokio::test]
async fn without_quiet_time_the_table_is_not_asked() {
    let stage = stage("notice-quiet-none").await.set("NOTICE_QUIET_SECONDS", "0");
    for event in ["e1", "e2"] {
        let invoked = stage.invoke(&stage.function(), &[event]).await;
        assert_eq!((invoked.counter("notices"), invoked.requests.len()), (1, 0));
    }
}

#[tokio::test]
async fn a_notice_that_no_time_was_left_for_makes_no_function_quiet() {
    let hanging = Batch::Delay(Duration::from_mins(2));
    // After it, the pace leaves no time for another batch.
    let slow = Batch::Delay(Duration::from_millis(1_900));
    for (name, fault, sent) in [("hanging", hanging, 0), ("slow", slow, 10)] {
        let stage = stage(&format!("notice-quiet-late-{name}")).await.time(Duration::from_millis(4_500));
        stage.put("users", &calls((0..20).map(|index| format!("user-{index}"))));
        stage.server.state().batch_faults = Script { first: [GOOD, GOOD].into(), then: Some(fault) };
        let late = stage.invoke(&stage.function(), &["users"]).await;
        assert_eq!((late.counter("notices"), late.counter("notices_failed")), (sent, 20 - sent), "{name}");
        stage.server.state().batch_faults = Script::default();
        let next = stage.invoke(&stage.function(), &["users"]).await;
        assert_eq!(next.counter("notices"), 20 - sent, "{name}");
    }
}

#[tokio::test]
async fn a_function_whose_claim_gets_no_answer_sends_its_notice() {
    let lost = || Script::once([Table::DoneThen(Wire::Reset)]);
    let stage = stage("notice-quiet-lost").await;
    stage.server.state().write_faults = lost();
    let first = stage.invoke(&stage.function(), &["e1"]).await;
    assert_eq!((first.counter("notices"), mails(&stage).len()), (1, 1));
    stage.invoke(&stage.function(), &["e2"]).await;
    let_time_pass(&stage);
    stage.server.state().write_faults = Script { first: [Table::Delay(Duration::ZERO)].into(), ..lost() };
    stage.server.state().write_faults.first.push_back(Table::DoneThen(Wire::Reset));
    stage.invoke(&stage.function(), &["e3"]).await;
    let mails = mails(&stage);
    assert_eq!(mails.len(), 2);
    assert!(mails[1].contains("1 earlier notice of this rule and principal was held back"), "{}", mails[1]);
}

#[tokio::test]
async fn principals_that_are_quiet_take_no_place_from_others() {
    for table in [crate::stage::TABLE, ""] {
        let stage = stage(&format!("notice-quiet-place-{table}")).await.set("MEMORY_TABLE", table);
        let function = stage.function();
        let noisy = || (0..20).map(|index| format!("noisy-{index}"));
        stage.put("noisy", &calls(noisy()));
        stage.put("all", &calls(noisy().chain((0..5).map(|index| format!("new-{index}")))));
        assert_eq!(stage.invoke(&function, &["noisy"]).await.counter("notices"), 20);
        assert_eq!(stage.invoke(&function, &["all"]).await.counter("notices"), 5);
        let subjects = subjects(&stage);
        assert!(subjects[20..].iter().all(|subject| subject.contains(": new-")), "{subjects:#?}");
        let again = stage.invoke(&function, &["all"]).await;
        assert_eq!(again.counter("notices"), 0, "no digest of what is quiet");
    }
}

#[tokio::test]
async fn after_a_digest_its_topic_gets_no_other_for_the_quiet_time() {
    let stage = stage("notice-quiet-digest").await;
    for name in ["a", "b", "c"] {
        stage.put(name, &calls((0..25).map(|index| format!("{name}-{index}"))));
    }
    for (name, notices) in [("a", 21), ("b", 20)] {
        assert_eq!(stage.invoke(&stage.function(), &[name]).await.counter("notices"), notices, "{name}");
    }
    assert_eq!(subjects(&stage)[20], "[medium] 5 signals more, of 1 rule");
    let_time_pass(&stage);
    stage.invoke(&stage.function(), &["c"]).await;
    let mails = mails(&stage);
    assert!(mails[61].contains("\n1 earlier digest was held back since the last one.\n"), "{}", mails[61]);
}
