//! A bad message, object or record does not affect its neighbours.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cloudtrail_signals::telemetry;
use serde_json::{Value, json};

use crate::s3::Get;
use crate::server::Script;
use crate::world::{BUCKET, World, delivery, gzip, key, matching, notification, sqs};

#[tokio::test]
async fn of_ten_messages_with_a_missing_object_and_a_truncated_one_eight_are_published_and_exactly_two_fail()
{
    let mut world = World::new("isolation: ten messages");
    for number in 0..8 {
        world = world.delivery(&format!("good{number}"), &[&format!("g{number}")]);
    }
    let whole = delivery(&["t1", "t2"]);
    let run =
        world.announce("missing").object("truncated", whole[..whole.len() * 4 / 5].to_vec()).run().await;
    assert_eq!(run.published(), ["g0", "g1", "g2", "g3", "g4", "g5", "g6", "g7", "t1"]);
    assert_eq!(run.failed(), ["missing", "truncated"]);
    let reason = &run.failures_of("truncated")[0];
    assert!(reason.0 == "permanent" && reason.1.contains("ends too early"), "{reason:?}");
}

#[tokio::test]
async fn a_rejected_record_costs_its_message_and_no_other_record() {
    let records = json!({ "Records": [matching("e1"), 7, "text", null, [], matching("e2")] });
    let run = World::new("isolation: bad records")
        .object("bad", gzip(records.to_string().as_bytes()))
        .delivery("good", &["g1"])
        .run()
        .await;
    assert_eq!(run.published(), ["e1", "e2", "g1"]);
    assert_eq!(run.failed(), ["bad"]);
    assert_eq!(run.counter("rejected"), 4);
    let failures = run.failures_of("bad");
    let positions: Vec<_> = failures.iter().filter_map(|failure| failure.1.split("record ").nth(1)).collect();
    assert_eq!(positions.iter().map(|text| &text[..2]).collect::<Vec<_>>(), ["1:", "2:", "3:", "4:"]);
    assert!(failures.iter().all(|failure| failure.0 == "permanent"));
}

#[tokio::test]
async fn very_many_rejected_records_are_counted_and_only_the_first_are_logged_one_by_one() {
    let records = json!({ "Records": vec![json!(7); 5000] });
    let run =
        World::new("isolation: all rejected").object("bad", gzip(records.to_string().as_bytes())).run().await;
    assert_eq!(run.counter("rejected"), 5000);
    let failures = run.failures_of("bad");
    assert_eq!(failures.len(), 17);
    assert!(failures[16].1.contains("4984 more"), "{:?}", failures[16]);
}

#[tokio::test]
async fn ten_deliveries_are_fetched_at_the_same_time() {
    let mut world = World::new("isolation: concurrency");
    for number in 0..10 {
        let name = format!("d{number}");
        world = world
            .delivery(&name, &[&format!("e{number}")])
            .get(&name, Script::once([Get::Delay(Duration::from_millis(300))]));
    }
    let run = world.run().await;
    assert_eq!(run.published().len(), 10);
    let peak = run.server.state().peak;
    assert!(peak >= 10, "only {peak} requests at the same time");
}

