//! CloudTrail deliveries in, detection signals out.
//!
//! One AWS Lambda function: S3 tells it of a delivery, it applies the detection rules compiled into it, and publishes
//! every match to SNS as a *signal*, a building block for other rules and for people.
//!
//! Data takes one road, and no room knows of a room further on:
//!
//! ```text
//! payload ─▶ trigger ─▶ delivery ─▶ records ─▶ rule ─▶ signal ─▶ publish ─▶ reply
//!            envelopes  S3 objects  gunzip,    kql,    document  SNS        what the
//!            unwrapped  as bytes    split      ecs     and id    batches    trigger expects
//! ```
//!
//! [`records`], [`ecs`], [`kql`], [`rule`], [`signal`] and [`inspect`], which joins them, are pure: no I/O, no clock, no
//! environment. [`handler`] drives one invocation.

pub mod archive;
pub mod aws;
pub mod counters;
pub mod delivery;
pub mod ecs;
pub mod failure;
pub mod handler;
pub mod inspect;
pub mod kql;
pub mod metrics;
mod nested;
pub mod object;
pub mod origin;
pub mod publish;
mod reading;
pub mod records;
pub mod reply;
pub mod rule;
pub mod settings;
pub mod signal;
pub mod telemetry;
pub mod trigger;
