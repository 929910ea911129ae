//! The starter pack: thirty rules of our own, and the page about them.

use std::collections::HashSet;
use std::fs;

use detection::rule::{self, Definition, Source, Threat, ThreatEntry};

use crate::root;

fn pack() -> Vec<(String, Source)> {
    let folder = root().join("rules/starter");
    let files = fs::read_dir(folder).expect("the folder can be read").map(|entry| entry.unwrap().path());
    let mut rules: Vec<_> = files.filter(|path| rule::is_rule_file(path)).collect();
    rules.sort();
    let text = |path: &std::path::PathBuf| {
        (path.display().to_string(), fs::read_to_string(path).expect("a rule is text"))
    };
    let reading = rule::read(rules.iter().map(text));
    assert_eq!((reading.warnings, reading.no_rule), (Vec::new(), 0));
    let name = |path: &std::path::PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let names: Vec<_> = rules.iter().map(name).collect();
    names.into_iter().zip(reading.rules).collect()
}

#[test]
fn the_starter_pack_has_thirty_complete_rules_of_our_own() {
    let pack = pack();
    assert_eq!(pack.len(), 30);
    let ids: HashSet<_> = pack.iter().map(|(_, rule)| &rule.definition.rule_id).collect();
    assert_eq!(ids.len(), 30);
    for (file, Source { query, definition, .. }) in &pack {
        let Definition { rule_id, author, description, license, false_positives, references, threat, .. } =
            definition;
        assert_eq!((rule_id.len(), rule_id.as_bytes()[14]), (36, b'4'), "{file}: {rule_id}");
        assert_eq!(
            (&author[..], license.as_deref()),
            (&["cloudtrail-signals".to_owned()][..], Some("Apache-2.0"))
        );
        assert!(!false_positives.is_empty() && !threat.is_empty(), "{file}");
        assert!(description.contains(". "), "{file}: the first sentence says what the rule finds");
        assert!(references.iter().all(|page| page.starts_with("https://docs.aws.amazon.com/")), "{file}");
        assert!(!references.is_empty() && !query.contains("source."), "{file}: no rule goes by address");
        let text = fs::read_to_string(root().join("rules/starter").join(file)).unwrap();
        assert!(text.contains("note = \"\"\"## Triage"), "{file}");
    }
}

#[test]
fn the_starter_pack_names_tactics_and_techniques_as_attack_does() {
    for (file, rule) in pack() {
        for Threat { tactic, technique, .. } in &rule.definition.threat {
            let parts = technique.iter().flat_map(|technique| &technique.subtechnique);
            let ids: Vec<_> = technique.iter().chain(parts).map(|entry| entry.id.to_lowercase()).collect();
            let tag = |id: &String| format!("  - attack.{id}\n");
            let tags: Vec<_> = ids.iter().chain([&tactic.id.to_lowercase()]).map(tag).collect();
            let sigma = format!("{}tags:\n{}", crate::rules::sigma_rule("A", "x"), tags.concat());
            let known = rule::read([("a.yml", sigma)]).rules.remove(0).definition.threat;
            let known = known.first().expect("the tactic is known");
            let is_named = |entry: &ThreatEntry| entry.name != entry.id;
            assert!(known.technique.iter().all(is_named), "{file}");
            assert_eq!((&known.technique, &known.tactic), (technique, tactic), "{file}");
        }
    }
}

#[test]
fn the_page_of_the_starter_pack_has_a_row_for_every_rule() {
    let page = fs::read_to_string(root().join("docs/starter.md")).expect("the page can be read");
    let rows: HashSet<_> = page.lines().filter(|line| line.starts_with("| [")).collect();
    let expected = pack().into_iter().map(|(file, rule)| {
        let Definition { name, severity, threat, .. } = rule.definition;
        let Threat { tactic, technique, .. } = &threat[0];
        let last = technique.first().map(|technique| technique.subtechnique.first().unwrap_or(technique));
        let id = &last.unwrap_or(tactic).id;
        let severity = severity.as_str();
        format!("| [{name}](../rules/starter/{file}) | {severity} | {id} |")
    });
    let expected: Vec<_> = expected.collect();
    for row in &expected {
        assert!(rows.contains(row.as_str()), "{row}");
    }
    assert_eq!(rows.len(), expected.len());
}
