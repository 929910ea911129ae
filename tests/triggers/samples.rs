//! The sample payloads, alone, wrapped in every way, and together.

use std::fs;
use std::path::Path;

use cloudtrail_signals::trigger::{Part, ReplyKind, Source};
use detection::origin::Origin;
use serde_json::{Value, json};

use crate::{FRANKFURT, MAIN, QUIET, SPACE_AND_PLUS, parts, payload, recognised, sqs, wrapped_by_sns};

#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    Sqs,
    Batch(&'static str),
    Summary,
}

type Row = (&'static str, Kind, &'static [&'static [&'static str]]);

const UPDATE: &str = "eventbridge: UpdateFunctionCode20150331v2";
const FIXTURES: &[Row] = &[
    ("cloudtrail-notice-sns.json", Kind::Summary, &[&[MAIN]]),
    ("cloudwatch-logs-control.json", Kind::Summary, &[&["nothing"]]),
    ("cloudwatch-logs.json", Kind::Summary, &[&[LOG_EVENTS]]),
    ("eventbridge-api-call.json", Kind::Summary, &[&[UPDATE]]),
    ("eventbridge-s3-space-and-plus.json", Kind::Summary, &[&[SPACE_AND_PLUS]]),
    ("eventbridge-s3.json", Kind::Summary, &[&[MAIN]]),
    ("s3-batch-1.0.json", Kind::Batch("1.0"), &[&[MAIN], &[SPACE_AND_PLUS]]),
    ("s3-batch-2.0.json", Kind::Batch("2.0"), &[&[MAIN], &[SPACE_AND_PLUS]]),
    (
        "s3-keys-skipped.json",
        Kind::Summary,
        &[
            &["skipped: a digest of CloudTrail deliveries"],
            &["skipped: CloudTrail Insights events"],
            &["skipped: another service's log"],
            &["skipped: a folder"],
        ],
    ),
    ("s3-object-removed.json", Kind::Summary, &[&["nothing"]]),
    ("s3-put-space-and-plus.json", Kind::Summary, &[&[SPACE_AND_PLUS]]),
    ("s3-put.json", Kind::Summary, &[&[MAIN]]),
    ("s3-test.json", Kind::Summary, &[&["nothing"]]),
    ("schedule-silence-check.json", Kind::Summary, &[&["check at 1795431600000"]]),
    ("sns-s3.json", Kind::Summary, &[&[MAIN]]),
    ("sqs-cloudtrail-notice.json", Kind::Sqs, &[&[MAIN]]),
    ("sqs-cloudtrail-validation.json", Kind::Sqs, &[&["nothing"], &["nothing"]]),
    ("sqs-eventbridge-api-call.json", Kind::Sqs, &[&[UPDATE]]),
    ("sqs-eventbridge.json", Kind::Sqs, &[&[MAIN]]),
    (
        "sqs-mixed.json",
        Kind::Sqs,
        &[
            &[MAIN],
            &[FRANKFURT],
            &[SPACE_AND_PLUS],
            &[QUIET],
            &[UPDATE],
            &[QUIET],
            &[MAIN, FRANKFURT],
            &["nothing"],
            &["nothing"],
            &["nothing"],
        ],
    ),
    ("sqs-s3-test.json", Kind::Sqs, &[&["nothing"]]),
    ("sqs-s3.json", Kind::Sqs, &[&[MAIN]]),
    ("sqs-sns-cloudtrail-notice.json", Kind::Sqs, &[&[MAIN, FRANKFURT]]),
    ("sqs-sns-s3.json", Kind::Sqs, &[&[MAIN]]),
];
const LOG_EVENTS: &str = "logs:aws-cloudtrail-logs-111122223333-example:111122223333_CloudTrail_us-east-1: ConsoleLogin CreateFunction20150331 GetFunction20150331v2";

