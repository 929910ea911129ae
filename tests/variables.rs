//! The items of settings: the code that reads them, and the pages that show them.

use std::cell::RefCell;
use std::collections::BTreeSet;

use cloudtrail_signals::settings::Settings;
use cloudtrail_signals::settings::variable::{self, LOG_FORMAT, LOG_LEVEL, Unset, Variable};

fn text(file: &str) -> String {
    std::fs::read_to_string(file).expect(file)
}

#[test]
fn every_variable_that_the_function_reads_is_an_item() {
    let asked = RefCell::new(BTreeSet::new());
    let environment = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        let value = match name {
            "SIGNAL_TOPIC_ARN" | "NOTICE_TOPIC_ARN" => "arn:aws:sns:us-east-1:111122223333:signals",
            "METRICS_NAMESPACE" => "Signals",
            _ => return None,
        };
        Some(value.to_owned())
    };
    Settings::read(environment).expect("good settings");
    for each in [LOG_LEVEL, LOG_FORMAT] {
        each.value(environment);
    }
    // Lambda sets it, and it is the function's own name.
    let mut asked = asked.into_inner();
    assert!(asked.remove("AWS_LAMBDA_FUNCTION_NAME"));
    let items: BTreeSet<_> = variable::ALL.iter().map(|variable| variable.name.to_owned()).collect();
    assert_eq!(asked, items);
    assert_eq!(items.len(), variable::ALL.len(), "an item twice");
}

#[test]
fn the_page_has_a_row_for_every_variable_with_its_meaning_and_default() {
    let page = text("README.md");
    let section = page.split("\n## Settings\n").nth(1).and_then(|rest| rest.split("\n## ").next());
    let rows = section.expect("a section").lines().filter(|line| line.starts_with("| `"));
    // The variables of the AWS SDKs are not the function's.
    let rows: Vec<_> = rows.filter(|row| !row.starts_with("| `AWS_ENDPOINT_URL`")).collect();
    let expected: Vec<_> = variable::ALL
        .iter()
        .map(|Variable { name, meaning, unset }| match unset {
            Unset::Fails => format!("| `{name}` | {meaning} | required |"),
            Unset::Default(value) => format!("| `{name}` | {meaning} | `{value}` |"),
            Unset::Means(words) => format!("| `{name}` | {meaning} | {words} |"),
        })
        .collect();
    assert_eq!(rows, expected);
}

/// The lines below a line of the template that are indented more than it.
fn below<'a>(template: &'a str, line: &str) -> Option<Vec<&'a str>> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut lines = template.lines().skip_while(|each| *each != line);
    let depth = indent(lines.next()?);
    Some(lines.take_while(|each| each.is_empty() || indent(each) > depth).collect())
}

/// The description of a parameter of the template, or `None` if the template has no such parameter.
fn description(template: &str, parameter: &str) -> Option<String> {
    let lines = below(template, &format!("  {parameter}:"))?;
    let start = lines.iter().position(|line| line.starts_with("    Description:"))?;
    let first = lines[start].trim_start().trim_start_matches("Description:").trim_start_matches(" >-");
    let further = lines[start + 1..].iter().take_while(|line| line.starts_with("      "));
    let words = std::iter::once(&first).chain(further).flat_map(|line| line.split_whitespace());
    Some(words.collect::<Vec<_>>().join(" "))
}

#[test]
fn the_template_sets_variables_there_are_and_describes_each_parameter_of_one_as_the_variable() {
    let template = text("template.yaml");
    let parameters = template.split("\nRules:\n").next().expect("parameters");
    let mut described = Vec::new();
    for line in below(&template, "        Variables:").expect("the function's variables") {
        let (name, value) = line.trim().split_once(": ").expect("a variable");
        let item = variable::ALL.iter().find(|item| item.name == name).expect(name);
        let sentence = item.meaning.split_inclusive(". ").next().unwrap_or_default().trim();
        let words = value.split(|character: char| !character.is_ascii_alphanumeric());
        for (parameter, description) in words.filter_map(|word| Some((word, description(parameters, word)?)))
        {
            assert!(description.starts_with(sentence), "{parameter}: {description}\n{name}: {sentence}");
            described.push(parameter);
        }
    }
    let expected = [
        "ExceptionQuery",
        "TrailBucketOwner",
        "Notices",
        "NoticeQuietSeconds",
        "MemoryTableArn",
        "AccountSilenceHours",
        "LearningDays",
        "MetricsNamespace",
    ];
    assert_eq!(described, expected);
}
