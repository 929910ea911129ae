//! Rules: data that says what to look for.
//!
//! This module holds facts only. The build reads rule files with it (feature `rule-files`); `detect` turns what was
//! read into something that evaluates records.

#[cfg(feature = "rule-files")]
mod attack;
mod definition;
#[cfg(feature = "rule-files")]
mod elastic;
#[cfg(feature = "rule-files")]
mod file;
#[cfg(feature = "rule-files")]
mod loops;
mod memory;
#[cfg(feature = "rule-files")]
mod sigma;
#[cfg(feature = "rule-files")]
mod yaml;

pub use definition::{Definition, Language, Severity, Source, Threat, ThreatEntry};
#[cfg(feature = "rule-files")]
pub use elastic::is_for_production;
#[cfg(feature = "rule-files")]
pub use file::{Error, Reading, is_rule_file, read};
pub use memory::{Cardinality, Memory, MissingFields};
