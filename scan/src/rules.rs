//! The rules of a run: those in the binary, those of a folder, or both, with the exceptions from them.

use std::path::Path;

use detection::bundle::{Bundle, Contents, Embedded, Exception};
use detection::rule::Source;
use rules_folder::Folder;

use crate::summary::count;

/// Every rule below `rules/` but outside `rules/starter/`, as checked and written by the build.
const SEED: &str = include_str!(concat!(env!("OUT_DIR"), "/seed.json"));
/// Those and the starter pack.
const STARTER: &str = include_str!(concat!(env!("OUT_DIR"), "/starter.json"));

/// The rules that are compiled into this binary.
///
/// # Panics
/// Never: the build script wrote the same text with the same code.
pub fn embedded(choice: Embedded) -> Bundle {
    let text = match choice {
        Embedded::Seed => SEED,
        Embedded::Starter => STARTER,
        Embedded::None => return Bundle::default(),
    };
    Bundle::read(text.as_bytes()).expect("the build wrote a good bundle")
}

/// Reads a folder of rules. Its exceptions may also name embedded rules: the function has them beside a bundle.
///
/// # Errors
/// A file or folder that cannot be read. The error names its path.
pub fn read(folder: &Path) -> Result<Folder, String> {
    Folder::read(folder, &[], &embedded(Embedded::Starter).rules)
}

/// Reports on standard error what is wrong, what is not run and what is ignored in a folder of rules. Returns whether
/// nothing is wrong.
pub fn say_mistakes(folder: &Folder) -> bool {
    let reading = &folder.contents.reading;
    for warning in &reading.warnings {
        eprintln!("warning: {warning}");
    }
    for error in &reading.errors {
        eprintln!("{error}\n");
    }
    if !reading.errors.is_empty() {
        eprintln!("{} in the rules", count(reading.errors.len() as u64, "mistake"));
        return false;
    }
    let is_empty = reading.rules.is_empty() && reading.not_run.is_empty();
    let Contents { exceptions, accounts, routes, .. } = &folder.contents;
    if is_empty && exceptions.is_empty() && accounts.is_empty() && routes.is_empty() {
        eprintln!(
            "{}: no rule (*.toml with a [rule], *.yml with a detection for CloudTrail) in it, at any depth",
            folder.path.display()
        );
        return false;
    }
    true
}

/// The bundle of a folder if every rule in it can be run; otherwise `None`, with the reason on standard error.
pub fn bundle(folder: Folder) -> Option<Bundle> {
    if !say_mistakes(&folder) {
        return None;
    }
    let not_run = &folder.contents.reading.not_run;
    for reason in not_run {
        eprintln!("not run: {reason}\n");
    }
    if !not_run.is_empty() {
        eprintln!("remove the rules that cannot be run from {}", folder.path.display());
        return None;
    }
    folder.bundle().ok()
}

/// The rules of a folder and embedded ones. `None` if a rule is wrong or cannot be run, or if there are no rules;
/// standard error has the reason.
pub fn chosen(folder: Option<&Path>, choice: Option<Embedded>) -> Option<Bundle> {
    let by_default = if folder.is_some() { Embedded::None } else { Embedded::default() };
    let mut rules = embedded(choice.unwrap_or(by_default));
    if let Some(folder) = folder {
        let read = read(folder).map_err(|error| eprintln!("{error}")).ok()?;
        rules.add(bundle(read)?);
    }
    if rules.rules.is_empty() {
        eprintln!("there are no rules: name a folder of rules with --rules, or add --embedded seed");
        return None;
    }
    Some(rules)
}

/// The exceptions of a file, a folder or a query.
///
/// # Errors
/// What is wrong with them.
pub fn exceptions(text: &str, rules: &[Source]) -> Result<Vec<Exception>, String> {
    let path = Path::new(text);
    if !path.exists() {
        return Ok(vec![Exception::of_setting("--exceptions", text.to_owned())]);
    }
    let known = [rules, &embedded(Embedded::Starter).rules].concat();
    let contents = rules_folder::exceptions(path, &known)?;
    let errors: Vec<_> = contents.reading.errors.iter().map(ToString::to_string).collect();
    match errors[..] {
        [] if contents.exceptions.is_empty() => Err(format!("{text}: no exception (*.toml) in it")),
        [] => Ok(contents.exceptions),
        _ => Err(errors.join("\n")),
    }
}
