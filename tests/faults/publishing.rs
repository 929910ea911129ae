//! Faults of SNS. Each row has two deliveries of two signals each, which go out in one batch.

use std::time::Duration;

use serde_json::json;

use crate::server::{Script, Wire};
use crate::sns::{Batch, entries};
use crate::world::{ATTEMPT, BUCKET, TOPIC, World, delivery, gzip, key, matching};

struct Row {
    name: &'static str,
    script: Script<Batch>,
    /// What the topic takes, in order, as often as it takes it.
    taken: &'static [&'static str],
    /// The messages that fail, with `transient` or `permanent` and why.
    failed: &'static [(&'static str, &'static str, &'static str)],
    /// How often the signal of event `b1` is sent.
    sent: std::ops::RangeInclusive<usize>,
}

const ALL: &[&str] = &["a1", "a2", "b1", "b2"];
const BUT_B1: &[&str] = &["a1", "a2", "b2"];
const TWICE: &[&str] = &["a1", "a1", "a2", "a2", "b1", "b1", "b2", "b2"];

/// A fault that is over after some tries: everything is taken once.
fn passes(name: &'static str, faults: impl IntoIterator<Item = Batch>) -> Row {
    let script = Script::once(faults);
    let sent = script.first.len() + 1;
    Row { name, script, taken: ALL, failed: &[], sent: sent..=sent }
}

fn refused(
    name: &'static str,
    fault: Batch,
    retry_and_reason: &'static [(&str, &str, &str)],
    sent: usize,
) -> Row {
    Row { name, script: Script::forever(fault), taken: &[], failed: retry_and_reason, sent: sent..=sent }
}

fn passing() -> Vec<Row> {
    use Batch::{AllFail, Delay, Fails, RefusedWith, Silent, Status, TakenLate, TakenThen};
    let fails = |sender_fault, code| Fails { event: "b1", sender_fault, code };
    vec![
        passes("no fault", []),
        Row { sent: 1..=1, ..passes("an answer that takes its time", [Delay(ATTEMPT / 5)]) },
        passes("throttled three times", vec![Status(400, "Throttling"); 3]),
        passes("throttled as the newer services say it", vec![Status(400, "ThrottledException"); 2]),
        passes("429", vec![Status(429, "TooManyRequests"); 2]),
        passes("500 four times", vec![Status(500, "InternalError"); 4]),
        passes("503 twice", vec![Status(503, "ServiceUnavailable"); 2]),
        passes("the topic's key is throttled", vec![Status(400, "KMSThrottling"); 2]),
        passes("credentials that had expired", vec![Status(403, "ExpiredToken")]),
        passes("two connections reset", vec![Batch::Wire(Wire::Reset); 2]),
        passes("something that is not HTTP", [Batch::Wire(Wire::NotHttp)]),
        passes(
            "successes that say nothing: an empty one, a page of a proxy, half an answer",
            ["", "<html>", "<PublishBatchResponse><PublishBatchResult><Succ"]
                .map(|body| Batch::Wire(Wire::Instead(body))),
        ),
        passes(
            "one entry fails four times by the receiver's fault",
            vec![fails(false, "InternalFailure"); 4],
        ),
        passes(
            "every entry fails four times",
            vec![AllFail { sender_fault: false, code: "InternalFailure" }; 4],
        ),
        passes("an entry is throttled, as if by the sender's fault", vec![fails(true, "Throttling"); 2]),
        passes("an entry is not mentioned twice", vec![Silent("b1"); 2]),
        Row {
            name: "a request refused once for an entry in it, which is good by itself",
            script: Script::once([RefusedWith("b1", "InvalidParameter")]),
            taken: ALL,
            failed: &[],
            sent: 2..=2,
        },
        Row {
            name: "a request refused for an entry in it, and throttled when taken apart",
            script: Script::once([RefusedWith("b1", "InvalidParameter"), Status(400, "Throttling")]),
            taken: ALL,
            failed: &[],
            sent: 2..=2,
        },
        Row {
            name: "taken, and the connection reset before the answer: a second time cannot be avoided",
            script: Script::once([TakenThen(Wire::Reset)]),
            taken: TWICE,
            failed: &[],
            sent: 2..=2,
        },
        Row {
            name: "taken, and a proxy answers with a page: a second time cannot be avoided",
            script: Script::once([TakenThen(Wire::Instead("<html>"))]),
            taken: TWICE,
            failed: &[],
            sent: 2..=2,
        },
        Row {
            name: "taken, and the answer comes too late: a second time cannot be avoided",
            script: Script::once([TakenLate(ATTEMPT * 2)]),
            taken: TWICE,
            failed: &[],
            sent: 2..=2,
        },
    ]
}

