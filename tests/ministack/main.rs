//! Rules that remember, on the DynamoDB of the emulator at `MINISTACK_ENDPOINT`: the signals are those of a model in a few
//! plain lines, whatever happens to deliveries and functions.

#[path = "../emulator/mod.rs"]
mod emulator;
mod stage;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant, SystemTime};

use cloudtrail_signals::invocation::Handler;
use cloudtrail_signals::settings::Settings;
use cloudtrail_signals::trigger::Payload;
use detection::detect::Ruleset;
use detection::rule::Source;
use fastrand::Rng;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stage::Stage;
use tokio::time::timeout;

const ACCOUNT: &str = "111122223333";
const NEW_USER: &str = "22222222-0000-4000-8000-000000000001";
const BUSY_USER: &str = "22222222-0000-4000-8000-000000000002";
/// Days and, in the same numbers, seconds.
const NEW_WINDOW: i64 = 10;
const BUSY_WINDOW: i64 = 60;
const BUSY_VALUE: usize = 3;
const DAY: i64 = 24 * 60 * 60;

fn rules() -> Ruleset {
    let rule = |id: &str, action: &str, memory: Value| {
        let kind = memory.as_object().and_then(|memory| memory.keys().next()).expect("a type").clone();
        json!({
            "file": id, "language": "kuery", "query": format!("event.action: {action}"), "memory": memory,
            "definition": {
                "rule_id": id, "name": id, "type": kind, "description": "A rule of the tests.", "severity": "low",
                "risk_score": 21, "author": [], "references": [], "false_positives": [], "tags": [], "threat": [],
            },
        })
    };
    let sources = json!([
        rule(
            NEW_USER,
            "CreateUser",
            json!({ "new_terms": { "fields": ["user.name"], "window": NEW_WINDOW * DAY } })
        ),
        rule(
            BUSY_USER,
            "DeleteUser",
            json!({ "threshold": { "fields": ["user.name"], "value": BUSY_VALUE, "window": BUSY_WINDOW } })
        ),
    ]);
    Ruleset::new(serde_json::from_value::<Vec<Source>>(sources).expect("rules")).expect("good queries")
}

/// A call, as both the function and the model see it.
#[derive(Debug, Clone)]
struct Call {
    is_new_user: bool,
    user: String,
    /// In seconds since 1970.
    time: i64,
    event: String,
}

impl Call {
    fn record(&self) -> Value {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(self.time.unsigned_abs());
        json!({
            "eventVersion": "1.11",
            "userIdentity": { "type": "IAMUser", "userName": self.user, "accountId": ACCOUNT },
            "eventTime": detection::time::rfc3339(time),
            "eventSource": "iam.amazonaws.com",
            "eventName": if self.is_new_user { "CreateUser" } else { "DeleteUser" },
            "awsRegion": "us-east-1",
            "eventID": self.event,
            "recipientAccountId": ACCOUNT,
        })
    }
}

/// Calls in order: users come and go by whole days, and some do too much within a minute.
fn calls(random: &mut Rng) -> Vec<Call> {
    let users = ["ana", "bob", "eve", "zoe"];
    let mut calls = Vec::new();
    let mut day = 0;
    for number in 0..60 {
        let user = (*random.choice(users.iter()).expect("users")).to_owned();
        // A gap of ten days is known, and one of eleven is new.
        day += *random.choice([0, 0, 1, 3, 5].iter()).expect("gaps");
        let time = 1_790_000_000 + day * DAY + number;
        if random.bool() {
            calls.push(Call { is_new_user: true, user, time, event: format!("new-{number}") });
        } else {
            for second in 0..random.i64(1..8) {
                let event = format!("busy-{number}-{second}");
                let time = time + second * 10;
                calls.push(Call { is_new_user: false, user: user.clone(), time, event });
            }
        }
    }
    calls.sort_by(|a, b| (a.time, &a.event).cmp(&(b.time, &b.event)));
    calls
}

/// The signals that calls in order must give: their events, by signal id.
fn model(calls: &[Call]) -> BTreeMap<String, &str> {
    let mut ids = BTreeMap::new();
    let mut last_seen: HashMap<&str, i64> = HashMap::new();
    let mut counted: HashMap<&str, Vec<i64>> = HashMap::new();
    let mut quiet_until: HashMap<&str, i64> = HashMap::new();
    for Call { is_new_user, user, time, event } in calls {
        let terms = json!([user]);
        if *is_new_user {
            if last_seen.insert(user, *time).is_none_or(|last| last < time - NEW_WINDOW * DAY) {
                ids.insert(sha256(&format!("{NEW_USER}/{ACCOUNT}/{event}/{terms}")), event.as_str());
            }
        } else if quiet_until.get(user.as_str()).is_none_or(|end| time >= end) {
            let times = counted.entry(user).or_default();
            times.retain(|earlier| *earlier > time - BUSY_WINDOW);
            times.push(*time);
            if times.len() == BUSY_VALUE {
                ids.insert(sha256(&format!("{BUSY_USER}/{terms}/{event}")), event);
                times.clear();
                quiet_until.insert(user, time + BUSY_WINDOW);
            }
        }
    }
    ids
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn key(name: &str) -> String {
    format!("AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2026/09/21/{name}.json.gz")
}

/// Deliveries of a few calls each, in order, by name.
async fn deliveries(stage: &Stage, calls: &[Call], random: &mut Rng) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = calls;
    while !rest.is_empty() {
        let (next, left) = rest.split_at(random.usize(1..=9).min(rest.len()));
        let name = format!("{:03}", names.len());
        stage.put(&name, next).await;
        names.push(name);
        rest = left;
    }
    names
}

