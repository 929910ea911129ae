//! The content of folders: which files are read, and which are passed over.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::{assert_run, delivery, folder, folder_of, gzip, hit, miss, path, scan};

#[test]
fn files_are_judged_by_their_content_and_not_by_their_names() {
    let lines = [miss("m").to_string(), hit("e").to_string()].join("\n");
    let folder = folder_of(&[
        ("1.json", delivery(&[hit("a")]).into_bytes()),
        ("2.gz", gzip(&delivery(&[hit("b")]))),
        ("3", gzip(&delivery(&[hit("c")]))),
        ("4.NDJSON", format!(" \r\n\t{}", hit("d")).into_bytes()),
        ("5.jsonl.gz", gzip(&lines)),
        ("deep/er/6.json.1", delivery(&[hit("f")]).into_bytes()),
        // Named like gzip, but not gzip.
        ("deep/er/7.json.gz", json!([hit("g")]).to_string().into_bytes()),
        ("deep/er/8.txt", format!("{}{}", " ".repeat(100_000), hit("h")).into_bytes()),
        ("deep/er/9.json", format!("\u{feff}{}", hit("i")).into_bytes()),
    ]);
    let run = scan(&[path(&folder)]);
    assert_run(&run, 0, &["a", "b", "c", "d", "e", "f", "g", "h", "i"], &[]);
    assert!(run.err.contains("9 files, 10 records"), "{}", run.err);
    assert!(!run.err.contains("passed over"), "{}", run.err);
}

#[test]
fn a_file_in_a_folder_that_is_neither_gzip_nor_json_is_passed_over_and_named() {
    let utf16 = |text: &str, mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
        let bytes = text.encode_utf16().flat_map(bytes);
        mark.iter().copied().chain(bytes).collect::<Vec<_>>()
    };
    let folder = folder_of(&[
        ("a.json", delivery(&[hit("a")]).into_bytes()),
        ("b.json", b"eventID,eventName\n{}".to_vec()),
        ("c.bin", vec![0x1f, 0x9d, 0x90]),
        ("d.json", b"\"text\"".to_vec()),
        ("e.json", Vec::new()),
        ("f.json", b"\xef\xbb\xbf \n\n".to_vec()),
        ("g.json", utf16(&delivery(&[hit("g")]), b"\xff\xfe", u16::to_le_bytes)),
        ("h.json", utf16(&delivery(&[hit("h")]), b"\xfe\xff", u16::to_be_bytes)),
        ("i.json", utf16(&delivery(&[hit("i")]), b"", u16::to_le_bytes)),
        ("j.json", utf16(&delivery(&[hit("j")]), b"", u16::to_be_bytes)),
    ]);
    let run = scan(&[path(&folder)]);
    assert_run(
        &run,
        0,
        &["a"],
        &[
            "3 passed over: neither gzip nor JSON",
            "2 passed over: empty",
            "4 passed over: UTF-16 text",
            "9 passed over, see above",
        ],
    );
    for name in ["b.json", "c.bin", "d.json", "e.json", "f.json", "g.json", "h.json", "i.json", "j.json"] {
        assert!(run.says(&format!("  {}/{name}", path(&folder))), "{name} in {}", run.err);
    }
    assert!(run.err.contains("1 file, 1 record: "), "{}", run.err);
}

