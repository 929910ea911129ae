//! Reads every rule file, so that a broken rule breaks the build and never a start, and leaves the rules as JSON for
//! the binary: it needs no TOML parser to start.

use std::path::Path;
use std::{env, fs, process};

use detection::rule;

fn main() {
    // The root package has the rules beside it; the others have them one folder up.
    let folder = ["rules", "../rules"].into_iter().map(Path::new).find(|folder| folder.is_dir());
    let folder = folder.expect("the workspace has a folder of rules");
    println!("cargo::rerun-if-changed={}", folder.display());
    match rule::read(files(folder)) {
        Ok(files) => {
            for warning in files.warnings {
                println!("cargo::warning={warning}");
            }
            // Cargo sets OUT_DIR for every build script, and the types have nothing that JSON cannot hold.
            let out = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
            let json = serde_json::to_string(&files.rules).expect("rules are plain data");
            fs::write(Path::new(&out).join("rules.json"), json).expect("OUT_DIR can be written");
        }
        Err(errors) => {
            for error in &errors {
                eprintln!("{error}\n");
            }
            eprintln!("{} mistakes in the rules", errors.len());
            process::exit(1);
        }
    }
}

/// Name and text of every rule file, in the order of their names.
fn files(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).expect("the workspace has a folder of rules");
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let read = |path: &Path| fs::read_to_string(path).expect("rule files are UTF-8 text");
    paths.iter().map(|path| (path.display().to_string(), read(path))).collect()
}
