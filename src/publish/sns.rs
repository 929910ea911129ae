//! SNS: batches to a topic, tried again entry by entry.

use std::time::Duration;

use aws_sdk_sns::Client;
use aws_sdk_sns::config::Region;
use aws_sdk_sns::error::ProvideErrorMetadata;
use aws_sdk_sns::operation::publish_batch::PublishBatchOutput;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use tokio::time::{Instant, sleep, timeout_at};

use crate::failure::{Failure, Retry, is_transient};
use detection::signal::Signal;

/// SNS takes at most this many entries in one request.
pub(super) const MAX_ENTRIES: usize = 10;
/// How often a signal is sent before it is given up, while time remains.
const MAX_ATTEMPTS: u32 = 7;
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// The topic that signals go to.
#[derive(Debug, Clone)]
pub(super) struct Topic {
    client: Client,
    arn: String,
    is_fifo: bool,
}

impl Topic {
    /// The topic with this ARN; one that ends in `.fifo` is a FIFO topic. Requests go to the region that the ARN names,
    /// whatever region `client` is for.
    pub(super) fn new(client: &Client, arn: String) -> Self {
        let region = arn.split(':').nth(3).map(|region| Region::new(region.to_owned()));
        // Most topics are in the region of the function, whose client then serves as it is.
        let client = if region.as_ref() == client.config().region() {
            client.clone()
        } else {
            Client::from_conf(client.config().to_builder().region(region).build())
        };
        let is_fifo = arn.rsplit('.').next() == Some("fifo");
        Self { client, arn, is_fifo }
    }

    /// Sends a batch until SNS has taken or finally refused every signal, or the deadline has come.
    pub(super) async fn send(&self, batch: Vec<Signal>, deadline: Instant) -> Sent {
        let mut sent = Sent::default();
        let out_of_time = Failure::transient("there was no time left to publish it");
        let mut pending: Vec<_> = batch.into_iter().map(|signal| (signal, out_of_time.clone())).collect();
        let mut backoff = FIRST_BACKOFF;
        for attempt in 1..=MAX_ATTEMPTS {
            if pending.is_empty() || Instant::now() >= deadline {
                break;
            }
            let signals = pending.into_iter().map(|(signal, _)| signal).collect();
            let tried = self.send_once(signals, deadline).await;
            sent.taken.extend(tried.taken);
            let is_final = |(_, failure): &Unsent| failure.retry == Retry::Permanent;
            let refused;
            (refused, pending) = tried.left.into_iter().partition(is_final);
            sent.left.extend::<Vec<_>>(refused);
            // Half of the pause is random: functions that were throttled together must not return together.
            let wait = backoff.mul_f64(0.5 + fastrand::f64() / 2.0);
            if attempt == MAX_ATTEMPTS || pending.is_empty() || Instant::now() + wait >= deadline {
                break;
            }
            sleep(wait).await;
            backoff = (backoff * 2).min(MAX_BACKOFF);
        }
        sent.left.extend(pending);
        sent
    }

    /// Sends a batch once. If SNS refuses a whole request because of one of its entries, sends the entries one by one.
    async fn send_once(&self, signals: Vec<Signal>, deadline: Instant) -> Sent {
        match self.request(&signals, deadline).await {
            Ok(output) => Sent::new(&output, signals),
            Err(refusal) if refusal.is_about_an_entry && signals.len() > 1 => {
                let mut sent = Sent::default();
                for signal in signals {
                    let one = Box::pin(self.send_once(vec![signal], deadline)).await;
                    sent.taken.extend(one.taken);
                    sent.left.extend(one.left);
                }
                sent
            }
            Err(refusal) => {
                let left = signals.into_iter().map(|signal| (signal, refusal.failure.clone()));
                Sent { taken: Vec::new(), left: left.collect() }
            }
        }
    }

