//! Makes the embedded bundles of the rule files, so that a broken rule fails the build and not a start, and so that the
//! binary needs no parser of TOML or YAML.

use std::path::Path;
use std::{env, fs, process};

use rules_folder::Folder;

/// The pack that is embedded, and on only if somebody asks for it.
const STARTER: &str = "starter";

fn main() {
    // The rules are beside the root package, and one folder above the others.
    let folder = ["rules", "../rules"].into_iter().map(Path::new).find(|folder| folder.is_dir());
    let folder = folder.unwrap_or_else(|| stop("the workspace has no folder of rules"));
    println!("cargo::rerun-if-changed={}", folder.display());
    // Tests run this script over folders of their own.
    println!("cargo::rustc-env=BUILD_SCRIPT={}", env::current_exe().unwrap_or_default().display());
    // Cargo sets OUT_DIR for every build script.
    let out = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    for (name, skipped) in [("seed", &[STARTER][..]), (STARTER, &[])] {
        let text = bundle(folder, skipped);
        fs::write(Path::new(&out).join(name).with_extension("json"), text).expect("OUT_DIR can be written");
    }
}

fn bundle(folder: &Path, skipped: &[&str]) -> String {
    let read = Folder::read(folder, skipped, &[]).unwrap_or_else(|error| stop(&error));
    for warning in &read.contents.reading.warnings {
        println!("cargo::warning={warning}");
    }
    match read.bundle() {
        Ok(bundle) if bundle.rules.is_empty() => stop(&format!("{}: no rule in it", folder.display())),
        Ok(bundle) => bundle.text(),
        Err(errors) => {
            for error in &errors {
                eprintln!("{error}\n");
            }
            let s = if errors.len() == 1 { "" } else { "s" };
            stop(&format!("{} mistake{s} in the rules", errors.len()));
        }
    }
}

fn stop(reason: &str) -> ! {
    eprintln!("{reason}");
    process::exit(1)
}