#[test]
fn json_or_gzip_in_a_folder_without_a_record_of_cloudtrail_fails() {
    for (name, content) in [
        ("settings.json", br#"{"editor": {"tabSize": 4}}"#.to_vec()),
        ("numbers", b"[1, 2]".to_vec()),
        ("section.ini", b"[core]\nbare = false".to_vec()),
        ("text.gz", gzip("notes")),
        ("empty.gz", gzip("")),
        ("cut.gz", gzip(&delivery(&[hit("x")]))[..20].to_vec()),
    ] {
        let folder = folder_of(&[("a.json", delivery(&[hit("a")]).into_bytes()), (name, content)]);
        let run = scan(&[path(&folder)]);
        assert_run(&run, 1, &["a"], &[]);
        assert!(run.err.contains(&format!("/{name}: ")), "{name}: {}", run.err);
        assert!(!run.err.contains("passed over"), "{name}: {}", run.err);
    }
}

#[test]
fn in_a_copy_of_a_bucket_keys_say_what_is_passed_over_wherever_the_command_runs() {
    let log = |service: &str, name: &str| {
        format!("AWSLogs/111122223333/{service}/eu-west-1/2026/02/03/{name}.json.gz")
    };
    let files = [
        (log("CloudTrail", "1"), gzip(&delivery(&[hit("a")]))),
        (log("CloudTrail-Digest", "2"), gzip(r#"{"awsAccountId":"111122223333"}"#)),
        (log("Config", "3"), gzip(r#"{"configurationItems":[]}"#)),
    ];
    let files: Vec<_> =
        files.iter().map(|(name, content)| (format!("bucket/prefix/{name}"), content)).collect();
    let files: Vec<_> = files.iter().map(|(name, content)| (name.as_str(), content)).collect();
    let folder = folder_of(&files);
    for below in ["", "bucket", "bucket/prefix/AWSLogs", "bucket/prefix/AWSLogs/111122223333"] {
        let from = folder.path().join(below);
        for run in [scan(&[&from]), crate::run(crate::command(&["."]).current_dir(&from))] {
            assert_run(
                &run,
                0,
                &["a"],
                &[
                    "1 passed over: a digest of CloudTrail deliveries",
                    "1 passed over: another service's log",
                    "2 passed over, see above",
                ],
            );
            assert!(run.err.contains("1 file, 1 record: "), "{below}: {}", run.err);
        }
    }
    let digests = folder.path().join("bucket/prefix/AWSLogs/111122223333/CloudTrail-Digest");
    assert_run(
        &scan(&[digests]),
        1,
        &[],
        &["1 passed over: a digest of CloudTrail deliveries", "nothing was read"],
    );
}

#[test]
fn files_of_macos_are_passed_over() {
    let text = delivery(&[hit("x")]);
    let folder = folder_of(&[
        ("._a.json", &text),
        ("a.json", &delivery(&[hit("a")])),
        ("b/.DS_Store", &text),
        ("b/.hidden.json", &delivery(&[hit("b")])),
    ]);
    let run = scan(&[path(&folder)]);
    assert_run(&run, 0, &["a", "b"], &["2 passed over: a file of macOS", "2 passed over, see above"]);
}

#[cfg(unix)]
#[test]
fn pipes_and_sockets_in_a_folder_are_passed_over_and_never_opened() {
    let folder = folder_of(&[("z.json", &delivery(&[hit("a")]))]);
    let inside = |name: &str| folder.path().join(name);
    // Opening it would block forever.
    assert!(Command::new("mkfifo").arg(inside("pipe")).status().expect("mkfifo runs").success());
    let _socket = std::os::unix::net::UnixListener::bind(inside("socket")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", inside("device")).unwrap();
    let run = scan(&[path(&folder)]);
    assert_run(&run, 0, &["a"], &["3 passed over: a pipe, a socket or a device"]);
    for name in ["pipe", "socket", "device"] {
        assert!(run.says(&format!("  {}", inside(name).display())), "{name} in {}", run.err);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf_8_are_read_and_shown() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = folder(&[]);
    let odd = folder.path().join(OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&odd).unwrap();
    let log = odd.join(OsStr::from_bytes(b"\xff.json"));
    fs::write(&log, delivery(&[hit("a")])).unwrap();
    fs::write(odd.join(OsStr::from_bytes(b"notes\xfe")), "notes").unwrap();
    let run = scan(&[path(&folder)]);
    let name = format!("  {}/caf\u{fffd}/notes\u{fffd}", path(&folder));
    assert_run(&run, 0, &["a"], &["1 passed over: neither gzip nor JSON", &name]);
    assert_run(&scan(&[&log]), 0, &["a"], &[]);
}

#[cfg(unix)]
#[test]
fn a_name_with_a_line_break_stays_on_its_line() {
    let folder = folder_of(&[
        ("a.json", delivery(&[hit("a")])),
        ("x\n\u{1b}[2Jy", "notes".to_owned()),
        ("x\ny", "{".to_owned()),
    ]);
    let run = scan(&[path(&folder)]);
    assert_run(&run, 1, &["a"], &[&format!("  {}/x\u{fffd}\u{fffd}[2Jy", path(&folder))]);
    assert!(run.err.contains("/x\u{fffd}y: "), "{}", run.err);
}

/// Runs the command as a user who may not read files that are locked away. Tests run as root could read them.
#[cfg(unix)]
fn as_nobody(folder: &Path) -> Command {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).unwrap();
    // The command may be in a place that only root can enter; under this name, its copy is passed over. A copy made by
    // this process could not be run while another test starts a process.
    let program = folder.join(".DS_Store");
    assert!(
        Command::new("cp")
            .arg(env!("CARGO_BIN_EXE_cloudtrail-scan"))
            .arg(&program)
            .status()
            .unwrap()
            .success()
    );
    let mut command = Command::new(program);
    command.current_dir(folder).arg(".");
    if fs::metadata(folder).unwrap().uid() == 0 {
        command.uid(65534);
    }
    command
}

#[cfg(unix)]
#[test]
fn what_may_not_be_read_fails_and_is_named() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let text = delivery(&[hit("x")]);
    let folder =
        folder_of(&[("a.json", &text), ("locked/b.json", &text), ("z.json", &delivery(&[hit("z")]))]);
    symlink("locked/b.json", folder.path().join("link.json")).unwrap();
    let permit = |name: &str, mode| {
        fs::set_permissions(folder.path().join(name), PermissionsExt::from_mode(mode)).unwrap();
    };
    permit("a.json", 0);
    permit("locked", 0);
    let run = crate::run(&mut as_nobody(folder.path()));
    permit("locked", 0o700);
    assert_run(
        &run,
        1,
        &["z"],
        &[
            "./a.json: Permission denied (os error 13)",
            "./link.json: Permission denied (os error 13)",
            "./locked: Permission denied (os error 13)",
            "3 inputs failed, see above",
        ],
    );
}
