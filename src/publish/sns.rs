//! SNS: batches to a topic, tried again entry by entry.

use std::time::Duration;

use aws_sdk_sns::Client;
use aws_sdk_sns::config::Region;
use aws_sdk_sns::error::ProvideErrorMetadata;
use aws_sdk_sns::operation::publish_batch::PublishBatchOutput;
use aws_sdk_sns::types::builders::PublishBatchRequestEntryBuilder;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use tokio::time::{Instant, sleep, timeout_at};

use crate::failure::{Failure, Retry, is_transient};
use crate::settings::is_fifo;
use detection::signal::Signal;

/// SNS takes at most this many entries in one request.
pub(super) const MAX_ENTRIES: usize = 10;
/// How many times a signal is sent before giving up, while time remains.
const MAX_ATTEMPTS: u32 = 7;
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// What a topic takes: a signal, or a notice.
pub(super) trait Parcel {
    /// The entry of a batch, without its id.
    fn entry(&self, is_fifo: bool) -> PublishBatchRequestEntryBuilder;
}

/// A topic.
#[derive(Debug, Clone)]
pub(super) struct Topic {
    client: Client,
    arn: String,
    is_fifo: bool,
    /// The setting that names it.
    setting: &'static str,
}

impl Topic {
    /// The topic with this ARN, which a setting names; one that ends in `.fifo` is a FIFO topic. Requests go to the
    /// region in the ARN, whatever the region of `client`.
    pub(super) fn new(client: &Client, arn: String, setting: &'static str) -> Self {
        let region = arn.split(':').nth(3).map(|region| Region::new(region.to_owned()));
        // Most topics are in the function's region, whose client then serves as it is.
        let client = if region.as_ref() == client.config().region() {
            client.clone()
        } else {
            Client::from_conf(client.config().to_builder().region(region).build())
        };
        Self { client, is_fifo: is_fifo(&arn), arn, setting }
    }

    /// The topic's ARN.
    pub(super) fn arn(&self) -> &str {
        &self.arn
    }

