//! Rules on signals: what looks at signals, one level up.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use detection::bundle::Exception;
use detection::detect::Ruleset;
use detection::memory::{Candidate, Firsts, State, Verdict, signal};
use detection::origin::Origin;
use detection::pipeline::{Pipeline, above};
use detection::records::{MAX_LEVELS, RawRecord};
use detection::rule::{self, Reading};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::NEVER;
use super::pipeline::{document, record, sha256};

const NOW: &str = "2026-11-23T10:10:00.000Z";
const BELOW: &str = "below";

fn text(id: &str, rest: &str) -> String {
    format!(
        "[rule]\nauthor = [\"Somebody\"]\ndescription = \"Finds things.\"\nlanguage = \"kuery\"\nname = \"Rule {id}\"\nrisk_score = 73\nrule_id = \"{id}\"\nseverity = \"high\"\n{rest}"
    )
}

fn on_records() -> String {
    text(BELOW, "type = \"query\"\nquery = \"event.action: x\"\nbuilding_block_type = \"default\"\n")
        .replace("73", "21")
        .replace("high", "low")
}

fn on_signals(rest: &str) -> String {
    text("top", &format!("index = [\".alerts-security.*\"]\n{rest}"))
}

fn of_type(kind: &str, query: &str, tables: &str) -> String {
    on_signals(&format!("type = \"{kind}\"\nquery = '{query}'\n{tables}"))
}

const NEW_TERMS: &str = "[rule.new_terms]\nfield = \"new_terms_fields\"\nvalue = [\"user.name\"]\n[[rule.new_terms.history_window_start]]\nfield = \"history_window_start\"\nvalue = \"now-10d\"\n";
const OF_BELOW: &str = r#"kibana.alert.rule.rule_id: "below""#;

fn read(texts: &[String]) -> Reading {
    rule::read(texts.iter().enumerate().map(|(place, text)| (format!("{place}.toml"), text.clone())))
}

fn rules(texts: &[String]) -> Ruleset {
    let sources = read(texts).all().unwrap_or_else(|errors| panic!("{}", errors[0]));
    Ruleset::new(sources).expect("good queries")
}

/// The signals of both levels, and the counts of matches and of what memory holds back.
fn found(rules: &Ruleset, records: &[Value]) -> (Vec<Value>, u64, u64) {
    let mut pipeline = Pipeline::new(rules, &Origin::EventBridge, NOW);
    for record in records {
        let text = record.to_string();
        pipeline.process(0, Ok(RawRecord::from(text.as_bytes())));
    }
    let (mut signals, mut count, mut known) = (pipeline.found, pipeline.tally.signals, 0);
    let mut states: HashMap<String, State> = HashMap::new();
    let mut waiting: Vec<Candidate> = pipeline.candidates;
    // Two levels, and never a third.
    for _ in 0..2 {
        for candidate in std::mem::take(&mut waiting) {
            let of = &rules.rules()[candidate.rule];
            let memory = of.memory.as_ref().expect("it remembers");
            let state = states.entry(candidate.key(rules)).or_insert_with(|| State::new(memory));
            let (verdict, _) = state.decide(memory, &candidate.event, NEVER);
            if verdict == Verdict::Known {
                known += 1;
                continue;
            }
            let mut signal = signal(rules, &candidate, &verdict, &Origin::EventBridge, NOW);
            if !of.on_signals {
                let more = above(rules, &mut signal, NOW);
                count += (more.found.len() + more.candidates.len()) as u64;
                signals.extend(more.found);
                waiting.extend(more.candidates);
            }
            signals.push(signal);
        }
    }
    assert!(waiting.is_empty());
    (signals.iter().map(document).collect(), count, known)
}

fn alert(signal: &Value) -> &Value {
    &signal["kibana"]["alert"]
}

