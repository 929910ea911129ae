//! Rule files that are refused, where and why; and what is only warned about.

use detection::rule::{self, Error, Reading};

const TEMPLATE: &str = r#"[metadata]
maturity = "production"

[rule]
author = ["Somebody"]
description = "Finds things."
language = "kuery"
name = "A Rule"
risk_score = 21
rule_id = "00000000-0000-4000-8000-000000000000"
severity = "low"
type = "query"
query = '''
QUERY
'''
"#;

/// A good rule file with the query `query`.
pub fn rule_text(query: &str) -> String {
    TEMPLATE.replace("QUERY", query)
}

/// A good rule file in which `from` is replaced by `to`.
fn changed(from: &str, to: &str) -> String {
    let good = rule_text("event.action: x");
    assert!(good.contains(from), "{from:?} is in the template");
    good.replace(from, to)
}

fn read(text: &str) -> Reading {
    rule::read([("a.toml", text.to_owned())])
}

/// The errors as `line:column reason`.
fn errors(text: &str) -> Vec<String> {
    let errors = read(text).all().expect_err(text);
    errors
        .iter()
        .map(|Error { error, .. }| format!("{}:{} {}", error.line, error.column, error.reason))
        .collect()
}

#[test]
fn the_template_is_a_good_rule() {
    let files = read(&rule_text("event.action: x"));
    assert_eq!(files.warnings, Vec::<String>::new());
    assert_eq!(files.rules[0].query, "event.action: x");
    assert_eq!(files.rules[0].file, "a.toml");
}

