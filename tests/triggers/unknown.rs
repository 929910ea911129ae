//! Payloads that are not an envelope, or only a part of one.

use cloudtrail_signals::trigger::{Error, Part, recognise};
use serde_json::{Value, json};

use crate::{BUCKET, MAIN, QUIET, parts, payload, recognised, sqs, wrapped_by_sns};

#[test]
fn a_payload_that_is_none_of_the_envelopes_is_an_error() {
    let deep = (0..100).fold(json!({}), |inner, _| json!([inner]));
    let rows = [
        json!(null),
        json!(true),
        json!(7),
        json!(1e300),
        json!("text"),
        json!("CloudTrail validation message."),
        json!([]),
        json!([payload("s3-put.json")]),
        json!({}),
        json!({ "Records": [] }),
        json!({ "Records": null }),
        json!({ "Records": {} }),
        json!({ "Records": "aws:s3" }),
        json!({ "Event": "s3:OtherEvent" }),
        json!({ "source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification", "detail": {} }),
        json!({ "source": "aws.s3", "detail": {} }),
        json!({ "s3ObjectKey": ["a"] }),
        json!({ "s3Bucket": BUCKET }),
        json!({ "s3Bucket": BUCKET, "s3ObjectKey": [] }),
        json!({ "s3Bucket": BUCKET, "s3ObjectKey": "" }),
        json!({ "s3Bucket": BUCKET, "s3ObjectKey": { "a": 1 } }),
        json!({ "check": "silence" }),
        json!({ "check": "silence", "time": "<aws.scheduler.scheduled-time>" }),
        json!({ "check": "noise", "time": "2026-11-23T10:00:00Z" }),
        json!({ "awslogs": {} }),
        json!({ "awslogs": { "data": "no base64!" } }),
        json!({ "Type": "Notification" }),
        json!({ "Type": "Notification", "Message": "not JSON" }),
        json!({ "Type": "SubscriptionConfirmation", "Message": "{}" }),
        json!({ "invocationSchemaVersion": "1.0" }),
        json!({ "invocationSchemaVersion": "1.0", "invocationId": "i", "tasks": [] }),
        json!({ "invocationSchemaVersion": "1.0", "tasks": [{}] }),
        json!({ "invocationSchemaVersion": 1, "invocationId": "i", "tasks": [{}] }),
        json!({ "detail-type": "AWS API Call via CloudTrail" }),
        json!({ "detail-type": "AWS API Call via CloudTrail", "source": "aws.lambda", "detail": [7] }),
        json!({ "detail-type": "Object Created", "source": "aws.s3" }),
        json!({ "detail-type": "Object Created", "source": "aws.s3", "detail": { "bucket": { "name": BUCKET } } }),
        deep,
    ];
    for payload in rows {
        let error = recognised(&payload).expect_err(&payload.to_string());
        assert!(error.to_string().len() < 600, "{error}");
    }
}

#[test]
fn a_schedule_asks_for_a_check_at_its_own_time() {
    let check = json!({ "check": "silence", "time": "2026-11-23T10:00:00Z" });
    let invocation = recognised(&check).expect("a check");
    assert_eq!(parts(&invocation), [["check at 1795428000000"]]);
    assert_eq!(
        parts(&recognised(&sqs(&[check.to_string()])).expect("a queue")),
        [["check at 1795428000000"]]
    );
}

#[test]
fn a_record_that_is_none_of_the_envelopes_is_an_error_for_itself() {
    let bad = [
        json!(null),
        json!(7),
        json!("text"),
        json!([]),
        json!({}),
        json!({ "eventSource": "aws:dynamodb" }),
        json!({ "eventSource": "aws:kinesis" }),
        json!({ "eventSource": "lambda.amazonaws.com", "eventName": "CreateFunction20150331" }),
        json!({ "eventSource": "aws:s3" }),
        json!({ "eventSource": "aws:s3", "eventName": "ObjectCreated:Put" }),
        json!({ "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": { "bucket": {}, "object": {} } }),
        s3_record(BUCKET, "%ff"),
        s3_record(BUCKET, ""),
        s3_record("", "a"),
        s3_record("arn:aws:s3:us-east-1:111122223333:accesspoint/a", "a"),
        s3_record("a/../b", "a"),
        s3_record("a b\n", "a"),
        json!({ "EventSource": "aws:sns" }),
        json!({ "EventSource": "aws:sns", "Sns": {} }),
        json!({ "eventSource": "aws:sqs" }),
        json!({ "eventSource": "aws:sqs", "body": 7 }),
        json!({ "eventSource": "aws:sqs", "body": "" }),
        json!({ "eventSource": "aws:sqs", "body": "null" }),
        json!({ "eventSource": "aws:sqs", "body": "{\"Records\":[]}" }),
        json!({ "eventSource": "aws:sqs", "body": "[".repeat(100_000) }),
    ];
    let good = payload("s3-put.json")["Records"][0].clone();
    for record in bad {
        let records = [good.clone(), record.clone(), good.clone()];
        let invocation = recognised(&json!({ "Records": records })).expect("two good ones");
        let parts = parts(&invocation);
        assert_eq!((&parts[0], &parts[2]), (&vec![MAIN.to_owned()], &vec![MAIN.to_owned()]));
        assert!(
            matches!(parts[1].as_slice(), [only] if only.starts_with("error: ")),
            "{record}: {:?}",
            parts[1]
        );
    }
}

