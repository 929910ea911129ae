//! What the log says, and what it never says.

use std::io::Write;
use std::sync::{Arc, Mutex};

use cloudtrail_signals::telemetry;
use cloudtrail_signals::telemetry::counters::Counters;
use cloudtrail_signals::telemetry::line::{self, Line};
use serde_json::{Value, json};

use crate::s3::Get;
use crate::server::Script;
use crate::world::{LOG, SECRET, SESSION_TOKEN, World, delivery, gzip, key, matching, notification, sqs};

/// A separate log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic while logging").clone()).expect("UTF-8")
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic while logging").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The log of an invocation, at this level and in this format.
async fn log_of(world: World, level: &str, format: &str) -> String {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = telemetry::subscriber(level, format, move || writer.clone());
    let guard = tracing::subscriber::set_default(subscriber);
    let (_, _server) = world.invoke().await;
    drop(guard);
    log.text()
}

/// Checks what all cases have logged since the last check: each line is one of the page's, with its level and fields.
pub fn audit() {
    static CHECKED: Mutex<usize> = Mutex::new(0);
    let new = {
        let mut checked = CHECKED.lock().expect("no panic while counting");
        let log = LOG.lock().expect("no panic while logging");
        let start = std::mem::replace(&mut *checked, log.len());
        String::from_utf8(log[start..].to_vec()).expect("UTF-8")
    };
    // Leaves out the one line that a dependency writes here.
    for line in new.lines().filter(|line| !line.contains("\"unrecognized error from Hyper.")) {
        check(&serde_json::from_str(line).expect("a log line is JSON"));
    }
}

/// Checks that the item for a line has its level and names every field.
fn check(log_line: &Value) {
    let (message, level) = (log_line["message"].as_str(), log_line["level"].as_str());
    let is_it = |item: &Line| Some(item.message) == message && Some(item.level.as_str()) == level;
    let at = line::ALL.iter().position(is_it).unwrap_or_else(|| panic!("no item for {log_line}"));
    // An item whose fields are "the same" also has those of the item before.
    let first = at - usize::from(line::ALL[at].fields.starts_with("the same"));
    let fields = line::ALL[first..=at].iter().map(|item| item.fields).collect::<Vec<_>>().join(", ");
    let counters = Counters::default();
    let counters = counters.all().filter(|_| message == Some("invocation finished"));
    // Every second piece is between two backticks.
    let named: Vec<_> =
        fields.split('`').skip(1).step_by(2).chain(counters.map(|(counter, _)| counter.name)).collect();
    let fields = log_line.as_object().expect("an object").keys().map(String::as_str);
    for field in fields.filter(|field| !["timestamp", "level", "message"].contains(field)) {
        assert!(named.contains(&field), "the item of {message:?} does not name {field}");
    }
}

#[test]
fn the_page_has_a_row_for_every_line_with_its_level_and_fields() {
    let page = std::fs::read_to_string("docs/operate.md").expect("the page");
    let section = page.split("\n## Log\n").nth(1).and_then(|rest| rest.split("\n## ").next());
    let rows: Vec<_> =
        section.expect("a section").lines().filter(|line| line.starts_with("| `")).skip(1).collect();
    let expected: Vec<_> = line::ALL
        .iter()
        .map(|Line { message, level, fields }| format!("| `{message}` | {level} | {fields} |"))
        .collect();
    assert_eq!(rows, expected);
}

#[test]
#[should_panic(expected = "does not name secret")]
fn a_field_that_the_page_does_not_name_is_noticed() {
    check(&json!({ "timestamp": "", "level": "DEBUG", "message": "skipped", "reason": "", "secret": "" }));
}

/// An invocation in which everything that comes from outside tries to write lines of its own.
fn forger(name: &str) -> World {
    let forged = "x\n{\"message\":\"forged\"}\r\n\u{1b}[31m\u{2028}\"";
    let mut bad_key = notification("x");
    bad_key["Records"][0]["s3"]["object"]["key"] =
        key("%0A%7B%22message%22%3A%22forged%22%7D%0D%1B%5B31m").into();
    let mut record = matching(forged);
    record["userIdentity"]["userName"] = forged.into();
    let payload = sqs([
        ("key", bad_key.to_string()),
        (forged, bad_key.to_string()),
        ("source", json!({ "source": forged, forged: 7 }).to_string()),
        ("record", notification("record").to_string()),
    ]);
    World::new(name)
        .object("record", gzip(json!({ "Records": [record, 7] }).to_string().as_bytes()))
        .set("EXCEPTION_QUERY", "user.name: x*")
        .payload(payload)
}

