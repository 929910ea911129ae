//! Bundles, embedded rules, exceptions as files, and import.

use std::fs;

use detection::bundle::Bundle;
use tempfile::TempDir;

use crate::rules::{rule, sigma_rule};
use crate::{assert_run, delivery, folder, hit, miss, path, scan};

const EXCEPTION: &str = "rules = [\"id of A\"]\nquery = 'event.id: x'\nreason = \"a rehearsal\"\n";
const ACCOUNTS: &str = r#"{"Accounts": [{"Id": "111122223333", "Name": "payments-prod"}]}"#;

fn logs() -> TempDir {
    folder(&[("a.json", &delivery(&[hit("x"), hit("y"), miss("z")]))])
}

#[test]
fn a_bundle_is_written_of_a_good_folder_and_of_no_other() {
    let target = folder(&[]);
    let file = target.path().join("rules.json");
    let file = file.to_str().expect("text");
    let write = |rules: &TempDir| scan(&["--rules", path(rules), "--bundle", file]);

    let rules = folder(&[
        ("aws/a.toml", &rule("A", "event.action: Create*")),
        ("b.yml", &sigma_rule("B", "Create")),
        ("exceptions/e.toml", EXCEPTION),
        ("accounts.json", ACCOUNTS),
    ]);
    let run = write(&rules);
    assert_eq!((run.code, run.out.as_str()), (Some(0), ""), "{}", run.err);
    assert!(
        run.says(&format!("{file}: 2 rules, 1 exception, 1 account name, 0 routes of 4 files")),
        "{}",
        run.err
    );
    let bundle = Bundle::read(&fs::read(file).expect("it is there")).expect("a good bundle");
    let files: Vec<_> = bundle.rules.iter().map(|rule| rule.file.as_str()).collect();
    assert_eq!((files, bundle.exceptions.len()), (vec!["aws/a.toml", "b.yml"], 1));

    fs::remove_file(file).expect("it is there");
    let not_run = rule("A", "event.action: x").replace("\"query\"", "\"esql\"");
    let wrong = rule("A", "event.action: x").replace("medium", "urgent");
    for (text, expected) in
        [(&not_run, "a.toml:9:8: type is esql"), (&wrong, "a.toml:8:12: unknown severity")]
    {
        let run = write(&folder(&[("a.toml", text), ("b.yml", &sigma_rule("B", "x"))]));
        assert_eq!(run.code, Some(1), "{expected}");
        assert!(run.err.contains(expected) && fs::metadata(file).is_err(), "{}", run.err);
    }
    let run = scan(&["--rules", path(&rules), "--bundle", "/nowhere/at/all.json"]);
    assert_eq!(run.code, Some(1));
    assert!(run.err.contains("/nowhere/at/all.json: "), "{}", run.err);
    assert_eq!(scan(&["--bundle", file]).code, Some(2), "of what?");
}

#[test]
fn two_files_with_one_identifier_are_a_mistake_that_names_both() {
    let second = rule("B", "event.action: y").replace("id of B", "id of A");
    let rules = folder(&[("a.toml", &rule("A", "event.action: x")), ("deep/b.toml", &second)]);
    let run = scan(&["--check", "--rules", path(&rules)]);
    assert_eq!(run.code, Some(1));
    let both = ["deep/b.toml:7:11: the rule_id id of A is taken by", "/a.toml"];
    assert!(both.iter().all(|name| run.err.contains(name)), "{}", run.err);
}

#[test]
fn rules_alone_replace_the_embedded_ones_and_with_embedded_both_are_used() {
    let (rules, logs) = (folder(&[("a.toml", &rule("A", "event.id: z"))]), logs());
    let run = |arguments: &[&str]| scan(&[arguments, &[path(&logs)]].concat());
    assert_run(&run(&[]), 0, &["x", "y"], &[]);
    assert_run(&run(&["--rules", path(&rules)]), 0, &["z"], &[]);
    assert_run(&run(&["--rules", path(&rules), "--embedded", "none"]), 0, &["z"], &[]);
    for choice in ["seed", "starter"] {
        let both = run(&["--rules", path(&rules), "--embedded", choice]);
        assert!(
            ["x", "y", "z"].iter().all(|event| both.events().contains(&(*event).to_owned())),
            "{}",
            both.err
        );
    }
    let same = rule("Mine", "event.id: z").replace("id of Mine", "1251b98a-ff45-11ee-89a1-f661ea17fbce");
    let rules = folder(&[("a.toml", &same)]);
    assert_run(&run(&["--rules", path(&rules), "--embedded", "seed"]), 0, &["z"], &[]);
    assert_eq!(run(&["--embedded", "all"]).code, Some(2));
    assert_eq!(run(&["--embedded", "none"]).code, Some(1), "there is no rule");
}

#[test]
fn an_exception_of_the_folder_takes_out_what_it_says_and_an_idle_one_is_named() {
    let idle = "rules = \"all\"\nquery = 'user.name: nobody'\nreason = \"gone long ago\"\n";
    let rules = folder(&[
        ("a.toml", &rule("A", "event.action: Create*")),
        ("exceptions/e.toml", EXCEPTION),
        ("exceptions/idle.toml", idle),
    ]);
    let logs = logs();
    let run = scan(&["--rules", path(&rules), path(&logs)]);
    assert_run(&run, 0, &["y"], &["exception never matched: exceptions/idle.toml (gone long ago)"]);
    assert!(
        run.err.contains("1 printed, 1 suppressed") && !run.err.contains("never matched: exceptions/e"),
        "{}",
        run.err
    );
}

