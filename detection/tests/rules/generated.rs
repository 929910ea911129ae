//! Generated records and rules: what rules ask for, and what only looks like it.

use detection::rule::{self, Language, Source};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use crate::refusals::rule_text;

/// What rules ask for, and what only looks like it.
const PROVIDERS: [&str; 10] = [
    "lambda.amazonaws.com",
    "iam.amazonaws.com",
    "ec2.amazonaws.com",
    "sts.amazonaws.com",
    "guardduty.amazonaws.com",
    "signin.amazonaws.com",
    "lambda.amazonaws.com.cn",
    "LAMBDA.amazonaws.com",
    "-",
    "",
];
const ACTIONS: [&str; 14] = [
    "CreateFunction20150331",
    "CreateFunctionUrlConfig",
    "UpdateFunctionCode20150331v2",
    "UpdateFunctionConfiguration20150331v2",
    "createfunction",
    "Create",
    "CreateAccessKey",
    "AuthorizeSecurityGroupIngress",
    "AssumeRole",
    "DeleteDetector",
    "UpdateDetector",
    "ConsoleLogin",
    "none",
    "",
];
const KEYS: [&str; 12] = [
    "eventSource",
    "eventName",
    "errorCode",
    "errorMessage",
    "eventsource",
    "event\\u004eame",
    "sourceIPAddress",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "userIdentity",
    "eventSource ",
];
const OTHERS: [&str; 26] = [
    r#"{"eventSource":"lambda.amazonaws.com","eventName":"CreateFunction20150331"}"#,
    r#"["eventSource","eventName"]"#,
    "null",
    "true",
    "12",
    "1.2345E4",
    "12345.0",
    "{}",
    "[]",
    "[\"CreateFunction\"]",
    r#""AccessDenied""#,
    r#"{"enable":true}"#,
    r#"{"userName":"lambda.amazonaws.com"}"#,
    r#"{"type":"Root","userName":"CreateFunction20150331"}"#,
    r#"{"MFAUsed":"No"}"#,
    r#"{"note":"a\u000afunction"}"#,
    r#"{"ConsoleLogin":"Success"}"#,
    r#""10.1.2.3""#,
    r#"{"items":[{"cidrIp":"0.0.0.0/0"}]}"#,
    r#"{"userName":"LAMBDA.AMAZONAWS.COM"}"#,
    // Letters that count as s and k if case is ignored.
    "{\"userName\":\"lambda.amazonaw\u{17f}.com\"}",
    r#"{"userName":"lambda.amazonaw\u017f.com","note":"to\u212aen"}"#,
    "{\"note\":\"to\u{212a}en\"}",
    r#"{"items":[{"userName":"TOKEN"}],"note.text":{"path":"C:\\users"}}"#,
    r#"{"note":{"text":["a",null,"token"]}}"#,
    r#"{"n\u006fte":{"text":"Token"}}"#,
];

/// A JSON string in which some letters are written as escapes.
fn literal(text: &'static str) -> impl Strategy<Value = String> {
    vec(proptest::bool::weighted(0.05), text.len()).prop_map(move |escapes| {
        let escaped = text.chars().zip(escapes).map(|(character, escape)| {
            if escape { format!("\\u{:04x}", u32::from(character)) } else { character.to_string() }
        });
        format!("\"{}\"", escaped.collect::<String>())
    })
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(&PROVIDERS[..]).prop_flat_map(literal),
        4 => select(&ACTIONS[..]).prop_flat_map(literal),
        3 => select(&OTHERS[..]).prop_map(str::to_owned),
    ]
}