    async fn request(&self, signals: &[Signal], deadline: Instant) -> Result<PublishBatchOutput, Refusal> {
        if Instant::now() >= deadline {
            return Err(Failure::transient("there was no time left to publish it").into());
        }
        let entries = signals.iter().enumerate().map(|(index, signal)| self.entry(index, signal)).collect();
        let request =
            self.client.publish_batch().topic_arn(&self.arn).set_publish_batch_request_entries(Some(entries));
        match timeout_at(deadline, request.send()).await {
            Ok(result) => result.map_err(|error| {
                let code = error.code().unwrap_or_default().trim_end_matches("Exception");
                let failure = Failure::from_sdk(&error).advised(advice(code));
                let reason = format!("{}: {failure}", self.arn);
                Refusal { is_about_an_entry: is_about_an_entry(code), failure: Failure { reason, ..failure } }
            }),
            Err(_) => Err(Failure::transient("SNS did not answer before the deadline").into()),
        }
    }

    fn entry(&self, index: usize, signal: &Signal) -> PublishBatchRequestEntry {
        let attributes = signal.attributes.iter().map(|attribute| {
            let value = MessageAttributeValue::builder()
                .data_type(attribute.data_type)
                .string_value(&attribute.value)
                .build()
                // The data type is the only field that the builder requires.
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
        // The id and the message are the only fields that the builder requires.
        entry.build().expect("id and message are set")
    }
}

/// A signal that SNS did not take, and why.
pub(super) type Unsent = (Signal, Failure);

/// The outcome of sending a batch.
#[derive(Default)]
pub(super) struct Sent {
    pub(super) taken: Vec<Signal>,
    pub(super) left: Vec<Unsent>,
}

impl Sent {
    /// Reads the answer entry by entry. SNS did not take an entry that is in neither of its lists.
    fn new(output: &PublishBatchOutput, signals: Vec<Signal>) -> Self {
        let mut sent = Self::default();
        for (index, signal) in signals.into_iter().enumerate() {
            let id = index.to_string();
            if let Some(entry) = output.failed().iter().find(|entry| entry.id() == id) {
                let message = entry.message().unwrap_or("no message");
                let is_final = entry.sender_fault() && !is_transient(400, entry.code(), message);
                let retry = if is_final { Retry::Permanent } else { Retry::Transient };
                let reason = format!("SNS refused it: {}: {message}", entry.code());
                sent.left.push((signal, Failure { retry, reason }));
            } else if output.successful().iter().any(|entry| entry.id() == Some(&id)) {
                sent.taken.push(signal);
            } else {
                sent.left.push((signal, Failure::transient("SNS did not confirm it")));
            }
        }
        sent
    }
}

/// Why SNS did not take a request as a whole.
struct Refusal {
    failure: Failure,
    /// One entry may be the cause. Any other refusal (no such topic, no permission) concerns every entry.
    is_about_an_entry: bool,
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self { failure, is_about_an_entry: false }
    }
}

/// What to do when SNS refuses a whole request. Depending on the protocol, codes end in `Exception` or not; here they
/// do not.
fn advice(code: &str) -> &'static str {
    match code {
        "NotFound" => "set SIGNAL_TOPIC_ARN to a topic that exists, or deploy the stack again",
        "AuthorizationError" => "check sns:Publish of the function's role, and the topic's policy",
        "KMSAccessDenied" => {
            "let the function's role use kms:GenerateDataKey and kms:Decrypt with the topic's key"
        }
        "KMSDisabled" => "enable the topic's key, or give the topic another one",
        "KMSInvalidState" => "cancel the deletion of the topic's key, or give the topic another one",
        "KMSNotFound" => "give the topic a key that exists",
        _ => "",
    }
}

fn is_about_an_entry(code: &str) -> bool {
    const CODES: [&str; 6] = [
        "BatchRequestTooLong",
        "InvalidBatchEntryId",
        "InvalidParameter",
        "InvalidParameterValue",
        "ParameterValueInvalid",
        "ValidationError",
    ];
    CODES.contains(&code)
}