#[tokio::test]
async fn at_most_sixteen_deliveries_are_fetched_at_the_same_time() {
    let names: Vec<_> = (0..40).map(|number| format!("d{number}")).collect();
    let mut world = World::new("isolation: bounded concurrency");
    for name in &names {
        world = world
            .object(name, gzip(br#"{"Records":[]}"#))
            .get(name, Script::once([Get::Delay(Duration::from_millis(50))]));
    }
    let run = world.run().await;
    assert_eq!(run.counter("deliveries"), 40);
    let peak = run.server.state().peak;
    assert!(peak <= 16, "{peak} requests at the same time");
}

#[tokio::test]
async fn a_message_of_many_slow_objects_takes_no_time_from_its_neighbours() {
    let names: Vec<_> = (0..60).map(|number| format!("slow{number}")).collect();
    let mut world = World::new("isolation: many objects").delivery("good", &["g1"]);
    for name in &names {
        world = world
            .object(name, gzip(br#"{"Records":[]}"#))
            .get(name, Script::forever(Get::Delay(Duration::from_secs(1))));
    }
    let keys: Vec<_> = names.iter().map(|name| key(name)).collect();
    let slow = json!({ "s3Bucket": BUCKET, "s3ObjectKey": keys }).to_string();
    let payload = sqs([("slow", slow), ("good", notification("good").to_string())]);
    // Reading ends after 2.25 seconds.
    world.time = Duration::from_secs(4);
    let run = world.payload(payload).run().await;
    assert_eq!(run.published(), ["g1"]);
    assert_eq!(run.failed(), ["slow"]);
}

#[tokio::test]
async fn a_bad_part_of_a_message_fails_it_and_costs_the_other_parts_nothing() {
    let mut body = notification("good");
    let more =
        [json!({ "eventSource": "aws:ec2" }), json!(null), notification("missing")["Records"][0].clone()];
    body["Records"].as_array_mut().expect("records").extend(more);
    let run = World::new("isolation: bad parts")
        .delivery("good", &["g1"])
        .payload(sqs([("m", body.to_string()), ("n", notification("good").to_string())]))
        .run()
        .await;
    assert_eq!(run.published(), ["g1"]);
    assert_eq!(run.failed(), ["m"]);
    assert_eq!(run.failures_of("m").len(), 3);
}

#[tokio::test]
async fn unknown_messages_fail_alone() {
    let odd =
        ["", "null", "7", "[]", "\"text\"", "{}", "{\"Records\":[]}", "not JSON", "{\"source\":\"aws.ec2\"}"];
    let odd = odd.iter().enumerate().map(|(index, body)| (format!("odd{index}"), (*body).to_owned()));
    let all: Vec<_> = odd.chain([("good".to_owned(), notification("good").to_string())]).collect();
    let payload = sqs(all.iter().map(|(id, body)| (id.as_str(), body.clone())));
    let run = World::new("isolation: odd messages").delivery("good", &["g1"]).payload(payload).run().await;
    assert_eq!(run.published(), ["g1"]);
    assert_eq!(run.failed(), (0..9).map(|index| format!("odd{index}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_failed_message_without_an_identifier_fails_the_invocation_after_the_others_are_done() {
    let mut payload = sqs([("good", notification("good").to_string()), ("bad", "{}".to_owned())]);
    for id in [json!(""), Value::Null] {
        payload["Records"][1]["messageId"] = id.clone();
        let run = World::new(&format!("isolation: identifier {id}"))
            .delivery("good", &["g1"])
            .payload(payload.clone())
            .run()
            .await;
        assert_eq!(run.published(), ["g1"]);
        assert_eq!(run.error().0, "PermanentError");
    }
}

/// A writer of log lines that panics at the first of one kind, which is how a test causes a panic in the function.
#[derive(Clone, Default)]
struct Explosive(Arc<AtomicBool>);

impl Write for Explosive {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let is_due = String::from_utf8_lossy(line).contains("suppressed by");
        assert!(!is_due || self.0.swap(true, Ordering::Relaxed), "as the test orders");
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_panic_over_one_delivery_costs_its_message_and_no_other() {
    let explosive = Explosive::default();
    let writer = explosive.clone();
    let _log =
        tracing::subscriber::set_default(telemetry::subscriber("INFO", "JSON", move || writer.clone()));
    let ((_, reply), server) = World::new("isolation: panic")
        .set("EXCEPTION_QUERY", "event.id: boom")
        .delivery("good", &["g1", "g2"])
        .object(
            "bad",
            gzip(json!({ "Records": [matching("found"), matching("boom")] }).to_string().as_bytes()),
        )
        .delivery("better", &["h1"])
        .invoke()
        .await;
    assert!(explosive.0.load(Ordering::Relaxed), "there was no panic");
    assert_eq!(reply.expect("a reply"), json!({ "batchItemFailures": [{ "itemIdentifier": "bad" }] }));
    let mut events: Vec<_> =
        server.state().published.iter().map(|published| published.event.clone()).collect();
    events.sort();
    assert_eq!(events, ["found", "g1", "g2", "h1"]);
}
