//! Numbers keep the digits that the record writes.

use detection::ecs;
use detection::query::{Query, Scalar};
use detection::records;

use crate::document;

const RECORD: &str = r#"{"requestParameters":{"a":1.50,"b":1E3,"c":12345678901234567890123,"d":-0.0,"e":[1e-7,{"f":1.5e+10}]},"eventID":2.0}"#;

#[test]
fn a_number_keeps_its_own_digits_wherever_it_is_printed_or_compared() {
    let document = document(RECORD);
    let json = serde_json::to_string(&document).expect("a document has a JSON text");
    let flattened = r#"{"a":1.50,"b":1E3,"c":12345678901234567890123,"d":-0.0,"e":[1e-7,{"f":1.5e+10}]}"#;
    assert!(json.contains(flattened), "{json}");
    let printed = "{a=1.50, b=1E3, c=12345678901234567890123, d=-0.0, e=[1e-7, {f=1.5e+10}]}";
    assert_eq!(document.text("aws.cloudtrail.request_parameters"), Some(printed));
    assert_eq!(document.text("event.id"), Some("2.0"));
    let parameter = "aws.cloudtrail.flattened.request_parameters";
    let rows = [
        ("a: 1.50", true),
        ("a: 1.5", false),
        ("b: 1E3", true),
        ("b: 1000", false),
        ("b: \"1e+3\"", false),
        ("c: 12345678901234567890123", true),
        ("c: 12345678901234567890124", false),
        ("e.f: 1.5e*", true),
    ];
    for (query, verdict) in rows {
        let query = Query::parse(&format!("{parameter}.{query}"), ecs::field).expect(query);
        assert_eq!(query.evaluate(&document), Some(verdict), "{query}");
    }
}

#[test]
fn a_number_is_a_number_and_no_text() {
    use detection::query::Fields;
    let document = document(RECORD);
    let mut numbers = Vec::new();
    document.any("aws.cloudtrail.flattened.request_parameters.b", &mut |value| {
        if let Scalar::Number(text) = value {
            numbers.push(text.to_owned());
        }
        false
    });
    assert_eq!(numbers, ["1E3"]);
}

#[test]
fn a_record_with_an_exponent_is_the_same_in_everything_else() {
    let record = r#"{"a":[null,true,"x\u00e9"],"b":1,"n":1E3,"b":{"c":2,"c":3},"1E3":"1E3"}"#;
    let parsed = records::parse(record.as_bytes()).expect("it is JSON");
    let text = serde_json::to_string(&parsed).expect("it has a JSON text");
    assert_eq!(text, r#"{"a":[null,true,"xé"],"b":{"c":3},"n":1E3,"1E3":"1E3"}"#);
    for wrong in ["[1E3]", r#"{"a":1E}"#, r#"{"a":1E3"#, "1E3", ""] {
        assert!(records::parse(wrong.as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn a_key_that_the_parser_uses_for_itself_is_a_key_like_others() {
    let keys = [
        "$serde_json::private::Number",
        "$serde_json::private::RawValue",
        r"\u0024serde_json::private::Number",
        r"$serde_json::\u0070rivate::RawValue",
    ];
    for key in keys {
        for value in [r#""1""#, r#""evil""#, "[]"] {
            let text =
                format!(r#"{{"eventName":"x","requestParameters":{{"a":{{"{key}":{value},"b":"c"}}}}}}"#);
            let record = records::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
            let inner = record["requestParameters"]["a"].as_object().expect("an object");
            assert_eq!(inner.len(), 2, "{text}");
            let document = document(&text);
            let field = "aws.cloudtrail.flattened.request_parameters.a.b";
            let query = Query::parse(&format!("{field}: c"), ecs::field).expect("good");
            assert_eq!(query.evaluate(&document), Some(true), "{text}");
            let members = ecs::Members::of(text.as_bytes()).expect("JSON");
            assert_eq!(query.evaluate(&ecs::Mapping::of_members(&members)), Some(true), "{text}");
            assert!(!members.is_broken(), "{text}");
        }
    }
    let deep = format!(r#"{{"a":"\u0041","b":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(records::parse(deep.as_bytes()), Err(records::Rejection::TooDeep));
}
