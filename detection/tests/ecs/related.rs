//! What the record is related to, and which users it changes.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{ABSENT, Row, check, document};

const UPDATE_USER: &str = r#"{"requestParameters":{"userName":"Bob","newUserName":"Rob"},
    "userIdentity":{"type":"IAMUser","userName":"Alice","principalId":"AIDA"}}"#;
const CREATE_GROUP: &str = r#"{"requestParameters":{"groupName":"g"},
    "responseElements":{"group":{"groupId":"G1"},"user":{"userId":"U1"}}}"#;
const INSTANCES: &str = r#"{"resources":[{"ARN":"arn:aws:ec2:eu-west-1:1:instance/i-00000000"},{"arn":"arn:aws:ec2:::volume/i-99999999"}],
    "requestParameters":{"instanceIds":["i-01234567","*","i-short"],"target":"i-11111111","resourceId":"i-22222222","computerName":"pc"},
    "responseElements":{"instanceId":"i-33333333","instancesSet":{"items":[{"instanceId":"i-44444444"},{"instanceId":"i-01234567"},7]}}}"#;
const HOSTS: &str =
    r#"{"tlsDetails":{"clientProvidedHostHeader":"api.example.com"},"sourceIPAddress":"build.example.com"}"#;

pub const ROWS: &[Row] = &[
    (UPDATE_USER, "user.target.name", r#""Bob""#),
    (UPDATE_USER, "user.changes.name", r#""Rob""#),
    (UPDATE_USER, "related.user", r#"["Bob","Rob","AIDA","Alice"]"#),
    (CREATE_GROUP, "group", r#"{"id":"G1","name":"g"}"#),
    (CREATE_GROUP, "user", r#"{"target":{"id":"U1"}}"#),
    (CREATE_GROUP, "related.user", r#"["U1"]"#),
    (r#"{"requestParameters":{"userName":7}}"#, "related.user", r#"["7"]"#),
    (r#"{"requestParameters":{"userName":7}}"#, "user.target.name", r#""7""#),
    (r#"{"requestParameters":"userName"}"#, "related", ABSENT),
    (
        INSTANCES,
        "related.hosts",
        r#"["pc","i-00000000","i-01234567","i-11111111","i-22222222","i-33333333","i-44444444"]"#,
    ),
    // Ten characters, whatever bytes they take.
    (
        r#"{"requestParameters":{"instanceIds":["i-éééé","i-éééééééé"]}}"#,
        "related.hosts",
        r#"["i-éééééééé"]"#,
    ),
    (HOSTS, "related.hosts", r#"["api.example.com","build.example.com"]"#),
    (r#"{"sourceIPAddress":"192.0.02.1"}"#, "related.hosts", r#"["192.0.02.1"]"#),
    (r#"{"sourceIPAddress":"192.0.2.1"}"#, "related.hosts", ABSENT),
    (r#"{"sourceIPAddress":"AWS Internal"}"#, "related", ABSENT),
    (r#"{"sourceIPAddress":"x.amazonaws.com"}"#, "related", ABSENT),
    (r#"{"tlsDetails":{"clientProvidedHostHeader":"x.amazonaws.com"}}"#, "related", ABSENT),
    (r#"{"sourceIPAddress":"192.0.2.1"}"#, "related.ip", r#"["192.0.2.1"]"#),
    (
        r#"{"sourceIPAddress":"192.0.2.1","serviceEventDetails":{"sourceIpAddress":"192.0.2.2"}}"#,
        "related.ip",
        r#"["192.0.2.1","192.0.2.2"]"#,
    ),
    (r#"{"sourceIPAddress":"x","serviceEventDetails":{"sourceIpAddress":"y"}}"#, "related.ip", ABSENT),
];

#[test]
fn a_record_of_very_many_hosts_or_resources_is_mapped_in_little_time() {
    // Comparing each with all others would take minutes.
    const COUNT: usize = 200_000;
    let list = |item: fn(usize) -> String| (0..COUNT).map(item).collect::<Vec<_>>().join(",");
    let hosts = list(|number| format!("\"i-{number:08}\""));
    let resources = list(|number| format!(r#"{{"ARN":"{number}"}}"#));
    let record = format!(r#"{{"requestParameters":{{"instanceIds":[{hosts}]}},"resources":[{resources}]}}"#);
    let started = Instant::now();
    let document = document(&record);
    for field in ["related.hosts", "aws.cloudtrail.resources"] {
        let values = document.value(field).and_then(Value::as_array).expect(field);
        assert_eq!(values.len(), COUNT, "{field}");
    }
    let elapsed = started.elapsed();
    assert!(elapsed < Duration::from_secs(30), "{elapsed:?}");
}

#[test]
fn what_a_record_is_related_to_is_gathered_from_all_of_it() {
    check(ROWS);
}
