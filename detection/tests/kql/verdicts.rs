//! Query, document, verdict.

use crate::fixture::{Flat, parse};

type Row = (&'static str, &'static str, bool);

fn check(rows: &[Row]) {
    let wrong: Vec<_> = rows
        .iter()
        .filter(|(query, document, verdict)| parse(query).evaluate(&Flat::new(document)) != Some(*verdict))
        .collect();
    assert!(wrong.is_empty(), "wrong verdicts: {wrong:#?}");
}

#[test]
fn a_value_is_the_whole_value_in_its_case() {
    check(&[
        ("a: x", r#"{"a":"x"}"#, true),
        ("a:x", r#"{"a":"x"}"#, true),
        ("a :x", r#"{"a":"x"}"#, true),
        ("  a  :  x  ", r#"{"a":"x"}"#, true),
        (r#"a: "x""#, r#"{"a":"x"}"#, true),
        ("a: x", r#"{"a":"X"}"#, false),
        (r#"a: "x""#, r#"{"a":"X"}"#, false),
        ("a: x", r#"{"a":"xy"}"#, false),
        ("a: x", r#"{"a":"yx"}"#, false),
        ("a: x", r#"{"a":""}"#, false),
        (r#"a: """#, r#"{"a":""}"#, true),
        (r#"a: """#, r#"{"a":"x"}"#, false),
        ("a: x", r#"{"a":" x"}"#, false),
        (r#"a: " x""#, r#"{"a":" x"}"#, true),
        ("a: lambda.amazonaws.com", r#"{"a":"lambda.amazonaws.com"}"#, true),
        ("a: arn-1/2,3;4@5!#$%^&|~'[]", r#"{"a":"arn-1/2,3;4@5!#$%^&|~'[]"}"#, true),
        ("a: größe", r#"{"a":"größe"}"#, true),
        ("a: GRÖSSE", r#"{"a":"größe"}"#, false),
        ("größe: 鍵", r#"{"größe":"鍵"}"#, true),
    ]);
}

#[test]
fn a_star_without_quotes_is_any_text_anywhere() {
    check(&[
        ("a: x*", r#"{"a":"x"}"#, true),
        ("a: x*", r#"{"a":"xyz"}"#, true),
        ("a: x*", r#"{"a":"Xyz"}"#, false),
        ("a: x*", r#"{"a":"yx"}"#, false),
        ("a: *x", r#"{"a":"yx"}"#, true),
        ("a: *x", r#"{"a":"xy"}"#, false),
        ("a: *x*", r#"{"a":"axb"}"#, true),
        ("a: *x*", r#"{"a":"ab"}"#, false),
        ("a: a*b", r#"{"a":"ab"}"#, true),
        ("a: a*b", r#"{"a":"a--b"}"#, true),
        ("a: a*b", r#"{"a":"a--bc"}"#, false),
        ("a: ab*ba", r#"{"a":"aba"}"#, false),
        ("a: ab*ba", r#"{"a":"abba"}"#, true),
        ("a: a*b*c", r#"{"a":"a1b2c"}"#, true),
        ("a: a*b*c", r#"{"a":"a1c2b"}"#, false),
        ("a: a*bc*bc", r#"{"a":"abcbc"}"#, true),
        ("a: a*bc*bc", r#"{"a":"abc"}"#, false),
        ("a: a**b", r#"{"a":"a-b"}"#, true),
        ("a: x*", r#"{"a":"x\ny"}"#, true),
        (r"a: *n=\{k=v*", r#"{"a":"{a=b, n={k=v, l=w}}"}"#, true),
        ("a: ö*", r#"{"a":"öl"}"#, true),
        (r#"a: "x*""#, r#"{"a":"xyz"}"#, false),
        (r#"a: "x*""#, r#"{"a":"x*"}"#, true),
        (r"a: x\*", r#"{"a":"x*"}"#, true),
        (r"a: x\*", r#"{"a":"xyz"}"#, false),
        (r"a: x\**", r#"{"a":"x*yz"}"#, true),
        (r"a: x\**", r#"{"a":"xyz"}"#, false),
        ("a: x?", r#"{"a":"xy"}"#, false),
        ("a: x?", r#"{"a":"x?"}"#, true),
        ("a: x?*", r#"{"a":"x?y"}"#, true),
        ("a: x?*", r#"{"a":"xay"}"#, false),
    ]);
}

#[test]
fn and_binds_before_or_and_not_before_both() {
    check(&[
        ("a: x and b: y", r#"{"a":"x","b":"y"}"#, true),
        ("a: x and b: y", r#"{"a":"x"}"#, false),
        ("a: x or b: y", r#"{"b":"y"}"#, true),
        ("a: x or b: y", r#"{"a":"z","b":"z"}"#, false),
        ("a: 1 or b: 1 and c: 1", r#"{"a":"1"}"#, true),
        ("a: 1 or b: 1 and c: 1", r#"{"b":"1"}"#, false),
        ("a: 1 and b: 1 or c: 1", r#"{"c":"1"}"#, true),
        ("a: 1 and b: 1 or c: 1", r#"{"a":"1"}"#, false),
        ("(a: 1 or b: 1) and c: 1", r#"{"a":"1"}"#, false),
        ("(a: 1 or b: 1) and c: 1", r#"{"a":"1","c":"1"}"#, true),
        ("not a: 1 and b: 1", r#"{"b":"1"}"#, true),
        ("not a: 1 and b: 1", r#"{"a":"2"}"#, false),
        ("not a: 1 or a: 1", r#"{"a":"1"}"#, true),
        ("not (a: 1 and b: 1)", r#"{"a":"1"}"#, true),
        ("not (a: 1 and b: 1)", r#"{"a":"1","b":"1"}"#, false),
        ("not (a: 1 or b: 1)", r#"{"b":"1"}"#, false),
        ("a: 1 and not b: 1", r#"{"a":"1"}"#, true),
        ("a: 1 and not b: 1", r#"{"a":"1","b":"1"}"#, false),
        ("not not a: 1", r#"{"a":"1"}"#, true),
        ("a: 1 and b: 1 and c: 1", r#"{"a":"1","b":"1","c":"1"}"#, true),
        ("a: 1 and b: 1 and c: 1", r#"{"a":"1","c":"1"}"#, false),
        ("a: 1 AND b: 1", r#"{"a":"1"}"#, false),
        ("a: 1 OR b: 1", r#"{"a":"1"}"#, true),
        ("NOT a: 1", r#"{"a":"1"}"#, false),
        ("a: 1 And Not b: 1 oR c: 1", r#"{"c":"1"}"#, true),
        ("((((a: 1))))", r#"{"a":"1"}"#, true),
        ("(a: 1)and(b: 1)", r#"{"a":"1"}"#, false),
    ]);
}

#[test]
fn a_list_of_values_takes_and_or_not_and_lists() {
    check(&[
        ("a: (x or y)", r#"{"a":"y"}"#, true),
        ("a: (x or y)", r#"{"a":"z"}"#, false),
        ("a:(x)", r#"{"a":"x"}"#, true),
        ("a: ( x OR y )", r#"{"a":"x"}"#, true),
        ("a: (x and y)", r#"{"a":["x","y"]}"#, true),
        ("a: (x and y)", r#"{"a":["x","z"]}"#, false),
        ("a: (x* and not xy)", r#"{"a":"xz"}"#, true),
        ("a: (x* and not xy)", r#"{"a":"xy"}"#, false),
        ("a: (x or y and z)", r#"{"a":"x"}"#, true),
        ("a: (x or y and z)", r#"{"a":["y"]}"#, false),
        ("a: ((x or y) and z)", r#"{"a":["x","z"]}"#, true),
        ("a: ((x or y) and z)", r#"{"a":"x"}"#, false),
        ("a: (not x)", r#"{"a":"y"}"#, true),
        ("a: (not x)", r#"{"a":"x"}"#, false),
        ("a: (not x)", "{}", true),
        ("a: (not (x or y))", r#"{"a":"y"}"#, false),
        ("not a: (x or y)", r#"{"a":"z"}"#, true),
        ("not a: (x or y)", r#"{"a":"x"}"#, false),
        (r#"a: ("x y" or z w or v*)"#, r#"{"a":"x y"}"#, true),
        (r#"a: ("x y" or z w or v*)"#, r#"{"a":"z w"}"#, true),
        (r#"a: ("x y" or z w or v*)"#, r#"{"a":"vw"}"#, true),
        (r#"a: ("x y" or z w or v*)"#, r#"{"a":"z"}"#, false),
        ("size: (1 or 2)", r#"{"size":2}"#, true),
        ("ip: (10.0.0.0/8 or 192.0.2.1)", r#"{"ip":"192.0.2.1"}"#, true),
        ("a: (x or y) and b: (x or y)", r#"{"a":"x","b":"y"}"#, true),
        ("a: (x or y) and b: (x or y)", r#"{"a":"x","b":"z"}"#, false),
    ]);
}

#[test]
fn a_missing_field_matches_nothing_but_a_negation() {
    check(&[
        ("a: *", r#"{"a":"x"}"#, true),
        ("a: *", r#"{"a":""}"#, true),
        ("a: **", r#"{"a":"x"}"#, true),
        ("a: *", "{}", false),
        ("a: *", r#"{"a":null}"#, false),
        ("a: *", r#"{"a":[]}"#, false),
        ("a: *", r#"{"a":false}"#, true),
        ("flag: *", r#"{"flag":false}"#, true),
        ("size: *", r#"{"size":0}"#, true),
        ("ip: *", r#"{"ip":"::1"}"#, true),
        ("time: *", r#"{"time":"2026-11-23T10:05:00Z"}"#, true),
        ("time: *", "{}", false),
        (r#"a: "*""#, r#"{"a":"x"}"#, false),
        (r"a: \*", r#"{"a":"*"}"#, true),
        ("not a: *", "{}", true),
        ("not a: *", r#"{"a":"x"}"#, false),
        ("a: x", "{}", false),
        ("not a: x", "{}", true),
        ("a: x*", "{}", false),
        ("a > x", "{}", false),
        ("not a > x", "{}", true),
        ("a: null", r#"{"a":"null"}"#, false),
        ("a: null", "{}", false),
        (r#"a: "null""#, r#"{"a":"null"}"#, true),
        ("not a: null", r#"{"a":"x"}"#, true),
        ("a: NULL", r#"{"a":"NULL"}"#, true),
        ("a: (null or x)", r#"{"a":"x"}"#, true),
        ("a: (not null)", "{}", true),
    ]);
}

#[test]
fn one_value_of_several_is_enough() {
    check(&[
        ("a: y", r#"{"a":["x","y"]}"#, true),
        ("a: z", r#"{"a":["x","y"]}"#, false),
        ("a: y*", r#"{"a":["x","yes"]}"#, true),
        ("not a: y", r#"{"a":["x","y"]}"#, false),
        ("a > m", r#"{"a":["a","z"]}"#, true),
        ("a > m and a < b", r#"{"a":["a","z"]}"#, true),
        ("a: y", r#"{"a":["x",["y"]]}"#, true),
        ("ip: 10.0.0.1", r#"{"ip":["192.0.2.1","10.0.0.1"]}"#, true),
        ("size >= 10", r#"{"size":[1,12]}"#, true),
    ]);
}

#[test]
fn ranges_follow_the_kind_of_the_field() {
    check(&[
        ("a > m", r#"{"a":"n"}"#, true),
        ("a > m", r#"{"a":"m"}"#, false),
        ("a >= m", r#"{"a":"m"}"#, true),
        ("a < m", r#"{"a":"l"}"#, true),
        ("a <= m", r#"{"a":"m"}"#, true),
        ("a<m", r#"{"a":"n"}"#, false),
        // Byte order: digits before uppercase before lowercase letters, and numbers are compared as text.
        ("a > Z", r#"{"a":"a"}"#, true),
        ("a < 9", r#"{"a":"10"}"#, true),
        ("a < 9", r#"{"a":10}"#, true),
        (r#"a >= "x y""#, r#"{"a":"x z"}"#, true),
        ("size > 9", r#"{"size":10}"#, true),
        ("size > 10", r#"{"size":10}"#, false),
        ("size >= 10", r#"{"size":10}"#, true),
        ("size < -1", r#"{"size":-2}"#, true),
        ("size <= 1.5", r#"{"size":1.5}"#, true),
        (r#"size > "9""#, r#"{"size":"10"}"#, true),
        ("size > 9", r#"{"size":"ten"}"#, false),
        ("size > 9", r#"{"size":true}"#, false),
        (r#"time > "2026-11-23T10:05:00Z""#, r#"{"time":"2026-11-23T10:05:01Z"}"#, true),
        (r#"time > "2026-11-23T10:05:00Z""#, r#"{"time":"2026-11-23T10:05:00Z"}"#, false),
        (r#"time > "2026-11-23T10:05:00Z""#, r#"{"time":"2026-11-23T10:05:00.001Z"}"#, true),
        (r#"time >= "2026-11-23T10:05:00.000Z""#, r#"{"time":"2026-11-23T10:05:00Z"}"#, true),
        (r#"time < "2026-11-23T10:05:00Z""#, r#"{"time":"2025-12-31T23:59:59Z"}"#, true),
        (r"time < 2026-11-23T10\:05\:00Z", r#"{"time":"2025-12-31T23:59:59Z"}"#, true),
        (r#"time < "2026-11-23T10:05:00Z""#, r#"{"time":"yesterday"}"#, false),
        ("ip >= 10.0.0.0", r#"{"ip":"10.0.0.0"}"#, true),
        ("ip > 10.0.0.0", r#"{"ip":"9.255.255.255"}"#, false),
        ("ip > 10.0.0.0 and ip < 11.0.0.0", r#"{"ip":"10.200.0.1"}"#, true),
        (r#"ip > "2001:db8::1""#, r#"{"ip":"2001:db8::2"}"#, true),
        (r#"ip < "::1""#, r#"{"ip":"10.0.0.1"}"#, false),
        ("ip < 11.0.0.0", r#"{"ip":"not an address"}"#, false),
    ]);
}

#[test]
fn addresses_are_compared_as_addresses() {
    check(&[
        ("ip: 192.0.2.1", r#"{"ip":"192.0.2.1"}"#, true),
        ("ip: 192.0.2.1", r#"{"ip":"192.0.2.10"}"#, false),
        ("ip: 192.0.2.0/24", r#"{"ip":"192.0.2.255"}"#, true),
        ("ip: 192.0.2.0/24", r#"{"ip":"192.0.3.0"}"#, false),
        (r#"ip: "192.0.2.77/24""#, r#"{"ip":"192.0.2.1"}"#, true),
        ("ip: 192.0.2.0/31", r#"{"ip":"192.0.2.2"}"#, false),
        ("ip: 192.0.2.1/32", r#"{"ip":"192.0.2.1"}"#, true),
        ("ip: 0.0.0.0/0", r#"{"ip":"203.0.113.9"}"#, true),
        ("ip: 0.0.0.0/0", r#"{"ip":"2001:db8::1"}"#, false),
        ("ip: 10.0.0.0/9", r#"{"ip":"10.127.255.255"}"#, true),
        ("ip: 10.0.0.0/9", r#"{"ip":"10.128.0.0"}"#, false),
        (r#"ip: "2001:db8::/32""#, r#"{"ip":"2001:db8:ffff::1"}"#, true),
        (r#"ip: "2001:db8::/32""#, r#"{"ip":"2001:db9::1"}"#, false),
        (r"ip: 2001\:db8\:\:/32", r#"{"ip":"2001:db8::1"}"#, true),
        (r#"ip: "2001:db8::1""#, r#"{"ip":"2001:0DB8:0:0::1"}"#, true),
        (r#"ip: "::ffff:192.0.2.1""#, r#"{"ip":"192.0.2.1"}"#, true),
        (r#"ip: "::/0""#, r#"{"ip":"192.0.2.1"}"#, true),
        (r#"ip: "::/0""#, r#"{"ip":"2001:db8::1"}"#, true),
        ("ip: 192.0.2.0/24", r#"{"ip":"cloudformation.amazonaws.com"}"#, false),
    ]);
}

#[test]
fn booleans_numbers_and_times_are_what_they_say() {
    check(&[
        ("flag: true", r#"{"flag":true}"#, true),
        ("flag: true", r#"{"flag":false}"#, false),
        ("flag: false", r#"{"flag":false}"#, true),
        (r#"flag: "true""#, r#"{"flag":true}"#, true),
        ("flag: true", r#"{"flag":"true"}"#, true),
        ("flag: true", "{}", false),
        ("flag: false", "{}", false),
        ("not flag: true", "{}", true),
        ("a: true", r#"{"a":true}"#, true),
        ("a: true", r#"{"a":"true"}"#, true),
        (r#"a: "true""#, r#"{"a":true}"#, true),
        ("a: true", r#"{"a":"True"}"#, false),
        ("a: TRUE", r#"{"a":"TRUE"}"#, true),
        ("a: False", r#"{"a":false}"#, false),
        ("a: truer", r#"{"a":"truer"}"#, true),
        ("a: tru*", r#"{"a":true}"#, true),
        ("size: 10", r#"{"size":10}"#, true),
        ("size: 10", r#"{"size":10.0}"#, true),
        ("size: 10", r#"{"size":"10"}"#, true),
        (r#"size: "10""#, r#"{"size":10}"#, true),
        ("size: 1e1", r#"{"size":10}"#, true),
        ("size: 10", r#"{"size":100}"#, false),
        ("size: -0", r#"{"size":0}"#, true),
        ("size: 10", r#"{"size":"ten"}"#, false),
        // A number in a keyword field is compared as its text.
        ("a: 22", r#"{"a":22}"#, true),
        ("a: 22", r#"{"a":"22"}"#, true),
        ("a: 22.0", r#"{"a":22}"#, false),
        ("a: 022", r#"{"a":22}"#, false),
        ("a: 2*", r#"{"a":22}"#, true),
        ("a: 1.50", r#"{"a":"1.50"}"#, true),
        ("a: 1.50", r#"{"a":1.5}"#, false),
        ("a: 12345678901234567890", r#"{"a":12345678901234567890}"#, true),
        (r#"time: "2026-11-23T10:05:00Z""#, r#"{"time":"2026-11-23T10:05:00Z"}"#, true),
        (r#"time: "2026-11-23T10:05:00.000Z""#, r#"{"time":"2026-11-23T10:05:00Z"}"#, true),
        (r#"time: "2026-11-23T10:05:00.1Z""#, r#"{"time":"2026-11-23T10:05:00.10Z"}"#, true),
        (r#"time: "2026-11-23T10:05:00Z""#, r#"{"time":"2026-11-23T10:05:01Z"}"#, false),
    ]);
}

#[test]
fn escapes_stand_for_what_they_escape() {
    check(&[
        (r"a: \\", r#"{"a":"\\"}"#, true),
        (r"a: \(x\)", r#"{"a":"(x)"}"#, true),
        (r"a: arn\:aws\:iam", r#"{"a":"arn:aws:iam"}"#, true),
        (r"a: \<x\>", r#"{"a":"<x>"}"#, true),
        (r#"a: \"x\""#, r#"{"a":"\"x\""}"#, true),
        (r"a: \{x\}", r#"{"a":"{x}"}"#, true),
        (r"a: x\ty", r#"{"a":"x\ty"}"#, true),
        (r"a: x\ry", r#"{"a":"x\ry"}"#, true),
        (r"a: x\ny", r#"{"a":"x\ny"}"#, true),
        (r"a: \u0041", r#"{"a":"A"}"#, true),
        (r"a: \u00fC", r#"{"a":"ü"}"#, true),
        (r"a: x\u0020", r#"{"a":"x "}"#, true),
        (r"a: \ud83d\ude00", r#"{"a":"😀"}"#, true),
        (r"a: \uD83D\uDD11*", r#"{"a":"🔑key"}"#, true),
        (r"a: \u002a", r#"{"a":"*"}"#, true),
        (r"a: \u002a", r#"{"a":"x"}"#, false),
        (r"a: x \and y", r#"{"a":"x and y"}"#, true),
        (r"a: x \OR y", r#"{"a":"x OR y"}"#, true),
        (r"a: \not x", r#"{"a":"not x"}"#, true),
        (r"a: x \not y", r#"{"a":"x not y"}"#, true),
        (r"a: x \AND y and b: z", r#"{"a":"x AND y","b":"z"}"#, true),
        (r"a: \and", r#"{"a":"and"}"#, true),
        (r"a: \orders", r#"{"a":"orders"}"#, true),
        (r"a: \nothing", r#"{"a":"\nothing"}"#, true),
        (r#"a: "\"x\"""#, r#"{"a":"\"x\""}"#, true),
        (r#"a: "x\\y""#, r#"{"a":"x\\y"}"#, true),
        (r#"a: "x\ty\rz\n""#, r#"{"a":"x\ty\rz\n"}"#, true),
        (r#"a: "\u0041\u00e9""#, r#"{"a":"Aé"}"#, true),
        (r#"a: "\ud83d\ude00""#, r#"{"a":"😀"}"#, true),
        (r#"a: "\not x""#, r#"{"a":"\not x"}"#, true),
        // Nothing else is an escape inside quotes: the backslash stands for itself.
        (r#"a: "x\*""#, r#"{"a":"x\\*"}"#, true),
        (r#"a: "x\qy""#, r#"{"a":"x\\qy"}"#, true),
        (r#"a: "\u12""#, r#"{"a":"\\u12"}"#, true),
        (r#"a: "\and""#, r#"{"a":"\\and"}"#, true),
        (r#"a: "(x: y) and {z} <w>""#, r#"{"a":"(x: y) and {z} <w>"}"#, true),
        (r#"a: "{\"k\":1}""#, r#"{"a":"{\"k\":1}"}"#, true),
        ("a: \"x\ny\"", r#"{"a":"x\ny"}"#, true),
    ]);
}

#[test]
fn a_value_without_quotes_may_hold_spaces_and_words_that_begin_like_keywords() {
    check(&[
        ("a: foo bar", r#"{"a":"foo bar"}"#, true),
        ("a: foo bar", r#"{"a":"foo"}"#, false),
        ("a: foo  bar", r#"{"a":"foo  bar"}"#, true),
        ("a: foo  bar", r#"{"a":"foo bar"}"#, false),
        ("a: foo bar  ", r#"{"a":"foo bar"}"#, true),
        ("(a: foo bar )", r#"{"a":"foo bar"}"#, true),
        ("a: foo bar and b: x y", r#"{"a":"foo bar","b":"x y"}"#, true),
        ("a: S3 Browser*", r#"{"a":"S3 Browser/9.5.5"}"#, true),
        ("a: (S3 Browser* and not S3 Browser/8*)", r#"{"a":"S3 Browser/9.5.5"}"#, true),
        ("a: (S3 Browser* and not S3 Browser/9*)", r#"{"a":"S3 Browser/9.5.5"}"#, false),
        ("a >= foo bar", r#"{"a":"foo baz"}"#, true),
        ("a > foo bar and b: x", r#"{"a":"foo bar","b":"x"}"#, false),
        ("a: S3 Browser*", r#"{"a":"S3Browser"}"#, false),
        ("a: * Browser *", r#"{"a":"S3 Browser 9"}"#, true),
        ("a: x* y", r#"{"a":"xa y"}"#, true),
        ("a: x *", r#"{"a":"x y"}"#, true),
        ("a: x *", r#"{"a":"x"}"#, false),
        ("a: orders", r#"{"a":"orders"}"#, true),
        ("a: android", r#"{"a":"android"}"#, true),
        ("a: nothing", r#"{"a":"nothing"}"#, true),
        ("a: x orders", r#"{"a":"x orders"}"#, true),
        ("a: x android y", r#"{"a":"x android y"}"#, true),
        ("a: x nothing", r#"{"a":"x nothing"}"#, true),
        ("a: x and-y", r#"{"a":"x and-y"}"#, true),
        ("a: x or_y", r#"{"a":"x or_y"}"#, true),
        ("a: or", r#"{"a":"or"}"#, true),
        ("a: and or b: y", r#"{"b":"y"}"#, true),
        ("a: command and b: sensor", r#"{"a":"command","b":"sensor"}"#, true),
        ("a: (android or orders)", r#"{"a":"orders"}"#, true),
        ("a: x\u{a0}", r#"{"a":"x"}"#, true),
        ("a: x\u{a0}and b: y", r#"{"a":"x","b":"z"}"#, false),
        ("a: x\u{3000}y", "{\"a\":\"x\u{3000}y\"}", true),
    ]);
}

#[test]
fn line_breaks_and_tabs_are_spaces() {
    check(&[
        ("a: x\n    and b: y\n", r#"{"a":"x","b":"y"}"#, true),
        ("a: x\r\n\tand\r\n\tb: y\r\n", r#"{"a":"x","b":"z"}"#, false),
        ("a: (\n  x or\n  y\n)", r#"{"a":"y"}"#, true),
        ("a:\n\tx", r#"{"a":"x"}"#, true),
        ("a\n:\nx", r#"{"a":"x"}"#, true),
        ("not\na: x", r#"{"a":"x"}"#, false),
        ("a: x or\tb: y", r#"{"b":"y"}"#, true),
        ("size\n>\n3", r#"{"size":4}"#, true),
        ("\n\n  a: x  \n\n", r#"{"a":"x"}"#, true),
    ]);
}

#[test]
fn a_field_may_be_quoted_or_escaped() {
    check(&[
        (r#""a": x"#, r#"{"a":"x"}"#, true),
        (r#""odd name": x"#, r#"{"odd name":"x"}"#, true),
        ("odd name: x", r#"{"odd name":"x"}"#, true),
        ("dotted.name: x", r#"{"dotted.name":"x"}"#, true),
        (r#""star*": x"#, r#"{"star*":"x"}"#, true),
        (r"star\*: x", r#"{"star*":"x"}"#, true),
        (r"colon\:name: x", r#"{"colon:name":"x"}"#, true),
        (r#""colon:name" > w"#, r#"{"colon:name":"x"}"#, true),
        (r#""size" >= 3"#, r#"{"size":3}"#, true),
        ("order: x or a: y", r#"{"order":"x"}"#, true),
        ("not: x", r#"{"not":"x"}"#, true),
        ("not not: x", r#"{"not":"x"}"#, false),
    ]);
}

/// Ids of sixteen digits and more are numbers too: a float would treat adjacent ones as equal.
#[test]
fn numbers_beyond_2_to_the_53_are_compared_by_their_digits() {
    check(&[
        ("size: 9007199254740993", r#"{"size":9007199254740993}"#, true),
        ("size: 9007199254740993", r#"{"size":9007199254740992}"#, false),
        ("size > 9007199254740992", r#"{"size":9007199254740993}"#, true),
        ("size > 9007199254740992", r#"{"size":"9007199254740993"}"#, true),
        ("size >= 9007199254740993", r#"{"size":9007199254740992}"#, false),
        ("size < 9007199254740993", r#"{"size":9007199254740992}"#, true),
        ("size < 1e400", r#"{"size":9007199254740992}"#, true),
        ("size <= 100000000000000000000000000000", r#"{"size":100000000000000000000000000001}"#, false),
    ]);
}