fn s3_record(bucket: &str, key: &str) -> Value {
    json!({
        "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
        "s3": { "bucket": { "name": bucket }, "object": { "key": key } },
    })
}

#[test]
fn a_bad_part_of_a_message_costs_the_other_parts_nothing() {
    let good = payload("s3-put.json")["Records"][0].clone();
    let inner = json!({ "Records": [good, { "eventSource": "aws:ec2" }, good, null] });
    let invocation = recognised(&sqs(&[inner.to_string()])).expect("a batch");
    let kinds: Vec<_> =
        invocation.messages[0].parts.iter().map(|part| !matches!(part, Part::Error(_))).collect();
    assert_eq!(kinds, [true, false, true, false]);

    let notice = json!({ "s3Bucket": BUCKET, "s3ObjectKey": [MAIN, 7, QUIET] });
    let invocation = recognised(&notice).expect("a notice");
    let kinds: Vec<_> =
        invocation.messages[0].parts.iter().map(|part| !matches!(part, Part::Error(_))).collect();
    assert_eq!(kinds, [true, false, true]);
}

#[test]
fn a_message_without_an_identifier_is_read_all_the_same() {
    for id in [json!(null), json!(""), json!(7)] {
        let mut batch = sqs(&[payload("s3-put.json").to_string(), "{}".to_owned()]);
        batch["Records"][0]["messageId"] = id;
        let invocation = recognised(&batch).expect("a batch");
        assert_eq!(invocation.messages[0].id, None);
        assert_eq!(parts(&invocation)[0], [MAIN]);
        assert_eq!(invocation.messages[1].id.as_deref(), Some("m1"));
    }
}

#[test]
fn envelopes_inside_each_other_are_opened_up_to_a_bound() {
    let mut inner = payload("s3-put.json");
    let mut depths = Vec::new();
    for _ in 0..12 {
        let opened = recognised(&sqs(&[inner.to_string()])).expect("a batch");
        depths.push(parts(&opened)[0] == [MAIN]);
        inner = wrapped_by_sns(&inner);
    }
    assert!(depths[..4].iter().all(|found| *found), "everything that AWS nests: {depths:?}");
    assert!(depths[6..].iter().all(|found| !found), "{depths:?}");
    let error = parts(&recognised(&sqs(&[inner.to_string()])).expect("a batch"))[0][0].clone();
    assert!(error.contains("inside one another"), "{error}");
}

#[test]
fn a_notice_of_another_service_is_judged_by_its_key_like_any_other_object() {
    let config = "AWSLogs/111122223333/Config/eu-west-1/2026/2/3/ConfigHistory/1.json.gz";
    for key in [json!(config), json!([config])] {
        let notice = json!({ "s3Bucket": BUCKET, "s3ObjectKey": key, "messageType": "ConfigurationHistoryDeliveryCompleted" });
        for wrapped in
            [notice.clone(), sqs(&[notice.to_string()]), sqs(&[wrapped_by_sns(&notice).to_string()])]
        {
            assert_eq!(parts(&recognised(&wrapped).expect("a notice")), [["skipped: another service's log"]]);
        }
    }
}

#[test]
fn a_notice_of_aws_config_without_an_object_is_a_no_op() {
    let notice =
        |kind: &str| json!({ "messageType": kind, "recordVersion": "1.1", "notificationCreationTime": "t" });
    for kind in [
        "ConfigurationItemChangeNotification",
        "OversizedConfigurationItemChangeNotification",
        "ComplianceChangeNotification",
        "ConfigurationSnapshotDeliveryStarted",
    ] {
        let wrapped = sqs(&[wrapped_by_sns(&notice(kind)).to_string()]);
        let expected = [["nothing"]];
        assert_eq!(parts(&recognised(&wrapped).expect("a notice")), expected, "{kind}");
    }
}