#[test]
fn a_rule_on_signals_makes_an_alert_one_level_up() {
    let rules = rules(&[of_type("query", OF_BELOW, ""), on_records()]);
    let (signals, count, _) = found(&rules, &[record(1, "e1", "alice")]);
    assert_eq!((signals.len(), count), (2, 2));
    let (parent, top) = (alert(&signals[0]), alert(&signals[1]));
    assert_eq!((&parent["depth"], &top["depth"]), (&json!(1), &json!(2)));
    let uuid = parent["uuid"].as_str().expect("an id");
    assert_eq!(top["uuid"], json!(sha256(&format!("top/{uuid}"))));
    let expected =
        [parent["ancestors"][0].clone(), json!({"id": uuid, "type": "signal", "rule": BELOW, "depth": 1})];
    assert_eq!(top["ancestors"], json!(expected));
    assert_eq!((&top["severity"], &top["risk_score"]), (&json!("high"), &json!(73)));
    assert_eq!((&top["rule"]["rule_id"], &top["rule"]["name"]), (&json!("top"), &json!("Rule top")));
    assert_eq!(top.get("building_block_type"), None, "that was the parent's");
    assert_eq!(
        (&top["original_time"], &top["original_event"]),
        (&parent["original_time"], &parent["original_event"])
    );
    for field in ["user", "cloud", "aws", "message"] {
        assert_eq!(signals[0][field], signals[1][field], "{field}");
    }
    assert_eq!(signals[1]["event"]["original"], signals[0]["event"]["original"]);
}

#[test]
fn a_rule_on_signals_sees_what_was_left_out_of_a_signal_that_was_too_big() {
    let query = format!("{OF_BELOW} and aws.cloudtrail.request_parameters: *needle*");
    for kind in [of_type("query", &query, ""), of_type("new_terms", &query, NEW_TERMS)] {
        let rules = rules(&[on_records(), kind]);
        let mut one = record(1, "e1", "alice");
        one["requestParameters"] = json!({"a": "needle", "b": "x".repeat(95_000)});
        one["responseElements"] = json!({"a": "x".repeat(95_000)});
        let (signals, _, _) = found(&rules, &[one]);
        let of = |id: &str| signals.iter().find(|signal| alert(signal)["rule"]["rule_id"] == id);
        let (below, top) = (of(BELOW).expect("a signal"), of("top").expect("an alert"));
        let omitted = &below["signal"]["omitted"];
        assert!(omitted.to_string().contains("aws.cloudtrail.request_parameters"), "{omitted}");
        assert_eq!(&top["signal"]["omitted"], omitted, "each once");
    }
}

#[test]
fn a_rule_on_signals_sees_the_deepest_record() {
    for kind in [of_type("query", OF_BELOW, ""), of_type("new_terms", OF_BELOW, NEW_TERMS)] {
        let rules = rules(&[on_records(), kind]);
        for levels in [1, 120, MAX_LEVELS - 1] {
            let mut one = record(1, "e1", "alice");
            one["requestParameters"] = (0..levels).fold(json!(1), |inside, _| json!({ "a": inside }));
            let (signals, _, _) = found(&rules, &[one]);
            assert_eq!(signals.len(), 2, "{levels} levels");
            assert_eq!(signals[0]["aws"], signals[1]["aws"], "{levels} levels");
        }
    }
}

#[test]
fn new_terms_on_signals_remember_by_the_time_of_the_event() {
    let rules = rules(&[on_records(), of_type("new_terms", OF_BELOW, NEW_TERMS)]);
    let records = [
        record(1, "e1", "alice"),
        record(2, "e2", "alice"),
        record(3, "e3", "bob"),
        record(1, "e1", "alice"),
    ];
    let (signals, count, known) = found(&rules, &records);
    assert_eq!((count, known), (8, 1), "the claiming event is new again");
    let tops: Vec<_> = signals.iter().filter(|signal| alert(signal)["rule"]["rule_id"] == "top").collect();
    let terms: Vec<_> = tops.iter().map(|top| &alert(top)["new_terms"][0]).collect();
    assert_eq!(terms, ["alice", "bob", "alice"]);
    let parent = alert(&signals[0])["uuid"].as_str().expect("an id");
    assert_eq!(alert(tops[0])["uuid"], json!(sha256(&format!("top/{parent}/[\"alice\"]"))));
    assert_eq!(alert(tops[0])["uuid"], alert(tops[2])["uuid"]);
}

