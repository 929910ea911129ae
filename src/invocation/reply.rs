//! The answer that each kind of trigger expects.

use aws_lambda_events::s3::batch_job::{S3BatchJobResponse, S3BatchJobResult};
use aws_lambda_events::sqs::SqsBatchResponse;
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

use crate::failure::{Failure, Retry};
use crate::telemetry::counters::Counters;
use crate::trigger::ReplyKind;

/// S3 Batch Operations shows this much of a result in its report.
const MAX_RESULT_CHARS: usize = 1000;

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The identifier that the trigger knows it by.
    pub id: Option<String>,
    /// Its own counters.
    pub counters: Counters,
    /// What went wrong with it, if anything did.
    pub failures: Vec<Failure>,
}

impl Outcome {
    /// One failure for all: transient if a new try can help with any of them.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        let first = self.failures.first()?;
        let transient = self.failures.iter().any(|failure| failure.retry == Retry::Transient);
        let more = self.failures.len() - 1;
        let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        Some(Failure {
            retry: if transient { Retry::Transient } else { first.retry },
            reason: format!("{}{more}", first.reason),
        })
    }
}

/// An invocation that failed, as Lambda and an on-failure destination see it.
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

/// Answers for all messages of an invocation.
///
/// # Errors
/// Something failed, and the trigger has no other way to be told.
pub fn reply(kind: &ReplyKind, outcomes: &[Outcome], counters: &Counters) -> Result<Value, Error> {
    match kind {
        ReplyKind::SqsBatch => sqs_batch(outcomes),
        ReplyKind::S3BatchJob { schema_version, invocation_id } => {
            batch_job(schema_version, invocation_id, outcomes)
        }
        ReplyKind::Summary => match failed(outcomes) {
            Some(failure) => Err(Error(failure)),
            None => Ok(json!(counters)),
        },
    }
}

fn sqs_batch(outcomes: &[Outcome]) -> Result<Value, Error> {
    let mut response = SqsBatchResponse::default();
    for outcome in outcomes {
        match (outcome.failure(), &outcome.id) {
            (None, _) => {}
            (Some(_), Some(id)) => response.add_failure(id),
            // A message that cannot be named can only fail with all the others.
            (Some(failure), None) => return Err(Error(failure)),
        }
    }
    Ok(json!(response))
}

fn batch_job(schema_version: &str, invocation_id: &str, outcomes: &[Outcome]) -> Result<Value, Error> {
    let mut response = S3BatchJobResponse::default();
    response.invocation_schema_version = Some(schema_version.to_owned());
    response.treat_missing_keys_as = Some("PermanentFailure".to_owned());
    response.invocation_id = Some(invocation_id.to_owned());
    for outcome in outcomes {
        let failure = outcome.failure();
        if outcome.id.is_none() {
            let reason = "a task of the batch job has no taskId";
            return Err(Error(failure.unwrap_or_else(|| Failure::permanent(reason))));
        }
        let (code, text) = match failure {
            None => {
                let Counters { records, matched, .. } = outcome.counters;
                ("Succeeded", format!("{records} records, {matched} matched"))
            }
            Some(failure) => match failure.retry {
                Retry::Transient => ("TemporaryFailure", failure.reason),
                Retry::Permanent => ("PermanentFailure", failure.reason),
            },
        };
        let mut result = S3BatchJobResult::default();
        result.task_id.clone_from(&outcome.id);
        result.result_code = Some(code.to_owned());
        result.result_string = Some(text.chars().take(MAX_RESULT_CHARS).collect());
        response.results.push(result);
    }
    Ok(json!(response))
}

/// One failure for the whole invocation.
fn failed(outcomes: &[Outcome]) -> Option<Failure> {
    let failures = outcomes.iter().flat_map(|outcome| outcome.failures.clone()).collect();
    Outcome { id: None, counters: Counters::default(), failures }.failure()
}
