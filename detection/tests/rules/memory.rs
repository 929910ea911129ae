//! Rules that remember, as files: what is read, and what is refused.

use detection::rule::{self, Cardinality, Memory, MissingFields, Reading, Source};

use super::refusals::rule_text;

const NEW_TERMS: &str = r#"
[rule.new_terms]
field = "new_terms_fields"
value = ["cloud.account.id", "user.name"]

[[rule.new_terms.history_window_start]]
field = "history_window_start"
value = "now-10d"
"#;
const THRESHOLD: &str = r#"
[rule.threshold]
field = ["user.name"]
value = 10

[[rule.threshold.cardinality]]
field = "source.ip"
value = 3
"#;
const SUPPRESSION: &str = r#"
[rule.alert_suppression]
group_by = ["user.name"]
missing_fields_strategy = "suppress"

[rule.alert_suppression.duration]
value = 5
unit = "h"
"#;

/// A rule of this type with these tables.
fn of_type(rule_type: &str, tables: &str) -> String {
    rule_text("event.action: x").replace("type = \"query\"", &format!("type = \"{rule_type}\"")) + tables
}

fn read(text: &str) -> Reading {
    rule::read([("a.toml", text.to_owned())])
}

fn good(text: &str) -> Source {
    read(text).all().unwrap_or_else(|errors| panic!("{}", errors[0])).remove(0)
}

fn memory(text: &str) -> Memory {
    good(text).memory.expect("a rule that remembers")
}

fn first_error(text: &str) -> String {
    let errors = read(text).all().expect_err(text);
    assert_eq!(errors.len(), 1, "{errors:#?}");
    let shown = errors[0].to_string();
    assert_eq!(shown.lines().count(), 3, "with its line and carets: {shown}");
    shown
}

#[test]
fn new_terms_are_read_with_their_fields_and_window() {
    let source = good(&of_type("new_terms", NEW_TERMS));
    assert_eq!(source.definition.rule_type, "new_terms");
    let fields = vec!["cloud.account.id".to_owned(), "user.name".to_owned()];
    assert_eq!(source.memory, Some(Memory::NewTerms { fields, window: 864_000 }));
    let seconds = [("5s", 5), ("6m", 360), ("3h", 10_800), ("7d", 604_800), ("2w", 1_209_600)];
    for (back, window) in seconds {
        let text = of_type("new_terms", &NEW_TERMS.replace("now-10d", &format!("now-{back}")));
        assert_eq!(memory(&text).window(), window, "{back}");
    }
}

#[test]
fn a_threshold_is_read_with_its_group_and_the_window_of_the_rule() {
    let text = of_type("threshold", THRESHOLD);
    let expected = |window| Memory::Threshold {
        fields: vec!["user.name".to_owned()],
        value: 10,
        cardinality: vec![Cardinality { field: "source.ip".to_owned(), value: 3 }],
        window,
    };
    assert_eq!(memory(&text), expected(360), "six minutes where the rule says nothing");
    let source = good(&text.replace("name = \"A Rule\"", "name = \"A Rule\"\nfrom = \"now-9m\""));
    assert_eq!(source.memory, Some(expected(540)));
    assert_eq!(source.definition.from.as_deref(), Some("now-9m"));
    let plain = memory(&of_type("threshold", "[rule.threshold]\nfield = [\"user.name\"]\nvalue = 1\n"));
    assert_eq!((plain.cardinality(), plain.fields().len()), (&[][..], 1));
    let empty =
        of_type("threshold", "[rule.threshold]\nfield = [\"user.name\"]\nvalue = 1\ncardinality = []\n");
    assert_eq!(memory(&empty), plain);
}

#[test]
fn suppression_is_read_on_rules_of_type_query_and_eql() {
    let fields = vec!["user.name".to_owned()];
    let suppress = MissingFields::Suppress;
    let expected = Memory::Suppression { fields: fields.clone(), window: 18_000, missing_fields: suppress };
    assert_eq!(memory(&of_type("query", SUPPRESSION)), expected);
    assert_eq!(
        memory(&of_type("query", &SUPPRESSION.replace("missing_fields_strategy = \"suppress\"", ""))),
        expected
    );
    let eql =
        of_type("eql", SUPPRESSION).replace("kuery", "eql").replace("event.action: x", "any where true");
    assert_eq!(memory(&eql), expected);
    let other = memory(&of_type("query", &SUPPRESSION.replace("\"suppress\"", "\"doNotSuppress\"")));
    let missing_fields = MissingFields::DoNotSuppress;
    assert_eq!(other, Memory::Suppression { fields, window: 18_000, missing_fields });
}