#[test]
fn a_threshold_on_signals_names_its_signals() {
    let tables = "from = \"now-1h\"\n[rule.threshold]\nfield = [\"user.name\"]\nvalue = 2\n[[rule.threshold.cardinality]]\nfield = \"kibana.alert.rule.rule_id\"\nvalue = 2\n";
    let second = on_records().replace("below", "second");
    let rules = rules(&[on_records(), second, of_type("threshold", "kibana.alert.depth: 1", tables)]);
    let (signals, _, known) = found(&rules, &[record(1, "e1", "alice")]);
    assert_eq!((signals.len(), known), (3, 1));
    let top = alert(&signals[2]);
    let parents: Vec<_> =
        signals[..2].iter().map(|signal| alert(signal)["uuid"].as_str().expect("an id")).collect();
    assert_eq!(top["uuid"], json!(sha256(&format!("top/[\"alice\"]/{}", parents[1]))));
    let mut ancestors: Vec<_> = top["ancestors"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["id"].as_str().expect("an id"))
        .collect();
    ancestors.sort_unstable();
    let mut expected = parents.clone();
    expected.sort_unstable();
    assert_eq!(ancestors, expected);
    assert_eq!((&top["depth"], &top["ancestors"][0]["type"]), (&json!(2), &json!("signal")));
    assert_eq!(
        top["threshold_result"]["cardinality"],
        json!([{"field": "kibana.alert.rule.rule_id", "value": 2}])
    );
    assert_eq!(signals[2]["user"]["name"], "alice");
    assert_eq!(signals[2]["cloud"]["region"], "eu-west-1");
    assert_eq!(signals[2]["event"].get("original"), None);
}

#[test]
fn a_suppressed_signal_feeds_nothing() {
    let mut rules = rules(&[on_records(), of_type("query", OF_BELOW, "")]);
    rules.except(Exception::of_setting("EXCEPTION_QUERY", "event.id: e1".to_owned())).expect("good KQL");
    let (signals, count, _) = found(&rules, &[record(1, "e1", "alice")]);
    assert_eq!((signals.len(), count), (0, 1));
}

fn exception(rule: &str, query: &str, expires: Option<&str>) -> Exception {
    let of_setting = Exception::of_setting("exceptions/a.toml", query.to_owned());
    Exception { rules: Some(vec![rule.to_owned()]), expires: expires.map(str::to_owned), ..of_setting }
}

#[test]
fn an_exception_takes_out_what_a_rule_on_signals_finds_and_leaves_the_signal() {
    for query in ["user.name: alice", "user.name: alice and kibana.alert.severity: low"] {
        let mut rules = rules(&[on_records(), of_type("query", OF_BELOW, "")]);
        rules.except(exception("top", query, Some("2026-11-24"))).expect("good KQL");
        let mut pipeline = Pipeline::new(&rules, &Origin::EventBridge, NOW);
        for one in [record(1, "e1", "alice"), record(2, "e2", "bob")] {
            pipeline.process(0, Ok(RawRecord::from(one.to_string().as_bytes())));
        }
        let found: Vec<_> = pipeline.found.iter().map(|signal| signal.rule.as_str()).collect();
        assert_eq!(found, [BELOW, BELOW, "top"], "{query}");
        assert_eq!((pipeline.tally.signals, pipeline.tally.suppressed), (4, 1));
        let [suppressed] = pipeline.suppressed.as_slice() else { panic!("{:?}", pipeline.suppressed) };
        let parent = pipeline.found[0].id.to_string();
        assert_eq!(suppressed.id.to_string(), sha256(&format!("top/{parent}")));
        assert_eq!(
            (suppressed.exception.as_str(), suppressed.caller.as_str()),
            ("exceptions/a.toml", "alice")
        );
    }
}

