//! Publishing: every signal once, in batches, with an account of each.

pub mod archive;
mod notices;
mod quiet;
mod sns;

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use aws_sdk_sns::Client;
use aws_sdk_sns::primitives::{DateTime, DateTimeFormat};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, timeout};

use crate::failure::Failure;
use crate::invocation::report::Report;
use crate::memory::Notified;
use crate::settings;
use crate::telemetry::metrics::Latency;
use archive::Archive;
use detection::notice::{Accounts, Routes};
use detection::signal::{MAX_BYTES, Signal, SignalId};
use notices::Notices;
use sns::{MAX_ENTRIES, Topic};

/// A signal waits at most this long for others to fill its batch.
const LINGER: Duration = Duration::from_millis(500);

/// A signal, and where it was found.
#[derive(Debug)]
pub struct Found {
    /// The signal.
    pub signal: Signal,
    /// The report of the message that holds it. If the signal fails, its message fails.
    pub report: Rc<Report>,
    /// Its place in the message, for error texts: usually an object.
    pub place: Rc<str>,
    /// When that object was written.
    pub delivered: Option<SystemTime>,
}

/// The outcome of publishing the signals of one invocation.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Publication {
    /// Signals that SNS took.
    pub published: u64,
    /// Signals that were found again, or that the archive holds.
    pub duplicates: u64,
    /// Signals that SNS did not take.
    pub failed: u64,
    /// Signals that SNS took and the archive did not store.
    pub unarchived: u64,
    /// Notices that SNS took.
    pub notices: u64,
    /// Notices that SNS did not take.
    pub notices_failed: u64,
    /// How late each published signal is.
    pub latencies: Vec<Latency>,
}

/// A message that holds a signal. If the signal fails, so does the message.
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

/// Publishes signals to the topic, and if these are configured, keeps them in the archive and notifies people.
#[derive(Debug, Clone)]
pub struct Publisher {
    topic: Topic,
    archive: Option<Archive>,
    notices: Option<Rc<Notices>>,
}

impl Publisher {
    /// Publishes to the topic with this ARN; a name that ends in `.fifo` means a FIFO topic. Requests go to the region
    /// in the ARN, whatever the region of `client`.
    #[must_use]
    pub fn new(client: &Client, topic_arn: String) -> Self {
        Self { topic: Topic::new(client, topic_arn, "SIGNAL_TOPIC_ARN"), archive: None, notices: None }
    }

    /// Leaves out signals that the archive holds, and stores those that are published.
    #[must_use]
    pub fn with_archive(self, archive: Archive) -> Self {
        Self { archive: Some(archive), ..self }
    }

    /// Sends notices of published signals along these routes, with these account names. The table says which were sent
    /// recently; without a table, the process does.
    #[must_use]
    pub(crate) fn with_notices(
        self,
        client: &Client,
        settings: &settings::Notices,
        routes: Routes,
        accounts: Accounts,
        notified: Option<Notified>,
    ) -> Self {
        Self { notices: Some(Rc::new(Notices::new(client, settings, routes, accounts, notified))), ..self }
    }

    /// Publishes every signal that arrives until the channel closes. Sends nothing after `deadline`; signals that are
    /// left then count as failed. Sends the notices at the end.
    pub async fn publish_all(&self, mut found: Receiver<Found>, deadline: Instant) -> Publication {
        let mut publishing = Publishing::new(self, deadline);
        loop {
            let next = if publishing.batch.is_empty() {
                found.recv().await
            } else if let Ok(next) = timeout(LINGER, found.recv()).await {
                next
            } else {
                // The next delivery is slow: the signals at hand need not wait for it.
                publishing.flush().await;
                continue;
            };
            match next {
                Some(found) => publishing.take(found).await,
                None => break,
            }
        }
        publishing.flush().await;
        publishing.tell().await;
        publishing.finish()
    }
}

/// The state of publishing during one invocation.
struct Publishing<'a> {
    topic: &'a Topic,
    archive: Option<archive::Session<'a>>,
    notices: Option<notices::Session<'a>>,
    deadline: Instant,
    holders: HashMap<SignalId, Vec<Holder>>,
    batch: Vec<Signal>,
    batch_bytes: usize,
    publication: Publication,
    failed: Vec<(SignalId, Failure)>,
}

impl<'a> Publishing<'a> {
    fn new(publisher: &'a Publisher, deadline: Instant) -> Self {
        Self {
            topic: &publisher.topic,
            archive: publisher.archive.as_ref().map(Archive::session),
            notices: publisher.notices.as_deref().map(Notices::session),
            deadline,
            holders: HashMap::new(),
            batch: Vec::new(),
            batch_bytes: 0,
            publication: Publication::default(),
            failed: Vec::new(),
        }
    }

    /// Adds a new signal to the batch, and sends the batch first if the signal does not fit into it.
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

    /// Sends the signals of the batch that the archive does not hold, and archives those that SNS took.
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
        if let Some(notices) = &mut self.notices {
            notices.add(&sent.taken);
        }
        if let Some(archive) = &mut self.archive {
            self.publication.unarchived += archive.store(&sent.taken, self.deadline).await;
        }
        self.failed.extend(sent.left.into_iter().map(|(signal, failure)| (signal.id, failure)));
    }

    /// Sends the notices of the signals that SNS took.
    async fn tell(&mut self) {
        if let Some(notices) = self.notices.take() {
            let outcome = notices.send(self.deadline).await;
            (self.publication.notices, self.publication.notices_failed) = (outcome.sent, outcome.failed);
        }
    }

    /// Reports a signal that failed to every message that holds it.
    fn finish(mut self) -> Publication {
        self.publication.failed = self.failed.len() as u64;
        // Usually one cause stops all signals of a message. It is reported once, not once per signal.
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

/// The latency of each signal that SNS has just taken.
fn latencies(
    taken: &[Signal],
    holders: &HashMap<SignalId, Vec<Holder>>,
    now: SystemTime,
) -> impl Iterator<Item = Latency> {
    // If our clock is behind, the latency is zero.
    let since = move |time: SystemTime| now.duration_since(time).unwrap_or_default();
    taken.iter().map(move |signal| {
        let call = signal.time.as_deref().and_then(|time| {
            SystemTime::try_from(DateTime::from_str(time, DateTimeFormat::DateTime).ok()?).ok()
        });
        // Of equal signals, the one found first was sent.
        let first = holders.get(&signal.id).and_then(|holders| holders.first());
        Latency { call: call.map(since), delivery: first.and_then(|first| first.delivered).map(since) }
    })
}
