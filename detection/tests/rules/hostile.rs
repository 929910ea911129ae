//! Rule files in every language, made to exhaust time or memory: each soon ends in an error.

use std::time::{Duration, Instant};

use detection::rule;

use super::refusals::rule_text;

/// A release build on an idle machine takes less than a second for each; tests are less optimised and share a machine.
const AT_MOST: Duration = Duration::from_secs(15);
const AT_MOST_BYTES: u64 = 64 * 1024 * 1024;

/// The name and text of a file with a condition in a language.
fn file(language: &str, condition: &str) -> (&'static str, String) {
    match language {
        "kql" => ("a.toml", rule_text(condition)),
        "eql" => {
            ("a.toml", rule_text(condition).replace("\"kuery\"", "\"eql\"").replace("\"query\"", "\"eql\""))
        }
        _ => (
            "a.yml",
            format!(
                "title: A Rule\nid: 6c0f7c1e-3c55-4be5-9a9c-0a8a3b7c1f52\nlogsource:\n  product: aws\n  service: cloudtrail\ndetection:\n{condition}\n"
            ),
        ),
    }
}

/// The first error about a file, which must be reported within the limits.
fn refusal(language: &str, condition: &str) -> String {
    let file = file(language, condition);
    let start = Instant::now();
    let mut errors = Vec::new();
    let used = allocation_counter::measure(|| errors = rule::read([file]).errors);
    let took = start.elapsed();
    let error = errors.first().unwrap_or_else(|| panic!("the {language} is refused")).to_string();
    assert!(took < AT_MOST, "{took:?}: {error}");
    assert!(used.bytes_max < AT_MOST_BYTES, "{} bytes: {error}", used.bytes_max);
    assert!(error.len() < 4096, "{} bytes of error", error.len());
    error
}

#[test]
fn hostile_rule_files_give_an_error_soon_in_every_language() {
    let long = "a".repeat(10 << 20);
    let megabyte = "a".repeat(1 << 20);
    let half = "a".repeat(1 << 19);
    let parentheses = format!("{}{}", "(".repeat(10_000), ")".repeat(10_000));
    let nots = "not ".repeat(10_000);
    let expressions = |length: usize| vec!["\"(a{40}){6}\""; length].join(",");
    let sigma = |field: &str, value: &str| format!("  s:\n    {field}: {value}\n  condition: s");
    let rows = [
        ("ten megabytes", "kql", format!("event.action: {long}"), "a rule file has at most 1048576"),
        ("ten megabytes", "eql", format!("any where x == \"{long}\""), "a rule file has at most 1048576"),
        ("ten megabytes", "sigma", sigma("eventName", &long), "a rule file has at most 1048576"),
        ("a long query", "kql", format!("event.action: {half}"), "the query is longer than 262144 bytes"),
        (
            "a long query",
            "eql",
            format!("any where x == \"{half}\""),
            "the query is longer than 262144 bytes",
        ),
        ("10,000 parentheses", "kql", format!("event.action: {parentheses}"), "nested more than 64 deep"),
        ("10,000 parentheses", "eql", format!("any where {parentheses}"), "nested more than 64 deep"),
        (
            "10,000 parentheses",
            "sigma",
            format!("  s:\n    eventName: x\n  condition: {parentheses}"),
            "nests deeper than 64",
        ),
        ("10,000 times not", "kql", format!("{nots} event.action: x"), "nested more than 64 deep"),
        ("10,000 times not", "eql", format!("any where {nots} true"), "nested more than 64 deep"),
        (
            "10,000 times not",
            "sigma",
            format!("  s:\n    eventName: x\n  condition: {nots} s"),
            "nests deeper than 64",
        ),
        ("10,000 lists", "kql", format!("'''\nx = {}\ny = '''", "[".repeat(10_000)), "max recursion depth"),
        ("10,000 lists", "sigma", sigma("eventName", &"[".repeat(10_000)), "no valid YAML"),
        ("a cyclic anchor", "sigma", sigma("eventName", "&a [*a]"), "no valid YAML"),
        ("a NUL byte", "kql", "event.action: a\0b".to_owned(), "invalid"),
        ("a NUL byte", "eql", "any where event.action == \"a\0b\"".to_owned(), "invalid"),
        ("a NUL byte", "sigma", sigma("eventName", "a\0b"), "no valid YAML"),
        (
            "a long expression",
            "eql",
            format!("any where event.action regex \"{}\"", &half[..200_000]),
            "longer than 4096 bytes",
        ),
        ("a long expression", "sigma", sigma("eventName|re", &half), "longer than 4096 bytes"),
        (
            "an expression of a megabyte",
            "eql",
            format!("any where event.action regex \"{megabyte}\""),
            "at most 1048576",
        ),
        ("an expression of a megabyte", "sigma", sigma("eventName|re", &megabyte), "at most 1048576"),
        (
            "65 expressions",
            "eql",
            format!("any where event.action regex ({})", expressions(65)),
            "at most 64 regular expressions",
        ),
        (
            "65 expressions",
            "sigma",
            sigma("eventName|re", &format!("[{}]", expressions(65))),
            "at most 64 regular expressions",
        ),
        (
            "40,000 expressions",
            "sigma",
            sigma("eventName|re", &format!("[{}]", expressions(40_000))),
            "at most 64 regular expressions",
        ),
        (
            "a number of 200,000 digits",
            "eql",
            format!("any where event.action == {} and", "9".repeat(200_000)),
            "expected",
        ),
    ];
    for (name, language, condition, reason) in rows {
        let error = refusal(language, &condition);
        assert!(error.contains(reason), "{name} in {language}: {error}");
    }
}

#[test]
fn a_rule_has_64_regular_expressions_at_most_in_every_language() {
    let eql = |number| format!("any where event.action regex ({})", vec!["\"a.*b\""; number].join(","));
    let sigma = |number: usize| {
        let list = vec!["'a.*b'"; number - 2].join(",");
        format!("  s:\n    eventName|re: [{list}]\n    userAgent|re|i:\n      - a\n      - b\n  condition: s")
    };
    for (language, at_most, too_many) in [("eql", eql(64), eql(65)), ("sigma", sigma(64), sigma(65))] {
        let (name, text) = file(language, &at_most);
        assert_eq!(rule::read([(name, text)]).errors, []);
        assert!(refusal(language, &too_many).contains("a rule can have at most 64 regular expressions"));
    }
}