#[test]
fn suppression_that_cannot_be_run_is_listed_and_no_mistake() {
    let texts = [
        (
            of_type("new_terms", &(NEW_TERMS.to_owned() + SUPPRESSION)),
            "25:1: alert_suppression is not run on rules of type new_terms",
        ),
        (
            of_type("threshold", &(THRESHOLD.to_owned() + SUPPRESSION)),
            "25:1: alert_suppression is not run on rules of type threshold",
        ),
        (
            of_type("query", "\n[rule.alert_suppression]\ngroup_by = [\"user.name\"]\n"),
            "17:1: alert_suppression without a duration",
        ),
    ];
    for (text, expected) in texts {
        let reading = read(&text);
        assert_eq!(
            (reading.rules.len(), reading.errors.len(), reading.not_run.len()),
            (0, 0, 1),
            "{reading:#?}"
        );
        let shown = reading.not_run[0].to_string();
        assert!(shown.starts_with(&format!("a.toml:{expected}")), "{shown}");
    }
}

#[test]
fn a_mistake_in_what_a_rule_remembers_is_refused_with_its_place_and_what_to_write() {
    let new_terms = |from: &str, to: &str| of_type("new_terms", &NEW_TERMS.replace(from, to));
    let threshold = |from: &str, to: &str| of_type("threshold", &THRESHOLD.replace(from, to));
    let suppression = |from: &str, to: &str| of_type("query", &SUPPRESSION.replace(from, to));
    let two = "[\"cloud.account.id\", \"user.name\"]";
    let rows = [
        (new_terms(two, "[]"), "19:9: new_terms has 0 fields: name one to 3, such as"),
        (
            new_terms(two, "[\"user.id\", \"user.name\", \"source.ip\", \"event.action\"]"),
            "19:9: new_terms has 4 fields",
        ),
        (new_terms("user.name", "cloud.account.id"), "19:30: the field cloud.account.id appears twice"),
        (new_terms("user.name", "host.name"), "19:30: the field host.name is not mapped here"),
        (
            new_terms("now-10d", "10d"),
            "23:9: history_window_start is \"10d\": expected a time like \"now-10d\"",
        ),
        (new_terms("now-10d", "now-10M"), "23:9: history_window_start is \"now-10M\": expected"),
        (new_terms("now-10d", "now-d"), "23:9: history_window_start is \"now-d\": expected"),
        (new_terms("now-10d", "now-0d"), "23:9: history_window_start is \"now-0d\": expected"),
        (new_terms("now-10d", "now-+5d"), "23:9: history_window_start is \"now-+5d\": expected"),
        (new_terms("now-10d", "now-99999999999999999999d"), "23:9: history_window_start"),
        (
            new_terms("\"new_terms_fields\"", "\"fields\""),
            "18:9: field is \"fields\": expected \"new_terms_fields\"",
        ),
        (new_terms("field = \"new_terms_fields\"", ""), "17:1: new_terms must be a table like"),
        (threshold("[\"user.name\"]", "[]"), "18:9: threshold has 0 fields"),
        (threshold("[\"user.name\"]", "\"user.name\""), "18:9: threshold must be a table like"),
        (threshold("\"user.name\"", "\"user.nam\""), "18:10: the field user.nam is not mapped here"),
        (threshold("value = 10", "value = 0"), "19:9: value must be a whole number from 1 to 1000"),
        (threshold("value = 10", "value = 1001"), "19:9: value must be a whole number from 1 to 1000"),
        (threshold("value = 3", "value = -3"), "23:9: value must be a whole number from 1 to 1000"),
        (
            threshold("source.ip", "source.geo.city_name"),
            "22:9: the field source.geo.city_name is not mapped here",
        ),
        (threshold("value = 10", "valeu = 10"), "19:1: threshold must be a table like"),
        (
            of_type("threshold", THRESHOLD)
                .replace("name = \"A Rule\"", "name = \"A Rule\"\nfrom = \"yesterday\""),
            "9:8: from is \"yesterday\": expected a time like",
        ),
        (suppression("unit = \"h\"", "unit = \"d\""), "23:8: unit is \"d\": expected s, m or h"),
        (suppression("value = 5", "value = 0"), "22:9: duration must be from 1 second to ten years"),
        (suppression("\"suppress\"", "\"maybe\""), "19:27: missing_fields_strategy is \"maybe\": expected"),
        (suppression("[\"user.name\"]", "[]"), "18:12: alert_suppression has 0 fields"),
        (of_type("query", NEW_TERMS), "17:1: new_terms belong to a rule of type new_terms"),
    ];
    for (text, expected) in rows {
        let shown = first_error(&text);
        assert!(shown.starts_with(&format!("a.toml:{expected}")), "{expected}: {shown}");
    }
    let fourth = "[[rule.threshold.cardinality]]\nfield = \"user.id\"\nvalue = 1\n".repeat(3);
    let shown = first_error(&of_type("threshold", &(THRESHOLD.to_owned() + &fourth)));
    assert!(shown.contains("cardinality has more than 3 fields"), "{shown}");
}

#[test]
fn a_rule_that_remembers_is_the_same_after_a_bundle() {
    for text in
        [of_type("new_terms", NEW_TERMS), of_type("threshold", THRESHOLD), of_type("query", SUPPRESSION)]
    {
        let source = good(&text);
        let json = serde_json::to_string(&source).expect("plain data");
        assert_eq!(serde_json::from_str::<Source>(&json).expect("the same data"), source, "{json}");
    }
}
