//! A function with rules that remember, invoked again and again on one table.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use cloudtrail_signals::invocation::Handler;
use cloudtrail_signals::invocation::reply::Error;
use cloudtrail_signals::settings::Settings;
use cloudtrail_signals::trigger::Payload;
use detection::bundle::Exception;
use detection::detect::Ruleset;
use detection::rule::Source;
use serde_json::{Value, json};

use crate::dynamodb;
use crate::server::{Server, State};
use crate::world::{ATTEMPT, BUCKET, RULE, TOPIC, config, gzip, key, log_of, notification, sqs, start_log};

/// Finds new users: one tuple per user.
pub const NEW_USER: &str = "11111111-0000-4000-8000-000000000001";
/// Finds users who do too much: three events of a user within a minute.
pub const BUSY_USER: &str = "11111111-0000-4000-8000-000000000002";
pub const TABLE: &str = "memory";
/// Ten days, in seconds.
pub const WINDOW: u64 = 10 * 24 * 60 * 60;

/// A rule on every call, with this memory.
pub fn rule(id: &str, action: &str, memory: &Value) -> Value {
    let kind = memory.as_object().and_then(|memory| memory.keys().next()).expect("a type").clone();
    json!({
        "file": format!("{id}.toml"),
        "language": "kuery",
        "query": format!("event.provider: iam.amazonaws.com and event.action: {action}"),
        "memory": memory,
        "definition": {
            "rule_id": id, "name": format!("Rule {id}"), "type": kind, "description": "A rule of the tests.",
            "severity": "medium", "risk_score": 47, "author": ["Tests"], "references": [], "false_positives": [],
            "tags": [], "threat": [],
        },
    })
}

pub fn new_user() -> Value {
    rule(NEW_USER, "CreateUser", &json!({ "new_terms": { "fields": ["user.name"], "window": WINDOW } }))
}

pub fn busy_user() -> Value {
    let memory = json!({ "threshold": { "fields": ["user.name"], "value": 3, "window": 60 } });
    rule(BUSY_USER, "DeleteUser", &memory)
}

/// A rule that remembers nothing.
pub fn plain() -> Value {
    let mut plain = rule(RULE, "", &json!({ "query": {} }));
    plain["query"] = "event.provider: lambda.amazonaws.com".into();
    plain.as_object_mut().expect("a rule").remove("memory");
    plain
}

/// An IAM call by this user, at a time like `10:05:00` on 23 November 2026, or like `2020-11-24T10:05:00`.
pub fn call(action: &str, user: &str, time: &str, event: &str) -> Value {
    let time = if time.contains('T') { time.to_owned() } else { format!("2026-11-23T{time}") };
    json!({
        "eventVersion": "1.11",
        "userIdentity": { "type": "IAMUser", "userName": user, "accountId": "111122223333" },
        "eventTime": format!("{time}Z"),
        "eventSource": "iam.amazonaws.com",
        "eventName": action,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.10",
        "eventID": event,
        "recipientAccountId": "111122223333",
    })
}

/// A call that makes a user new, or known.
pub fn seen(user: &str, time: &str, event: &str) -> Value {
    call("CreateUser", user, time, event)
}

/// One table, one topic and one bucket, for one or more functions.
pub struct Stage {
    name: String,
    rules: Vec<Value>,
    exceptions: Vec<Exception>,
    settings: Vec<(&'static str, String)>,
    pub time: Duration,
    pub server: Server,
    invocations: AtomicU32,
}

impl Stage {
    /// With [`plain`], [`new_user`] and [`busy_user`], which do not learn. `name` must be unique among all cases.
    pub async fn new(name: &str) -> Self {
        start_log();
        Self {
            name: name.to_owned(),
            rules: vec![new_user(), busy_user()],
            exceptions: Vec::new(),
            settings: vec![
                ("SIGNAL_TOPIC_ARN", TOPIC.to_owned()),
                ("MEMORY_TABLE", TABLE.to_owned()),
                ("LEARNING_DAYS", "0".to_owned()),
            ],
            time: Duration::from_mins(1),
            server: Server::start(State::default()).await,
            invocations: AtomicU32::new(0),
        }
    }

    /// An empty value counts as not set.
    pub fn set(mut self, variable: &'static str, value: &str) -> Self {
        self.settings.retain(|(name, _)| *name != variable);
        self.settings.push((variable, value.to_owned()));
        self
    }

    /// Other rules that remember.
    pub fn rules(mut self, rules: Vec<Value>) -> Self {
        self.rules = rules;
        self
    }

    pub fn except(mut self, exception: Exception) -> Self {
        self.exceptions.push(exception);
        self
    }

