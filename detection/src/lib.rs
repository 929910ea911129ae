//! CloudTrail records in, detection signals out: the whole of the detection, without I/O, clock or environment.
//!
//! ```text
//! bytes ─▶ records ─▶ detect ─▶ signal
//!          gunzip,    rules out, alert
//!          split      then ecs,  document
//!                     query      and id
//! ```
//!
//! [`rule`] holds what rule files say, [`query`] the language that they are written in, and [`ecs`] how a record becomes
//! a document that a query can ask.

pub mod detect;
pub mod ecs;
pub mod key;
mod nested;
pub mod origin;
pub mod pipeline;
pub mod query;
pub mod records;
pub mod rule;
pub mod signal;
pub mod time;
