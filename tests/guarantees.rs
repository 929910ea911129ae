//! Every test that the page of guarantees names exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The text of every Rust and Python file below a folder.
fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let texts = entries.map(|path| {
        if path.is_dir() {
            sources(&path)
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "py") {
            fs::read_to_string(path).expect("UTF-8")
        } else {
            String::new()
        }
    });
    texts.collect()
}

#[test]
fn every_test_that_the_page_of_guarantees_names_is_there() {
    let page = fs::read_to_string("docs/guarantees.md").expect("the page");
    let is_name = |text: &&str| {
        text.len() > 20 && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    };
    let named: BTreeSet<_> = page.split('`').skip(1).step_by(2).filter(is_name).collect();
    assert!(named.len() > 40, "{named:?}");
    let tests: String =
        ["src", "tests", "detection", "scan"].map(|folder| sources(Path::new(folder))).concat();
    let missing: Vec<_> = named.into_iter().filter(|name| !is_there(&tests, name)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Whether a test of this name is among the sources, in either language.
fn is_there(tests: &str, name: &str) -> bool {
    ["fn", "def"].iter().any(|keyword| tests.contains(&format!("{keyword} {name}(")))
}
