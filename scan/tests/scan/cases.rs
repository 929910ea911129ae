//! `--test`: cases beside the rules.

use std::fs;

use serde_json::{Value, json};

use crate::rules::{rule, sigma_rule};
use crate::{Run, folder, hit, miss, path, scan};

fn case(name: &str, fires: &Value, records: &[Value]) -> String {
    format!("{}\n", json!({ "case": name, "fires": fires, "records": records }))
}

/// Runs a file of cases beside a rule for every action that creates, with more arguments.
fn test_beside_a_rule(cases: &str, more: &[&str]) -> Run {
    let rules = folder(&[("a.toml", &rule("A", "event.action: Create*")), ("a.cases.jsonl", cases)]);
    scan(&[&["--test", "--rules", path(&rules)][..], more].concat())
}

#[track_caller]
fn assert_shown(run: &Run, code: i32, out: &[&str], err: &str) {
    assert_eq!(run.code, Some(code), "{}{}", run.out, run.err);
    for line in out {
        assert!(run.out.lines().any(|shown| shown == *line), "{line} in {}", run.out);
    }
    assert!(run.err.contains(err), "{err} in {}", run.err);
}

#[test]
fn every_rule_of_this_project_has_cases_that_fire_and_cases_that_do_not_and_all_are_right() {
    let run = scan(&["--test", "--strict", "--rules", "rules"]);
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    assert!(run.out.contains("  ok       1  a pipeline creates a function\n"), "{}", run.out);
    assert!(run.err.contains("right, 0 wrong"), "{}", run.err);
}

#[test]
fn a_case_counts_the_signals_of_its_own_rule() {
    let cases = [
        case("some", &json!(true), &[hit("x"), miss("y")]),
        case("none", &json!(false), &[miss("x"), miss("y")]),
        "\n".to_owned(),
        case("two", &json!(2), &[hit("x"), miss("y"), hit("z")]),
        case("zero", &json!(0), &[miss("y")]),
    ];
    let lines = ["  ok       1  some", "  ok       0  none", "  ok       2  two", "  ok       0  zero"];
    assert_shown(
        // Some editors put a byte order mark at the start of a text.
        &test_beside_a_rule(&format!("\u{feff}{}", cases.concat()), &["--strict"]),
        0,
        &lines,
        "4 cases of 1 file: 4 right, 0 wrong",
    );

    let wrong = [
        case("some", &json!(true), &[miss("x")]),
        case("none", &json!(false), &[hit("x")]),
        case("two", &json!(2), &[hit("x")]),
        case("good", &json!(1), &[hit("x")]),
    ];
    let lines = [
        "  WRONG    0  some: expected a signal at least, found 0 signals",
        "  WRONG    1  none: expected no signal, found 1 signal",
        "  WRONG    1  two: expected 2 signals, found 1 signal",
        "  ok       1  good",
    ];
    assert_shown(&test_beside_a_rule(&wrong.concat(), &[]), 1, &lines, "1 right, 3 wrong");

    let rules = folder(&[
        ("a.toml", &rule("A", "event.id: x")),
        ("a.cases.jsonl", &case("a", &json!(1), &[hit("x"), hit("y")])),
        ("deep/b.toml", &rule("B", "event.id: y")),
        ("deep/b.cases.jsonl", &case("b", &json!(false), &[hit("x")])),
        ("c.yml", &sigma_rule("C", "CREATE")),
        ("c.cases.jsonl", &case("c", &json!(2), &[hit("x"), hit("y")])),
    ]);
    let run = scan(&["--test", "--strict", "--rules", path(&rules)]);
    assert_eq!(run.code, Some(1));
    assert!(run.err.contains("6 cases of 3 files: 3 right, 3 wrong"), "{}{}", run.out, run.err);
    let run = scan(&["--test", "--rules", path(&rules)]);
    assert_shown(&run, 0, &["  ok       2  c"], "3 cases of 3 files: 3 right, 0 wrong");
}

#[test]
fn with_strict_a_rule_needs_a_case_that_fires_and_one_that_does_not() {
    let (fires, does_not) = (case("x", &json!(1), &[hit("x")]), case("y", &json!(0), &[miss("x")]));
    let no_fire = "  WRONG    -  a case that fires: there is none";
    let no_miss = "  WRONG    -  a case that does not fire: there is none";
    assert_shown(&test_beside_a_rule(&fires, &["--strict"]), 1, &[no_miss], "1 wrong");
    assert_shown(&test_beside_a_rule(&does_not, &["--strict"]), 1, &[no_fire], "1 wrong");
    assert_shown(&test_beside_a_rule("", &["--strict"]), 1, &[no_fire, no_miss], "2 wrong");
    for cases in [&fires, &does_not, ""] {
        assert_eq!(test_beside_a_rule(cases, &[]).code, Some(0), "{cases}");
    }
    let rules = folder(&[("a.toml", &rule("A", "event.id: x"))]);
    let run = scan(&["--test", "--strict", "--rules", path(&rules)]);
    let file = format!("{}/a.toml (A)", path(&rules));
    assert_shown(&run, 1, &[&file, no_fire, no_miss], "2 cases of 1 file: 0 right, 2 wrong");
}