#[test]
fn one_mistake_gives_one_error_at_its_place() {
    let rows = [
        (
            r#""query""#,
            r#""esql""#,
            "12:8 type is esql: only rules of type query, eql, new_terms and threshold",
        ),
        (r#""query""#, r#""threat_match""#, "12:8 type is threat_match: only rules of type query, eql,"),
        (r#""query""#, r#""saved_query""#, "12:8 type is saved_query: only rules of type query, eql,"),
        (r#""query""#, r#""threshold""#, "5:1 threshold is missing: write a table like"),
        (r#""query""#, r#""new_terms""#, "5:1 new_terms is missing: write a table like"),
        (
            r#""query""#,
            r#""machine_learning""#,
            "12:8 type is machine_learning: only rules of type query, eql, new_terms and threshold",
        ),
        (r#""kuery""#, r#""lucene""#, "7:12 language is lucene: only the language kuery"),
        (r#""low""#, r#""urgent""#, "11:12 unknown severity urgent: expected low, medium, high or critical"),
        (r#""low""#, r#""Low""#, "11:12 unknown severity Low"),
        (r#""low""#, "3", "11:12 severity must be a string"),
        ("21", "101", "9:14 risk_score must be a whole number from 0 to 100"),
        ("21", "-1", "9:14 risk_score must be a whole number from 0 to 100"),
        ("21", "2.5", "9:14 risk_score must be a whole number from 0 to 100"),
        ("21", r#""21""#, "9:14 risk_score must be a whole number from 0 to 100"),
        (r#"name = "A Rule""#, "", "5:1 name is missing"),
        (r#"severity = "low""#, "", "5:1 severity is missing"),
        (r#"type = "query""#, "", "5:1 type is missing"),
        (r#"language = "kuery""#, "", "5:1 language is missing"),
        ("risk_score = 21", "", "5:1 risk_score is missing"),
        (r#"description = "Finds things.""#, "", "5:1 description is missing"),
        (r#"rule_id = "00000000-0000-4000-8000-000000000000""#, "", "5:1 rule_id is missing"),
        (
            r#"description = "Finds things.""#,
            r#"description = """#,
            "6:15 description must be a string that is not empty",
        ),
        (r#"["Somebody"]"#, "[1]", "5:11 author must be a string"),
        ("type =", "filters = [{ meta = 1 }]\ntype =", "12:11 filters change what matches"),
        (
            "type =",
            "threshold = { field = [] }\ntype =",
            "12:13 a threshold belongs to a rule of type threshold",
        ),
        ("type =", "exceptions_list = [{ id = \"x\" }]\ntype =", "12:19 exceptions change what matches"),
        ("type =", "threat = [\"x\"]\ntype =", "12:11 threat must be an array of tables"),
        ("type =", "threat = 7\ntype =", "12:10 threat must be an array of tables"),
        (
            "type =",
            "building_block_type = \"big\"\ntype =",
            "12:23 building_block_type is big: expected default",
        ),
        ("type =", "bulding_block_type = \"default\"\ntype =", "12:1 unknown key bulding_block_type"),
        ("event.action: x", "event.action: x and", "14:20 expected a field, found the end"),
        ("event.action: x", "x", "14:1 a value without a field"),
        (
            "event.action: x",
            "event.action: x and\n  source.geo.city_name: y",
            "15:3 the field source.geo.city_name is not mapped here: it needs a GeoIP",
        ),
        ("event.action: x", "user_agent.name: y", "14:1 the field user_agent.name is not mapped here"),
        ("event.action: x", "", "13:9 query must be a string that is not empty"),
    ];
    for (from, to, expected) in rows {
        let text = changed(from, to);
        let errors = errors(&text);
        assert_eq!(errors.len(), 1, "{from:?} to {to:?}: {errors:#?}");
        assert!(errors[0].starts_with(expected), "{from:?} to {to:?}: {errors:#?}");
    }
}

#[test]
fn a_file_without_a_table_of_the_rule_is_counted_and_no_mistake() {
    let rule = rule_text("event.action: x");
    let texts = ["", "[metadata]\nmaturity = \"x\"\n", "rule = 3\n", &rule, "[rules]\nname = \"x\"\n"];
    let reading = rule::read(texts.map(|text| ("a.toml", text.to_owned())));
    assert_eq!((reading.no_rule, reading.rules.len()), (4, 1));
    assert_eq!((reading.errors.len(), reading.not_run.len()), (0, 0), "{:?}", reading.errors);
}

#[test]
fn a_file_that_is_not_toml_is_refused_at_its_place() {
    for (text, expected) in [
        ("[rule]\nname = \"x\n", "2:"),
        ("[rule]\nname = \"x\"\nname = \"y\"\n", "3:1 duplicate key"),
        ("[rule\n", "1:"),
        ("not toml at all", "1:"),
    ] {
        let errors = errors(text);
        assert_eq!(errors.len(), 1, "{text:?}: {errors:?}");
        assert!(errors[0].starts_with(expected), "{text:?}: {errors:?}");
    }
}

#[test]
fn a_file_that_is_wrong_in_three_ways_gets_three_errors_with_their_places() {
    let text = changed(r#""low""#, r#""urgent""#)
        .replace("risk_score = 21", "risk_score = 210")
        .replace("event.action: x", "event.action: x and\n    source.geo.country_name: y");
    let errors = read(&text).all().expect_err("three mistakes");
    let shown: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(shown.len(), 3, "{shown:#?}");
    for place in
        ["a.toml:11:12: unknown severity", "a.toml:9:14: risk_score", "a.toml:15:5: the field source.geo"]
    {
        assert!(shown.iter().any(|error| error.starts_with(place)), "{place} in {shown:#?}");
    }
    let lines: Vec<_> = shown.iter().map(|error| error.lines().count()).collect();
    assert_eq!(lines, [3, 3, 3], "each with its line and a caret");
}

#[test]
fn a_rule_of_another_type_is_refused_for_that_and_not_for_its_query() {
    let text = changed(r#""query""#, r#""esql""#)
        .replace(r#""kuery""#, r#""esql""#)
        .replace("event.action: x", "from logs-* | where event.action == \"x\"")
        .replace(r#""low""#, r#""urgent""#);
    let errors = errors(&text);
    assert_eq!(errors.len(), 2, "the type and the severity: {errors:?}");
    // Machine learning rules have neither query nor language.
    let text = changed(r#""query""#, r#""machine_learning""#).replace("language = \"kuery\"\n", "");
    let (before, _) = text.split_once("query = '''").expect("the template has a query");
    assert_eq!(
        self::errors(before),
        [
            "11:8 type is machine_learning: only rules of type query, eql, new_terms and threshold are supported"
        ]
    );
}

#[test]
fn mistakes_of_all_files_come_at_once() {
    let good = rule_text("event.action: x");
    let texts =
        [("a.toml", changed("\"low\"", "\"x\"")), ("b.toml", good.replace("21", "x")), ("c.toml", good)];
    let errors = rule::read(texts).all().expect_err("a, b and c are wrong");
    let files: Vec<_> = errors.iter().map(|error| error.file.as_str()).collect();
    assert_eq!(files, ["a.toml", "b.toml", "c.toml"], "{errors:#?}");
}

#[test]
fn a_rule_id_that_is_taken_is_refused_whatever_else_is_wrong() {
    let good = rule_text("event.action: x");
    let other = good.replace("00000000-0000-4000-8000-000000000000", "another");
    let texts = [("a.toml", good.clone()), ("b.toml", other), ("c.toml", good.clone())];
    let errors = rule::read(texts).all().expect_err("c repeats a");
    let [error] = errors.as_slice() else { panic!("{errors:?}") };
    assert_eq!((error.file.as_str(), error.error.line, error.error.column), ("c.toml", 10, 11));
    assert!(error.error.reason.contains("is taken by a.toml"), "{error}");

    // Names that are not UTF-8 can look alike.
    let alike = rule::read([("a.toml", good.clone()), ("a.toml", good.clone())]);
    assert_eq!((alike.rules.len(), alike.errors.len()), (1, 1));

    let worse = good.replace("\"low\"", "\"x\"");
    let errors =
        rule::read([("a.toml", worse.clone()), ("b.toml", worse)]).all().expect_err("both are wrong");
    let reasons: Vec<_> = errors.iter().map(|error| error.error.reason.as_str()).collect();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("is taken by a.toml")), "{reasons:?}");
}

#[test]
fn what_only_steers_elastics_stack_is_warned_about_and_ignored() {
    let text = changed("type =", "max_signals = 100\nexceptions_list = []\nenabled = true\ntype =")
        + "\n[rule.investigation_fields]\nfield_names = [\"user.name\"]\n\n[transform]\nosquery = []\n";
    let files = read(&text);
    assert_eq!(files.rules.len(), 1);
    let mut named: Vec<_> =
        files.warnings.iter().map(|warning| warning.split(' ').nth(1).unwrap_or_default()).collect();
    named.sort_unstable();
    assert_eq!(named, ["investigation_fields", "max_signals"], "{:?}", files.warnings);
    assert!(files.warnings.iter().all(|warning| warning.starts_with("a.toml: ")), "{:?}", files.warnings);
}

#[test]
fn places_are_right_in_every_way_to_write_a_query() {
    let query = "event.action: x and nope: y";
    for (quote, line, column) in [("'''", 14, 21), ("'", 13, 30), ("\"", 13, 30), ("\"\"\"", 13, 32)] {
        let layout = if quote == "'''" { "\n" } else { "" };
        let text = changed("'''\nevent.action: x\n'''", &format!("{quote}{layout}{query}{quote}"));
        let errors = errors(&text);
        assert!(
            errors[0].starts_with(&format!("{line}:{column} the field nope is not mapped here")),
            "{quote}: {errors:?}"
        );
    }
    // Windows line breaks.
    let text = changed("event.action: x", "event.action: x and\n  nope: y").replace('\n', "\r\n");
    assert!(errors(&text)[0].starts_with("15:3 the field nope is not mapped here"), "{:?}", errors(&text));
    // With escapes, the file does not hold the query verbatim: its start must do, and the reason gives the rest.
    let text = changed("'''\nevent.action: x\n'''", r#""event.action: \"x\" and nope: y""#);
    let errors = errors(&text);
    assert!(
        errors[0].starts_with("13:9 in the query, 1:23: the field nope is not mapped here"),
        "{errors:?}"
    );
}

#[test]
fn a_rule_that_can_never_match_is_refused_at_the_part_that_contradicts() {
    let text = changed("event.action: x", "event.dataset: \"aws.cloudtrial\"\n    and event.action: x");
    assert_eq!(
        errors(&text),
        ["14:16 the query can never match: event.dataset is always \"aws.cloudtrail\""]
    );
    let text = changed("event.action: x", "event.action: x and\n    not event.action: x*");
    assert_eq!(
        errors(&text),
        ["15:23 the query can never match: not event.action: x* contradicts event.action: \"x\""]
    );
}

#[test]
fn a_rule_that_cannot_be_run_is_listed_with_its_reason_and_a_mistake_in_it_counts_more() {
    let other = changed(r#""query""#, r#""esql""#);
    let reading = read(&other);
    let shown: Vec<_> = reading.not_run.iter().map(ToString::to_string).collect();
    assert!(
        shown[0]
            .starts_with("a.toml:12:8: type is esql: only rules of type query, eql, new_terms and threshold"),
        "{shown:?}"
    );
    assert_eq!((shown.len(), reading.errors.len(), reading.rules.len()), (1, 0, 0));

    let reading = read(&other.replace(r#""low""#, r#""urgent""#));
    assert_eq!((reading.errors.len(), reading.not_run.len()), (2, 0), "{:?}", reading.errors);
}

#[test]
fn a_deprecated_rule_is_not_run_and_a_rule_of_another_integration_is_none() {
    let of = |metadata: &str, text: &str| read(&text.replace("maturity = \"production\"", metadata));
    let rule = rule_text("event.action: x");
    let retired = of("maturity = \"deprecated\"", &rule);
    assert_eq!((retired.rules.len(), retired.errors.len(), retired.no_rule), (0, 0, 0));
    let shown = retired.not_run[0].to_string();
    assert!(shown.starts_with("a.toml:2:12: the maturity of the rule is deprecated"), "{shown}");

    for integration in [r#"["okta"]"#, r#"["endpoint", "windows"]"#, r#""gcp""#] {
        // Its query would be wrong here.
        let foreign = rule_text("event.dataset: okta.system");
        let other = of(&format!("integration = {integration}"), &foreign);
        assert_eq!((other.rules.len(), other.errors.len(), other.no_rule), (0, 0, 1), "{integration}");
    }
    for integration in [r#"["aws"]"#, r#"["azure", "aws"]"#, "[]"] {
        let own = of(&format!("integration = {integration}"), &rule);
        assert_eq!((own.rules.len(), own.no_rule), (1, 0), "{integration}: {:?}", own.errors);
    }
    let above = changed("type =", "index = [\".alerts-security.*\"]\ntype =");
    assert_eq!(of("integration = [\"endpoint\"]", &above).rules.len(), 1, "it looks at signals");
}

#[test]
fn a_mistake_inside_a_threat_is_named_at_its_place() {
    let threat = "[[rule.threat]]\nframework = \"MITRE ATT&CK\"\n\n[rule.threat.tactic]\nid = \"TA0002\"\nname = \"Execution\"\nreference = \"https://attack.mitre.org/tactics/TA0002/\"\n";
    let good = rule_text("event.action: x") + threat;
    assert_eq!(read(&good).all().expect("a good rule")[0].definition.threat[0].tactic.id, "TA0002");
    for (from, to, expected) in [
        ("name = \"Execution\"\n", "", "missing field `name`"),
        ("\"TA0002\"", "\" \"", "20:6 threat must be an array of tables: an empty string"),
        ("\"TA0002\"", "2", "20:6 threat must be an array of tables"),
        ("\nid =", "\nidd =", "20:1 threat must be an array of tables: unknown field `idd`"),
    ] {
        let errors = errors(&good.replace(from, to));
        assert!(errors.len() == 1 && errors[0].contains(expected), "{from:?} to {to:?}: {errors:?}");
    }
}

#[test]
fn every_wrong_entry_of_a_list_is_reported() {
    assert_eq!(errors(&changed(r#"["Somebody"]"#, r#"[1, "x", " "]"#)).len(), 2);
}
