//! Flags, exit codes and the output of documents.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use serde_json::json;

use crate::{delivery, folder, hit, miss, path, scan};

#[test]
fn wrong_usage_is_exit_code_2() {
    for arguments in [
        &[] as &[&str],
        &["--nonsense", "x"],
        &["--rules"],
        &["--exceptions", "event.action", "x"],
        &["--exceptions"],
        &["--check", "rules"],
        &["--event-pattern", "events/deliveries"],
        &["--bundle", "b.json", "--rules", "rules", "events/deliveries"],
    ] {
        let run = scan(arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}: {}", run.err);
        assert_eq!(run.out, "");
    }
}

#[test]
fn an_exception_that_is_no_query_is_shown_with_its_place() {
    let run = scan(&["--exceptions", "user.name: x and nope: y", "events/deliveries"]);
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("1:18: the field nope is not mapped here"), "{}", run.err);
}

#[test]
fn an_exception_that_can_never_match_is_refused_at_the_part_that_contradicts() {
    let run = scan(&["--exceptions", "user.name: x and cloud.provider: gcp", "events/deliveries"]);
    assert_eq!((run.code, run.out.as_str()), (Some(2), ""));
    assert!(
        run.err.contains("1:34: the query can never match: cloud.provider is always \"aws\""),
        "{}",
        run.err
    );
}

#[test]
fn help_and_version_are_exit_code_0() {
    assert_eq!(scan(&["--help"]).code, Some(0));
    let run = scan(&["--version"]);
    assert_eq!((run.code, run.out.contains(env!("CARGO_PKG_VERSION"))), (Some(0), true), "{}", run.out);
}

#[test]
fn every_flag_that_a_page_gives_the_command_is_one_of_its_help() {
    let help = scan(&["--help"]).out;
    let flags: HashSet<_> = help.split_whitespace().filter(|word| word.starts_with("--")).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let docs = fs::read_dir(root.join("docs")).expect("the pages").map(|file| file.expect("a file").path());
    let pages = docs.filter(|file| file.extension().is_some_and(|kind| kind == "md"));
    let mut named = 0;
    for page in pages.chain([root.join("README.md")]) {
        let text = fs::read_to_string(&page).expect("a page");
        for command in text.lines().flat_map(|line| line.split("cloudtrail-scan ").skip(1)) {
            let command = command.split(['`', '|', '#', '>']).next().unwrap_or_default();
            for flag in command.split_whitespace().filter(|word| word.len() > 2 && word.starts_with("--")) {
                assert!(flags.contains(flag), "{}: {flag}", page.display());
                named += 1;
            }
        }
    }
    assert!(named > 10, "{named} flags");
}

#[test]
fn the_usage_names_the_command_itself() {
    let wrong: &[&str] = &[];
    for usage in [scan(&["--help"]).out, scan(wrong).err] {
        assert!(usage.contains("Usage: cloudtrail-scan "), "{usage}");
    }
}

#[test]
fn ecs_prints_the_document_of_every_record_and_no_signal() {
    let folder = folder(&[("a.json", &delivery(&[miss("m"), hit("h")]))]);
    let run = scan(&["--ecs", path(&folder)]);
    assert_eq!((run.code, run.events()), (Some(0), vec!["m".to_owned(), "h".to_owned()]), "{}", run.err);
    let documents = run.documents();
    assert_eq!(documents[0]["event"]["kind"], "event");
    assert_eq!(documents[1]["cloud"]["service"]["name"], "lambda");
    assert!(documents.iter().all(|document| document.get("kibana").is_none()));
    assert!(run.err.contains("2 records: 1 matched, 1 unmatched, 0 rejected"), "{}", run.err);
    assert!(!run.err.contains("signals"), "{}", run.err);
}

#[test]
fn ecs_refuses_a_record_that_is_not_json_and_goes_on() {
    let folder = folder(&[(
        "a.json",
        r#"{"Records":[{"eventName":"x","eventID":"x","y":tru},{"eventName":"z","eventID":"z"}]}"#,
    )]);
    let run = scan(&["--ecs", path(&folder)]);
    assert_eq!((run.code, run.events()), (Some(1), vec!["z".to_owned()]));
    assert!(run.err.contains("a.json: record 0: the record is not valid JSON"), "{}", run.err);
    assert!(run.err.contains("2 records: 0 matched, 1 unmatched, 1 rejected"), "{}", run.err);
}

#[test]
fn ecs_prints_what_is_inside_an_envelope_and_mends_half_a_character() {
    let event = json!({ "detail-type": "AWS API Call via CloudTrail", "detail": hit("a") }).to_string();
    let cut = hit("b").to_string().replacen('{', r#"{"userAgent":"\ud83d","#, 1);
    let folder = folder(&[("a.json", &[event, cut].join("\n"))]);
    let run = scan(&["--ecs", path(&folder)]);
    assert_eq!((run.code, run.events()), (Some(0), vec!["a".to_owned(), "b".to_owned()]), "{}", run.err);
    assert_eq!(run.documents()[1]["user_agent"]["original"], "\u{fffd}");
}
