//! The rules of the function: those in the binary, and those of the bundle that `RULES_BUNDLE` names.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::time::SystemTime;

use detection::bundle::{self, Bundle, Embedded, Exception};
use detection::detect::{Rule, Ruleset};
use detection::rule::{Language, Memory, Source};

use crate::settings::variable::{EMBEDDED_RULES, EXCEPTION_QUERY, RULES_BUNDLE};
use crate::settings::{Error, Settings};
use crate::telemetry;

/// Every rule below `rules/` but outside `rules/starter/`, as checked and written by the build.
const SEED: &str = include_str!(concat!(env!("OUT_DIR"), "/seed.json"));
/// Those and the starter pack.
const STARTER: &str = include_str!(concat!(env!("OUT_DIR"), "/starter.json"));
/// Exceptions that end within this many days are named at the start.
const WARNING_DAYS: i64 = 14;

/// The rules that are on, with the exceptions from them, and where they came from.
#[derive(Debug)]
pub struct Loaded {
    /// The rules.
    pub rules: Ruleset,
    /// How many rules of each kind are on.
    pub kinds: BTreeMap<&'static str, usize>,
    /// How many of the embedded rules are on.
    pub embedded: usize,
    /// How many rules of the bundle are on.
    pub bundled: usize,
}

/// Reads the rules that the settings ask for.
///
/// # Errors
/// The bundle cannot be read, or there is no rule at all.
pub fn load(settings: &Settings) -> Result<Loaded, Error> {
    let mut bundle = embedded(settings.embedded_rules)?;
    let mut from_bundle = Vec::new();
    if let Some(path) = &settings.rules_bundle {
        let added = read(path).map_err(|problem| bundle_error(path, &problem))?;
        from_bundle.extend(added.rules.iter().map(|rule| rule.definition.rule_id.clone()));
        bundle.add(added);
    }
    let kinds: HashMap<_, _> =
        bundle.rules.iter().map(|rule| (rule.definition.rule_id.clone(), kind(rule))).collect();
    let unusable = |errors: Vec<detection::query::Error>| {
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        let problem = format!("holds a query that this version does not understand:\n{}", errors.join("\n"));
        bundle_error(settings.rules_bundle.as_deref().unwrap_or(Path::new("")), &problem)
    };
    let mut rules = Ruleset::of_bundle(bundle).map_err(unusable)?;
    if let Some(query) = settings.exceptions.clone() {
        rules.except(Exception::of_setting(EXCEPTION_QUERY.name, query)).map_err(unusable)?;
    }
    let mut loaded = Loaded { rules, kinds: BTreeMap::new(), embedded: 0, bundled: 0 };
    // Without a table nothing is remembered, and rules that need memory are off.
    let is_on = |rule: &&Rule| {
        settings.memory_table.is_some() || !rule.memory.as_ref().is_some_and(Memory::is_needed)
    };
    for rule in loaded.rules.rules().iter().filter(is_on) {
        let id = &rule.definition.rule_id;
        *loaded.kinds.entry(kinds.get(id).copied().unwrap_or_default()).or_default() += 1;
        *if from_bundle.contains(id) { &mut loaded.bundled } else { &mut loaded.embedded } += 1;
    }
    if loaded.on() == 0 {
        let problem = match &settings.rules_bundle {
            None => {
                "turns all rules off: name a bundle of rules in RULES_BUNDLE, or leave EMBEDDED_RULES out"
            }
            Some(_) => {
                "turns the embedded rules off, and no rule of RULES_BUNDLE is on: nothing would be found"
            }
        };
        return Err(Error { variable: EMBEDDED_RULES.name, problem: problem.to_owned() });
    }
    Ok(loaded)
}

impl Loaded {
    /// How many rules are on.
    #[must_use]
    pub fn on(&self) -> usize {
        self.embedded + self.bundled
    }

    /// Logs which rules are on and from where, and which exceptions end soon.
    pub fn log(&self, settings: &Settings, now: SystemTime) {
        let Self { rules, kinds, embedded, bundled } = self;
        let kinds: Vec<_> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        telemetry::started(&telemetry::Start {
            rules: self.on(),
            kinds: &kinds.join(", "),
            embedded_rules: settings.embedded_rules.as_str(),
            embedded: *embedded,
            bundle: settings.rules_bundle.as_deref(),
            bundled: *bundled,
            exceptions: rules.exceptions().count(),
            accounts: rules.accounts.len(),
        });
        let ending: Vec<_> = rules.ending(now, WARNING_DAYS).map(ending).collect();
        if !ending.is_empty() {
            telemetry::exceptions_end(&ending.join(", "));
        }
    }
}

fn ending(Exception { file, expires, .. }: &Exception) -> String {
    format!("{file} ({})", expires.as_deref().unwrap_or_default())
}

fn embedded(choice: Embedded) -> Result<Bundle, Error> {
    let text = match choice {
        Embedded::Seed => SEED,
        Embedded::Starter => STARTER,
        Embedded::None => return Ok(Bundle::default()),
    };
    // The build wrote it with the same code, and a damaged binary does not get this far.
    Bundle::read(text.as_bytes()).map_err(|error| Error {
        variable: EMBEDDED_RULES.name,
        problem: format!("names a bundle that {error}"),
    })
}

/// Reads a bundle. Stops after the maximum size.
fn read(path: &Path) -> Result<Bundle, String> {
    let mut bytes = Vec::new();
    let length = fs::metadata(path).map_err(|error| cannot(&error))?.len().min(bundle::MAX_BYTES);
    // Allows for a file of this size; a larger one is refused after one more byte.
    bytes.reserve(usize::try_from(length).unwrap_or_default() + 1);
    let file = File::open(path).map_err(|error| cannot(&error))?;
    file.take(bundle::MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| cannot(&error))?;
    Bundle::read(&bytes).map_err(|error| error.to_string())
}

fn cannot(error: &std::io::Error) -> String {
    format!("cannot be read: {error}")
}

fn bundle_error(path: &Path, problem: &str) -> Error {
    Error { variable: RULES_BUNDLE.name, problem: format!("names {}, which {problem}", path.display()) }
}

/// What people call this kind of rule.
fn kind(rule: &Source) -> &'static str {
    match (&rule.language, rule.definition.rule_type.as_str()) {
        (Language::Sigma, _) => "sigma",
        (Language::Eql { .. }, _) => "eql",
        (Language::Kuery, "new_terms") => "new_terms",
        (Language::Kuery, "threshold") => "threshold",
        (Language::Kuery, _) => "query",
    }
}
