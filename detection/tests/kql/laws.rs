//! What holds for every query and every document.

use std::net::IpAddr;

use detection::detect::Head;
use detection::ecs::{self, Document};
use detection::query::{Comparison, Decimal, Fields, Kind, Node, Pattern, Query, Scalar, Test};
use detection::records;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::fixture::{Flat, schema};

/// Texts that are rich in everything that means something to the parser.
fn text() -> impl Strategy<Value = String> {
    let part = select(vec![
        "a", "not", "and", "or", "NOT ", " and ", " or ", "null", "true", " ", "  ", "\t", "\n", "\r",
        "\u{a0}", "\\", "\"", "*", "(", ")", ":", "<", ">", "{", "}", "u0041", "\\u", "ü", "😀", "x-y", "n",
        "t",
    ]);
    prop_oneof![vec(part, 0..6).prop_map(|parts| parts.concat()), any::<String>()]
}

fn comparison() -> impl Strategy<Value = Comparison> {
    select(vec![Comparison::Less, Comparison::LessOrEqual, Comparison::Greater, Comparison::GreaterOrEqual])
}

fn number() -> impl Strategy<Value = Decimal> {
    let text = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        proptest::num::f64::NORMAL.prop_map(|number| number.to_string()),
        "-?[0-9]{1,30}(\\.[0-9]{1,5})?(e-?[0-9]{1,3})?",
    ];
    text.prop_map(|text| Decimal::parse(&text).expect("a number"))
}

fn time() -> impl Strategy<Value = String> {
    (2013..2030, 1..13, 1..29, 0..24, 0..60).prop_map(|(year, month, day, hour, minute)| {
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:00Z")
    })
}

fn network() -> impl Strategy<Value = Test> {
    let full = |address: &IpAddr| if address.is_ipv4() { 32_u8 } else { 128 };
    any::<IpAddr>()
        .prop_flat_map(move |address| (Just(address), 0..=full(&address)))
        .prop_map(|(address, length)| Test::Network(address, length))
}

fn pattern() -> impl Strategy<Value = Test> {
    vec(text(), 2..5)
        .prop_filter("stars alone ask for existence", |pieces| pieces.iter().any(|piece| !piece.is_empty()))
        .prop_map(|pieces| Test::Pattern(Pattern::new(pieces)))
}

fn keyword_test() -> impl Strategy<Value = Test> {
    prop_oneof![
        text().prop_map(Test::Text),
        pattern(),
        any::<bool>().prop_map(Test::Boolean),
        Just(Test::Exists),
        Just(Test::Null),
        (comparison(), text()).prop_map(|(comparison, bound)| Test::TextRange(comparison, bound)),
    ]
}

/// A field of each kind, with every test that its kind accepts.
fn leaf() -> impl Strategy<Value = Node> {
    let keyword =
        select(vec!["a", "b", "dotted.name", "odd name", "star*", "colon:name", "order", "not", "größe"]);
    let node = |name: &str, kind, test| Node::Field { subject: name.into(), kind, test };
    prop_oneof![
        4 => (keyword, keyword_test()).prop_map(move |(name, test)| node(name, Kind::Keyword, test)),
        1 => prop_oneof![any::<bool>().prop_map(Test::Boolean), Just(Test::Exists), Just(Test::Null)]
            .prop_map(move |test| node("flag", Kind::Boolean, test)),
        1 => prop_oneof![
            number().prop_map(Test::Number),
            (comparison(), number()).prop_map(|(comparison, bound)| Test::NumberRange(comparison, bound)),
            Just(Test::Exists),
        ].prop_map(move |test| node("size", Kind::Long, test)),
        1 => prop_oneof![
            network(),
            (comparison(), any::<IpAddr>()).prop_map(|(comparison, bound)| Test::AddressRange(comparison, bound)),
        ].prop_map(move |test| node("ip", Kind::Ip, test)),
        1 => prop_oneof![
            time().prop_map(Test::Text),
            (comparison(), time()).prop_map(|(comparison, bound)| Test::TextRange(comparison, bound)),
        ].prop_map(move |test| node("time", Kind::Date, test)),
    ]
}

