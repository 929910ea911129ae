use detection::query::Query;

use super::{parse, schema};

#[test]
fn a_refusal_names_its_place_and_what_was_expected() {
    for (query, place, expected) in [
        ("", (1, 1), "expected any or an event category, found the end"),
        ("x == \"a\"", (1, 3), "expected where, found =="),
        ("any", (1, 4), "expected where, found the end"),
        ("any where", (1, 10), "expected a field, a value or a function, found the end"),
        ("any where x", (1, 11), "a field alone is not a condition"),
        ("any where \"a\"", (1, 11), "a value alone is not a condition"),
        ("any where x ==", (1, 15), "found the end"),
        ("any where x = \"a\"", (1, 13), "= means nothing in EQL"),
        ("any where x == 'a'", (1, 16), "' means nothing in EQL"),
        ("any where x == \"a\" && y == \"b\"", (1, 20), "&& means nothing in EQL"),
        ("any where x == \"a\" || y == \"b\"", (1, 20), "|| means nothing in EQL"),
        ("any where x == \"a\" y == \"b\"", (1, 20), "expected and, or or the end of the query, found y"),
        ("any where x == \"a\" AND y == \"b\"", (1, 20), "found AND"),
        ("any where (x == \"a\"", (1, 20), "expected and, or or ), found the end"),
        ("any where x == \"a\")", (1, 19), "expected and, or or the end of the query, found )"),
        ("any where x == \"a", (1, 16), "the closing quote is missing"),
        ("any where x == \"a\n\"", (1, 16), "the closing quote is missing"),
        ("any where x == \"\"\"a\"", (1, 16), "the text is not closed"),
        ("any where x == \"a\\*\"", (1, 18), "unknown escape"),
        ("any where x == \"\\u00e9\"", (1, 17), "unknown escape"),
        ("any where x == \"\\u{d800}\"", (1, 17), "unknown escape"),
        ("any where /* x == \"a\"", (1, 11), "the comment is not closed"),
        ("any where x == 12ab", (1, 16), "this is not a number"),
        ("any where x == ?\"a\"", (1, 17), "expected a field behind ?"),
        ("any where x == \"a\" and\n  nope == \"b\"", (2, 3), "no field nope"),
        ("any where x.y == \"a\"", (1, 11), "no field x.y"),
        ("any where x in ()", (1, 17), "expected a value, found )"),
        ("any where x in (\"a\" \"b\")", (1, 21), "expected a comma or ), found \"b\""),
        ("any where x in \"a\"", (1, 16), "expected (, found \"a\""),
        ("any where x in (null)", (1, 17), "a list holds texts, numbers and booleans"),
        ("any where x not like \"a\"", (1, 17), "expected in behind not, found like"),
        ("any where x : 5", (1, 15), "expected a text in double quotes, found 5"),
        ("any where x like y", (1, 18), "expected a text in double quotes, found y"),
        ("any where size : \"5\"", (1, 18), "patterns match texts, and this field holds none"),
        ("any where ip : \"10.*\"", (1, 16), "patterns match texts, and this is an address"),
        ("any where ip == \"ten\"", (1, 17), "expected an IP address or a CIDR block"),
        ("any where ip > \"10.0.0.0/8\"", (1, 16), "expected an IP address"),
        ("any where flag == \"true\"", (1, 19), "expected true or false: the field is a boolean"),
        ("any where flag > true", (1, 18), "a boolean has no order"),
        ("any where size == \"5\"", (1, 19), "expected a number: the field is numeric"),
        ("any where @timestamp > \"now-1d\"", (1, 24), "expected a time such as"),
        ("any where x > null", (1, 15), "only == and != compare with null"),
        ("any where x < y", (1, 15), "only == and != compare with null or with another field"),
        ("any where \"a\" == \"a\"", (1, 11), "comparing two constants always gives"),
        ("any where length(x)", (1, 11), "length returns a number"),
        ("any where length(x) == \"a\"", (1, 24), "expected a number: a length is a number"),
        ("any where length(x, y) == 1", (1, 11), "length takes one field"),
        ("any where startsWith(x, \"a\") == 5", (1, 33), "expected true or false"),
        ("any where startsWith(x)", (1, 11), "startsWith takes a field, and one or more things"),
        ("any where startsWith(\"a\", x)", (1, 11), "startsWith takes a field, and one or more things"),
        ("any where startsWith(x, 5)", (1, 25), "expected a text in double quotes"),
        ("any where startsWith(x, \"\")", (1, 25), "expected a text that is not empty"),
        ("any where startsWith(size, \"a\")", (1, 22), "expected a field of texts"),
        ("any where contains(x, \"a\")", (1, 11), "there is no function contains: expected one of"),
        ("any where startswith(x, \"a\")", (1, 11), "there is no function startswith"),
        ("any where cidrMatch(ip, \"10.0.0.0/33\")", (1, 25), "CIDR block"),
        ("any where cidrMatch~(ip, \"10.0.0.0/8\")", (1, 11), "case does not apply to cidrMatch"),
        ("any where x == length(y)", (1, 16), "a field cannot be compared with the result of a function"),
        ("any where length(x) like \"a\"", (1, 11), "expected a field: nothing else is matched"),
        ("any where in == \"a\"", (1, 11), "expected a field, a value or a function, found in"),
        ("any where process of [x]", (1, 19), "expected and, or or the end"),
        ("any where #", (1, 11), "# means nothing in EQL"),
    ] {
        let errors = parse(query).expect_err(query);
        let error = &errors[0];
        assert_eq!((error.line, error.column), place, "{query}: {error}");
        assert!(error.reason.contains(expected), "{query}: {error}");
    }
}