/// Mostly a provider and an action, with other members around them, some of which may repeat.
pub fn record() -> impl Strategy<Value = String> {
    let member = |name: &'static str, value: BoxedStrategy<String>| {
        let member = value.prop_map(move |value| format!("\"{name}\" :{value}"));
        proptest::option::weighted(0.9, member)
    };
    let other = || (select(&KEYS[..]), value()).prop_map(|(key, value)| format!("\"{key}\":{value}"));
    let provider = member("eventSource", select(&PROVIDERS[..]).prop_flat_map(literal).boxed());
    let action = member("eventName", select(&ACTIONS[..]).prop_flat_map(literal).boxed());
    (vec(other(), 0..3), provider, action, vec(other(), 0..3)).prop_map(
        |(mut members, provider, action, more)| {
            members.extend(provider.into_iter().chain(action).chain(more));
            format!("{{{}}}", members.join(","))
        },
    )
}

/// A rule with any query. In a file, a query that can never match would be refused.
pub fn source(index: usize, query: &str) -> Source {
    let rules = rule::read([("rule.toml", rule_text("event.action: x"))]).rules;
    let mut source = rules.into_iter().next().expect("a good rule");
    query.clone_into(&mut source.query);
    source.definition.rule_id = format!("rule-{index}");
    source
}

/// A query like those in rules: some fields that a head knows, some that it does not.
pub fn query() -> impl Strategy<Value = String> {
    let quoted = |text: &str| json!(text).to_string();
    let provider = select(&PROVIDERS[..]).prop_map(move |text| format!("event.provider: {}", quoted(text)));
    let action = select(&ACTIONS[..]).prop_map(move |text| format!("event.action: {}", quoted(text)));
    let start =
        select(&ACTIONS[..]).prop_map(|text| format!("event.action: {}*", &text[..text.len().min(9)]));
    let middle = select(&ACTIONS[..]).prop_map(|text| format!("event.action: *{}*", &text[text.len() / 2..]));
    let fixed = select(vec![
        "event.outcome: success",
        "event.outcome: failure",
        "event.dataset: aws.cloudtrail",
        "event.dataset: other",
        "event.action: *",
        "event.provider > m",
        "event.action: 1.2345E4",
        "event.action: true",
        "source.ip: 10.0.0.0/8",
        "user.name: *",
        "aws.cloudtrail.request_parameters: *userName=*",
        "aws.cloudtrail.error_code: AccessDenied",
        "aws.cloudtrail.flattened.request_parameters.enable: true",
        "aws.cloudtrail.flattened.request_parameters.note.text: *",
        "not aws.cloudtrail.flattened.request_parameters.note: *",
        "aws.cloudtrail.flattened.response_elements.items.userName: (TOKEN or token)",
        "event.action: (CreateFunction* or UpdateFunctionCode* and not *Config)",
        "event.provider: (lambda* or iam.amazonaws.com)",
    ])
    .prop_map(str::to_owned);
    let leaf = prop_oneof![3 => provider, 2 => action, 2 => start, 1 => middle, 3 => fixed];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            3 => vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" and "))),
            2 => vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" or "))),
            1 => inner.prop_map(|part| format!("not {part}")),
        ]
    })
}

/// A Sigma rule with this detection.
pub fn sigma_source(index: usize, detection: &str) -> Source {
    let mut source = source(index, detection);
    source.language = Language::Sigma;
    source.parse().unwrap_or_else(|errors| panic!("{detection}: {}", errors[0]));
    source
}

