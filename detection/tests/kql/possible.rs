//! Queries that can match are never refused as queries that cannot.

use detection::query::{Comparison, Decimal, Kind, Node, Pattern, Query, Subject, Test};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::contradictions::schema;
use crate::fixture::Flat;

fn text() -> impl Strategy<Value = String> {
    select(vec!["", "a", "b", "ab", "ba", "aba", "b\u{10fffe}", "true", "aws"]).prop_map(str::to_owned)
}

fn comparison() -> impl Strategy<Value = Comparison> {
    select(vec![Comparison::Less, Comparison::LessOrEqual, Comparison::Greater, Comparison::GreaterOrEqual])
}

fn address() -> impl Strategy<Value = &'static str> {
    select(vec!["10.0.0.0", "10.0.0.1", "10.0.0.2", "::", "::1", "::ffff:10.0.0.1"])
}

fn time() -> impl Strategy<Value = &'static str> {
    select(vec![
        "2026-11-23T10:05:00Z",
        "2026-11-23T10:05:00.5Z",
        "2026-11-23T10:05:00.50Z",
        "2027-01-01T00:00:00Z",
    ])
}

fn leaf() -> impl Strategy<Value = Node> {
    let always = || prop_oneof![3 => Just(Test::Exists), 1 => Just(Test::Null)];
    let pattern = vec(select(vec!["", "a", "b", "ab", "b\u{10fffe}"]), 2..4)
        .prop_filter("stars alone ask for existence", |pieces| pieces.iter().any(|piece| !piece.is_empty()))
        .prop_map(|pieces| Test::Pattern(Pattern::new(pieces.into_iter().map(str::to_owned).collect())));
    let keyword = prop_oneof![
        4 => text().prop_map(Test::Text),
        4 => pattern,
        3 => (comparison(), text()).prop_map(|(comparison, bound)| Test::TextRange(comparison, bound)),
        1 => any::<bool>().prop_map(Test::Boolean),
        1 => always(),
    ];
    let number = || (0..4_usize).prop_map(Decimal::from);
    let long = prop_oneof![
        number().prop_map(Test::Number),
        (comparison(), number()).prop_map(|(comparison, bound)| Test::NumberRange(comparison, bound)),
        always(),
    ];
    let ip = prop_oneof![
        (address(), 94..=128_u8).prop_map(|(address, length)| {
            let address: std::net::IpAddr = address.parse().expect("an address");
            Test::Network(address, if address.is_ipv4() { length - 96_u8.min(length) } else { length })
        }),
        (comparison(), address()).prop_map(|(comparison, bound)| Test::AddressRange(
            comparison,
            bound.parse().expect("an address")
        )),
        always(),
    ];
    let date = prop_oneof![
        time().prop_map(|time| Test::Text(time.to_owned())),
        (comparison(), time()).prop_map(|(comparison, bound)| Test::TextRange(comparison, bound.to_owned())),
        always(),
    ];
    let node = |name: &str, kind, test| Node::Field { subject: name.into(), kind, test };
    prop_oneof![
        6 => (select(vec!["one", "one", "other", "many", "many", "constant"]), keyword)
            .prop_map(move |(name, test)| node(name, Kind::Keyword, test)),
        1 => prop_oneof![any::<bool>().prop_map(Test::Boolean), always()]
            .prop_map(move |test| node("flag", Kind::Boolean, test)),
        2 => (select(vec!["size", "sizes"]), long).prop_map(move |(name, test)| node(name, Kind::Long, test)),
        2 => ip.prop_map(move |test| node("ip", Kind::Ip, test)),
        2 => date.prop_map(move |test| node("time", Kind::Date, test)),
    ]
}

fn tree() -> impl Strategy<Value = Node> {
    leaf().prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            4 => vec(inner.clone(), 2..5).prop_map(Node::And),
            2 => vec(inner.clone(), 2..4).prop_map(Node::Or),
            2 => inner.prop_map(|node| Node::Not(Box::new(node))),
        ]
    })
}

