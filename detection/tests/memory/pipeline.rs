//! From records to the signals of rules that remember.

use detection::bundle::Exception;
use detection::detect::Ruleset;
use detection::memory::{Candidate, State, Verdict, signal};
use detection::origin::Origin;
use detection::pipeline::Pipeline;
use detection::records::{self, RawRecord, Record};
use detection::rule;
use detection::signal::Signal;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::NEVER;
use super::repository::follows_the_schema;

const NOW: &str = "2026-11-23T10:10:00.000Z";
const RULE_ID: &str = "00000000-0000-4000-8000-000000000000";

fn rules(rule_type: &str, tables: &str) -> Ruleset {
    let text = format!(
        "[rule]\nauthor = [\"Somebody\"]\ndescription = \"Finds things.\"\nlanguage = \"kuery\"\nname = \"A Rule\"\nrisk_score = 21\nrule_id = \"{RULE_ID}\"\nseverity = \"low\"\ntype = \"{rule_type}\"\nquery = \"event.action: x\"\n{tables}"
    );
    let sources = rule::read([("a.toml", text)]).all().unwrap_or_else(|errors| panic!("{}", errors[0]));
    Ruleset::new(sources).expect("good queries")
}

fn new_terms(fields: &str) -> Ruleset {
    let tables = format!(
        "[rule.new_terms]\nfield = \"new_terms_fields\"\nvalue = {fields}\n[[rule.new_terms.history_window_start]]\nfield = \"history_window_start\"\nvalue = \"now-10d\"\n"
    );
    rules("new_terms", &tables)
}

pub fn record(second: u32, id: &str, user: &str) -> Value {
    json!({
        "eventVersion": "1.11", "eventSource": "iam.amazonaws.com", "eventName": "x", "eventID": id,
        "eventTime": format!("2026-11-23T10:00:{second:02}Z"), "awsRegion": "eu-west-1", "recipientAccountId": "111122223333",
        "userIdentity": {"type": "IAMUser", "userName": user, "accountId": "444455556666"},
        "requestParameters": {"groupName": ["a", "b"], "on": true},
    })
}

fn candidates(rules: &Ruleset, records: &[Value]) -> (Vec<Candidate>, [u64; 3]) {
    let mut pipeline = Pipeline::new(rules, &Origin::EventBridge, NOW);
    for record in records {
        let text = record.to_string();
        let record: Record<'_> = Ok(RawRecord::from(text.as_bytes()));
        pipeline.process(0, record);
    }
    let tally = pipeline.tally;
    (pipeline.candidates, [tally.matched, tally.signals, tally.suppressed])
}

fn decided(rules: &Ruleset, candidates: &[Candidate]) -> Vec<Value> {
    let mut states = std::collections::HashMap::new();
    let mut signals = Vec::new();
    for candidate in candidates {
        let memory = rules.rules()[candidate.rule].memory.as_ref().expect("it remembers");
        let state = states.entry(candidate.key(rules)).or_insert_with(|| State::new(memory));
        let (verdict, _) = state.decide(memory, &candidate.event, NEVER);
        if verdict != Verdict::Known {
            signals.push(signal(rules, candidate, &verdict, &Origin::EventBridge, NOW));
        }
    }
    signals.iter().map(document).collect()
}

/// The document of a signal, which follows the schema.
pub fn document(signal: &Signal) -> Value {
    let document = records::parse_document(&signal.message).expect("JSON");
    follows_the_schema(&document);
    document
}

pub fn sha256(text: &str) -> String {
    Sha256::digest(text)
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from_digit(digit.into(), 16).unwrap())
        .collect()
}

