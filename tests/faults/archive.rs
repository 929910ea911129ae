//! The archive: a replay gives no second signal, and whatever the archive does, nothing goes unpublished.

use std::time::Duration;

use serde_json::{Value, json};

use crate::s3::Get;
use crate::server::{Script, Wire};
use crate::sns::Batch;
use crate::world::{RULE, Run, World, gzip, log_lines, matching};

/// A case whose archive has a name of its own.
fn archiving(name: &str) -> (World, String) {
    let bucket: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    (World::new(&format!("archive: {name}")).set("SIGNAL_ARCHIVE_BUCKET", &bucket), bucket)
}

/// The archived signals, by key.
fn archived(run: &Run, bucket: &str) -> Vec<(String, Vec<u8>)> {
    let state = run.server.state();
    let prefix = format!("{bucket}/");
    let objects = state.objects.iter();
    let mut found: Vec<_> = objects
        .filter_map(|(path, bytes)| Some((path.strip_prefix(&prefix)?.to_owned(), bytes.clone())))
        .collect();
    found.sort();
    found
}

fn requests(run: &Run, method: &str) -> usize {
    run.arrivals(method).len()
}

#[tokio::test]
async fn a_signal_is_stored_once_under_rule_date_and_id_as_one_line_of_json() {
    let (world, bucket) = archiving("stored");
    let run = world.delivery("a", &["a1"]).run().await;
    let objects = archived(&run, &bucket);
    let state = run.server.state();
    let message = &state.published[0].entry.message;
    let id = state.published[0].signal.pointer("/kibana/alert/uuid").and_then(Value::as_str).expect("an id");
    assert_eq!(objects.len(), 1);
    assert_eq!(objects[0].0, format!("signals/rule={RULE}/date=2026-11-23/{id}.json"));
    assert_eq!(objects[0].1, format!("{message}\n").into_bytes());
    assert_eq!(message.lines().count(), 1);
}

#[tokio::test]
async fn a_replay_publishes_nothing_again_and_counts_duplicates() {
    let (world, _) = archiving("replay");
    let first = world.delivery("a", &["a1", "a2"]).run().await;
    assert_eq!(first.published(), ["a1", "a2"]);

    let (mut again, _) = archiving("replay");
    again.name = "archive: replayed".to_owned();
    again.state.objects.clone_from(&first.server.state().objects);
    let second = again.delivery("a", &["a1", "a2"]).delivery("b", &["a2", "b1"]).run().await;
    assert_eq!(second.published(), ["b1"]);
    assert_eq!(second.failed(), [""; 0]);
    assert_eq!((second.counter("duplicates"), second.counter("published")), (3, 1));
}

#[tokio::test]
async fn with_an_archive_signals_still_go_out_in_batches_and_are_looked_up_ten_at_a_time() {
    let events: Vec<_> = (0..20).map(|number| format!("e{number:02}")).collect();
    let events: Vec<_> = events.iter().map(String::as_str).collect();
    let (world, bucket) = archiving("batches");
    let slow = || Script::forever(Get::Delay(Duration::from_millis(50)));
    let run = world.delivery("a", &events).get("HEAD", slow()).get("PUT", slow()).run().await;
    assert_eq!(run.published(), events);
    assert_eq!((requests(&run, "POST"), requests(&run, "HEAD"), requests(&run, "PUT")), (2, 20, 20));
    assert_eq!(archived(&run, &bucket).len(), 20);
    assert_eq!(run.server.state().peak, 10);
}

#[tokio::test]
async fn a_signal_that_sns_did_not_take_is_not_stored() {
    let (world, bucket) = archiving("not taken");
    let fails = Batch::Fails { event: "a1", sender_fault: true, code: "InvalidParameter" };
    let run = world.delivery("a", &["a1", "a2"]).sns(Script::forever(fails)).run().await;
    assert_eq!(run.published(), ["a2"]);
    assert_eq!(run.failed(), ["a"]);
    assert_eq!(archived(&run, &bucket).len(), 1);
}

