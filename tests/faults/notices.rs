//! Notices come after the signals, on their own topic, and no fault of theirs fails anything.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, SystemTime};

use cloudtrail_signals::invocation::Handler;
use cloudtrail_signals::rules;
use cloudtrail_signals::settings::Settings;
use cloudtrail_signals::trigger::Payload;
use serde_json::{Value, json};

use crate::server::{Script, Server, State, Wire};
use crate::sns::{Batch, Published};
use crate::stage::Stage;
use crate::world::{
    ATTEMPT, BUCKET, OWNER, RULE, Run, TOPIC, World, config, delivery, gzip, key, matching, notification, sqs,
};

pub const NOTICE_TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:notices";
const GOOD: Batch = Batch::Delay(Duration::ZERO);

/// A function that sends notices of everything.
fn world(name: &str) -> World {
    World::new(name).set("NOTICE_TOPIC_ARN", NOTICE_TOPIC).set("NOTICES", "all")
}

/// What the topic for notices took.
fn notices(run: &Run) -> Vec<Published> {
    let published = &run.server.state().published;
    published.iter().filter(|published| published.topic == NOTICE_TOPIC).cloned().collect()
}

/// The events whose signals were published.
fn signals(run: &Run) -> Vec<String> {
    let published = &run.server.state().published;
    let signals = published.iter().filter(|published| published.topic == TOPIC);
    signals.map(|published| published.event.clone()).collect()
}

/// A call by each of these users.
pub fn calls(users: impl IntoIterator<Item = String>) -> Vec<Value> {
    let call = |(index, user): (usize, String)| {
        let mut record = matching(&format!("e-{index}"));
        record["userIdentity"]["userName"] = user.into();
        record
    };
    users.into_iter().enumerate().map(call).collect()
}

/// A delivery with a call by each of these users.
fn of_users(users: impl IntoIterator<Item = String>) -> Vec<u8> {
    gzip(json!({ "Records": calls(users) }).to_string().as_bytes())
}

/// Checks that no more than ten notices a second arrived, leaving out the first `refused` requests.
#[track_caller]
fn check_pace(state: &State, refused: usize) {
    let requests = state.requests.iter();
    let sent = requests
        .filter(|request| request.fields.get("TopicArn").is_some_and(|topic| topic == NOTICE_TOPIC))
        .map(|request| (request.at, crate::sns::entries(request).len()))
        .skip(refused);
    let mails: Vec<_> = sent.flat_map(|(at, count)| std::iter::repeat_n(at, count)).collect();
    for eleven in mails.windows(11) {
        let time = eleven[10].duration_since(eleven[0]);
        assert!(time >= Duration::from_millis(900), "eleven mails within {time:?}");
    }
}

#[tokio::test]
async fn a_notice_follows_the_signals_on_a_topic_of_its_own() {
    let run = world("notice-after-signals").delivery("a", &["e1", "e2"]).run().await;
    assert_eq!(signals(&run), ["e1", "e2"]);
    assert_eq!((run.counter("notices"), run.counter("notices_failed")), (1, 0));
    let order: Vec<_> =
        run.server.state().published.iter().map(|published| published.topic.clone()).collect();
    assert_eq!(order, [TOPIC, TOPIC, NOTICE_TOPIC]);
    assert_eq!(run.arrivals("POST").len(), 2, "one request more");

    let notices = notices(&run);
    let entry = &notices[0].entry;
    assert_eq!(entry.structure.as_deref(), Some("json"));
    assert_eq!(entry.attributes, []);
    assert_eq!(entry.subject, "[low] AWS Lambda Function Created or Updated: ana in 111122223333, us-east-1");
    let body = &notices[0].signal;
    let mail = body["email"].as_str().expect("a mail");
    assert_eq!(body["default"], body["email"]);
    for line in ["  2 signals in account 111122223333", "  User          ana", "    pay"] {
        assert!(mail.lines().any(|found| found == line), "{line} in {mail}");
    }
    let card: Value = serde_json::from_str(body["https"].as_str().expect("a card")).expect("JSON");
    assert_eq!(card["source"], "custom");
    assert!(body["sms"].as_str().expect("a line").len() <= 140);
}

#[tokio::test]
async fn building_blocks_give_no_notice_unless_all_signals_are_asked_for() {
    let run = World::new("notice-of-no-building-block")
        .set("NOTICE_TOPIC_ARN", NOTICE_TOPIC)
        .delivery("a", &["e1"])
        .run()
        .await;
    assert_eq!((signals(&run).len(), notices(&run).len(), run.counter("notices")), (1, 0, 0));
    assert_eq!(run.arrivals("POST").len(), 1, "no request for notices");
}

#[tokio::test]
async fn without_a_topic_there_are_no_notices() {
    let run = World::new("notice-without-topic").set("NOTICES", "all").delivery("a", &["e1"]).run().await;
    assert_eq!((run.counter("published"), run.counter("notices"), run.counter("notices_failed")), (1, 0, 0));
}