#[test]
fn every_sample_payload_gives_its_objects_records_and_no_ops_and_the_reply_its_trigger_expects() {
    for (name, kind, expected) in FIXTURES {
        let payload = payload(name);
        let invocation = recognised(&payload).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(parts(&invocation), *expected, "{name}");
        let ids: Vec<_> = invocation.messages.iter().map(|message| message.id.as_deref()).collect();
        let sent = |list: &str, field: &str| -> Vec<Option<String>> {
            let list = payload[list].as_array().expect("a list");
            list.iter().map(|part| part[field].as_str().map(str::to_owned)).collect()
        };
        let expected_ids = match kind {
            Kind::Sqs => sent("Records", "messageId"),
            Kind::Batch(_) => sent("tasks", "taskId"),
            Kind::Summary => vec![None; ids.len()],
        };
        assert_eq!(ids, expected_ids.iter().map(Option::as_deref).collect::<Vec<_>>(), "{name}");
        let reply = match kind {
            Kind::Sqs => ReplyKind::SqsBatch,
            Kind::Batch(version) => ReplyKind::S3BatchJob {
                schema_version: (*version).to_owned(),
                invocation_id: payload["invocationId"].as_str().expect("an id").to_owned(),
            },
            Kind::Summary => ReplyKind::Summary,
        };
        assert_eq!(invocation.reply, reply, "{name}");
        let is_timely = !matches!(kind, Kind::Batch(_)) && *name != "schedule-silence-check.json";
        assert_eq!(invocation.is_timely(), is_timely, "{name}");
    }
}

#[test]
fn every_sample_payload_has_a_row_here() {
    let mut files: Vec<_> = fs::read_dir("events")
        .expect("sample payloads")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "json"))
        .filter(|name| name != "deliveries-expected.json" && name != "keys.json")
        .collect();
    files.sort();
    let rows: Vec<_> = FIXTURES.iter().map(|row| row.0).collect();
    assert_eq!(files, rows);
}

/// Payloads that can stand alone: all but those of SQS and of batch jobs.
fn direct_payloads() -> impl Iterator<Item = (&'static str, Value)> {
    FIXTURES.iter().filter(|row| row.1 == Kind::Summary).map(|(name, ..)| (*name, payload(name)))
}

#[test]
fn every_envelope_gives_the_same_alone_in_a_queue_in_a_topic_and_in_a_topic_in_a_queue() {
    for (name, payload) in direct_payloads() {
        let alone = parts(&recognised(&payload).expect(name)).concat();
        let in_a_queue = sqs(&[payload.to_string()]);
        let in_a_topic =
            json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "Message": payload.to_string() } }] });
        let in_both = sqs(&[wrapped_by_sns(&payload).to_string()]);
        let in_a_topic_twice = sqs(&[wrapped_by_sns(&wrapped_by_sns(&payload)).to_string()]);
        for wrapped in [in_a_queue, in_a_topic, in_both, in_a_topic_twice] {
            assert_eq!(parts(&recognised(&wrapped).expect(name)), std::slice::from_ref(&alone), "{name}");
        }
    }
}

#[test]
fn all_envelopes_at_once_in_one_batch_give_what_each_gives_alone() {
    let bodies: Vec<_> = direct_payloads().map(|(_, payload)| payload.to_string()).collect();
    let alone: Vec<_> =
        direct_payloads().map(|(name, payload)| parts(&recognised(&payload).expect(name)).concat()).collect();
    let together = recognised(&sqs(&bodies)).expect("a batch");
    assert_eq!(parts(&together), alone);
}

#[test]
fn records_of_several_sources_in_one_payload_each_give_their_own() {
    let mut mixed = payload("s3-put.json");
    let more = [
        payload("sns-s3.json")["Records"][0].clone(),
        payload("s3-object-removed.json")["Records"][0].clone(),
    ];
    mixed["Records"].as_array_mut().expect("records").extend(more);
    let invocation = recognised(&mixed).expect("S3 and SNS");
    assert_eq!(parts(&invocation), [[MAIN], [MAIN], ["nothing"]]);
    assert_eq!(invocation.reply, ReplyKind::Summary);
}

#[test]
fn the_records_of_a_log_stream_name_their_stream() {
    let invocation = recognised(&payload("cloudwatch-logs.json")).expect("log events");
    let [Part::Source(Source::Bytes { origin: Origin::LogStream { group, stream }, .. })] =
        invocation.messages[0].parts.as_slice()
    else {
        panic!("{invocation:?}")
    };
    assert!(!group.is_empty() && !stream.is_empty());
    assert_eq!(parts(&invocation)[0][0].split(": ").last().map(|events| events.split(' ').count()), Some(3));
}

