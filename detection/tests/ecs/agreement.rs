//! A field read on its own equals the field of the document, for any record and every row of the table.

use std::sync::LazyLock;

use detection::detect::Ruleset;
use detection::ecs::{self, Document, Mapping, Members, Standing};
use detection::query::{Fields, Scalar};
use detection::{records, rule};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

/// A rule that matches every record.
static EVERY: LazyLock<Ruleset> = LazyLock::new(|| {
    let text = r#"
        [rule]
        name = "Every record"
        rule_id = "00000000-0000-4000-8000-000000000001"
        description = "Every record."
        type = "query"
        language = "kuery"
        query = 'event.dataset: "aws.cloudtrail"'
        severity = "low"
        risk_score = 1
        author = ["tests"]
    "#;
    let rules = rule::read([("every.toml", text.to_owned())]).all().expect("the rule is good");
    Ruleset::new(rules).expect("its query is good")
});

/// Paths below an open field, some of which lead nowhere.
const BELOW: [&str; 8] = ["", ".a", ".a.b", ".arn", ".k", ".k.k", ".UserName", ".userName"];

/// Texts that the mapping takes apart.
const PARTS: [&str; 28] = [
    "",
    "-",
    "none",
    "lambda.amazonaws.com",
    "custom.example.com",
    "CreateUser",
    "ConsoleLogin",
    "UserAuthentication",
    "AssumedRole",
    "AWSService",
    "IAMUser",
    "IdentityCenterUser",
    "arn:aws:sts::1:assumed-role/R/bob@example.com",
    "arn:aws:iam::1:role/aws-service-role/x.amazonaws.com/R",
    "arn:aws:ec2:eu-west-1:1:instance/i-0123456789",
    "i-0123456789",
    "a@b.c",
    "@b",
    "192.0.2.1",
    "fe80::1%eth0",
    "TLSv1.3",
    "tlsVersion",
    "UNKNOWN",
    "No",
    "Success",
    "true",
    "20131102T010628Z",
    "2026-11-23T10:05:00Z",
];

/// Every key that the mapping reads anywhere, and some that it does not.
const KEYS: [&str; 53] = [
    "eventTime",
    "eventSource",
    "eventName",
    "eventID",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "tlsDetails",
    "userIdentity",
    "errorCode",
    "errorMessage",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "serviceEventDetails",
    "resources",
    "readOnly",
    "managementEvent",
    "sharedEventID",
    "sharedEventId",
    "addendum",
    "recipientAccountId",
    "sessionCredentialFromConsole",
    "vpcEndpointId",
    "type",
    "arn",
    "ARN",
    "accountId",
    "userName",
    "newUserName",
    "UserName",
    "groupName",
    "principalId",
    "invokedBy",
    "onBehalfOf",
    "userId",
    "user",
    "sessionContext",
    "sessionIssuer",
    "attributes",
    "creationDate",
    "mfaAuthenticated",
    "webIdFederationData",
    "inScopeOf",
    "sourceArn",
    "tlsVersion",
    "clientProvidedHostHeader",
    "instanceId",
    "instancesSet",
    "items",
    "MFAUsed",
    "k",
    "a.b",
];

/// The text of a record in which any key may be anywhere and have any value, though most are where they belong.
fn whole_record() -> impl Strategy<Value = String> {
    let scalar = || {
        prop_oneof![
            9 => select(&PARTS[..]).prop_map(|part| json!(part).to_string()),
            1 => select(vec!["null", "12", "1.50", "1E3", "true", "false", "{}", "[]", "123456789012345678901"])
                .prop_map(str::to_owned),
        ]
    };
    let value = scalar().prop_recursive(3, 24, 5, |inner| {
        let entry = (select(&KEYS[..]), inner.clone());
        prop_oneof![
            1 => vec(inner, 0..3).prop_map(|items| format!("[{}]", items.join(","))),
            3 => vec(entry, 0..6).prop_map(object),
        ]
    });
    let objects = vec![
        (
            "userIdentity",
            vec!["type", "arn", "userName", "principalId", "invokedBy", "sessionContext", "onBehalfOf"],
        ),
        ("tlsDetails", vec!["tlsVersion", "clientProvidedHostHeader", "cipherSuite", "keyExchange"]),
        ("requestParameters", vec!["userName", "newUserName", "groupName", "instanceId", "computerName"]),
        ("responseElements", vec!["user", "group", "ConsoleLogin", "instancesSet"]),
        ("additionalEventData", vec!["UserName", "MFAUsed", "MobileVersion", "LoginTo"]),
        ("serviceEventDetails", vec!["sourceIpAddress"]),
    ];
    let part = select(objects).prop_flat_map(move |(name, keys)| {
        vec((select(keys), value.clone()), 1..6).prop_map(move |entries| (name, object(entries)))
    });
    let top = (select(&KEYS[..24]), scalar());
    (vec(top, 0..10), vec(part, 0..5)).prop_map(|(mut entries, parts)| {
        entries.extend(parts);
        object(entries)
    })
}

fn object(entries: Vec<(&str, String)>) -> String {
    let entries: Vec<_> = entries.into_iter().map(|(key, value)| format!("{}:{value}", json!(key))).collect();
    format!("{{{}}}", entries.join(","))
}

/// The text of every value of a field.
fn values(fields: &impl Fields, name: &str) -> Vec<String> {
    let mut values = Vec::new();
    fields.any(name, &mut |value| {
        values.push(format!("{value:?}"));
        false
    });
    values
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_values_of_one_field_of_the_record_are_those_of_the_document(text in whole_record()) {
        let members = Members::of(text.as_bytes()).expect("the record is an object");
        let of_members = Mapping::of_members(&members);
        let record = records::parse(text.as_bytes()).expect("the record is an object");
        let document = Document::from_record(record.clone());
        let mapping = Mapping::of(&record);
        for row in ecs::TABLE {
            let names = if row.is_open() { &BELOW[..] } else { &[""] };
            for name in names.iter().map(|below| format!("{}{below}", row.name)) {
                let expected = values(&document, &name);
                prop_assert_eq!(&values(&mapping, &name), &expected, "{} of {}", name, text);
                prop_assert_eq!(&values(&of_members, &name), &expected, "{} of {}, member by member", name, text);
            }
        }
    }

    #[test]
    fn the_document_of_a_match_is_that_of_the_parsed_record(text in whole_record()) {
        let matched = EVERY.detector().detect(text.as_bytes()).expect("the record is JSON").expect("it matches");
        let record = records::parse(text.as_bytes()).expect("the record is an object");
        prop_assert_eq!(matched.document(), &Document::from_record(record), "{}", text);
    }

    #[test]
    fn the_value_of_a_raw_field_stands_in_the_record_as_it_is(record in whole_record()) {
        let parsed = records::parse(record.as_bytes()).expect("the record is an object");
        for row in ecs::TABLE.iter().filter(|row| ecs::standing(row.name) == Standing::AsItIs && !row.is_open()) {
            Mapping::of(&parsed).any(row.name, &mut |value| {
                let Scalar::Text(value) = value else { panic!("{} is a text", row.name) };
                assert!(record.contains(value), "{} of {record}", row.name);
                false
            });
        }
    }
}
