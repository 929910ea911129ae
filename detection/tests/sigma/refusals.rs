//! What is refused, with its location, or not run, with the reason.

use detection::rule;

use crate::{corpus, read, rule_text};

/// Why a rule with this detection is refused, or is not run, as `line:column: reason`.
fn problems(detection: &str) -> (Vec<String>, Vec<String>) {
    let reading = read(&rule_text(detection));
    let list = |errors: &[rule::Error]| {
        let line = |error: &rule::Error| {
            assert_eq!(error.file, "rule.yml");
            format!("{}:{}: {}", error.error.line, error.error.column, error.error.reason)
        };
        errors.iter().map(line).collect::<Vec<_>>()
    };
    assert!(reading.rules.is_empty(), "the rule is taken: {detection}");
    (list(&reading.errors), list(&reading.not_run))
}

/// Checks that a field with one value is refused: the column in line 8, and a part of the reason.
fn assert_wrong(field: &str, value: &str, column: usize, reason: &str) {
    let (errors, not_run) = problems(&format!("  s:\n    {field}: {value}\n  condition: s"));
    assert_eq!((errors.len(), not_run.len()), (1, 0), "{field}: {value}: {errors:?} {not_run:?}");
    assert!(errors[0].starts_with(&format!("8:{column}: ")), "{}", errors[0]);
    assert!(errors[0].contains(reason), "{}", errors[0]);
}

#[test]
fn a_mistake_in_a_field_is_shown_in_its_place() {
    for (field, value, column, reason) in [
        ("eventNam", "x", 5, "no CloudTrail record has a field eventNam: expected one of CloudTrail's own"),
        ("eventname", "x", 5, "expected eventName"),
        ("status", "x", 5, "a field status"),
        ("event.action", "x", 5, "a field event:"),
        ("src_country|contains", "x", 5, "a field src_country"),
        ("eventName|like", "x", 15, "unknown modifier like: expected contains, startswith"),
        ("'eventName|Contains'", "x", 16, "unknown modifier Contains"),
        ("eventName|", "x", 15, "unknown modifier :"),
        ("eventName|contains|endswith", "x", 24, "contains and endswith do not go together"),
        ("eventName|re|contains", "x", 18, "re and contains do not go together"),
        ("eventName|contains|contains", "x", 24, "appears twice"),
        ("eventName|i", "x", 15, "the flag i belongs after re"),
        ("eventName|contains|s", "x", 24, "the flag s belongs after re"),
        ("eventName|re|cased", "x", 18, "cased has no effect after re"),
        ("eventName|cased|cidr", "10.0.0.0/8", 21, "cased has no effect before cidr"),
        ("''", "x", 5, "a field needs a name"),
        ("'|exists'", "true", 7, "exists needs a field"),
    ] {
        assert_wrong(field, value, column, reason);
    }
}

#[test]
fn a_mistake_in_a_value_is_shown_in_its_place() {
    for (field, value, column, reason) in [
        ("eventName", "[]", 16, "an empty list"),
        ("eventName", "[x, [y]]", 20, "not a list in a list"),
        ("userIdentity", "{type: Root}", 19, "write the path, such as userIdentity.type"),
        ("eventName|contains", "null", 25, "null takes no modifier"),
        ("eventName|re", "null", 19, "null takes no modifier"),
        ("eventName|re", "'a(b'", 20, "is not understood"),
        ("eventName|re", "'a(?=b)'", 20, "looking ahead or behind"),
        ("eventName|re", "'(?<!a)b'", 20, "looking ahead or behind"),
        ("eventName|re", r"'(a)\1'", 20, "a back-reference"),
        ("eventName|re", "'(?>a)b'", 20, "an atomic group"),
        ("eventName|re", "'a++'", 20, "a possessive quantifier"),
        ("eventName|re", r"'\p{Greek}'", 20, "is not understood"),
        ("sourceIPAddress|cidr", "10.0.0.0/33", 27, "CIDR"),
        ("sourceIPAddress|cidr", "'10.0.0.*'", 28, "CIDR"),
        ("errorCode|exists", "maybe", 23, "expected true or false"),
        ("eventName|gt", "ten", 19, "expected a number"),
        ("eventName|lt", "0x10", 19, "expected a number"),
        ("eventName|fieldref", "user.name", 25, "a field user:"),
        ("eventName|fieldref", "", 23, "null takes no modifier"),
    ] {
        assert_wrong(field, value, column, reason);
    }
}

