//! What the cases are made of: records, deliveries, payloads, and one invocation of the function among them.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{LazyLock, Mutex, Once};
use std::time::{Duration, Instant, SystemTime};

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use cloudtrail_signals::invocation::Handler;
use cloudtrail_signals::invocation::reply::Error;
use cloudtrail_signals::rules;
use cloudtrail_signals::settings::Settings;
use cloudtrail_signals::telemetry;
use cloudtrail_signals::trigger::Payload;
use flate2::Compression;
use flate2::write::GzEncoder;
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

use crate::s3::Get;
use crate::server::{Script, Server, State};
use crate::sns::Batch;

pub const BUCKET: &str = "trail";
pub const OWNER: &str = "111122223333";
pub const RULE: &str = "1251b98a-ff45-11ee-89a1-f661ea17fbce";
pub const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:signals";
/// How long the clients wait for an answer.
pub const ATTEMPT: Duration = Duration::from_secs(2);

/// A record that the rule matches.
pub fn matching(event: &str) -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": { "type": "IAMUser", "userName": "ana", "accountId": OWNER, "principalId": "AIDAEXAMPLE" },
        "eventTime": "2026-11-23T10:05:00Z",
        "eventSource": "lambda.amazonaws.com",
        "eventName": "UpdateFunctionCode20150331v2",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.10",
        "requestParameters": { "functionName": "pay" },
        "eventID": event,
        "recipientAccountId": OWNER,
    })
}

/// Forty records that match nothing and cannot be compressed.
static NOISE: LazyLock<String> = LazyLock::new(|| {
    let mut random = fastrand::Rng::with_seed(7);
    let records = (0..40).map(|_| {
        let agent: String = (0..1000).map(|_| random.alphanumeric()).collect();
        json!({ "eventSource": "s3.amazonaws.com", "eventName": "GetObject", "userAgent": agent }).to_string()
    });
    records.collect::<Vec<_>>().join(",")
});

/// A delivery: its first event, the noise, its other events. Half of its bytes give the first event and no other.
pub fn delivery(events: &[&str]) -> Vec<u8> {
    let mut records: Vec<_> = events.iter().map(|event| matching(event).to_string()).collect();
    records.insert(records.len().min(1), NOISE.clone());
    gzip(format!("{{\"Records\":[{}]}}", records.join(",")).as_bytes())
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

pub fn key(name: &str) -> String {
    format!("AWSLogs/{OWNER}/CloudTrail/us-east-1/2026/11/23/{name}")
}

/// What S3 says about a new object.
pub fn notification(name: &str) -> Value {
    json!({ "Records": [{
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": { "bucket": { "name": BUCKET }, "object": { "key": key(name), "size": 1 } },
    }] })
}

pub fn sqs<'a>(messages: impl IntoIterator<Item = (&'a str, String)>) -> Value {
    let records: Vec<_> = messages
        .into_iter()
        .map(|(id, body)| json!({ "messageId": id, "eventSource": "aws:sqs", "body": body }))
        .collect();
    json!({ "Records": records })
}

pub fn batch_job(names: &[&str]) -> Value {
    let tasks: Vec<_> = names
        .iter()
        .map(|name| json!({ "taskId": name, "s3Key": key(name), "s3VersionId": null, "s3Bucket": BUCKET }))
        .collect();
    json!({ "invocationSchemaVersion": "2.0", "invocationId": "i-1", "job": { "id": "j", "userArguments": {} }, "tasks": tasks })
}

/// An invocation, with everything around it. By default a message with the name of each object announces it.
pub struct World {
    pub name: String,
    pub state: State,
    pub variables: BTreeMap<&'static str, String>,
    pub payload: Option<Value>,
    pub time: Duration,
    pub stall: Duration,
    pub attempt: Duration,
    announced: Vec<String>,
}

