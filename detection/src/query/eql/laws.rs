//! What holds for every condition: printed as EQL, it parses to itself.

use std::fmt::Write;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::syntax::{Condition, How, Kind, Operand, Sign};
use super::{lex, parse};
use crate::query::{self, Comparison, Decimal, Query, Values};

const KEYWORDS: query::Field = query::Field { kind: query::Kind::Keyword, values: Values::Many };
const NOWHERE: std::ops::Range<usize> = 0..0;

fn operand(kind: Kind) -> Operand {
    Operand { kind, place: NOWHERE }
}

fn text() -> impl Strategy<Value = String> {
    let part = select(vec![
        "a", "*", "?", "\"", "\"\"\"", "\\", "\n", "\r", "\t", "ü", "😀", "//", "/*", "\0", "and", " ", "(",
        "|", "\u{8}",
    ]);
    prop_oneof![vec(part, 0..5).prop_map(|parts| parts.concat()), any::<String>()]
}

fn field() -> impl Strategy<Value = Operand> {
    let name = select(vec![
        "x",
        "user.name",
        "in",
        "odd name",
        "true",
        "1st",
        "a.b-c",
        "@t",
        "_",
        "where",
        "startsWith",
    ]);
    (name, any::<bool>())
        .prop_map(|(name, optional)| operand(Kind::Field { name: name.to_owned(), optional }))
}

fn constant() -> impl Strategy<Value = Operand> {
    prop_oneof![
        text().prop_map(Kind::Text),
        any::<bool>().prop_map(Kind::Boolean),
        "-?[0-9]{1,20}(\\.[0-9]{1,3})?"
            .prop_map(|text| Kind::Number(Decimal::parse(&text).expect("a number"))),
        Just(Kind::Null),
    ]
    .prop_map(operand)
}

fn call() -> impl Strategy<Value = Operand> {
    let name = select(vec!["stringContains", "startsWith", "length", "nope"]);
    let arguments = vec(prop_oneof![field(), constant()], 1..3);
    (name, any::<bool>(), arguments).prop_map(|(name, any_case, arguments)| {
        operand(Kind::Call { name: name.to_owned(), any_case, arguments })
    })
}

fn sign() -> impl Strategy<Value = Sign> {
    select(vec![
        Sign::Equal,
        Sign::NotEqual,
        Sign::Order(Comparison::Less),
        Sign::Order(Comparison::LessOrEqual),
        Sign::Order(Comparison::Greater),
        Sign::Order(Comparison::GreaterOrEqual),
    ])
}

fn any_operand() -> impl Strategy<Value = Operand> {
    prop_oneof![3 => field(), 2 => constant(), 1 => call()]
}

fn condition() -> impl Strategy<Value = Condition> {
    let how = any::<(bool, bool)>().prop_map(|(is_like, any_case)| {
        if is_like { How::Like { any_case } } else { How::Regex { any_case } }
    });
    let patterns = vec(text().prop_map(|text| (text, NOWHERE)), 1..3);
    let leaf = prop_oneof![
        3 => (any_operand(), sign(), any_operand()).prop_map(|(left, sign, right)| Condition::Compare(left, sign, right)),
        2 => (any_operand(), any::<bool>(), vec(any_operand(), 1..3))
            .prop_map(|(operand, any_case, values)| Condition::In { operand, any_case, values }),
        2 => (any_operand(), how, patterns)
            .prop_map(|(operand, how, patterns)| Condition::Match { operand, how, patterns }),
        1 => any_operand().prop_map(Condition::Operand),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Condition::And),
            vec(inner.clone(), 2..4).prop_map(Condition::Or),
            inner.prop_map(|inner| Condition::Not(Box::new(inner))),
        ]
    })
}

