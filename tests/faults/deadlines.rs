//! The reply comes in time, and unfinished work never counts as done. Every run checks that the reply is in time.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::s3::Get;
use crate::server::{End, Script, Wire};
use crate::sns::Batch;
use crate::world::{World, batch_job, gzip, notification};

const LONG: Duration = Duration::from_mins(1);
/// Enough to do something: a second is kept for the reply, and a quarter of the rest for publishing.
const SHORT: Duration = Duration::from_secs(3);

fn stalled() -> Script<Get> {
    Script::forever(Get::Wire(Wire::Break(0.5, End::Stall)))
}

#[tokio::test]
async fn a_stalled_delivery_comes_back_as_failed_in_time_and_what_was_found_is_published() {
    let run = World::new("deadlines: stalled")
        .delivery("good", &["g1", "g2"])
        .delivery("stalled", &["s1", "s2"])
        .get("stalled", stalled())
        .stall(LONG)
        .time(SHORT)
        .run()
        .await;
    assert_eq!(run.published(), ["g1", "g2", "s1"]);
    assert_eq!(run.failed(), ["stalled"]);
    let failure = &run.failures_of("stalled")[0];
    assert!(failure.0 == "transient" && failure.1.contains("no time left"), "{failure:?}");
}

#[tokio::test]
async fn signals_do_not_wait_for_a_slow_delivery() {
    let slow = Get::Wire(Wire::Drip(10, Duration::from_millis(200)));
    let run = World::new("deadlines: linger")
        .delivery("good", &["g1", "g2"])
        .delivery("slow", &["s1", "s2"])
        .get("slow", Script::once([slow]))
        .run()
        .await;
    assert_eq!(run.published(), ["g1", "g2", "s1", "s2"]);
    let arrivals = run.arrivals("POST");
    assert!(arrivals.len() > 1 && arrivals[0] < Duration::from_millis(1500), "{arrivals:?}");
}

#[tokio::test]
async fn an_endless_drip_comes_back_as_failed_in_time() {
    let run = World::new("deadlines: drip")
        .delivery("good", &["g1"])
        .delivery("drip", &["d1", "d2"])
        .get("drip", Script::forever(Get::Wire(Wire::Drip(1000, Duration::from_millis(20)))))
        .time(SHORT)
        .run()
        .await;
    assert_eq!(run.published()[..], ["d1", "g1"]);
    assert_eq!(run.failed(), ["drip"]);
}

#[tokio::test]
async fn a_direct_invocation_that_runs_out_of_time_fails_with_a_transient_error() {
    let run = World::new("deadlines: stalled, direct")
        .delivery("stalled", &["s1", "s2"])
        .get("stalled", stalled())
        .payload(notification("stalled"))
        .stall(LONG)
        .time(SHORT)
        .run()
        .await;
    assert_eq!(run.published(), ["s1"]);
    assert_eq!(run.error().0, "TransientError");
}

#[tokio::test]
async fn a_task_of_a_batch_job_that_runs_out_of_time_is_a_temporary_failure() {
    let run = World::new("deadlines: stalled, batch job")
        .delivery("good", &["g1"])
        .delivery("stalled", &["s1", "s2"])
        .get("stalled", stalled())
        .payload(batch_job(&["good", "stalled"]))
        .stall(LONG)
        .time(SHORT)
        .run()
        .await;
    let results = &run.reply.as_ref().expect("results")["results"];
    assert_eq!(results[0]["resultCode"], "Succeeded");
    assert_eq!(results[1]["resultCode"], "TemporaryFailure");
}

