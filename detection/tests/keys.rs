//! Object keys, which the function, the command and a scan of the past judge alike.

mod repository;

use std::fs;

use detection::key::Key;
use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    key: String,
    verdict: String,
}

#[test]
fn what_follows_the_last_awslogs_decides_what_an_object_is() {
    let rows = fs::read(repository::path("events/keys.json")).expect("the table is there");
    let rows: Vec<Row> = serde_json::from_slice(&rows).expect("the table is JSON");
    assert!(rows.len() > 50);
    for Row { key, verdict } in rows {
        let expected = (verdict != "delivery" && verdict != "unknown: tried").then_some(&*verdict);
        assert_eq!(Key::plain(key.as_str()).skip_reason(), expected, "{key}");
    }
}

#[test]
fn a_key_that_is_not_of_the_form_that_aws_services_write_is_tried() {
    for key in [
        "AWSLogs/111122223333/CloudTrail/us-east-1/CloudTrail-Digest/x.json.gz",
        "AWSLogs/111122223333/CloudTrail/us-east-1/x_CloudTrail-Digest_y.json.gz",
        "my-CloudTrail-Digest-copies/x.json.gz",
        "Config/us-east-1/x.json.gz",
        "AWSLogs/o-abc/CloudTrail-Digest/x.json.gz",
        "AWSLogs/12345/CloudTrail-Digest/x.json.gz",
        "AWSLogs/1111222233334/CloudTrail-Digest/us-east-1/x.json.gz",
        "AWSLogs/11112222333x/CloudTrail-Digest/us-east-1/x.json.gz",
        "myAWSLogs/111122223333/CloudTrail-Digest/us-east-1/x.json.gz",
        "AWSLogs/111122223333/x.json.gz",
        "AWSLogs/x.json.gz",
        "x.json.gz",
        "",
    ] {
        assert_eq!(Key::plain(key).skip_reason(), None, "{key}");
    }
}
