//! Keys: how they are encoded, and what they say.

use cloudtrail_signals::trigger::{Part, Source};
use detection::key::Key;
use detection::origin::Object;
use serde_json::{Value, json};

use crate::{BUCKET, parts, payload, recognised};

#[test]
fn keys_of_s3_are_form_encoded_and_keys_of_eventbridge_and_of_notices_are_plain() {
    let key = "a+b%2Bc";
    let s3 = json!({ "Records": [{
        "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
        "s3": { "bucket": { "name": BUCKET }, "object": { "key": key } },
    }] });
    let job = json!({
        "invocationSchemaVersion": "2.0", "invocationId": "i",
        "tasks": [{ "taskId": "t", "s3Key": key, "s3Bucket": BUCKET }],
    });
    let eventbridge = json!({
        "detail-type": "Object Created", "source": "aws.s3",
        "detail": { "bucket": { "name": BUCKET }, "object": { "key": key } },
    });
    let notice = json!({ "s3Bucket": BUCKET, "s3ObjectKey": [key] });
    for (payload, expected) in [(s3, "a b+c"), (job, "a b+c"), (eventbridge, key), (notice, key)] {
        assert_eq!(parts(&recognised(&payload).expect("an object")), [[expected]]);
    }
    assert!(Key::form_encoded("%ff").is_err());
}

#[test]
fn a_version_is_read_where_the_trigger_names_one() {
    let version = |payload: &Value| {
        let invocation = recognised(payload).expect("an object");
        match &invocation.messages[0].parts[0] {
            Part::Source(Source::Object(Object { version, .. })) => version.clone(),
            other => panic!("{other:?}"),
        }
    };
    let mut s3 = payload("s3-put.json");
    s3["Records"][0]["s3"]["object"]["versionId"] = "v1".into();
    let mut eventbridge = payload("eventbridge-s3.json");
    eventbridge["detail"]["object"]["version-id"] = "v1".into();
    let mut job = payload("s3-batch-1.0.json");
    job["tasks"][0]["s3VersionId"] = "v1".into();
    for payload in [&s3, &eventbridge, &job] {
        assert_eq!(version(payload).as_deref(), Some("v1"));
    }
    job["tasks"][0]["s3VersionId"] = "".into();
    assert_eq!(version(&job), None);
}

#[test]
fn a_key_is_skipped_by_its_service_segment_and_by_nothing_else() {
    const DIGEST: Option<&str> = Some("a digest of CloudTrail deliveries");
    const OTHER: Option<&str> = Some("another service's log");
    let rows = [
        ("AWSLogs/111122223333/CloudTrail/us-east-1/x.json.gz", None),
        ("AWSLogs/o-abc/111122223333/CloudTrail/us-east-1/x.json.gz", None),
        ("pre/fix/AWSLogs/o-abc/111122223333/CloudTrail/us-east-1/x.json.gz", None),
        ("AWSLogs/111122223333/CloudTrail-Digest/us-east-1/x.json.gz", DIGEST),
        ("AWSLogs/o-abc/111122223333/CloudTrail-Digest/us-east-1/x.json.gz", DIGEST),
        ("pre/fix/AWSLogs/o-abc/111122223333/CloudTrail-Digest/us-east-1/x.json.gz", DIGEST),
        ("AWSLogs/111122223333/CloudTrail-Insight/us-east-1/x.json.gz", Some("CloudTrail Insights events")),
        (
            "AWSLogs/111122223333/CloudTrail-NetworkActivity/us-east-1/x.json.gz",
            Some("CloudTrail network activity events"),
        ),
        (
            "AWSLogs/111122223333/CloudTrail-Aggregated/us-east-1/x.json.gz",
            Some("aggregated CloudTrail events"),
        ),
        ("AWSLogs/111122223333/CloudTrail-Something/us-east-1/x.json.gz", OTHER),
        ("AWSLogs/111122223333/Config/us-east-1/x.json.gz", OTHER),
        ("AWSLogs/111122223333/elasticloadbalancing/us-east-1/x.log.gz", OTHER),
        ("AWSLogs/111122223333/vpcflowlogs/us-east-1/x.log.gz", OTHER),
        ("AWSLogs/111122223333/cloudtrail/us-east-1/x.json.gz", OTHER),
        ("AWSLogs/111122223333/CloudTrail/us-east-1/", Some("a folder")),
        ("AWSLogs/", Some("a folder")),
        // Look-alikes: only the segment behind the account says what an object is.
        ("CloudTrail-Digest/AWSLogs/111122223333/CloudTrail/us-east-1/x.json.gz", None),
        ("AWSLogs/111122223333/CloudTrail/us-east-1/CloudTrail-Digest/x.json.gz", None),
        ("AWSLogs/111122223333/CloudTrail/us-east-1/x_CloudTrail-Digest_y.json.gz", None),
        ("my-CloudTrail-Digest-copies/x.json.gz", None),
        ("Config/us-east-1/x.json.gz", None),
        ("AWSLogs/o-abc/CloudTrail-Digest/x.json.gz", None),
        ("AWSLogs/12345/CloudTrail-Digest/x.json.gz", None),
        ("AWSLogs/1111222233334/CloudTrail-Digest/us-east-1/x.json.gz", None),
        ("AWSLogs/11112222333x/CloudTrail-Digest/us-east-1/x.json.gz", None),
        ("myAWSLogs/111122223333/CloudTrail-Digest/us-east-1/x.json.gz", None),
        ("AWSLogs/111122223333/x.json.gz", None),
        ("AWSLogs/x.json.gz", None),
        ("x.json.gz", None),
        ("", None),
    ];
    for (key, expected) in rows {
        assert_eq!(Key::plain(key).skip_reason(), expected, "{key}");
    }
}