#[test]
fn every_creation_is_a_delivery_and_every_other_s3_event_is_not() {
    let mut s3 = payload("s3-put.json");
    let cases = [
        ("ObjectCreated:Put", MAIN),
        ("s3:ObjectCreated:Put", MAIN),
        ("ObjectCreated:CompleteMultipartUpload", MAIN),
        ("ObjectCreated:Copy", MAIN),
        ("ObjectRemoved:Delete", "nothing"),
        ("ObjectRestore:Completed", "nothing"),
        ("ReducedRedundancyLostObject", "nothing"),
        ("ObjectCreatedNot", "nothing"),
    ];
    for (event, expected) in cases {
        s3["Records"][0]["eventName"] = event.into();
        assert_eq!(parts(&recognised(&s3).expect(event)), [[expected]], "{event}");
    }
    let mut eventbridge = payload("eventbridge-s3.json");
    for (kind, expected) in
        [("Object Created", MAIN), ("Object Deleted", "nothing"), ("Object Restore Completed", "nothing")]
    {
        eventbridge["detail-type"] = kind.into();
        assert_eq!(parts(&recognised(&eventbridge).expect(kind)), [[expected]], "{kind}");
    }
}

#[test]
fn every_kind_of_call_that_eventbridge_passes_on_from_a_trail_is_a_record() {
    let mut call = payload("eventbridge-api-call.json");
    for kind in [
        "AWS API Call via CloudTrail",
        "AWS Service Event via CloudTrail",
        "AWS Console Sign In via CloudTrail",
    ] {
        call["detail-type"] = kind.into();
        for source in ["aws.lambda", "aws.s3", "aws.signin"] {
            call["source"] = source.into();
            assert_eq!(parts(&recognised(&call).expect(kind)), [[UPDATE]], "{kind} from {source}");
        }
    }
}

#[test]
fn an_insights_event_that_eventbridge_passes_on_is_skipped_as_a_file_of_insights_is() {
    let insight = json!({
        "eventVersion": "1.11", "eventTime": "2026-11-23T10:05:00Z", "eventType": "AwsCloudTrailInsight",
        "insightDetails": { "state": "Start", "eventName": "CreateFunction", "insightType": "ApiCallRateInsight" },
        "eventCategory": "Insight",
    });
    let event =
        json!({ "detail-type": "AWS Insight via CloudTrail", "source": "aws.cloudtrail", "detail": insight });
    for payload in [event, insight] {
        assert_eq!(parts(&recognised(&payload).expect("an event")), [["nothing"]]);
        assert_eq!(parts(&recognised(&sqs(&[payload.to_string()])).expect("a message")), [["nothing"]]);
    }
}

#[test]
fn a_batch_job_says_that_rules_are_to_learn_and_any_other_argument_fails_each_of_its_tasks() {
    let job = |arguments: Value| {
        let mut payload = payload("s3-batch-2.0.json");
        payload["job"]["userArguments"] = arguments;
        recognised(&payload).expect("a batch job")
    };
    let is_error = |part: &Part| matches!(part, Part::Error(_));
    for (arguments, learns) in [(json!({ "learn": "true" }), true), (json!({}), false), (json!(null), false)]
    {
        let invocation = job(arguments);
        assert_eq!(invocation.learns, learns);
        assert!(!invocation.messages.iter().flat_map(|message| &message.parts).any(is_error));
    }
    for (arguments, named) in [
        (json!({ "learn": "false" }), "learn="),
        (json!({ "learn": true }), "learn=true"),
        (json!({ "purpose": "backfill" }), "purpose="),
        (json!({ "learn": "true", "month": "2026-11" }), "month="),
        (json!("learn"), "learn"),
        (json!([["learn", "true"]]), "learn"),
    ] {
        let invocation = job(arguments);
        assert!(!invocation.learns);
        assert_eq!(invocation.messages.len(), 2);
        for message in &invocation.messages {
            let [Part::Error(error)] = message.parts.as_slice() else { panic!("{:?}", message.parts) };
            assert!(error.to_string().contains(named), "{error}");
        }
    }
}
