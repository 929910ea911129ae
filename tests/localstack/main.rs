//! The function with a real S3, SNS and SQS: those of the emulator at `LOCALSTACK_ENDPOINT`.

#[path = "../emulator/mod.rs"]
mod emulator;
mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::LazyLock;

use aws_sdk_sqs::types::MessageSystemAttributeName;
use cloudtrail_signals::invocation::Handler;
use cloudtrail_signals::settings::Settings;
use cloudtrail_signals::trigger::{Part, Source, recognise};
use detection::bundle::Bundle;
use detection::detect::Ruleset;
use detection::records::{Decoder, RawRecord, Record, parse};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stage::Stage;

const BUCKET: &str = "example-trail-bucket";
const RULE: &str = "1251b98a-ff45-11ee-89a1-f661ea17fbce";

/// The events that the author of each delivery meant to match, by key.
static EXPECTED: LazyLock<BTreeMap<String, Vec<String>>> = LazyLock::new(|| {
    let expected: BTreeMap<String, Value> =
        serde_json::from_value(json_file("events/deliveries-expected.json")).expect("deliveries by key");
    let events = |delivery: Value| serde_json::from_value(delivery["event_ids"].clone()).expect("event ids");
    expected.into_iter().map(|(key, delivery)| (key, events(delivery))).collect()
});

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = json_file("docs/signal.schema.json");
    jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema")
});

fn json_file(path: &str) -> Value {
    serde_json::from_slice(&fs::read(path).expect(path)).expect("JSON")
}

/// A signal, checked against the schema, with the id that its event must give, or the signal below it.
fn signal(text: &str) -> Value {
    let signal: Value = serde_json::from_str(text).expect("JSON");
    let errors: Vec<_> =
        SCHEMA.iter_errors(&signal).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{signal:#}");
    let text = |pointer: &str| signal.pointer(pointer).and_then(Value::as_str).expect(pointer);
    let rule = text("/kibana/alert/rule/rule_id");
    let parts = match parent(&signal) {
        Some(parent) => format!("{rule}/{parent}"),
        None => format!("{rule}/{}/{}", text("/aws/cloudtrail/recipient_account_id"), event(&signal)),
    };
    let digest = Sha256::digest(parts);
    let bytes = id_of(&signal).into_bytes();
    let hex = bytes
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).expect("ASCII"), 16).expect("hex"));
    assert_eq!(hex.collect::<Vec<_>>(), digest.to_vec());
    signal
}

/// The id of the signal that a rule on signals looked at.
fn parent(signal: &Value) -> Option<&str> {
    let ancestors = signal.pointer("/kibana/alert/ancestors").and_then(Value::as_array)?;
    let last = ancestors.last().filter(|last| last["type"] == "signal")?;
    Some(last["id"].as_str().expect("an id"))
}

fn event(signal: &Value) -> String {
    signal.pointer("/event/id").and_then(Value::as_str).expect("an event id").to_owned()
}

fn id_of(signal: &Value) -> String {
    signal.pointer("/kibana/alert/uuid").and_then(Value::as_str).expect("a signal id").to_owned()
}

fn sorted(values: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort();
    values
}

/// The events that a payload must give: those of the deliveries it names, and those it brings itself.
fn expected_events(payload: &Value) -> BTreeSet<String> {
    let all: BTreeSet<_> = EXPECTED.values().flatten().cloned().collect();
    let mut expected = BTreeSet::new();
    let invocation = recognise(&payload.to_string()).expect("a known payload");
    for part in invocation.messages.into_iter().flat_map(|message| message.parts) {
        match part {
            Part::Source(Source::Object(object)) if object.key.skip_reason().is_none() => {
                expected.extend(EXPECTED[object.key.as_str()].iter().cloned());
            }
            Part::Source(Source::Bytes { bytes, .. }) => {
                expected.extend(events(&bytes).into_iter().filter(|event| all.contains(event)));
            }
            Part::Source(Source::Object(_)) | Part::Check(_) | Part::Nothing(_) => {}
            Part::Error(error) => panic!("{error}"),
        }
    }
    expected
}