#[tokio::test]
async fn in_order_doubled_and_by_functions_that_start_anew_the_signals_are_the_model_s() {
    let mut random = Rng::with_seed(1);
    let calls = calls(&mut random);
    assert!(model(&calls).len() > 15);
    for (name, times, is_warm) in [("in-order", 1, true), ("doubled", 2, true), ("cold", 2, false)] {
        let stage = Stage::new(name).await;
        let mut function = stage.function();
        for delivery in deliveries(&stage, &calls, &mut random).await {
            for _ in 0..times {
                assert_eq!(stage.invoke(&function, std::slice::from_ref(&delivery)).await, [""; 0], "{name}");
            }
            if !is_warm {
                function = stage.function();
            }
        }
        stage.check(&calls).await;
    }
}

#[tokio::test]
async fn redelivered_with_partial_failures_the_signals_are_the_model_s() {
    let mut random = Rng::with_seed(2);
    let calls = calls(&mut random);
    let stage = Stage::new("partial").await;
    let function = stage.function();
    for delivery in deliveries(&stage, &calls, &mut random).await {
        // The other delivery is not there yet.
        let late = format!("{delivery}-late");
        assert_eq!(stage.invoke(&function, &[delivery.clone(), late.clone()]).await, [late.as_str()]);
        stage.put(&late, &[]).await;
        assert_eq!(stage.invoke(&function, &[late, delivery]).await, [""; 0]);
    }
    stage.check(&calls).await;
}

#[tokio::test]
async fn functions_that_are_killed_at_any_moment_leave_the_signals_of_the_model() {
    let mut random = Rng::with_seed(3);
    let calls = calls(&mut random);
    let stage = Stage::new("killed").await;
    let mut kills = 0;
    // How long the last function that was not killed took: on a fast machine as on a slow one,
    // the moments fall within an invocation.
    let mut life = Duration::from_millis(5);
    for delivery in deliveries(&stage, &calls, &mut random).await {
        for _ in 0..3 {
            let moment = life.mul_f64(random.f64());
            let function = stage.function();
            kills += u32::from(
                timeout(moment, stage.invoke(&function, std::slice::from_ref(&delivery))).await.is_err(),
            );
        }
        let function = stage.function();
        let start = Instant::now();
        assert_eq!(stage.invoke(&function, &[delivery]).await, [""; 0]);
        life = start.elapsed();
    }
    assert!(kills > 10, "{kills} kills");
    stage.check(&calls).await;
}

#[tokio::test]
async fn two_functions_on_the_same_deliveries_at_once_give_the_signals_of_the_model() {
    let mut random = Rng::with_seed(4);
    let calls = calls(&mut random);
    let stage = Stage::new("two-functions").await;
    let (one, other) = (stage.function(), stage.function());
    for delivery in deliveries(&stage, &calls, &mut random).await {
        let deliveries = [delivery];
        let both = tokio::join!(stage.invoke(&one, &deliveries), stage.invoke(&other, &deliveries));
        assert_eq!(both, (vec![], vec![]));
    }
    stage.check(&calls).await;
}

#[tokio::test]
async fn a_batch_job_with_the_argument_teaches_the_rules_and_they_are_awake_then() {
    let stage = Stage::new("taught").await;
    let new = |user: &str, day: i64, event: &str| Call {
        is_new_user: true,
        user: user.to_owned(),
        // In 2020, so that the rules, which begin now, would only learn.
        time: 1_590_000_000 + day * DAY,
        event: event.to_owned(),
    };
    stage.put("live", &[new("ana", 20, "l1")]).await;
    let function = stage.function_that_learns("");
    assert_eq!(stage.invoke(&function, &["live".to_owned()]).await, [""; 0]);

    stage.put("past", &[new("ana", 0, "p1"), new("bob", 15, "p2")]).await;
    let payload = json!({
        "invocationSchemaVersion": "2.0",
        "invocationId": "i",
        "job": { "id": "j", "userArguments": { "learn": "true" } },
        "tasks": [{ "taskId": "t", "s3Bucket": stage.name, "s3Key": key("past"), "s3VersionId": null }],
    });
    let deadline = SystemTime::now() + Duration::from_mins(1);
    let reply = function.handle(&Payload::from(payload.to_string()), deadline, &stage.name).await;
    assert_eq!(reply.expect("a reply")["results"][0]["resultCode"], "Succeeded");
    assert_eq!(stage.ids().await, BTreeSet::new());

    stage.put("next", &[new("ana", 21, "n1"), new("bob", 21, "n2"), new("eve", 21, "n3")]).await;
    assert_eq!(stage.invoke(&stage.function_that_learns(""), &["next".to_owned()]).await, [""; 0]);
    let expected = sha256(&format!("{NEW_USER}/{ACCOUNT}/n3/{}", json!(["eve"])));
    assert_eq!(stage.ids().await, BTreeSet::from([expected]));
}