#[test]
fn an_exception_of_a_rule_on_signals_ends_by_the_time_of_the_event() {
    let mut rules = rules(&[on_records(), of_type("query", OF_BELOW, "")]);
    rules.except(exception("top", "user.name: alice", Some("2026-01-01"))).expect("good KQL");
    assert_eq!(found(&rules, &[record(1, "e1", "alice")]).0.len(), 2);
}

#[test]
fn what_an_exception_takes_out_of_a_rule_on_signals_is_not_remembered() {
    let mut rules = rules(&[on_records(), of_type("new_terms", OF_BELOW, NEW_TERMS)]);
    rules.except(exception("top", "event.id: e1", None)).expect("good KQL");
    let (signals, ..) = found(&rules, &[record(1, "e1", "alice"), record(2, "e2", "alice")]);
    let tops = signals.iter().filter(|signal| alert(signal)["rule"]["rule_id"] == "top");
    let events: Vec<_> = tops.map(|top| &alert(top)["original_event"]["id"]).collect();
    assert_eq!(events, ["e2"]);
}

#[test]
fn a_signal_that_memory_holds_back_feeds_nothing() {
    let below = text(BELOW, &format!("type = \"new_terms\"\nquery = \"event.action: x\"\n{NEW_TERMS}"));
    let rules = rules(&[below, of_type("query", OF_BELOW, "")]);
    let (signals, count, known) = found(&rules, &[record(1, "e1", "alice"), record(2, "e2", "alice")]);
    assert_eq!((signals.len(), count, known), (2, 3, 1));
}

#[test]
fn rules_on_signals_do_not_look_at_their_own() {
    let rules = rules(&[on_records(), of_type("query", "kibana.alert.severity: *", "")]);
    assert_eq!(found(&rules, &[record(1, "e1", "alice")]).0.len(), 2);
}

#[test]
fn an_alert_above_that_is_too_big_is_cut_as_others_are() {
    let rules = rules(&[
        on_records(),
        of_type("query", OF_BELOW, "").replace("Finds things.", &"long ".repeat(4000)),
    ]);
    let mut big = record(1, "e1", "alice");
    big["requestParameters"]["big"] = json!("x".repeat(60_000));
    big["responseElements"] = json!({"big": "y".repeat(30_000)});
    let (signals, ..) = found(&rules, &[big]);
    assert!(signals.iter().all(|signal| signal.to_string().len() <= 262_144));
    assert!(alert(&signals[1])["uuid"].is_string());
}

#[test]
fn a_field_that_no_alert_document_has_is_refused_and_so_is_an_alerts_field_on_records() {
    let error =
        |text: &str| read(&[on_records(), text.to_owned()]).all().expect_err(text).remove(0).to_string();
    let shown = error(&of_type("query", "kibana.alert.rule.nothing: x", ""));
    assert!(shown.contains("the field kibana.alert.rule.nothing is not mapped here"), "{shown}");
    let shown = error(&text("other", "type = \"query\"\nquery = \"kibana.alert.severity: low\"\n"));
    assert!(shown.contains("the field kibana.alert.severity is not mapped here"), "{shown}");
    let tables = NEW_TERMS.replace("user.name", "kibana.alert.nothing");
    let shown = error(&of_type("new_terms", OF_BELOW, &tables));
    assert!(shown.contains("the field kibana.alert.nothing is not mapped here"), "{shown}");
}