impl World {
    /// `name` must be unique among all cases: it is the request id, which the log is searched for.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            state: State::default(),
            variables: BTreeMap::from([("SIGNAL_TOPIC_ARN", TOPIC.to_owned())]),
            payload: None,
            time: Duration::from_mins(1),
            stall: Duration::from_secs(1),
            attempt: ATTEMPT,
            announced: Vec::new(),
        }
    }

    /// A delivery with these events.
    pub fn delivery(self, name: &str, events: &[&str]) -> Self {
        self.object(name, delivery(events))
    }

    pub fn object(mut self, name: &str, bytes: Vec<u8>) -> Self {
        self.state.objects.insert(format!("{BUCKET}/{}", key(name)), bytes);
        self.announce(name)
    }

    /// An object that need not be there.
    pub fn announce(mut self, name: &str) -> Self {
        self.announced.push(name.to_owned());
        self
    }

    pub fn get(mut self, name: &str, script: Script<Get>) -> Self {
        self.state.get_faults.insert(name.to_owned(), script);
        self
    }

    pub fn sns(mut self, script: Script<Batch>) -> Self {
        self.state.batch_faults = script;
        self
    }

    pub fn set(mut self, variable: &'static str, value: &str) -> Self {
        self.variables.insert(variable, value.to_owned());
        self
    }

    pub fn payload(mut self, payload: Value) -> Self {
        self.payload = Some(payload);
        self
    }

    /// How long Lambda gives the invocation.
    pub fn time(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    pub fn stall(mut self, stall: Duration) -> Self {
        self.stall = stall;
        self
    }

    /// How long the clients wait for an answer, where so much is sent that [`ATTEMPT`] is too short.
    pub fn attempt(mut self, attempt: Duration) -> Self {
        self.attempt = attempt;
        self
    }

    /// Invokes the function, and checks what holds for every invocation.
    pub async fn run(self) -> Run {
        start_log();
        let (name, time) = (self.name.clone(), self.time);
        let started = Instant::now();
        let ((payload, reply), server) = self.invoke().await;
        let left = time.checked_sub(started.elapsed());
        let run = Run { log: log_of(&name), payload, reply, started, left, server };
        run.audit();
        run
    }

    /// Invokes the function; returns payload and reply.
    pub async fn invoke(self) -> ((Value, Result<Value, Error>), Server) {
        let payload = self.payload.unwrap_or_else(|| {
            sqs(self.announced.iter().map(|name| (name.as_str(), notification(name).to_string())))
        });
        let server = Server::start(self.state).await;
        let config = config(&server.endpoint, &self.name, self.attempt);
        let settings = Settings::read(|name| self.variables.get(name).cloned()).expect("good settings");
        let rules = rules::load(&settings).expect("good rules").rules;
        let handler = Handler::new(settings, rules, &config).with_stall(self.stall);
        let reply = handler
            .handle(&Payload::from(payload.to_string()), SystemTime::now() + self.time, &self.name)
            .await;
        ((payload, reply), server)
    }
}

/// The configuration of the real clients, with other addresses and with time-outs for tests.
pub fn config(endpoint: &str, name: &str, attempt: Duration) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(attempt)
        .operation_attempt_timeout(attempt)
        .operation_timeout(6 * attempt)
        .build();
    // Clients in one region share a retry quota, and the cases should not.
    let region: String = name.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new(region.to_ascii_lowercase()))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "id",
            SECRET,
            Some(SESSION_TOKEN.to_owned()),
            None,
            "test",
        )))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::standard())
        .timeout_config(timeouts)
        .build()
}

/// What no log line may hold.
pub const SECRET: &str = "very-secret-access-key";
pub const SESSION_TOKEN: &str = "very-secret-session-token";

/// The outcome of an invocation.
pub struct Run {
    pub payload: Value,
    pub reply: Result<Value, Error>,
    pub started: Instant,
    /// How long before the deadline the reply came.
    pub left: Option<Duration>,
    pub log: Vec<Value>,
    pub server: Server,
}

impl Run {
    /// The events whose signals the topic took, in order, as often as it took them.
    pub fn published(&self) -> Vec<String> {
        let mut events: Vec<_> =
            self.server.state().published.iter().map(|published| published.event.clone()).collect();
        events.sort();
        events
    }

    /// The messages that came back as failed, in order.
    pub fn failed(&self) -> Vec<String> {
        let reply = self.reply.as_ref().expect("a reply to a queue");
        let failures = reply["batchItemFailures"].as_array().expect("batchItemFailures");
        let mut ids: Vec<_> = failures
            .iter()
            .map(|failure| failure["itemIdentifier"].as_str().expect("an identifier").to_owned())
            .collect();
        ids.sort();
        ids
    }

