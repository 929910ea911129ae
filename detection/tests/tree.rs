//! The nodes that KQL cannot express: what they say about a record, and that the ladder agrees.

use detection::detect::Head;
use detection::ecs::{Document, Mapping, Raw};
use detection::query::{Comparison, Decimal, Glob, Kind, Node, Query, Regex, Relation, Subject, Test, Token};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

fn map(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { unreachable!("{value}") };
    map
}

fn record() -> Map<String, Value> {
    map(json!({
        "eventSource": "iam.amazonaws.com",
        "eventName": "CreateUser",
        "errorCode": "-",
        "userAgent": "",
        "readOnly": false,
        "apiVersion": null,
        "userIdentity": { "userName": "Straße", "principalId": "straße", "accountId": "111122223333" },
        "requestParameters": {
            "policy": "{\"Action\":\"s3:GetObject\"}",
            "items": [{ "cidrIp": "10.1.2.3", "from": 22 }, { "cidrIp": "none", "from": 18_014_398_509_481_985_u64 }],
            "nothing": [],
            "empty": {},
            "nulls": [null],
            "versioning": { "Status": "Suspended", "tags": ["A b", 7] },
        },
    }))
}

fn leaf(subject: Subject, test: Test) -> Node {
    Node::Field { subject, kind: Kind::Keyword, test }
}

fn raw(path: &str, test: Test) -> Node {
    leaf(Subject::Record(path.to_owned()), test)
}

fn holds(node: Node) -> bool {
    let (query, record) = (Query::from(node), record());
    let verdict = query.evaluate(&Raw(&record)).expect("a record knows every path");
    assert_eq!(query.evaluate(&Mapping::of(&record)), Some(verdict), "{query}");
    verdict
}

/// Wildcards, in which `*` and `?` have their meaning.
fn like(text: &str, any_case: bool) -> Test {
    let token = |character| match character {
        '*' => Token::Many,
        '?' => Token::One,
        other => Token::Literal(other),
    };
    Test::like(Glob::new(text.chars().map(token), any_case))
}

#[test]
fn a_path_leads_through_arrays_and_looks_at_the_record_as_it_came() {
    for (path, exists) in [
        ("eventName", true),
        ("eventname", false),
        ("errorCode", true),
        ("userAgent", true),
        ("readOnly", true),
        ("apiVersion", false),
        ("requestParameters", true),
        ("requestParameters.items", true),
        ("requestParameters.items.from", true),
        ("requestParameters.nothing", false),
        ("requestParameters.empty", true),
        ("requestParameters.nulls", false),
        ("requestParameters.items.from.x", false),
    ] {
        assert_eq!(holds(raw(path, Test::Exists)), exists, "{path}");
    }
    let text = |text: &str| Test::Text(text.to_owned());
    assert!(holds(raw("errorCode", text("-"))));
    assert!(holds(raw("readOnly", text("false"))));
    assert!(holds(raw("requestParameters.items.from", text("22"))));
    assert!(
        holds(raw("requestParameters.items.from", text("18014398509481985"))),
        "no number becomes a float"
    );
    assert!(holds(raw("requestParameters.items.cidrIp", text("none"))));
    assert!(holds(raw(
        "requestParameters.items.from",
        Test::NumberRange(Comparison::Less, Decimal::from(23_usize))
    )));
    assert!(!holds(raw(
        "requestParameters.items.from",
        Test::NumberRange(Comparison::Less, Decimal::from(22_usize))
    )));
    assert!(holds(raw("requestParameters.items.cidrIp", Test::Network("10.0.0.0".parse().unwrap(), 8))));
}

#[test]
fn an_object_is_its_compact_json_and_every_text_in_it() {
    for (path, test, expected) in [
        ("requestParameters.versioning", like("*suspended*", true), true),
        ("requestParameters.versioning", like("a b", true), true),
        (
            "requestParameters.versioning",
            like("{\"Status\":\"Suspended\",\"tags\":[\"A b\",7]}", false),
            true,
        ),
        ("requestParameters.versioning", like("7", true), false),
        ("requestParameters", like("*\"s3:GetObject\"*", false), true),
        ("requestParameters.empty", like("{}", false), true),
    ] {
        assert_eq!(holds(raw(path, test.clone())), expected, "{path}{test}");
    }
    let anywhere = |text: &str| holds(leaf(Subject::Anywhere, like(text, true)));
    assert!(
        anywhere("createuser")
            && anywhere("7")
            && anywhere("false")
            && anywhere("*STRASSE*") != anywhere("*STRAßE*")
    );
    assert!(!anywhere("policy"), "names are no texts");
}