#[tokio::test]
async fn an_event_without_a_proper_time_is_stored_under_an_unknown_date() {
    let (world, bucket) = archiving("dateless");
    let mut timeless = matching("e1");
    timeless.as_object_mut().expect("a record").remove("eventTime");
    let mut odd = matching("e2");
    odd["eventTime"] = "../../2026T".into();
    let records = json!({ "Records": [timeless, odd] });
    let run = world.object("a", gzip(records.to_string().as_bytes())).run().await;
    let objects = archived(&run, &bucket);
    assert_eq!(objects.len(), 2);
    assert!(objects.iter().all(|(key, _)| key.starts_with(&format!("signals/rule={RULE}/date=unknown/"))));
}

#[tokio::test]
async fn two_copies_may_store_the_same_signal() {
    let (world, bucket) = archiving("race");
    // The lookup finds nothing, but by the time of storing, another copy has stored it.
    let run = world
        .delivery("a", &["a1"])
        .get("HEAD", Script::forever(Get::Status(404, "NotFound")))
        .get("PUT", Script::forever(Get::Status(412, "PreconditionFailed")))
        .run()
        .await;
    assert_eq!(run.published(), ["a1"]);
    assert_eq!((log_lines(&bucket, "not archived"), run.counter("unarchived")), (0, 0));
}

#[tokio::test]
async fn without_the_setting_nothing_is_looked_up_or_stored() {
    let run = World::new("archive: none").delivery("a", &["a1"]).run().await;
    assert_eq!((requests(&run, "HEAD"), requests(&run, "PUT")), (0, 0));
}

#[tokio::test]
async fn a_conflict_with_another_copy_that_stores_the_same_signal_is_tried_again() {
    let (world, bucket) = archiving("conflict");
    let conflict = Get::Status(409, "ConditionalRequestConflict");
    let run = world.delivery("a", &["a1"]).get("PUT", Script::once(vec![conflict; 2])).run().await;
    assert_eq!(run.published(), ["a1"]);
    assert_eq!((run.counter("unarchived"), requests(&run, "PUT")), (0, 3));
    assert_eq!(archived(&run, &bucket).len(), 1);
    assert_eq!(log_lines(&bucket, "not archived"), 0);
}

#[tokio::test]
async fn one_failed_request_to_the_archive_affects_its_own_signal_only() {
    let names: Vec<_> = (0..30).map(|number| format!("e{number:02}")).collect();
    let events: Vec<_> = names.iter().map(String::as_str).collect();
    for method in ["HEAD", "PUT"] {
        let (world, bucket) = archiving(&format!("one failed {method}"));
        let once = Script::once([Get::Status(403, "AccessDenied")]);
        let run = world.delivery("a", &events).get(method, once).run().await;
        assert_eq!(run.published(), events, "{method}");
        assert_eq!((requests(&run, "HEAD"), requests(&run, "PUT")), (30, 30), "{method}");
        let lost = u64::from(method == "PUT");
        assert_eq!(run.counter("unarchived"), lost, "{method}");
        assert_eq!(archived(&run, &bucket).len() as u64, 30 - lost, "{method}");
    }
}

#[tokio::test]
async fn an_archive_that_hung_once_is_asked_again_in_the_same_invocation() {
    let (world, bucket) = archiving("hung once");
    // The second delivery comes when the archive has been left alone long enough.
    let late = Get::Delay(Duration::from_secs(7));
    let run = world
        .attempt(Duration::from_secs(15))
        .delivery("a", &["a1"])
        .delivery("b", &["b1"])
        .get("b", Script::once([late]))
        .get("PUT", Script::once([Get::Delay(Duration::from_secs(10))]))
        .run()
        .await;
    assert_eq!(run.published(), ["a1", "b1"]);
    assert_eq!(run.counter("unarchived"), 1);
    let state = run.server.state();
    let id = |event: &str| {
        let published = state.published.iter().find(|published| published.event == event);
        let id = published.expect("it is published").signal.pointer("/kibana/alert/uuid").cloned();
        id.and_then(|id| id.as_str().map(str::to_owned)).expect("an id")
    };
    assert_eq!(log_lines(&bucket, &id("a1")), 1, "the log names what is not archived");
    assert_eq!(log_lines(&bucket, &id("b1")), 0);
}

