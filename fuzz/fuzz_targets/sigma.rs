//! Any text is read as a Sigma rule or refused, within the fuzzer's time and memory limits. An accepted rule is the
//! same after being embedded, and judges any record in the same way with every rung of the ladder and with none.

#![no_main]

use detection::detect::{Ruleset, Rungs};
use detection::rule::{self, Source};
use libfuzzer_sys::fuzz_target;

const RECORD: &[u8] = br#"{"eventSource":"iam.amazonaws.com","eventName":"CreateUser","readOnly":false,"errorCode":null,
    "sourceIPAddress":"192.0.2.1","resources":[{"ARN":"a"},{}],"requestParameters":{"userName":"a","n":[1,2.5]}}"#;

fuzz_target!(|text: &str| {
    let whole = rule::read([("rule.yml", text.to_owned())]);
    // Most texts are not rules; using them as the detection of a good rule reaches more of the parser.
    let detection: String = text.lines().map(|line| format!("  {line}\n")).collect();
    let rule = format!(
        "title: x\nid: x\nlogsource: {{product: aws, service: cloudtrail}}\ndetection:\n{detection}"
    );
    let inner = rule::read([("rule.yml", rule)]);
    for source in whole.rules.into_iter().chain(inner.rules) {
        let json = serde_json::to_string(&source).expect("a rule has a JSON text");
        let again: Source = serde_json::from_str(&json).expect("and is read from it");
        assert_eq!(again.parse(), source.parse());
        let rules = Ruleset::new(vec![source]).expect("the rule was read");
        let verdict = |rungs| rules.detector_with(rungs).detect(RECORD).expect("the record is JSON").is_some();
        assert_eq!(verdict(Rungs::ALL), verdict(Rungs::NONE));
    }
});