fn lasting() -> Vec<Row> {
    use Batch::{AllFail, Fails, RefusedWith, Silent, Status};
    const AT_LEAST_FIVE: std::ops::RangeInclusive<usize> = 5..=10;
    let lasting = |name, fault, failed| Row {
        name,
        script: Script::forever(fault),
        taken: &[],
        failed,
        sent: AT_LEAST_FIVE,
    };
    vec![
        lasting(
            "throttled for ever",
            Status(400, "Throttling"),
            &[("a", "transient", "Throttling"), ("b", "transient", "Throttling")],
        ),
        lasting(
            "500 for ever",
            Status(500, "InternalError"),
            &[("a", "transient", "HTTP 500"), ("b", "transient", "HTTP 500")],
        ),
        lasting(
            "every connection reset",
            Batch::Wire(Wire::Reset),
            &[("a", "transient", "could not be sent"), ("b", "transient", "could not be sent")],
        ),
        lasting(
            "every success is a page of a proxy",
            Batch::Wire(Wire::Instead("<html>")),
            &[("a", "transient", "HTTP 200"), ("b", "transient", "HTTP 200")],
        ),
        lasting(
            "every entry fails for ever",
            AllFail { sender_fault: false, code: "InternalFailure" },
            &[("a", "transient", "InternalFailure"), ("b", "transient", "InternalFailure")],
        ),
        Row {
            name: "one entry fails for ever by the receiver's fault",
            script: Script::forever(Fails { event: "b1", sender_fault: false, code: "InternalFailure" }),
            taken: BUT_B1,
            failed: &[("b", "transient", "InternalFailure")],
            sent: AT_LEAST_FIVE,
        },
        Row {
            name: "one entry is never mentioned",
            script: Script::forever(Silent("b1")),
            taken: BUT_B1,
            failed: &[("b", "transient", "did not confirm")],
            sent: AT_LEAST_FIVE,
        },
        Row {
            name: "one entry is refused by the sender's fault",
            script: Script::forever(Fails { event: "b1", sender_fault: true, code: "InvalidParameter" }),
            taken: BUT_B1,
            failed: &[("b", "permanent", "InvalidParameter")],
            sent: 1..=1,
        },
        Row {
            name: "every request with one entry in it is refused",
            script: Script::forever(RefusedWith("b1", "InvalidParameter")),
            taken: BUT_B1,
            failed: &[("b", "permanent", "InvalidParameter")],
            // With the others, and alone.
            sent: 2..=2,
        },
        refused(
            "no such topic",
            Status(404, "NotFound"),
            &[("a", "permanent", "NotFound"), ("b", "permanent", "NotFound")],
            1,
        ),
        refused(
            "no permission",
            Status(403, "AuthorizationError"),
            &[("a", "permanent", "AuthorizationError"), ("b", "permanent", "AuthorizationError")],
            1,
        ),
        refused(
            "no permission for the topic's key",
            Status(400, "KMSAccessDenied"),
            &[("a", "permanent", "KMSAccessDenied"), ("b", "permanent", "KMSAccessDenied")],
            1,
        ),
        refused(
            "everything is an invalid parameter",
            Status(400, "InvalidParameter"),
            &[("a", "permanent", "InvalidParameter"), ("b", "permanent", "InvalidParameter")],
            2,
        ),
    ]
}

async fn check(row: Row) {
    let name = row.name;
    let run = World::new(&format!("publishing: {name}"))
        .delivery("a", &["a1", "a2"])
        .delivery("b", &["b1", "b2"])
        .sns(row.script)
        .run()
        .await;
    assert_eq!(run.published(), row.taken, "{name}");
    let failed: Vec<_> = row.failed.iter().map(|(id, ..)| *id).collect();
    assert_eq!(run.failed(), failed, "{name}");
    for (id, retry, reason) in row.failed {
        let failures = run.failures_of(id);
        assert!(failures.iter().all(|failure| failure.0 == *retry), "{name}: {failures:?}");
        assert!(failures.iter().all(|failure| failure.1.contains(reason)), "{name}: {failures:?}");
        let place = format!("s3://{BUCKET}/{}: signal ", key(id));
        assert!(failures.iter().all(|failure| failure.1.starts_with(&place)), "{name}: {failures:?}");
    }
    let sent = sent(&run, "b1");
    assert!(row.sent.contains(&sent), "{name}: b1 was sent {sent} times");
    let distinct = run
        .server
        .state()
        .published
        .iter()
        .map(|published| &published.event)
        .collect::<std::collections::HashSet<_>>()
        .len();
    assert_eq!(run.counter("published"), distinct as u64, "{name}");
}