#[tokio::test]
async fn an_archive_that_hangs_for_some_signals_of_every_batch_costs_less_and_less() {
    let names: Vec<_> = (0..100).map(|number| format!("e{number:03}")).collect();
    let events: Vec<_> = names.iter().map(String::as_str).collect();
    let (world, _) = archiving("some hang");
    // One lookup in ten hangs.
    let batch = (0..10).map(|at| Get::Delay(Duration::from_secs(if at == 9 { 60 } else { 0 })));
    let lookups = Script::once(batch.cycle().take(100));
    let run = world.delivery("a", &events).attempt(Duration::from_secs(90)).get("HEAD", lookups).run().await;
    assert_eq!(run.published(), events);
    // 2 + 1 + 0.5 + 7 × 0.25 seconds, where each batch could cost two.
    assert!(run.counter("milliseconds") < 9_000, "{}", run.counter("milliseconds"));
    assert!(requests(&run, "HEAD") >= 100 && run.counter("unarchived") == 0);
}

/// Trouble with the archive: its name, the requests that it affects, and the fault.
fn trouble() -> Vec<(&'static str, &'static str, Get)> {
    vec![
        ("lookups are forbidden", "HEAD", Get::Status(403, "AccessDenied")),
        ("lookups fail", "HEAD", Get::Status(500, "InternalError")),
        ("lookups are throttled", "HEAD", Get::Status(503, "SlowDown")),
        ("lookups are reset", "HEAD", Get::Wire(Wire::Reset)),
        ("lookups hang", "HEAD", Get::Delay(Duration::from_mins(1))),
        ("there is no such bucket to store in", "PUT", Get::Status(404, "NoSuchBucket")),
        ("storing is forbidden", "PUT", Get::Status(403, "AccessDenied")),
        ("storing fails", "PUT", Get::Status(500, "InternalError")),
        ("storing is reset", "PUT", Get::Wire(Wire::Reset)),
        ("storing hangs", "PUT", Get::Delay(Duration::from_mins(1))),
        ("the answers of storing are no HTTP", "PUT", Get::Wire(Wire::NotHttp)),
    ]
}

async fn check((name, method, fault): (&'static str, &'static str, Get)) {
    let events: Vec<_> = (0..30).map(|number| format!("e{number:02}")).collect();
    let events: Vec<_> = events.iter().map(String::as_str).collect();
    let (world, bucket) = archiving(name);
    let run = world.delivery("a", &events).get(method, Script::forever(fault)).run().await;
    assert_eq!(run.published(), events, "{name}");
    assert_eq!(run.failed(), [""; 0], "{name}");
    let (words, unarchived) = match method {
        "HEAD" => ("without a check of the archive", 0),
        _ => ("not archived", 30),
    };
    assert_eq!(run.counter("unarchived"), unarchived, "{name}");
    let batches = requests(&run, "POST");
    assert_eq!(log_lines(&bucket, words), batches, "{name}: one line a batch");
    let advice = "check s3:GetObject, s3:PutObject and s3:ListBucket";
    assert_eq!(log_lines(&bucket, advice), if name.contains("forbidden") { batches } else { 0 }, "{name}");
    assert!(run.counter("milliseconds") < 10_000, "{name} costs a bounded time");
}

#[tokio::test]
async fn trouble_with_the_archive_is_counted_and_logged_a_line_a_batch_and_stops_no_publish() {
    crate::all(trouble(), |row| row.0, check).await;
}
