//! The build script that embeds the rules, run over folders of rules.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::folder;
use crate::rules::{rule, sigma_rule};

/// Runs the script in a workspace; gives the names of the embedded rules, or what it says.
fn embed(workspace: &Path) -> Result<Vec<String>, String> {
    let out = tempfile::tempdir().expect("a folder can be made");
    let output = Command::new(env!("BUILD_SCRIPT"))
        .current_dir(workspace)
        .env("OUT_DIR", out.path())
        .output()
        .expect("the build script runs");
    if !output.status.success() {
        return Err(String::from_utf8(output.stderr).expect("it writes UTF-8"));
    }
    let json = fs::read(out.path().join("rules.json")).expect("it wrote the rules");
    let rules: Vec<Value> = serde_json::from_slice(&json).expect("it wrote JSON");
    let name = |rule: &Value| rule["definition"]["name"].as_str().unwrap_or_default().to_owned();
    Ok(rules.iter().map(name).collect())
}

#[test]
fn every_rule_at_any_depth_outside_the_starter_pack_is_embedded() {
    let good = |name| rule(name, "event.action: x");
    let workspace = folder(&[
        ("rules/z.toml", &good("Z")),
        ("rules/aws/iam/a.toml", &good("A")),
        ("rules/aws/starter/b.toml", &good("B")),
        ("rules/starter/c.toml", &good("C")),
        ("rules/starter/aws/d.toml", "this is not TOML"),
        ("rules/exceptions/e.toml", "query = \"x\""),
        ("rules/routes/r.toml", "query = \"x\""),
        ("rules/notes.toml", "[metadata]"),
        ("rules/README.md", "x"),
    ]);
    symlink(workspace.path().join("rules"), workspace.path().join("rules/aws/back")).unwrap();
    assert_eq!(embed(workspace.path()), Ok(["A", "B", "Z"].map(str::to_owned).to_vec()));
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
    assert_eq!(embed(workspace.path()).expect("the rules are good"), ["A", "B"]);
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
