use detection::bundle::{Bundle, Contents, Exception, Route};

use crate::{ACCOUNTS, EXCEPTION, ROUTE, embedded, everything, files, mistakes, rule, texts};

#[test]
fn a_bundle_holds_what_the_folder_holds_in_readable_text() {
    let bundle = everything();
    assert_eq!(bundle.rules.len(), 1);
    assert_eq!(
        (bundle.rules[0].file.as_str(), bundle.rules[0].query.as_str()),
        ("aws/a.toml", "event.action: Create*")
    );
    let exception = Exception {
        file: "exceptions/ci.toml".to_owned(),
        rules: Some(vec!["a".to_owned(), "embedded".to_owned()]),
        query: "user.name: \"é\"".to_owned(),
        reason: Some("a pipeline".to_owned()),
        owner: Some("ops".to_owned()),
        expires: Some("2026-12-24".to_owned()),
    };
    assert_eq!(bundle.exceptions, [exception]);
    let route = Route {
        file: "routes/eu.toml".to_owned(),
        query: "cloud.region: eu-*".to_owned(),
        topic: "arn:aws:sns:eu-west-1:111122223333:europe".to_owned(),
        stop: true,
    };
    assert_eq!(bundle.routes, [route]);
    assert_eq!(bundle.accounts["111122223333"], "payments-prod");
    assert_eq!((bundle.files.count, bundle.tool.as_str()), (4, env!("CARGO_PKG_VERSION")));
    let text = bundle.text();
    assert!(text.starts_with("{\n\"format\": 1,\n\"sha256\": \""), "{text}");
    for part in ["\"query\": \"event.action: Create*\"", "\"user.name: \\\"é\\\"\"", "payments-prod"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(Bundle::read(text.as_bytes()), Ok(bundle));
}

#[test]
fn a_bundle_is_the_same_wherever_its_folder_lies_and_another_one_if_a_file_changes() {
    let bundle = |folder: &str, query: &str| {
        let mut texts = texts(&[]);
        texts.rules = files(&[(&format!("{folder}/a.toml"), &rule("a", query))]);
        Contents::read(texts, &[]).bundle(folder).expect("a good rule")
    };
    let here = bundle("rules", "event.action: x");
    assert_eq!(here.text(), bundle("/some/where/else", "event.action: x").text());
    assert_ne!(here.files.sha256, bundle("rules", "event.action: x ").files.sha256);
}

#[test]
fn a_rule_of_a_bundle_takes_the_place_of_the_one_with_its_identifier() {
    let mut all = Bundle { rules: embedded(), ..Bundle::default() };
    let mut texts = texts(&[("rules/accounts.json", ACCOUNTS)]);
    texts.rules.push(("rules/b.toml".to_owned(), rule("embedded", "event.action: other")));
    all.add(Contents::read(texts, &embedded()).bundle("rules").expect("good rules"));
    let queries: Vec<_> = all.rules.iter().map(|rule| rule.query.as_str()).collect();
    assert_eq!(queries, ["event.action: other", "event.action: Create*"]);
    assert_eq!(all.accounts.len(), 1);
}

#[test]
fn every_mistake_in_an_exception_is_shown_at_its_place() {
    let file = "rules/exceptions/x.toml";
    for (from, to, expected) in [
        ("a pipeline\"", "a pipeline", "3:21: "),
        ("reason = \"a pipeline\"\n", "", "1:1: reason is missing: write reason = \"…\""),
        ("\"a pipeline\"", "\" \"", "3:10: reason must be a string that is not empty"),
        ("\"ops\"", "7", "4:9: owner must be a string that is not empty"),
        ("owner", "owned", "4:1: unknown key owned: expected rules, query, reason, owner or expires"),
        ("[\"a\", \"embedded\"]", "[\"a\", \"b\"]", "1:15: there is no rule with the rule_id b"),
        ("[\"a\", \"embedded\"]", "[]", "1:9: rules must name some"),
        ("[\"a\", \"embedded\"]", "\"a\"", "1:9: rules must name some"),
        ("[\"a\", \"embedded\"]", "[1]", "1:10: a rule_id must be a string"),
        ("rules = [\"a\", \"embedded\"]\n", "", "1:1: rules is missing"),
        ("2026-12-24", "\"2026-12-24\"", "5:11: expires must be a date without quotes"),
        ("2026-12-24", "2026-12-24T10:00:00Z", "5:11: expires must be a date without quotes"),
        ("2026-12-24", "2026-13-24", "5:"),
        ("user.name: \"é\"", "user.nam: x", "2:10: the field user.nam is not mapped here"),
        ("user.name: \"é\"", "user.name: (a", "2:2"),
        (
            "user.name: \"é\"",
            "event.dataset: other",
            "2:25: the query can never match: event.dataset is always",
        ),
        ("user.name: \"é\"", "event.dataset: aws.cloudtrail", "2:9: the query matches every event"),
        ("user.name: \"é\"", "user.name: * or not user.name: *", "2:9: the query matches every event"),
        (
            "user.name: \"é\"",
            "event.action: Delete*",
            "2:9: the query can never match an event that the rule Rule a finds",
        ),
        ("user.name: \"é\"", "event.action: C* and event.provider: *", ""),
        (
            "user.name: \"é\"",
            "event.action: C*",
            "2:9: the query matches every event that the rule Rule a finds",
        ),
        (
            "user.name: \"é\"",
            "event.provider: s3.amazonaws.com",
            "2:9: the query can never match an event that the rule Rule embedded finds",
        ),
    ] {
        assert!(EXCEPTION.contains(from), "{from}");
        let found = mistakes(&[(file, &EXCEPTION.replace(from, to))]);
        if expected.is_empty() {
            assert_eq!(found, Vec::<String>::new(), "{to}");
            continue;
        }
        assert_eq!(found.len(), 1, "{to}: {found:?}");
        assert!(found[0].starts_with(&format!("{file}:{expected}")), "{to}: {}", found[0]);
        assert!(found[0].contains('^'), "{}", found[0]);
    }
}

#[test]
fn several_mistakes_of_one_exception_are_shown_in_their_order() {
    let text = "query = 'x: y'\nwhy = 1\nrules = \"a\"\n";
    let found = mistakes(&[("rules/exceptions/x.toml", text)]);
    let places: Vec<_> = found.iter().map(|mistake| mistake.split(": ").next().unwrap_or_default()).collect();
    assert_eq!(
        places,
        ["1:10", "2:1", "3:9"].map(|place| format!("rules/exceptions/x.toml:{place}")),
        "{found:?}"
    );
}

#[test]
fn an_exception_for_all_rules_may_match_all_that_one_rule_finds() {
    let text =
        EXCEPTION.replace("[\"a\", \"embedded\"]", "\"all\"").replace("user.name: \"é\"", "event.action: C*");
    assert_eq!(mistakes(&[("rules/exceptions/x.toml", &text)]), Vec::<String>::new());
}

#[test]
fn an_exception_of_a_rule_on_signals_may_test_what_an_alert_adds_to_the_event() {
    let above = |query: &str| rule("above", query).replacen('\n', "\nindex = [\".alerts-security.*\"]\n", 1);
    let found = |ids: &str, query: &str| {
        let text = EXCEPTION.replace("\"a\", \"embedded\"", ids).replace("user.name: \"é\"", query);
        let mut texts = texts(&[("rules/exceptions/x.toml", &text)]);
        texts.rules.push(("rules/b.toml".to_owned(), above("kibana.alert.severity: low")));
        let errors = Contents::read(texts, &embedded()).reading.errors;
        errors.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for query in ["kibana.alert.rule.name: x", "user.name: x", "kibana.alert.severity: low and user.name: x"]
    {
        assert_eq!(found("\"above\"", query), Vec::<String>::new(), "{query}");
    }
    for (ids, query, expected) in [
        ("\"above\", \"a\"", "kibana.alert.rule.name: x", "is not mapped here"),
        (
            "\"above\"",
            "kibana.alert.severity: high",
            "can never match an event that the rule Rule above finds",
        ),
        ("\"above\"", "kibana.alert.severity: low", "matches every event that the rule Rule above finds"),
    ] {
        let found = found(ids, query);
        assert!(found.len() == 1 && found[0].contains(expected), "{query}: {found:?}");
    }
}

#[test]
fn every_mistake_in_a_route_is_shown_at_its_place() {
    let file = "rules/routes/x.toml";
    for (from, to, expected) in [
        ("true", "\"true\"", "3:8: stop must be true or false"),
        ("stop", "halt", "3:1: unknown key halt: expected query, topic or stop"),
        (":europe", "", "2:9: topic must be the ARN of a standard topic"),
        (":europe", ":europe.fifo", "2:9: topic must be the ARN of a standard topic"),
        ("cloud.region", "cloud.regio", "1:10: the field cloud.regio is not mapped here"),
        ("query = 'cloud.region: eu-*'\n", "", "1:1: query is missing"),
    ] {
        let found = mistakes(&[(file, &ROUTE.replace(from, to))]);
        assert_eq!(found.len(), 1, "{to}: {found:?}");
        assert!(found[0].starts_with(&format!("{file}:{expected}")), "{to}: {}", found[0]);
    }
}

#[test]
fn every_mistake_in_the_names_of_accounts_is_shown_at_its_place() {
    let file = "rules/accounts.json";
    for (from, to, expected) in [
        ("]}", "]", "1:"),
        ("\"Accounts\"", "\"accounts\"", "1:"),
        ("\"Name\"", "\"name\"", "1:"),
        ("111122223333", "1111", "1:23: the id of an account has twelve digits"),
    ] {
        let found = mistakes(&[(file, &ACCOUNTS.replace(from, to))]);
        assert_eq!(found.len(), 1, "{to}: {found:?}");
        assert!(found[0].starts_with(&format!("{file}:{expected}")), "{to}: {}", found[0]);
    }
}

#[test]
fn a_rule_that_is_wrong_or_cannot_be_run_is_in_no_bundle() {
    for (from, to) in [("kuery", "lucene"), ("medium", "urgent")] {
        let mut texts = texts(&[]);
        texts.rules[0].1 = texts.rules[0].1.replace(from, to);
        let errors = Contents::read(texts, &[]).bundle("rules").expect_err(to);
        assert!(errors[0].to_string().starts_with("rules/aws/a.toml:"), "{}", errors[0]);
    }
}
