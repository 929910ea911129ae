//! Every envelope, recognised and unwrapped.

mod keys;
mod properties;
mod samples;
mod unknown;

use std::fs;
use std::path::Path;

use cloudtrail_signals::trigger::{Error, Invocation, Part, Source, recognise};
use detection::records::{Decoder, RawRecord, Record, parse};
use serde_json::{Value, json};

const BUCKET: &str = "example-trail-bucket";
const MAIN: &str = "AWSLogs/o-a1b2c3d4e5/111122223333/CloudTrail/us-east-1/2026/11/23/111122223333_CloudTrail_us-east-1_20261123T1005Z_Qx7LmN2pVb9sTk4d.json.gz";
const FRANKFURT: &str = "AWSLogs/o-a1b2c3d4e5/444455556666/CloudTrail/eu-central-1/2026/11/23/444455556666_CloudTrail_eu-central-1_20261123T1010Z_hR3wZc8YfJ1uEa6o.json.gz";
const QUIET: &str = "AWSLogs/o-a1b2c3d4e5/111122223333/CloudTrail/us-east-1/2026/11/23/111122223333_CloudTrail_us-east-1_20261123T1015Z_t5GkB0nXqM7iWd2S.json.gz";
const SPACE_AND_PLUS: &str = "team logs+audit/AWSLogs/111122223333/CloudTrail/us-west-2/2026/11/23/111122223333_CloudTrail_us-west-2_20261123T1020Z_Vy4oPj9eHs6LrC1x.json.gz";

/// What a part of a message is, in one line: an object's key, `nothing`, `skipped: …`, or the events of its records.
fn summary(part: &Part) -> String {
    match part {
        Part::Source(Source::Object(object)) => {
            assert_eq!((object.bucket.as_str(), &object.version), (BUCKET, &None));
            let key = object.key.as_str();
            object.key.skip_reason().map_or_else(|| key.to_owned(), |reason| format!("skipped: {reason}"))
        }
        Part::Source(Source::Bytes { origin, bytes }) => {
            let mut decoder = Decoder::new();
            let mut events = Vec::new();
            let mut input = &bytes[..];
            let mut take = |_: u64, record: Record<'_>| {
                let record = record.and_then(RawRecord::unwrapped).expect("a record");
                let record = parse(record.record().text()).expect("a record is JSON");
                events.push(record["eventName"].as_str().expect("a name").to_owned());
            };
            while decoder.step(&mut input, &mut take).expect("records") {}
            decoder.finish().expect("records");
            format!("{}: {}", origin.index(), events.join(" "))
        }
        Part::Check(time) => format!("check at {time}"),
        Part::Nothing(_) => "nothing".to_owned(),
        Part::Error(error) => format!("error: {error}"),
    }
}

fn recognised(payload: &Value) -> Result<Invocation, Error> {
    recognise(&payload.to_string())
}

fn payload(name: &str) -> Value {
    let path = Path::new("events").join(name);
    serde_json::from_slice(&fs::read(path).expect("a sample payload")).expect("JSON")
}

/// Each message's parts, one after the other.
fn parts(invocation: &Invocation) -> Vec<Vec<String>> {
    invocation.messages.iter().map(|message| message.parts.iter().map(summary).collect()).collect()
}

fn sqs(bodies: &[String]) -> Value {
    let records = bodies.iter().enumerate().map(
        |(index, body)| json!({ "messageId": format!("m{index}"), "eventSource": "aws:sqs", "body": body }),
    );
    json!({ "Records": records.collect::<Vec<_>>() })
}

fn wrapped_by_sns(body: &Value) -> Value {
    json!({ "Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:111122223333:t", "Message": body.to_string() })
}
