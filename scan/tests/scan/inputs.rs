//! Inputs, and the order in which their signals are printed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::Stdio;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{assert_run, command, delivery, folder, folder_of, gzip, hit, miss, path, root, scan, seed};

#[derive(Deserialize)]
struct Expected {
    records: u64,
    event_ids: Vec<String>,
}

#[test]
fn the_sample_deliveries_give_exactly_the_planned_matches() {
    let expected = fs::read(root().join("events/deliveries-expected.json")).unwrap();
    let expected: BTreeMap<String, Expected> = serde_json::from_slice(&expected).unwrap();
    let run = scan(&["--rules", seed(), "events/deliveries"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let planned: BTreeSet<_> = expected.values().flat_map(|delivery| delivery.event_ids.clone()).collect();
    let found = run.events();
    assert_eq!(found.iter().cloned().collect::<BTreeSet<_>>(), planned);
    assert_eq!(found.len(), planned.len(), "each once");
    let records: u64 = expected.values().map(|delivery| delivery.records).sum();
    let matched: usize = expected.values().map(|delivery| delivery.event_ids.len()).sum();
    assert!(run.err.contains(&format!("4 files, {records} records: {matched} matched")), "{}", run.err);
    for (file, Expected { event_ids, .. }) in expected {
        let run = scan(&["--rules", seed(), &format!("events/deliveries/{file}")]);
        assert_eq!(run.events(), event_ids, "{file}");
    }
}

#[test]
fn the_sample_deliveries_give_an_alert_for_each_principal_that_is_new_in_its_account() {
    let documents = scan(&["events/deliveries"]).documents();
    let is_alert = |document: &&Value| document["kibana"]["alert"].get("building_block_type").is_none();
    let (alerts, signals): (Vec<_>, Vec<_>) = documents.iter().partition(is_alert);
    let principal = |document: &&Value| {
        let value = |pointer| document.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        value("/cloud/account/id").zip(value("/user/name"))
    };
    let alerted: Vec<_> = alerts.iter().filter_map(principal).collect();
    assert_eq!(alerted.len(), alerts.len());
    assert_eq!(alerted.iter().cloned().collect::<BTreeSet<_>>().len(), alerts.len(), "each once");
    assert_eq!(alerted.into_iter().collect::<BTreeSet<_>>(), signals.iter().filter_map(principal).collect());
}

#[test]
fn a_copy_of_a_part_of_a_bucket_is_read_without_what_lies_beside_the_deliveries() {
    let name = |kind: &str| format!("111122223333_{kind}_eu-west-1_20261123T1005Z_x.json.gz");
    let beside = ["CloudTrail-Digest", "CloudTrail-Insight", "Config"];
    let mut files = vec![(
        "111122223333/CloudTrail/eu-west-1/2026/11/23/a.json.gz".to_owned(),
        gzip(&delivery(&[hit("a")])),
    )];
    for kind in beside {
        let other = gzip(r#"{"digestStartTime": "x", "configurationItems": []}"#);
        files.push((format!("111122223333/{kind}/eu-west-1/2026/11/23/b.json.gz"), other.clone()));
        files.push((name(kind), other));
    }
    // Digits and a word that mean nothing.
    files.push(("999999999999/Config.json".to_owned(), delivery(&[hit("b")]).into_bytes()));
    let files: Vec<_> = files.iter().map(|(name, bytes)| (name.as_str(), bytes)).collect();
    let run = scan(&["--rules", seed(), path(&folder_of(&files))]);
    assert_run(
        &run,
        0,
        &["a", "b"],
        &["2 files, 2 records: 2 matched, 0 unmatched, 0 rejected", "6 passed over, see above"],
    );
}

#[test]
fn a_broken_line_is_rejected_alone() {
    let lines = [hit("a").to_string(), hit("b").to_string(), hit("c").to_string()];
    let broken = &lines[1][..lines[1].len() - 1];
    let folder = folder(&[("lines.json", &[&*lines[0], broken, &*lines[2]].join("\n"))]);
    let run = scan(&["--rules", seed(), path(&folder)]);
    assert_run(&run, 1, &["a", "c"], &["1 file, 3 records: 2 matched, 0 unmatched, 1 rejected"]);
}

#[test]
fn deliveries_arrays_lines_and_gzip_are_read_alike() {
    let records = [miss("m"), hit("a"), hit("b")];
    let array = serde_json::to_string(&records).unwrap();
    let lines = records.each_ref().map(ToString::to_string).join("\n");
    let marked = format!("\u{feff}  \n{array}");
    let folder = folder_of(&[
        ("delivery.json", delivery(&records).into_bytes()),
        ("array.json", array.into_bytes()),
        ("marked.json", marked.into_bytes()),
        ("lines.json", lines.clone().into_bytes()),
        ("lines.json.gz", gzip(&lines)),
    ]);
    for file in ["delivery.json", "array.json", "marked.json", "lines.json", "lines.json.gz"] {
        let run = scan(&[&format!("{}/{file}", path(&folder))]);
        assert_eq!(
            (run.code, run.events()),
            (Some(0), vec!["a".to_owned(), "b".to_owned()]),
            "{file}: {}",
            run.err
        );
    }
}

#[test]
fn what_other_tools_wrap_around_records_is_read() {
    let event =
        |record: &Value| json!({ "EventId": "x", "EventName": "x", "CloudTrailEvent": record.to_string() });
    let message = |record: &Value| json!({ "id": "1", "timestamp": 1, "message": record.to_string() });
    let bus = |record: &Value| json!({ "source": "aws.lambda", "detail-type": "AWS API Call via CloudTrail", "detail": record });
    let records = [hit("a"), miss("m"), hit("b")];
    let lines =
        |line: &dyn Fn(&Value) -> Value| records.each_ref().map(|record| line(record).to_string()).join("\n");
    let subscription = json!({
        "messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "g", "logStream": "s",
        "subscriptionFilters": [], "logEvents": records.each_ref().map(message),
    });
    let texts = [
        ("lookup-events", json!({ "Events": records.each_ref().map(event), "NextToken": "x" }).to_string()),
        ("a looked-up event a line", lines(&event)),
        ("log subscription", subscription.to_string()),
        ("an EventBridge event a line", lines(&bus)),
    ];
    for (name, text) in texts {
        for content in [text.clone().into_bytes(), gzip(&text)] {
            let folder = folder_of(&[(name, content)]);
            let run = scan(&[path(&folder)]);
            assert_run(&run, 0, &["a", "b"], &["1 file, 3 records: 2 matched, 1 unmatched, 0 rejected"]);
        }
    }
}

#[test]
fn signals_come_in_the_order_of_the_files_and_of_the_records_in_them() {
    let event = |file: usize, record: usize| format!("{file:02}-{record:02}");
    // The first files are the longest, so that later ones are read to their end first.
    let texts: Vec<_> = (0..20)
        .map(|file| {
            let records: Vec<_> = (0..20 - file).map(|record| hit(&event(file, record))).collect();
            (format!("sub/{file:02}.json"), delivery(&records))
        })
        .collect();
    let files: Vec<_> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let folder = folder(&files);
    let expected: Vec<_> =
        (0..20).flat_map(|file| (0..20 - file).map(move |record| event(file, record))).collect();
    for _ in 0..3 {
        assert_eq!(scan(&[path(&folder)]).events(), expected);
    }
    let last = format!("{}/sub/19.json", path(&folder));
    assert_eq!(
        scan(&[&last, path(&folder)]).events()[0],
        "19-00",
        "paths come in the order in which they are given"
    );
}

#[test]
fn hundreds_of_small_files_are_read_in_order_and_a_broken_one_costs_its_neighbours_nothing() {
    let event = |file: usize| format!("{file:03}");
    let texts: Vec<_> = (0..300)
        .map(|file| {
            let text = delivery(&[hit(&event(file)), miss("none")]);
            // Cut off inside the second record.
            let length = if file % 50 == 7 { text.len() - 20 } else { text.len() };
            (format!("{file:03}.json"), text[..length].to_owned())
        })
        .collect();
    let files: Vec<_> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let folder = folder(&files);
    let run = scan(&[path(&folder)]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert_eq!(run.events(), (0..300).map(event).collect::<Vec<_>>());
    assert!(run.says("294 files, 594 records: 300 matched, 294 unmatched, 0 rejected"), "{}", run.err);
    let broken: Vec<_> = run.err.lines().filter_map(|line| line.split_once(".json: ")).collect();
    let names: Vec<_> = broken.iter().map(|(name, _)| &name[name.len() - 3..]).collect();
    assert_eq!(names, ["007", "057", "107", "157", "207", "257"], "{}", run.err);
}

#[test]
fn the_same_event_in_several_files_is_printed_once() {
    let folder = folder(&[
        ("a.json", &delivery(&[hit("x"), hit("y")])),
        ("b.json", &delivery(&[hit("y"), hit("z"), hit("x")])),
    ]);
    let run = scan(&[path(&folder)]);
    assert_eq!(run.events(), ["x", "y", "z"]);
    assert!(run.err.contains("5 signals: 3 printed, 0 suppressed, 2 duplicates"), "{}", run.err);
}

#[test]
fn a_truncated_file_gives_what_was_found_and_exit_code_1() {
    let expected = fs::read(root().join("tests/data/truncated-expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let run = scan(&["--rules", seed(), "tests/data/truncated.json.gz"]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert_eq!(Value::from(run.events()), expected["event_ids"]);
    assert!(run.err.contains("tests/data/truncated.json.gz: the gzip data ends too early"), "{}", run.err);
}

#[test]
fn an_input_that_fails_costs_its_neighbours_nothing() {
    let folder = folder(&[
        ("a.json", &delivery(&[hit("a")])),
        ("b.json", "{no JSON"),
        ("c.json", "[1"),
        (
            "d.json",
            r#"{"Records":[{"eventSource":"lambda.amazonaws.com","eventName":"CreateFunction","x":tru},7]}"#,
        ),
        ("e.json", &delivery(&[hit("e")])),
    ]);
    let run = scan(&[path(&folder), "/nowhere/at/all.json"]);
    assert_eq!((run.code, run.events()), (Some(1), vec!["a".to_owned(), "e".to_owned()]));
    for problem in [
        "b.json: ",
        "c.json: ",
        "d.json: record 0: the record is not valid JSON",
        "d.json: record 1: the record is not a JSON object",
        "/nowhere/at/all.json: No such file",
        "3 inputs failed, see above",
    ] {
        assert!(run.err.contains(problem), "{problem} in {}", run.err);
    }
}

#[test]
fn a_file_that_is_named_is_read_whatever_it_looks_like() {
    let digest = "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/02/03/x.json.gz";
    let folder = folder_of(&[
        (digest, gzip(&delivery(&[hit("a")]))),
        ("._b", delivery(&[hit("b")]).into_bytes()),
        ("notes.txt", b"notes".to_vec()),
        ("empty", Vec::new()),
    ]);
    let file = |name: &str| format!("{}/{name}", path(&folder));
    assert_run(&scan(&[file(digest), file("._b")]), 0, &["a", "b"], &[]);
    for name in ["notes.txt", "empty"] {
        let run = scan(&[file(name), file("._b")]);
        assert_run(&run, 1, &["b"], &["1 input failed, see above"]);
        assert!(run.err.contains(&format!("/{name}: ")), "{}", run.err);
        assert!(!run.err.contains("passed over"), "{}", run.err);
    }
}

#[test]
fn a_path_given_twice_is_read_once() {
    let folder = folder_of(&[("a.json", delivery(&[hit("a")])), ("b.json", delivery(&[hit("b")]))]);
    let [a, b] = ["a.json", "b.json"].map(|name| format!("{}/{name}", path(&folder)));
    let (a, b) = (a.as_str(), b.as_str());
    for paths in [&[a, b, a][..], &[a, path(&folder)], &[path(&folder), a], &[path(&folder), path(&folder)]] {
        let run = scan(paths);
        assert_eq!(run.code, Some(0), "{}", run.err);
        assert!(run.err.contains("2 files, 2 records"), "{paths:?}: {}", run.err);
        assert!(run.says("1 passed over: reached by another path"), "{paths:?}: {}", run.err);
    }
    assert_eq!(scan(&[b, path(&folder)]).events(), ["b", "a"], "a named file is read in its own place");
    assert_eq!(scan(&[path(&folder), a]).events(), ["b", "a"], "a named file is read in its own place");
}

#[cfg(unix)]
#[test]
fn a_pipe_that_is_named_is_read() {
    let mut child = command(&["/dev/stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("scan runs");
    child.stdin.take().unwrap().write_all(delivery(&[hit("a")]).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!((output.status.code(), out.lines().count()), (Some(0), 1), "{out}");
}

#[test]
fn in_a_pipe_there_is_no_progress_bar() {
    let run = scan(&["events/deliveries"]);
    assert!(!run.err.contains(['\r', '\u{1b}']), "{:?}", run.err);
    assert!(!run.out.contains(['\r', '\u{1b}']));
}

#[test]
fn a_reader_that_closes_standard_output_ends_the_run_quietly() {
    let records: Vec<_> = (0..500).map(|event| hit(&event.to_string())).collect();
    let folder = folder(&[("a.json", &delivery(&records))]);
    let mut child =
        command(&[path(&folder)]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("scan runs");
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.ends_with('\n'));
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{err}");
    assert!(!err.contains("panicked"), "{err}");
}

#[test]
fn a_standard_error_that_nobody_reads_does_not_change_the_exit_code() {
    let folder = folder(&[("a.json", &delivery(&[hit("a"), json!(7)]))]);
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let output = command(&[path(&folder)]).stderr(writer).output().expect("scan runs");
    assert_eq!(output.status.code(), Some(1), "a rejected record, not a panic");
    assert!(!output.stdout.is_empty());
}