#[test]
fn the_detail_of_an_event_alone_is_read_like_the_whole_event() {
    let call = payload("eventbridge-api-call.json");
    let created = payload("eventbridge-s3.json");
    for (whole, detail) in [(&call, &call["detail"]), (&created, &created["detail"])] {
        let expected = parts(&recognised(whole).expect("an event"));
        for wrapped in
            [detail.clone(), sqs(&[detail.to_string()]), sqs(&[wrapped_by_sns(detail).to_string()])]
        {
            assert_eq!(parts(&recognised(&wrapped).expect("a detail")), expected);
        }
    }
}

#[test]
fn a_call_to_s3_about_the_bucket_of_the_trail_is_a_record_and_no_notice() {
    let call = json!({
        "detail-type": "AWS API Call via CloudTrail", "source": "aws.s3",
        "detail": {
            "eventVersion": "1.11", "eventSource": "s3.amazonaws.com", "eventName": "PutObject",
            "requestParameters": { "bucketName": BUCKET, "key": MAIN },
        },
    });
    assert_eq!(parts(&recognised(&call).expect("a call")), [["eventbridge: PutObject"]]);
}

#[test]
fn a_subscription_that_waits_for_its_confirmation_is_named_with_what_to_do() {
    let confirmation = json!({
        "Type": "SubscriptionConfirmation", "TopicArn": "arn:aws:sns:us-east-1:111122223333:trail",
        "Message": "You have chosen to subscribe", "SubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription",
    });
    let opened = parts(&recognised(&sqs(&[confirmation.to_string()])).expect("a batch"));
    let [error] = &opened[0][..] else { panic!("{opened:?}") };
    assert!(
        error.contains("arn:aws:sns:us-east-1:111122223333:trail") && error.contains("SubscribeURL"),
        "{error}"
    );
}

#[test]
fn half_a_character_at_any_level_costs_no_message() {
    let event = |text: &str| {
        format!(
            r#"{{"detail-type":"AWS API Call via CloudTrail","source":"aws.lambda","detail":{{"eventVersion":"1.11","eventName":"CreateFunction","userAgent":"{text}"}}}}"#
        )
    };
    let in_a_body = |text: &str| {
        format!(r#"{{"Records":[{{"eventSource":"aws:sqs","messageId":"m","body":"{text}"}}]}}"#)
    };
    let payloads = [
        event(r"\ud83d"),
        in_a_body(&event(r"\ud83d").replace('\\', r"\\").replace('"', r#"\""#)),
        in_a_body(&event(r"\ud83d").replace('"', r#"\""#)),
    ];
    for payload in payloads {
        let invocation = recognise(&payload).unwrap_or_else(|error| panic!("{payload}: {error}"));
        assert_eq!(parts(&invocation), [["eventbridge: CreateFunction"]], "{payload}");
    }
}

#[test]
fn a_payload_of_too_many_messages_is_an_error_and_none_is_dropped_in_silence() {
    let records = |count| json!({ "Records": vec![s3_record(BUCKET, MAIN); count] });
    assert_eq!(recognised(&records(10_000)).expect("as many as SQS hands over").messages.len(), 10_000);
    assert_eq!(recognised(&records(10_001)), Err(Error::TooMany));
    let task = json!({ "taskId": "t", "s3Key": MAIN, "s3Bucket": BUCKET });
    let job = json!({ "invocationSchemaVersion": "2.0", "invocationId": "i", "tasks": vec![task; 10_001] });
    assert_eq!(recognised(&job), Err(Error::TooMany));
}

#[test]
fn a_message_of_too_many_parts_is_one_error_and_too_many_errors_are_counted() {
    let many = json!({ "s3Bucket": BUCKET, "s3ObjectKey": vec!["a"; 10_000] });
    let errors = json!({ "Records": vec![json!({}); 5000] });
    let invocation =
        recognised(&sqs(&[many.to_string(), errors.to_string(), "{}".to_owned()])).expect("a batch");
    let parts = parts(&invocation);
    assert!(parts[0].len() == 1 && parts[0][0].contains("10000 parts"), "{:?}", parts[0]);
    assert!(parts[1].len() == 17 && parts[1][16].contains("4984 more"), "{:?}", parts[1].last());
    assert_eq!(parts[2].len(), 1);
}