#[test]
fn exceptions_are_a_file_a_folder_or_a_query_and_join_those_of_the_rules() {
    let rules = folder(&[("a.toml", &rule("A", "event.action: Create*")), ("exceptions/e.toml", EXCEPTION)]);
    let more = folder(&[("y.toml", &EXCEPTION.replace("event.id: x", "event.id: y"))]);
    let file = more.path().join("y.toml");
    let logs = folder(&[("a.json", &delivery(&[hit("x"), hit("y"), hit("z")]))]);
    for given in [path(&more), file.to_str().expect("text"), "event.id: y"] {
        let run = scan(&["--rules", path(&rules), "--exceptions", given, path(&logs)]);
        assert_run(&run, 0, &["z"], &[]);
    }
    let wrong = folder(&[("y.toml", &EXCEPTION.replace("id of A", "id of Z"))]);
    for (given, expected) in [
        (path(&wrong), "y.toml:1:10: there is no rule with the rule_id id of Z"),
        (path(&logs), "no exception (*.toml) in it"),
        ("event.idd: y", "1:1: the field event.idd is not mapped here"),
    ] {
        let run = scan(&["--rules", path(&rules), "--exceptions", given, path(&logs)]);
        assert_eq!(run.code, Some(2), "{given}");
        assert!(run.err.contains(expected), "{expected} in {}", run.err);
    }
}

#[test]
fn an_import_copies_what_runs_unchanged_and_says_where_it_is_from() {
    let elastic = |name: &str, maturity: &str| {
        format!("[metadata]\nmaturity = \"{maturity}\"\n\n{}", rule(name, "event.action: x"))
            .replace("\"x\"]", "\"E | C\"]")
    };
    let good = elastic("Good", "production");
    let source = folder(&[
        ("rules/aws/good.toml", &good),
        ("rules/aws/old.toml", &elastic("Old", "deprecated")),
        ("rules/aws/new.toml", &elastic("New", "development")),
        ("rules/aws/esql.toml", &elastic("Esql", "production").replace("\"query\"", "\"esql\"")),
        ("sigma/s.yml", &sigma_rule("S", "x")),
        ("sigma/gone.yml", &format!("status: deprecated\n{}", sigma_rule("Gone", "x"))),
        ("sigma/windows.yml", &sigma_rule("W", "x").replace("cloudtrail", "guardduty")),
        ("README.md", "x"),
    ]);
    let target = folder(&[]);
    let run = scan(&["--import", path(&source), path(&target)]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(
        run.err.contains("2 files copied") && run.err.contains("3 not run or wrong, 1 not for production"),
        "{}",
        run.err
    );
    let read = |name: &str| fs::read_to_string(target.path().join(name)).ok();
    assert_eq!(read("rules/aws/good.toml"), Some(good));
    for left in [
        "rules/aws/old.toml",
        "rules/aws/new.toml",
        "rules/aws/esql.toml",
        "sigma/gone.yml",
        "sigma/windows.yml",
    ] {
        assert_eq!(read(left), None, "{left}");
    }
    let notes = read("SOURCE.md").expect("the notes");
    for line in [
        "| rules/aws/good.toml | Good | not named in the rule | E \\| C |",
        "| sigma/s.yml | S | DRL 1.1 | Ann, Ben |",
    ] {
        assert!(notes.lines().any(|said| said == line), "{line} in {notes}");
    }
    assert_eq!(scan(&["--check", "--rules", path(&target)]).code, Some(0));

    let run = scan(&["--import", path(&source), path(&target), "--all"]);
    assert_eq!(run.code, Some(0), "again into the same folder: {}", run.err);
    assert!(read("rules/aws/new.toml").is_some() && read("rules/aws/old.toml").is_none());
    assert_eq!(read("sigma/gone.yml"), None);
    let mine = folder(&[("mine.toml", "x")]);
    let run = scan(&["--import", path(&source), path(&mine)]);
    assert_eq!(run.code, Some(1));
    assert!(run.err.contains("neither an empty folder nor an earlier import"), "{}", run.err);
}

#[test]
fn a_mistake_in_what_is_imported_is_exit_code_1_and_the_rest_is_copied() {
    let wrong = rule("Wrong", "event.action: x").replace("medium", "urgent");
    let source = folder(&[("good.toml", &rule("Good", "event.action: x")), ("wrong.toml", &wrong)]);
    let target = folder(&[]);
    let run = scan(&["--import", path(&source), path(&target)]);
    assert_eq!(run.code, Some(1));
    assert!(run.err.contains("wrong.toml:8:12: unknown severity"), "{}", run.err);
    assert!(target.path().join("good.toml").exists() && !target.path().join("wrong.toml").exists());
}

#[test]
fn a_rule_that_is_wrong_is_not_also_not_run() {
    let both = rule("A", "event.action: x").replace("\"query\"", "\"esql\"").replace("medium", "urgent");
    let rules = folder(&[("a.toml", &both)]);
    let run = scan(&["--check", "--rules", path(&rules)]);
    assert_eq!(run.code, Some(1));
    for line in ["not run               0", "wrong                 1  files, see above"] {
        assert!(run.out.lines().any(|said| said == line), "{line} in {}", run.out);
    }
}
