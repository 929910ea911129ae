//! Files made to exhaust time or memory soon end in an error.

use std::time::{Duration, Instant};

use crate::{read, rule_text};

/// Unbounded growth takes minutes. A release build on an idle machine takes less than a second for all of these; tests
/// are less optimised and share a machine.
const AT_MOST: Duration = Duration::from_secs(15);
const AT_MOST_BYTES: u64 = 64 * 1024 * 1024;

/// The one mistake in a file, read within the limits.
fn refusal(text: &str) -> String {
    let start = Instant::now();
    let mut reading = None;
    let used = allocation_counter::measure(|| reading = Some(read(text)));
    let took = start.elapsed();
    let errors = reading.unwrap().errors;
    assert!(took < AT_MOST, "{took:?}: {errors:?}");
    assert!(used.bytes_max < AT_MOST_BYTES, "{} bytes: {errors:?}", used.bytes_max);
    let error = errors.first().expect("the file is refused").to_string();
    assert!(error.len() < 4096, "{} bytes of error", error.len());
    error
}

fn assert_refused(text: &str, reason: &str) {
    let error = refusal(text);
    assert!(error.contains(reason), "{error}");
}

#[test]
fn a_file_of_ten_megabytes_is_refused_by_its_size() {
    assert_refused(&"a: b\n".repeat(2_000_000), "a rule file has at most 1048576");
    assert_refused(&"#".repeat(10_000_000), "a rule file has at most 1048576");
}

#[test]
fn ten_thousand_levels_are_refused() {
    for text in [
        "[".repeat(10_000),
        "{a: ".repeat(10_000),
        "- ".repeat(10_000),
        (0..1_000).fold(String::new(), |text, level| text + &" ".repeat(level) + "a:\n"),
        format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)),
    ] {
        refusal(&text);
    }
    let parentheses = format!("  s:\n    eventName: x\n  condition: {}s", "(".repeat(10_000));
    assert_refused(&rule_text(&parentheses), "nests deeper");
    assert_refused(
        &rule_text(&format!("  s:\n    eventName: x\n  condition: {}s", "not ".repeat(10_000))),
        "nests deeper",
    );
}

#[test]
fn an_anchor_inside_itself_is_refused() {
    for text in ["a: &a [*a]", "a: &a\n  b: *a", "&a [&b [*a, *b]]", "a: &a {<<: *a}"] {
        refusal(text);
    }
}

#[test]
fn anchors_that_multiply_are_refused() {
    let laughs = |width: usize, levels: usize| {
        let lines = (1..levels).map(|level| {
            let items = vec![format!("*a{}", level - 1); width].join(", ");
            format!("a{level}: &a{level} [{items}]\n")
        });
        format!("a0: &a0 [lol, lol]\n{}", lines.collect::<String>())
    };
    for text in [laughs(9, 9), laughs(2, 30), laughs(1_000, 4)] {
        refusal(&text);
    }
}

#[test]
fn a_detection_that_a_condition_multiplies_is_refused() {
    let words = "x, ".repeat(20_000);
    let names = vec!["s"; 10_000].join(" or ");
    assert_refused(&rule_text(&format!("  s: [{words}]\n  condition: {names}")), "more than 50000 tests");
}

#[test]
fn bytes_that_no_text_has_are_refused() {
    for text in ["a: b\0c\n", "\0", "a: \u{1b}[0m", "title: x\n\u{7}: y"] {
        refusal(text);
    }
}

#[test]
fn an_expression_of_a_megabyte_or_one_that_grows_is_refused() {
    let with =
        |expression: &str| rule_text(&format!("  s:\n    eventName|re: '{expression}'\n  condition: s"));
    assert_refused(&with(&"a".repeat(1_000_000)), "longer than 4096 bytes");
    assert_refused(&with("(((a{100}){100}){100}){100}"), "the regular expression");
    assert_refused(&with(&"(".repeat(2_000)), "the regular expression");
}

#[test]
fn a_search_takes_time_in_proportion_to_the_text() {
    let record = format!(r#"{{"eventName":"{}"}}"#, "a".repeat(50_000));
    let start = Instant::now();
    assert!(!crate::compares("eventName|re", "'(a+)+b$'", &record));
    assert!(!crate::compares("eventName", "'*a*a*a*a*a*a*b'", &record));
    assert!(!crate::compares("eventName", "'*?a*?a*?a*?a?b'", &record));
    assert!(start.elapsed() < 2 * AT_MOST, "{:?}", start.elapsed());
}

#[test]
fn many_mistakes_in_a_large_file_take_no_longer() {
    let fields = (0..20_000).fold(String::new(), |text, number| text + &format!("    x{number}|y: z\n"));
    refusal(&rule_text(&format!("  s:\n{fields}  condition: s")));
}
