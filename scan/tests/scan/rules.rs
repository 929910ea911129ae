//! Rules from a folder.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use crate::{delivery, folder, hit, path, scan};

/// A rule file with only what a rule must have.
pub fn rule(name: &str, query: &str) -> String {
    format!(
        "[rule]\nauthor = [\"x\"]\ndescription = \"x\"\nlanguage = \"kuery\"\nname = \"{name}\"\nrisk_score = 47\nrule_id = \"id of \
         {name}\"\nseverity = \"medium\"\ntype = \"query\"\nquery = '''\n{query}\n'''\n"
    )
}

#[test]
fn rules_of_a_folder_replace_the_embedded_ones() {
    let rules = folder(&[
        ("a.toml", &rule("First", "event.action: Create* and event.id: (x or y)")),
        ("b.toml", &rule("Second", "event.id: y")),
        ("c.toml", &rule("Third", "event.id: nothing")),
        ("notes.txt", "no rule"),
    ]);
    let logs = folder(&[("a.json", &delivery(&[hit("x"), hit("y"), hit("z")]))]);
    let run = scan(&["--rules", path(&rules), path(&logs)]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let found: Vec<_> = run
        .documents()
        .iter()
        .map(|signal| {
            let text = |pointer| {
                signal.pointer(pointer).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
            };
            (text("/event/id"), text("/kibana/alert/rule/name"))
        })
        .collect();
    let expected = [("x", "First"), ("y", "First"), ("y", "Second")]
        .map(|(event, rule)| (event.to_owned(), rule.to_owned()));
    assert_eq!(found, expected);
    assert!(!run.out.contains("building_block"), "these rules are none");
    assert!(run.err.contains("3 records: 2 matched, 1 unmatched, 0 rejected"), "{}", run.err);
    for line in ["2  First", "1  Second", "0  Third"] {
        assert!(run.err.lines().any(|shown| shown.trim() == line), "{line} in {}", run.err);
    }
}

#[test]
fn check_says_whether_the_rules_are_good() {
    let run = scan(&["--check"]);
    assert_eq!((run.code, run.out.as_str()), (Some(0), "loaded                2  2 KQL\n"));
    assert!(run.err.contains("2 rules are good"), "{}", run.err);
    for good in ["rules", "detection/tests/rules"] {
        let run = scan(&["--check", "--rules", good]);
        assert_eq!(run.code, Some(0), "{good}: {}", run.err);
    }
    assert!(scan(&["--check", "--rules", "detection/tests/rules"]).err.contains("10 rules are good"));
}

#[test]
fn check_shows_every_mistake_of_every_file_with_its_place() {
    let rules = folder(&[
        ("a.toml", &rule("A", "event.action: x and source.geo.country_name: y").replace("medium", "urgent")),
        ("b.toml", &rule("B", "x")),
        ("c.toml", &rule("C", "event.action: x")),
        ("d.toml", &rule("D", "event.action: x").replace("id of D", "id of C")),
    ]);
    for arguments in [&["--check"][..], &["events/deliveries"]] {
        let run = scan(&[&["--rules", path(&rules)][..], arguments].concat());
        assert_eq!(run.code, Some(1), "{}", run.err);
        assert!(!run.out.contains('{'), "{}", run.out);
        for mistake in [
            "a.toml:8:12: unknown severity urgent",
            "a.toml:11:21: the field source.geo.country_name is not mapped here",
            "b.toml:11:1: a value without a field",
            "d.toml:7:11: the rule_id id of C is taken by",
            "4 mistakes in the rules",
        ] {
            assert!(run.err.contains(mistake), "{mistake} in {}", run.err);
        }
    }
}

#[test]
fn check_warns_about_what_is_ignored() {
    let rules =
        folder(&[("a.toml", &rule("A", "event.action: x").replace("type =", "max_signals = 5\ntype ="))]);
    let run = scan(&["--check", "--rules", path(&rules)]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(
        run.err.contains("warning: ") && run.err.contains("a.toml: max_signals is ignored"),
        "{}",
        run.err
    );
}

#[test]
fn a_folder_without_rules_is_a_mistake() {
    let empty = folder(&[("a.txt", "x")]);
    for folder in [path(&empty), "/nowhere/at/all"] {
        let run = scan(&["--rules", folder, "events/deliveries"]);
        assert_eq!((run.code, run.out.as_str()), (Some(1), ""));
        assert!(run.err.contains(folder), "{}", run.err);
    }
}

#[test]
fn rules_in_folders_below_are_read_at_any_depth_in_order() {
    let rules = folder(&[
        ("z.toml", &rule("Z", "event.id: x")),
        ("aws/iam/deep/er/a.toml", &rule("A", "event.id: x")),
        ("aws/B.TOML", &rule("B", "event.id: x")),
        ("starter/c.toml", &rule("C", "event.id: x")),
    ]);
    let logs = folder(&[("a.json", &delivery(&[hit("x")]))]);
    let run = scan(&["--rules", path(&rules), path(&logs)]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let names: Vec<_> = run
        .documents()
        .iter()
        .map(|signal| signal["kibana"]["alert"]["rule"]["name"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(names, ["B", "A", "C", "Z"]);
}

#[test]
fn a_mistake_in_a_rule_far_below_is_shown_with_its_path() {
    let rules = folder(&[("aws/iam/a.toml", &rule("A", "event.dataset: aws.cloudtrial"))]);
    let run = scan(&["--check", "--rules", path(&rules)]);
    assert_eq!(run.code, Some(1));
    let expected =
        "aws/iam/a.toml:11:16: the query can never match: event.dataset is always \"aws.cloudtrail\"";
    assert!(run.err.contains(expected), "{}", run.err);
}

#[test]
fn check_counts_what_is_no_rule_and_what_cannot_be_run() {
    let rules = folder(&[
        ("a.toml", &rule("A", "event.action: x")),
        ("b/b.toml", &rule("B", "event.action: x").replace("\"query\"", "\"esql\"")),
        ("c.toml", "[metadata]\nmaturity = \"x\"\n"),
        ("b/notes.md", "x"),
        ("a.cases.jsonl", "{}"),
        ("exceptions/e.toml", "rules = \"all\"\nquery = \"user.name: ci\"\nreason = \"x\""),
        ("exceptions/e.md", "x"),
        ("routes/r.toml", "query = \"user.name: ci\"\ntopic = \"arn:aws:sns:eu-west-1:111122223333:eu\""),
        ("accounts.json", "{\"Accounts\": [{\"Id\": \"111122223333\", \"Name\": \"x\"}]}"),
    ]);
    let run = scan(&["--check", "--rules", path(&rules)]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.says("1 rule is good; not run: 1; no rule: 1; other files: 2"), "{}", run.err);
    let file = format!("{}{}/b/b.toml:9:8", " ".repeat(25), path(&rules));
    for line in [
        "loaded                1  1 KQL",
        "something else        1  files of rules, but not for CloudTrail, or without a rule",
        "not run               1  type is esql: only rules of type query, eql, new_terms and threshold are supported",
        &file,
        "wrong                 0",
        "cases                 1  files",
        "exceptions            1",
        "account names         1",
        "routes                1",
        "other files           2",
    ] {
        assert!(run.out.lines().any(|said| said == line), "{line} in {}", run.out);
    }
    // A scan would be silent about what such a rule finds.
    let run = scan(&["--rules", path(&rules), "events/deliveries"]);
    assert_eq!((run.code, run.out.as_str()), (Some(1), ""));
    assert!(run.err.contains("not run: ") && run.err.contains("b/b.toml:9:8: type is esql"), "{}", run.err);
}

#[test]
fn linked_rules_and_folders_are_read_once() {
    let elsewhere = folder(&[("more/b.toml", &rule("B", "event.action: x"))]);
    let rules = folder(&[("aws/a.toml", &rule("A", "event.action: x"))]);
    let link = |target: &std::path::Path, name: &str| symlink(target, rules.path().join(name)).unwrap();
    link(elsewhere.path(), "elsewhere");
    link(&elsewhere.path().join("more"), "more");
    link(rules.path(), "aws/back");
    link(&rules.path().join("aws/a.toml"), "again.toml");
    let run = scan(&["--check", "--rules", path(&rules)]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.err.contains("2 rules are good"), "{}", run.err);

    link(std::path::Path::new("/nowhere/at/all.toml"), "broken.toml");
    let run = scan(&["--check", "--rules", path(&rules)]);
    assert_eq!(run.code, Some(1));
    assert!(run.err.contains("broken.toml: "), "{}", run.err);
}

#[test]
fn a_name_that_is_not_utf8_is_read_and_text_that_is_not_is_named() {
    let rules = folder(&[]);
    let name = |bytes| rules.path().join(OsStr::from_bytes(bytes));
    fs::create_dir(name(b"d\xff")).unwrap();
    fs::write(name(b"d\xff/\xfe.toml"), rule("A", "event.action: x")).unwrap();
    let run = scan(&["--check", "--rules", path(&rules)]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.err.contains("1 rule is good"), "{}", run.err);

    fs::write(name(b"latin.toml"), b"# caf\xe9").unwrap();
    let run = scan(&["--check", "--rules", path(&rules)]);
    assert_eq!(run.code, Some(1));
    assert!(run.err.contains("latin.toml:1:6: the file is not UTF-8"), "{}", run.err);
    assert!(run.out.contains("loaded                1  1 KQL"), "the others are judged: {}", run.out);
}

#[test]
fn a_folder_in_which_nothing_is_a_rule_is_a_mistake() {
    let rules = folder(&[("a.toml", "[metadata]\n"), ("exceptions/README.md", "x")]);
    for arguments in [&["--check"][..], &["events/deliveries"]] {
        let run = scan(&[&["--rules", path(&rules)][..], arguments].concat());
        assert_eq!(run.code, Some(1), "{}", run.err);
        assert!(run.err.contains("no rule"), "{}", run.err);
    }
}

/// A Sigma rule for an action.
pub fn sigma_rule(title: &str, action: &str) -> String {
    format!(
        "title: {title}\nid: id of {title}\nlevel: high\nauthor: Ann, Ben\nlogsource:\n  product: aws\n  service: cloudtrail\ndetection:\n  selection:\n    eventName|startswith: {action}\n  condition: selection\n"
    )
}

#[test]
fn rules_of_sigma_lie_beside_those_of_elastic() {
    let rules = folder(&[
        ("a.toml", &rule("A", "event.action: CreateFunction*")),
        ("aws/b.yml", &sigma_rule("B", "createfunction")),
        ("aws/deep/c.YAML", &sigma_rule("C", "NOTHING")),
        ("windows/d.yml", &sigma_rule("D", "x").replace("cloudtrail", "guardduty")),
        ("e.yaml", "just: notes\n"),
        ("old/f.yml", &format!("status: deprecated\n{}", sigma_rule("F", "x"))),
    ]);
    let run = scan(&["--check", "--rules", path(&rules)]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    for line in [
        "3 rules are good; not run: 1; no rule: 2; other files: 0",
        "loaded                3  1 KQL, 2 Sigma",
        "not run               1  the status of the rule is deprecated",
        "old/f.yml:1:9",
    ] {
        assert!(run.err.contains(line) || run.out.contains(line), "{line} in {}{}", run.out, run.err);
    }
    std::fs::remove_file(rules.path().join("old/f.yml")).unwrap();
    let run = scan(&["--rules", path(&rules), "events/deliveries"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let signals: Vec<serde_json::Value> =
        run.out.lines().map(|line| serde_json::from_str(line).expect("a signal is JSON")).collect();
    let of = |name: &str| {
        let signals = signals.iter().filter(|signal| signal["kibana"]["alert"]["rule"]["name"] == name);
        signals.collect::<Vec<_>>()
    };
    assert!(!of("A").is_empty() && of("A").len() <= of("B").len() && of("C").is_empty(), "{}", run.out);
    let rule = &of("B")[0]["kibana"]["alert"]["rule"];
    assert_eq!(rule["rule_id"], "id of B");
    assert_eq!(
        (&rule["type"], &rule["severity"], &rule["risk_score"]),
        (&"query".into(), &"high".into(), &73.into())
    );
    assert_eq!((&rule["author"], &rule["license"]), (&serde_json::json!(["Ann", "Ben"]), &"DRL 1.1".into()));
}

#[test]
fn a_mistake_in_a_rule_of_sigma_is_shown_with_its_place() {
    let rules = folder(&[
        ("a.yml", &sigma_rule("A", "x").replace("eventName", "eventNam")),
        ("b.yml", &sigma_rule("B", "x").replace("selection\n", "selektion\n")),
        ("c.yml", "title: [\n"),
        ("d.yml", &sigma_rule("D", "x")),
        ("e.yml", &sigma_rule("D", "x")),
    ]);
    let run = scan(&["--check", "--rules", path(&rules)]);
    assert_eq!(run.code, Some(1));
    for line in [
        "a.yml:10:5: no CloudTrail record has a field eventNam",
        "b.yml:11:14: no detection has the name selektion",
        "c.yml:1:8: no valid YAML: unclosed bracket",
        "e.yml:2:5: the rule_id id of D is taken by",
        "4 mistakes in the rules",
    ] {
        assert!(run.err.contains(line), "{line} in {}", run.err);
    }
}

#[test]
fn a_rule_in_eql_is_checked_and_run_like_any_other() {
    let eql = |name: &str, query: &str| {
        rule(name, query).replace("\"query\"", "\"eql\"").replace("\"kuery\"", "\"eql\"")
    };
    let good = eql("Good", "any where startsWith(event.action, \"CreateFunction\") and event.id : \"X\"");
    let rules = folder(&[("a.toml", &good)]);
    let logs = folder(&[("a.json", &delivery(&[hit("x"), hit("y")]))]);
    let run = scan(&["--rules", path(&rules), path(&logs)]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let found = run.documents();
    assert_eq!(found.len(), 1, "{}", run.err);
    assert_eq!(found[0]["event"]["id"], "x");
    assert_eq!(found[0]["kibana"]["alert"]["rule"]["type"], "eql");

    let sequence = eql("Sequence", "sequence by user.name [any where true] [any where true]");
    let wrong = eql("Wrong", "any where event.action = \"x\"");
    let rules = folder(&[("a.toml", &good), ("b.toml", &sequence)]);
    let run = scan(&["--check", "--rules", path(&rules)]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(
        run.out.contains("a sequence needs several events") && run.out.contains("b.toml:11:1"),
        "{}",
        run.out
    );
    let rules = folder(&[("a.toml", &good), ("b.toml", &wrong)]);
    let run = scan(&["--check", "--rules", path(&rules)]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    let shown = "b.toml:11:24: = means nothing in EQL\n    any where event.action = \"x\"\n                           ^\n    help: write ==";
    assert!(run.err.contains(shown), "{}", run.err);
}
