//! `cloudtrail-scan` as a process: its inputs, its output and its exit code.

mod boundary;
mod build_script;
mod bundle;
mod cases;
mod event_pattern;
mod exceptions;
mod explain;
mod folders;
mod forecast;
mod formats;
mod inputs;
mod links;
mod memory;
mod rules;
mod selection;
mod starter;
mod summary;
mod usage;

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn command<A: AsRef<OsStr>>(arguments: &[A]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloudtrail-scan"));
    command.args(arguments).current_dir(root());
    command
}

/// The outcome of a run.
struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

/// A folder with the seed rule alone.
fn seed() -> &'static str {
    static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
        let name = "aws_lambda_function_created_or_updated.toml";
        let text = fs::read_to_string(root().join("rules").join(name)).expect("the rule is there");
        folder(&[(name, &text)])
    });
    path(&FOLDER)
}

fn scan<A: AsRef<OsStr>>(arguments: &[A]) -> Run {
    run(&mut command(arguments))
}

fn run(command: &mut Command) -> Run {
    let Output { status, stdout, stderr } = command.output().expect("scan runs");
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

    /// Whether standard error has this line.
    fn says(&self, line: &str) -> bool {
        self.err.lines().any(|said| said == line)
    }
}

/// Fails with the output of the run unless it ended as expected.
#[track_caller]
fn assert_run(run: &Run, code: i32, events: &[&str], lines: &[&str]) {
    assert_eq!(
        (run.code, run.events()),
        (Some(code), events.iter().map(ToString::to_string).collect()),
        "{}",
        run.err
    );
    for line in lines {
        assert!(run.says(line), "{line} in {}", run.err);
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

fn gzip(text: &str) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(text.as_bytes()).expect("memory can be written");
    gzip.finish().expect("memory can be written")
}

/// A folder with the given files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    folder_of(files)
}

/// A folder with files that may not be text.
fn folder_of<T: AsRef<[u8]>>(files: &[(&str, T)]) -> TempDir {
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