fn print(condition: &Condition) -> String {
    let list = |items: Vec<String>| format!("({})", items.join(", "));
    match condition {
        Condition::And(parts) => parts.iter().map(child).collect::<Vec<_>>().join(" and "),
        Condition::Or(parts) => parts.iter().map(child).collect::<Vec<_>>().join(" or "),
        Condition::Not(inner) => format!("not {}", child(inner)),
        Condition::Compare(left, sign, right) => {
            let sign = match sign {
                Sign::Equal => "==".to_owned(),
                Sign::NotEqual => "!=".to_owned(),
                Sign::Order(comparison) => comparison.to_string(),
            };
            format!("{} {sign} {}", print_operand(left), print_operand(right))
        }
        Condition::In { operand, any_case, values } => {
            let word = if *any_case { "in~" } else { "in" };
            format!("{} {word} {}", print_operand(operand), list(values.iter().map(print_operand).collect()))
        }
        Condition::Match { operand, how, patterns } => {
            let word = match how {
                How::Like { any_case: true } => ":",
                How::Like { any_case: false } => "like",
                How::Regex { any_case: true } => "regex~",
                How::Regex { any_case: false } => "regex",
            };
            format!(
                "{} {word} {}",
                print_operand(operand),
                list(patterns.iter().map(|(text, _)| quoted(text)).collect())
            )
        }
        Condition::Operand(operand) => print_operand(operand),
    }
}

fn child(condition: &Condition) -> String {
    match condition {
        Condition::And(_) | Condition::Or(_) => format!("({})", print(condition)),
        _ => print(condition),
    }
}

fn print_operand(operand: &Operand) -> String {
    match &operand.kind {
        Kind::Field { name, optional } => {
            let sign = if *optional { "?" } else { "" };
            format!("{sign}`{name}`")
        }
        Kind::Call { name, any_case, arguments } => {
            let case = if *any_case { "~" } else { "" };
            format!("{name}{case}({})", arguments.iter().map(print_operand).collect::<Vec<_>>().join(", "))
        }
        Kind::Text(text) => quoted(text),
        Kind::Number(number) => number.to_string(),
        Kind::Boolean(boolean) => boolean.to_string(),
        Kind::Null => "null".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => _ = write!(quoted, "\\{character}"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            other if other.is_control() => _ = write!(quoted, "\\u{{{:04x}}}", u32::from(other)),
            other => quoted.push(other),
        }
    }
    quoted + "\""
}

/// The same condition without places.
fn placeless(condition: Condition) -> Condition {
    let all = |parts: Vec<Condition>| parts.into_iter().map(placeless).collect();
    match condition {
        Condition::And(parts) => Condition::And(all(parts)),
        Condition::Or(parts) => Condition::Or(all(parts)),
        Condition::Not(inner) => Condition::Not(Box::new(placeless(*inner))),
        Condition::Compare(left, sign, right) => Condition::Compare(moved(left), sign, moved(right)),
        Condition::In { operand, any_case, values } => Condition::In {
            operand: moved(operand),
            any_case,
            values: values.into_iter().map(moved).collect(),
        },
        Condition::Match { operand, how, patterns } => Condition::Match {
            operand: moved(operand),
            how,
            patterns: patterns.into_iter().map(|(text, _)| (text, NOWHERE)).collect(),
        },
        Condition::Operand(operand) => Condition::Operand(moved(operand)),
    }
}

fn moved(operand: Operand) -> Operand {
    let kind = match operand.kind {
        Kind::Call { name, any_case, arguments } => {
            Kind::Call { name, any_case, arguments: arguments.into_iter().map(moved).collect() }
        }
        other => other,
    };
    Operand { kind, place: NOWHERE }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_printed_condition_is_read_as_itself(condition in condition()) {
        let text = format!("any where {}", print(&condition));
        let (tokens, outcome) = lex::tokens(&text);
        outcome.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let event = parse::event(&text, &tokens).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(placeless(event.condition), condition, "{}", text);
    }

    #[test]
    fn no_text_at_all_makes_the_parser_panic(
        parts in vec(prop_oneof![text(), select(vec!["any where ", "x", " == ", " in (", ")", "not ", "regex ", "[", "`", "?", ":", "length("]).prop_map(str::to_owned)], 0..9),
    ) {
        let text = parts.concat();
        for text in [text.clone(), format!("any where {text}"), format!("any where x regex~ {}", quoted(&text))] {
            let _ = Query::eql_not_run(&text);
            if let Err(errors) = Query::parse_eql_satisfiable(&text, "x", |_| Ok(KEYWORDS)) {
                for error in errors {
                    prop_assert!(error.offset <= error.end && error.end <= text.len());
                    prop_assert!(!error.to_string().is_empty());
                }
            }
        }
    }
}
