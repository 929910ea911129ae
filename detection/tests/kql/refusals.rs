//! What is refused, where, and in what words.

use detection::ecs;
use detection::query::{Field, Query};

use crate::fixture::schema;

type Row = (&'static str, usize, usize, &'static str);

fn check(rows: &[Row], schema: impl Fn(&str) -> Result<Field, String>) {
    for (query, line, column, reason) in rows {
        let errors = Query::parse(query, &schema).expect_err(query);
        let [error] = errors.as_slice() else { panic!("one error for {query:?}, not {errors:?}") };
        assert_eq!((error.line, error.column), (*line, *column), "the place in {query:?}: {error}");
        assert!(error.reason.contains(reason), "the reason for {query:?}: {error}");
    }
}

#[test]
fn broken_syntax_is_refused_at_its_place() {
    check(
        &[
            ("", 1, 1, "expected a field, found the end"),
            (r#""": x"#, 1, 1, "a field needs a name"),
            ("   \n ", 2, 2, "expected a field, found the end"),
            ("()", 1, 2, "expected a field, found ')'"),
            ("a:", 1, 3, "expected a value, found the end"),
            ("a: )", 1, 4, "expected a value, found ')'"),
            ("a: ()", 1, 5, "expected a value, found ')'"),
            ("a: (x or )", 1, 10, "expected a value"),
            ("a: x and ", 1, 10, "expected a field, found the end"),
            ("a: x and", 1, 9, "expected a field, found the end"),
            ("a: (x or)", 1, 9, "expected a value, found ')'"),
            ("a: x not", 1, 6, "expected \"and\", \"or\" or the end of the query, found 'n'"),
            ("a: not", 1, 4, "expected a value, found 'n'"),
            ("a: x or or b: y", 1, 9, "no field or b"),
            ("and a: x", 1, 1, "no field and a"),
            (": x", 1, 1, "expected a field, found ':'"),
            ("a: x b: y", 1, 7, "expected \"and\", \"or\" or the end of the query, found ':'"),
            (r#"a: "x" b: y"#, 1, 8, "expected \"and\", \"or\" or the end of the query, found 'b'"),
            ("(a: x) (b: y)", 1, 8, "expected \"and\", \"or\" or the end of the query"),
            ("a: (x y) b: z", 1, 10, "expected \"and\", \"or\" or the end of the query"),
            ("a: x)", 1, 5, "found ')'"),
            ("(a: x", 1, 6, "expected \"and\", \"or\" or \")\", found the end"),
            ("a: (x or y", 1, 11, "expected \"and\", \"or\" or \")\", found the end"),
            ("a: (x or b: y)", 1, 11, "expected \"and\", \"or\" or \")\", found ':'"),
            (r#"a: "x"#, 1, 4, "the closing quote is missing"),
            (r#"a: x and "b: y"#, 1, 10, "the closing quote is missing"),
            (r#"a: "x\""#, 1, 4, "the closing quote is missing"),
            (r"a: x\q", 1, 5, "unknown escape"),
            (r"a: x\", 1, 5, "unknown escape"),
            (r"a: \u12", 1, 4, "unknown escape"),
            (r"a: \ud83d", 1, 4, "unknown escape"),
            (r"a: \ude00\ud83d", 1, 4, "unknown escape"),
            (r"a: x\ y", 1, 5, "unknown escape"),
            ("a: x{y", 1, 5, "found '{'"),
            ("a: x and\n  b: y and\n  : z", 3, 3, "expected a field"),
            ("a: größe\nand b: \"y", 2, 8, "the closing quote is missing"),
            ("größe: ü b: y", 1, 11, "found ':'"),
            ("a > ", 1, 5, "expected a bound, found the end"),
            ("a >> x", 1, 4, "expected a bound, found '>'"),
            ("a < (1 or 2)", 1, 5, "expected a bound, found '('"),
        ],
        schema,
    );
}

#[test]
fn what_needs_an_index_is_refused_by_name() {
    check(
        &[
            ("x", 1, 1, "a value without a field means nothing without an index"),
            (r#""some text""#, 1, 1, "a value without a field"),
            ("a: x and lambda*", 1, 10, "a value without a field"),
            ("*", 1, 1, "a value without a field"),
            ("not foo bar", 1, 5, "a value without a field"),
            ("a: { b: x }", 1, 4, "nested queries"),
            ("a:{ b: x and c: y }", 1, 3, "nested queries"),
            ("b: y and not a: { b: { c: x } }", 1, 17, "nested queries"),
            ("*: x", 1, 1, "wildcards in field names"),
            ("a*: x", 1, 1, "wildcards in field names"),
            ("a: x and\n  b.*: y", 2, 3, "wildcards in field names"),
            ("a* > 3", 1, 1, "wildcards in field names"),
            ("time > now-1d", 1, 8, "date arithmetic"),
            (r#"time >= "now""#, 1, 9, "date arithmetic"),
            ("time: 2026", 1, 7, "partial dates"),
            (r#"time < "2026-11-23""#, 1, 8, "partial dates"),
            (r#"time < "2026-11-23T10:05:00+01:00""#, 1, 8, "expected a time"),
        ],
        schema,
    );
}

#[test]
fn a_value_that_its_field_cannot_have_is_refused() {
    check(
        &[
            ("flag: yes", 1, 7, "expected true or false"),
            ("flag: \"True\"", 1, 7, "expected true or false"),
            ("flag: t*", 1, 7, "wildcards work on keyword fields only"),
            ("flag > false", 1, 8, "a boolean has no order"),
            ("size: ten", 1, 7, "expected a number"),
            ("size: NaN", 1, 7, "expected a number"),
            ("size > infinity", 1, 8, "expected a number"),
            ("size: 1*", 1, 7, "wildcards work on keyword fields only"),
            ("size: true", 1, 7, "expected a number"),
            ("ip: 10.*", 1, 5, "wildcards work on keyword fields only"),
            ("ip: 10.0.0.256", 1, 5, "expected an IP address or a CIDR block"),
            ("ip: 10.0.0.0/33", 1, 5, "expected an IP address or a CIDR block"),
            ("ip: 10.0.0.0/", 1, 5, "expected an IP address or a CIDR block"),
            (r#"ip: "2001:db8::/129""#, 1, 5, "expected an IP address or a CIDR block"),
            ("ip: amazonaws.com", 1, 5, "expected an IP address or a CIDR block"),
            ("ip > 10.0.0.0/8", 1, 6, "expected an IP address"),
            ("time: 2026-*", 1, 7, "wildcards work on keyword fields only"),
            ("a > x*", 1, 5, "a bound cannot have wildcards"),
            ("a: (x or y) and ip: (10.0.0.1 or z)", 1, 34, "expected an IP address"),
        ],
        schema,
    );
}

#[test]
fn a_field_that_is_not_mapped_is_refused_with_the_reason() {
    check(
        &[
            (
                "related.entity: x",
                1,
                1,
                "related.entity is not mapped here: Elastic writes it only on request",
            ),
            ("event.action: x and source.geo.country_iso_code: DE", 1, 21, "GeoIP"),
            ("source.as.number > 3", 1, 1, "autonomous systems"),
            ("source.as.organization.name: x", 1, 1, "autonomous systems"),
            ("user_agent.name: curl", 1, 1, "a parser of user agents"),
            ("event.ingested >= \"2026-11-23T10:05:00Z\"", 1, 1, "the time of indexing"),
            ("host.name: x", 1, 1, "no host"),
            ("event.acton: x", 1, 1, "the field event.acton is not mapped here"),
            ("Event.action: x", 1, 1, "the field Event.action is not mapped here"),
            ("aws.cloudtrail.flattened.nothing.x: y", 1, 1, "is not mapped here; docs/fields.md lists"),
            ("aws.cloudtrail.flattened: y", 1, 1, "is not mapped here; docs/fields.md lists"),
            ("messages: x", 1, 1, "the field messages is not mapped here"),
        ],
        ecs::field,
    );
}

#[test]
fn more_than_64_levels_are_refused_and_64_are_taken() {
    for (open, close) in [("(", ")"), ("not ", "")] {
        let nested = |depth: usize| format!("{}a: x{}", open.repeat(depth), close.repeat(depth));
        assert!(Query::parse(&nested(64), schema).is_ok(), "64 levels of {open:?}");
        let errors = Query::parse(&nested(65), schema).expect_err("65 levels");
        assert!(errors[0].reason.contains("nested more than 64 deep"), "{}", errors[0]);
        // However deep the nesting is, it causes an error, not a stack overflow.
        assert!(Query::parse(&nested(200_000), schema).is_err());
    }
}

#[test]
fn every_unusable_field_and_value_is_reported_at_once() {
    let query = "nope: x and flag: maybe\n or a*: y and size: (1 or two or three)";
    let errors = Query::parse(query, schema).expect_err("five mistakes");
    let places: Vec<_> = errors.iter().map(|error| (error.line, error.column)).collect();
    assert_eq!(places, [(1, 1), (1, 19), (2, 5), (2, 27), (2, 34)]);
}

#[test]
fn an_error_shows_its_line_with_a_caret_under_the_place() {
    let shown = |query: &str| Query::parse(query, schema).expect_err(query)[0].to_string();
    assert_eq!(
        shown("a: x and\n  flag: maybe and\n  b: y"),
        "2:9: expected true or false: the field is a boolean\n      flag: maybe and\n            ^^^^^"
    );
    assert_eq!(shown("a:"), "1:3: expected a value, found the end\n    a:\n      ^");
    // A tab counts as one column, and so does a letter, however many bytes it has.
    assert_eq!(
        shown("\tgröße: ü and flag: x"),
        "1:21: expected true or false: the field is a boolean\n     größe: ü and flag: x\n                        ^"
    );
}
