use detection::query::Query;

use super::{parse, schema};

fn reason(query: &str) -> String {
    parse(query).expect_err("it is too much")[0].reason.clone()
}

#[test]
fn nesting_beyond_64_levels_is_an_error_and_not_the_end_of_the_stack() {
    let nested = |open: &str, close: &str, levels: usize| {
        format!("any where {}x == \"a\"{}", open.repeat(levels), close.repeat(levels))
    };
    for (open, close) in [("(", ")"), ("not ", ""), ("not (", ")")] {
        let levels = if open == "not (" { 32 } else { 64 };
        assert!(parse(&nested(open, close, levels)).is_ok(), "{levels} levels of {open:?}");
        assert!(reason(&nested(open, close, levels + 1)).contains("nested more than 64 deep"));
        assert!(parse(&nested(open, close, 20_000)).is_err());
    }
    let calls = format!("any where {}x", "length(".repeat(20_000));
    assert!(reason(&calls).contains("nested more than 64 deep"));
    assert!(reason(&format!("any where x == {}", "(".repeat(20_000))).contains("nested more than 64 deep"));
}

#[test]
fn a_query_has_4096_tests_at_most() {
    let list = |length: usize| format!("any where x in ({})", vec!["\"a\""; length].join(","));
    assert!(parse(&list(4095)).is_ok());
    assert_eq!(reason(&list(4096)), "more than 4096 tests");
    let joined = |length: usize| format!("any where {}", vec!["x == \"a\""; length].join(" or "));
    assert!(parse(&joined(4096)).is_ok());
    assert_eq!(reason(&joined(4097)), "more than 4096 tests");
    assert!(Query::parse_eql_satisfiable(&joined(4096), "category", schema).is_ok());
}

#[test]
fn a_query_of_ten_megabytes_and_an_expression_of_one_are_refused_at_once() {
    let started = std::time::Instant::now();
    let long = format!("any where x == \"{}\"", "a".repeat(10 << 20));
    assert_eq!(reason(&long), "the query is longer than 262144 bytes");
    assert_eq!(Query::eql_not_run(&long), None);
    assert!(Query::parse(&long, schema).is_err(), "KQL has the same limit");
    let expression = |text: &str| reason(&format!("any where x regex \"{text}\""));
    assert!(expression(&"a".repeat(1 << 20)).contains("longer than"));
    assert!(expression(&"a".repeat(200_000)).contains("the regular expression is longer than 4096 bytes"));
    assert!(expression("((a{100}){100}){100}").contains("not understood"));
    assert!(expression(&"(".repeat(4000)).contains("is not closed"));
    let deep = format!("{}{}", "(".repeat(500), ")".repeat(500));
    assert!(expression(&deep).contains("not understood"));
    assert!(started.elapsed().as_secs() < 15, "{:?}", started.elapsed());
}

#[test]
fn a_query_has_64_regular_expressions_at_most() {
    let list = |length: usize| format!("any where x regex ({})", vec!["\"a.*b\""; length].join(","));
    assert!(parse(&list(64)).is_ok());
    assert!(reason(&list(65)).contains("a rule can have at most 64 regular expressions"));
    let calls = format!("any where match(x, {})", vec!["\"a.*b\""; 65].join(","));
    assert!(reason(&calls).contains("a rule can have at most 64 regular expressions"));
}

#[test]
fn the_largest_queries_are_judged_in_a_second_and_64_mebibytes() {
    let bomb = "((a{40}){40}){6}";
    let deep = format!("{}x == \"a\"{}", "(".repeat(64), ")".repeat(64));
    for query in [
        format!("any where x regex ({})", vec![format!("\"{bomb}\""); 4000].join(",")),
        format!("any where x : ({})", vec!["\"*a*b*c*d*e*f*\""; 4000].join(",")),
        format!("any where {}", vec![deep; 1500].join(" or ")),
        format!("any where x == {}", "(".repeat(200_000)),
        format!("any where nope in ({})", vec!["\"a\""; 4000].join(",")),
        format!("any where {}", "? ".repeat(100_000)),
        format!("any where x == \"{}\"", "a".repeat(10 << 20)),
        format!("any where x == \"{}", "\\\\".repeat(100_000)),
        format!("any where x == {}", "9".repeat(200_000)),
        format!("any where {}", "/**/".repeat(60_000)),
    ] {
        let started = std::time::Instant::now();
        let memory = allocation_counter::measure(|| {
            let _ = Query::parse_eql_satisfiable(&query, "category", schema);
        });
        let start: String = query.chars().take(60).collect();
        assert!(started.elapsed().as_secs() < 15, "{start} takes {:?}", started.elapsed());
        assert!(memory.bytes_max < 64 << 20, "{start} takes {} bytes", memory.bytes_max);
    }
}

#[test]
fn no_byte_is_too_odd_for_an_error() {
    for query in
        ["any where \0", "any where x == \"\0\"", "\u{feff}any where true", "any where x == \"a\"\u{0}"]
    {
        let _ = parse(query);
    }
    assert!(parse("any where \0").is_err());
}
