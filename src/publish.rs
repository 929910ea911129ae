//! Signals to SNS: in batches, each once, with an account of every one.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sns::Client;
use aws_sdk_sns::error::SdkError;
use aws_sdk_sns::operation::publish_batch::{PublishBatchError, PublishBatchOutput};
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep};

use crate::failure::{Failure, Retry, is_transient};
use crate::signal::{MAX_BYTES, Signal, SignalId};

/// The most entries that SNS takes in one request.
const MAX_ENTRIES: usize = 10;
/// How often a signal is sent before it is given up, while time remains.
const MAX_ATTEMPTS: u32 = 7;
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// A signal, and the message of the invocation that it came from.
#[derive(Debug)]
pub struct Found {
    /// The signal.
    pub signal: Signal,
    /// The index of the message.
    pub message: usize,
}

/// What became of the signals of one invocation.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Publication {
    /// Signals that SNS took.
    pub published: u64,
    /// Signals seen again after they had been seen once.
    pub duplicates: u64,
    /// Signals that SNS did not take.
    pub failed: u64,
    /// Which messages held a signal that failed.
    pub failures: Vec<(usize, Failure)>,
}

/// The topic.
#[derive(Debug, Clone)]
pub struct Topic {
    client: Client,
    arn: String,
    is_fifo: bool,
}

impl Topic {
    /// The topic with this ARN; one that ends in `.fifo` is a FIFO topic.
    #[must_use]
    pub fn new(client: Client, arn: String) -> Self {
        let is_fifo = arn.rsplit('.').next() == Some("fifo");
        Self { client, arn, is_fifo }
    }

    /// Publishes every signal that comes, until the sender is done. After `deadline` nothing more is sent, and what
    /// is left counts as failed.
    pub async fn publish_all(&self, mut found: Receiver<Found>, deadline: Instant) -> Publication {
        let mut publication = Publication::default();
        // Every message that holds a signal, so that all of them fail if it does.
        let mut holders: HashMap<SignalId, Vec<usize>> = HashMap::new();
        let mut failed: Vec<(SignalId, Failure)> = Vec::new();
        let mut batch = Vec::new();
        let mut batch_bytes = 0;
        while let Some(Found { signal, message }) = found.recv().await {
            let holders = holders.entry(signal.id).or_default();
            holders.push(message);
            if holders.len() > 1 {
                publication.duplicates += 1;
                continue;
            }
            let bytes = signal.bytes();
            if batch.len() == MAX_ENTRIES || batch_bytes + bytes > MAX_BYTES {
                failed.extend(self.send(std::mem::take(&mut batch), deadline).await);
                batch_bytes = 0;
            }
            batch.push(signal);
            batch_bytes += bytes;
        }
        failed.extend(self.send(batch, deadline).await);

        publication.failed = failed.len() as u64;
        publication.published = (holders.len() - failed.len()) as u64;
        for (id, failure) in failed {
            let failure = Failure { reason: format!("signal {id}: {failure}"), ..failure };
            let messages = holders.remove(&id).unwrap_or_default();
            publication.failures.extend(messages.into_iter().map(|message| (message, failure.clone())));
        }
        publication
    }

    /// Sends a batch until every signal is taken, refused for good, or out of time; returns those not taken.
    async fn send(&self, batch: Vec<Signal>, deadline: Instant) -> Vec<(SignalId, Failure)> {
        let mut lost = Vec::new();
        let out_of_time = Failure::transient("there was no time left to publish it");
        let mut pending: Vec<_> = batch.into_iter().map(|signal| (signal, out_of_time.clone())).collect();
        let mut backoff = FIRST_BACKOFF;
        for attempt in 1..=MAX_ATTEMPTS {
            if pending.is_empty() || Instant::now() >= deadline {
                break;
            }
            pending = self.send_once(pending, deadline).await;
            let given_up = pending.extract_if(.., |(_, failure)| failure.retry == Retry::Permanent);
            lost.extend(given_up.map(|(signal, failure)| (signal.id, failure)));
            // Half of it by chance, so that functions throttled together do not come back together.
            let wait = backoff.mul_f64(0.5 + fastrand::f64() / 2.0);
            if attempt < MAX_ATTEMPTS && !pending.is_empty() && Instant::now() + wait < deadline {
                sleep(wait).await;
            }
            backoff = (backoff * 2).min(MAX_BACKOFF);
        }
        lost.extend(pending.into_iter().map(|(signal, failure)| (signal.id, failure)));
        lost
    }