/// How often an entry for an event was sent.
fn sent(run: &crate::world::Run, event: &str) -> usize {
    let id = format!("\"id\":\"{event}\"");
    let state = run.server.state();
    let entries = state.requests.iter().flat_map(entries);
    entries.filter(|entry| entry.message.contains(&id)).count()
}

#[tokio::test]
async fn a_fault_of_sns_that_passes_costs_no_signal_and_doubles_none_that_it_did_not_take() {
    crate::all(passing(), |row| row.name, check).await;
}

#[tokio::test]
async fn a_fault_of_sns_that_stays_fails_exactly_the_messages_it_hits() {
    crate::all(lasting(), |row| row.name, check).await;
}

#[tokio::test]
async fn a_refusal_with_a_remedy_names_it() {
    for (status, code, advice) in [
        (404, "NotFound", "set SIGNAL_TOPIC_ARN to a topic that exists"),
        (403, "AuthorizationError", "check sns:Publish of the function's role"),
        (400, "KMSAccessDenied", "use kms:GenerateDataKey and kms:Decrypt"),
    ] {
        let run = World::new(&format!("publishing: advice for {code}"))
            .delivery("a", &["a1"])
            .sns(Script::forever(Batch::Status(status, code)))
            .run()
            .await;
        let [(_, reason)] = &run.failures_of("a")[..] else { panic!("{:?}", run.failures_of("a")) };
        assert!(reason.contains(code) && reason.contains(advice), "{reason}");
    }
}

#[tokio::test]
async fn a_cause_that_stops_all_signals_of_a_delivery_is_logged_once() {
    let events: Vec<_> = (0..25).map(|index| format!("a{index}")).collect();
    let events: Vec<_> = events.iter().map(String::as_str).collect();
    let run = World::new("publishing: one line")
        .delivery("a", &events)
        .delivery("b", &["b1"])
        .sns(Script::forever(Batch::Status(403, "AuthorizationError")))
        .run()
        .await;
    assert_eq!(run.counter("failed"), 26);
    let [(_, of_a)] = &run.failures_of("a")[..] else { panic!("{:?}", run.failures_of("a")) };
    assert!(of_a.contains(" and 24 more: ") && of_a.contains("AuthorizationError"), "{of_a}");
    let [(_, of_b)] = &run.failures_of("b")[..] else { panic!("{:?}", run.failures_of("b")) };
    assert!(!of_b.contains("more"), "{of_b}");
}

#[tokio::test]
async fn tries_are_spaced_further_and_further_apart() {
    let run = World::new("publishing: backoff")
        .delivery("a", &["a1"])
        .sns(Script::once(vec![Batch::Status(503, "ServiceUnavailable"); 5]))
        .run()
        .await;
    let arrivals = run.arrivals("POST");
    let pauses: Vec<_> = arrivals.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    assert_eq!(pauses.len(), 5);
    // Each pause is between half and all of 50, 100, 200, … milliseconds, plus the time of the request itself.
    for (pause, whole) in pauses.iter().zip([50, 100, 200, 400, 800]) {
        assert!(*pause >= Duration::from_millis(whole / 2), "{pauses:?}");
    }
}

#[tokio::test]
async fn batches_keep_the_limits_of_sns_in_number_and_bytes() {
    let events: Vec<_> = (0..37).map(|number| format!("e{number:02}")).collect();
    let names: Vec<_> = events.iter().map(String::as_str).collect();
    let run = World::new("publishing: many").delivery("a", &names).run().await;
    // The server refuses what SNS refuses: more than ten entries, more than 262,144 bytes.
    assert_eq!(run.published(), names);
    assert_eq!(run.arrivals("POST").len(), 4, "ten in a batch while there are ten");
}

