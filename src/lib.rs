//! CloudTrail deliveries in, detection signals out.
//!
//! One AWS Lambda function: it reads each delivery that S3 announces, applies the detection rules compiled into it, and
//! publishes every match to SNS as a *signal*, a building block for other rules and for people.
//!
//! ```text
//! payload ─▶ trigger ─▶ s3 ─▶ detection ─▶ memory ─▶ publish ─▶ reply
//!            envelopes  GET,   records,     DynamoDB,  SNS        what the
//!            unwrapped  bytes  rules,       is it      batches    trigger expects
//!                              signals      new?
//! ```
//!
//! The `detection` crate does everything that needs no I/O. This crate does the rest; [`invocation`] drives it.

pub mod aws;
pub mod failure;
pub mod invocation;
mod memory;
pub mod publish;
pub mod rules;
pub mod s3;
pub mod settings;
pub mod telemetry;
pub mod trigger;
