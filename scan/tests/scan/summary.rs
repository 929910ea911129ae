//! What the end of a run says, and its exit code.

use serde_json::json;

use crate::{assert_run, delivery, folder, folder_of, hit, miss, path, scan, seed};

#[test]
fn one_is_singular_and_all_else_plural() {
    let one = folder_of(&[("a.json", delivery(&[hit("a")]))]);
    let lines = [
        "1 file, 1 record: 1 matched, 0 unmatched, 0 rejected",
        "1 signal: 1 printed, 0 suppressed, 0 duplicates",
    ];
    assert_run(&scan(&["--rules", seed(), path(&one)]), 0, &["a"], &lines);
    let two = folder_of(&[("a.json", delivery(&[hit("a")])), ("b.json", delivery(&[hit("a")]))]);
    let lines = [
        "2 files, 2 records: 2 matched, 0 unmatched, 0 rejected",
        "2 signals: 1 printed, 0 suppressed, 1 duplicate",
    ];
    assert_run(&scan(&["--rules", seed(), path(&two)]), 0, &["a"], &lines);
    let none = folder_of(&[("a.json", delivery(&[]))]);
    let lines = [
        "1 file, 0 records: 0 matched, 0 unmatched, 0 rejected",
        "0 signals: 0 printed, 0 suppressed, 0 duplicates",
    ];
    assert_run(&scan(&["--rules", seed(), path(&none)]), 0, &[], &lines);
    assert_run(&scan(&["/nowhere/a"]), 1, &[], &["1 input failed, see above"]);
    assert_run(&scan(&["/nowhere/a", "/nowhere/b"]), 1, &[], &["2 inputs failed, see above"]);
}

#[test]
fn ten_names_are_listed_for_a_reason_and_the_others_counted() {
    let files: Vec<_> = (0..12).map(|file| (format!("{file:02}.txt"), "notes")).collect();
    let mut files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    files.push(("empty", ""));
    let logs = delivery(&[miss("m")]);
    files.push(("z.json", &logs));
    let folder = folder_of(&files);
    let run = scan(&[path(&folder)]);
    assert_run(
        &run,
        0,
        &[],
        &["12 passed over: neither gzip nor JSON", "  and 2 more", "13 passed over, see above"],
    );
    for (listed, file) in (0..12).map(|file| (file < 10, format!("  {}/{file:02}.txt", path(&folder)))) {
        assert_eq!(run.says(&file), listed, "{file} in {}", run.err);
    }
    assert!(run.says(&format!("  {}/empty", path(&folder))), "{}", run.err);
}

#[test]
fn nothing_read_is_exit_code_1() {
    let bare = folder(&[]);
    let strange = folder_of(&[("notes.txt", "notes")]);
    for folder in [&bare, &strange] {
        assert_run(&scan(&[path(folder)]), 1, &[], &["nothing was read"]);
    }
    assert!(!scan(&["events/deliveries"]).err.contains("nothing was read"));
}

#[test]
fn rejected_records_are_named_by_file_and_position_and_from_the_17th_on_counted() {
    let mut records = vec![json!(7); 18];
    records[3] = hit("a");
    let logs = folder_of(&[("a.json", delivery(&records))]);
    let run = scan(&[path(&logs)]);
    let line = |text: &str| format!("{}/a.json: {text}", path(&logs));
    assert_run(
        &run,
        1,
        &["a"],
        &[&line("1 more record rejected"), &line("record 0: the record is not a JSON object")],
    );
    let named = (0..18)
        .filter(|position| run.err.contains(&line(&format!("record {position}: "))))
        .collect::<Vec<_>>();
    assert_eq!(named, [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    assert!(run.err.contains("1 file, 18 records: 1 matched, 0 unmatched, 17 rejected"), "{}", run.err);
    let documents = scan(&["--ecs", path(&logs)]);
    assert!(documents.says(&line("record 4: the record is not a JSON object")), "{}", documents.err);
}

#[test]
fn a_rule_that_is_louder_than_max_per_day_on_some_day_is_exit_code_1() {
    let at = |event: &str, day: &str| {
        let mut record = hit(event);
        record["eventTime"] = json!(format!("{day}T10:05:00Z"));
        record
    };
    let records =
        [at("a", "2026-11-22"), at("b", "2026-11-23"), at("c", "2026-11-23"), at("c", "2026-11-23")];
    let logs = folder_of(&[("a.json", delivery(&records))]);
    let line = "AWS Lambda Function Created or Updated: 2 signals on 2026-11-23, more than --max-per-day 1";
    assert_run(&scan(&["--max-per-day", "1", path(&logs)]), 1, &["a", "b", "c"], &[line]);
    let run = scan(&["--max-per-day", "2", path(&logs)]);
    assert_run(&run, 0, &["a", "b", "c"], &[]);
    assert!(!run.err.contains("--max-per-day"), "{}", run.err);
}
