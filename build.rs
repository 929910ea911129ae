//! Reads every rule file, so that a broken rule fails the build and not a start, and writes the rules as JSON for the
//! binary, which then needs no parser of TOML or YAML.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::{env, fs, io, process};

use detection::rule;

/// Names at the top of the folder that are not rules, or that are not embedded by default.
const NOT_EMBEDDED: [&str; 4] = ["accounts.json", "exceptions", "routes", "starter"];

fn main() {
    // The rules are beside the root package, and one folder above the others.
    let folder = ["rules", "../rules"].into_iter().map(Path::new).find(|folder| folder.is_dir());
    let folder = folder.unwrap_or_else(|| stop("the workspace has no folder of rules"));
    println!("cargo::rerun-if-changed={}", folder.display());
    // Tests run this script over folders of their own.
    println!("cargo::rustc-env=BUILD_SCRIPT={}", env::current_exe().unwrap_or_default().display());
    let mut paths = Vec::new();
    let mut seen = fs::canonicalize(folder).into_iter().collect();
    if let Err(error) = rule_files(folder, &NOT_EMBEDDED, &mut seen, &mut paths) {
        stop(&format!("{}: {error}", folder.display()));
    }
    let text = |path: &PathBuf| {
        let text =
            fs::read_to_string(path).unwrap_or_else(|error| stop(&format!("{}: {error}", path.display())));
        (path.display().to_string(), text)
    };
    let reading = rule::read(paths.iter().map(text));
    for warning in &reading.warnings {
        println!("cargo::warning={warning}");
    }
    match reading.all() {
        Ok(rules) if rules.is_empty() => stop(&format!("{}: no rule in it", folder.display())),
        Ok(rules) => {
            // Cargo sets OUT_DIR for every build script, and JSON can hold every value of these types.
            let out = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
            let json = serde_json::to_string(&rules).expect("rules are plain data");
            fs::write(Path::new(&out).join("rules.json"), json).expect("OUT_DIR can be written");
        }
        Err(errors) => {
            for error in &errors {
                eprintln!("{error}\n");
            }
            let s = if errors.len() == 1 { "" } else { "s" };
            stop(&format!("{} mistake{s} in the rules", errors.len()));
        }
    }
}

/// Adds every rule file at any depth, sorted by name. Reads each file and folder once, however many links lead to it.
fn rule_files(
    folder: &Path,
    skipped: &[&str],
    seen: &mut HashSet<PathBuf>,
    files: &mut Vec<PathBuf>,
) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.retain(|entry| !skipped.iter().any(|name| entry.file_name() == *name));
    entries.sort_by_key(fs::DirEntry::file_name);
    for path in entries.iter().map(fs::DirEntry::path) {
        let is_rule = rule::is_rule_file(&path);
        if (path.is_dir() || is_rule) && seen.insert(fs::canonicalize(&path)?) {
            if path.is_dir() {
                rule_files(&path, &[], seen, files)?;
            } else {
                files.push(path);
            }
        }
    }
    Ok(())
}

fn stop(reason: &str) -> ! {
    eprintln!("{reason}");
    process::exit(1)
}