fn tree(leaf: impl Strategy<Value = Node> + 'static) -> impl Strategy<Value = Node> {
    leaf.prop_recursive(5, 24, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Node::And),
            vec(inner.clone(), 2..4).prop_map(Node::Or),
            inner.prop_map(|node| Node::Not(Box::new(node))),
        ]
    })
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        text().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<IpAddr>().prop_map(|address| address.to_string().into()),
        time().prop_map(Value::from),
        Just(Value::Null),
    ];
    scalar.prop_recursive(2, 8, 3, |inner| vec(inner, 0..3).prop_map(Value::from))
}

/// A document in which some fields are unknown, as they are to a head.
#[derive(Debug, Clone)]
struct Partial {
    known: Flat,
    unknown: Vec<&'static str>,
}

impl Fields for Partial {
    fn any(&self, name: &str, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        if self.unknown.contains(&name) { None } else { self.known.any(name, test) }
    }
}

const NAMES: [&str; 8] = ["a", "b", "order", "flag", "size", "ip", "time", "not"];

fn document() -> impl Strategy<Value = Partial> {
    let fields = proptest::collection::hash_map(select(&NAMES[..]), value(), 0..8);
    (fields, vec(select(&NAMES[..]), 0..4)).prop_map(|(fields, unknown)| {
        let known = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Partial { known: Flat(known), unknown }
    })
}

fn reparsed(node: &Node) -> Query {
    let text = node.to_string();
    match Query::parse(&text, schema) {
        Ok(query) => query,
        Err(errors) => panic!("a printed tree is refused: {text}\n{}", errors[0]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_printed_tree_parses_to_the_same_tree(node in tree(leaf())) {
        let query = reparsed(&node);
        prop_assert_eq!(query.root(), &node, "printed as {}", node);
        prop_assert_eq!(query.to_string(), node.to_string());
    }

    #[test]
    fn no_text_at_all_makes_the_parser_panic(query in prop_oneof![text(), vec(text(), 0..8).prop_map(|parts| parts.concat())]) {
        for schema in [schema, ecs::field] {
            match Query::parse(&query, schema) {
                Ok(query) => prop_assert_eq!(&Query::parse(&query.to_string(), schema), &Ok(query)),
                Err(errors) => for error in errors {
                    prop_assert!(error.offset <= query.len());
                    prop_assert!(!error.to_string().is_empty());
                },
            }
        }
    }

    #[test]
    fn de_morgans_laws_and_double_negation_hold(x in tree(leaf()), y in tree(leaf()), document in document()) {
        let not = |node: Node| Node::Not(Box::new(node));
        let verdict = |node: &Node| reparsed(node).evaluate(&document);
        let both = Node::And(vec![x.clone(), y.clone()]);
        let either = Node::Or(vec![x.clone(), y.clone()]);
        prop_assert_eq!(verdict(&not(both)), verdict(&Node::Or(vec![not(x.clone()), not(y.clone())])));
        prop_assert_eq!(verdict(&not(either)), verdict(&Node::And(vec![not(x.clone()), not(y.clone())])));
        prop_assert_eq!(verdict(&not(not(x.clone()))), verdict(&x));
    }

    #[test]
    fn a_verdict_from_some_fields_is_the_verdict_from_all(node in tree(leaf()), document in document()) {
        let query = reparsed(&node);
        if let Some(early) = query.evaluate(&document) {
            prop_assert_eq!(query.evaluate(&document.known), Some(early));
        }
        prop_assert!(query.evaluate(&document.known).is_some(), "with all fields known there is a verdict");
    }
}

/// What records contain, and what queries ask for.
const WORDS: [&str; 14] = [
    "",
    "-",
    "none",
    "None",
    "lambda.amazonaws.com",
    "CreateFunction",
    "ConsoleLogin",
    "success",
    "failure",
    "Failure",
    "12",
    "1E3",
    "CreateUser",
    "true",
];

fn record_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        6 => select(&WORDS[..]).prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(json!(12)),
        1 => Just(json!(1.5)),
        1 => Just(json!(true)),
        1 => Just(json!({})),
    ];
    scalar.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec((select(vec!["ConsoleLogin", "k", "eventSource", "eventName"]), inner), 0..3).prop_map(
                |entries| {
                    entries
                        .into_iter()
                        .map(|(key, value)| (key.to_owned(), value))
                        .collect::<Map<_, _>>()
                        .into()
                }
            ),
        ]
    })
}

