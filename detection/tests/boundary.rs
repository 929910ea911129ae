//! The detection has no way to reach the network, a file, a clock or the environment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Everything that the detection is made of. None of it does input or output. A package that is added here has to be
/// looked at first.
const PACKAGES: &[&str] = &[
    "block-buffer",
    "bytemuck",
    "cfg-if",
    "cpufeatures",
    "crypto-common",
    "detection",
    "digest",
    "equivalent",
    "flate2",
    "foldhash",
    "hashbrown",
    "hybrid-array",
    "indexmap",
    "itoa",
    "jiff",
    "jiff-core",
    "aho-corasick",
    "memchr",
    "percent-encoding",
    "proc-macro2",
    "quote",
    "regex-lite",
    "safe_arch",
    "serde",
    "serde_core",
    "serde_derive",
    "serde_json",
    "serde_spanned",
    "sha2",
    "syn",
    "thiserror",
    "thiserror-impl",
    "toml",
    "toml_datetime",
    "toml_parser",
    "typenum",
    "unicode-ident",
    "wide",
    "winnow",
    "zlib-rs",
    "zmij",
];

/// What the standard library offers to reach something outside with, or to say what time it is.
const REACHES: &[&str] = &[
    "std::env",
    "std::fs",
    "std::io",
    "std::os",
    "std::process",
    "std::thread",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "::now(",
    "print!(",
    "println!(",
    "dbg!(",
    "extern \"",
];

#[test]
fn the_detection_is_made_of_nothing_that_does_input_or_output() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--package", "detection", "--edges", "normal,build"])
        .args(["--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let tree = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    let packages: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(packages.contains(&"serde_json"), "{}", String::from_utf8_lossy(&output.stderr));
    let strangers: Vec<_> = packages.into_iter().filter(|package| !PACKAGES.contains(package)).collect();
    assert!(strangers.is_empty(), "{strangers:?}: look whether they do input or output, then list them");
}

#[test]
fn no_source_of_the_detection_reaches_outside() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 20, "{files:?}");
    for file in files {
        let text = fs::read_to_string(&file).expect("a source is text");
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let reach = REACHES.iter().find(|reach| code.contains(**reach));
            assert_eq!(reach, None, "{}:{}", file.display(), number + 1);
        }
    }
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            sources(&path, files);
        } else {
            files.push(path);
        }
    }
}
