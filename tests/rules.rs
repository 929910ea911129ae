//! Which rules the function starts with, and how it fails to start if they cannot be read.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};

use cloudtrail_signals::rules::{self, Loaded};
use cloudtrail_signals::settings::{Error, Settings};
use detection::bundle::Bundle;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const TOPIC: (&str, &str) = ("SIGNAL_TOPIC_ARN", "arn:aws:sns:us-east-1:111122223333:signals");
const TABLE: (&str, &str) = ("MEMORY_TABLE", "memory");
const SEED: &str = "1251b98a-ff45-11ee-89a1-f661ea17fbce";

fn load(variables: &[(&str, &str)]) -> Result<Loaded, Error> {
    let variables = [&[TOPIC], variables].concat();
    let variable = |name: &str| {
        variables.iter().find(|variable| variable.0 == name).map(|variable| variable.1.to_owned())
    };
    rules::load(&Settings::read(variable)?)
}

/// How many rule files a folder holds, at any depth.
fn files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let of = |path: std::path::PathBuf| {
        if path.is_dir() {
            files(&path)
        } else {
            usize::from(path.extension().is_some_and(|extension| extension == "toml"))
        }
    };
    entries.map(of).sum()
}

/// The embedded seed rule under other names and, if it is not its own, another id.
fn bundle_of(rules: &[(&str, &str)]) -> Bundle {
    let seed = include_bytes!(concat!(env!("OUT_DIR"), "/seed.json"));
    let mut bundle = Bundle::read(seed).expect("the build wrote it");
    let rule =
        bundle.rules.iter().find(|rule| rule.definition.rule_id == SEED).expect("the seed rule").clone();
    let renamed = |(id, name): &(&str, &str)| {
        let mut rule = rule.clone();
        (rule.definition.rule_id, rule.definition.name) = ((*id).to_owned(), (*name).to_owned());
        rule
    };
    bundle.rules = rules.iter().map(renamed).collect();
    bundle
}

/// The text of a bundle. The function only reads bundles, so the part of `detection` that writes them is not here.
fn text(bundle: &Bundle) -> String {
    let content = serde_json::to_string(bundle).expect("JSON");
    let sum = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    format!("{{\n\"format\": 1,\n\"sha256\": \"{sum}\",\n\"content\": {content}\n}}\n")
}

/// Writes a bundle into a folder, and returns its path.
fn written(folder: &TempDir, bundle: &Bundle) -> String {
    let path = folder.path().join("rules.json");
    fs::write(&path, text(bundle)).expect("a file");
    path.to_str().expect("UTF-8").to_owned()
}

