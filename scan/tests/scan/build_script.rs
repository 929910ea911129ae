//! The build script that embeds the rules, run over folders of rules.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use detection::bundle::Bundle;

use crate::folder;
use crate::rules::{rule, sigma_rule};

/// Runs the script in a workspace; returns the names of the rules in both embedded bundles, or its error output.
fn embed(workspace: &Path) -> Result<[Vec<String>; 2], String> {
    let out = tempfile::tempdir().expect("a folder can be made");
    let output = Command::new(env!("BUILD_SCRIPT"))
        .current_dir(workspace)
        .env("OUT_DIR", out.path())
        .output()
        .expect("the build script runs");
    if !output.status.success() {
        return Err(String::from_utf8(output.stderr).expect("it writes UTF-8"));
    }
    Ok(["seed.json", "starter.json"].map(|name| {
        let bytes = fs::read(out.path().join(name)).expect("it wrote the bundle");
        let bundle = Bundle::read(&bytes).expect("it wrote a good bundle");
        bundle.rules.into_iter().map(|rule| rule.definition.name).collect()
    }))
}

/// The same names in both bundles.
fn both(names: &[&str]) -> [Vec<String>; 2] {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    [names.clone(), names]
}

#[test]
fn every_rule_at_any_depth_is_embedded_and_the_starter_pack_in_a_bundle_of_its_own() {
    let good = |name| rule(name, "event.action: x");
    let workspace = folder(&[
        ("rules/z.toml", &good("Z")),
        ("rules/aws/iam/a.toml", &good("A")),
        ("rules/aws/starter/b.toml", &good("B")),
        ("rules/starter/c.toml", &good("C")),
        ("rules/starter/aws/d.toml", &good("D")),
        ("rules/exceptions/e.toml", "rules = \"all\"\nquery = \"user.name: ci\"\nreason = \"x\""),
        ("rules/exceptions/README.md", "x"),
        ("rules/notes.toml", "[metadata]"),
        ("rules/README.md", "x"),
    ]);
    symlink(workspace.path().join("rules"), workspace.path().join("rules/aws/back")).unwrap();
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let expected = [names(&["A", "B", "Z"]), names(&["A", "B", "D", "C", "Z"])];
    assert_eq!(embed(workspace.path()), Ok(expected));
}

#[test]
fn a_rule_that_is_wrong_or_cannot_be_run_breaks_the_build_wherever_it_lies() {
    for (from, to, expected) in [
        (
            "event.action: x",
            "event.action: x and not event.action: x",
            "rules/aws/a.toml:11:39: the query can never match",
        ),
        ("event.action: x", "cloud.provider: gcp", "rules/aws/a.toml:11:17: the query can never match"),
        ("medium", "urgent", "rules/aws/a.toml:8:12: unknown severity"),
        ("\"query\"", "\"esql\"", "rules/aws/a.toml:9:8: type is esql"),
    ] {
        let text = rule("A", "event.action: x").replace(from, to);
        let workspace = folder(&[("rules/aws/a.toml", &text), ("rules/b.toml", &rule("B", "event.id: x"))]);
        let said = embed(workspace.path()).expect_err(to);
        assert!(said.contains(expected) && said.contains("1 mistake in the rules"), "{to}: {said}");
    }
}

#[test]
fn rules_of_sigma_are_embedded_as_json() {
    let workspace = folder(&[
        ("rules/a.toml", &rule("A", "event.action: x")),
        ("rules/aws/b.yml", &sigma_rule("B", "x")),
    ]);
    assert_eq!(embed(workspace.path()), Ok(both(&["A", "B"])));
    let workspace = folder(&[("rules/b.yml", &sigma_rule("B", "x").replace("startswith", "starts"))]);
    let said = embed(workspace.path()).expect_err("no such modifier");
    assert!(said.contains("rules/b.yml:10:15: unknown modifier starts"), "{said}");
}

#[test]
fn a_build_without_any_rule_fails() {
    let workspace =
        folder(&[("rules/starter/a.toml", &rule("A", "event.action: x")), ("rules/b.toml", "[metadata]")]);
    let said = embed(workspace.path()).expect_err("no rule");
    assert!(said.contains("rules: no rule"), "{said}");
    let nothing = folder(&[]);
    assert!(embed(nothing.path()).expect_err("no folder").contains("no folder of rules"));
}
