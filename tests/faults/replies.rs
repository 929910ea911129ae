//! The reply to each trigger, and the requests to S3.

use serde_json::{Value, json};

use crate::s3::Get;
use crate::server::{End, Script, Wire};
use crate::world::{BUCKET, OWNER, World, batch_job, delivery, key, notification, sqs};

#[tokio::test]
async fn a_batch_job_gets_a_result_for_every_task() {
    let refused = |status, code| Script::forever(Get::Status(status, code));
    let truncated = delivery(&["t1"]);
    let names = ["good", "missing", "forbidden", "no-bucket", "bad-data", "slow-down", "broken"];
    let run = World::new("replies: batch job")
        .delivery("good", &["g1"])
        .announce("missing")
        .get("forbidden", refused(403, "AccessDenied"))
        .delivery("forbidden", &[])
        .get("no-bucket", refused(404, "NoSuchBucket"))
        .object("bad-data", truncated[..truncated.len() / 2].to_vec())
        .get("slow-down", refused(503, "SlowDown"))
        .delivery("slow-down", &[])
        .get("broken", Script::forever(Get::Wire(Wire::Break(0.5, End::Reset))))
        .delivery("broken", &["k1"])
        .payload(batch_job(&names))
        .run()
        .await;
    let reply = run.reply.as_ref().expect("results");
    assert_eq!(reply["invocationSchemaVersion"], "2.0");
    assert_eq!(reply["invocationId"], "i-1");
    assert_eq!(reply["treatMissingKeysAs"], "PermanentFailure");
    let results: Vec<_> = reply["results"].as_array().expect("results").iter().collect();
    let expected = [
        ("good", "Succeeded", "41 records, 1 matched"),
        ("missing", "PermanentFailure", "NoSuchKey"),
        ("forbidden", "PermanentFailure", "AccessDenied"),
        ("no-bucket", "PermanentFailure", "NoSuchBucket"),
        ("bad-data", "PermanentFailure", "ends too early"),
        ("slow-down", "TemporaryFailure", "SlowDown"),
        ("broken", "TemporaryFailure", "broke off"),
    ];
    assert_eq!(results.len(), expected.len());
    for (result, (task, code, text)) in results.iter().zip(expected) {
        assert_eq!((&result["taskId"], &result["resultCode"]), (&json!(task), &json!(code)));
        assert!(result["resultString"].as_str().is_some_and(|result| result.contains(text)), "{result}");
    }
    assert_eq!(run.published(), ["g1", "k1", "t1"]);
}

#[tokio::test]
async fn a_task_without_an_identifier_fails_its_job_with_a_line_that_says_so_after_all_is_done() {
    let mut payload = batch_job(&["good", "nameless"]);
    payload["tasks"][1].as_object_mut().expect("a task").remove("taskId");
    let world = World::new("replies: nameless").delivery("good", &["g1"]).delivery("nameless", &["n1"]);
    let run = world.payload(payload).run().await;
    assert_eq!(run.published(), ["g1", "n1"]);
    let (kind, message) = run.error();
    assert!(kind == "PermanentError" && message.contains("taskId"), "{message}");
    let lines: Vec<_> = run.lines("failed").collect();
    let [line] = lines[..] else { panic!("{lines:?}") };
    assert_eq!((&line["reason"], &line["retry"]), (&json!(message), &json!("permanent")));
}

#[tokio::test]
async fn a_batch_job_of_schema_1_is_answered_in_schema_1() {
    let payload = json!({
        "invocationSchemaVersion": "1.0", "invocationId": "i-2", "job": { "id": "j" },
        "tasks": [{ "taskId": "t", "s3Key": key("good"), "s3VersionId": "v7", "s3BucketArn": format!("arn:aws:s3:::{BUCKET}") }],
    });
    let run = World::new("replies: schema 1").delivery("good", &["g1"]).payload(payload).run().await;
    let reply = run.reply.as_ref().expect("results");
    assert_eq!(reply["invocationSchemaVersion"], "1.0");
    assert_eq!(reply["results"][0]["resultCode"], "Succeeded");
    let state = run.server.state();
    assert_eq!(state.requests[0].fields.get("versionId").map(String::as_str), Some("v7"));
}

#[tokio::test]
async fn a_direct_invocation_gets_the_counters_or_an_error_after_all_is_done() {
    let run = World::new("replies: direct").delivery("a", &["a1"]).payload(notification("a")).run().await;
    let reply = run.reply.as_ref().expect("a summary");
    for name in [
        "deliveries",
        "records",
        "matched",
        "unmatched",
        "signals",
        "published",
        "bytes_in",
        "bytes_inflated",
    ] {
        assert_eq!(reply[name], run.counter(name), "{name}");
    }
    assert_eq!((&reply["published"], &reply["records"]), (&json!(1), &json!(41)));

    let mut both = notification("missing");
    both["Records"].as_array_mut().expect("records").push(notification("a")["Records"][0].clone());
    let run = World::new("replies: direct, one missing").delivery("a", &["a1"]).payload(both).run().await;
    assert_eq!(run.published(), ["a1"]);
    let (kind, message) = run.error();
    assert_eq!(kind, "PermanentError");
    assert!(message.contains(&format!("s3://{BUCKET}/{}", key("missing"))), "{message}");
}

