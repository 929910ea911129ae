//! Ten rules for other techniques: each loads, matches and misses as it is written.

use detection::detect::{Rule, Ruleset};
use serde_json::{Value, json};

use crate::{matching, techniques, texts};

/// A rule's file, records that it matches, and records that it just misses.
struct Case {
    file: &'static str,
    hits: Vec<Value>,
    misses: Vec<Value>,
}

/// A record of `provider` (without `.amazonaws.com`) and `action`, with the members of `more` added or replaced.
fn record(provider: &str, action: &str, more: Value) -> Value {
    let mut record = json!({ "eventSource": format!("{provider}.amazonaws.com"), "eventName": action });
    let Value::Object(more) = more else { panic!("an object") };
    record.as_object_mut().unwrap().extend(more);
    record
}

fn identity_cases() -> Vec<Case> {
    let key = |more| record("iam", "CreateAccessKey", more);
    let login = |kind: &str, mfa: &str, answer: &str| {
        record(
            "signin",
            "ConsoleLogin",
            json!({
                "userIdentity": { "type": kind }, "additionalEventData": { "MFAUsed": mfa }, "responseElements": { "ConsoleLogin": answer },
            }),
        )
    };
    let assume = |action, address: &str| record("sts", action, json!({ "sourceIPAddress": address }));
    vec![
        Case {
            file: "access_key_for_another_user",
            hits: vec![
                key(json!({ "requestParameters": { "userName": "alice" } })),
                key(json!({ "requestParameters": { "x": 1, "nested": { "userName": "alice" } } })),
            ],
            misses: vec![
                key(json!({})),
                key(json!({ "requestParameters": null })),
                key(json!({ "requestParameters": { "userName": "-" } })),
                key(json!({ "requestParameters": { "user": "userName" } })),
                key(json!({ "requestParameters": { "userName": "a" }, "errorCode": "AccessDenied" })),
                key(
                    json!({ "requestParameters": { "userName": "a" }, "userIdentity": { "invokedBy": "x" } }),
                ),
            ],
        },
        Case {
            file: "root_sign_in_without_mfa",
            hits: vec![login("Root", "No", "Success")],
            misses: vec![
                login("Root", "Yes", "Success"),
                login("Root", "No", "Failure"),
                login("Root", "", "Success"),
                login("IAMUser", "No", "Success"),
            ],
        },
        Case {
            file: "role_assumed_from_outside",
            hits: vec![
                assume("AssumeRole", "203.0.113.7"),
                assume("AssumeRoleWithWebIdentity", "2001:db9::1"),
                assume("AssumeRole", "11.0.0.0"),
            ],
            misses: vec![
                assume("AssumeRole", "10.255.0.1"),
                assume("AssumeRole", "192.0.2.200"),
                assume("AssumeRole", "2001:db8:1::1"),
                assume("AssumeRole", "ecs.amazonaws.com"),
                assume("AssumeRoleWithSAML", "203.0.113.7"),
                record("sts", "AssumeRole", json!({})),
            ],
        },
    ]
}

fn defence_cases() -> Vec<Case> {
    let trail = |action, more| record("cloudtrail", action, more);
    let guard = |action, more| record("guardduty", action, json!({ "requestParameters": more }));
    let group = |key: &str, range: &str| {
        record(
            "ec2",
            "AuthorizeSecurityGroupIngress",
            json!({ "requestParameters": {
                "groupId": "sg-1", "ipPermissions": { "items": [{ "fromPort": 22, "ranges": { "items": [{ key: range }] } }] },
            }}),
        )
    };
    vec![
        Case {
            file: "trail_stopped",
            hits: vec![
                trail("StopLogging", json!({})),
                trail("DeleteTrail", json!({})),
                trail("PutEventSelectors", json!({})),
            ],
            misses: vec![
                trail("StartLogging", json!({})),
                trail("StopLogging", json!({ "errorCode": "AccessDenied" })),
                record("logs", "StopLogging", json!({})),
            ],
        },
        Case {
            file: "guardduty_disabled",
            hits: vec![
                guard("DeleteDetector", json!({ "detectorId": "d" })),
                guard("DeleteMembers", json!({})),
                guard("UpdateDetector", json!({ "enable": false })),
                guard("UpdateDetector", json!({ "detectorId": "d" })),
            ],
            misses: vec![
                guard("UpdateDetector", json!({ "enable": true })),
                guard("UpdateDetector", json!({ "enable": "true" })),
                guard("DeleteFilter", json!({})),
                guard("CreateDetector", json!({})),
            ],
        },
        Case {
            file: "security_group_opened",
            hits: vec![group("cidrIp", "0.0.0.0/0"), group("cidrIpv6", "::/0")],
            misses: vec![
                group("cidrIp", "10.0.0.0/8"),
                group("cidrIpv6", "0.0.0.0/0"),
                group("prefixListId", "::/0"),
            ],
        },
    ]
}

