//! Signals to SNS: in batches, each once, with an account of every one.

pub mod archive;

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use aws_sdk_sns::Client;
use aws_sdk_sns::config::Region;
use aws_sdk_sns::error::ProvideErrorMetadata;
use aws_sdk_sns::operation::publish_batch::PublishBatchOutput;
use aws_sdk_sns::primitives::{DateTime, DateTimeFormat};
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::failure::{Failure, Retry, is_transient};
use crate::invocation::report::Report;
use crate::telemetry::metrics::Latency;
use archive::Archive;
use detection::signal::{MAX_BYTES, Signal, SignalId};

/// The most entries that SNS takes in one request.
const MAX_ENTRIES: usize = 10;
/// How often a signal is sent before it is given up, while time remains.
const MAX_ATTEMPTS: u32 = 7;
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_secs(2);
/// Signals wait so long at most for others to make up a batch.
const LINGER: Duration = Duration::from_millis(500);

/// A signal, and where it was found.
#[derive(Debug)]
pub struct Found {
    /// The signal.
    pub signal: Signal,
    /// The report of the message that holds it: a signal that fails is a failure of its message.
    pub report: Rc<Report>,
    /// Where in the message, for people: an object, mostly.
    pub place: Rc<str>,
    /// When that object was written.
    pub delivered: Option<SystemTime>,
}

/// What became of the signals of one invocation.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Publication {
    /// Signals that SNS took.
    pub published: u64,
    /// Signals seen again after they had been seen once, or that the archive holds.
    pub duplicates: u64,
    /// Signals that SNS did not take.
    pub failed: u64,
    /// Signals that SNS took, and that the archive could not store.
    pub unarchived: u64,
    /// How late each published signal is.
    pub latencies: Vec<Latency>,
}

/// A message that holds a signal, and fails with it.
#[derive(Debug)]
struct Holder {
    report: Rc<Report>,
    place: Rc<str>,
    delivered: Option<SystemTime>,
}

impl PartialEq for Holder {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.report, &other.report)
            && (&self.place, self.delivered) == (&other.place, other.delivered)
    }
}

/// The topic.
#[derive(Debug, Clone)]
pub struct Topic {
    client: Client,
    arn: String,
    is_fifo: bool,
    archive: Option<Archive>,
}

impl Topic {
    /// The topic with this ARN; one that ends in `.fifo` is a FIFO topic. Requests go to the region that the ARN names,
    /// whatever region `client` is for.
    #[must_use]
    pub fn new(client: &Client, arn: String) -> Self {
        let mut config = client.config().to_builder();
        if let Some(region) = arn.split(':').nth(3) {
            config.set_region(Some(Region::new(region.to_owned())));
        }
        let client = Client::from_conf(config.build());
        let is_fifo = arn.rsplit('.').next() == Some("fifo");
        Self { client, arn, is_fifo, archive: None }
    }

    /// Leaves out what the archive holds, and stores there what is published.
    #[must_use]
    pub fn with_archive(self, archive: Archive) -> Self {
        Self { archive: Some(archive), ..self }
    }

    /// Publishes every signal that comes, until the sender is done. After `deadline` nothing more is sent, and what
    /// is left counts as failed.
    pub async fn publish_all(&self, mut found: Receiver<Found>, deadline: Instant) -> Publication {
        let mut publisher = Publisher::new(self, deadline);
        loop {
            let next = if publisher.batch.is_empty() {
                found.recv().await
            } else if let Ok(next) = timeout(LINGER, found.recv()).await {
                next
            } else {
                // Something slow is being read; what is there already need not wait for it.
                publisher.flush().await;
                continue;
            };
            match next {
                Some(found) => publisher.take(found).await,
                None => break,
            }
        }
        publisher.flush().await;
        publisher.finish()
    }