    /// The type and the message of the invocation's error.
    pub fn error(&self) -> (String, String) {
        let error = self.reply.clone().expect_err("an error");
        let Diagnostic { error_type, error_message } = error.into();
        (error_type, error_message)
    }

    /// A counter of the summary line.
    pub fn counter(&self, name: &str) -> u64 {
        let lines: Vec<_> = self.lines("invocation finished").collect();
        assert_eq!(lines.len(), 1, "one summary an invocation");
        lines[0][name].as_u64().unwrap_or_else(|| panic!("no counter {name} in {}", lines[0]))
    }

    pub fn lines<'a>(&'a self, message: &'a str) -> impl Iterator<Item = &'a Value> {
        self.log.iter().filter(move |line| line["message"] == message)
    }

    /// The failures of a message in the log: `transient` or `permanent`, and why.
    pub fn failures_of(&self, id: &str) -> Vec<(String, String)> {
        self.lines("failed")
            .filter(|line| line["message_id"] == id)
            .map(|line| {
                let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
                (text("retry"), text("reason"))
            })
            .collect()
    }

    /// Arrival of the requests with this method, since the start.
    pub fn arrivals(&self, method: &str) -> Vec<Duration> {
        let state = self.server.state();
        let requests = state.requests.iter().filter(|request| request.method == method);
        requests.map(|request| request.at.duration_since(self.started)).collect()
    }

    /// Checks what holds for every invocation.
    fn audit(&self) {
        let count = |name| self.counter(name);
        assert_eq!(count("records"), count("matched") + count("unmatched") + count("rejected"), "records");
        assert_eq!(
            count("signals"),
            ["published", "suppressed", "duplicates", "known", "failed"].into_iter().map(count).sum::<u64>(),
            "signals"
        );
        let mut distinct = self.published();
        distinct.dedup();
        assert!(count("completed") <= count("deliveries"), "completed");
        assert!(count("unarchived") <= count("published"), "unarchived");
        assert!(count("published") <= distinct.len() as u64, "published what the topic has not got");
        assert!(
            self.left >= Some(Duration::from_millis(500)),
            "the reply came {:?} before the end",
            self.left
        );

        assert_eq!(self.server.state().broken_limits, [""; 0], "limits of SNS");

        // Every failed message has a line that says why, and no other has.
        let logged = |id: &str| !self.failures_of(id).is_empty();
        if let Ok(reply) = &self.reply
            && !reply["batchItemFailures"].is_null()
        {
            let failed = self.failed();
            for message in self.payload["Records"].as_array().expect("messages") {
                let id = message["messageId"].as_str().unwrap_or_default();
                assert_eq!(
                    failed.iter().any(|failed| failed == id),
                    logged(id),
                    "the log about message {id}"
                );
            }
            let known = |id: &String| {
                self.payload["Records"]
                    .as_array()
                    .is_some_and(|all| all.iter().any(|message| message["messageId"] == **id))
            };
            assert!(failed.iter().all(known), "an identifier that nobody sent: {failed:?}");
        }
        assert!(self.log.iter().all(|line| !line.to_string().contains(SECRET)), "a secret in the log");
        crate::logs::audit();
    }
}

pub static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// The log of all cases: the function's own, with every line kept.
pub fn start_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = telemetry::subscriber("DEBUG", "JSON", || LogWriter);
        tracing::subscriber::set_global_default(subscriber).expect("the first subscriber");
    });
}

struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().expect("no panic while logging").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub fn log_of(request_id: &str) -> Vec<Value> {
    let mut lines = log_with(&Value::from(request_id).to_string());
    lines.retain(|line| line["request_id"] == request_id);
    lines
}

/// The lines of the log of all cases that hold these words.
pub fn log_with(words: &str) -> Vec<Value> {
    let log = LOG.lock().expect("no panic while logging");
    let lines = str::from_utf8(&log).expect("UTF-8").lines().filter(|line| line.contains(words));
    lines.map(|line| serde_json::from_str(line).expect("a log line is JSON")).collect()
}

/// How many lines of the log of all cases name this bucket and say this.
pub fn log_lines(bucket: &str, words: &str) -> usize {
    let log = String::from_utf8(LOG.lock().expect("no panic while logging").clone()).expect("UTF-8");
    let bucket = format!("\"bucket\":\"{bucket}\"");
    log.lines().filter(|line| line.contains(&bucket) && line.contains(words)).count()
}
