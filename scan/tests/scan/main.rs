//! `cloudtrail-scan` as a process: what it reads, prints and answers.

mod build_script;
mod exceptions;
mod inputs;
mod rules;
mod usage;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloudtrail-scan"));
    command.args(arguments).current_dir(root());
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