/// A document that the schema allows: a constant, fields with one value or none, fields with any number.
fn document() -> impl Strategy<Value = Flat> {
    let keyword = || {
        prop_oneof![
            8 => text().prop_map(Value::from),
            1 => Just(json!("abab")),
            1 => Just(json!("aa")),
            1 => Just(json!("baab")),
            1 => any::<bool>().prop_map(Value::from),
            1 => Just(json!(3)),
        ]
    };
    let number = || {
        prop_oneof![
            (0..4_i8).prop_map(Value::from),
            Just(json!(1.5)),
            Just(json!("2")),
            Just(json!("NaN")),
            Just(json!("inf")),
            Just(json!("two"))
        ]
    };
    let one = prop_oneof![
        4 => (select(vec!["one", "other"]), keyword()),
        1 => (Just("flag"), prop_oneof![any::<bool>().prop_map(Value::from), Just(json!("true")), Just(json!("maybe"))]),
        1 => (Just("size"), number()),
        1 => (Just("ip"), prop_oneof![5 => address().prop_map(Value::from), 1 => Just(json!("s3.amazonaws.com"))]),
        1 => (Just("time"), prop_oneof![5 => time().prop_map(Value::from), 1 => Just(json!("yesterday"))]),
    ];
    let several = prop_oneof![
        vec(keyword(), 0..4).prop_map(|values| ("many", Value::from(values))),
        vec(number(), 0..3).prop_map(|values| ("sizes", Value::from(values))),
    ];
    (vec(one, 0..7), vec(several, 0..3)).prop_map(|(ones, several)| {
        let fields = ones.into_iter().chain(several).chain([("constant", json!("aws"))]);
        Flat(fields.map(|(name, value)| (name.to_owned(), value)).collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_query_that_matches_something_is_never_refused(node in tree(), documents in vec(document(), 40)) {
        let text = node.to_string();
        let query = Query::parse(&text, schema).expect("a printed tree parses");
        if let Err(errors) = Query::parse_satisfiable(&text, schema) {
            for document in &documents {
                prop_assert_ne!(query.evaluate(document), Some(true), "{} matches {:?}\n{}", query, document, errors[0]);
            }
        }
    }
}

/// Every value of a field that matters to the tests that [`leaf`] makes of the field.
fn every_value(field: &str) -> Vec<Value> {
    let texts = |length: u32| {
        let letter = |number: u32, at: u32| ["a", "b", "\u{10fffe}"][(number / 3_u32.pow(at) % 3) as usize];
        (0..3_u32.pow(length))
            .map(move |number| (0..length).map(|at| letter(number, at)).collect::<String>().into())
    };
    match field {
        "one" | "other" | "many" => (0..5).flat_map(texts).chain([json!("true"), json!(false)]).collect(),
        "flag" => vec![json!(true), json!(false), json!("maybe")],
        "size" | "sizes" => (-1..10).map(|half| json!(f64::from(half) / 2.0)).chain([json!("two")]).collect(),
        "ip" => ["9.255.255.255", "10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "::", "::1", "::2", "s3"]
            .map(Value::from)
            .to_vec(),
        "time" => [
            "2026-11-23T10:05:00Z",
            "2026-11-23T10:05:00.4Z",
            "2026-11-23T10:05:00.500Z",
            "2026-12-01T00:00:00Z",
            "2027-01-01T00:00:00Z",
            "2028-01-01T00:00:00Z",
            "2020-01-01T00:00:00Z",
            "now",
        ]
        .map(Value::from)
        .to_vec(),
        _ => vec![json!("aws")],
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tests_of_one_field_that_a_value_passes_are_never_refused(leaves in vec((leaf(), any::<bool>()), 12)) {
        let Some((Node::Field { subject: Subject::Field(field), .. }, _)) = leaves.first().cloned() else { unreachable!() };
        let literals: Vec<_> = leaves
            .into_iter()
            .filter(|(leaf, _)| matches!(leaf, Node::Field { subject, .. } if *subject == field.as_str().into()))
            .map(|(leaf, negated)| if negated { Node::Not(Box::new(leaf)) } else { leaf })
            .collect();
        let text = Node::And(literals).to_string();
        let query = Query::parse(&text, schema).expect("a printed tree parses");
        if let Err(errors) = Query::parse_satisfiable(&text, schema) {
            for value in every_value(&field) {
                let document = Flat([(field.clone(), value)].into_iter().collect());
                prop_assert_ne!(query.evaluate(&document), Some(true), "{} matches {:?}\n{}", query, document, errors[0]);
            }
        }
    }
}