#[tokio::test]
async fn the_biggest_record_of_a_trail_still_becomes_a_signal_that_sns_takes_and_lists_what_it_left_out() {
    let mut records = Vec::new();
    for (event, kilobytes) in [("small", 1), ("large", 100), ("larger", 240), ("over", 900)] {
        let mut record = matching(event);
        // Quotes double in size inside another text.
        record["requestParameters"]["environment"] = json!({ "text": "\"".repeat(kilobytes * 512) });
        records.push(record);
    }
    let bytes = gzip(json!({ "Records": records }).to_string().as_bytes());
    let run = World::new("publishing: big records").object("a", bytes).attempt(ATTEMPT * 10).run().await;
    assert_eq!(run.published(), ["large", "larger", "over", "small"]);
    assert_eq!(run.failed(), [""; 0]);
    let state = run.server.state();
    for published in &state.published {
        let omitted = published.signal.pointer("/signal/omitted");
        assert_eq!(omitted.is_some(), published.event != "small", "{}: {omitted:?}", published.event);
        let place = published.signal.pointer("/aws/s3").expect("the object is named");
        assert_eq!(place["object"]["key"], key("a"));
        let function = "/aws/cloudtrail/flattened/request_parameters/functionName";
        assert_eq!(published.signal.pointer(function).expect("the function is named"), "pay");
    }
}

#[tokio::test]
async fn a_fifo_topic_gets_the_account_as_group_and_the_signal_as_deduplication_id() {
    let mut nameless = matching("e2");
    nameless.as_object_mut().expect("a record").remove("recipientAccountId");
    let mut odd = matching("e3");
    odd["recipientAccountId"] = "not an account\n".into();
    let records = json!({ "Records": [matching("e1"), nameless, odd] });
    let run = World::new("publishing: fifo")
        .set("SIGNAL_TOPIC_ARN", &format!("{TOPIC}.fifo"))
        .object("a", gzip(records.to_string().as_bytes()))
        .run()
        .await;
    let state = run.server.state();
    let groups: Vec<_> = state.published.iter().map(|published| published.entry.group.clone()).collect();
    assert_eq!(groups, ["111122223333", "unknown", "unknown"].map(|group| Some(group.to_owned())));
    for published in &state.published {
        let id = published.signal.pointer("/kibana/alert/uuid").and_then(|id| id.as_str());
        assert_eq!(published.entry.deduplication.as_deref(), id);
        assert!(id.is_some_and(|id| id.len() == 64));
    }
}

#[tokio::test]
async fn a_standard_topic_gets_neither_group_nor_deduplication_id() {
    let run = World::new("publishing: standard").delivery("a", &["a1"]).run().await;
    let state = run.server.state();
    assert_eq!(state.published[0].entry.group, None);
    assert_eq!(state.published[0].entry.deduplication, None);
    assert_eq!(state.published[0].topic, TOPIC);
}

#[tokio::test]
async fn the_same_event_twice_is_published_once_and_counted_as_duplicate() {
    let doubled = json!({ "Records": [matching("e1"), matching("e1"), matching("e2")] });
    let run = World::new("publishing: duplicates")
        .object("a", gzip(doubled.to_string().as_bytes()))
        .delivery("b", &["e2", "e3"])
        .run()
        .await;
    assert_eq!(run.published(), ["e1", "e2", "e3"]);
    assert_eq!(run.failed(), [""; 0]);
    assert_eq!((run.counter("signals"), run.counter("duplicates"), run.counter("published")), (5, 2, 3));
}

#[tokio::test]
async fn if_a_signal_fails_every_message_that_held_it_fails() {
    let run = World::new("publishing: a duplicate that fails")
        .delivery("a", &["shared", "a1"])
        .delivery("b", &["shared", "b1"])
        .delivery("c", &["c1"])
        .sns(Script::forever(Batch::Fails { event: "shared", sender_fault: true, code: "InvalidParameter" }))
        .run()
        .await;
    assert_eq!(run.published(), ["a1", "b1", "c1"]);
    assert_eq!(run.failed(), ["a", "b"]);
    assert_eq!((run.counter("duplicates"), run.counter("failed")), (1, 1));
}

#[tokio::test]
async fn the_same_delivery_gives_the_same_ids_on_every_replay_and_by_every_path() {
    let mut ids = Vec::new();
    let record = matching("e1");
    let by_eventbridge =
        json!({ "detail-type": "AWS API Call via CloudTrail", "source": "aws.lambda", "detail": record });
    for payload in [None, None, Some(by_eventbridge)] {
        let mut world =
            World::new(&format!("publishing: replay {}", ids.len())).object("a", delivery(&["e1"]));
        world.payload = payload;
        let run = world.run().await;
        let state = run.server.state();
        assert_eq!(state.published.len(), 1);
        ids.push(state.published[0].signal.pointer("/kibana/alert/uuid").cloned());
    }
    assert!(ids[0].is_some() && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}