/// Starts the function where nothing answers it, so that it ends right after its start.
fn start(variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cloudtrail-signals"))
        .env_clear()
        .envs([("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("AWS_REGION", "us-east-1")])
        .envs([("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1"), ("AWS_LAMBDA_FUNCTION_NAME", "f")])
        .envs([("AWS_LAMBDA_FUNCTION_VERSION", "1"), ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"), TOPIC])
        .envs(variables.iter().copied())
        .output()
        .expect("the function starts")
}

fn log(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn the_embedded_rules_that_are_on_are_the_seed_the_starter_pack_too_or_none() {
    let (all, starter) = (files(Path::new("rules")), files(Path::new("rules/starter")));
    let on = |choice| load(&[("EMBEDDED_RULES", choice), TABLE]).expect("good settings").embedded;
    assert_eq!([on(""), on("seed"), on("starter")], [all - starter, all - starter, all]);
    assert!(starter >= 30, "{starter}");
    let error = load(&[("EMBEDDED_RULES", "none")]).expect_err("no rule at all").to_string();
    assert!(
        error.starts_with("EMBEDDED_RULES turns all rules off") && error.contains("RULES_BUNDLE"),
        "{error}"
    );
    let error = load(&[("EMBEDDED_RULES", "Seed")]).expect_err("another word").to_string();
    assert!(error.starts_with("EMBEDDED_RULES ") && error.contains("Seed"), "{error}");
}

#[test]
fn a_rule_of_the_bundle_takes_the_place_of_the_embedded_rule_with_its_id() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = written(&folder, &bundle_of(&[(SEED, "Ours"), ("more", "Another")]));
    let names = |loaded: &Loaded, id: &str| {
        let rules = loaded.rules.rules().iter().filter(|rule| rule.definition.rule_id == id);
        rules.map(|rule| rule.definition.name.clone()).collect::<Vec<_>>()
    };
    let alone = load(&[]).expect("good settings");
    let both = load(&[("RULES_BUNDLE", &path)]).expect("a good bundle");
    assert_eq!((both.embedded, both.bundled), (alone.embedded - 1, 2));
    assert_eq!(
        (names(&both, SEED), names(&both, "more")),
        (vec!["Ours".to_owned()], vec!["Another".to_owned()])
    );

    let bundle_alone = load(&[("RULES_BUNDLE", &path), ("EMBEDDED_RULES", "none")]).expect("a good bundle");
    assert_eq!((bundle_alone.embedded, bundle_alone.bundled, bundle_alone.rules.rules().len()), (0, 2, 2));
}

#[test]
fn a_bundle_none_of_whose_rules_are_on_does_not_start_a_function_without_embedded_rules() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut bundle = bundle_of(&[]);
    bundle.accounts.insert("111122223333".to_owned(), "payments-prod".to_owned());
    let path = written(&folder, &bundle);
    let error =
        load(&[("RULES_BUNDLE", &path), ("EMBEDDED_RULES", "none")]).expect_err("no rule").to_string();
    assert!(error.contains("no rule of RULES_BUNDLE is on"), "{error}");
}

#[test]
fn a_bundle_that_is_missing_cut_altered_of_another_format_or_too_long_fails_the_start_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = text(&bundle_of(&[("more", "Another")]));
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).expect("a file");
        path
    };
    let long = folder.path().join("long.json");
    File::create(&long).and_then(|file| file.set_len(50_000_000)).expect("a sparse file");
    for (path, expected) in [
        (folder.path().join("missing.json"), "cannot be read: No such file"),
        (folder.path().to_owned(), "cannot be read: "),
        (file("empty.json", ""), "is empty"),
        (file("cut.json", &text[..text.len() / 2]), "is cut off"),
        (file("altered.json", &text.replace("Another", "A mother")), "was altered after it was written"),
        (file("format.json", &text.replace("\"format\": 1", "\"format\": 2")), "is a bundle of format 2"),
        (file("other.json", "{\"Records\": []}"), "is JSON, but not a bundle"),
        (long, "is longer than 16777216 bytes"),
    ] {
        let path = path.to_str().expect("UTF-8");
        let output = start(&[("RULES_BUNDLE", path)]);
        let log = log(&output);
        let [line] = &log[..] else { panic!("{path}: {log:?}") };
        assert!(!output.status.success(), "{path}");
        assert_eq!(
            (&line["level"], &line["message"]),
            (&json!("ERROR"), &json!("the function cannot start"))
        );
        let reason = line["reason"].as_str().expect("a text");
        assert!(reason.starts_with(&format!("RULES_BUNDLE names {path}, which {expected}")), "{reason}");
    }
}

#[test]
fn the_first_log_line_says_how_many_rules_of_which_kind_are_on_and_from_where() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = written(&folder, &bundle_of(&[(SEED, "Ours"), ("more", "Another")]));
    let first = |variables: &[(&str, &str)]| {
        let log = log(&start(variables));
        let line = log.first().expect("a line");
        assert_eq!((&line["level"], &line["message"]), (&json!("INFO"), &json!("started")), "{log:?}");
        line.clone()
    };
    let line = first(&[]);
    assert_eq!(
        (&line["embedded_rules"], &line["bundled"], line.get("bundle")),
        (&json!("seed"), &json!(0), None)
    );
    assert_eq!((&line["rules"], &line["kinds"]), (&line["embedded"], &json!("1 query")));

    let line = first(&[("RULES_BUNDLE", &path), TABLE]);
    let loaded = load(&[("RULES_BUNDLE", &path), TABLE]).expect("a good bundle");
    assert_eq!((&line["bundle"], &line["bundled"]), (&json!(path), &json!(2)));
    assert_eq!((&line["embedded"], &line["rules"]), (&json!(loaded.embedded), &json!(loaded.on())));
    let kinds = line["kinds"].as_str().expect("a text").split(", ").map(|kind| {
        let (count, name) = kind.split_once(' ').expect("a count and a name");
        (name.to_owned(), count.parse::<usize>().expect("a number"))
    });
    let expected = loaded.kinds.iter().map(|(kind, count)| ((*kind).to_owned(), *count));
    assert_eq!(kinds.collect::<Vec<_>>(), expected.collect::<Vec<_>>());

    let line = first(&[("RULES_BUNDLE", &path), ("EMBEDDED_RULES", "none")]);
    assert_eq!((&line["embedded_rules"], &line["embedded"]), (&json!("none"), &json!(0)));
    assert_eq!((&line["rules"], &line["kinds"]), (&json!(2), &json!("2 query")));
}