#[test]
fn a_rule_that_could_only_match_rules_on_signals_is_refused() {
    let other = of_type("query", OF_BELOW, "").replace("\"top\"", "\"other\"");
    for query in [
        r#"kibana.alert.rule.rule_id: "other""#,
        r#"kibana.alert.rule.rule_id: ("other" or "top")"#,
        "kibana.alert.depth: 2",
        "kibana.alert.ancestors.type: signal and kibana.alert.severity: low",
    ] {
        let errors =
            read(&[on_records(), other.clone(), of_type("query", query, "")]).all().expect_err(query);
        let shown = errors[0].to_string();
        assert!(errors.len() == 1 && shown.contains("can only match signals of rules on signals"), "{shown}");
        assert!(shown.starts_with("2.toml:11:10: ") || shown.starts_with("2.toml:"), "{shown}");
    }
    for query in [
        r#"kibana.alert.rule.rule_id: ("other" or "below")"#,
        "kibana.alert.rule.rule_id: oth*",
        "not kibana.alert.rule.rule_id: other",
        "kibana.alert.depth: 1",
    ] {
        assert!(read(&[on_records(), other.clone(), of_type("query", query, "")]).all().is_ok(), "{query}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn on_two_levels_the_signals_are_the_model_s_and_a_redelivery_gives_the_same_again(
        calls in proptest::collection::vec((0_u32..60, 0_usize..3), 1..15),
        redelivered in any::<proptest::sample::Index>(),
    ) {
        let mut calls: Vec<_> = calls.into_iter().enumerate().map(|(id, (second, user))| (second, id, user)).collect();
        calls.sort_unstable();
        let user = |user: usize| ["alice", "bob", "eve"][user];
        let once: Vec<_> = calls.iter().map(|(second, id, of)| record(*second, &format!("e{id}"), user(*of))).collect();
        let again = [&once[..], &once[redelivered.index(once.len())..], &once[..]].concat();

        // The first call of each user makes an alert; where the rule below remembers, it alone makes a signal.
        let firsts: BTreeMap<usize, usize> = calls.iter().rev().map(|(_, id, user)| (*user, *id)).collect();
        let parent = |id: usize, terms: &str| sha256(&format!("{BELOW}/111122223333/e{id}{terms}"));
        let terms = |of: usize| format!("/[\"{}\"]", user(of));
        let remembers_above: BTreeSet<_> = calls
            .iter()
            .map(|(_, id, _)| parent(*id, ""))
            .chain(firsts.iter().map(|(of, id)| sha256(&format!("top/{}{}", parent(*id, ""), terms(*of)))))
            .collect();
        let remembers_below: BTreeSet<_> = firsts
            .iter()
            .map(|(of, id)| parent(*id, &terms(*of)))
            .flat_map(|parent| [sha256(&format!("top/{parent}")), parent])
            .collect();

        let below = text(BELOW, &format!("type = \"new_terms\"\nquery = \"event.action: x\"\n{NEW_TERMS}"));
        for (texts, expected) in [
            ([on_records(), of_type("new_terms", OF_BELOW, NEW_TERMS)], remembers_above),
            ([below, of_type("query", OF_BELOW, "")], remembers_below),
        ] {
            let rules = rules(&texts);
            for records in [&once, &again] {
                let (signals, ..) = found(&rules, records);
                let ids: BTreeSet<_> =
                    signals.iter().map(|signal| alert(signal)["uuid"].as_str().expect("an id").to_owned()).collect();
                prop_assert_eq!(&ids, &expected);
            }
        }
    }
}

#[test]
fn who_can_read_records_again_gets_the_alert_document_of_the_first_match_of_a_tuple_only() {
    let rules = rules(&[on_records(), of_type("new_terms", OF_BELOW, NEW_TERMS)]);
    for (firsts, expected) in [(None, [true, true, true]), (Some(Firsts::default()), [true, false, true])] {
        let mut pipeline = Pipeline::new(&rules, &Origin::EventBridge, NOW);
        pipeline.firsts = firsts;
        for record in [record(1, "e1", "alice"), record(2, "e2", "alice"), record(3, "e3", "bob")] {
            let text = record.to_string();
            pipeline.process(0, Ok(RawRecord::from(text.as_bytes())));
        }
        let has_text: Vec<_> =
            pipeline.candidates.iter().map(|candidate| candidate.record.is_some()).collect();
        assert_eq!(has_text, expected);
    }
}
