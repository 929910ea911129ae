//! CloudTrail records in, detection signals out: all of the detection logic, with no I/O, clock or environment.
//!
//! ```text
//! bytes ─▶ records ─▶ detect ─▶ signal
//!          gunzip,    rules out, alert
//!          split      then ecs,  document
//!                     query      and id
//! ```
//!
//! [`rule`] reads rule files, [`query`] parses and evaluates their queries, and [`ecs`] maps a record to the document that
//! queries are evaluated on. [`pipeline`] connects the modules: records in, signals and counts out. [`notice`] renders
//! signals as text for people. [`silence`] watches for accounts whose deliveries stop.

pub mod bundle;
pub mod detect;
pub mod ecs;
pub mod key;
pub mod memory;
mod nested;
pub mod notice;
pub mod origin;
pub mod pipeline;
pub mod query;
pub mod records;
pub mod rule;
pub mod signal;
pub mod silence;
pub mod time;