/// A detection of a Sigma rule, as JSON: fields that a head knows, with and without regard to case, and others.
pub fn detection() -> impl Strategy<Value = String> {
    let field = |name: &'static str, words: &'static [&'static str]| {
        let modifiers =
            select(&["", "|cased", "|contains", "|startswith", "|endswith|cased", "|contains|cased"][..]);
        let written = |word: &str, form: u8| match form {
            0 => word.to_owned(),
            1 => word.to_uppercase(),
            2 => word.chars().take(word.len() / 2).chain(['*']).collect(),
            _ => word.chars().skip(word.len() / 3).collect(),
        };
        let values = vec((select(words), 0..4_u8).prop_map(move |(word, form)| written(word, form)), 1..3);
        (modifiers, values)
            .prop_map(move |(modifiers, values)| json!({(format!("{name}{modifiers}")): values}))
    };
    let fixed = select(vec![
        json!({"eventName": null}),
        json!({"eventSource|exists": "true"}),
        json!({"eventSource": "-"}),
        json!({"eventName": ""}),
        json!({"errorCode": "AccessDenied"}),
        json!({"requestParameters|contains": "username"}),
        json!({"requestParameters|contains|cased": "nfunction"}),
        json!({"requestParameters.userName|fieldref": "eventSource"}),
        json!({"requestParameters.userName|re": "^lambda"}),
        json!({"requestParameters.items.userName": "*"}),
        json!({"requestParameters.note.text|exists": "true"}),
        json!({"requestParameters.note": null}),
        json!({"requestParameters.note": "token"}),
        json!({"requestParameters|contains": "TOKEN"}),
        json!({"requestParameters|contains|cased": ["token", "Create"]}),
        json!({"responseElements.note.text|contains": ["OKEN", "lambda"]}),
        json!(["token"]),
        json!({"sourceIPAddress|cidr": "10.0.0.0/8"}),
        json!(["createfunction", "ROOT"]),
    ]);
    let part = prop_oneof![
        3 => field("eventSource", &PROVIDERS),
        3 => field("eventName", &ACTIONS),
        1 => field("requestParameters.userName", &PROVIDERS),
        2 => fixed,
    ];
    let condition = select(vec![
        "a",
        "not a",
        "a and b",
        "a or b",
        "a and not b",
        "1 of them",
        "a and (b or c)",
        "not (a or b) or c",
    ]);
    (part.clone(), part.clone(), part, condition)
        .prop_map(|(a, b, c, condition)| json!({"a": a, "b": b, "c": c, "condition": condition}).to_string())
}

/// An EQL query, with fields that a head knows and others, and functions under `not`.
pub fn eql() -> impl Strategy<Value = String> {
    let quoted = |text: &str| json!(text).to_string();
    let action = select(&ACTIONS[..]);
    let provider = select(&PROVIDERS[..]);
    let sign = select(vec!["==", "!=", ":", "like", "like~"]);
    let fixed = select(vec![
        "event.outcome == \"success\"",
        "event.action != null",
        "user.name == null",
        "user.name == event.provider",
        "event.action regex~ \"create.*\"",
        "event.provider regex \"[a-z]+\\\\.amazonaws.com\"",
        "not stringContains(aws.cloudtrail.request_parameters, \"userName\")",
        "not startsWith(user.name, \"lambda\", \"Create\")",
        "stringContains(aws.cloudtrail.request_parameters, event.provider)",
        "not endsWith~(event.action, \"V2\")",
        "length(event.action) > 12",
        "cidrMatch(source.ip, \"10.0.0.0/8\")",
        "not cidrMatch(source.ip, \"10.0.0.0/8\")",
        "user.name : \"*TOKEN*\"",
        "aws.cloudtrail.flattened.request_parameters.note.text like~ \"t?ken\"",
        "event.action in~ (\"createfunction\", \"CONSOLELOGIN\")",
        "event.action not in (\"CreateFunction20150331\", \"ConsoleLogin\")",
        "?aws.nothing == \"x\"",
        "true",
    ])
    .prop_map(str::to_owned);
    let leaf = prop_oneof![
        2 => (provider, sign.clone()).prop_map(move |(text, sign)| format!("event.provider {sign} {}", quoted(text))),
        2 => (action.clone(), sign).prop_map(move |(text, sign)| format!("event.action {sign} {}", quoted(text))),
        1 => action.prop_filter("a function takes no empty text", |text| !text.is_empty())
            .prop_map(move |text| format!("stringContains(event.action, {})", quoted(&text[text.len() / 2..]))),
        3 => fixed,
    ];
    let condition = leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            3 => vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" and "))),
            2 => vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" or "))),
            1 => inner.prop_map(|part| format!("not {part}")),
        ]
    });
    (select(vec!["any", "iam", "authentication"]), condition)
        .prop_map(|(category, condition)| format!("{category} where {condition}"))
}
