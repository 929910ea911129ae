//! What invoked the function: any envelope, unwrapped to the objects and the records that it brings.
//!
//! [`recognise`] never trusts a payload to be what it should be: shapes are told apart by their own marks, envelopes
//! inside envelopes are opened (bounded), and whatever is not known is an error for that message alone. A payload is
//! read as text, level by level, and never built as a whole: what a message holds costs no more memory than its bytes.

mod cloudwatch_logs;
mod envelope;
mod error;
mod eventbridge;
mod payload;
mod s3;
mod sns;
mod sqs;

use std::borrow::Cow;

use detection::origin::{Object, Origin};
use detection::records;
use envelope::Envelope;

pub use error::Error;
pub use payload::Payload;

/// S3 in SNS in SQS is three; nothing that AWS sends is deeper.
const MAX_DEPTH: usize = 5;
/// A message of S3 names one object and CloudTrail's notice a few. More than this no message honestly brings.
const MAX_PARTS: usize = 10_000;
/// Errors of one message that are kept one by one.
const MAX_ERRORS: usize = 16;

/// Something that records are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An object in S3, to be fetched.
    Object(Object),
    /// Bytes that came with the message, in any form that a file of records may have.
    Bytes {
        /// Where they came from.
        origin: Origin,
        /// JSON, compressed or not.
        bytes: Vec<u8>,
    },
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Something to read.
    Source(Source),
    /// Nothing to do, for this reason.
    Nothing(&'static str),
    /// Something that cannot be understood.
    Error(Error),
}

/// One message of an invocation, which succeeds or fails as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The identifier that the reply names it by: an SQS message id or a batch job's task id.
    pub id: Option<String>,
    /// What it holds; a part that cannot be understood costs the others nothing.
    pub parts: Vec<Part>,
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
pub fn recognise(payload: &str) -> Result<Invocation, Error> {
    let payload = repaired(payload);
    let envelope = Envelope::parse(&payload)?;
    if let Some(tasks) = envelope.tasks.filter(|_| envelope.invocation_schema_version.is_some()) {
        return s3::batch_job(&envelope, tasks);
    }
    let Some(records) = envelope.records else {
        let mut parts = Parts::default();
        unwrap(&payload, 0, &mut parts);
        let message = parts.into_message(None);
        // A payload that is one unknown thing is unknown as a whole.
        if let [Part::Error(error)] = message.parts.as_slice() {
            return Err(error.clone());
        }
        return Ok(Invocation { messages: vec![message], reply: ReplyKind::Summary });
    };
    let mut messages = Vec::new();
    let mut is_sqs = false;
    envelope::each(records, |record| {
        let record = Envelope::parse(record);
        let is_message = record.as_ref().is_ok_and(sqs::is_message);
        is_sqs |= is_message;
        let id = record.as_ref().ok().filter(|_| is_message).and_then(sqs::message_id);
        let mut parts = Parts::default();
        match record {
            Ok(record) => unwrap_record(&record, 0, &mut parts),
            Err(error) => parts.add(Part::Error(error)),
        }
        messages.push(parts.into_message(id));
        messages.len() < MAX_PARTS
    });
    if messages.is_empty() {
        return Err(envelope.unknown());
    }
    Ok(Invocation { messages, reply: if is_sqs { ReplyKind::SqsBatch } else { ReplyKind::Summary } })
}

/// The parts of a message, as they are found.
#[derive(Default)]
struct Parts {
    kept: Vec<Part>,
    count: usize,
    errors: usize,
}

impl Parts {
    /// Adds a part. Errors beyond a few are only counted: a hostile message could be made of nothing else.
    fn add(&mut self, part: Part) {
        self.count += 1;
        self.errors += usize::from(matches!(part, Part::Error(_)));
        if !matches!(part, Part::Error(_)) || self.errors <= MAX_ERRORS {
            self.kept.push(part);
        }
    }

    fn add_result(&mut self, part: Result<Part, Error>) {
        self.add(part.unwrap_or_else(Part::Error));
    }

    /// Whether the message may still have more parts.
    fn has_room(&self) -> bool {
        self.count < MAX_PARTS
    }

    fn into_message(mut self, id: Option<String>) -> Message {
        if !self.has_room() {
            self.kept = vec![Part::Error(Error::TooMany)];
        } else if self.errors > MAX_ERRORS {
            self.kept.push(Part::Error(Error::More { count: self.errors - MAX_ERRORS }));
        }
        Message { id, parts: self.kept }
    }
}

/// What an envelope without `Records`, or any that lies in another one, holds.
fn unwrap(text: &str, depth: usize, parts: &mut Parts) {
    if depth > MAX_DEPTH {
        return parts.add(Part::Error(Error::TooDeep));
    }
    let envelope = match Envelope::parse(text) {
        Ok(envelope) => envelope,
        Err(error) => return parts.add(Part::Error(error)),
    };
    if let Some(records) = envelope.records {
        let mut is_empty = true;
        envelope::each(records, |record| {
            is_empty = false;
            match Envelope::parse(record) {
                Ok(record) => unwrap_record(&record, depth, parts),
                Err(error) => parts.add(Part::Error(error)),
            }
            parts.has_room()
        });
        if !is_empty {
            return;
        }
    }
    if sns::is_notification(&envelope) {
        return sns::message(&envelope, depth, parts);
    }
    if s3::is_notice(&envelope) {
        return s3::notice(&envelope, parts);
    }
    parts.add_result(
        sns::confirmation(&envelope)
            .or_else(|| s3::test_event(&envelope))
            .or_else(|| eventbridge::event(&envelope))
            .or_else(|| cloudwatch_logs::subscription(&envelope))
            .or_else(|| eventbridge::detail(&envelope, text))
            .unwrap_or_else(|| Err(envelope.unknown())),
    );
}

/// One element of an envelope's `Records`.
fn unwrap_record(record: &Envelope<'_>, depth: usize, parts: &mut Parts) {
    match record.event_source().as_deref() {
        Some("aws:s3") => parts.add_result(s3::notification(record)),
        Some("aws:sqs") => sqs::body(record, depth, parts),
        Some("aws:sns") => sns::record(record, depth, parts),
        _ => parts.add(Part::Error(record.unknown())),
    }
}

/// What the text inside an envelope holds.
fn unwrap_text(text: &str, envelope: &'static str, depth: usize, parts: &mut Parts) {
    if text.trim() == "CloudTrail validation message." {
        return parts.add(Part::Nothing("CloudTrail's test of the topic"));
    }
    let text = repaired(text);
    match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
        Ok(_) => unwrap(&text, depth + 1, parts),
        Err(error) => parts.add(Part::Error(Error::NotJson { envelope, reason: error.to_string() })),
    }
}

/// The text without halves of characters: CloudTrail cuts long values anywhere, and JSON's strings refuse what is left.
fn repaired(text: &str) -> Cow<'_, str> {
    // A repair of UTF-8 is UTF-8.
    match records::repaired(text.as_bytes()).map(String::from_utf8) {
        Some(Ok(repaired)) => Cow::Owned(repaired),
        _ => Cow::Borrowed(text),
    }
}