    /// One try. A request that is refused for good with several entries in it is taken apart, since one entry may be
    /// to blame.
    async fn send_once(&self, batch: Vec<(Signal, Failure)>, deadline: Instant) -> Vec<(Signal, Failure)> {
        let signals: Vec<_> = batch.into_iter().map(|(signal, _)| signal).collect();
        let refused = match self.request(&signals, deadline).await {
            Ok(output) => return left(signals, &output),
            Err(failure) => failure,
        };
        if refused.retry == Retry::Transient || signals.len() == 1 || !is_about_entries(&refused) {
            return signals.into_iter().map(|signal| (signal, refused.clone())).collect();
        }
        let mut all_left = Vec::new();
        for signal in signals {
            let signals = vec![signal];
            match self.request(&signals, deadline).await {
                Ok(output) => all_left.extend(left(signals, &output)),
                Err(failure) => all_left.extend(signals.into_iter().map(|signal| (signal, failure.clone()))),
            }
        }
        all_left
    }

    async fn request(&self, signals: &[Signal], deadline: Instant) -> Result<PublishBatchOutput, Failure> {
        let entries = signals.iter().enumerate().map(|(index, signal)| self.entry(index, signal)).collect();
        let request =
            self.client.publish_batch().topic_arn(&self.arn).set_publish_batch_request_entries(Some(entries));
        match tokio::time::timeout_at(deadline, request.send()).await {
            Ok(result) => result.map_err(|error: SdkError<PublishBatchError>| {
                let failure = Failure::from_sdk(&error);
                Failure { reason: format!("{}: {failure}", self.arn), ..failure }
            }),
            Err(_) => Err(Failure::transient("SNS did not answer before the deadline")),
        }
    }

    fn entry(&self, index: usize, signal: &Signal) -> PublishBatchRequestEntry {
        let attributes = signal.attributes.iter().map(|attribute| {
            let value = MessageAttributeValue::builder()
                .data_type(attribute.data_type)
                .string_value(&attribute.value)
                .build()
                // The only field that the builder requires is the data type.
                .expect("the data type is set");
            (attribute.name.to_owned(), value)
        });
        let mut entry = PublishBatchRequestEntry::builder()
            .id(index.to_string())
            .subject(&signal.subject)
            .message(&signal.message)
            .set_message_attributes(Some(attributes.collect()));
        if self.is_fifo {
            entry = entry.message_group_id(&signal.group).message_deduplication_id(signal.id.to_string());
        }
        // The only fields that the builder requires are the id and the message.
        entry.build().expect("id and message are set")
    }
}

/// The signals that SNS has not confirmed. One that is neither in `successful` nor in `failed` was not taken.
fn left(signals: Vec<Signal>, output: &PublishBatchOutput) -> Vec<(Signal, Failure)> {
    let confirmed = |id: &str| output.successful().iter().any(|entry| entry.id() == Some(id));
    let failed = |id: &str| output.failed().iter().find(|entry| entry.id() == id);
    signals
        .into_iter()
        .enumerate()
        .filter_map(|(index, signal)| {
            let id = index.to_string();
            if let Some(entry) = failed(&id) {
                let retry = if entry.sender_fault() && !is_transient(400, entry.code()) {
                    Retry::Permanent
                } else {
                    Retry::Transient
                };
                let message = entry.message().unwrap_or("no message");
                Some((
                    signal,
                    Failure { retry, reason: format!("SNS refused it: {}: {message}", entry.code()) },
                ))
            } else if confirmed(&id) {
                None
            } else {
                Some((signal, Failure::transient("SNS did not confirm it")))
            }
        })
        .collect()
}

/// Refusals that one entry may cause; any other (no such topic, no permission) holds for all of them.
fn is_about_entries(failure: &Failure) -> bool {
    [
        "InvalidParameter",
        "BatchRequestTooLong",
        "ParameterValueInvalid",
        "ValidationError",
        "InvalidBatchEntryId",
    ]
    .iter()
    .any(|code| failure.reason.contains(code))
}
