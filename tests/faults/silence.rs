//! Accounts whose deliveries stop, on a table that misbehaves.

use std::time::{Duration, SystemTime};

use detection::silence::RULE_ID;
use detection::time::rfc3339;
use serde_json::{Value, json};

use crate::dynamodb::Table;
use crate::server::Script;
use crate::sns::Batch;
use crate::stage::{Invoked, Stage};
use crate::world::{BUCKET, gzip, matching, sqs};

const ACCOUNT: &str = "111122223333";

/// This many hours before now, as RFC 3339.
fn ago(hours: u64) -> String {
    rfc3339(SystemTime::now() - Duration::from_hours(hours))
}

async fn stage(name: &str) -> Stage {
    Stage::new(name).await.rules(Vec::new()).set("ACCOUNT_SILENCE_HOURS", "24")
}

/// Puts a delivery of an account into the bucket, written this many hours ago. Returns its message.
fn put(stage: &Stage, account: &str, hours: u64) -> (String, Value) {
    let time: String = ago(hours).chars().filter(char::is_ascii_alphanumeric).take(13).collect();
    let name = format!("{account}_CloudTrail_us-east-1_{time}Z_Qx7LmN2pVb9sTk4d.json.gz");
    let key = format!("AWSLogs/{account}/CloudTrail/us-east-1/2026/11/23/{name}");
    let body = gzip(json!({ "Records": [matching(&format!("{account} {hours}"))] }).to_string().as_bytes());
    stage.server.state().objects.insert(format!("{BUCKET}/{key}"), body);
    let notice = json!({ "s3Bucket": BUCKET, "s3ObjectKey": [key] });
    (format!("{account}-{hours}"), notice)
}

/// Delivers once for each account at each of these times.
async fn deliver(stage: &Stage, accounts: &[&str], hours: impl Iterator<Item = u64> + Clone) -> Invoked {
    let messages: Vec<_> = accounts
        .iter()
        .flat_map(|account| hours.clone().map(move |hours| (account, hours)))
        .map(|(account, hours)| put(stage, account, hours))
        .collect();
    let payload = sqs(messages.iter().map(|(id, notice)| (id.as_str(), notice.to_string())));
    stage.invoke_with(&stage.function(), &payload).await
}

async fn check(stage: &Stage) -> Invoked {
    stage.invoke_with(&stage.function(), &json!({ "check": "silence", "time": ago(0) })).await
}

/// The actions of the signals on silence that the topic took, with their ids.
fn said(stage: &Stage) -> Vec<(String, String)> {
    let state = stage.server.state();
    let of_silence =
        state.published.iter().filter(|each| each.signal["kibana"]["alert"]["rule"]["rule_id"] == RULE_ID);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    of_silence
        .map(|each| (text(&each.signal["event"]["action"]), text(&each.signal["kibana"]["alert"]["uuid"])))
        .collect()
}

/// Ten days, up to two days ago.
fn habit() -> impl Iterator<Item = u64> + Clone {
    (2..12).map(|day| day * 24)
}

#[tokio::test]
async fn a_silent_account_among_busy_ones_is_signalled_once_and_once_more_when_it_is_back() {
    let stage = stage("silence: once").await;
    deliver(&stage, &[ACCOUNT, "444455556666"], habit()).await;
    deliver(&stage, &["444455556666"], 1..2).await;
    let first = check(&stage).await;
    assert_eq!((first.counter("signals"), first.counter("published"), first.counter("failed")), (1, 1, 0));
    assert!(first.requests.iter().all(|request| request == "BatchGetItem" || request == "PutItem"));
    assert_eq!(check(&stage).await.counter("signals"), 0);
    deliver(&stage, &[ACCOUNT], 0..1).await;
    assert_eq!(check(&stage).await.counter("published"), 1);
    assert_eq!(check(&stage).await.counter("signals"), 0);
    let actions: Vec<_> = said(&stage).into_iter().map(|(action, _)| action).collect();
    assert_eq!(actions, ["DeliveriesStopped", "DeliveriesResumed"]);
}

#[tokio::test]
async fn a_delivery_costs_one_write_an_account_region_and_hour_and_none_when_the_setting_is_off() {
    let stage = stage("silence: cost").await;
    let messages = [put(&stage, ACCOUNT, 3)];
    let payload = sqs(messages.iter().map(|(id, notice)| (id.as_str(), notice.to_string())));
    let function = stage.function();
    assert_eq!(stage.invoke_with(&function, &payload).await.requests, ["BatchGetItem", "PutItem"]);
    assert_eq!(stage.invoke_with(&function, &payload).await.requests, [""; 0]);
    // A function that has just started within the hour reads, and does not write.
    assert_eq!(stage.invoke_with(&stage.function(), &payload).await.requests, ["BatchGetItem"]);
    let off = stage.set("ACCOUNT_SILENCE_HOURS", "0");
    assert_eq!(off.invoke_with(&off.function(), &payload).await.requests, [""; 0]);
    let refused = check(&off).await;
    let error = refused.reply.expect_err("nothing was checked").to_string();
    assert!(error.contains("ACCOUNT_SILENCE_HOURS"), "{error}");
}

