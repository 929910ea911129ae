//! Rules: data that says what to look for.

mod definition;
mod file;

pub use definition::{Definition, Severity, Source, Threat, ThreatEntry};
pub use file::{Error, Files, read};
