//! What a folder of rules holds, as a table.

use std::collections::{BTreeMap, BTreeSet};

use detection::rule::{Error, Language, Source};
use rules_folder::Folder;

use crate::summary::count;

/// The table: loaded, about something else, not run and why, wrong.
pub fn table(folder: &Folder) -> String {
    let contents = &folder.contents;
    let reading = &contents.reading;
    let mut table = rules(&reading.rules);
    table +=
        &line("something else", reading.no_rule, "files of rules, but not for CloudTrail, or without a rule");
    let mut reasons: BTreeMap<&str, Vec<&Error>> = BTreeMap::new();
    for error in &reading.not_run {
        reasons.entry(&error.error.reason).or_default().push(error);
    }
    for (reason, errors) in &reasons {
        table += &line("not run", errors.len(), reason);
        table.extend(
            errors
                .iter()
                .map(|Error { file, error }| format!("{:25}{file}:{}:{}\n", "", error.line, error.column)),
        );
    }
    if reasons.is_empty() {
        table += &line("not run", 0, "");
    }
    let wrong: BTreeSet<_> = reading.errors.iter().map(|error| error.file.as_str()).collect();
    table += &line("wrong", wrong.len(), if wrong.is_empty() { "" } else { "files, see above" });
    let others = [
        ("cases", folder.cases.len(), "files"),
        ("exceptions", contents.exceptions.len(), ""),
        ("account names", contents.accounts.len(), ""),
        ("routes", contents.routes.len(), ""),
        ("other files", folder.ignored, ""),
    ];
    table.extend(others.map(|(name, number, words)| line(name, number, words)));
    table
}

fn line(name: &str, number: usize, words: &str) -> String {
    format!("{name:<15} {number:>7}  {words}").trim_end().to_owned() + "\n"
}

/// The line about the rules that are on, by language.
pub fn rules(rules: &[Source]) -> String {
    let mut languages: BTreeMap<&str, u64> = BTreeMap::new();
    for rule in rules {
        let language = match rule.language {
            Language::Kuery => "KQL",
            Language::Eql { .. } => "EQL",
            Language::Sigma => "Sigma",
        };
        *languages.entry(language).or_default() += 1;
    }
    let words: Vec<_> = languages.iter().map(|(language, number)| format!("{number} {language}")).collect();
    line("loaded", rules.len(), &words.join(", "))
}

/// `1 rule is good`, `2 rules are good`.
pub fn good(rules: usize) -> String {
    format!("{} {} good", count(rules as u64, "rule"), if rules == 1 { "is" } else { "are" })
}