#[tokio::test]
async fn after_the_deadline_nothing_more_is_started() {
    let names: Vec<_> = (0..60).map(|number| format!("d{number}")).collect();
    let mut world = World::new("deadlines: nothing more").time(SHORT);
    for name in &names {
        world = world
            .object(name, gzip(br#"{"Records":[]}"#))
            .get(name, Script::forever(Get::Delay(Duration::from_millis(900))));
    }
    let run = world.run().await;
    // Sixteen at a time, for 1.5 seconds: one round is done, the second is cut off, the others never begin.
    let arrivals = run.arrivals("GET");
    assert!(arrivals.len() <= 32, "{} requests", arrivals.len());
    assert!(arrivals.iter().all(|at| *at < Duration::from_millis(1500)), "{arrivals:?}");
    assert_eq!(run.counter("deliveries"), arrivals.len() as u64, "only what was begun is counted as such");
    assert_eq!(run.failed().len(), 60 - 16);
    let last = &run.failures_of("d59")[0];
    assert!(last.0 == "transient" && last.1.contains("no time left"), "{last:?}");
}

#[tokio::test]
async fn with_no_time_at_all_nothing_is_started_and_everything_fails() {
    let record =
        json!({ "detail-type": "AWS API Call via CloudTrail", "source": "aws.lambda", "detail": {} });
    let payload = crate::world::sqs([("a", notification("a").to_string()), ("b", record.to_string())]);
    let run = World::new("deadlines: none")
        .delivery("a", &["a1"])
        .payload(payload)
        .time(Duration::from_millis(900))
        .run()
        .await;
    assert_eq!(run.server.state().connections.len(), 0);
    assert_eq!(run.failed(), ["a", "b"]);
    assert_eq!(run.counter("deliveries"), 0);
    assert_eq!(run.counter("records"), 0);
}

#[tokio::test]
async fn a_topic_that_never_answers_fails_the_messages_in_time() {
    let run = World::new("deadlines: topic")
        .delivery("a", &["a1"])
        .sns(Script::forever(Batch::Delay(LONG)))
        .time(SHORT)
        .run()
        .await;
    assert_eq!(run.failed(), ["a"]);
    assert_eq!(run.failures_of("a")[0].0, "transient");
    assert_eq!(run.counter("failed"), 1);
}

#[tokio::test]
async fn a_throttled_topic_gets_no_faster_retries_near_the_deadline_and_is_not_awaited_beyond_it() {
    let throttled = async |number: u32| {
        let run = World::new(&format!("deadlines: throttled {number}"))
            .delivery("a", &["a1"])
            .sns(Script::forever(Batch::Status(400, "Throttling")))
            .time(Duration::from_millis(2500))
            .run()
            .await;
        assert_eq!(run.failed(), ["a"]);
        let arrivals = run.arrivals("POST");
        let pauses: Vec<_> = arrivals.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        assert!(pauses.iter().all(|pause| *pause >= Duration::from_millis(25)), "{pauses:?}");
        assert!(!pauses.is_empty());
    };
    // The pauses are partly random: out of this many, one would overshoot.
    join_all((0..6).map(throttled)).await;
}

#[tokio::test]
async fn a_batch_that_is_sent_entry_by_entry_stops_at_the_deadline() {
    let mut script = Script::forever(Batch::Delay(Duration::from_millis(600)));
    script.first.push_back(Batch::RefusedWith("a1", "InvalidParameter"));
    let events = ["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8"];
    let run = World::new("deadlines: taken apart").delivery("a", &events).sns(script).time(SHORT).run().await;
    // Publishing ends after two seconds: the fourth is under way then, and the others have not begun.
    let sent: Vec<_> =
        run.server.state().connections.iter().map(|at| at.duration_since(run.started)).collect();
    assert!(sent.iter().all(|at| *at < Duration::from_millis(1990)), "{sent:?}");
    assert_eq!(run.failed(), ["a"]);
    assert!(run.failures_of("a").iter().any(|failure| failure.1.contains("no time left to publish")));
    assert!(run.counter("published") >= 1 && run.counter("failed") >= 4);
}

#[tokio::test]
async fn signals_that_cannot_be_sent_before_the_deadline_count_as_failed() {
    let events: Vec<_> = (0..300).map(|number| format!("e{number:03}")).collect();
    let events: Vec<_> = events.iter().map(String::as_str).collect();
    let run = World::new("deadlines: many signals")
        .delivery("a", &events)
        .sns(Script::forever(Batch::Delay(Duration::from_millis(300))))
        .time(SHORT)
        .run()
        .await;
    assert_eq!(run.failed(), ["a"]);
    // A signal that was handed over is published or failed; every run checks that the counters add up.
    assert!(run.counter("published") > 0 && run.counter("failed") > 0);
    assert_eq!(run.counter("signals"), run.counter("published") + run.counter("failed"));
}

#[tokio::test]
async fn signals_found_before_reading_ends_are_published_in_the_reserved_time() {
    let events: Vec<_> = (0..36).map(|number| format!("e{number:02}")).collect();
    let events: Vec<_> = events.iter().map(String::as_str).collect();
    // Reading ends after 3.75 seconds, publishing after five. Until then the first batch keeps the publisher busy.
    let run = World::new("deadlines: hand-over")
        .delivery("a", &events)
        .sns(Script::once([Batch::Delay(Duration::from_millis(3900))]))
        .attempt(LONG)
        .time(2 * SHORT)
        .run()
        .await;
    assert_eq!(run.published(), events);
    assert_eq!(run.counter("failed"), 0);
    assert_eq!(run.failed(), ["a"], "it was not read to its end in time");
    assert_eq!(run.failures_of("a")[0].0, "transient");
}
