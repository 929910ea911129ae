//! The output of `--test`: a table for people, and XML in the form of `JUnit` for a build server.

use crate::cases::{Suite, Verdict};
use crate::summary::count;

/// Every case with its verdict, below the file that holds it.
pub fn table(suites: &[Suite]) -> String {
    let lines = suites.iter().flat_map(|Suite { file, rules, verdicts }| {
        let rules = if rules.is_empty() { String::new() } else { format!(" ({rules})") };
        std::iter::once(format!("{file}{rules}\n")).chain(verdicts.iter().map(row))
    });
    lines.collect()
}

fn row(verdict: &Verdict) -> String {
    let found = verdict.signals.map_or_else(|| "-".to_owned(), |(_, found)| found.to_string());
    let case = verdict.case.replace(char::is_control, "\u{fffd}");
    match &verdict.wrong {
        None => format!("  ok    {found:>4}  {case}\n"),
        Some(reason) => format!("  WRONG {found:>4}  {case}: {reason}\n"),
    }
}

/// `12 cases of 3 files: 11 right, 1 wrong`
pub fn summary(suites: &[Suite]) -> String {
    let (cases, wrong) = counts(suites);
    let (all, files) = (count(cases, "case"), count(suites.len() as u64, "file"));
    format!("{all} of {files}: {} right, {wrong} wrong", cases - wrong)
}

/// The verdicts as XML: a suite for each file.
pub fn junit(suites: &[Suite]) -> String {
    let (cases, wrong) = counts(suites);
    let suites: String = suites.iter().map(suite_element).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"cloudtrail-scan\" tests=\"{cases}\" \
         failures=\"{wrong}\">\n{suites}</testsuites>\n"
    )
}

fn suite_element(suite: &Suite) -> String {
    let (cases, wrong) = counts(std::slice::from_ref(suite));
    let file = escaped(&suite.file);
    let class = if suite.rules.is_empty() { file.clone() } else { escaped(&suite.rules) };
    let case = |verdict: &Verdict| {
        let name = escaped(&verdict.case);
        let failure = verdict.wrong.as_deref().map(failure_element).unwrap_or_default();
        format!("    <testcase classname=\"{class}\" name=\"{name}\" file=\"{file}\">{failure}</testcase>\n")
    };
    let elements: String = suite.verdicts.iter().map(case).collect();
    format!(
        "  <testsuite name=\"{file}\" tests=\"{cases}\" failures=\"{wrong}\">\n{elements}  </testsuite>\n"
    )
}

fn failure_element(reason: &str) -> String {
    let first = escaped(reason.lines().next().unwrap_or_default());
    format!("<failure message=\"{first}\">{}</failure>", escaped(reason))
}

/// The number of cases, and how many of them are wrong.
fn counts(suites: &[Suite]) -> (u64, u64) {
    let verdicts = suites.iter().flat_map(|suite| &suite.verdicts);
    verdicts.fold((0, 0), |(cases, wrong), verdict| (cases + 1, wrong + u64::from(verdict.wrong.is_some())))
}

/// Text for an element or an attribute. XML cannot hold most control characters, not even escaped.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => xml += "&amp;",
            '<' => xml += "&lt;",
            '>' => xml += "&gt;",
            '"' => xml += "&quot;",
            // An attribute would turn them into spaces.
            '\n' => xml += "&#10;",
            '\t' => xml += "&#9;",
            '\u{fffe}' | '\u{ffff}' => xml.push('\u{fffd}'),
            control if control.is_control() => xml.push('\u{fffd}'),
            other => xml.push(other),
        }
    }
    xml
}