/// The text of an object whose keys may repeat and may be written with escapes.
fn record() -> impl Strategy<Value = String> {
    let keys = vec![
        "eventSource",
        "eventName",
        "errorCode",
        "errorMessage",
        "responseElements",
        "eventname",
        "other",
    ];
    let entry = (select(keys), record_value(), any::<bool>(), any::<bool>());
    vec(entry, 0..9).prop_map(|entries| {
        let entries: Vec<_> = entries
            .into_iter()
            .map(|(key, value, escape_key, escape_value)| {
                let key = escaped(&Value::from(key).to_string(), escape_key);
                format!("{key}:{}", escaped(&value.to_string(), escape_value))
            })
            .collect();
        format!("{{{}}}", entries.join(","))
    })
}

/// JSON in which, if wanted, every lowercase `e` inside strings is an escape.
fn escaped(json: &str, wanted: bool) -> String {
    let mut inside = false;
    json.chars()
        .map(|character| {
            inside ^= character == '"';
            if wanted && inside && character == 'e' { r"\u0065".to_owned() } else { character.to_string() }
        })
        .collect()
}

fn head_leaf() -> impl Strategy<Value = Node> {
    let fields = vec![
        "event.provider",
        "event.action",
        "event.outcome",
        "event.dataset",
        "data_stream.dataset",
        "event.kind",
        "event.module",
        "event.type",
        "event.category",
        "cloud.provider",
        "ecs.version",
        "aws.cloudtrail.error_code",
        "event.id",
    ];
    (select(fields), record_test()).prop_map(|(name, test)| Node::Field {
        subject: name.into(),
        kind: Kind::Keyword,
        test,
    })
}

/// A test that record values have a fair chance of passing.
fn record_test() -> impl Strategy<Value = Test> {
    let words = select(&WORDS[..]).prop_map(|word| Test::Text(word.to_owned()));
    let starts = select(&WORDS[..])
        .prop_filter("a star alone asks for existence", |word| !word.is_empty())
        .prop_map(|word| Test::Pattern(Pattern::new(vec![word[..word.len() - 1].to_owned(), String::new()])))
        .prop_filter("a star alone asks for existence", |test| {
            *test != Test::Pattern(Pattern::new(vec![String::new(); 2]))
        });
    let constants = select(vec!["aws.cloudtrail", "aws", "event", "info", "iam", "authentication", "8.11.0"])
        .prop_map(|word| Test::Text(word.to_owned()));
    let range = (comparison(), select(&WORDS[..]))
        .prop_map(|(comparison, word)| Test::TextRange(comparison, word.to_owned()));
    prop_oneof![
        words,
        starts,
        constants,
        range,
        Just(Test::Exists),
        Just(Test::Null),
        any::<bool>().prop_map(Test::Boolean)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_verdict_from_the_head_is_the_verdict_from_the_document(node in tree(head_leaf()), record in record()) {
        let query = Query::parse(&node.to_string(), ecs::field).expect("the fields are in the schema");
        let head = Head::parse(record.as_bytes()).expect("the record is JSON");
        let document = Document::from_record(records::parse(record.as_bytes()).expect("the record is an object"));
        let whole = query.evaluate(&document);
        prop_assert!(whole.is_some());
        for head in [Some(head), Head::find(record.as_bytes().into())].into_iter().flatten() {
            if let Some(early) = query.evaluate(&head) {
                prop_assert_eq!(Some(early), whole, "{} over {}", query, record);
            }
        }
    }

    #[test]
    fn any_query_over_any_record_has_a_verdict(node in tree(head_leaf()), value in record_value(), key in text()) {
        let query = Query::parse(&node.to_string(), ecs::field).expect("the fields are in the schema");
        for key in [key.as_str(), "requestParameters", "userIdentity", "tlsDetails", "resources", "addendum", "eventTime"] {
            let Value::Object(record) = json!({ key: value }) else { unreachable!() };
            prop_assert!(query.evaluate(&Document::from_record(record)).is_some());
        }
    }
}

/// Found by fuzzing: a line break in a pattern was printed as `\n`, which before "ot" reads as the keyword `\not`.
#[test]
fn a_line_break_in_a_pattern_never_turns_into_a_keyword() {
    let query = Query::parse(r"a: *a\u000aot b", schema).expect("it is a query");
    assert_eq!(Query::parse(&query.to_string(), schema), Ok(query));
}
