//! Queries that can never match are refused, at the contradicting part.

use std::time::{Duration, Instant};

use detection::ecs;
use detection::query::{Field, Kind, Query, Values};

/// Fields of every kind: with a constant value, with at most one value, and with several.
pub fn schema(field: &str) -> Result<Field, String> {
    let (kind, values) = match field {
        "constant" => (Kind::Keyword, Values::Constant("aws")),
        "one" | "other" => (Kind::Keyword, Values::One),
        "many" => (Kind::Keyword, Values::Many),
        "flag" => (Kind::Boolean, Values::One),
        "size" => (Kind::Long, Values::One),
        "sizes" => (Kind::Long, Values::Many),
        "ip" => (Kind::Ip, Values::One),
        "time" => (Kind::Date, Values::One),
        _ => return Err(format!("no field {field} in the test's schema")),
    };
    Ok(Field { kind, values })
}

/// The conflicts of a query that parses, as `line:column reason`.
fn conflicts(query: &str, schema: impl Fn(&str) -> Result<Field, String>) -> Vec<String> {
    assert!(Query::parse(query, &schema).is_ok(), "{query} is good KQL");
    match Query::parse_satisfiable(query, schema) {
        Ok(_) => Vec::new(),
        Err(errors) => {
            errors.iter().map(|error| format!("{}:{} {}", error.line, error.column, error.reason)).collect()
        }
    }
}

fn refused(rows: &[(&str, &str)], schema: impl Fn(&str) -> Result<Field, String>) {
    for (query, expected) in rows {
        let conflicts = conflicts(query, &schema);
        let [conflict] = conflicts.as_slice() else { panic!("one conflict in {query}: {conflicts:#?}") };
        let (place, reason) = expected.split_once(' ').expect("a place and a reason");
        assert!(conflict.starts_with(&format!("{place} the query can never match: ")), "{query}: {conflict}");
        assert!(conflict.contains(reason), "{query}: {conflict}");
    }
}

fn taken(queries: &[&str]) {
    for query in queries {
        assert_eq!(conflicts(query, schema), Vec::<String>::new(), "{query} can match");
    }
}

#[test]
fn a_value_that_a_constant_field_never_has_is_refused() {
    refused(
        &[
            (
                r#"event.dataset: "aws.cloudtrial" and event.action: x"#,
                r#"1:16 event.dataset is always "aws.cloudtrail""#,
            ),
            (
                "event.action: x\n  and data_stream.dataset: aws.guardduty",
                "2:28 data_stream.dataset is always",
            ),
            ("event.dataset: AWS.CloudTrail", "1:16 event.dataset is always"),
            ("event.dataset: aws.cloudtrail.*", "1:16 event.dataset is always"),
            ("event.dataset: *.cloudwatch*", "1:16 event.dataset is always"),
            ("cloud.provider: gcp", "1:17 cloud.provider is always \"aws\""),
            ("event.module: AWS", "1:15 event.module is always \"aws\""),
            ("event.kind: alert", "1:13 event.kind is always \"event\""),
            ("ecs.version > \"9\"", "1:15 ecs.version is always \"8.11.0\""),
            ("not event.dataset: aws.cloudtrail", "1:20 event.dataset is always"),
            ("not event.dataset: *", "1:20 event.dataset is always"),
            ("event.action: x and not (event.module: aws* or event.id: y)", "1:40 event.module is always"),
        ],
        ecs::field,
    );
    let both = conflicts("event.dataset: (aws.cloudtrial or aws.s3access)", ecs::field);
    assert_eq!(both.len(), 2, "every branch is named: {both:#?}");
    assert!(both[1].starts_with("1:35 "), "{both:#?}");
}