#[tokio::test]
async fn no_input_can_write_a_line_of_the_log_in_either_format() {
    let lines = |log: &str| log.lines().map(str::to_owned).collect::<Vec<_>>();
    let as_json = log_of(forger("logs: forger, JSON"), "INFO", "JSON").await;
    let others = [
        "rules that remember are off: set MEMORY_TABLE",
        "suppressed by EXCEPTION_QUERY",
        "invocation finished",
    ];
    let expected = ["failed"; 4].into_iter().chain(others);
    let mut messages: Vec<_> = lines(&as_json)
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["message"].clone())
        .collect();
    messages.sort_by_key(ToString::to_string);
    let mut expected: Vec<_> = expected.map(|message| json!(message)).collect();
    expected.sort_by_key(ToString::to_string);
    assert_eq!(messages, expected);

    let as_text = log_of(forger("logs: forger, text"), "INFO", "Text").await;
    assert_eq!(lines(&as_text).len(), expected.len(), "{as_text}");
    for log in [as_json, as_text] {
        let allowed = |character: char| character == '\n' || !character.is_control();
        assert!(log.chars().all(allowed), "{log:?}");
    }
}

#[tokio::test]
async fn no_log_level_shows_credentials_or_records() {
    for level in ["TRACE", "DEBUG", "INFO"] {
        let world = World::new(&format!("logs: {level}"))
            .delivery("a", &["private-event"])
            .delivery("b", &[])
            .get("b", Script::forever(Get::Status(403, "AccessDenied")));
        let log = log_of(world, level, "JSON").await;
        assert!(log.contains("invocation finished") && log.contains("AccessDenied"));
        for secret in [SECRET, SESSION_TOKEN, "private-event", "Signature=", "192.0.2.10", "functionName"] {
            assert!(!log.contains(secret), "{level} shows {secret}");
        }
    }
}

#[tokio::test]
async fn a_suppressed_match_is_logged_with_what_the_exception_hides() {
    let world =
        World::new("logs: suppressed").delivery("a", &["a1"]).set("EXCEPTION_QUERY", "user.name: ana");
    let log = log_of(world, "INFO", "JSON").await;
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let lines: Vec<_> = lines.filter(|line| line["message"] == "suppressed by EXCEPTION_QUERY").collect();
    let [line] = &lines[..] else { panic!("{log}") };
    let object = format!("s3://trail/{}", key("a"));
    for (field, value) in [
        ("level", "INFO"),
        ("rule_id", crate::world::RULE),
        ("rule_name", "AWS Lambda Function Created or Updated"),
        ("event_action", "UpdateFunctionCode20150331v2"),
        ("event_id", "a1"),
        ("caller", "ana"),
        ("account", crate::world::OWNER),
        ("region", "us-east-1"),
        ("object", &object),
    ] {
        assert_eq!(line[field], value, "{line}");
    }
    assert!(line["signal_id"].as_str().is_some_and(|id| id.len() == 64), "{line}");
}

#[tokio::test]
async fn every_failure_has_a_line_with_the_message_and_the_object() {
    let run = World::new("logs: failures")
        .announce("missing")
        .delivery("slow-down", &[])
        .get("slow-down", Script::forever(Get::Status(503, "SlowDown")))
        .delivery("good", &["g1"])
        .run()
        .await;
    let lines: Vec<_> = run.lines("failed").collect();
    assert_eq!(lines.len(), 2);
    for (line, (id, level, retry)) in
        lines.iter().zip([("missing", "ERROR", "permanent"), ("slow-down", "WARN", "transient")])
    {
        assert_eq!(
            (&line["message_id"], &line["level"], &line["retry"]),
            (&json!(id), &json!(level), &json!(retry))
        );
        let reason = line["reason"].as_str().expect("a reason");
        assert!(reason.starts_with(&format!("s3://trail/{}: ", key(id))), "{reason}");
    }
}

#[tokio::test]
async fn the_summary_has_every_counter() {
    let run = World::new("logs: summary").delivery("a", &["a1"]).run().await;
    let counters = [
        ("deliveries", 1),
        ("completed", 1),
        ("skipped", 0),
        ("records", 41),
        ("matched", 1),
        ("unmatched", 40),
        ("rejected", 0),
        ("signals", 1),
        ("published", 1),
        ("suppressed", 0),
        ("duplicates", 0),
        ("known", 0),
        ("failed", 0),
        ("unarchived", 0),
    ];
    for (name, value) in counters {
        assert_eq!(run.counter(name), value, "{name}");
    }
    assert!(run.counter("bytes_inflated") > run.counter("bytes_in") && run.counter("bytes_in") > 0);
    assert!(run.counter("milliseconds") < 60_000);
}

#[tokio::test]
async fn a_delivery_counts_as_completed_only_if_it_was_read_to_its_end() {
    let forbidden = Script::forever(Get::Status(403, "AccessDenied"));
    let run = World::new("logs: completed").delivery("a", &["a1"]).get("a", forbidden).run().await;
    assert_eq!((run.counter("deliveries"), run.counter("completed")), (1, 0));

    let mut half = delivery(&["a1"]);
    half.truncate(half.len() / 2);
    let run = World::new("logs: half completed").object("a", half).delivery("b", &[]).run().await;
    assert_eq!((run.counter("deliveries"), run.counter("completed"), run.counter("published")), (2, 1, 1));

    // Calls that EventBridge brings say nothing about the deliveries.
    let call = json!({ "detail-type": "AWS API Call via CloudTrail", "source": "aws.lambda", "detail": matching("e1") });
    let run = World::new("logs: not completed").payload(call).run().await;
    assert_eq!((run.counter("deliveries"), run.counter("completed"), run.counter("published")), (1, 0, 1));
}
