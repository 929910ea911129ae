//! The detection has no way to reach the network, a file, a clock or the environment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Everything that the detection is made of. None of it does input or output. Review a package before you add it here.
const PACKAGES: &[&str] = &[
    "annotate-snippets",
    "anstyle",
    "arraydeque",
    "autocfg",
    "block-buffer",
    "bytemuck",
    "cfg-if",
    "core_detect",
    "cpufeatures",
    "crypto-common",
    "detection",
    "digest",
    "encoding_rs",
    "encoding_rs_io",
    "equivalent",
    "flate2",
    "foldhash",
    "granit-parser",
    "hashbrown",
    "hybrid-array",
    "indexmap",
    "itoa",
    "jiff",
    "jiff-core",
    "aho-corasick",
    "base64",
    "memchr",
    "multiversion_no_op",
    "num-traits",
    "percent-encoding",
    "proc-macro2",
    "quote",
    "regex-lite",
    "rustversion",
    "safe_arch",
    "scopeguard",
    "serde",
    "serde-saphyr",
    "serde_core",
    "serde_derive",
    "serde_json",
    "serde_spanned",
    "sha2",
    "simdutf8",
    "smallvec",
    "syn",
    "thiserror",
    "thiserror-impl",
    "toml",
    "toml_datetime",
    "toml_parser",
    "typenum",
    "unicode-ident",
    "unicode-width",
    "wide",
    "winnow",
    "zlib-rs",
    "zmij",
];

/// What the standard library offers for reaching the outside or reading the time.
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

/// Everything that a workspace package is made of.
fn tree(package: &str, edges: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--package", package, "--edges", edges])
        .args(["--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let tree = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    let packages: Vec<_> =
        tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    assert!(packages.iter().any(|name| name == "serde_json"), "{}", String::from_utf8_lossy(&output.stderr));
    packages
}

#[test]
fn the_detection_is_made_of_nothing_that_does_input_or_output() {
    let packages = tree("detection", "normal,build");
    let unknown: Vec<_> = packages.iter().filter(|package| !PACKAGES.contains(&package.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?}: check whether they do input or output, then list them");
}

#[test]
fn the_function_is_made_of_no_parser_of_rule_files() {
    let packages = tree("cloudtrail-signals", "normal");
    for parser in ["toml", "toml_parser", "serde-saphyr", "granit-parser"] {
        assert!(PACKAGES.contains(&parser), "{parser} is not what reads rules any more");
        assert!(!packages.iter().any(|package| package == parser), "{parser} is part of the function");
    }
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