fn data_cases() -> Vec<Case> {
    let policy = |effect: &str, principal: Value| {
        record(
            "s3",
            "PutBucketPolicy",
            json!({ "requestParameters": { "bucketName": "b", "bucketPolicy": {
                "Statement": [{ "Effect": "Deny", "Principal": { "AWS": "x" } }, { "Effect": effect, "Principal": principal }],
            }}}),
        )
    };
    let key = |action, time: &str, arn: &str| {
        record(
            "kms",
            action,
            json!({ "eventTime": time, "resources": [{ "ARN": "arn:aws:s3:::b" }, { "ARN": arn }] }),
        )
    };
    let snapshot = |action, more| record("rds", action, json!({ "requestParameters": more }));
    let arn = "arn:aws-cn:kms:cn-north-1:111122223333:key/k";
    vec![
        Case {
            file: "bucket_policy_public",
            hits: vec![
                policy("Allow", json!("*")),
                policy("Allow", json!({ "AWS": "*" })),
                policy("Allow", json!({ "AWS": ["a", "*"] })),
            ],
            misses: vec![
                policy("Deny", json!("*")),
                policy("Allow", json!("arn:aws:iam::1:root")),
                policy("Allow", json!({ "Service": "*" })),
            ],
        },
        Case {
            file: "kms_key_deletion",
            hits: vec![
                key("ScheduleKeyDeletion", "2026-11-23T10:05:00Z", arn),
                key("DisableKey", "2020-01-01T00:00:00Z", arn),
            ],
            misses: vec![
                key("CancelKeyDeletion", "2026-11-23T10:05:00Z", arn),
                key("DisableKey", "2019-12-31T23:59:59Z", arn),
                key("DisableKey", "2026-11-23T10:05:00Z", "arn:aws:iam::1:role/kms"),
            ],
        },
        Case {
            file: "rds_snapshot_shared",
            hits: vec![
                snapshot(
                    "ModifyDBSnapshotAttribute",
                    json!({ "attributeName": "restore", "valuesToAdd": ["444455556666"] }),
                ),
                snapshot(
                    "ModifyDBClusterSnapshotAttribute",
                    json!({ "attributeName": "restore", "valuesToAdd": ["all"] }),
                ),
            ],
            misses: vec![
                snapshot(
                    "ModifyDBSnapshotAttribute",
                    json!({ "attributeName": "restore", "valuesToAdd": [""] }),
                ),
                snapshot(
                    "ModifyDBSnapshotAttribute",
                    json!({ "attributeName": "restore", "valuesToRemove": ["all"] }),
                ),
                snapshot(
                    "ModifyDBSnapshotAttribute",
                    json!({ "attributeName": "other", "valuesToAdd": ["all"] }),
                ),
                snapshot("ModifyDBSnapshot", json!({ "attributeName": "restore", "valuesToAdd": ["all"] })),
            ],
        },
        command_case(),
    ]
}

fn command_case() -> Case {
    let command = |agent: &str, document: &str| {
        record(
            "ssm",
            "SendCommand",
            json!({ "userAgent": agent, "requestParameters": { "documentName": document } }),
        )
    };
    Case {
        file: "ssm_command_from_a_tool",
        hits: vec![
            command("S3 Browser/9.5.5", "AWS-RunShellScript"),
            command("Mozilla [S3 Browser 9]", "AWS-RunPowerShellScript"),
            command("aws-cli/2.0", "AWS-RunShellScript"),
            command("Custom (x)", "AWS-RunShellScript"),
        ],
        misses: vec![
            command("S3Browser/9.5.5", "AWS-RunShellScript"),
            command("aws-cli/2.0", "AWS-ConfigureAWSPackage"),
            command("Custom (y)", "AWS-RunShellScript"),
            command("", "AWS-RunShellScript"),
        ],
    }
}

fn cases() -> Vec<Case> {
    [identity_cases(), defence_cases(), data_cases()].into_iter().flatten().collect()
}

#[test]
fn every_rule_matches_and_misses_as_it_is_written() {
    let sources = techniques();
    assert_eq!(sources.len(), 10);
    let cases = cases();
    let mut files: Vec<_> = cases.iter().map(|case| case.file.to_owned()).collect();
    files.sort();
    assert_eq!(files, texts().into_iter().map(|(name, _)| name).collect::<Vec<_>>(), "every rule has a case");
    let all = Ruleset::new(sources.clone()).expect("the rules are good");
    for Case { file, hits, misses } in cases {
        let source = sources.iter().find(|source| source.file == file).expect(file);
        let alone = Ruleset::new(vec![source.clone()]).expect("the rule is good");
        let name = [source.definition.name.clone()];
        for record in hits {
            let record = record.to_string();
            assert_eq!(matching(&alone, &record), name, "{file} must match {record}");
            assert_eq!(matching(&all, &record), name, "{file}, and no other, must match {record}");
        }
        for record in misses {
            let record = record.to_string();
            assert_eq!(matching(&alone, &record), Vec::<String>::new(), "{file} must miss {record}");
            assert_eq!(matching(&all, &record), Vec::<String>::new(), "all must miss {record}");
        }
    }
}

#[test]
fn a_rule_without_a_building_block_type_has_none() {
    let all = Ruleset::new(techniques()).expect("the rules are good");
    let blocks = |rule: &&Rule| rule.definition.building_block_type.is_some();
    assert_eq!(all.rules().iter().filter(blocks).count(), 2);
}

#[test]
fn subtechniques_are_kept() {
    let all = Ruleset::new(techniques()).expect("the rules are good");
    let rule = all
        .rules()
        .iter()
        .find(|rule| rule.definition.name == "Root Signed In without MFA")
        .expect("it is there");
    let technique = &rule.definition.threat[0].technique[0];
    assert_eq!((technique.id.as_str(), technique.subtechnique[0].id.as_str()), ("T1078", "T1078.004"));
}