/// The events of the records that came with a message.
fn events(mut bytes: &[u8]) -> Vec<String> {
    let mut decoder = Decoder::new();
    let mut events = Vec::new();
    let mut take = |_: u64, record: Record<'_>| {
        let record = record.and_then(RawRecord::unwrapped).expect("a record");
        let record = parse(record.record().text()).expect("JSON");
        events.push(record["eventID"].as_str().expect("an event id").to_owned());
    };
    while decoder.step(&mut bytes, &mut take).expect("records") {}
    events
}

fn sqs(messages: impl IntoIterator<Item = (String, Value)>) -> Value {
    let records: Vec<_> = messages
        .into_iter()
        .map(|(id, body)| json!({ "messageId": id, "eventSource": "aws:sqs", "body": body.to_string() }))
        .collect();
    json!({ "Records": records })
}

/// The sample notification of S3, for another key.
fn notification(key: &str) -> Value {
    let mut payload = json_file("events/s3-put.json");
    payload["Records"][0]["s3"]["object"]["key"] = key.replace('+', "%2B").replace(' ', "+").into();
    payload
}

#[tokio::test]
async fn every_sample_payload_publishes_exactly_the_signals_it_was_made_for() {
    let stage = Stage::new("samples").await;
    let mut payloads: Vec<_> = fs::read_dir("events")
        .expect("the samples")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .filter(|path| !path.ends_with("deliveries-expected.json") && !path.ends_with("keys.json"))
        // It needs a table.
        .filter(|path| !path.ends_with("schedule-silence-check.json"))
        .collect();
    payloads.sort();
    assert!(payloads.len() >= 20);
    for path in payloads {
        let name = path.display().to_string();
        let payload = json_file(&name);
        let reply = stage.handle(&payload).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        if name.contains("sqs-") {
            assert_eq!(reply, json!({ "batchItemFailures": [] }), "{name}");
        } else if name.contains("s3-batch-") {
            let results = reply["results"].as_array().expect("results").iter();
            assert!(results.clone().all(|result| result["resultCode"] == "Succeeded"), "{name}: {reply}");
        }
        let expected = expected_events(&payload);
        let signals = stage.signals(expected.len()).await;
        assert_eq!(sorted(signals.iter().map(event)), expected.into_iter().collect::<Vec<_>>(), "{name}");
    }
}

#[tokio::test]
async fn the_main_delivery_gives_its_eight_signals_with_attributes_to_a_raw_queue_and_in_a_notification_to_a_wrapped_one()
 {
    let stage = Stage::new("raw-and-wrapped").await;
    let wrapped = stage.subscribe("wrapped", &[]).await;
    stage.handle(&json_file("events/sqs-s3.json")).await.expect("a reply");

    let raw = stage.receive(&stage.queue, 8).await;
    for message in &raw {
        let signal = signal(message.body().expect("a body"));
        let attributes = message.message_attributes().expect("attributes arrive with raw delivery");
        assert!((6..=10).contains(&attributes.len()), "{attributes:?}");
        let value = |name: &str| attributes[name].string_value().map(str::to_owned);
        assert_eq!(value("signal_id"), Some(id_of(&signal)));
        assert_eq!(value("rule_id").as_deref(), Some(RULE));
        assert_eq!((value("severity").as_deref(), value("risk_score").as_deref()), (Some("low"), Some("21")));
        assert_eq!(attributes["risk_score"].data_type(), "Number");
        assert_eq!(value("account_id").as_deref(), Some("111122223333"));
        assert_eq!(value("event_action"), signal["event"]["action"].as_str().map(str::to_owned));
    }
    let notifications: Vec<Value> = stage
        .receive(&wrapped, 8)
        .await
        .iter()
        .map(|message| serde_json::from_str(message.body().expect("a body")).expect("JSON"))
        .collect();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let wrapped = notifications.iter().map(|notification| {
        assert!(text(&notification["Subject"]).starts_with("[low] AWS Lambda Function Created or Updated"));
        assert_eq!(notification["MessageAttributes"]["rule_id"]["Value"], RULE);
        text(&notification["Message"])
    });
    assert_eq!(sorted(wrapped), sorted(raw.iter().map(|message| message.body().expect("a body").to_owned())));
}

