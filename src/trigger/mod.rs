//! What invoked the function: any envelope, unwrapped to objects and records.
//!
//! [`recognise`] never trusts a payload to be what it should be: shapes are told apart by their own marks, envelopes
//! inside envelopes are opened (bounded), and whatever is not known is an error for that message alone.

mod cloudwatch_logs;
mod eventbridge;
mod s3;
mod sns;
mod sqs;

use serde_json::{Map, Value};

use detection::origin::Object;
use detection::origin::Origin;

/// S3 in SNS in SQS is three; nothing that AWS sends is deeper.
const MAX_DEPTH: usize = 5;
/// A key or a name from a payload is quoted in an error up to this length.
const QUOTED_CHARS: usize = 64;

/// Why a message cannot be understood. Nothing of this gets better by trying again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text inside an envelope is not JSON.
    #[error("the {envelope} does not hold JSON: {reason}")]
    NotJson {
        /// What held the text.
        envelope: &'static str,
        /// What the parser says.
        reason: String,
    },
    /// No known envelope.
    #[error(
        "unknown payload ({found}): expected an event of S3, SQS, SNS, EventBridge, CloudWatch Logs, CloudTrail or S3 Batch Operations"
    )]
    Unknown {
        /// What there is instead.
        found: String,
    },
    /// A known envelope without one of its parts.
    #[error("the {envelope} has no {part}")]
    Missing {
        /// The envelope.
        envelope: &'static str,
        /// What it should have.
        part: &'static str,
    },
    /// The key of an S3 event is not what S3 sends.
    #[error("the object key is not UTF-8 after decoding: {key:?}")]
    Key {
        /// The key as it came.
        key: String,
    },
    /// Something that no bucket can be called, such as an ARN.
    #[error("no bucket can have this name: {bucket:?}")]
    Bucket {
        /// The name as it came.
        bucket: String,
    },
    /// Compressed log events that cannot be read.
    #[error("the CloudWatch Logs data cannot be read: {reason}")]
    LogData {
        /// Why not.
        reason: String,
    },
    /// Envelopes in envelopes without end.
    #[error("more than {MAX_DEPTH} envelopes inside each other")]
    TooDeep,
}

/// Something to look at.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A delivery in S3.
    Object(Object),
    /// Records that came with the message.
    Records {
        /// Where they came from.
        origin: Origin,
        /// Each as JSON text.
        records: Vec<String>,
    },
    /// Nothing to do, for this reason.
    Nothing(&'static str),
}

/// One message of an invocation, which succeeds or fails as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The identifier that the reply names it by: an SQS message id or a batch job's task id.
    pub id: Option<String>,
    /// What it holds; a part that cannot be understood costs the others nothing.
    pub sources: Vec<Result<Source, Error>>,
}

/// What the caller wants to hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyKind {
    /// An SQS batch: the messages that failed.
    SqsBatch,
    /// An S3 batch job: a result for every task.
    S3BatchJob {
        /// The schema version that the job speaks.
        schema_version: String,
        /// The job's identifier of this invocation.
        invocation_id: String,
    },
    /// Anything else: an error, or a summary that nobody needs but people.
    Summary,
}

/// A payload, unwrapped.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// Its messages.
    pub messages: Vec<Message>,
    /// The form of the reply.
    pub reply: ReplyKind,
}

/// Recognises any payload and unwraps it to its messages.
///
/// # Errors
/// The payload as a whole is not of a known kind. Mistakes in parts of it stand in their messages.
pub fn recognise(payload: &Value) -> Result<Invocation, Error> {
    let Value::Object(envelope) = payload else { return Err(unknown(payload)) };
    if s3::is_batch_job(envelope) {
        return s3::batch_job(envelope);
    }
    let Some(records) = envelope.get("Records") else {
        let message = Message { id: None, sources: unwrap(payload, 0) };
        // A payload that is one unknown thing is unknown as a whole.
        if let [Err(error)] = message.sources.as_slice() {
            return Err(error.clone());
        }
        return Ok(Invocation { messages: vec![message], reply: ReplyKind::Summary });
    };
    let records = records.as_array().filter(|records| !records.is_empty()).ok_or_else(|| unknown(payload))?;
    let is_sqs = records.iter().any(sqs::is_message);
    let message = |record| Message {
        id: is_sqs.then(|| sqs::message_id(record)).flatten(),
        sources: unwrap_record(record, 0),
    };
    let reply = if is_sqs { ReplyKind::SqsBatch } else { ReplyKind::Summary };
    Ok(Invocation { messages: records.iter().map(message).collect(), reply })
}

/// What an envelope without `Records`, or any that lies in another one, holds.
fn unwrap(value: &Value, depth: usize) -> Vec<Result<Source, Error>> {
    if depth > MAX_DEPTH {
        return vec![Err(Error::TooDeep)];
    }
    let Value::Object(envelope) = value else { return vec![Err(unknown(value))] };
    if let Some(Value::Array(records)) = envelope.get("Records")
        && !records.is_empty()
    {
        return records.iter().flat_map(|record| unwrap_record(record, depth)).collect();
    }
    sns::notification(envelope, depth)
        .or_else(|| s3::test_event(envelope))
        .or_else(|| s3::cloudtrail_notice(envelope))
        .or_else(|| eventbridge::event(envelope))
        .or_else(|| cloudwatch_logs::subscription(envelope))
        .unwrap_or_else(|| vec![Err(unknown(value))])
}

/// One element of an envelope's `Records`.
fn unwrap_record(record: &Value, depth: usize) -> Vec<Result<Source, Error>> {
    let Value::Object(fields) = record else { return vec![Err(unknown(record))] };
    match text(fields, "eventSource").or(text(fields, "EventSource")) {
        Some("aws:s3") => vec![s3::notification(fields)],
        Some("aws:sqs") => sqs::body(fields, depth),
        Some("aws:sns") => sns::record(fields, depth),
        _ => vec![Err(unknown(record))],
    }
}

/// What the text inside an envelope holds.
fn unwrap_text(text: &str, envelope: &'static str, depth: usize) -> Vec<Result<Source, Error>> {
    if text.trim() == "CloudTrail validation message." {
        return vec![Ok(Source::Nothing("CloudTrail's test of the topic"))];
    }
    match serde_json::from_str(text) {
        Ok(value) => unwrap(&value, depth + 1),
        Err(error) => vec![Err(Error::NotJson { envelope, reason: error.to_string() })],
    }
}

fn unknown(value: &Value) -> Error {
    let found = match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(fields) => {
            if let Some(source) = text(fields, "eventSource").or(text(fields, "source")) {
                format!("from {:?}", quoted(source))
            } else {
                let keys: Vec<_> = fields.keys().take(5).map(|key| quoted(key)).collect();
                format!("an object with the keys {keys:?}")
            }
        }
    };
    Error::Unknown { found }
}

fn quoted(text: &str) -> String {
    text.chars().take(QUOTED_CHARS).collect()
}

fn text<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    map.get(key)?.as_str()
}