#[test]
fn wildcards_take_whole_values_with_case_or_without() {
    for (pattern, any_case, value, expected) in [
        ("abc", false, "abc", true),
        ("abc", false, "Abc", false),
        ("abc", true, "aBC", true),
        ("a?c", false, "abc", true),
        ("a?c", false, "ac", false),
        ("a?c", true, "AßC", true),
        ("?", false, "", false),
        ("*?", false, "", false),
        ("*?*", false, "x", true),
        ("a*b*c", false, "a-b-b-c", true),
        ("a*b*c", false, "a-b-c-", false),
        ("*ab", false, "aab", true),
        ("*aab*", true, "AAAB", true),
        ("", true, "", true),
        ("", true, "x", false),
        ("*", true, "", true),
        ("straße", true, "STRAẞE", true),
        ("straße", true, "STRASSE", false),
        ("ΣΑΣ", true, "σας", true),
        ("k", true, "\u{212a}", true),
        ("s", true, "ſ", true),
        ("i", true, "ı", false),
        ("É*", true, "école", true),
        ("É*", false, "école", false),
    ] {
        let token = |character| match character {
            '*' => Token::Many,
            '?' => Token::One,
            other => Token::Literal(other),
        };
        let glob = Glob::new(pattern.chars().map(token), any_case);
        assert_eq!(glob.matches(value), expected, "{glob} on {value:?}");
    }
}

#[test]
fn the_simplest_form_of_wildcards_says_the_same() {
    assert_eq!(like("abc", false), Test::Text("abc".to_owned()));
    assert!(matches!(like("a*c", false), Test::Pattern(_)));
    assert_eq!(like("**", true), Test::Exists);
    assert!(matches!(like("a?c", false), Test::Glob(_)));
    assert!(matches!(like("abc", true), Test::Glob(_)));
}

#[test]
fn a_regular_expression_is_searched_or_takes_the_whole_value() {
    for (text, flags, value, searched, whole) in [
        ("b", "", "abc", true, false),
        ("a|abc", "", "abc", true, true),
        ("B", "i", "abc", true, false),
        ("a.c", "", "a\nc", false, false),
        ("a.c", "s", "a\nc", true, true),
        ("^c$", "m", "a\nc", true, false),
        ("(?i)ABC", "", "abc", true, true),
    ] {
        assert_eq!(Regex::searched(text, flags).unwrap().matches(value), searched, "{text} in {value:?}");
        assert_eq!(Regex::whole(text, flags).unwrap().matches(value), whole, "{text} of {value:?}");
    }
}

#[test]
fn a_regular_expression_cannot_eat_memory_or_time() {
    for (text, expected) in [
        ("a".repeat(1 << 20), "longer than 4096 bytes"),
        ("((a{100}){100}){100}".to_owned(), "not understood"),
        ("(".repeat(4000), "not understood"),
        ("a)|(?:b".to_owned(), "not understood"),
        (r"\p{L}".to_owned(), "not understood"),
    ] {
        let error = Regex::whole(&text, "").expect_err(expected);
        assert!(error.contains(expected), "{error}");
    }
    assert!(Regex::whole(&"[a-z]".repeat(800), "i").is_ok(), "what somebody may write is taken");
    // The time is proportional to the length of the value, whatever the expression.
    let expression = Regex::whole("(a*)*b", "").unwrap();
    assert!(!expression.matches(&"a".repeat(20_000)));
}

#[test]
fn a_field_is_compared_with_another() {
    let fields = |one: &str, relation, other: &str, any_case| {
        let subject = |path: &str| Subject::Record(path.to_owned());
        holds(Node::Fields { one: subject(one), relation, other: subject(other), any_case })
    };
    let (name, id) = ("userIdentity.userName", "userIdentity.principalId");
    assert!(!fields(name, Relation::Equals, id, false));
    assert!(fields(name, Relation::Equals, id, true));
    assert!(fields(name, Relation::StartsWith, id, true));
    assert!(fields(name, Relation::EndsWith, id, true));
    assert!(fields(name, Relation::Contains, id, true));
    assert!(fields("requestParameters.items.from", Relation::Equals, "requestParameters.items.from", false));
    assert!(fields("readOnly", Relation::Equals, "readOnly", false));
    assert!(!fields(name, Relation::Equals, "userIdentity.missing", true));
    assert!(!fields("userIdentity.missing", Relation::Equals, "userIdentity.missing", true));
}

#[test]
fn a_length_counts_units_of_utf_16() {
    let length = |wanted: usize| holds(raw("userIdentity.userName", Test::Length(wanted.into())));
    assert!(length(6) && !length(7));
    assert!(holds(raw(
        "userIdentity.userName",
        Test::LengthRange(Comparison::GreaterOrEqual, Decimal::from(6_usize))
    )));
    assert!(!holds(raw(
        "userIdentity.userName",
        Test::LengthRange(Comparison::Greater, Decimal::from(6_usize))
    )));
    let record = map(json!({ "eventName": "😀" }));
    assert_eq!(
        Query::from(raw("eventName", Test::Length(Decimal::from(2_usize)))).evaluate(&Raw(&record)),
        Some(true)
    );
}

