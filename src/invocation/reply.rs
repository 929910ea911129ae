//! The reply that each kind of trigger expects.

use std::rc::Rc;

use aws_lambda_events::s3::batch_job::{S3BatchJobResponse, S3BatchJobResult};
use aws_lambda_events::sqs::SqsBatchResponse;
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

use crate::failure::{Failure, Retry};
use crate::invocation::report::Report;
use crate::telemetry::counters::Counters;
use crate::trigger::ReplyKind;

/// S3 Batch Operations shows at most this much of a result in its report.
const MAX_RESULT_CHARS: usize = 1000;

/// A failed invocation, as Lambda and an on-failure destination see it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub Failure);

impl From<Error> for Diagnostic {
    fn from(Error(failure): Error) -> Self {
        let error_type = match failure.retry {
            Retry::Transient => "TransientError",
            Retry::Permanent => "PermanentError",
        };
        Self { error_type: error_type.to_owned(), error_message: failure.reason }
    }
}

/// Makes the reply for all messages of an invocation.
///
/// # Errors
/// Something failed, and the trigger understands only an error as a reply.
pub fn reply(kind: &ReplyKind, reports: &[Rc<Report>], counters: &Counters) -> Result<Value, Error> {
    match kind {
        ReplyKind::SqsBatch => sqs_batch(reports),
        ReplyKind::S3BatchJob { schema_version, invocation_id } => {
            batch_job(schema_version, invocation_id, reports)
        }
        ReplyKind::Summary => match failed(reports) {
            Some(failure) => Err(Error(failure)),
            None => Ok(json!(counters)),
        },
    }
}

fn sqs_batch(reports: &[Rc<Report>]) -> Result<Value, Error> {
    let mut response = SqsBatchResponse::default();
    for report in reports {
        match (all(&report.failures()), &report.id) {
            (None, _) => {}
            (Some(_), Some(id)) => response.add_failure(id),
            // The reply cannot name a message without an identifier, so all messages fail.
            (Some(failure), None) => return Err(Error(failure)),
        }
    }
    Ok(json!(response))
}

fn batch_job(schema_version: &str, invocation_id: &str, reports: &[Rc<Report>]) -> Result<Value, Error> {
    let mut response = S3BatchJobResponse::default();
    response.invocation_schema_version = Some(schema_version.to_owned());
    response.treat_missing_keys_as = Some("PermanentFailure".to_owned());
    response.invocation_id = Some(invocation_id.to_owned());
    for report in reports {
        let (code, text) = match all(&report.failures()) {
            None => {
                let Counters { records, matched, .. } = report.counters();
                ("Succeeded", format!("{records} records, {matched} matched"))
            }
            // The reply cannot name a task without an identifier, which is a failure of its own: all tasks fail.
            Some(failure) if report.id.is_none() => return Err(Error(failure)),
            Some(failure) => match failure.retry {
                Retry::Transient => ("TemporaryFailure", failure.reason),
                Retry::Permanent => ("PermanentFailure", failure.reason),
            },
        };
        let mut result = S3BatchJobResult::default();
        result.task_id.clone_from(&report.id);
        result.result_code = Some(code.to_owned());
        result.result_string = Some(text.chars().take(MAX_RESULT_CHARS).collect());
        response.results.push(result);
    }
    Ok(json!(response))
}

/// Combines the failures of all messages.
fn failed(reports: &[Rc<Report>]) -> Option<Failure> {
    let failures: Vec<_> = reports.iter().flat_map(|report| report.failures().to_vec()).collect();
    all(&failures)
}

/// Combines failures into one, which is transient if any of them is.
fn all(failures: &[Failure]) -> Option<Failure> {
    let first = failures.first()?;
    let transient = failures.iter().any(|failure| failure.retry == Retry::Transient);
    let more = failures.len() - 1;
    let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
    Some(Failure {
        retry: if transient { Retry::Transient } else { first.retry },
        reason: format!("{}{more}", first.reason),
    })
}