    /// Sends a batch until every signal is taken, refused for good, or out of time.
    async fn send(&self, batch: Vec<Signal>, deadline: Instant) -> Sent {
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
            // Half of it by chance, so that functions throttled together do not come back together.
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

    /// One try. A request that is refused for good with several entries in it is taken apart, since one entry may be
    /// to blame.
    async fn send_once(&self, signals: Vec<Signal>, deadline: Instant) -> Sent {
        match self.request(&signals, deadline).await {
            Ok(output) => Sent::told_by(&output, signals),
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

/// The publishing of one invocation.
struct Publisher<'a> {
    topic: &'a Topic,
    archive: Option<archive::Session<'a>>,
    deadline: Instant,
    holders: HashMap<SignalId, Vec<Holder>>,
    batch: Vec<Signal>,
    batch_bytes: usize,
    publication: Publication,
    failed: Vec<(SignalId, Failure)>,
}

impl<'a> Publisher<'a> {
    fn new(topic: &'a Topic, deadline: Instant) -> Self {
        Self {
            topic,
            archive: topic.archive.as_ref().map(Archive::session),
            deadline,
            holders: HashMap::new(),
            batch: Vec::new(),
            batch_bytes: 0,
            publication: Publication::default(),
            failed: Vec::new(),
        }
    }

    /// Takes a signal into the batch, if it is new; sends the batch first if that has no room for it.
    async fn take(&mut self, Found { signal, report, place, delivered }: Found) {
        let holders = self.holders.entry(signal.id).or_default();
        let is_new = holders.is_empty();
        let holder = Holder { report, place, delivered };
        if !holders.contains(&holder) {
            holders.push(holder);
        }
        if !is_new {
            self.publication.duplicates += 1;
            return;
        }
        let bytes = signal.bytes();
        if self.batch.len() == MAX_ENTRIES || self.batch_bytes + bytes > MAX_BYTES {
            self.flush().await;
        }
        self.batch.push(signal);
        self.batch_bytes += bytes;
    }

    /// Sends the batch, but for what an archive holds, and archives what SNS took.
    async fn flush(&mut self) {
        self.batch_bytes = 0;
        let mut batch = std::mem::take(&mut self.batch);
        if let Some(archive) = &mut self.archive {
            let found = batch.len();
            batch = archive.new_ones(batch, self.deadline).await;
            self.publication.duplicates += (found - batch.len()) as u64;
        }
        let sent = self.topic.send(batch, self.deadline).await;
        self.publication.published += sent.taken.len() as u64;
        self.publication.latencies.extend(latencies(&sent.taken, &self.holders, SystemTime::now()));
        if let Some(archive) = &mut self.archive {
            self.publication.unarchived += archive.store(&sent.taken, self.deadline).await;
        }
        self.failed.extend(sent.left.into_iter().map(|(signal, failure)| (signal.id, failure)));
    }

    /// Reports a signal that failed to every message that holds it.
    fn finish(mut self) -> Publication {
        self.publication.failed = self.failed.len() as u64;
        // What keeps one signal from the topic mostly keeps all of them: that is one failure, not thousands.
        let mut failures = BTreeMap::new();
        for (id, failure) in self.failed {
            for Holder { report, place, .. } in self.holders.remove(&id).unwrap_or_default() {
                let of_one = (Rc::as_ptr(&report), place, failure.clone());
                failures.entry(of_one).or_insert((report, id, 0_u64)).2 += 1;
            }
        }
        for ((_, place, failure), (report, first, count)) in failures {
            let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
            let reason = format!("{place}: signal {first}{more}: {failure}");
            report.fail(Failure { reason, ..failure });
        }
        self.publication
    }
}

/// How late signals are that SNS has just taken.
fn latencies(
    taken: &[Signal],
    holders: &HashMap<SignalId, Vec<Holder>>,
    now: SystemTime,
) -> impl Iterator<Item = Latency> {
    // A clock that is behind makes nothing early.
    let since = move |time: SystemTime| now.duration_since(time).unwrap_or_default();
    taken.iter().map(move |signal| {
        let call = signal.time.as_deref().and_then(|time| {
            SystemTime::try_from(DateTime::from_str(time, DateTimeFormat::DateTime).ok()?).ok()
        });
        // The signal that is sent is the one that was found first.
        let first = holders.get(&signal.id).and_then(|holders| holders.first());
        Latency { call: call.map(since), delivery: first.and_then(|first| first.delivered).map(since) }
    })
}

/// A signal that SNS did not take, and why.
type Unsent = (Signal, Failure);

/// What became of a batch.
#[derive(Default)]
struct Sent {
    taken: Vec<Signal>,
    left: Vec<Unsent>,
}

impl Sent {
    /// As SNS tells it, entry by entry. One that is neither in `successful` nor in `failed` was not taken.
    fn told_by(output: &PublishBatchOutput, signals: Vec<Signal>) -> Self {
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

/// A whole request that was not taken.
struct Refusal {
    failure: Failure,
    /// One entry may be to blame; any other refusal (no such topic, no permission) holds for all of them.
    is_about_an_entry: bool,
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self { failure, is_about_an_entry: false }
    }
}

/// What to do when SNS refuses a whole request. Some codes come with the ending `Exception`, depending on the protocol;
/// here they have none.
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
