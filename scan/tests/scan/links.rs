//! Links are followed, and nothing is read twice because of them.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

use crate::{assert_run, delivery, folder, folder_of, hit, path, scan};

fn link(folder: &TempDir, name: &str, target: impl AsRef<Path>) {
    symlink(target, folder.path().join(name)).expect("a link can be made");
}

#[test]
fn links_to_files_and_folders_elsewhere_are_followed() {
    let elsewhere = folder_of(&[("b.json", delivery(&[hit("b")])), ("c/d.json", delivery(&[hit("d")]))]);
    let folder = folder_of(&[("a.json", delivery(&[hit("a")]))]);
    link(&folder, "b", elsewhere.path().join("b.json"));
    link(&folder, "c", elsewhere.path().join("c"));
    let run = scan(&[path(&folder)]);
    assert_run(&run, 0, &["a", "b", "d"], &[]);
    assert!(!run.err.contains("passed over"), "{}", run.err);
}

#[test]
fn a_path_that_is_itself_a_link_is_followed() {
    let elsewhere = folder_of(&[("b.json", delivery(&[hit("b")])), ("c/d.json", delivery(&[hit("d")]))]);
    let folder = folder(&[]);
    link(&folder, "b", elsewhere.path().join("b.json"));
    link(&folder, "c", elsewhere.path().join("c"));
    let links = ["c", "b"].map(|name| folder.path().join(name));
    assert_run(&scan(&links), 0, &["d", "b"], &[]);
}

#[test]
fn a_link_to_a_folder_around_it_is_not_walked_again() {
    let folder = folder_of(&[("a.json", delivery(&[hit("a")])), ("b/c.json", delivery(&[hit("c")]))]);
    link(&folder, "b/here", ".");
    link(&folder, "b/up", "..");
    link(&folder, "self", path(&folder));
    let run = scan(&[path(&folder)]);
    assert_run(&run, 0, &["a", "c"], &["3 passed over: reached by another path"]);
    assert!(run.err.contains("2 files, 2 records"), "{}", run.err);
}

#[test]
fn what_several_links_lead_to_is_read_once() {
    let elsewhere = folder_of(&[("x/b.json", delivery(&[hit("b")])), ("y.json", delivery(&[hit("y")]))]);
    let folder = folder_of(&[("m.json", delivery(&[hit("m")])), ("z/n.json", delivery(&[hit("n")]))]);
    // Before and after their targets, to files and to folders, inside and outside.
    link(&folder, "a", "m.json");
    link(&folder, "a2", "z/n.json");
    link(&folder, "b", "z");
    link(&folder, "o", "m.json");
    for name in ["c", "d"] {
        link(&folder, name, elsewhere.path().join("x"));
        link(&folder, &format!("{name}.json"), elsewhere.path().join("y.json"));
    }
    let run = scan(&[path(&folder)]);
    let mut events = run.events();
    events.sort();
    assert_eq!(
        (run.code, events),
        (Some(0), ["b", "m", "n", "y"].map(str::to_owned).to_vec()),
        "{}",
        run.err
    );
    assert!(run.err.contains("4 files, 4 records"), "{}", run.err);
    assert!(run.says("6 passed over: reached by another path"), "{}", run.err);
}

#[test]
fn broken_links_are_counted_and_named() {
    let folder = folder_of(&[("a.json", delivery(&[hit("a")]))]);
    link(&folder, "gone", "/nowhere/at/all.json");
    link(&folder, "loop", "loop");
    link(&folder, "below a file", "a.json/b");
    let run = scan(&[path(&folder)]);
    assert_run(&run, 0, &["a"], &["3 passed over: a broken link"]);
    for name in ["gone", "loop", "below a file"] {
        assert!(run.says(&format!("  {}/{name}", path(&folder))), "{name} in {}", run.err);
    }
}

#[test]
fn a_link_is_judged_by_what_it_leads_to() {
    let digest = "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/02/03/x.json";
    let bucket = folder_of(&[(digest, "{}")]);
    let folder = folder_of(&[("a.json", delivery(&[hit("a")]))]);
    link(&folder, "latest.json", fs::canonicalize(bucket.path().join(digest)).unwrap());
    assert_run(&scan(&[path(&folder)]), 0, &["a"], &["1 passed over: a digest of CloudTrail deliveries"]);
}
