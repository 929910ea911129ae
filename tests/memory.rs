//! The memory that hostile messages take, with any content and in any envelope: counted, not sampled.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloudtrail_signals::invocation::Handler;
use cloudtrail_signals::settings::Settings;
use cloudtrail_signals::trigger::Payload;
use cloudtrail_signals::{aws, rules};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

/// How much memory a mebibyte in a message may take, in MiB: it exists as a payload, as a body and in between.
const SMALL: u64 = 24;
/// The same for a record that matches a rule, and so is parsed: the smallest Lambda function has 128 MiB.
const PARSED: u64 = 96;
/// The same for the signals that one window of a source holds.
const SIGNALS: u64 = 10;
/// How many messages SQS hands over at once.
const MESSAGES: usize = 10;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

fn logs(text: &[u8]) -> String {
    json!({ "awslogs": { "data": STANDARD.encode(gzip(text)) } }).to_string()
}

/// A log subscription's document around log events.
fn document(events: &str) -> Vec<u8> {
    format!(r#"{{"messageType":"DATA_MESSAGE","logGroup":"g","logStream":"s","logEvents":[{events}]}}"#)
        .into_bytes()
}

/// A record that the rule matches, with this in its request.
fn matching(request: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.11","eventSource":"lambda.amazonaws.com","eventName":"CreateFunction20150331","eventID":"e","requestParameters":{{"a":{request}}}}}"#
    )
}

fn event(record: &str) -> String {
    format!(r#"{{"detail-type":"AWS API Call via CloudTrail","source":"aws.lambda","detail":{record}}}"#)
}

fn wide(element: &str, count: usize) -> String {
    format!("[{}]", vec![element; count].join(","))
}

/// Log events of the smallest records that match the rule, each with its own id.
fn small_signals() -> String {
    let record = |id| {
        let record = format!(
            r#"{{"eventSource":"lambda.amazonaws.com","eventName":"CreateFunction","eventID":"{id}"}}"#
        );
        json!({ "message": record }).to_string()
    };
    (0..3_000).map(record).collect::<Vec<_>>().join(",")
}

/// Messages by name, with the MiB that ten of them may take. SQS accepts up to a mebibyte.
fn messages() -> Vec<(&'static str, u64, String)> {
    let message = |record: &str| json!({ "message": record }).to_string();
    let events = |event: &str, count: usize| document(&vec![event; count].join(","));
    let keys: Vec<_> = (0..60_000).map(|key| format!("\"k{key}\":0")).collect();
    vec![
        ("logs: zeros", SMALL, logs(&vec![0; 64 << 20])),
        ("logs: spaces", SMALL, logs(&vec![b' '; 32 << 20])),
        ("logs: empty objects", SMALL, logs(&events("{}", 100_000))),
        ("logs: empty messages", SMALL, logs(&events(r#"{"message":""}"#, 100_000))),
        ("logs: open brackets", SMALL, logs(&document(&"[".repeat(2_000_000)))),
        ("logs: open braces", SMALL, logs(&document(&"{\"a\":".repeat(300_000)))),
        ("logs: one endless string", SMALL, logs(&document(&format!("\"{}", "a".repeat(8 << 20))))),
        ("logs: an endless message", SMALL, logs(&document(&message(&"a".repeat(8 << 20))))),
        ("logs: an endless header", SMALL, logs(format!(r#"{{"a":"{}"#, "a".repeat(8 << 20)).as_bytes())),
        ("logs: many small signals", SIGNALS, logs(&document(&small_signals()))),
        ("logs: wide records", PARSED, logs(&events(&message(&matching(&wide("[]", 250_000))), 2))),
        ("logs: wide numbers", PARSED, logs(&events(&message(&matching(&wide("1", 400_000))), 1))),
        ("a wide array", SMALL, wide("{}", 300_000)),
        ("wide Records", SMALL, json!({ "Records": vec![json!({}); 300_000] }).to_string()),
        ("wide Records of nulls", SMALL, json!({ "Records": vec![Value::Null; 200_000] }).to_string()),
        (
            "many objects",
            SMALL,
            json!({ "s3Bucket": "bucket", "s3ObjectKey": vec!["a"; 200_000] }).to_string(),
        ),
        (
            "many keys that are none",
            SMALL,
            json!({ "s3Bucket": "bucket", "s3ObjectKey": vec![7; 400_000] }).to_string(),
        ),
        ("open brackets", SMALL, "[".repeat(1_000_000)),
        ("an event with a wide record", PARSED, event(&matching(&wide("{}", 250_000)))),
        ("an event with wide numbers", PARSED, event(&matching(&wide("1", 400_000)))),
        ("an event with a deep record", SMALL, event(&matching(&"[".repeat(400_000)))),
        ("an unknown object of many keys", SMALL, format!("{{{}}}", keys.join(","))),
    ]
}

/// The envelopes of a message.
fn envelopes(message: &str, count: usize) -> Vec<(&'static str, Value)> {
    let sns = json!({ "Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:111122223333:t", "Message": message });
    let batch = |body: &str| {
        let record = |id| json!({ "messageId": format!("m{id}"), "eventSource": "aws:sqs", "body": body });
        json!({ "Records": (0..count).map(record).collect::<Vec<_>>() })
    };
    let topic = json!({ "EventSource": "aws:sns", "Sns": { "Message": message } });
    vec![
        ("SQS", batch(message)),
        ("SNS in SQS", batch(&sns.to_string())),
        ("SNS", json!({ "Records": vec![topic; count] })),
        ("directly", serde_json::from_str(message).unwrap_or_default()),
    ]
}

/// A service that refuses everything at once.
fn refusing() -> SdkConfig {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let _ = stream.read(&mut [0; 4096]);
            let _ =
                stream.write_all(b"HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        }
    });
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .timeout_config(aws::timeouts())
        .build()
}

#[test]
fn ten_messages_of_any_kind_in_any_envelope_stay_in_the_memory_of_the_smallest_function() {
    let settings = Settings::read(|name| {
        (name == "SIGNAL_TOPIC_ARN").then(|| "arn:aws:sns:us-east-1:111122223333:t".to_owned())
    });
    let settings = settings.expect("good settings");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let config = refusing();
    for (name, limit, message) in messages() {
        for (envelope, payload) in envelopes(&message, if limit == PARSED { 2 } else { MESSAGES }) {
            let payload = Payload::from(payload.to_string());
            let rules = rules::load(&settings).expect("good rules").rules;
            let handler = Handler::new(settings.clone(), rules, &config);
            let deadline = SystemTime::now() + Duration::from_secs(5);
            let used = allocation_counter::measure(|| {
                // Whether it fails, and how, is for other tests.
                let _ = runtime.block_on(handler.handle(&payload, deadline, "memory"));
            });
            let used = used.bytes_max >> 20;
            assert!(used < limit, "{name}, by {envelope}: {used} MiB");
        }
    }
}