#[test]
fn two_values_of_a_field_that_has_one_are_refused() {
    refused(
        &[
            ("one: x and one: y", "1:17 one: \"y\" contradicts one: \"x\", for one has one value"),
            ("one: (x and y)", "1:13 contradicts"),
            ("one: x and other: z and one: X", "1:30 one: \"X\" contradicts one: \"x\""),
            ("one: x and (other: z and (one: y and other: z))", "1:32 contradicts"),
            ("one: true and one: \"True\"", "1:20 contradicts one: true"),
            ("one: Create* and one: Delete*", "1:23 one: Delete* contradicts one: Create*"),
            ("one: Create* and one: createUser", "1:23 contradicts one: Create*"),
            ("one: *User and one: *Role", "1:21 contradicts"),
            ("one: a*x and one: *b*y", "1:19 contradicts"),
            ("one: x and one > x", "1:18 contradicts"),
            ("one: Create* and one > D", "1:24 contradicts"),
            ("one: Create* and one < B", "1:24 contradicts"),
            ("flag: true and flag: false", "1:22 flag: false contradicts flag: true"),
            ("size: 1 and size: 2", "1:19 contradicts"),
            ("ip: 10.0.0.0/8 and ip: 11.0.0.1", "1:24 contradicts"),
            ("ip: 10.0.0.0/8 and ip: \"2001:db8::/32\"", "1:24 contradicts"),
            ("time: \"2026-11-23T10:05:00Z\" and time: \"2026-11-23T10:05:00.1Z\"", "1:40 contradicts"),
        ],
        schema,
    );
    taken(&[
        "many: x and many: y",
        "many: (x and y* and *z)",
        "sizes > 5 and sizes < 3",
        "one: x or one: y",
        "one: (x or y) and one: (y or z)",
        "one: Create* and one: *User and one: *ate*",
        "one: Create* and one: CreateUser",
        "one: Create* and one: CreateU*",
        "one: a*a and one: a*",
        "one: x and one: x",
        "one: true and one: \"true\"",
        "size: 1 and size: 1.0",
        "ip: 10.0.0.0/8 and ip: 10.1.0.0/16",
        "ip: 10.1.2.3 and ip: \"::ffff:10.1.2.3\"",
        "ip: \"::/0\" and ip: 10.1.2.3",
        "time: \"2026-11-23T10:05:00Z\" and time: \"2026-11-23T10:05:00.000Z\"",
    ]);
}

#[test]
fn a_range_that_nothing_lies_in_is_refused() {
    refused(
        &[
            ("size > 5 and size < 3", "1:21 size < 3 contradicts size > 5"),
            ("size > 5 and size < 5", "1:21 contradicts"),
            ("size >= 5 and size < 5", "1:22 contradicts"),
            ("size < 10 and size > 3 and size < 2", "1:35 size < 2 contradicts size > 3"),
            ("size > 5 and size: 5", "1:20 contradicts"),
            ("size > 5 and not size > 3", "1:25 not size > 3 contradicts size > 5"),
            ("sizes > 5 and not sizes >= 5", "1:28 contradicts"),
            ("one > b and one < a", "1:19 contradicts"),
            ("one > Z and one < A", "1:19 contradicts"),
            ("one < \"\"", "1:7 no value passes one < \"\""),
            ("one >= m and not one >= m", "1:25 contradicts"),
            ("one: * and not one < m and not one >= m", "1:39 not one >= \"m\" contradicts not one < \"m\""),
            ("ip > 10.0.0.1 and ip < 10.0.0.2", "1:24 contradicts"),
            ("ip < 10.0.0.0 and ip: 10.0.0.0/8", "1:23 contradicts"),
            ("ip > \"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\"", "1:6 no value passes"),
            ("ip: 10.1.0.0/16 and not ip: 10.0.0.0/8", "1:29 contradicts"),
            ("time > \"2026-11-23T10:05:00Z\" and time < \"2026-11-23T10:05:00.000Z\"", "1:42 contradicts"),
        ],
        schema,
    );
    taken(&[
        "size > 3 and size < 5",
        "size >= 5 and size <= 5",
        "size: * and not size < 5 and not size >= 5",
        "not size < 5 and not size >= 5",
        "not one < m and not one >= m",
        "one > Z and one < a",
        "one > a and one < b",
        "one > CreateU and one: Create*",
        "one < CreateUser and one: Create*",
        "one <= Create and one: Create*",
        "ip >= 10.0.0.1 and ip <= 10.0.0.1",
        "time: * and not time > \"2026-11-23T10:05:00Z\" and not time <= \"2026-11-23T10:05:00Z\"",
    ]);
}

