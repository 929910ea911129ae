//! `--explain RULE EVENTID`: a query with the values of one event.

use serde_json::json;

use crate::rules::{rule, sigma_rule};
use crate::{delivery, folder, folder_of, gzip, hit, path, scan};

#[test]
fn a_query_is_shown_as_a_tree_with_each_value_seen_and_its_verdict() {
    let query = "event.action: Create* and not event.provider: \"s3.amazonaws.com\" and (user.name: bob or event.id: y)";
    let rules = folder(&[("a.toml", &rule("A", query)), ("b.toml", &rule("B", "event.id: x"))]);
    let logs = folder_of(&[("a.json.gz", gzip(&delivery(&[hit("w"), hit("x")])))]);
    for name in ["A", "a", "id of A"] {
        let run = scan(&["--rules", path(&rules), "--explain", name, "x", path(&logs)]);
        let expected = format!(
            "A (id of A)\nover record 1 of {}/a.json.gz\n  false   all of\n  true      event.action: Create*   seen: \
             \"CreateFunction20150331\"\n  true      not\n  false       event.provider: \"s3.amazonaws.com\"   seen: \
             \"lambda.amazonaws.com\"\n  false     any of\n  missing     user.name: \"bob\"\n  false       event.id: \
             \"y\"   seen: \"x\"\nthe query does not match\n",
            path(&logs)
        );
        assert_eq!((run.code, run.out.as_str()), (Some(0), expected.as_str()), "{}", run.err);
    }
    let run = scan(&["--rules", path(&rules), "--explain", "B", "x", path(&logs)]);
    assert!(run.out.ends_with("  true    event.id: \"x\"   seen: \"x\"\nthe query matches\n"), "{}", run.out);
}

#[test]
fn queries_of_eql_and_of_sigma_are_explained_too() {
    let eql = rule("E", "any where event.action like \"Create*\" and user.name == user.target.name")
        .replace("\"query\"", "\"eql\"")
        .replace("\"kuery\"", "\"eql\"");
    let rules = folder(&[("a.toml", &eql), ("b.yml", &sigma_rule("S", "createfunction"))]);
    let mut record = hit("x");
    record["userIdentity"] = json!({ "userName": "bob" });
    let logs = folder(&[("a.json", &delivery(&[record]))]);
    let run = scan(&["--rules", path(&rules), "--explain", "E", "x", path(&logs)]);
    let shown = "missing   user.name equals user.target.name   seen: \"bob\"\n";
    assert!(run.code == Some(0) && run.out.contains(shown), "{}{}", run.out, run.err);
    let run = scan(&["--rules", path(&rules), "--explain", "S", "x", path(&logs)]);
    let shown =
        "$.eventName like~ \"createfunction*\"   seen: \"CreateFunction20150331\"\nthe query matches\n";
    assert!(run.code == Some(0) && run.out.ends_with(shown), "{}{}", run.out, run.err);
}

#[test]
fn an_event_or_a_rule_that_is_not_found_is_named() {
    let logs = folder(&[("a.json", &delivery(&[hit("x")]))]);
    let seed = "1251b98a-ff45-11ee-89a1-f661ea17fbce";
    for (arguments, code, said) in [
        (["--explain", seed, "y", path(&logs)], 1, "no event with the eventID y in 1 file"),
        (["--explain", "nobody", "x", path(&logs)], 1, "no rule has the id or the name nobody"),
        (["--explain", seed, "x", "/nowhere"], 1, "/nowhere: "),
    ] {
        let run = scan(&arguments);
        assert_eq!((run.code, run.out.as_str()), (Some(code), ""), "{}", run.err);
        assert!(run.err.contains(said), "{said} in {}", run.err);
    }
    assert_eq!(scan(&["--explain", seed, "x"]).code, Some(2));
}
