use detection::query::{Fields, Scalar};
use serde_json::{Map, Value};

use super::parse;

/// A document whose names are whole field names; an array is a field with several values.
struct Flat(Map<String, Value>);

impl Fields for Flat {
    fn any(&self, name: &str, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        Some(self.0.get(name).is_some_and(|value| any(value, test)))
    }
}

fn any(value: &Value, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
    match value {
        Value::Null | Value::Object(_) => false,
        Value::Bool(value) => test(Scalar::Boolean(*value)),
        Value::Number(value) => test(Scalar::Number(&value.to_string())),
        Value::String(value) => test(Scalar::Text(value)),
        Value::Array(items) => items.iter().any(|item| any(item, test)),
    }
}

/// Checks rows of a condition, a document and the verdict, and reports every row that is wrong.
fn check(rows: &[(&str, &str, bool)]) {
    let wrong: Vec<_> = rows
        .iter()
        .filter(|(condition, document, expected)| {
            let query = if condition.contains("where ") {
                (*condition).to_owned()
            } else {
                format!("any where {condition}")
            };
            let query = parse(&query).unwrap_or_else(|errors| panic!("{query}\n{}", errors[0]));
            let document = Flat(serde_json::from_str(document).expect("the table holds JSON objects"));
            query.evaluate(&document) != Some(*expected)
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_comparison_takes_the_whole_text_in_its_case_and_stars_as_they_are() {
    check(&[
        (r#"x == "a""#, r#"{"x":"a"}"#, true),
        (r#"x == "a""#, r#"{"x":"A"}"#, false),
        (r#"x == "a""#, r#"{"x":"ab"}"#, false),
        (r#"x == "a""#, r#"{"x":["b","a"]}"#, true),
        (r#"x == "a*""#, r#"{"x":"ab"}"#, false),
        (r#"x == "a*""#, r#"{"x":"a*"}"#, true),
        (r#""a" == x"#, r#"{"x":"a"}"#, true),
        (r#"(x) == "a""#, r#"{"x":"a"}"#, true),
        (r#"x != "a""#, r#"{"x":"b"}"#, true),
        (r#"x != "a""#, r#"{"x":"a"}"#, false),
        (r#"x != "a""#, r#"{"x":["b","a"]}"#, false),
        (r#""a" != x"#, r#"{"x":"b"}"#, true),
        (r#"not x != "a""#, r#"{"x":"a"}"#, true),
        (r#"x > "b""#, r#"{"x":"c"}"#, true),
        (r#"x > "b""#, r#"{"x":"b"}"#, false),
        (r#"x >= "b""#, r#"{"x":"b"}"#, true),
        (r#""b" < x"#, r#"{"x":"c"}"#, true),
        (r#""b" >= x"#, r#"{"x":"c"}"#, false),
        ("size == 5", r#"{"size":5.0}"#, true),
        ("size == -5", r#"{"size":-5}"#, true),
        ("size < 5", r#"{"size":4}"#, true),
        ("size <= 4", r#"{"size":4}"#, true),
        ("5 > size", r#"{"size":4}"#, true),
        ("size > 1.5e3", r#"{"size":1501}"#, true),
        ("size > .5", r#"{"size":0.4}"#, false),
        ("x > 5", r#"{"x":"10"}"#, true),
        ("x == 5", r#"{"x":"5"}"#, true),
        ("flag == true", r#"{"flag":true}"#, true),
        ("flag == false", r#"{"flag":true}"#, false),
        ("flag != false", r#"{"flag":true}"#, true),
        ("flag", r#"{"flag":true}"#, true),
        ("flag", r#"{"flag":false}"#, false),
        ("not flag", r#"{"flag":false}"#, true),
        ("x == true", r#"{"x":"true"}"#, true),
        (r#"ip == "10.0.0.1""#, r#"{"ip":"10.0.0.1"}"#, true),
        (r#"ip == "10.0.0.0/8""#, r#"{"ip":"10.2.3.4"}"#, true),
        (r#"ip > "10.0.0.1""#, r#"{"ip":"10.0.0.2"}"#, true),
        (r#"@timestamp >= "2026-01-01T00:00:00Z""#, r#"{"@timestamp":"2026-01-01T00:00:00Z"}"#, true),
        (r#"@timestamp < "2026-01-01T00:00:00Z""#, r#"{"@timestamp":"2026-01-01T00:00:00Z"}"#, false),
    ]);
}

#[test]
fn a_list_is_met_by_any_of_its_values() {
    check(&[
        (r#"x in ("a", "b")"#, r#"{"x":"b"}"#, true),
        (r#"x in ("a", "b")"#, r#"{"x":"B"}"#, false),
        (r#"x in ("a")"#, r#"{"x":"a"}"#, true),
        (r#"x in~ ("a", "b")"#, r#"{"x":"B"}"#, true),
        (r#"x in~ ("straße")"#, r#"{"x":"STRAẞE"}"#, true),
        (r#"x in ("a*")"#, r#"{"x":"ab"}"#, false),
        (r#"x in~ ("a*")"#, r#"{"x":"ab"}"#, false),
        (r#"x not in ("a", "b")"#, r#"{"x":"c"}"#, true),
        (r#"x not in ("a", "b")"#, r#"{"x":"a"}"#, false),
        (r#"x not in ("a", "b")"#, r#"{"x":["c","a"]}"#, false),
        (r#"x not in~ ("a")"#, r#"{"x":"A"}"#, false),
        ("size in (1, 2)", r#"{"size":2}"#, true),
        ("flag in (true)", r#"{"flag":true}"#, true),
        ("length(x) in (1, 2)", r#"{"x":"ab"}"#, true),
        ("length(x) in (1, 2)", r#"{"x":"abc"}"#, false),
        ("length(x) not in (1, 2)", r#"{"x":"abc"}"#, true),
    ]);
}

#[test]
fn a_colon_and_like_know_wildcards_and_only_like_minds_case() {
    check(&[
        (r#"x : "A""#, r#"{"x":"a"}"#, true),
        (r#"x : "a*""#, r#"{"x":"ABC"}"#, true),
        (r#"x : "a?c""#, r#"{"x":"ABC"}"#, true),
        (r#"x : "a?c""#, r#"{"x":"ac"}"#, false),
        (r#"x : "*b*""#, r#"{"x":"ABC"}"#, true),
        (r#"x : "b""#, r#"{"x":"abc"}"#, false),
        (r#"x : ("q", "a*")"#, r#"{"x":"abc"}"#, true),
        (r#"x : ("q", "r*")"#, r#"{"x":"abc"}"#, false),
        (r#"x:"é*""#, r#"{"x":"École"}"#, true),
        (r#"x : "*""#, r#"{"x":""}"#, true),
        (r#"x : "a\\b""#, r#"{"x":"A\\b"}"#, true),
        (r#"not x : "a*""#, r#"{"x":"b"}"#, true),
        (r#"x like "a*""#, r#"{"x":"abc"}"#, true),
        (r#"x like "a*""#, r#"{"x":"ABC"}"#, false),
        (r#"x like "a??""#, r#"{"x":"abc"}"#, true),
        (r#"x like ("q", "?b?")"#, r#"{"x":"abc"}"#, true),
        (r#"x like~ "A*""#, r#"{"x":"abc"}"#, true),
        (r#"x like~ ("q*", "*C")"#, r#"{"x":"abc"}"#, true),
        (r#"not x like "a*""#, r#"{"x":"abc"}"#, false),
        (r#"ip : "10.0.0.1""#, r#"{"ip":"10.0.0.1"}"#, true),
    ]);
}

#[test]
fn a_regular_expression_is_lucenes_and_fits_the_whole_text() {
    check(&[
        (r#"x regex "a.c""#, r#"{"x":"abc"}"#, true),
        (r#"x regex "b""#, r#"{"x":"abc"}"#, false),
        (r#"x regex "a.c""#, r#"{"x":"ABC"}"#, false),
        (r#"x regex~ "a.c""#, r#"{"x":"ABC"}"#, true),
        (r#"x regex ("q", "ab*c")"#, r#"{"x":"abbc"}"#, true),
        (r#"x regex "a|b""#, r#"{"x":"b"}"#, true),
        (r#"x regex "a|b""#, r#"{"x":"ab"}"#, false),
        (r#"x regex "a{2,3}""#, r#"{"x":"aaa"}"#, true),
        (r#"x regex "a{2,}""#, r#"{"x":"a"}"#, false),
        (r#"x regex "[^/]+/.*""#, r#"{"x":"ab/c"}"#, true),
        (r#"x regex "[a\\-c]+""#, r#"{"x":"a-c"}"#, true),
        (r#"x regex "[a\\-c]+""#, r#"{"x":"b"}"#, false),
        (r#"x regex "[]a]+""#, r#"{"x":"]a"}"#, true),
        (r#"x regex "[[&~]+""#, r#"{"x":"[&~"}"#, true),
        (r#"x regex "[a-c-]+""#, r#"{"x":"b-"}"#, true),
        (r#"x regex """\d+\.\w""""#, r#"{"x":"12.a"}"#, true),
        (r#"x regex """\d+\.\w""""#, r#"{"x":"12xa"}"#, false),
        (r#"x regex """a\sb""""#, r#"{"x":"a b"}"#, true),
        (r#"x regex """\q\n""""#, r#"{"x":"qn"}"#, true),
        (r#"x regex "a.b""#, r#"{"x":"a\nb"}"#, true),
        (r#"x regex "^a$""#, r#"{"x":"a"}"#, false),
        (r#"x regex "^a$""#, r#"{"x":"^a$"}"#, true),
        (r#"x regex """"a.c".""""#, r#"{"x":"a.cd"}"#, true),
        (r#"x regex """"a.c".""""#, r#"{"x":"abcd"}"#, false),
        (r#"x regex "(ab)+""#, r#"{"x":"abab"}"#, true),
        (r#"x regex "a()b""#, r#"{"x":"ab"}"#, true),
        (r#"x regex "a>b""#, r#"{"x":"a>b"}"#, true),
        // Lucene has no laziness: the second quantifier repeats the first.
        (r#"x regex "a+?""#, r#"{"x":""}"#, true),
        (r#"x regex "b.*?c""#, r#"{"x":"bac"}"#, true),
        (r#"x regex "a{2}?""#, r#"{"x":""}"#, true),
        (r#"x regex "a++""#, r#"{"x":"aaa"}"#, true),
        (r#"x regex """""""#, r#"{"x":""}"#, true),
        (r#"x regex~ "é""#, r#"{"x":"é"}"#, true),
        (r#"not x regex "a.*""#, r#"{"x":"b"}"#, true),
    ]);
}

#[test]
fn functions_mind_case_unless_a_tilde_says_not_to() {
    check(&[
        (r#"stringContains(x, "b")"#, r#"{"x":"abc"}"#, true),
        (r#"stringContains(x, "B")"#, r#"{"x":"abc"}"#, false),
        (r#"stringContains~(x, "B")"#, r#"{"x":"abc"}"#, true),
        (r#"stringContains(x, "q", "c")"#, r#"{"x":"abc"}"#, true),
        (r#"stringContains(x, "*b")"#, r#"{"x":"abc"}"#, false),
        (r#"stringContains(x, "*b")"#, r#"{"x":"a*bc"}"#, true),
        (r#"stringContains(x, "?")"#, r#"{"x":"abc"}"#, false),
        ("stringContains(x, y)", r#"{"x":"abc","y":"b"}"#, true),
        ("stringContains(x, y)", r#"{"x":"abc","y":"B"}"#, false),
        ("stringContains~(x, y)", r#"{"x":"abc","y":"B"}"#, true),
        (r#"startsWith(x, "a")"#, r#"{"x":"abc"}"#, true),
        (r#"startsWith(x, "b")"#, r#"{"x":"abc"}"#, false),
        (r#"startsWith~(x, "A", "q")"#, r#"{"x":"abc"}"#, true),
        ("startsWith(x, y)", r#"{"x":"abc","y":"ab"}"#, true),
        (r#"endsWith(x, "c")"#, r#"{"x":"abc"}"#, true),
        (r#"endsWith(x, "C")"#, r#"{"x":"abc"}"#, false),
        (r#"endsWith~(x, "C")"#, r#"{"x":"abc"}"#, true),
        ("endsWith~(x, y)", r#"{"x":"abc","y":"BC"}"#, true),
        (r#"startsWith(x, "a") == true"#, r#"{"x":"abc"}"#, true),
        (r#"startsWith(x, "a") == false"#, r#"{"x":"abc"}"#, false),
        (r#"startsWith(x, "a") != true"#, r#"{"x":"bc"}"#, true),
        (r#"(startsWith(x, "a"))"#, r#"{"x":"abc"}"#, true),
        ("length(x) == 3", r#"{"x":"abc"}"#, true),
        ("length(x) == 2", r#"{"x":"😀"}"#, true),
        ("length(x) > 3", r#"{"x":"abc"}"#, false),
        ("3 <= length(x)", r#"{"x":"abc"}"#, true),
        ("length(x) != 3", r#"{"x":"ab"}"#, true),
        ("length(x) == 0", r#"{"x":""}"#, true),
        (r#"cidrMatch(ip, "10.0.0.0/8")"#, r#"{"ip":"10.1.2.3"}"#, true),
        (r#"cidrMatch(ip, "192.0.2.0/24", "10.0.0.0/8")"#, r#"{"ip":"10.1.2.3"}"#, true),
        (r#"cidrMatch(ip, "192.0.2.0/24")"#, r#"{"ip":"10.1.2.3"}"#, false),
        (r#"cidrMatch(ip, "2001:db8::/32")"#, r#"{"ip":"2001:db8::1"}"#, true),
        (r#"cidrMatch(x, "10.0.0.0/8")"#, r#"{"x":"ec2.amazonaws.com"}"#, false),
        (r#"wildcard(x, "q", "a*")"#, r#"{"x":"abc"}"#, true),
        (r#"wildcard(x, "A*")"#, r#"{"x":"abc"}"#, false),
        (r#"wildcard~(x, "A*")"#, r#"{"x":"abc"}"#, true),
        (r#"match(x, "a.c")"#, r#"{"x":"abc"}"#, true),
        (r#"match~(x, "A.C")"#, r#"{"x":"abc"}"#, true),
    ]);
}

#[test]
fn a_field_is_compared_with_another() {
    check(&[
        ("x == y", r#"{"x":"a","y":"a"}"#, true),
        ("x == y", r#"{"x":"a","y":"A"}"#, false),
        ("x == y", r#"{"x":["b","a"],"y":"a"}"#, true),
        ("x != y", r#"{"x":"a","y":"A"}"#, true),
        ("x != y", r#"{"x":"a","y":"a"}"#, false),
        ("not x == y", r#"{"x":"a","y":"b"}"#, true),
    ]);
}

#[test]
fn a_missing_field_fails_every_comparison_and_not_of_that_holds() {
    check(&[
        (r#"x == "a""#, "{}", false),
        (r#"not x == "a""#, "{}", true),
        (r#"x != "a""#, "{}", true),
        (r#"not x != "a""#, "{}", false),
        (r#"x > "a""#, "{}", false),
        (r#"not x > "a""#, "{}", true),
        (r#"x in ("a")"#, "{}", false),
        (r#"not x in ("a")"#, "{}", true),
        (r#"x not in ("a")"#, "{}", true),
        (r#"x in~ ("a")"#, "{}", false),
        (r#"x not in~ ("a", "b")"#, "{}", true),
        (r#"x : "*""#, "{}", false),
        (r#"not x : "a*""#, "{}", true),
        (r#"x like "*""#, "{}", false),
        (r#"not x like "a*""#, "{}", true),
        (r#"not x like~ ("a*", "b*")"#, "{}", true),
        (r#"x regex ".*""#, "{}", false),
        (r#"not x regex ".*""#, "{}", true),
        (r#"not x regex~ ".*""#, "{}", true),
        ("x == y", r#"{"x":"a"}"#, false),
        ("x == y", "{}", false),
        ("not x == y", r#"{"x":"a"}"#, true),
        ("x != y", r#"{"y":"a"}"#, true),
        ("flag", "{}", false),
        ("not flag", "{}", true),
        ("x == null", "{}", true),
        ("x != null", "{}", false),
        ("x == null", r#"{"x":""}"#, false),
        ("x != null", r#"{"x":"a"}"#, true),
        ("not x == null", r#"{"x":"a"}"#, true),
        ("null == x", "{}", true),
        ("x == null", r#"{"x":[]}"#, true),
    ]);
}

#[test]
fn a_function_of_a_missing_field_is_null_and_a_not_directly_before_it_is_no_match() {
    check(&[
        (r#"stringContains(x, "a")"#, "{}", false),
        (r#"not stringContains(x, "a")"#, "{}", false),
        (r#"not stringContains(x, "a")"#, r#"{"x":"b"}"#, true),
        (r#"not (stringContains(x, "a"))"#, "{}", false),
        (r#"not not stringContains(x, "a")"#, "{}", false),
        (r#"not not stringContains(x, "a")"#, r#"{"x":"a"}"#, true),
        (r#"not not not stringContains(x, "a")"#, "{}", false),
        (r#"not not not stringContains(x, "a")"#, r#"{"x":"b"}"#, true),
        (r#"not (stringContains(x, "a") or x == "a")"#, "{}", true),
        (r#"not (stringContains(x, "a") and y == "b")"#, "{}", true),
        (r#"not (not stringContains(x, "a") and y == "b")"#, r#"{"y":"b"}"#, true),
        (r#"not (stringContains(x, "a") or stringContains(y, "a"))"#, "{}", true),
        (r#"not startsWith(x, "a")"#, "{}", false),
        (r#"not startsWith~(x, "a")"#, "{}", false),
        (r#"not endsWith(x, "a", "b")"#, "{}", false),
        (r#"not endsWith(x, "a", "b")"#, r#"{"x":"c"}"#, true),
        ("not stringContains(x, y)", r#"{"x":"a"}"#, false),
        ("not stringContains(x, y)", r#"{"y":"a"}"#, false),
        ("not stringContains(x, y)", r#"{"x":"a","y":"b"}"#, true),
        ("length(x) > 0", "{}", false),
        ("not length(x) > 5", "{}", false),
        ("length(x) != 5", "{}", false),
        ("not length(x) != 5", "{}", false),
        ("length(x) not in (5)", "{}", false),
        (r#"not cidrMatch(ip, "10.0.0.0/8")"#, "{}", false),
        (r#"not cidrMatch(ip, "10.0.0.0/8")"#, r#"{"ip":"192.0.2.1"}"#, true),
        (r#"not wildcard(x, "a*")"#, "{}", false),
        (r#"startsWith(x, "a") == false"#, "{}", false),
        (r#"startsWith(x, "a") != true"#, "{}", false),
        (r#"y == "b" and not stringContains(x, "a")"#, r#"{"y":"b"}"#, false),
        (r#"y == "b" or not stringContains(x, "a")"#, r#"{"y":"b"}"#, true),
    ]);
}

#[test]
fn an_optional_field_may_be_one_that_no_event_has() {
    check(&[
        (r#"?x == "a""#, r#"{"x":"a"}"#, true),
        (r#"?nope == "a""#, "{}", false),
        (r#"?nope != "a""#, "{}", true),
        (r#"not ?nope : "a*""#, "{}", true),
        ("?nope == null", "{}", true),
        ("?nope != null", "{}", false),
        (r#"not startsWith(?nope, "a")"#, "{}", false),
        (r#"x == "a" or ?nope == "b""#, r#"{"x":"a"}"#, true),
        (r#"?nope in ("a", "b")"#, "{}", false),
        ("?nope == x", r#"{"x":"a"}"#, false),
    ]);
}

#[test]
fn not_binds_before_and_and_and_before_or() {
    check(&[
        (r#"x == "a" or y == "b" and z == "c""#, r#"{"x":"a"}"#, true),
        (r#"(x == "a" or y == "b") and z == "c""#, r#"{"x":"a"}"#, false),
        (r#"not x == "a" and y == "b""#, r#"{"y":"b"}"#, true),
        (r#"not (x == "a" and y == "b")"#, r#"{"x":"a"}"#, true),
        (r#"not x == "a" or x == "a""#, r#"{"x":"a"}"#, true),
        ("true", "{}", true),
        (r#"true and x == "a""#, r#"{"x":"a"}"#, true),
        (r#"false or x == "a""#, r#"{"x":"a"}"#, true),
        ("not false", "{}", true),
        ("((x == \"a\"))", r#"{"x":"a"}"#, true),
    ]);
}

#[test]
fn the_category_is_a_value_of_its_field_and_any_is_every_event() {
    check(&[
        ("any where true", "{}", true),
        ("iam where true", r#"{"category":"iam"}"#, true),
        ("iam where true", r#"{"category":["file","iam"]}"#, true),
        ("iam where true", r#"{"category":"IAM"}"#, false),
        ("iam where true", "{}", false),
        (r#""odd one" where x == "a""#, r#"{"category":"odd one","x":"a"}"#, true),
        (r#"iam where x == "a" or y == "b""#, r#"{"y":"b"}"#, false),
        (r#"iam where x == "a" and y == "b""#, r#"{"category":"iam","x":"a","y":"b"}"#, true),
        ("sequence where true", r#"{"category":"sequence"}"#, true),
    ]);
}

#[test]
fn comments_escapes_and_raw_texts_are_read_as_elasticsearch_reads_them() {
    check(&[
        ("/* one\n * two */ any where // rest\n x == \"a\" // end", r#"{"x":"a"}"#, true),
        (r#"x == "// no comment /* here */""#, r#"{"x":"// no comment /* here */"}"#, true),
        (r#"x == "a\"b\\c""#, r#"{"x":"a\"b\\c"}"#, true),
        (r#"x == "\b\t\n\f\r""#, r#"{"x":"\b\t\n\f\r"}"#, true),
        (r#"x == "\u{e9}\u{1F600}""#, r#"{"x":"é😀"}"#, true),
        (r#"x == """a\b"c""""#, r#"{"x":"a\\b\"c"}"#, true),
        (r#"x == """"a"""""#, r#"{"x":"\"a\""}"#, true),
        (r#"x == """""""#, r#"{"x":""}"#, true),
        (r#"`odd name` == "a""#, r#"{"odd name":"a"}"#, true),
        (r#"user.`name` == "a""#, r#"{"user.name":"a"}"#, true),
        (r#"`in` == "a""#, r#"{"in":"a"}"#, true),
        (r#"x=="a"and(y=="b")"#, r#"{"x":"a","y":"b"}"#, true),
    ]);
}

#[test]
fn numbers_beyond_2_to_the_53_are_compared_by_their_digits() {
    check(&[
        ("size == 9007199254740993", r#"{"size":9007199254740993}"#, true),
        ("size == 9007199254740993", r#"{"size":9007199254740992}"#, false),
        ("size > 9007199254740992", r#"{"size":9007199254740993}"#, true),
        ("x > 9007199254740992", r#"{"x":"9007199254740993"}"#, true),
        ("size >= 9007199254740993", r#"{"size":9007199254740992}"#, false),
        ("size < 9007199254740993", r#"{"size":9007199254740992}"#, true),
        ("size < -9007199254740992", r#"{"size":-9007199254740993}"#, true),
        ("size in (1, 9007199254740993)", r#"{"size":9007199254740992}"#, false),
    ]);
}