/// Memory looks at a few fields only, and parses no more. What it remembers must be readable as a whole all the same.
#[test]
fn a_record_that_cannot_be_read_as_a_whole_is_rejected_before_memory_looks_at_it() {
    let rules = new_terms(r#"["user.name"]"#);
    let good = record(1, "e1", "ana").to_string();
    let with = |member: &str| format!("{},{member}}}", good.strip_suffix('}').expect("an object"));
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let cases = [
        (good.clone(), true),
        (with(&format!(r#""responseElements":{}"#, nested(126))), true),
        (with(&format!(r#""responseElements":{}"#, nested(127))), false),
        // Many brackets are not many levels.
        (with(&format!(r#""responseElements":[{}]"#, vec!["[]"; 500].join(","))), true),
        (with(r#""responseElements":"\ud83d""#), true),
        (with(r#""responseElements":"\ud83d\ude00""#), true),
        (with(r#""responseElements":{"a":tru}"#), false),
        (with(r#""responseElements":{"a":"\x"}"#), false),
        (with(r#""responseElements":[1,]"#), false),
        (with("\"responseElements\":\"a\nb\""), false),
    ];
    for (text, is_read) in cases {
        let mut pipeline = Pipeline::new(&rules, &Origin::EventBridge, NOW);
        pipeline.process(0, Ok(RawRecord::from(text.as_bytes())));
        let (matched, rejected) = (u64::from(is_read), u64::from(!is_read));
        assert_eq!((pipeline.tally.matched, pipeline.tally.rejected), (matched, rejected), "{text}");
        let signals = decided(&rules, &pipeline.candidates);
        assert_eq!(signals.len(), usize::from(is_read), "{text}");
        assert!(signals.iter().all(|signal| signal["user"]["name"] == "ana"), "{signals:?}");
    }
}

#[test]
fn half_a_character_in_a_value_that_is_remembered_becomes_the_replacement_character() {
    let rules = new_terms(r#"["user.name"]"#);
    let text = record(1, "e1", "ana").to_string().replace("\"ana\"", r#""a\ud83d""#);
    let mut pipeline = Pipeline::new(&rules, &Origin::EventBridge, NOW);
    pipeline.process(0, Ok(RawRecord::from(text.as_bytes())));
    let signals = decided(&rules, &pipeline.candidates);
    assert_eq!(signals.len(), 1);
    assert_eq!(signals[0]["user"]["name"], "a\u{fffd}");
    assert_eq!(signals[0]["kibana"]["alert"]["new_terms"], json!(["a\u{fffd}"]));
}

#[test]
fn a_signal_of_new_terms_names_the_values_and_has_an_id_of_event_and_values() {
    let rules = new_terms(r#"["cloud.account.id", "user.name"]"#);
    let (candidates, counts) = candidates(&rules, &[record(1, "e1", "Zoë"), record(2, "e2", "Zoë")]);
    assert_eq!(counts, [2, 2, 0]);
    let signals = decided(&rules, &candidates);
    assert_eq!(signals.len(), 1);
    let alert = &signals[0]["kibana"]["alert"];
    assert_eq!(alert["new_terms"], json!(["444455556666", "Zoë"]));
    let id = format!("{RULE_ID}/111122223333/e1/[\"444455556666\",\"Zoë\"]");
    assert_eq!(alert["uuid"], json!(sha256(&id)));
    assert_eq!(alert["rule"]["type"], "new_terms");
    assert_eq!(alert["original_time"], "2026-11-23T10:00:01Z");
    assert_eq!(signals[0]["event"]["id"], "e1");
    assert!(signals[0]["event"]["original"].is_string());
}

#[test]
fn an_array_takes_part_with_each_value_and_what_is_no_text_as_its_json() {
    let rules =
        new_terms(r#"["group.name", "aws.cloudtrail.flattened.request_parameters.on", "event.action"]"#);
    let (candidates, counts) = candidates(&rules, &[record(1, "e1", "alice")]);
    assert_eq!(counts, [1, 2, 0]);
    let terms: Vec<_> = candidates.iter().map(|candidate| candidate.terms.json()).collect();
    assert_eq!(terms, [r#"["a","true","x"]"#, r#"["b","true","x"]"#]);
    let keys: Vec<_> = candidates.iter().map(|candidate| candidate.key(&rules)).collect();
    assert!(
        keys[0].starts_with(&format!("{RULE_ID}/")) && keys[0].ends_with(&format!("/{}", terms[0])),
        "{keys:?}"
    );
    assert_eq!(decided(&rules, &candidates).len(), 2);
}

#[test]
fn a_record_without_a_field_an_id_or_a_time_takes_no_part() {
    let rules = new_terms(r#"["user.name"]"#);
    for key in ["userIdentity", "eventID", "eventTime"] {
        let mut record = record(1, "e1", "alice");
        record.as_object_mut().expect("an object").remove(key);
        assert_eq!(candidates(&rules, &[record]).1, [1, 0, 0], "{key}");
    }
}

#[test]
fn exceptions_come_before_memory() {
    let mut rules = new_terms(r#"["user.name"]"#);
    let exception = Exception::of_setting("EXCEPTION_QUERY", "event.id: e1".to_owned());
    rules.except(exception).expect("good KQL");
    let (candidates, counts) = candidates(&rules, &[record(1, "e1", "a"), record(2, "e2", "a")]);
    assert_eq!(counts, [2, 2, 1]);
    assert_eq!(decided(&rules, &candidates)[0]["event"]["id"], "e2", "the first was never seen");
}

#[test]
fn a_signal_of_a_threshold_tells_the_group_and_names_its_events() {
    let rules = rules(
        "threshold",
        "from = \"now-10m\"\n[rule.threshold]\nfield = [\"user.name\"]\nvalue = 3\n[[rule.threshold.cardinality]]\nfield = \"group.name\"\nvalue = 2\n",
    );
    let records: Vec<_> = (1..=4).map(|n| record(n, &format!("e{n}"), "alice")).collect();
    let (candidates, counts) = candidates(&rules, &records);
    assert_eq!(counts, [4, 4, 0]);
    let signals = decided(&rules, &candidates);
    assert_eq!(signals.len(), 1);
    let (signal, alert) = (&signals[0], &signals[0]["kibana"]["alert"]);
    assert_eq!(alert["uuid"], json!(sha256(&format!("{RULE_ID}/[\"alice\"]/e3"))));
    assert_eq!(
        alert["threshold_result"],
        json!({
            "terms": [{"field": "user.name", "value": "alice"}],
            "cardinality": [{"field": "group.name", "value": 2}],
            "count": 3,
            "from": "2026-11-23T09:50:03.000Z",
        })
    );
    assert_eq!(alert["original_time"], "2026-11-23T10:00:03.000Z");
    let ancestors: Vec<_> =
        alert["ancestors"].as_array().expect("a list").iter().map(|one| &one["id"]).collect();
    assert_eq!(ancestors, ["e1", "e2", "e3"]);
    assert_eq!(signal["user"]["name"], "alice");
    assert_eq!(signal["cloud"]["region"], "eu-west-1");
    assert_eq!(signal["aws"]["cloudtrail"]["recipient_account_id"], "111122223333");
    assert_eq!(
        (&signal["event"]["original"], &signal["event"]["id"], &signal["source"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(
        signal["message"],
        "3 events of user.name alice within 10 minutes, 2 values of group.name, in account 111122223333, eu-west-1, the last at 2026-11-23T10:00:03.000Z."
    );
}

#[test]
fn suppression_holds_back_and_without_memory_nothing_does() {
    let tables = "[rule.alert_suppression]\ngroup_by = [\"user.name\", \"user.email\"]\nmissing_fields_strategy = \"STRATEGY\"\n[rule.alert_suppression.duration]\nvalue = 5\nunit = \"m\"\n";
    let records = [record(1, "e1", "alice"), record(2, "e2", "alice"), record(3, "e3", "bob")];
    let suppressing = rules("query", &tables.replace("STRATEGY", "suppress"));
    let (waiting, counts) = candidates(&suppressing, &records);
    assert_eq!((waiting.len(), counts), (3, [3, 3, 0]));
    assert_eq!(waiting[0].terms.json(), r#"["alice",null]"#);
    let signals = decided(&suppressing, &waiting);
    let ids: Vec<_> = signals.iter().map(|signal| &signal["event"]["id"]).collect();
    assert_eq!(ids, ["e1", "e3"]);
    assert_eq!(signals[0]["kibana"]["alert"]["uuid"], json!(sha256(&format!("{RULE_ID}/111122223333/e1"))));
    // A document that lacks a field is never held back, nor is any without memory.
    let lax = rules("query", &tables.replace("STRATEGY", "doNotSuppress"));
    for rules in [lax, suppressing.without_memory()] {
        assert_eq!((candidates(&rules, &records).0.len(), candidates(&rules, &records).1), (0, [3, 3, 0]));
    }
}

#[test]
fn without_memory_rules_that_need_it_are_off() {
    let rules = new_terms(r#"["user.name"]"#).without_memory();
    assert_eq!(rules.rules().len(), 0);
    assert_eq!(candidates(&rules, &[record(1, "e1", "alice")]).1, [0, 0, 0]);
}

#[test]
fn a_rule_learns_anew_when_its_query_fields_or_window_change_and_not_when_its_text_does() {
    let key = |rules: &Ruleset| rules.rules()[0].keys.as_ref().expect("it remembers").learning();
    let tables = |fields: &str, window: &str| {
        format!(
            "[rule.new_terms]\nfield = \"new_terms_fields\"\nvalue = {fields}\n[[rule.new_terms.history_window_start]]\nfield = \"history_window_start\"\nvalue = \"{window}\"\n"
        )
    };
    let one = key(&rules("new_terms", &tables("[\"user.name\"]", "now-10d")));
    assert_eq!(one, key(&rules("new_terms", &tables("[\"user.name\"]", "now-240h"))), "the same window");
    assert_eq!(
        one,
        key(&rules("new_terms", &format!("tags = [\"x\"]\n{}", tables("[\"user.name\"]", "now-10d"))))
    );
    assert_ne!(one, key(&rules("new_terms", &tables("[\"user.name\"]", "now-9d"))));
    assert_ne!(one, key(&rules("new_terms", &tables("[\"user.id\"]", "now-10d"))));
}

#[test]
fn long_terms_stand_in_a_key_as_their_hash() {
    let rules = new_terms(r#"["user.name"]"#);
    let (candidates, _) =
        candidates(&rules, &[record(1, "e1", &"u".repeat(508)), record(2, "e2", &"u".repeat(509))]);
    let last = |place: usize| candidates[place].key(&rules).rsplit('/').next().expect("a part").to_owned();
    assert_eq!(last(0).len(), 512);
    assert_eq!(last(1), sha256(candidates[1].terms.json()));
}