#[test]
fn a_mistake_in_a_file_of_cases_is_named_with_line_and_column() {
    for (line, place, reason) in [
        ("{\"case\": \"x\", \"fires\": true}", "3:28", "missing field `records`"),
        ("{\"case\": \"x\", \"fire\": true, \"records\": []}", "3:20", "unknown field `fire`"),
        (
            "{\"case\": \"é\", \"fires\": \"yes\", \"records\": [{}]}",
            "3:24",
            "fires must be true, false or a",
        ),
        ("{\"case\": \"x\", \"fires\": -1, \"records\": [{}]}", "3:24", "fires must be true, false or a"),
        ("{\"case\": \"x\", \"fires\": true, \"records\": []}", "3:1", "a case needs at least one record"),
        ("{\"case\": \"x\", \"fires\": true, \"records\": {}}", "3:40", "invalid type: map"),
        ("{\"case\": \"x\", \"fires\": true \"records\": [{}]}", "3:29", "expected `,` or `}`"),
        ("[1]", "3:2", "invalid type: integer `1`"),
        ("{\"case\": ", "3:8", "EOF while parsing"),
    ] {
        let cases = format!("{}\n{line}\n", case("good", &json!(1), &[hit("x")]));
        let run = test_beside_a_rule(&cases, &[]);
        assert_eq!(run.code, Some(1), "{line}");
        assert!(run.out.contains("  WRONG    -  line 3: /"), "{}", run.out);
        let shown = format!("/a.cases.jsonl:{place}: {reason}");
        assert!(run.out.contains(&shown), "{shown} in {}", run.out);
        assert!(run.out.contains("  ok       1  good\n"), "{}", run.out);
    }
}

#[test]
fn a_record_that_a_delivery_would_reject_makes_its_case_wrong() {
    let cases = case("no record", &json!(1), &[hit("x"), json!({ "a": 1 })]);
    let shown = "  WRONG    1  no record: record 1: not a CloudTrail record";
    assert_shown(&test_beside_a_rule(&cases, &[]), 1, &[shown], "1 wrong");
    let cases = case("a number", &json!(0), &[json!(7)]);
    let shown = "  WRONG    0  a number: record 0: the record is not a JSON object";
    assert_shown(&test_beside_a_rule(&cases, &[]), 1, &[shown], "1 wrong");
}

#[test]
fn cases_without_a_rule_that_is_run_are_wrong() {
    let good = case("x", &json!(1), &[hit("x")]);
    let rules = folder(&[
        ("a.toml", &rule("A", "event.action: Create*")),
        ("a.cases.jsonl", &good),
        ("b.cases.jsonl", &good),
        ("c.toml", "[metadata]\n"),
        ("c.cases.jsonl", &good),
        ("d.yml", &format!("status: deprecated\n{}", sigma_rule("D", "x"))),
        ("d.cases.jsonl", &good),
        ("exceptions/e.cases.jsonl", "no case"),
    ]);
    let run = scan(&["--test", "--rules", path(&rules)]);
    let none = "  WRONG    -  the file: no rule (NAME.toml, NAME.yml or NAME.yaml) beside it";
    let not_run = "  WRONG    -  the file: the rule is not run: the status of the rule is deprecated";
    assert_eq!(run.out.lines().filter(|line| *line == none).count(), 2, "{}", run.out);
    assert_eq!(run.out.lines().filter(|line| line.starts_with(not_run)).count(), 1, "{}", run.out);
    assert_shown(&run, 1, &["  ok       1  x"], "4 cases of 4 files: 1 right, 3 wrong");
}

#[test]
fn a_mistake_in_a_rule_comes_before_its_cases() {
    let rules = folder(&[("a.toml", &rule("A", "x")), ("a.cases.jsonl", "no case")]);
    let run = scan(&["--test", "--rules", path(&rules)]);
    assert_eq!((run.code, run.out.as_str()), (Some(1), ""));
    assert!(run.err.contains("a.toml:11:1: a value without a field"), "{}", run.err);
}

#[test]
fn verdicts_are_written_as_well_formed_xml_whatever_names_hold() {
    let name = "<&\"'> \u{1} \u{ffff} é \n end";
    let cases = [case(name, &json!(1), &[hit("x")]), case("wrong", &json!(2), &[hit("x")])].concat();
    let rules =
        folder(&[("a<&\">.toml", &rule("A & <B>", "event.action: Create*")), ("a<&\">.cases.jsonl", &cases)]);
    let file = rules.path().join("verdicts.xml");
    let xml_path = file.to_str().expect("the path is text");
    let run = scan(&["--test", "--rules", path(&rules), "--junit", xml_path]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    let xml = fs::read_to_string(&file).expect("the file was written");
    assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites "), "{xml}");
    for part in [
        "tests=\"2\" failures=\"1\"",
        "classname=\"A &amp; &lt;B&gt;\" name=\"&lt;&amp;&quot;'&gt; \u{fffd} \u{fffd} é &#10; end\"",
        "name=\"wrong\"",
        "a&lt;&amp;&quot;&gt;.cases.jsonl\"",
        "<failure message=\"expected 2 signals, found 1 signal\">",
    ] {
        assert!(xml.contains(part), "{part} in {xml}");
    }
    assert!(!xml.contains(|character: char| character.is_control() && character != '\n'), "{xml:?}");
    let run = scan(&["--test", "--rules", path(&rules), "--junit", "/nowhere/at/all.xml"]);
    assert_eq!(run.code, Some(1));
    assert!(run.err.contains("/nowhere/at/all.xml: "), "{}", run.err);
}

#[test]
fn test_needs_rules_and_strict_and_junit_need_test() {
    for arguments in [&["--test"][..], &["--strict", "x"], &["--junit", "x", "y"]] {
        assert_eq!(scan(arguments).code, Some(2), "{arguments:?}");
    }
}

#[test]
fn the_rules_on_signals_of_the_page_pass_their_cases_above_the_starter_pack() {
    let examples = ["--test", "--strict", "--rules", "docs/building-blocks"];
    let run = scan(&[&examples[..], &["--embedded", "starter"]].concat());
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    assert!(run.err.contains("12 cases of 3 files: 12 right, 0 wrong"), "{}", run.err);
    // Without the rules below them nothing fires.
    assert_eq!(scan(&examples).code, Some(1));
}