#[test]
fn every_other_modifier_of_sigma_is_named_with_what_to_write_instead() {
    for modifier in [
        "base64",
        "base64offset",
        "utf16",
        "utf16le",
        "utf16be",
        "wide",
        "windash",
        "neq",
        "minute",
        "hour",
        "day",
        "week",
        "month",
        "year",
        "count",
    ] {
        let (errors, not_run) = problems(&format!("  s:\n    eventName|{modifier}: x\n  condition: s"));
        assert_eq!(errors, Vec::<String>::new(), "{modifier}");
        assert!(
            not_run[0].starts_with(&format!("8:15: the modifier {modifier} is not supported: ")),
            "{not_run:?}"
        );
    }
}

#[test]
fn a_placeholder_without_values_is_named() {
    for (field, value) in [
        ("userIdentity.arn|expand", "'%admins%'"),
        ("userIdentity.arn|contains|expand", "[x, 'a%admins%b']"),
        ("userIdentity.arn|expand|endswith", "'%admins%'"),
    ] {
        let (errors, not_run) = problems(&format!("  s:\n    {field}: {value}\n  condition: s"));
        assert_eq!((errors.len(), not_run.len()), (0, 1), "{field}");
        assert!(not_run[0].contains("the placeholder %admins% has no values"), "{not_run:?}");
    }
    // A field that no record has is a mistake, whatever else keeps the rule from running.
    let (errors, _) = problems("  s:\n    src_country|expand: '%home%'\n  condition: s");
    assert!(errors[0].contains("src_country") && errors[1].contains("%home%"), "{errors:?}");
    // Without the modifier, or without a second percent sign, a percent sign is text.
    assert!(crate::compares("userAgent", "'%x%'", r#"{"userAgent":"%X%"}"#));
    assert!(crate::compares("userAgent|expand", "100%", r#"{"userAgent":"100%"}"#));
}

#[test]
fn a_mistake_in_a_condition_is_shown_in_its_place() {
    for (condition, column, reason) in [
        ("t", 14, "no detection has the name t: expected one of s"),
        ("s and", 19, "expected the name of a detection, found the end"),
        ("and s", 14, "expected the name of a detection, found and"),
        ("s s", 16, "expected \"and\", \"or\" or the end of the condition, found s"),
        ("(s", 16, "expected \")\""),
        ("s)", 15, "found )"),
        ("(s t)", 17, "expected \"and\", \"or\" or \")\", found t"),
        ("1 of t*", 19, "no detection has a name that matches t*"),
        ("1 of", 18, "expected \"them\" or a name"),
        ("2 of s*", 14, "2 of is not supported"),
        ("1 of (s)", 19, "expected \"them\" or a name"),
        ("s*", 14, "expected \"1 of s*\" or \"all of s*\""),
        ("'s and t'", 21, "no detection has the name t"),
        ("\"s and t\"", 21, "no detection has the name t"),
    ] {
        let (errors, not_run) = problems(&format!("  s:\n    eventName: x\n  condition: {condition}"));
        assert_eq!((errors.len(), not_run.len()), (1, 0), "{condition}: {errors:?}");
        assert!(errors[0].starts_with(&format!("9:{column}: ")), "{condition}: {}", errors[0]);
        assert!(errors[0].contains(reason), "{condition}: {}", errors[0]);
    }
    for (detection, reason) in [
        ("  s:\n    eventName: x", "the detection has no condition"),
        ("  s:\n    eventName: x\n  condition: []", "the condition is empty"),
        ("  s:\n    eventName: x\n  condition:", "a condition must be a text"),
        ("  s:\n    eventName: x\n  condition: {a: b}", "a condition must be a text"),
        ("  s: {}\n  condition: s", "an empty map"),
        ("  s: []\n  condition: s", "an empty list"),
        ("  s:\n  condition: s", "an empty detection"),
        ("  s: [[x]]\n  condition: s", "not a list in a list"),
        ("  s: [null]\n  condition: s", "a word to look for cannot be null"),
        ("  _s: x\n  condition: 1 of them", "no detection has a name that matches them"),
        ("  - x", "detection must be a map"),
    ] {
        let (errors, _) = problems(detection);
        assert!(errors.iter().any(|error| error.contains(reason)), "{detection}: {errors:?}");
    }
}

#[test]
fn what_looks_at_several_events_is_named_and_not_run() {
    for (condition, name) in [
        ("s | count() > 5", "| count"),
        ("s | count(userAgent) by awsRegion >= 5", "| count"),
        ("s | near t", "| near"),
        ("(s | max(x) > 3)", "| max"),
        ("near", "near"),
    ] {
        let (errors, not_run) = problems(&format!("  s:\n    eventName: x\n  condition: {condition}"));
        assert_eq!((errors.len(), not_run.len()), (0, 1), "{condition}: {errors:?}");
        assert!(not_run[0].contains(name), "{condition}: {not_run:?}");
    }
    let (errors, not_run) =
        problems("  a:\n    eventName: x\n  b:\n    eventName: y\n  timeframe: 5m\n  condition: a and b");
    assert_eq!(errors, Vec::<String>::new());
    assert!(not_run[0].starts_with("11:3: timeframe looks at several events"), "{not_run:?}");
    let reading = read(&format!("timeframe: 5m\n{}", rule_text("  a:\n    eventName: x\n  condition: a")));
    assert_eq!((reading.rules.len(), reading.not_run.len()), (0, 1));
}

#[test]
fn every_mistake_of_a_rule_is_shown_at_once_in_the_order_of_the_file() {
    let (errors, not_run) = problems(
        "  s:\n    eventNam: x\n    errorCode|re: '('\n    userAgent|wide: x\n  t:\n    awsRegion|gt: x\n  condition: s and u",
    );
    let lines: Vec<_> = errors.iter().map(|error| error.split(':').next().unwrap().to_owned()).collect();
    assert_eq!(lines, ["8", "9", "12", "13", "10"], "{errors:?}");
    assert_eq!(not_run, Vec::<String>::new(), "wrong beats not run");
}

#[test]
fn an_error_shows_the_line_and_carets_under_what_is_meant() {
    let reading = read(&rule_text("  s:\n    eventName|like: x\n  condition: s"));
    let shown = reading.errors[0].to_string();
    assert!(shown.starts_with("rule.yml:8:15: unknown modifier like"), "{shown}");
    assert!(shown.ends_with("        eventName|like: x\n                  ^^^^"), "{shown}");
    let long = format!(
        "  s:\n    eventName: [{}null]\n    errorCode|re: 'é{}('\n  condition: s",
        "x, ".repeat(100_000),
        "y".repeat(3_000)
    );
    let reading = read(&rule_text(&long));
    let shown = reading.errors[0].to_string();
    let lines: Vec<_> = shown.lines().map(|line| line.chars().count()).collect();
    assert!(lines[1] <= 220 && lines[2] <= 220, "a long line is cut: {lines:?}");
    let shown = read("title: x\u{1b}[31m\n").errors.remove(0).to_string();
    assert!(!shown.contains('\u{1b}'), "{shown}");
}

const GOOD: &str = "  s:\n    eventName: x\n  condition: s";

#[test]
fn a_mistake_in_the_facts_is_shown_in_its_place() {
    for (from, to, place, reason) in [
        ("title: A Rule\n", "", "1:1: ", "title is missing"),
        ("title: A Rule", "title: ''", "1:8: ", "title must be a text that is not empty"),
        ("title: A Rule", "title: [a]", "1:8: ", "title must be a text"),
        ("id: 6c0f7c1e-3c55-4be5-9a9c-0a8a3b7c1f52\n", "", "1:1: ", "id is missing"),
        ("id: 6c0f7c1e-3c55-4be5-9a9c-0a8a3b7c1f52", "id:", "2:3: ", "id is missing"),
        (
            "title: A Rule",
            "title: A Rule\nlevel: severe",
            "2:8: ",
            "unknown level severe: expected informational",
        ),
        ("title: A Rule", "title: A Rule\nstatus: new", "2:9: ", "unknown status new: expected stable"),
        ("title: A Rule", "title: A Rule\ntags: [a, [b]]", "2:11: ", "tags must be a list of texts"),
        ("title: A Rule", "title: A Rule\nlicense: {a: b}", "2:10: ", "license must be a text"),
        ("title: A Rule", "title: A Rule\ntitle: Another", "2:1: ", "duplicate mapping key"),
        ("title: A Rule", "title: [A Rule", "2:", "no valid YAML"),
        ("title: A Rule", "title: *nothing", "1:8: ", "no valid YAML"),
        ("title: A Rule", "\ttitle: A Rule", "2:1: ", "no valid YAML"),
        ("title: A Rule", "title: A Rule\n? [a]\n: b", "2:3: ", "cannot be a key"),
        ("title: A Rule", "title: A Rüle\nö: 'ü\nid: x", "2:4: ", "unclosed quote"),
    ] {
        let text = rule_text(GOOD);
        assert!(text.contains(from));
        let reading = read(&text.replacen(from, to, 1));
        assert_eq!((reading.rules.len(), reading.no_rule), (0, 0), "{to}");
        let error = reading.errors.first().unwrap_or_else(|| panic!("{to} is taken")).error.to_string();
        assert!(error.starts_with(place) && error.contains(reason), "{to}: {error}");
    }
}

#[test]
fn a_rule_that_its_author_retired_is_not_run_and_says_so() {
    for status in ["deprecated", "unsupported"] {
        let reading = read(&format!("status: {status}\n{}", rule_text(GOOD)));
        assert_eq!((reading.rules.len(), reading.errors.len(), reading.not_run.len()), (0, 0, 1));
        let error = reading.not_run[0].to_string();
        assert!(error.starts_with(&format!("rule.yml:1:9: the status of the rule is {status}")), "{error}");
    }
    let reading = read(&format!("status: deprecated\n{}", rule_text("  s:\n    nothing: x\n  condition: s")));
    assert_eq!((reading.errors.len(), reading.not_run.len()), (2, 0), "wrong beats not run");
}

#[test]
fn what_is_no_rule_for_cloudtrail_is_counted() {
    let text = rule_text(GOOD);
    for other in [
        text.replace("detection:", "detections:"),
        text.replace("service: cloudtrail", "service: guardduty"),
        text.replace("product: aws", "product: azure"),
        text.replace("  service: cloudtrail\n", ""),
        text.replace("  product: aws\n", "  product: aws\n  category: x\n"),
        text.replace("logsource:", "source:"),
        text.replace("  product: aws\n  service: cloudtrail\n", "  - x\n"),
        String::new(),
        "# nothing\n".to_owned(),
        "just words".to_owned(),
        "- a\n- b\n".to_owned(),
        "title: x\ncorrelation:\n  type: event_count\n".to_owned(),
        "a: 1\n---\nb: 2\n".to_owned(),
        // Whatever is wrong with another system's rule does not matter here.
        text.replace("service: cloudtrail", "service: guardduty")
            .replace("eventName: x", "eventName|nothing: x"),
    ] {
        let reading = read(&other);
        let counts = (reading.rules.len(), reading.errors.len(), reading.not_run.len(), reading.no_rule);
        assert_eq!(counts, (0, 0, 0, 1), "{other}");
    }
    assert_eq!(read(&text.replace("product: aws", "product: AWS\n  definition: a trail")).rules.len(), 1);
}

#[test]
fn a_file_may_hold_several_rules_and_each_is_judged_for_itself() {
    let second = rule_text(GOOD).replace("6c0f7c1e", "7d1f7c1e");
    let third = rule_text("  s:\n    nothing: x\n  condition: s").replace("6c0f7c1e", "8e1f7c1e");
    let reading = read(&format!("{}---\n{second}---\n{third}---\ntitle: none\n", rule_text(GOOD)));
    assert_eq!((reading.rules.len(), reading.errors.len(), reading.no_rule), (2, 1, 0));
    assert!(reading.errors[0].to_string().starts_with("rule.yml:28:5: "), "{}", reading.errors[0]);

    let reading = read(&format!("action: global\ntitle: x\n---\n{}", rule_text(GOOD)));
    assert_eq!((reading.rules.len(), reading.not_run.len()), (1, 1));
    assert!(
        reading.not_run[0].to_string().contains("collections of rules with an action"),
        "{}",
        reading.not_run[0]
    );
}

#[test]
fn an_id_that_two_files_have_names_both() {
    let elastic = format!(
        "[rule]\nauthor = []\ndescription = \"x\"\nlanguage = \"kuery\"\nname = \"x\"\nquery = \"event.action: x\"\nrisk_score = 1\nrule_id = \"{}\"\nseverity = \"low\"\ntype = \"query\"\n",
        "6c0f7c1e-3c55-4be5-9a9c-0a8a3b7c1f52"
    );
    for (first, second) in [
        (("a.yml", rule_text(GOOD)), ("b.YAML", rule_text(GOOD))),
        (("a.toml", elastic.clone()), ("b.yml", rule_text(GOOD))),
        (("a.yml", rule_text(GOOD)), ("b.toml", elastic.clone())),
    ] {
        let (one, other) = (first.0, second.0);
        let reading = rule::read([first, second]);
        assert_eq!((reading.rules.len(), reading.errors.len()), (1, 1), "{one} {other}");
        let error = reading.errors[0].to_string();
        assert!(
            error.starts_with(&format!("{other}:")) && error.contains(&format!("is taken by {one}")),
            "{error}"
        );
    }
}

#[test]
fn line_breaks_of_windows_and_a_byte_order_mark_change_nothing() {
    for (name, text) in corpus() {
        let plain = rule::read([(name.clone(), text.clone())]).rules;
        assert_eq!(rule::read([(name.clone(), text.replace('\n', "\r\n"))]).rules, plain, "{name}");
        assert_eq!(rule::read([(name.clone(), format!("\u{feff}{text}"))]).rules, plain, "{name}");
    }
}