#[test]
fn what_is_asked_for_and_excluded_is_refused() {
    refused(
        &[
            ("one: x and not one: x", "1:21 not one: \"x\" contradicts one: \"x\""),
            ("many: x and not many: x", "1:23 contradicts"),
            ("not one: x and one: x", "1:21 one: \"x\" contradicts not one: \"x\""),
            ("one: x and not one: x*", "1:21 contradicts"),
            ("one: Create* and not one: Create*", "1:27 contradicts"),
            ("one: CreateUser* and not one: (Create* or Delete*)", "1:32 contradicts"),
            ("many: a*b*c and not many: a*c", "1:27 contradicts"),
            ("one: x and not one: *", "1:21 not one: * contradicts one: \"x\""),
            ("one: * and not one: *", "1:21 contradicts"),
            ("many > m and not many: *", "1:24 contradicts"),
            ("size: 5 and not size: 5", "1:23 contradicts"),
            ("flag: true and not flag: *", "1:26 contradicts"),
            ("one: null", "1:6 no value passes one: null; a missing field is \"not one: *\""),
            ("other: x and many: (y and null)", "1:27 no value passes"),
            ("(one: x and other: y) and not (one: x or many: z)", "1:37 contradicts"),
            ("one: x and not (not one: y)", "1:26 contradicts"),
        ],
        schema,
    );
    taken(&[
        "not one: x",
        "not one: *",
        "not one: null",
        "one: x or one: null",
        "one: x and not one: y",
        "one: Create* and not one: CreateUser",
        "one: Create* and not one: CreateUser*",
        "many: a and not many: b",
        "one: x* and not one: x",
        "ip: 10.0.0.0/8 and not ip: 10.1.0.0/16",
        "flag: * and not flag: true and not flag: false",
        "not one: x and not one: y and not one: *",
        "constant: aws",
        "constant: a*",
        "not constant: gcp",
        "constant: gcp or one: x",
    ]);
}

#[test]
fn an_or_is_refused_only_if_none_of_its_branches_can_match() {
    taken(&[
        "one: x and (one: y or other: z)",
        "(one: x and one: y) or other: z",
        "(one: x or other: x) and (one: y or other: y)",
        "(one: x or one: y) and (one: z or one: y)",
        "not (one: x and not one: x)",
    ]);
    for (query, places) in [
        ("(one: x and one: y) or (other: x and other: y)", &["1:18", "1:45"][..]),
        ("one: x and (one: y or one: z)", &["1:18", "1:28"]),
        ("(one: y or one: z) and one: x", &["1:29"]),
        ("(one: x or one: y) and (one: z or one: w)", &["1:30", "1:40"]),
        ("(one: x or other: x) and not one: x and not other: x", &["1:35", "1:52"]),
        ("(one: x and other: y) and not (one: x and other: y)", &["1:37", "1:50"]),
        (
            "(one: a or one: b) and (one: b or one: c) and (one: c or one: a)",
            &["1:30", "1:40", "1:53", "1:63"],
        ),
        ("one: x and (other: a or one: y) and (other: b or one: z)", &["1:30", "1:55", "1:45"]),
    ] {
        let conflicts = conflicts(query, schema);
        assert!(!conflicts.is_empty(), "{query} can never match");
        for conflict in &conflicts {
            assert!(places.iter().any(|place| conflict.starts_with(place)), "{query}: {conflicts:#?}");
        }
    }
}

#[test]
fn a_hostile_query_of_ten_thousand_clauses_is_judged_in_bounded_time() {
    let clauses =
        |clause: &dyn Fn(usize) -> String, join: &str| (0..10_000).map(clause).collect::<Vec<_>>().join(join);
    let queries = [
        clauses(&|n| format!("one: x{n}"), " or "),
        clauses(&|n| format!("not one: x{n}"), " and "),
        clauses(&|n| format!("many: *x{n}*"), " and ") + " and not many: z",
        clauses(&|n| format!("many: a{n}* and not many: *b{n}"), " and "),
        clauses(&|n| format!("one: a{n}*a*"), " or ") + " and not one: b",
        clauses(&|n| format!("(one: x{n} or other: y{n})"), " and "),
        clauses(&|n| format!("(one: x{} or other: y{})", n % 7, n % 11), " and "),
        clauses(&|n| format!("(many: x{n} or many: y{n})"), " and ")
            + " and (one: x or one: y) and (one: z or one: w)",
        format!("{} and one: x and one: y", clauses(&|n| format!("many: {n}"), " and ")),
        format!("one: {}* and not one: {}*", "a".repeat(200_000), "a".repeat(100_000)),
        format!("one: {}* and not one: *{}", "ab*".repeat(50_000), "b*".repeat(50_000)),
    ];
    for query in queries {
        let start = Instant::now();
        let _ = Query::parse(&query, schema);
        let parsed = start.elapsed();
        let _ = Query::parse_satisfiable(&query, schema);
        let judged = start.elapsed().saturating_sub(parsed * 2);
        assert!(judged < Duration::from_secs(15), "{judged:?} for {}…", &query[..60]);
    }
}