#[test]
fn an_operator_of_lucene_that_others_lack_is_refused_by_name() {
    for (expression, expected) in [
        ("~a", "a complement (~)"),
        ("a&b", "an intersection (&)"),
        ("<1-5>", "an interval (<1-5>)"),
        ("a@", "any string (@)"),
        ("#", "the empty language (#)"),
        ("(?i)a", "Lucene has no (?…)"),
        ("*a", "* in the regular expression repeats nothing"),
        ("a|*", "* in the regular expression repeats nothing"),
        ("(a", "a ( in the regular expression is not closed"),
        ("a)", "a ) in the regular expression closes nothing"),
        ("[a", "a [ in the regular expression is not closed"),
        ("a{2", "a { in the regular expression is not closed"),
        ("a{x}", "not understood"),
        ("a\\", "ends in a backslash"),
        ("a\"b", "a \" in the regular expression is not closed"),
    ] {
        let text = expression.replace('\\', "\\\\").replace('"', "\\\"");
        let query = format!("any where x regex \"{text}\"");
        let errors = parse(&query).expect_err(&query);
        assert_eq!((errors[0].line, errors[0].column), (1, 19), "{}", errors[0]);
        assert!(errors[0].reason.contains(expected), "{expression}: {}", errors[0]);
    }
}

#[test]
fn what_needs_more_than_one_event_is_not_run_and_named() {
    for (query, column, expected) in [
        ("sequence by user.name [any where true] [any where true]", 1, "a sequence needs several events"),
        ("sequence with maxspan=1m [any where true] until [any where true]", 1, "a sequence needs"),
        ("sample by x [any where true]", 1, "a sample needs several events"),
        ("join [any where true] [any where true]", 1, "a join needs several events"),
        ("any where true | head 5", 16, "the pipe head needs several events"),
        ("any where length(x) + 1 > 5", 21, "arithmetic (+) is not supported"),
        ("any where substring(x, 1) == \"a\"", 11, "the function substring is not supported"),
        ("any where x[0] == \"a\"", 12, "choosing one element of an array is not supported"),
    ] {
        let error = Query::eql_not_run(query).expect(query);
        assert_eq!(error.column, column, "{error}");
        assert!(error.reason.contains(expected), "{error}");
        assert!(parse(query).is_err(), "{query}");
    }
    for query in
        ["any where x == \"a | b\"", "any where true // | head", "any where x == \"a", "sequence where true"]
    {
        assert_eq!(Query::eql_not_run(query), None, "{query}");
    }
}

#[test]
fn every_field_and_value_that_cannot_be_used_is_reported_at_once() {
    let errors = parse(
        "nope where nope1 == \"a\" and flag == 5\n or nope2 in (\"a\", \"b\") or startsWith(nope3, nope4)",
    )
    .expect_err("five mistakes");
    let places: Vec<_> = errors.iter().map(|error| (error.line, error.column)).collect();
    assert_eq!(places, [(1, 12), (1, 37), (2, 5), (2, 39), (2, 46)], "{errors:?}");
}

#[test]
fn an_error_has_carets_under_the_part_and_says_what_to_write_instead() {
    let shown = |query: &str| parse(query).expect_err(query)[0].to_string();
    assert_eq!(
        shown("any where x == \"a\"\n  && y == \"b\""),
        "2:3: && means nothing in EQL\n      && y == \"b\"\n      ^^\n    help: write and"
    );
    assert_eq!(
        shown("any where user.nam == \"a\""),
        "1:11: no field user.nam in the test's schema\n    any where user.nam == \"a\"\n              ^^^^^^^^"
    );
    assert_eq!(
        shown("any where ip : \"10.*\""),
        "1:16: patterns match texts, and this is an address\n    any where ip : \"10.*\"\n                   ^^^^^^\n    help: use cidrMatch(field, \"192.0.2.0/24\")"
    );
}

#[test]
fn a_long_line_is_shown_around_the_place_and_cannot_command_a_terminal() {
    let query =
        format!("any where x == \"{}\u{1b}[2J\" and nope == \"{}\"", "ä".repeat(10_000), "b".repeat(10_000));
    let error = parse(&query).expect_err("the field is unknown")[0].to_string();
    let lines: Vec<_> = error.lines().collect();
    assert!(lines.iter().all(|line| line.chars().count() < 300), "{error}");
    let caret = lines[2].find('^').expect("there are carets");
    let marked: String = lines[1].chars().skip(caret).take(4).collect();
    assert_eq!(marked, "nope", "{error}");
    assert!(!error.contains('\u{1b}'), "{error:?}");
}

#[test]
fn a_query_that_can_never_match_is_refused_where_it_contradicts() {
    for (query, expected) in [
        ("any where false", Some("can never match")),
        ("any where not true", Some("can never match")),
        ("any where ?nope == \"a\"", Some("can never match")),
        ("any where x == null and x == \"a\"", Some("contradicts")),
        ("any where not startsWith(x, \"a\") and x == null", Some("contradicts")),
        ("any where x == \"a\" and not x like \"a*\"", Some("contradicts")),
        ("any where x regex \"a.*\" and not x regex \"a.*\"", None),
        ("any where x == y and x != y", None),
        ("any where x : \"a\" and x : \"b\"", None),
        ("any where true", None),
    ] {
        let errors = Query::parse_eql_satisfiable(query, "category", schema).err();
        assert_eq!(errors.is_some(), expected.is_some(), "{query}: {errors:?}");
        if let (Some(errors), Some(expected)) = (errors, expected) {
            assert!(errors[0].reason.contains(expected), "{query}: {}", errors[0]);
        }
    }
}