    /// Sends a batch until SNS has taken or finally refused every entry, or the deadline has come.
    pub(super) async fn send<P: Parcel>(&self, batch: Vec<P>, deadline: Instant) -> Sent<P> {
        let mut sent = Sent::none();
        let out_of_time = Failure::transient("there was no time left to publish it");
        let mut pending: Vec<_> = batch.into_iter().map(|parcel| (parcel, out_of_time.clone())).collect();
        let mut backoff = FIRST_BACKOFF;
        for attempt in 1..=MAX_ATTEMPTS {
            if pending.is_empty() || Instant::now() >= deadline {
                break;
            }
            let parcels = pending.into_iter().map(|(parcel, _)| parcel).collect();
            let tried = self.send_once(parcels, deadline).await;
            sent.taken.extend(tried.taken);
            let is_final = |(_, failure): &Unsent<P>| failure.retry == Retry::Permanent;
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
    async fn send_once<P: Parcel>(&self, parcels: Vec<P>, deadline: Instant) -> Sent<P> {
        match self.request(&parcels, deadline).await {
            Ok(output) => Sent::new(&output, parcels),
            Err(refusal) if refusal.is_about_an_entry && parcels.len() > 1 => {
                let mut sent = Sent::none();
                for parcel in parcels {
                    let one = Box::pin(self.send_once(vec![parcel], deadline)).await;
                    sent.taken.extend(one.taken);
                    sent.left.extend(one.left);
                }
                sent
            }
            Err(refusal) => {
                let left = parcels.into_iter().map(|parcel| (parcel, refusal.failure.clone()));
                Sent { taken: Vec::new(), left: left.collect() }
            }
        }
    }

    async fn request<P: Parcel>(
        &self,
        parcels: &[P],
        deadline: Instant,
    ) -> Result<PublishBatchOutput, Refusal> {
        if Instant::now() >= deadline {
            return Err(Failure::transient("there was no time left to publish it").into());
        }
        let entries = parcels.iter().enumerate().map(|(index, parcel)| self.entry(index, parcel)).collect();
        let request =
            self.client.publish_batch().topic_arn(&self.arn).set_publish_batch_request_entries(Some(entries));
        match timeout_at(deadline, request.send()).await {
            Ok(result) => result.map_err(|error| {
                let code = error.code().unwrap_or_default().trim_end_matches("Exception");
                let failure = Failure::from_sdk(&error).advised(&advice(code, self.setting));
                let reason = format!("{}: {failure}", self.arn);
                Refusal { is_about_an_entry: is_about_an_entry(code), failure: Failure { reason, ..failure } }
            }),
            Err(_) => Err(Failure::transient("SNS did not answer before the deadline").into()),
        }
    }

    fn entry(&self, index: usize, parcel: &impl Parcel) -> PublishBatchRequestEntry {
        // The id and the message are the only fields that the builder requires.
        parcel.entry(self.is_fifo).id(index.to_string()).build().expect("id and message are set")
    }
}

impl Parcel for Signal {
    fn entry(&self, is_fifo: bool) -> PublishBatchRequestEntryBuilder {
        let attributes = self.attributes.iter().map(|attribute| {
            let value = MessageAttributeValue::builder()
                .data_type(attribute.data_type)
                .string_value(&attribute.value)
                .build()
                // The data type is the only field that the builder requires.
                .expect("the data type is set");
            (attribute.name.to_owned(), value)
        });
        let entry = PublishBatchRequestEntry::builder()
            .subject(&self.subject)
            .message(&self.message)
            .set_message_attributes(Some(attributes.collect()));
        if is_fifo {
            entry.message_group_id(&self.group).message_deduplication_id(self.id.to_string())
        } else {
            entry
        }
    }
}

/// What SNS did not take, and why.
pub(super) type Unsent<P> = (P, Failure);

/// The outcome of sending a batch.
pub(super) struct Sent<P> {
    pub(super) taken: Vec<P>,
    pub(super) left: Vec<Unsent<P>>,
}

impl<P> Sent<P> {
    fn none() -> Self {
        Self { taken: Vec::new(), left: Vec::new() }
    }

    /// Reads the answer entry by entry. SNS did not take an entry that is in neither of its lists.
    fn new(output: &PublishBatchOutput, parcels: Vec<P>) -> Self {
        let mut sent = Self::none();
        for (index, parcel) in parcels.into_iter().enumerate() {
            let id = index.to_string();
            if let Some(entry) = output.failed().iter().find(|entry| entry.id() == id) {
                let message = entry.message().unwrap_or("no message");
                let is_final = entry.sender_fault() && !is_transient(400, entry.code(), message);
                let retry = if is_final { Retry::Permanent } else { Retry::Transient };
                let reason = format!("SNS refused it: {}: {message}", entry.code());
                sent.left.push((parcel, Failure { retry, reason }));
            } else if output.successful().iter().any(|entry| entry.id() == Some(&id)) {
                sent.taken.push(parcel);
            } else {
                sent.left.push((parcel, Failure::transient("SNS did not confirm it")));
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
fn advice(code: &str, setting: &str) -> String {
    let advice = match code {
        "NotFound" => return format!("set {setting} to a topic that exists, or deploy the stack again"),
        "AuthorizationError" => "check sns:Publish of the function's role, and the topic's policy",
        "KMSAccessDenied" => {
            "let the function's role use kms:GenerateDataKey and kms:Decrypt with the topic's key"
        }
        "KMSDisabled" => "enable the topic's key, or give the topic another one",
        "KMSInvalidState" => "cancel the deletion of the topic's key, or give the topic another one",
        "KMSNotFound" => "give the topic a key that exists",
        _ => "",
    };
    advice.to_owned()
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