#[tokio::test]
async fn a_notice_that_fails_is_counted_and_logged_and_fails_nothing() {
    let after = |fault| Script { first: [GOOD].into(), then: Some(fault) };
    let rows = [
        ("entry", after(Batch::Fails { event: "-", sender_fault: true, code: "InvalidParameter" })),
        ("missing", after(Batch::Status(404, "NotFound"))),
        ("forbidden", after(Batch::Status(403, "AuthorizationError"))),
        ("silent", after(Batch::Silent("-"))),
    ];
    for (name, script) in rows {
        let run = world(&format!("notice-fails-{name}")).delivery("a", &["e1"]).sns(script).run().await;
        assert_eq!(signals(&run), ["e1"], "{name}");
        assert_eq!(run.failed(), [""; 0], "{name}");
        assert_eq!((run.counter("notices"), run.counter("notices_failed")), (0, 1), "{name}");
        assert_eq!((run.counter("published"), run.counter("failed")), (1, 0), "{name}");
    }
}

#[tokio::test]
async fn a_fault_of_the_topic_for_notices_that_passes_costs_no_notice() {
    for (name, fault) in [
        ("throttled", Batch::Status(400, "Throttling")),
        ("reset", Batch::Wire(Wire::Reset)),
        ("fault", Batch::Status(503, "ServiceUnavailable")),
    ] {
        let run = world(&format!("notice-passes-{name}"))
            .delivery("a", &["e1"])
            .sns(Script::once([GOOD, fault]))
            .run()
            .await;
        assert_eq!(
            (notices(&run).len(), run.counter("notices"), run.counter("notices_failed")),
            (1, 1, 0),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_topic_for_notices_that_hangs_does_not_delay_the_reply() {
    let hanging = Batch::Delay(Duration::from_mins(2));
    let run = world("notice-hangs")
        .delivery("a", &["e1"])
        .sns(Script { first: [GOOD].into(), then: Some(hanging) })
        .time(Duration::from_secs(5))
        .run()
        .await;
    assert_eq!(run.failed(), [""; 0]);
    assert_eq!((run.counter("published"), run.counter("notices_failed")), (1, 1));
}

#[tokio::test]
async fn a_signal_that_was_not_published_is_in_no_notice() {
    let fault = Batch::Fails { event: "e1", sender_fault: true, code: "InvalidParameter" };
    let run =
        world("notice-of-published").delivery("a", &["e1", "e2"]).sns(Script::forever(fault)).run().await;
    assert_eq!(run.failed(), ["a"]);
    let notices = notices(&run);
    let mail = notices[0].signal["email"].as_str().expect("a mail");
    assert!(mail.contains("  1 signal in account 111122223333\n"), "{mail}");
}

#[tokio::test]
async fn at_most_ten_notices_a_second_and_twenty_an_invocation_are_sent_and_one_digest() {
    let run =
        world("notice-flood").object("a", of_users((0..50).map(|index| format!("user-{index}")))).run().await;
    let notices = notices(&run);
    assert_eq!((notices.len(), run.counter("notices")), (21, 21));
    assert_eq!(notices[20].entry.subject, "[low] 30 signals more, of 1 rule");
    check_pace(&run.server.state(), 0);
}

#[tokio::test]
async fn notices_keep_their_pace_after_sns_has_throttled_them() {
    let throttled = std::iter::repeat_n(Batch::Status(400, "Throttling"), 5);
    let run = world("notice-pace-throttled")
        .object("a", of_users((0..20).map(|index| format!("user-{index}"))))
        .sns(Script::once([GOOD, GOOD].into_iter().chain(throttled)))
        .run()
        .await;
    assert_eq!(run.counter("notices"), 20);
    check_pace(&run.server.state(), 5);
}

#[tokio::test]
async fn notices_keep_their_pace_from_one_invocation_of_a_function_to_the_next() {
    let stage = Stage::new("notice-pace-warm").await.rules(Vec::new()).set("MEMORY_TABLE", "");
    let stage = stage.set("NOTICE_TOPIC_ARN", NOTICE_TOPIC).set("NOTICES", "all");
    let function = stage.function();
    for name in ["a", "b"] {
        stage.put(name, &calls((0..10).map(|index| format!("{name}-{index}"))));
        assert_eq!(stage.invoke(&function, &[name]).await.counter("notices"), 10);
    }
    check_pace(&stage.server.state(), 0);
}

#[tokio::test]
async fn after_a_notice_the_same_rule_and_principal_are_quiet_and_others_are_not() {
    let mut state = State::default();
    for (name, bytes) in [
        ("a", delivery(&["e1"])),
        ("b", delivery(&["e2"])),
        ("c", of_users(["bob".to_owned()])),
        ("d", delivery(&["e3"])),
    ] {
        state.objects.insert(format!("{BUCKET}/{}", key(name)), bytes);
    }
    let server = Server::start(state).await;
    let config = config(&server.endpoint, "notice-quiet", ATTEMPT);
    let variables = BTreeMap::from([
        ("SIGNAL_TOPIC_ARN", TOPIC),
        ("NOTICE_TOPIC_ARN", NOTICE_TOPIC),
        ("NOTICES", "all"),
        ("NOTICE_QUIET_SECONDS", "2"),
    ]);
    let settings =
        Settings::read(|name| variables.get(name).map(|value| (*value).to_owned())).expect("settings");
    let rules = rules::load(&settings).expect("good rules").rules;
    let handler = Handler::new(settings, rules, &config);
    let subjects = || -> Vec<_> {
        let state = server.state();
        let notices = state.published.iter().filter(|published| published.topic == NOTICE_TOPIC);
        notices.map(|notice| (notice.entry.subject.clone(), notice.signal["email"].to_string())).collect()
    };
    let mut counts = Vec::new();
    for (name, pause) in [("a", 0), ("b", 0), ("c", 0), ("d", 2100)] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let payload = Payload::from(sqs([(name, notification(name).to_string())]).to_string());
        let deadline = SystemTime::now() + Duration::from_secs(30);
        handler.handle(&payload, deadline, "notice-quiet").await.expect("a reply");
        counts.push(subjects().len());
    }
    assert_eq!(counts, [1, 1, 2, 3], "{RULE}");
    let (_, last) = &subjects()[2];
    assert!(last.contains("1 earlier notice of this rule and principal was held back"), "{last}");
}

/// A file with a bundle of these routes (query, topic) and the name of an account.
fn bundle(routes: &[(&str, &str)]) -> tempfile::NamedTempFile {
    use sha2::{Digest, Sha256};
    let routes: Vec<_> = routes
        .iter()
        .map(|(query, topic)| json!({ "file": "routes/x.toml", "query": query, "topic": topic, "stop": false }))
        .collect();
    let content = json!({
        "tool": "0.1.0", "files": { "count": 1, "sha256": "" }, "rules": [], "exceptions": [],
        "accounts": { OWNER: "payments" }, "routes": routes,
    })
    .to_string();
    let mut sha256 = String::new();
    for byte in Sha256::digest(&content) {
        write!(sha256, "{byte:02x}").expect("a string");
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    let text = format!("{{\"format\": 1, \"sha256\": \"{sha256}\", \"content\": {content}}}");
    std::fs::write(file.path(), text).expect("the file can be written");
    file
}

#[tokio::test]
async fn a_route_of_a_bundle_takes_notices_to_a_topic_of_its_own_and_accounts_have_their_names() {
    const TEAM: &str = "arn:aws:sns:us-east-1:111122223333:team";
    let file = bundle(&[("user.name: user-1 and kibana.alert.severity: low", TEAM)]);
    let run = world("notice-route")
        .set("RULES_BUNDLE", file.path().to_str().expect("UTF-8"))
        .object("a", of_users((0..2).map(|index| format!("user-{index}"))))
        .run()
        .await;
    let state = run.server.state();
    let notices: Vec<_> = state.published.iter().filter(|published| published.topic != TOPIC).collect();
    let found: Vec<_> =
        notices.iter().map(|notice| (notice.topic.as_str(), notice.entry.subject.as_str())).collect();
    let subject = |user| {
        format!("[low] AWS Lambda Function Created or Updated: {user} in payments (111122223333), us-east-1")
    };
    let expected = [(NOTICE_TOPIC, subject("user-0")), (TEAM, subject("user-1"))];
    assert_eq!(found, expected.each_ref().map(|(topic, subject)| (*topic, subject.as_str())));
    let mail = notices[1].signal["email"].as_str().expect("a mail");
    assert!(mail.contains("  1 signal in account payments (111122223333)\n"), "{mail}");
}

#[tokio::test]
async fn a_route_to_a_topic_that_refuses_is_a_counted_failure_of_its_notice_alone() {
    let file = bundle(&[("user.name: user-1", "arn:aws:sns:us-east-1:999988887777:foreign")]);
    let run = world("notice-route-refused")
        .set("RULES_BUNDLE", file.path().to_str().expect("UTF-8"))
        .object("a", of_users((0..2).map(|index| format!("user-{index}"))))
        // The signals, the notice on the usual topic, and then the one along the route.
        .sns(Script { first: [GOOD, GOOD].into(), then: Some(Batch::Status(403, "AuthorizationError")) })
        .run()
        .await;
    assert_eq!(run.failed(), [""; 0]);
    assert_eq!((run.counter("published"), run.counter("failed")), (2, 0));
    assert_eq!((run.counter("notices"), run.counter("notices_failed")), (1, 1));
}
