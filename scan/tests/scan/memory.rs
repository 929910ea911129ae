//! Rules that remember.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use super::{assert_run, command, delivery, folder, scan};

const HEAD: &str = "[rule]\nauthor = [\"Somebody\"]\ndescription = \"Finds things.\"\nlanguage = \"kuery\"\nname = \"A Rule\"\nrisk_score = 21\nrule_id = \"a-rule\"\nseverity = \"low\"\nquery = \"event.action: x\"\n";
const NEW_TERMS: &str = "type = \"new_terms\"\n[rule.new_terms]\nfield = \"new_terms_fields\"\nvalue = [\"user.name\"]\n[[rule.new_terms.history_window_start]]\nfield = \"history_window_start\"\nvalue = \"now-10d\"\n";
const THRESHOLD: &str = "type = \"threshold\"\n[rule.threshold]\nfield = [\"user.name\"]\nvalue = 3\n";

fn record(minute: u32, id: &str, user: &str) -> Value {
    json!({
        "eventID": id, "eventSource": "iam.amazonaws.com", "eventName": "x", "recipientAccountId": "111122223333",
        "eventTime": format!("2026-11-23T10:{minute:02}:00Z"),
        "userIdentity": {"type": "IAMUser", "userName": user},
    })
}

#[test]
fn the_order_of_the_files_does_not_matter() {
    let rules = folder(&[("new.toml", &(HEAD.to_owned() + NEW_TERMS))]);
    let late = delivery(&[record(9, "a9", "alice"), record(1, "b1", "bob")]);
    let early = delivery(&[record(0, "a0", "alice"), record(5, "b5", "bob")]);
    for names in [["1.json", "2.json"], ["2.json", "1.json"]] {
        let logs = folder(&[(names[0], &late), (names[1], &early)]);
        let run = scan(&["--rules".as_ref(), rules.path(), logs.path()]);
        let line = "4 signals: 2 printed, 0 suppressed, 0 duplicates, 2 known";
        assert_run(&run, 0, &["a0", "b1"], &[line]);
        assert_eq!(run.documents()[0]["kibana"]["alert"]["new_terms"], json!(["alice"]));
        let place = run.documents()[0]["log"]["file"]["path"].as_str().map(str::to_owned);
        assert!(place.is_some_and(|place| place.ends_with(names[1])), "where its record lies");
    }
}

#[test]
fn a_threshold_counts_over_all_files_and_a_doubled_event_once() {
    let rules = folder(&[("many.toml", &(HEAD.to_owned() + THRESHOLD))]);
    let one = delivery(&[record(2, "c", "alice"), record(0, "a", "alice")]);
    let other = delivery(&[record(0, "a", "alice"), record(1, "b", "alice"), record(1, "d", "bob")]);
    let logs = folder(&[("1.json", &one), ("2.json", &other)]);
    let run = scan(&["--rules".as_ref(), rules.path(), logs.path()]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let [signal] = &run.documents()[..] else { panic!("{}", run.out) };
    let alert = &signal["kibana"]["alert"];
    assert_eq!(alert["threshold_result"]["count"], 3);
    assert_eq!(alert["original_time"], "2026-11-23T10:02:00.000Z");
    assert_eq!(signal["event"].get("original"), None);
    assert!(run.says("5 signals: 1 printed, 0 suppressed, 0 duplicates, 4 known"), "{}", run.err);
}

#[test]
fn history_is_learned_first_and_prints_nothing() {
    let rules = folder(&[("new.toml", &(HEAD.to_owned() + NEW_TERMS))]);
    let past = folder(&[("past.json", &delivery(&[record(0, "a0", "alice")]))]);
    let logs = folder(&[("now.json", &delivery(&[record(3, "a3", "alice"), record(4, "b4", "bob")]))]);
    let run = scan(&["--rules".as_ref(), rules.path(), "--history".as_ref(), past.path(), logs.path()]);
    let lines =
        ["1 record of the past learned from", "2 signals: 1 printed, 0 suppressed, 0 duplicates, 1 known"];
    assert_run(&run, 0, &["b4"], &lines);
    // Past records that are rejected are named and counted.
    fs::write(past.path().join("odd.json"), "[{\"a\":1}]").expect("a file can be written");
    let run = scan(&["--rules".as_ref(), rules.path(), "--history".as_ref(), past.path(), logs.path()]);
    assert_run(&run, 1, &["b4"], &["1 record of the past learned from", "1 record of the past rejected"]);
    // Past files that cannot be read are not learned from, and the run says so.
    fs::write(past.path().join("bad.json"), "{\"Records\":[").expect("a file can be written");
    let run = scan(&["--rules".as_ref(), rules.path(), "--history".as_ref(), past.path(), logs.path()]);
    assert_run(&run, 1, &["b4"], &["1 input failed, see above"]);
}

#[test]
fn more_matches_than_are_kept_are_read_again_from_their_files() {
    let rules = folder(&[("new.toml", &(HEAD.to_owned() + NEW_TERMS))]);
    let file = |first: usize| {
        let records = (first..first + 250).map(|number| {
            let mut record = record(0, &format!("e{number:03}"), &format!("u{}", number / 2));
            record["requestParameters"] = json!({ "pad": format!("{number:020000}") });
            record
        });
        delivery(&records.collect::<Vec<_>>())
    };
    let logs = folder(&[("1.json", &file(0)), ("2.json", &file(250))]);
    let run = scan(&["--rules".as_ref(), rules.path(), logs.path()]);
    let expected: Vec<_> = (0..250).map(|user| format!("e{:03}", user * 2)).collect();
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    assert_run(&run, 0, &expected, &["500 signals: 250 printed, 0 suppressed, 0 duplicates, 250 known"]);
    let places: Vec<_> = run.documents().iter().map(|signal| signal["log"]["file"]["path"].clone()).collect();
    let of_first =
        places.iter().filter(|place| place.as_str().is_some_and(|place| place.ends_with("1.json")));
    assert_eq!((of_first.count(), places.len()), (125, 250));
}

#[test]
fn what_cannot_be_read_again_is_kept() {
    let rules = folder(&[("new.toml", &(HEAD.to_owned() + NEW_TERMS))]);
    let rules = rules.path().to_str().expect("a name in UTF-8");
    let mut child = command(&["--rules", rules, "/dev/stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("scan runs");
    let text = delivery(&[record(0, "a", "alice")]);
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("scan reads");
    let output = child.wait_with_output().expect("scan ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let signal: Value = serde_json::from_slice(&output.stdout).expect("one signal");
    assert_eq!(signal["event"]["id"], "a");
}

#[test]
fn cases_of_rules_that_remember_are_judged_with_memory() {
    let case = |fires: &str, records: &[Value]| {
        format!("{{\"case\": \"c\", \"fires\": {fires}, \"records\": {}}}\n", json!(records))
    };
    let cases = case("1", &[record(1, "b", "alice"), record(0, "a", "alice")])
        + &case("2", &[record(0, "a", "alice"), record(1, "b", "bob")]);
    let rules = folder(&[("new.toml", &(HEAD.to_owned() + NEW_TERMS)), ("new.cases.jsonl", &cases)]);
    let run = scan(&["--test".as_ref(), "--rules".as_ref(), rules.path()]);
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
}
