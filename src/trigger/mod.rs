//! The trigger: any envelope, unwrapped to the objects and the records in it.
//!
//! [`recognise`] does not trust the payload: it recognises each envelope by its own members, opens envelopes inside
//! envelopes up to a limit, and reports an unknown one as an error of that message alone. It reads the payload as text,
//! level by level, and never builds it as a whole, so a message takes no more memory than its bytes.

mod cloudwatch_logs;
mod envelope;
mod error;
mod eventbridge;
mod payload;
mod s3;
mod schedule;
mod sns;
mod sqs;

use std::borrow::Cow;

use detection::memory::Time;
use detection::origin::{Object, Origin};
use detection::records;
use envelope::Envelope;

pub use error::Error;
pub use payload::Payload;

/// S3 in SNS in SQS is three levels; AWS sends nothing deeper.
const MAX_DEPTH: usize = 5;
/// An S3 message names one object, and a CloudTrail notice a few. A message with more parts than this is hostile. SQS
/// also hands over at most this many messages at once.
const MAX_PARTS: usize = 10_000;
/// This many errors of a message are kept one by one; later ones are only counted.
const MAX_ERRORS: usize = 16;

/// Something that records are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An object in S3, to be fetched.
    Object(Object),
    /// Bytes in the message, in any form that a file of records may have.
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
    /// A check for accounts whose deliveries stop, at this time.
    Check(Time),
    /// Nothing to do, for this reason.
    Nothing(&'static str),
    /// Why it cannot be understood.
    Error(Error),
}

/// One message of an invocation, which succeeds or fails as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its identifier in the reply: an SQS message id or the task id of a batch job.
    pub id: Option<String>,
    /// Its parts. One that cannot be understood does not affect the others.
    pub parts: Vec<Part>,
}

/// The reply that the trigger expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyKind {
    /// An SQS batch: the messages that failed.
    SqsBatch,
    /// An S3 batch job: a result for every task.
    S3BatchJob {
        /// The schema version of the job.
        schema_version: String,
        /// The job's identifier for this invocation.
        invocation_id: String,
    },
    /// Anything else: an error, or a summary for people.
    Summary,
}

/// A payload, unwrapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// Its messages.
    pub messages: Vec<Message>,
    /// The form of the reply.
    pub reply: ReplyKind,
    /// Whether rules only learn from what the messages bring, and nothing is published.
    pub learns: bool,
}

impl Invocation {
    /// Whether it is about what has just happened, so that the lateness of its signals is the function's. A batch job
    /// reads old deliveries, and a check finds that nothing has come for a long time.
    #[must_use]
    pub fn is_timely(&self) -> bool {
        let mut parts = self.messages.iter().flat_map(|message| &message.parts);
        !matches!(self.reply, ReplyKind::S3BatchJob { .. })
            && !parts.any(|part| matches!(part, Part::Check(_)))
    }
}

/// Recognises any payload and unwraps it to its messages.
///
/// # Errors
/// The payload as a whole is unknown. Errors of single parts are in their messages.
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
        // If the only part is unknown, the payload is unknown.
        if let [Part::Error(error)] = message.parts.as_slice() {
            return Err(error.clone());
        }
        return Ok(Invocation { messages: vec![message], reply: ReplyKind::Summary, learns: false });
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
        messages.len() <= MAX_PARTS
    });
    if messages.len() > MAX_PARTS {
        return Err(Error::TooMany);
    }
    if messages.is_empty() {
        return Err(envelope.unknown());
    }
    let reply = if is_sqs { ReplyKind::SqsBatch } else { ReplyKind::Summary };
    Ok(Invocation { messages, reply, learns: false })
}

/// The parts of a message, as they are found.
#[derive(Default)]
struct Parts {
    kept: Vec<Part>,
    count: usize,
    errors: usize,
}

impl Parts {
    /// Adds a part. Keeps only the first errors: a hostile message may consist of nothing else.
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
    fn takes_more(&self) -> bool {
        self.count < MAX_PARTS
    }

    fn into_message(mut self, id: Option<String>) -> Message {
        if !self.takes_more() {
            self.kept = vec![Part::Error(Error::TooMany)];
        } else if self.errors > MAX_ERRORS {
            self.kept.push(Part::Error(Error::More { count: self.errors - MAX_ERRORS }));
        }
        Message { id, parts: self.kept }
    }
}

/// Unwraps an envelope without `Records`, or one inside another envelope.
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
            parts.takes_more()
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
            .or_else(|| s3::config_notice(&envelope))
            .or_else(|| eventbridge::event(&envelope))
            .or_else(|| cloudwatch_logs::subscription(&envelope))
            .or_else(|| schedule::check(&envelope))
            .or_else(|| eventbridge::detail(&envelope, text))
            .unwrap_or_else(|| Err(envelope.unknown())),
    );
}

/// Unwraps an element of an envelope's `Records`.
fn unwrap_record(record: &Envelope<'_>, depth: usize, parts: &mut Parts) {
    match record.event_source().as_deref() {
        Some("aws:s3") => parts.add_result(s3::notification(record)),
        Some("aws:sqs") => sqs::body(record, depth, parts),
        Some("aws:sns") => sns::record(record, depth, parts),
        _ => parts.add(Part::Error(record.unknown())),
    }
}

/// Unwraps the text inside an envelope.
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

/// Replaces halves of surrogate pairs: CloudTrail cuts long values anywhere, and JSON does not allow half a pair.
fn repaired(text: &str) -> Cow<'_, str> {
    // Repaired UTF-8 is UTF-8.
    match records::repaired(text.as_bytes()).map(String::from_utf8) {
        Some(Ok(repaired)) => Cow::Owned(repaired),
        _ => Cow::Borrowed(text),
    }
}
