//! What rules make of records.

use detection::detect::Ruleset;
use detection::rule;

use crate::cases::CASES;
use crate::{compares, corpus, detects, fires};

#[test]
fn every_rule_of_the_corpus_fires_on_its_records_and_on_none_that_only_come_near() {
    let texts = corpus();
    let named: Vec<_> = texts.iter().map(|(name, _)| name.trim_end_matches(".yml")).collect();
    let mut tested: Vec<_> = CASES.iter().map(|(name, ..)| *name).collect();
    tested.sort_unstable();
    assert_eq!(named, tested);
    for (name, records, others) in CASES {
        let text = texts.iter().find(|(file, _)| file.trim_end_matches(".yml") == *name).unwrap();
        let reading = rule::read([text.clone()]);
        assert_eq!(reading.warnings, Vec::<String>::new());
        let sources = reading.all().unwrap_or_else(|errors| panic!("{}", errors[0]));
        let rules = Ruleset::new(sources).expect("the rule was read");
        for record in *records {
            assert!(fires(&rules, record), "{name} misses {record}");
        }
        for record in *others {
            assert!(!fires(&rules, record), "{name} takes {record}");
        }
    }
}

/// A field, a value, a record, and whether they match.
type Row = (&'static str, &'static str, &'static str, bool);

fn assert_rows(rows: &[Row]) {
    for (field, value, record, expected) in rows {
        assert_eq!(compares(field, value, record), *expected, "{field}: {value} over {record}");
    }
}

#[test]
fn a_field_that_is_there_has_a_value_unless_it_is_null_or_an_empty_list() {
    for (value, exists) in [
        (r#""""#, true),
        ("{}", true),
        ("0", true),
        ("false", true),
        (r#"[""]"#, true),
        ("[null,1]", true),
        ("[{}]", true),
        ("null", false),
        ("[]", false),
        ("[null]", false),
        ("[[],[null]]", false),
    ] {
        let record = format!(r#"{{"errorCode":{value}}}"#);
        for (field, wanted, expected) in [
            ("errorCode|exists", "true", exists),
            ("errorCode|exists", "false", !exists),
            ("errorCode|exists", "True", exists),
            ("errorCode", "null", !exists),
            ("errorCode", "~", !exists),
            ("errorCode", "", !exists),
            ("errorCode", "'*'", exists),
            ("errorCode", "'**'", exists),
            ("errorCode|contains", "''", exists),
            ("errorCode", "'null'", false),
        ] {
            assert_eq!(compares(field, wanted, &record), expected, "{field}: {wanted} over {record}");
        }
    }
    for field in ["errorCode|exists", "requestParameters.a.b|exists"] {
        assert!(!compares(field, "true", "{}"), "{field}");
        assert!(compares(field, "false", r#"{"requestParameters":{"a":1}}"#), "{field}");
    }
}

#[test]
fn texts_compare_as_a_whole_in_any_case_with_wildcards_and_their_escapes() {
    assert_rows(&[
        ("eventName", "Stop", r#"{"eventName":"sTOP"}"#, true),
        ("eventName", "Stop", r#"{"eventName":"Stop1"}"#, false),
        ("eventName", "Stop*", r#"{"eventName":"stop1"}"#, true),
        ("eventName", "S?op", r#"{"eventName":"sÖop"}"#, true),
        ("eventName", "S?op", r#"{"eventName":"sop"}"#, false),
        ("eventName", "S?p", r#"{"eventName":"sÖp"}"#, true),
        ("eventName", "'?'", r#"{"eventName":"ß"}"#, true),
        ("eventName", "'?*'", r#"{"eventName":""}"#, false),
        ("eventName", "'?*?'", r#"{"eventName":"a"}"#, false),
        ("eventName", "'?*?'", r#"{"eventName":"ab"}"#, true),
        ("eventName", "'*?'", r#"{"eventName":"ab"}"#, true),
        ("eventName", "'*a?c*d?'", r#"{"eventName":"aabcxdd"}"#, true),
        ("eventName", "'*aa*aa*'", r#"{"eventName":"aaa"}"#, false),
        ("eventName", "''", r#"{"eventName":""}"#, true),
        ("eventName", "''", "{}", false),
        ("eventName", r"'a\\b'", r#"{"eventName":"a\\b"}"#, true),
        ("eventName", r"'a\\\*b'", r#"{"eventName":"a\\*b"}"#, true),
        ("eventName", r"'a\'", r#"{"eventName":"a\\"}"#, true),
        ("eventName", r"'a\n'", r#"{"eventName":"a\\n"}"#, true),
        ("eventName", r#""a\n""#, r#"{"eventName":"a\n"}"#, true),
        ("eventName", "a<b", r#"{"eventName":"a\u003cb"}"#, true),
        ("eventName", "STOP", r#"{"eventName":"st\u006fp"}"#, true),
        ("eventName", "ÄÖ", r#"{"eventName":"äö"}"#, true),
        ("eventName", "ΣΑΣ", r#"{"eventName":"σας"}"#, true),
        ("eventName", "i", r#"{"eventName":"ı"}"#, false),
        ("eventName|cased", "Stop", r#"{"eventName":"stop"}"#, false),
        ("eventName|cased", "Stop", r#"{"eventName":"Stop"}"#, true),
        ("eventName|startswith|cased", "St", r#"{"eventName":"Stop"}"#, true),
        ("eventName|cased|endswith", "OP", r#"{"eventName":"Stop"}"#, false),
        ("eventName|endswith", "T*OP", r#"{"eventName":"xtzop"}"#, true),
        // Case matters in field names: a rule must write them as the record does.
        ("requestParameters.Name", "x", r#"{"requestParameters":{"name":"x"}}"#, false),
    ]);
}

#[test]
fn numbers_and_booleans_compare_as_their_json_text() {
    assert_rows(&[
        ("readOnly", "true", r#"{"readOnly":true}"#, true),
        ("readOnly", "'TRUE'", r#"{"readOnly":true}"#, true),
        ("readOnly", "true", r#"{"readOnly":"True"}"#, true),
        ("readOnly", "1", r#"{"readOnly":true}"#, false),
        ("readOnly|contains", "RU", r#"{"readOnly":true}"#, true),
        ("requestParameters.n", "22", r#"{"requestParameters":{"n":22}}"#, true),
        ("requestParameters.n", "022", r#"{"requestParameters":{"n":22}}"#, false),
        ("requestParameters.n", "0x16", r#"{"requestParameters":{"n":22}}"#, false),
        ("requestParameters.n", "'2*'", r#"{"requestParameters":{"n":22}}"#, true),
        (
            "requestParameters.n",
            "12345678901234567",
            r#"{"requestParameters":{"n":12345678901234567}}"#,
            true,
        ),
        (
            "requestParameters.n",
            "12345678901234568",
            r#"{"requestParameters":{"n":12345678901234567}}"#,
            false,
        ),
        ("requestParameters.n", "1.50", r#"{"requestParameters":{"n":1.50}}"#, true),
        ("requestParameters.n", "1.5", r#"{"requestParameters":{"n":1.50}}"#, false),
        (
            "requestParameters.n",
            "12345678901234567890123",
            r#"{"requestParameters":{"n":12345678901234567890123}}"#,
            true,
        ),
        ("requestParameters|contains", "'\"n\":1.50'", r#"{"requestParameters":{"n":1.50}}"#, true),
        ("requestParameters.n|gt", "5", r#"{"requestParameters":{"n":5}}"#, false),
        ("requestParameters.n|gte", "5.0", r#"{"requestParameters":{"n":5}}"#, true),
        ("requestParameters.n|lt", "'1e2'", r#"{"requestParameters":{"n":99}}"#, true),
        ("requestParameters.n|lte", "-1", r#"{"requestParameters":{"n":-1}}"#, true),
        ("requestParameters.n|lte", "9", r#"{"requestParameters":{"n":[20,9]}}"#, true),
        ("requestParameters.n|gt", "5", r#"{"requestParameters":{"n":"6"}}"#, true),
        ("requestParameters.n|gt", "5", r#"{"requestParameters":{"n":"six"}}"#, false),
        ("requestParameters.n|gt", "5", r#"{"requestParameters":{"n":true}}"#, false),
        ("requestParameters.n|gt", "5", r#"{"requestParameters":{"n":"inf"}}"#, false),
        ("requestParameters.n|gt", "5", "{}", false),
        (
            "requestParameters.n|gt",
            "9007199254740992",
            r#"{"requestParameters":{"n":9007199254740993}}"#,
            true,
        ),
        (
            "requestParameters.n|lt",
            "-9007199254740992",
            r#"{"requestParameters":{"n":-9007199254740993}}"#,
            true,
        ),
    ]);
}

#[test]
fn an_object_is_its_compact_json_and_every_text_inside() {
    let policy = r#"{"requestParameters":{"bucketPolicy":"{\"Action\": \"s3:GetObject\"}","deep":[{"a":{"b":"Leaf"}}],"n":5}}"#;
    assert_rows(&[
        ("requestParameters|contains", r#"'"s3:GetObject"'"#, policy, true),
        ("requestParameters|contains", r#"'"deep":[{"a":{"b":"leaf"}}]'"#, policy, true),
        ("requestParameters|contains", r#"'"n":5'"#, policy, true),
        ("requestParameters", "leaf", policy, true),
        ("requestParameters", "lea", policy, false),
        ("requestParameters", "5", policy, false),
        ("requestParameters.deep", "Leaf", policy, true),
        ("requestParameters.deep.a|endswith", "'}'", policy, true),
        ("requestParameters|startswith", "'{\"bucketPolicy\"'", policy, true),
        ("requestParameters|re", "'^Leaf$'", policy, true),
        ("requestParameters|cidr", "10.0.0.0/8", r#"{"requestParameters":{"ip":"10.1.2.3"}}"#, true),
        ("requestParameters", "'{}'", r#"{"requestParameters":{}}"#, true),
    ]);
}

#[test]
fn addresses_lie_in_blocks_of_their_own_family() {
    assert_rows(&[
        ("sourceIPAddress|cidr", "10.0.0.0/8", r#"{"sourceIPAddress":"10.9.9.9"}"#, true),
        ("sourceIPAddress|cidr", "10.0.0.0/8", r#"{"sourceIPAddress":"11.9.9.9"}"#, false),
        ("sourceIPAddress|cidr", "10.0.0.1", r#"{"sourceIPAddress":"10.0.0.1"}"#, true),
        ("sourceIPAddress|cidr", "0.0.0.0/0", r#"{"sourceIPAddress":"::1"}"#, false),
        ("sourceIPAddress|cidr", "'::/0'", r#"{"sourceIPAddress":"10.0.0.1"}"#, false),
        ("sourceIPAddress|cidr", "'::/0'", r#"{"sourceIPAddress":"2001:db8::1"}"#, true),
        ("sourceIPAddress|cidr", "'::/0'", r#"{"sourceIPAddress":"::ffff:10.0.0.1"}"#, true),
        ("sourceIPAddress|cidr", "10.0.0.0/8", r#"{"sourceIPAddress":"s3.amazonaws.com"}"#, false),
        ("sourceIPAddress|cidr", "10.0.0.0/8", r#"{"sourceIPAddress":"10.0.0.0/8"}"#, false),
        ("sourceIPAddress|cidr", "10.0.0.0/8", "{}", false),
    ]);
}

#[test]
fn expressions_are_searched_and_mind_case_unless_a_flag_says_otherwise() {
    assert_rows(&[
        ("eventName|re", "op", r#"{"eventName":"StopLogging"}"#, true),
        ("eventName|re", "OP", r#"{"eventName":"StopLogging"}"#, false),
        ("eventName|re|i", "OP", r#"{"eventName":"StopLogging"}"#, true),
        ("eventName|re", "(?i)OP", r#"{"eventName":"StopLogging"}"#, true),
        ("eventName|re", "'^(Stop|Start)(?:Log).*$'", r#"{"eventName":"StopLogging"}"#, true),
        ("eventName|re", "^b$", r#"{"eventName":"a\nb"}"#, false),
        ("eventName|re|m", "^b$", r#"{"eventName":"a\nb"}"#, true),
        ("eventName|re", "a.b", r#"{"eventName":"a\nb"}"#, false),
        ("eventName|re|s", "a.b", r#"{"eventName":"a\nb"}"#, true),
        ("eventName|re|i|s|m", "A.B$", r#"{"eventName":"a\nb\nc"}"#, true),
        ("eventName|re", r"'\bLog\w{3,}\/?'", r#"{"eventName":"x Logging"}"#, true),
        ("eventName|re", "'[^a-z]{2}'", r#"{"eventName":"abC9"}"#, true),
        ("eventName|re", "'.*'", "{}", false),
        ("requestParameters.n|re", "^1", r#"{"requestParameters":{"n":12}}"#, true),
        ("resources.ARN|re", "b$", r#"{"resources":[{"ARN":"a"},{"ARN":"ab"}]}"#, true),
    ]);
}

#[test]
fn a_field_equals_any_value_of_the_other_field() {
    let field = "userIdentity.arn|fieldref";
    assert_rows(&[
        (
            field,
            "requestParameters.arn",
            r#"{"userIdentity":{"arn":"a"},"requestParameters":{"arn":"A"}}"#,
            true,
        ),
        (
            field,
            "requestParameters.arn",
            r#"{"userIdentity":{"arn":"a"},"requestParameters":{"arn":["b","A"]}}"#,
            true,
        ),
        (
            field,
            "requestParameters.arn",
            r#"{"userIdentity":{"arn":"a"},"requestParameters":{"arn":"ab"}}"#,
            false,
        ),
        (
            field,
            "requestParameters.arn",
            r#"{"userIdentity":{"arn":"*"},"requestParameters":{"arn":"ab"}}"#,
            false,
        ),
        (
            field,
            "requestParameters.arn",
            r#"{"userIdentity":{"arn":null},"requestParameters":{"arn":null}}"#,
            false,
        ),
        (field, "requestParameters.arn", "{}", false),
        (
            field,
            "requestParameters.arn",
            r#"{"userIdentity":{"arn":5},"requestParameters":{"arn":"5"}}"#,
            true,
        ),
    ]);
    let not_same = "  s:\n    eventName: x\n  f:\n    userIdentity.arn|fieldref: requestParameters.arn\n  condition: s and not f";
    assert!(detects(not_same, r#"{"eventName":"x"}"#), "a missing field is the same as none");
}

#[test]
fn a_test_of_a_missing_field_is_false_and_its_negation_true() {
    for (field, value) in [
        ("errorCode", "x"),
        ("errorCode|contains", "x"),
        ("errorCode|re", "x"),
        ("errorCode|cidr", "10.0.0.0/8"),
        ("errorCode|gt", "1"),
        ("errorCode|exists", "true"),
        ("errorCode|fieldref", "eventName"),
        ("errorCode|cased", "x"),
    ] {
        let detection = format!("  s:\n    {field}: {value}\n  condition: not s");
        assert!(!compares(field, value, r#"{"eventName":"x"}"#), "{field}");
        assert!(detects(&detection, r#"{"eventName":"x"}"#), "not {field}");
    }
}

#[test]
fn words_without_a_field_may_stand_anywhere_in_a_text() {
    let rows = [
        ("  k:\n    - ab\n  condition: k", r#"{"eventName":"xABy"}"#, true),
        ("  k: ab\n  condition: k", r#"{"a":{"b":[{"c":"AB"}]}}"#, true),
        ("  k: ab\n  condition: k", r#"{"ab":"x"}"#, false),
        ("  k: a*b\n  condition: k", r#"{"x":"1a2b3"}"#, true),
        ("  k: a b\n  condition: k", r#"{"x":"a","y":"b"}"#, false),
        ("  k:\n    '|all':\n      - a\n      - b\n  condition: k", r#"{"x":"a","y":"b"}"#, true),
        ("  k:\n    '|cased':\n      - AB\n  condition: k", r#"{"x":"ab"}"#, false),
        ("  k:\n    '|re': ^a.b$\n  condition: k", r#"{"x":"axb"}"#, true),
        ("  k: ab\n  condition: not k", "{}", true),
    ];
    for (detection, record, expected) in rows {
        assert_eq!(detects(detection, record), expected, "{detection} over {record}");
    }
}

/// What a condition makes of three detections.
type Meaning = fn(bool, bool, bool) -> bool;

#[test]
fn conditions_bind_not_before_and_before_or() {
    let names = "  a:\n    eventName: a\n  b:\n    awsRegion: b\n  _c:\n    userAgent: c\n  condition: ";
    let record = |a: bool, b: bool, c: bool| {
        let text = |holds: bool, text: &str| if holds { text.to_owned() } else { "-".to_owned() };
        format!(
            r#"{{"eventName":"{}","awsRegion":"{}","userAgent":"{}"}}"#,
            text(a, "a"),
            text(b, "b"),
            text(c, "c")
        )
    };
    let conditions: [(&str, Meaning); 17] = [
        ("a or b and _c", |a, b, c| a || b && c),
        ("(a or b) and _c", |a, b, c| (a || b) && c),
        ("not a and b", |a, b, _| !a && b),
        ("not (a and b)", |a, b, _| !(a && b)),
        ("not not a", |a, _, _| a),
        ("not a or not b and not _c", |a, b, c| !a || !b && !c),
        ("1 of them", |a, b, _| a || b),
        ("any of them", |a, b, _| a || b),
        ("all of them", |a, b, _| a && b),
        ("ALL of THEM AND _c", |a, b, c| a && b && c),
        ("1 of *", |a, b, c| a || b || c),
        ("all of _*", |_, _, c| c),
        ("not 1 of them", |a, b, _| !(a || b)),
        ("1 of a* or all of b*", |a, b, _| a || b),
        ("(((a)))and(b)", |a, b, _| a && b),
        ("\n    - a and b\n    - _c", |a, b, c| a && b || c),
        (">\n    a and\n    b", |a, b, _| a && b),
    ];
    for (condition, meaning) in conditions {
        for bits in 0..8 {
            let (a, b, c) = (bits & 1 > 0, bits & 2 > 0, bits & 4 > 0);
            let detection = format!("{names}{condition}");
            assert_eq!(
                detects(&detection, &record(a, b, c)),
                meaning(a, b, c),
                "{condition} with {a} {b} {c}"
            );
        }
    }
}

#[test]
fn numbers_beyond_2_to_the_53_are_compared_by_their_digits() {
    assert_rows(&[
        (
            "requestParameters.n|gt",
            "9007199254740992",
            r#"{"requestParameters":{"n":9007199254740993}}"#,
            true,
        ),
        (
            "requestParameters.n|gte",
            "9007199254740993",
            r#"{"requestParameters":{"n":9007199254740992}}"#,
            false,
        ),
        (
            "requestParameters.n|lt",
            "9007199254740993",
            r#"{"requestParameters":{"n":9007199254740992}}"#,
            true,
        ),
        (
            "requestParameters.n|lt",
            "9007199254740993",
            r#"{"requestParameters":{"n":"9007199254740992"}}"#,
            true,
        ),
        (
            "requestParameters.n|lte",
            "-9007199254740993",
            r#"{"requestParameters":{"n":-9007199254740992}}"#,
            false,
        ),
    ]);
}
