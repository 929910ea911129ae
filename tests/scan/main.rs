//! `examples/scan.rs` as a process: what it reads, prints and answers.

mod exceptions;
mod inputs;
mod rules;
mod usage;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::{env, fs};

use serde_json::{Value, json};
use tempfile::TempDir;

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The example's binary, brought up to date: it lies beside the folder of this test's own.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let this = env::current_exe().expect("this test is a file");
        let profile = this.parent().and_then(Path::parent).expect("it lies in target/PROFILE/deps");
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--locked", "--example", "scan", "--target-dir"]);
        build.arg(profile.parent().expect("the target folder")).current_dir(package());
        if profile.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().expect("cargo runs").success(), "the example compiles");
        profile.join("examples").join(format!("scan{}", env::consts::EXE_SUFFIX))
    })
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).current_dir(package());
    command
}

/// What a run gave.
struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

fn scan(arguments: &[&str]) -> Run {
    let Output { status, stdout, stderr } = command(arguments).output().expect("scan runs");
    let text = |bytes| String::from_utf8(bytes).expect("scan writes UTF-8");
    Run { code: status.code(), out: text(stdout), err: text(stderr) }
}

impl Run {
    fn documents(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("a line is a JSON document")).collect()
    }

    /// The event of every printed document, in order.
    fn events(&self) -> Vec<String> {
        self.documents()
            .iter()
            .map(|document| document["event"]["id"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

/// A record that the embedded rule matches.
fn hit(event: &str) -> Value {
    json!({
        "eventID": event, "eventSource": "lambda.amazonaws.com", "eventName": "CreateFunction20150331",
        "recipientAccountId": "111122223333",
    })
}

/// A record that the embedded rule does not match.
fn miss(event: &str) -> Value {
    json!({ "eventID": event, "eventSource": "s3.amazonaws.com", "eventName": "GetObject" })
}

fn delivery(records: &[Value]) -> String {
    json!({ "Records": records }).to_string()
}

/// A folder with the given files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }
    folder
}

fn path(folder: &TempDir) -> &str {
    folder.path().to_str().expect("the path is text")
}