#[tokio::test]
async fn without_the_table_the_signals_of_a_delivery_are_published_and_its_message_comes_again() {
    let stage = stage("silence: away").await;
    stage.server.state().read_faults = Script::forever(Table::Status(400, "ResourceNotFoundException"));
    let run = deliver(&stage, &[ACCOUNT], 3..4).await;
    assert_eq!((run.counter("published"), run.counter("failed")), (1, 0));
    let failures = run.failures();
    let [(message, retry, reason)] = failures.as_slice() else { panic!("{failures:?}") };
    assert_eq!((message.as_str(), retry.as_str()), ("111122223333-3", "transient"));
    assert!(reason.contains("cannot be noted as seen") && reason.contains("MEMORY_TABLE"), "{reason}");
    let checked = check(&stage).await;
    assert!(checked.reply.is_err());
    assert_eq!(checked.failures()[0].1, "transient");
}

#[tokio::test]
async fn a_check_that_is_cut_off_before_or_after_publishing_is_repeated_with_the_same_id() {
    let stage = stage("silence: cut").await;
    deliver(&stage, &[ACCOUNT], habit()).await;
    // SNS takes nothing: nothing counts as published.
    stage.server.state().batch_faults = Script::forever(Batch::Status(403, "AuthorizationError"));
    assert!(check(&stage).await.reply.is_err());
    assert_eq!(said(&stage), []);
    // SNS takes it, but the table does not hear of it.
    stage.server.state().batch_faults = Script::default();
    stage.server.state().write_faults = Script::forever(Table::Status(400, "AccessDeniedException"));
    let run = check(&stage).await;
    assert_eq!(run.counter("published"), 1);
    assert_eq!(run.failures()[0].1, "transient");
    stage.server.state().write_faults = Script::default();
    assert!(check(&stage).await.reply.is_ok());
    assert_eq!(check(&stage).await.counter("signals"), 0);
    let said = said(&stage);
    assert_eq!(said.len(), 2);
    assert_eq!(said[0], said[1]);
}

#[tokio::test]
async fn two_checks_at_once_say_the_same_and_a_third_says_nothing() {
    let stage = stage("silence: two").await;
    deliver(&stage, &[ACCOUNT], habit()).await;
    let payload = json!({ "check": "silence", "time": ago(0) });
    let (one, other) = (stage.function(), stage.function());
    let (one, other) = tokio::join!(stage.invoke_with(&one, &payload), stage.invoke_with(&other, &payload));
    assert!(one.reply.is_ok() && other.reply.is_ok());
    let mut said = said(&stage);
    said.dedup();
    assert_eq!(said.len(), 1);
    assert_eq!(check(&stage).await.counter("signals"), 0);
}

#[tokio::test]
async fn an_exception_keeps_a_closed_account_quiet_and_counted() {
    let stage = stage("silence: exception").await;
    deliver(&stage, &[ACCOUNT], habit()).await;
    // The rules of a stage have no exceptions from a setting, so here the whole function is made from settings.
    let settings = [
        ("SIGNAL_TOPIC_ARN", crate::world::TOPIC),
        ("MEMORY_TABLE", crate::stage::TABLE),
        ("ACCOUNT_SILENCE_HOURS", "24"),
        ("EXCEPTION_QUERY", "event.action: DeliveriesStopped and cloud.account.id: 111122223333"),
    ];
    let read = |name: &str| settings.iter().find(|each| each.0 == name).map(|each| each.1.to_owned());
    let settings = cloudtrail_signals::settings::Settings::read(read).expect("good settings");
    let rules = cloudtrail_signals::rules::load(&settings).expect("good rules").rules;
    let config = crate::world::config(&stage.server.endpoint, "silence: exception", crate::world::ATTEMPT);
    let function = cloudtrail_signals::invocation::Handler::new(settings, rules, &config);
    let run = stage.invoke_with(&function, &json!({ "check": "silence", "time": ago(0) })).await;
    assert_eq!((run.counter("signals"), run.counter("suppressed"), run.counter("published")), (1, 1, 0));
}
