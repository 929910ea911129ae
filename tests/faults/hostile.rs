//! Hostile input: a clear error or a right answer, never a panic, and no effect on its neighbours.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::world::{BUCKET, World, gzip, key, matching, notification, sqs};

/// An object, the events whose signals it still gives, and the error that its message gets.
struct Row {
    name: &'static str,
    bytes: Vec<u8>,
    found: &'static [&'static str],
    error: Option<&'static str>,
}

fn row(name: &'static str, bytes: Vec<u8>, found: &'static [&'static str], error: &'static str) -> Row {
    Row { name, bytes, found, error: Some(error) }
}

fn harmless(name: &'static str, bytes: Vec<u8>, found: &'static [&'static str]) -> Row {
    Row { name, bytes, found, error: None }
}

/// A delivery of a matching record, the record that `change` makes from another one's text, and a final matching one.
fn around(change: impl Fn(String) -> Vec<u8>) -> Vec<u8> {
    let text = |event| matching(event).to_string().into_bytes();
    let odd = change(matching("odd").to_string());
    gzip(&[&b"{\"Records\":["[..], &text("e1"), b",", &odd, b",", &text("e2"), b"]}"].concat())
}

/// The same, with one piece of the record's text replaced.
fn replaced(from: &str, to: &[u8]) -> Vec<u8> {
    around(|text| {
        let (before, after) = text.split_once(from).expect("the text holds it");
        [before.as_bytes(), to, after.as_bytes()].concat()
    })
}

/// `megabytes` of `byte`, behind the start of a delivery, as one gzip member.
fn bomb(megabytes: usize, byte: u8) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(b"{\"Records\":[").expect("memory");
    let million = vec![byte; 1_000_000];
    for _ in 0..megabytes {
        encoder.write_all(&million).expect("memory");
    }
    encoder.finish().expect("memory")
}

fn whole_objects() -> Vec<Row> {
    let good = || json!({ "Records": [matching("e1")] }).to_string().into_bytes();
    let members = |pieces: &[&[u8]]| pieces.iter().flat_map(|piece| gzip(piece)).collect::<Vec<_>>();
    let mut many_members = gzip(b"{\"Records\":[");
    let spaces = gzip(&vec![b' '; 1_000_000]);
    many_members.extend(std::iter::repeat_n(spaces, 40).flatten());
    let mut wrong_checksum = gzip(&good());
    let checksum = wrong_checksum.len() - 8;
    wrong_checksum[checksum] ^= 1;
    let whole = good();
    let middle = whole.len() / 2;
    vec![
        row("zero bytes", Vec::new(), &[], "the object is empty"),
        row("a bomb of spaces in one member", bomb(40, b' '), &[], "decompression bomb"),
        row("a bomb of zeros in one member", bomb(40, 0), &[], "decompression bomb"),
        row("a bomb of brackets", bomb(40, b'['), &[], "decompression bomb"),
        row("a bomb of many members", many_members, &[], "decompression bomb"),
        row("NUL bytes", vec![0; 10_000], &[], "not a CloudTrail delivery"),
        row("a web page", b"<html>Forbidden</html>".to_vec(), &[], "not a CloudTrail delivery"),
        row("invalid UTF-8", vec![0xff; 100], &[], "not a CloudTrail delivery"),
        row("a string", gzip(b"\"text\""), &[], "not a CloudTrail delivery"),
        row("no Records", gzip(b"{\"records\":[]}"), &[], "record 0: not a CloudTrail record"),
        row("UTF-16", b"\xff\xfe{\0}\0".to_vec(), &[], "UTF-16"),
        row("a wrong checksum", wrong_checksum, &["e1"], "checksum"),
        row("garbage after the gzip data", [gzip(&good()), b"garbage".to_vec()].concat(), &["e1"], "garbage"),
        row("JSON that ends too early", gzip(&whole[..whole.len() - 1]), &["e1"], "ends too early"),
        row("something after the JSON", gzip(&[&whole[..], b" 7"].concat()), &["e1"], "expected"),
        harmless("two members", members(&[&whole[..middle], &whole[middle..]]), &["e1"]),
        harmless("no gzip at all", whole, &["e1"]),
        harmless("no records", gzip(b"{\"Records\":[]}"), &[]),
    ]
}

fn single_records() -> Vec<Row> {
    const REST: &[&str] = &["e1", "e2"];
    const EVERY: &[&str] = &["e1", "e2", "odd"];
    let nested = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat();
    vec![
        harmless("invalid UTF-8 in a record", replaced("ana", b"\xff\xfe"), EVERY),
        harmless("half a surrogate pair", replaced("ana", b"\\ud800"), EVERY),
        row(
            "a raw NUL byte in a string",
            replaced("ana", b"\0"),
            REST,
            "record 1: the record is not valid JSON",
        ),
        row(
            "a string of 10 MB",
            replaced("ana", &vec![b'a'; 10_000_000]),
            REST,
            "record 1: the record is larger",
        ),
        row("nesting 100,000 deep", replaced("\"pay\"", nested(100_000).as_bytes()), REST, "record 1: "),
        row("brackets that do not match", replaced("\"pay\"", b"[}"), REST, "record 1: the brackets"),
        // Searching through everything that is open, for each of them, would take minutes.
        row(
            "half a million brackets that close nothing",
            around(|_| [[b'{'; 500_000], [b']'; 500_000]].concat()),
            REST,
            "record 1: the brackets",
        ),
        harmless("an escaped NUL", replaced("\"pay\"", b"\"\\u0000pay\\u0000\""), EVERY),
        harmless("a number past all bounds", replaced("\"pay\"", b"1e999"), EVERY),
        harmless("numbers past 2^64", replaced("\"pay\"", b"[18446744073709551616,1e300,-0.0]"), EVERY),
        harmless("noncharacters", replaced("ana", "\u{ffff}\u{fffe}\u{7f}".as_bytes()), EVERY),
        harmless(
            "keys that come twice",
            replaced("\"eventName\"", b"\"eventName\":\"x\",\"eventName\""),
            EVERY,
        ),
        harmless(
            "the name of another call last",
            replaced("\"recipientAccountId\"", b"\"eventName\":\"x\",\"recipientAccountId\""),
            REST,
        ),
        harmless("a text in another script", replaced("ana", "אנה 安娜 \u{202e}".as_bytes()), EVERY),
        harmless("nesting 100 deep", replaced("\"pay\"", nested(100).as_bytes()), EVERY),
    ]
}

async fn check(row: Row) {
    let name = row.name;
    let run = World::new(&format!("hostile: {name}"))
        .object("odd", row.bytes)
        .delivery("good", &["g1"])
        .run()
        .await;
    let mut expected: Vec<_> = row.found.to_vec();
    expected.push("g1");
    expected.sort_unstable();
    assert_eq!(run.published(), expected, "{name}: {:?}", run.failures_of("odd"));
    let failures = run.failures_of("odd");
    match row.error {
        None => assert_eq!(run.failed(), [""; 0], "{name}: {failures:?}"),
        Some(error) => {
            assert_eq!(run.failed(), ["odd"], "{name}");
            let place = format!("s3://{BUCKET}/{}", key("odd"));
            assert!(failures.iter().any(|(_, reason)| reason.contains(error)), "{name}: {failures:?}");
            assert!(failures.iter().all(|(_, reason)| reason.starts_with(&place)), "{name}: {failures:?}");
            assert!(failures.iter().all(|(retry, _)| retry == "permanent"), "{name}: {failures:?}");
        }
    }
}

#[tokio::test]
async fn a_hostile_object_is_a_clear_error_and_what_was_found_in_it_is_published() {
    crate::all(whole_objects(), |row| row.name, check).await;
}

#[tokio::test]
async fn a_hostile_record_costs_no_other_record() {
    crate::all(single_records(), |row| row.name, check).await;
}

#[tokio::test]
async fn a_number_past_2_to_the_64_stands_in_the_signal_as_it_was_written() {
    let run = World::new("hostile: big number")
        .object("a", replaced("\"pay\"", b"18446744073709551617"))
        .run()
        .await;
    let state = run.server.state();
    let odd = state.published.iter().find(|published| published.event == "odd").expect("published");
    let original = odd.signal.pointer("/event/original").and_then(Value::as_str).expect("the record");
    assert!(original.contains("18446744073709551617"), "{original}");
}

#[tokio::test]
async fn a_hostile_payload_fails_alone() {
    let mut foreign = notification("good");
    foreign["Records"][0]["s3"]["bucket"]["name"] =
        "arn:aws:s3:us-east-1:666677778888:accesspoint/theirs".into();
    let mut spaced = notification("good");
    spaced["Records"][0]["s3"]["bucket"]["name"] = "a bucket/../\n".into();
    let mut nameless = notification("good");
    nameless["Records"][0]["s3"]["bucket"]["name"] = "".into();
    let mut keyless = notification("good");
    keyless["Records"][0]["s3"]["object"]["key"] = "".into();
    let mut no_utf8 = notification("good");
    no_utf8["Records"][0]["s3"]["object"]["key"] = "%ff%fe".into();
    let log_data = |bytes: &[u8]| json!({ "awslogs": { "data": STANDARD.encode(gzip(bytes)) } }).to_string();
    let mut wrapped = json!({ "Records": [] }).to_string();
    for _ in 0..20 {
        wrapped = json!({ "Type": "Notification", "Message": wrapped }).to_string();
    }
    let odd = [
        ("foreign", foreign.to_string()),
        ("spaced", spaced.to_string()),
        ("nameless", nameless.to_string()),
        ("keyless", keyless.to_string()),
        ("no-utf8", no_utf8.to_string()),
        ("nested", "[".repeat(100_000)),
        ("wrapped", wrapped),
        ("surrogate", "{\"source\":\"\\ud800\"}".to_owned()),
        ("nul", "\0".repeat(1000)),
        ("log-bomb", log_data(&vec![b' '; 80_000_000])),
        ("log-garbage", log_data(b"{")),
        ("big", format!("\"{}\"", "a".repeat(10_000_000))),
    ];
    let mut names: Vec<_> = odd.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    let all = odd.into_iter().chain([("good", notification("good").to_string())]);
    let run = World::new("hostile: payloads").delivery("good", &["g1"]).payload(sqs(all)).run().await;
    assert_eq!(run.published(), ["g1"]);
    assert_eq!(run.failed(), names);
    for name in names {
        let failures = run.failures_of(name);
        assert!(failures.iter().all(|(retry, _)| retry == "permanent"), "{name}: {failures:?}");
        assert!(failures.iter().all(|(_, reason)| reason.len() < 500), "{name}: {failures:?}");
    }
    let state = run.server.state();
    assert_eq!(
        state.requests.iter().filter(|request| request.method == "GET").count(),
        1,
        "only the good one"
    );
}

#[tokio::test]
async fn a_key_may_hold_any_character() {
    let name = "ünï ço+de%25\"'<>&?#\\{}^`|~\u{1f600}\t";
    let encoded: String = form(&key(name));
    let mut payload = notification("x");
    payload["Records"][0]["s3"]["object"]["key"] = encoded.into();
    let run = World::new("hostile: key").delivery(name, &["e1"]).payload(payload).run().await;
    assert_eq!(run.published(), ["e1"]);
    let state = run.server.state();
    assert_eq!(state.published[0].signal.pointer("/aws/s3/object/key"), Some(&json!(key(name))));
}

/// As S3 encodes keys in notifications.
fn form(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' => (byte as char).to_string(),
            b' ' => "+".to_owned(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