#[tokio::test]
async fn an_error_is_transient_if_another_try_can_help_with_any_part() {
    let mut three = notification("missing");
    for name in ["slow-down", "good"] {
        three["Records"].as_array_mut().expect("records").push(notification(name)["Records"][0].clone());
    }
    let run = World::new("replies: transient and permanent")
        .delivery("good", &["g1"])
        .delivery("slow-down", &[])
        .get("slow-down", Script::forever(Get::Status(503, "SlowDown")))
        .payload(three)
        .run()
        .await;
    assert_eq!(run.published(), ["g1"]);
    assert_eq!(run.error().0, "TransientError");
}

#[tokio::test]
async fn an_unknown_payload_is_a_permanent_error() {
    for (index, payload) in
        [Value::Null, json!(7), json!([]), json!("text"), json!({}), json!({ "Records": [] })]
            .into_iter()
            .enumerate()
    {
        let run = World::new(&format!("replies: unknown {index}")).payload(payload).run().await;
        let (kind, message) = run.error();
        assert_eq!(kind, "PermanentError");
        assert!(message.contains("unknown payload"), "{message}");
        assert_eq!(run.lines("failed").count(), 1);
    }
}

#[tokio::test]
async fn a_test_event_is_a_counted_no_op() {
    let test = json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET });
    let direct = World::new("replies: test event").payload(test.clone()).run().await;
    let queued = World::new("replies: queued test event").payload(sqs([("m", test.to_string())])).run().await;
    assert_eq!(queued.failed(), [""; 0]);
    assert_eq!(direct.reply.as_ref().expect("a summary")["skipped"], 1);
    for run in [direct, queued] {
        assert_eq!((run.counter("skipped"), run.counter("deliveries")), (1, 0));
        assert_eq!(run.server.state().connections.len(), 0);
    }
}

#[tokio::test]
async fn the_owner_of_the_bucket_is_checked_on_every_get_if_it_is_set() {
    let header = |run: &crate::world::Run| -> Vec<Option<String>> {
        let state = run.server.state();
        let gets = state.requests.iter().filter(|request| request.method == "GET");
        gets.map(|request| request.headers.get("x-amz-expected-bucket-owner").cloned()).collect()
    };
    let broken = || Script::once([Get::Wire(Wire::Break(0.5, End::Reset))]);
    let world = World::new("replies: owner").set("TRAIL_BUCKET_OWNER", OWNER);
    let run = world.delivery("a", &["a1"]).get("a", broken()).run().await;
    assert_eq!(run.published(), ["a1"]);
    assert_eq!(header(&run), [Some(OWNER.to_owned()), Some(OWNER.to_owned())]);

    let world = World::new("replies: another owner").set("TRAIL_BUCKET_OWNER", "444455556666");
    let run = world.delivery("a", &["a1"]).run().await;
    assert_eq!(run.published(), [""; 0]);
    assert_eq!(run.failed(), ["a"]);
    assert!(run.failures_of("a")[0].1.contains("TRAIL_BUCKET_OWNER"));

    let run = World::new("replies: no owner").delivery("a", &["a1"]).run().await;
    assert_eq!(header(&run), [None]);
}

#[tokio::test]
async fn the_version_that_a_trigger_names_is_read_also_when_a_body_is_resumed() {
    let mut payload = notification("a");
    payload["Records"][0]["s3"]["object"]["versionId"] = "v1/+".into();
    let run = World::new("replies: version")
        .delivery("a", &["a1", "a2"])
        .get("a", Script::once([Get::Wire(Wire::Break(0.5, End::Close))]))
        .payload(payload)
        .run()
        .await;
    assert_eq!(run.published(), ["a1", "a2"]);
    let state = run.server.state();
    let versions: Vec<_> = state
        .requests
        .iter()
        .filter(|request| request.method == "GET")
        .map(|request| request.fields.get("versionId").map(String::as_str))
        .collect();
    assert_eq!(versions, [Some("v1/+"), Some("v1/+")]);
}

#[tokio::test]
async fn an_exception_takes_a_match_out_and_counts_it() {
    let run = World::new("replies: exceptions")
        .set("EXCEPTION_QUERY", "event.id: a1")
        .delivery("a", &["a1", "a2"])
        .run()
        .await;
    assert_eq!(run.published(), ["a2"]);
    assert_eq!((run.counter("suppressed"), run.counter("signals")), (1, 2));
}
