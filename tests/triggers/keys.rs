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
