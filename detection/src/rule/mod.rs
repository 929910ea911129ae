//! Rules: data that says what to look for.
//!
//! This module holds facts only. The build reads rule files with it; `detect` turns what was read into something that
//! judges records.

mod attack;
mod definition;
mod elastic;
mod file;
mod sigma;
mod yaml;

pub use definition::{Definition, Language, Severity, Source, Threat, ThreatEntry};
pub use file::{Error, Reading, is_rule_file, read};
