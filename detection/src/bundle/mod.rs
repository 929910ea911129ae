//! Bundles: rules, exceptions, account names and routes in one file, as the function reads them.
//!
//! ```json
//! {
//! "format": 1,
//! "sha256": "…",
//! "content": { "tool": "2.0.0", "files": { "count": 3, "sha256": "…" }, "rules": [ … ], … }
//! }
//! ```
//!
//! `sha256` is the hash of the text of `content`, byte for byte: a bundle that was cut or altered is refused. The code
//! that writes a bundle has checked all of it (feature `rule-files`), so reading one needs no TOML or YAML parser.

#[cfg(feature = "rule-files")]
mod account;
mod error;
#[cfg(feature = "rule-files")]
mod exception;
#[cfg(feature = "rule-files")]
mod folder;
#[cfg(feature = "rule-files")]
mod keys;
#[cfg(feature = "rule-files")]
mod route;

use std::fmt::Write;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

pub use error::Error;
#[cfg(feature = "rule-files")]
pub use folder::{Contents, Texts};

use crate::notice::Accounts;
use crate::rule::Source;

/// The format version. Any other is refused.
const FORMAT: u64 = 1;
/// The maximum length of a bundle. Three hundred rules take about one megabyte.
pub const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// What the function uses to find signals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// The version of the tool that wrote it.
    pub tool: String,
    /// The files that it was made from.
    pub files: Files,
    /// The rules, in the order of their files.
    pub rules: Vec<Source>,
    /// The exceptions, in the order of their files.
    pub exceptions: Vec<Exception>,
    /// Account names, by account id.
    pub accounts: Accounts,
    /// Where notices go, in the order of their files.
    pub routes: Vec<Route>,
}

/// The files that a bundle was made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// How many there were.
    pub count: usize,
    /// The SHA-256 of their names and texts.
    pub sha256: String,
}

/// An exception: matches that are counted and logged, but not published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The file it came from, or the name of the setting.
    pub file: String,
    /// The identifiers of the rules it applies to; `None` for all rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Vec<String>>,
    /// A KQL query for the matches that it takes out.
    pub query: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who is responsible for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The day from which it no longer applies, such as `2026-12-24`: events of that day in UTC are not taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

impl Exception {
    /// An exception to all rules, from a setting or an option.
    #[must_use]
    pub fn of_setting(name: &str, query: String) -> Self {
        Self { file: name.to_owned(), rules: None, query, reason: None, owner: None, expires: None }
    }
}

/// A route: notices about some signals go to a topic of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The file it came from.
    pub file: String,
    /// KQL over the alert document.
    pub query: String,
    /// The ARN of the topic.
    pub topic: String,
    /// Whether later routes are skipped for a signal that this one takes.
    #[serde(default)]
    pub stop: bool,
}

/// Which of the rules in the binary are enabled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Embedded {
    /// `seed`: every rule under `rules/` except those under `rules/starter/`.
    #[default]
    Seed,
    /// `starter`: those and the starter pack.
    Starter,
    /// `none`
    None,
}

impl Embedded {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Seed, Self::Starter, Self::None];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::Starter => "starter",
            Self::None => "none",
        }
    }
}

impl FromStr for Embedded {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let choice = Self::ALL.into_iter().find(|choice| choice.as_str() == word);
        choice.ok_or_else(|| format!("is {word:?}: expected seed, starter or none"))
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    format: Option<u64>,
    sha256: Option<String>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

impl Bundle {
    /// Reads a bundle and checks that it is unaltered.
    ///
    /// # Errors
    /// It is empty, too long, cut off, altered, not a bundle, or in another version of the format.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Error::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|error| match error.error_len() {
            Some(_) => Error::NotJson("it is not UTF-8 text".to_owned()),
            None => Error::Cut,
        })?;
        if text.trim().is_empty() {
            return Err(Error::Empty);
        }
        let envelope: Envelope = serde_json::from_str(text).map_err(|error| match error.classify() {
            serde_json::error::Category::Eof => Error::Cut,
            serde_json::error::Category::Data => Error::NotABundle,
            _ => Error::NotJson(error.to_string()),
        })?;
        match envelope.format {
            None => return Err(Error::NotABundle),
            Some(FORMAT) => {}
            Some(other) => return Err(Error::Format(other)),
        }
        let (Some(expected), Some(content)) = (envelope.sha256, envelope.content) else {
            return Err(Error::NotABundle);
        };
        if sha256(content.get().as_bytes()) != expected {
            return Err(Error::Altered);
        }
        let bundle: Self =
            serde_json::from_str(content.get()).map_err(|error| Error::Content(error.to_string()))?;
        if bundle.is_empty() { Err(Error::Empty) } else { Ok(bundle) }
    }

    /// The text of the bundle.
    #[cfg(feature = "rule-files")]
    #[must_use]
    pub fn text(&self) -> String {
        // Strings, numbers and maps with string keys always serialize.
        let content = serde_json::to_string_pretty(self).unwrap_or_default();
        let sha256 = sha256(content.as_bytes());
        format!("{{\n\"format\": {FORMAT},\n\"sha256\": \"{sha256}\",\n\"content\": {content}\n}}\n")
    }

    /// Returns whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { tool: _, files: _, rules, exceptions, accounts, routes } = self;
        rules.is_empty() && exceptions.is_empty() && accounts.is_empty() && routes.is_empty()
    }

    /// Adds what another bundle holds. A rule replaces the one here that has the same identifier.
    pub fn add(&mut self, other: Self) {
        for rule in other.rules {
            let id = &rule.definition.rule_id;
            match self.rules.iter_mut().find(|here| here.definition.rule_id == *id) {
                Some(here) => *here = rule,
                None => self.rules.push(rule),
            }
        }
        self.exceptions.extend(other.exceptions);
        self.accounts.extend(other.accounts);
        self.routes.extend(other.routes);
    }
}

/// Lower-case hexadecimal.
fn sha256(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a string cannot fail.
        _ = write!(text, "{byte:02x}");
    }
    text
}
