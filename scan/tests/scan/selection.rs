//! `--since`, `--until`, `--account`, `--region`: files by their paths, records by their fields.

use serde_json::{Value, json};

use crate::{delivery, folder, hit, miss, path, scan};

fn record(event: &str, time: &str, account: &str, region: &str) -> Value {
    let mut record = hit(event);
    record["eventTime"] = time.into();
    record["recipientAccountId"] = account.into();
    record["awsRegion"] = region.into();
    record
}

/// The events that these options leave.
fn events(options: &[&str], records: &[Value]) -> Vec<String> {
    let folder = folder(&[("a.json", &delivery(records))]);
    let run = scan(&[options, &[path(&folder)]].concat());
    assert_eq!(run.code, Some(0), "{}", run.err);
    run.events()
}

#[test]
fn records_are_chosen_by_time_account_and_region() {
    let (one, two) = ("111122223333", "444455556666");
    let records = [
        record("a", "2026-11-22T23:59:59Z", one, "us-east-1"),
        record("b", "2026-11-23T00:00:00Z", one, "eu-west-1"),
        record("c", "2026-11-23T23:59:59Z", two, "us-east-1"),
        record("d", "2026-11-24T00:00:00Z", two, "eu-west-1"),
    ];
    let rows: [(&[&str], &[&str]); 9] = [
        (&["--since", "2026-11-23"], &["b", "c", "d"]),
        (&["--until", "2026-11-23"], &["a", "b", "c"]),
        (&["--since", "2026-11-23", "--until", "2026-11-23"], &["b", "c"]),
        (&["--since", "2026-11-23T23:59:59Z"], &["c", "d"]),
        (&["--since", "2026-11-24T00:59:59+01:00"], &["c", "d"]),
        (&["--until", "2026-11-23T00:00:00Z"], &["a", "b"]),
        (&["--account", one], &["a", "b"]),
        (&["--region", "us-east-1", "--account", two], &["c"]),
        (&["--account", one, "--account", two], &["a", "b", "c", "d"]),
    ];
    for (options, expected) in rows {
        assert_eq!(events(options, &records), expected, "{options:?}");
    }
}

#[test]
fn a_record_that_does_not_say_is_kept() {
    let bare =
        json!({ "eventID": "x", "eventSource": "lambda.amazonaws.com", "eventName": "CreateFunction" });
    let options = ["--since", "2026-11-23", "--account", "111122223333", "--region", "us-east-1"];
    assert_eq!(events(&options, &[bare]), ["x"]);
}

#[test]
fn what_is_not_asked_for_is_counted() {
    let folder = folder(&[(
        "a.json",
        &delivery(&[record("a", "2026-11-22T00:00:00Z", "111122223333", "x"), miss("b")]),
    )]);
    let run = scan(&["--since", "2026-11-23", path(&folder)]);
    assert!(run.says("1 file, 1 record: 0 matched, 1 unmatched, 0 rejected"), "{}", run.err);
    assert!(run.says("1 more record outside of --since, --until, --account or --region"), "{}", run.err);
}

#[test]
fn files_are_chosen_by_their_paths_and_late_ones_are_read() {
    let file = |account: &str, region: &str, day: &str| {
        format!("o-x/AWSLogs/o-x/{account}/CloudTrail/{region}/2026/11/{day}/x_{day}.json")
    };
    let names = [
        file("111122223333", "us-east-1", "22"),
        file("111122223333", "us-east-1", "23"),
        file("111122223333", "us-east-1", "25"),
        file("111122223333", "us-east-1", "26"),
        file("111122223333", "eu-west-1", "23"),
        file("444455556666", "us-east-1", "23"),
    ];
    let texts: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(index, _)| {
            delivery(&[record(&index.to_string(), "2026-11-23T12:00:00Z", "111122223333", "us-east-1")])
        })
        .collect();
    let files: Vec<_> = names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
    let folder = folder(&files);
    let options = [
        "--since",
        "2026-11-23",
        "--until",
        "2026-11-23",
        "--account",
        "111122223333",
        "--region",
        "us-east-1",
    ];
    let run = scan(&[&options[..], &[path(&folder)]].concat());
    assert_eq!((run.code, run.events()), (Some(0), vec!["1".to_owned(), "2".to_owned()]), "{}", run.err);
    let line = "4 passed over: outside of --since, --until, --account or --region, by its path";
    assert!(run.says(line), "{}", run.err);
}

#[test]
fn a_mistyped_option_is_wrong_usage_and_drops_nothing_in_silence() {
    for (option, value) in [
        ("--since", "yesterday"),
        ("--since", "2026-13-01"),
        ("--until", "23.11.2026"),
        ("--until", "2026-11-23 10:00"),
        ("--account", "payments"),
    ] {
        let run = scan(&[option, value, "."]);
        assert_eq!(run.code, Some(2), "{option} {value}: {}", run.err);
    }
    let run = scan(&["--since", "2026-11-24", "--until", "2026-11-23", "."]);
    assert_eq!(run.code, Some(2), "{}", run.err);
}