#[tokio::test]
async fn of_ten_messages_with_a_missing_object_and_a_truncated_one_eight_are_published_and_exactly_two_fail()
{
    let stage = Stage::new("ten-messages").await;
    let truncated = json_file("tests/data/truncated-expected.json");
    let good = EXPECTED.keys().cycle().take(8).map(|key| notification(key));
    let bad = [notification("AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/23/missing.json.gz")]
        .into_iter()
        .chain([notification(truncated["key"].as_str().expect("a key"))]);
    let messages = bad.chain(good).enumerate().map(|(index, body)| (format!("m{index}"), body));
    let reply = stage.handle(&sqs(messages)).await.expect("a reply");
    let failed = sorted(
        reply["batchItemFailures"]
            .as_array()
            .expect("failures")
            .iter()
            .map(|failure| failure["itemIdentifier"].as_str().expect("an id").to_owned()),
    );
    assert_eq!(failed, ["m0", "m1"]);
    let mut expected: BTreeSet<_> = EXPECTED.values().flatten().cloned().collect();
    let before_the_cut: Vec<String> = serde_json::from_value(truncated["event_ids"].clone()).expect("events");
    expected.extend(before_the_cut);
    let signals = stage.signals(expected.len()).await;
    assert_eq!(sorted(signals.iter().map(event)), expected.into_iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn the_same_object_twice_gives_the_same_ids_by_every_path() {
    let stage = Stage::new("replays").await;
    let mut seen = Vec::new();
    for name in ["sqs-s3.json", "sqs-s3.json", "eventbridge-s3.json", "s3-put.json", "sqs-sns-s3.json"] {
        stage.handle(&json_file(&format!("events/{name}"))).await.expect("a reply");
        seen.push(sorted(stage.signals(8).await.iter().map(id_of)));
    }
    assert!(seen.iter().all(|ids| *ids == seen[0]), "{seen:#?}");
}

#[tokio::test]
async fn a_fifo_topic_takes_signals_by_account_and_drops_a_replay() {
    let stage = Stage::new("signals.fifo").await;
    for _ in 0..2 {
        stage.handle(&json_file("events/sqs-sns-cloudtrail-notice.json")).await.expect("a reply");
    }
    let messages = stage.receive(&stage.queue, 9).await;
    for message in messages {
        let signal = signal(message.body().expect("a body"));
        let attributes = message.attributes().expect("system attributes");
        let group = &attributes[&MessageSystemAttributeName::MessageGroupId];
        assert_eq!(Some(group.as_str()), signal["aws"]["cloudtrail"]["recipient_account_id"].as_str());
        assert_eq!(attributes[&MessageSystemAttributeName::MessageDeduplicationId], id_of(&signal));
    }
}

#[tokio::test]
async fn a_filter_policy_on_the_account_lets_only_its_signals_through() {
    let stage = Stage::new("filtered").await;
    let policy = ("FilterPolicy", r#"{"account_id":["444455556666"]}"#);
    let filtered = stage.subscribe("one-account", &[("RawMessageDelivery", "true"), policy]).await;
    stage.handle(&json_file("events/sqs-sns-cloudtrail-notice.json")).await.expect("a reply");
    let all = stage.signals(9).await;
    let account = |signal: &Value| signal["aws"]["cloudtrail"]["recipient_account_id"] == "444455556666";
    let theirs: Vec<_> = all.iter().filter(|signal| account(signal)).map(event).collect();
    assert!(!theirs.is_empty() && theirs.len() < all.len());
    let received = stage.receive(&filtered, theirs.len()).await;
    let received = received.iter().map(|message| event(&signal(message.body().expect("a body"))));
    assert_eq!(sorted(received), sorted(theirs));
}

#[tokio::test]
async fn with_an_archive_a_second_path_publishes_nothing_again() {
    let stage = Stage::new("archived").await;
    let s3 = aws_sdk_s3::Client::new(&stage.config);
    s3.create_bucket().bucket("signal-archive").send().await.expect("a bucket");
    let archive = [("SIGNAL_ARCHIVE_BUCKET", "signal-archive")];
    let payload = json_file("events/s3-put.json");
    let first = stage.handle_with(&payload, &archive).await.expect("a summary");
    let second =
        stage.handle_with(&json_file("events/eventbridge-s3.json"), &archive).await.expect("a summary");
    assert_eq!((&first["published"], &first["duplicates"]), (&json!(8), &json!(0)));
    assert_eq!((&second["published"], &second["duplicates"]), (&json!(0), &json!(8)));
    let signals = stage.signals(8).await;
    for signal in signals {
        let time = signal["kibana"]["alert"]["original_time"].as_str().expect("a time");
        let key = format!("signals/rule={RULE}/date={}/{}.json", &time[..10], id_of(&signal));
        let object = s3.get_object().bucket("signal-archive").key(key).send().await.expect("archived");
        let bytes = object.body.collect().await.expect("a body").into_bytes();
        assert_eq!(serde_json::from_slice::<Value>(&bytes).expect("JSON"), signal);
        assert!(bytes.ends_with(b"}\n"));
    }
}

#[tokio::test]
async fn the_alerts_of_a_rule_on_signals_reach_the_queue_beside_the_signals_below_them() {
    const ABOVE: &str = "11111111-0000-4000-8000-0000000000a1";
    let stage = Stage::new("above").await;
    let topic = |name: &str| (name == "SIGNAL_TOPIC_ARN").then(|| stage.topic.clone());
    let settings = Settings::read(topic).expect("good settings");
    let embedded = include_bytes!(concat!(env!("OUT_DIR"), "/seed.json"));
    let mut sources = Bundle::read(embedded).expect("the build wrote it").rules;
    sources.retain(|rule| rule.definition.rule_id == RULE);
    let mut above = sources[0].clone();
    above.definition.rule_id = ABOVE.to_owned();
    above.query = format!("kibana.alert.rule.rule_id: \"{RULE}\" and event.action: UpdateFunctionCode*");
    above.on_signals = true;
    sources.push(above);
    let rules = Ruleset::new(sources).expect("good rules");
    let handler = Handler::new(settings, rules, &stage.config);
    let reply = stage.handle_as(handler, &json_file("events/s3-put.json")).await.expect("a summary");

    let published = usize::try_from(reply["published"].as_u64().expect("a number")).expect("few");
    let signals = stage.signals(published).await;
    let (above, below): (Vec<_>, Vec<_>) = signals.iter().partition(|signal| parent(signal).is_some());
    let updates = |signal: &&&Value| {
        signal["event"]["action"].as_str().expect("an action").starts_with("UpdateFunctionCode")
    };
    assert_eq!(below.len(), 8);
    assert_eq!(
        sorted(above.iter().map(|alert| parent(alert).expect("checked").to_owned())),
        sorted(below.iter().filter(updates).map(|signal| id_of(signal))),
    );
    assert!(!above.is_empty() && above.len() < below.len());
    for alert in above {
        assert_eq!(alert["kibana"]["alert"]["depth"], 2);
        assert_eq!(alert["kibana"]["alert"]["rule"]["rule_id"], ABOVE);
    }
}
