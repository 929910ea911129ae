//! What an alert document says about a Sigma rule.

use detection::rule::{self, Definition, Severity};
use serde_json::{Value, json};

use crate::{read, rule_text, sources};

const DETECTION: &str = "  s:\n    eventName: x\n  condition: s";

/// The definition of a rule with additional keys.
fn definition(more: &str) -> Definition {
    sources(&format!("{more}\n{}", rule_text(DETECTION))).remove(0).definition
}

#[test]
fn every_key_has_its_place_in_the_alert_document() {
    let definition = definition(
        "description: |\n  Two\n    lines.\nauthor: Ann One, Ben Two ,Cy\nlicense: MIT\nlevel: critical\nstatus: stable\nreferences:\n  - https://example.org/a\nfalsepositives:\n  - A change\n    that was planned\ntags:\n  - attack.persistence\n  - attack.t1098.001\n  - cve.2024-1",
    );
    let expected = json!({
        "rule_id": "6c0f7c1e-3c55-4be5-9a9c-0a8a3b7c1f52",
        "name": "A Rule",
        "type": "query",
        "description": "Two lines.",
        "severity": "critical",
        "risk_score": 99,
        "author": ["Ann One", "Ben Two", "Cy"],
        "license": "MIT",
        "references": ["https://example.org/a"],
        "false_positives": ["A change that was planned"],
        "tags": ["attack.persistence", "attack.t1098.001", "cve.2024-1"],
        "threat": [{
            "framework": "MITRE ATT&CK",
            "tactic": {"id": "TA0003", "name": "Persistence", "reference": "https://attack.mitre.org/tactics/TA0003/"},
            "technique": [{
                "id": "T1098",
                "name": "Account Manipulation",
                "reference": "https://attack.mitre.org/techniques/T1098/",
                "subtechnique": [{
                    "id": "T1098.001",
                    "name": "Additional Cloud Credentials",
                    "reference": "https://attack.mitre.org/techniques/T1098/001/",
                }],
            }],
        }],
    });
    assert_eq!(serde_json::to_value(definition).unwrap(), expected);
}

#[test]
fn what_a_rule_leaves_out_has_a_default() {
    let definition = definition("");
    assert_eq!((definition.severity, definition.risk_score), (Severity::Low, 21));
    assert_eq!(definition.license.as_deref(), Some("DRL 1.1"));
    assert_eq!(definition.description, "A Rule");
    assert_eq!((definition.author.len(), definition.threat.len(), definition.tags.len()), (0, 0, 0));
}

#[test]
fn each_level_has_a_severity_and_a_score() {
    for (level, severity, score) in [
        ("informational", Severity::Low, 21),
        ("low", Severity::Low, 21),
        ("medium", Severity::Medium, 47),
        ("high", Severity::High, 73),
        ("critical", Severity::Critical, 99),
    ] {
        let definition = definition(&format!("level: {level}"));
        assert_eq!((definition.severity, definition.risk_score), (severity, score), "{level}");
    }
}

#[test]
fn every_tactic_of_the_tags_is_a_threat_with_every_technique_of_the_tags() {
    let threat = |tags: &[&str]| {
        let threat = definition(&format!("tags: [{}]", tags.join(", "))).threat;
        let threat = threat.iter().map(|threat| {
            let techniques = threat.technique.iter().flat_map(|technique| {
                let parts = technique.subtechnique.iter().map(|part| part.id.clone());
                std::iter::once(technique.id.clone()).chain(parts)
            });
            format!(
                "{} {}: {}",
                threat.tactic.id,
                threat.tactic.name,
                techniques.collect::<Vec<_>>().join(" ")
            )
        });
        threat.collect::<Vec<_>>()
    };
    let tactics = [
        ("reconnaissance", "TA0043 Reconnaissance: "),
        ("resource-development", "TA0042 Resource Development: "),
        ("initial-access", "TA0001 Initial Access: "),
        ("execution", "TA0002 Execution: "),
        ("persistence", "TA0003 Persistence: "),
        ("privilege-escalation", "TA0004 Privilege Escalation: "),
        ("stealth", "TA0005 Stealth: "),
        ("defense-evasion", "TA0005 Defense Evasion: "),
        ("defense-impairment", "TA0112 Defense Impairment: "),
        ("credential-access", "TA0006 Credential Access: "),
        ("discovery", "TA0007 Discovery: "),
        ("lateral-movement", "TA0008 Lateral Movement: "),
        ("collection", "TA0009 Collection: "),
        ("command-and-control", "TA0011 Command and Control: "),
        ("exfiltration", "TA0010 Exfiltration: "),
        ("impact", "TA0040 Impact: "),
    ];
    for (tag, expected) in tactics {
        for tag in [format!("attack.{tag}"), format!("attack.{}", tag.replace('-', "_"))] {
            assert_eq!(threat(&[&tag]), [expected], "{tag}");
        }
    }
    assert_eq!(
        threat(&[
            "attack.t1078.004",
            "attack.persistence",
            "attack.T1078",
            "attack.t1098.003",
            "attack.impact"
        ]),
        [
            "TA0003 Persistence: T1078 T1078.004 T1098 T1098.003",
            "TA0040 Impact: T1078 T1078.004 T1098 T1098.003"
        ]
    );
    assert_eq!(threat(&["attack.ta0040", "attack.impact", "attack.t9999"]), ["TA0040 Impact: T9999"]);
    let odd = [
        "attack.t12",
        "attack.t1078.4",
        "attack.g0016",
        "attack.s0002",
        "impact",
        "cve.2024-1",
        "attack.tactic",
    ];
    assert_eq!(threat(&odd), Vec::<String>::new());
}

#[test]
fn a_technique_without_a_name_here_has_its_identifier_as_one() {
    let threat = definition("tags: [attack.impact, attack.t9998.001]").threat;
    let technique = &threat[0].technique[0];
    assert_eq!((technique.name.as_str(), technique.subtechnique[0].name.as_str()), ("T9998", "T9998.001"));
}

#[test]
fn an_embedded_rule_gives_the_same_query_without_yaml() {
    for (name, text) in crate::corpus() {
        let source = rule::read([(name.clone(), text)]).all().expect("the rule is good").remove(0);
        let json: Value = serde_json::from_str(&serde_json::to_string(&source).unwrap()).unwrap();
        let again: rule::Source = serde_json::from_value(json).unwrap();
        assert_eq!(again, source);
        assert_eq!(again.parse(), source.parse());
        assert!(again.parse().is_ok(), "{name}");
    }
}

#[test]
fn a_key_that_looks_misspelt_is_named_and_one_of_somebodys_own_is_not() {
    let rule = |key: &str| read(&format!("{key}: x\n{}", rule_text(DETECTION)));
    for (key, meant) in [
        ("levle", "level"),
        ("Level", "level"),
        ("tag", "tags"),
        ("falsepositive", "falsepositives"),
        ("statuss", "status"),
        ("athor", "author"),
    ] {
        let reading = rule(key);
        assert_eq!(reading.warnings, [format!("rule.yml: {key} is ignored: expected {meant}")]);
        assert_eq!(reading.rules.len(), 1);
    }
    for key in ["ruletype", "simulation", "regression_tests_path", "sample", "url", "ö", "''"] {
        let reading = rule(key);
        assert_eq!((reading.warnings.len(), reading.rules.len()), (0, 1), "{key}: {:?}", reading.warnings);
    }
}