    pub fn time(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    /// A function that has just started.
    pub fn function(&self) -> Handler {
        let read = |name: &str| {
            self.settings.iter().find(|variable| variable.0 == name).map(|variable| variable.1.clone())
        };
        let settings = Settings::read(read).expect("good settings");
        let sources = [vec![plain()], self.rules.clone()].concat();
        let sources = serde_json::from_value::<Vec<Source>>(sources.into()).expect("rules");
        let mut rules = Ruleset::new(sources).expect("good queries");
        self.exceptions.iter().for_each(|one| rules.except(one.clone()).expect("a good query"));
        Handler::new(settings, rules, &config(&self.server.endpoint, &self.name, ATTEMPT))
    }

    /// Puts a delivery into the bucket.
    pub fn put(&self, name: &str, records: &[Value]) {
        let body = gzip(json!({ "Records": records }).to_string().as_bytes());
        self.server.state().objects.insert(format!("{BUCKET}/{}", key(name)), body);
    }

    /// Invokes a function with a message for each of these deliveries.
    pub async fn invoke(&self, function: &Handler, deliveries: &[&str]) -> Invoked {
        self.invoke_with(function, &messages(deliveries)).await
    }

    pub async fn invoke_with(&self, function: &Handler, payload: &Value) -> Invoked {
        let number = self.invocations.fetch_add(1, Ordering::Relaxed);
        let request = format!("{} {number}", self.name);
        let before = self.requests().len();
        let deadline = SystemTime::now() + self.time;
        let reply = function.handle(&Payload::from(payload.to_string()), deadline, &request).await;
        let log = log_of(&request);
        let invoked = Invoked { reply, log, requests: self.requests()[before..].to_vec() };
        let count = |name| invoked.counter(name);
        assert_eq!(
            count("signals"),
            ["published", "suppressed", "duplicates", "known", "failed"].into_iter().map(count).sum::<u64>(),
            "signals"
        );
        invoked
    }

    /// Delivers records to a function that has just started.
    pub async fn deliver(&self, name: &str, records: &[Value]) -> Invoked {
        self.put(name, records);
        self.invoke(&self.function(), &[name]).await
    }

    /// The requests to the table, in order.
    pub fn requests(&self) -> Vec<String> {
        let state = self.server.state();
        state.requests.iter().filter_map(|request| dynamodb::operation(request).map(str::to_owned)).collect()
    }

    /// The rules and the events whose signals the topic took, in order, each as often as it took it.
    pub fn published(&self) -> Vec<(String, String)> {
        let state = self.server.state();
        let mut signals: Vec<_> = state
            .published
            .iter()
            .map(|published| {
                let text = |pointer| published.signal.pointer(pointer).and_then(Value::as_str);
                let rule = text("/kibana/alert/rule/rule_id").expect("a rule").to_owned();
                (rule, text("/kibana/alert/uuid").expect("an id").to_owned())
            })
            .collect();
        signals.sort();
        signals
    }

    /// The ids of the signals that the topic took, each once.
    pub fn ids(&self) -> Vec<String> {
        let mut ids: Vec<_> = self.published().into_iter().map(|(_, id)| id).collect();
        ids.sort();
        ids.dedup();
        ids
    }
}

/// A message for each of these deliveries.
pub fn messages(deliveries: &[&str]) -> Value {
    sqs(deliveries.iter().map(|name| (*name, notification(name).to_string())))
}

/// The id of the signal of a new user.
pub fn id_of_new(event: &str, user: &str) -> String {
    sha256(&format!("{NEW_USER}/111122223333/{event}/{}", json!([user])))
}

/// The id of the signal of a user who did too much, by the event that completed it.
pub fn id_of_busy(event: &str, user: &str) -> String {
    sha256(&format!("{BUSY_USER}/{}/{event}", json!([user])))
}

pub fn sha256(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// The outcome of one invocation.
pub struct Invoked {
    pub reply: Result<Value, Error>,
    pub log: Vec<Value>,
    /// The requests to the table.
    pub requests: Vec<String>,
}

impl Invoked {
    pub fn counter(&self, name: &str) -> u64 {
        let line = self.log.iter().find(|line| line["message"] == "invocation finished").expect("a summary");
        line[name].as_u64().unwrap_or_else(|| panic!("no counter {name} in {line}"))
    }

    /// The messages that failed, each with `transient` or `permanent` and the reason.
    pub fn failures(&self) -> Vec<(String, String, String)> {
        let failed = self.log.iter().filter(|line| line["message"] == "failed");
        let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        failed.map(|line| (text(line, "message_id"), text(line, "retry"), text(line, "reason"))).collect()
    }
}
