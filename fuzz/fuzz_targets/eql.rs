//! Any text is read as EQL or refused, within the fuzzer's time and memory limits, whole or as the condition of a
//! query. Accepted text judges any record in the same way with every rung of the ladder and with none.

#![no_main]

use detection::detect::{Ruleset, Rungs};
use detection::ecs;
use detection::query::Query;
use detection::rule;
use libfuzzer_sys::fuzz_target;

const RECORD: &[u8] = br#"{"eventSource":"iam.amazonaws.com","eventName":"CreateUser","readOnly":false,"errorCode":null,
    "sourceIPAddress":"192.0.2.1","resources":[{"ARN":"a"},{}],"requestParameters":{"userName":"a","n":[1,2.5]}}"#;
const RULE: &str = "[rule]\nauthor = []\ndescription = \"x\"\nlanguage = \"eql\"\nname = \"x\"\nquery = \"any where true\"\nrisk_score = 1\nrule_id = \"x\"\nseverity = \"low\"\ntype = \"eql\"\n";

fuzz_target!(|text: &str| {
    for query in [text.to_owned(), format!("any where {text}")] {
        let not_run = Query::eql_not_run(&query);
        let parsed = Query::parse_eql(&query, "event.category", ecs::field);
        assert!(not_run.is_none() || parsed.is_err(), "what is not run is not taken either");
        let checked = Query::parse_eql_satisfiable(&query, "event.category", ecs::field);
        for error in checked.err().into_iter().flatten() {
            assert!(error.offset <= error.end && error.end <= query.len(), "{error}");
        }
        if parsed.is_ok() {
            let mut source = rule::read([("rule.toml", RULE.to_owned())]).rules.remove(0);
            source.query = query;
            let rules = Ruleset::new(vec![source]).expect("the query was read");
            let verdict = |rungs| rules.detector_with(rungs).detect(RECORD).expect("the record is JSON").is_some();
            assert_eq!(verdict(Rungs::ALL), verdict(Rungs::NONE));
        }
    }
});