#[tokio::test]
async fn a_table_is_named_by_its_arn_as_well() {
    let stage = Stage::new("by-arn").await;
    let table = aws_sdk_dynamodb::Client::new(&stage.config).describe_table().table_name(&stage.name);
    let arn = table.send().await.expect("a table").table.expect("a table").table_arn.expect("its ARN");
    let call = Call { is_new_user: true, user: "ana".into(), time: 1_790_000_000, event: "e1".into() };
    stage.put("a", &[call]).await;
    let read = |name: &str| match name {
        "SIGNAL_TOPIC_ARN" => Some(stage.topic.clone()),
        "MEMORY_TABLE" => Some(arn.clone()),
        "LEARNING_DAYS" => Some("0".to_owned()),
        _ => None,
    };
    let function = Handler::new(Settings::read(read).expect("good settings"), rules(), &stage.config);
    assert_eq!(stage.invoke(&function, &["a".to_owned()]).await, [""; 0]);
    assert_eq!(stage.ids().await.len(), 1);
}

#[tokio::test]
async fn functions_keep_the_quiet_time_of_notices_together() {
    let (stage, notices) = (Stage::new("quiet").await, Stage::new("quiet-notices").await);
    let function = || {
        let variables = BTreeMap::from([
            ("SIGNAL_TOPIC_ARN", stage.topic.as_str()),
            ("NOTICE_TOPIC_ARN", notices.topic.as_str()),
            ("MEMORY_TABLE", stage.name.as_str()),
            ("LEARNING_DAYS", "0"),
        ]);
        let read = |name: &str| variables.get(name).map(|value| (*value).to_owned());
        Handler::new(Settings::read(read).expect("good settings"), rules(), &stage.config)
    };
    for (day, user, sent) in [(0, "ana", 1), (20, "ana", 0), (20, "bob", 1), (40, "ana", 0)] {
        let (name, time) = (format!("{user}-{day}"), 1_790_000_000 + day * DAY);
        stage.put(&name, &[Call { is_new_user: true, user: user.into(), time, event: name.clone() }]).await;
        assert_eq!(stage.invoke(&function(), std::slice::from_ref(&name)).await, [""; 0]);
        assert_eq!(stage.ids().await.len(), 1, "{name}: the signal is published");
        assert_eq!(notices.messages().await.len(), sent, "{name}");
    }
}

#[tokio::test]
async fn an_account_that_falls_silent_and_comes_back_gives_a_signal_each_whatever_function_checks() {
    let stage = Stage::new("silence").await;
    let function = || {
        let variables = BTreeMap::from([
            ("SIGNAL_TOPIC_ARN", stage.topic.as_str()),
            ("MEMORY_TABLE", stage.name.as_str()),
            ("ACCOUNT_SILENCE_HOURS", "24"),
        ]);
        let read = |name: &str| variables.get(name).map(|value| (*value).to_owned());
        Handler::new(Settings::read(read).expect("good settings"), rules(), &stage.config)
    };
    // What was seen two months ago is forgotten, so the days are counted from now.
    let noon = |days_ago: u64| {
        let time = SystemTime::now() - Duration::from_hours(24 * days_ago);
        detection::time::rfc3339(time)[..10].to_owned() + "T12:00:00Z"
    };
    let deliver = async |days_ago| {
        let time = noon(days_ago).replace(['-', ':'], "").replace("0000Z", "00Z");
        let delivery = format!("{ACCOUNT}_CloudTrail_us-east-1_{time}_Qx7LmN2pVb9sTk4d");
        stage.put(&delivery, &[]).await;
        assert_eq!(stage.invoke(&function(), &[delivery]).await, [""; 0]);
    };
    let check = async |days_ago| {
        let check = json!({ "check": "silence", "time": noon(days_ago) });
        let deadline = SystemTime::now() + Duration::from_mins(1);
        function().handle(&Payload::from(check.to_string()), deadline, "check").await.expect("a summary");
        let signals = stage.messages().await.into_iter();
        signals.map(|signal| signal["event"]["action"].as_str().expect("an action").to_owned()).collect()
    };
    for days_ago in (10..20).rev() {
        deliver(days_ago).await;
    }
    let mut said: Vec<Vec<String>> = vec![check(10).await, check(8).await, check(8).await];
    deliver(7).await;
    said.extend([check(7).await, check(7).await]);
    assert_eq!(said, [vec![], vec!["DeliveriesStopped"], vec![], vec!["DeliveriesResumed"], vec![]]);
}