#[test]
fn what_kql_cannot_say_is_printed_for_people() {
    for (node, shown) in [
        (raw("a.b", like("x*", true)), "$.a.b like~ \"x*\""),
        (leaf("user.name".into(), like(r#"?"\"#, false)), r#"user.name like "?\"\\""#),
        (leaf(Subject::Anywhere, Test::Regex(Regex::searched("a.*", "i").unwrap())), "$..* holds /a.*/i"),
        (raw("a", Test::LengthRange(Comparison::Less, Decimal::from(3_usize))), "$.a length < 3"),
        (
            Node::Fields {
                one: "user.name".into(),
                relation: Relation::Equals,
                other: "user.id".into(),
                any_case: true,
            },
            "user.name equals~ user.id",
        ),
    ] {
        assert_eq!(node.to_string(), shown);
    }
}

fn subject() -> impl Strategy<Value = Subject> {
    let path =
        select(vec!["eventSource", "eventName", "errorCode", "requestParameters", "requestParameters.k"]);
    let field = select(vec!["event.provider", "event.action", "event.outcome", "user.name"]);
    prop_oneof![
        6 => path.prop_map(|path| Subject::Record(path.to_owned())),
        3 => field.prop_map(Subject::from),
        1 => Just(Subject::Anywhere),
    ]
}

const WORDS: [&str; 9] = [
    "",
    "-",
    "iam.amazonaws.com",
    "IAM.amazonaws.com",
    "CreateUser",
    "createuser",
    "ConsoleLogin",
    "12",
    "true",
];

fn node() -> impl Strategy<Value = Node> {
    let test = prop_oneof![
        (select(&WORDS[..]), any::<bool>()).prop_map(|(word, any_case)| like(word, any_case)),
        (select(&WORDS[..]), any::<bool>()).prop_map(|(word, any_case)| like(&format!("{word}*"), any_case)),
        select(&WORDS[..]).prop_map(|word| like(&format!("?{}", &word[word.len().min(1)..]), false)),
        select(vec!["^c", "user$", "[.]"]).prop_map(|text| Test::Regex(Regex::searched(text, "i").unwrap())),
        select(vec![0_usize, 1, 10]).prop_map(|length| Test::Length(length.into())),
        Just(Test::Exists),
        Just(Test::NumberRange(Comparison::Less, Decimal::from(13_usize))),
    ];
    let relation =
        select(vec![Relation::Equals, Relation::StartsWith, Relation::EndsWith, Relation::Contains]);
    let leaf = prop_oneof![
        5 => (subject(), test).prop_map(|(subject, test)| leaf(subject, test)),
        1 => (subject(), relation, subject(), any::<bool>())
            .prop_map(|(one, relation, other, any_case)| Node::Fields { one, relation, other, any_case }),
    ];
    leaf.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Node::And),
            vec(inner.clone(), 2..4).prop_map(Node::Or),
            inner.prop_map(|node| Node::Not(Box::new(node))),
        ]
    })
}

fn value() -> impl Strategy<Value = Value> {
    let word = || select(&WORDS[..]).prop_map(Value::from);
    prop_oneof![
        6 => word(),
        1 => Just(Value::Null),
        1 => Just(json!(12)),
        1 => word().prop_map(|word| json!({ "k": [word] })),
    ]
}

/// What the record and its document say together.
struct Both<'a>(Raw<'a>, &'a Document);

impl detection::query::Fields for Both<'_> {
    fn any(&self, name: &str, test: &mut dyn FnMut(detection::query::Scalar<'_>) -> bool) -> Option<bool> {
        self.1.any(name, test)
    }

    fn any_in_record(
        &self,
        path: Option<&str>,
        test: &mut dyn FnMut(detection::query::Scalar<'_>) -> bool,
    ) -> Option<bool> {
        self.0.any_in_record(path, test)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_early_verdict_is_the_last_one(
        node in node(), source in value(), name in value(), other in value(), error in proptest::option::of(value()),
    ) {
        let mut record = map(json!({ "eventSource": source, "eventName": name, "requestParameters": other }));
        record.extend(error.map(|error| ("errorCode".to_owned(), error)));
        let text = serde_json::to_string(&record).unwrap();
        let query = Query::from(node);
        let document = Document::from_record(record.clone());
        let last = query.evaluate(&Both(Raw(&record), &document));
        prop_assert!(last.is_some());
        let head = Head::parse(text.as_bytes()).unwrap();
        let found = Head::find(text.as_bytes().into());
        let early = [Some(query.evaluate(&head)), found.map(|found| query.evaluate(&found)), Some(query.evaluate(&Mapping::of(&record))),
            Some(query.evaluate(&Raw(&record)))];
        for early in early.into_iter().flatten().flatten() {
            prop_assert_eq!(Some(early), last, "{} over {}", query, text);
        }
    }
}
