//! One invocation, from payload to reply.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use futures_util::stream::{self, StreamExt};
use serde_json::Value;
use tokio::sync::mpsc::{self, Sender};
use tokio::time::{Instant, timeout_at};

use crate::counters::Counters;
use crate::delivery::Deliveries;
use crate::failure::Failure;
use crate::inspect::Inspector;
use crate::object::Object;
use crate::origin::Origin;
use crate::publish::{Found, Topic};
use crate::records::{self, Decoder, Layout};
use crate::reply::{Error, Outcome, reply};
use crate::rule::Ruleset;
use crate::settings::Settings;
use crate::telemetry;
use crate::trigger::{self, Message, Source};

/// Objects that are read at the same time.
const CONCURRENT_OBJECTS: usize = 16;
/// Signals on their way from the readers to the publisher; readers wait while there are more.
const SIGNALS_UNDER_WAY: usize = 16;
/// The reply is on its way this long before Lambda's deadline.
const REPLY_RESERVE: Duration = Duration::from_secs(1);
/// Reading ends this long before publishing must, or a quarter of the time if that is less.
const PUBLISH_RESERVE: Duration = Duration::from_secs(5);

/// The function.
#[derive(Debug)]
pub struct Handler {
    settings: Settings,
    rules: Ruleset,
    deliveries: Deliveries,
    topic: Topic,
}

/// When what must be over.
#[derive(Debug, Clone, Copy)]
struct Deadlines {
    reading: Instant,
    publishing: Instant,
}

/// What one source gave.
#[derive(Debug)]
struct Report {
    message: usize,
    counters: Counters,
    failures: Vec<Failure>,
}

impl Handler {
    /// A function that reads with one client and publishes with the other.
    #[must_use]
    pub fn new(settings: Settings, rules: Ruleset, s3: aws_sdk_s3::Client, sns: aws_sdk_sns::Client) -> Self {
        let deliveries = Deliveries::new(s3, settings.bucket_owner.clone());
        let topic = Topic::new(sns, settings.topic_arn.clone());
        Self { settings, rules, deliveries, topic }
    }

    /// Handles one payload. `deadline` is the time at which Lambda ends the invocation.
    ///
    /// # Errors
    /// The payload is unknown, or something failed that the trigger can only be told by an error. By then everything
    /// that could be done has been done.
    pub async fn handle(
        &self,
        payload: &Value,
        deadline: SystemTime,
        request_id: &str,
    ) -> Result<Value, Error> {
        let started = Instant::now();
        let deadlines = Deadlines::before(deadline);
        let invocation = trigger::recognise(payload).map_err(|error| {
            let failure = Failure::permanent(error.to_string());
            telemetry::failed(request_id, None, &failure);
            telemetry::finished(request_id, &Counters::default(), started.elapsed());
            Error(failure)
        })?;

        let (found, signals) = mpsc::channel(SIGNALS_UNDER_WAY);
        let reading = self.read_all(&invocation.messages, found, deadlines.reading);
        let publishing = self.topic.publish_all(signals, deadlines.publishing);
        let (reports, publication) = tokio::join!(reading, publishing);

        let mut outcomes: Vec<_> = invocation
            .messages
            .into_iter()
            .map(|message| Outcome { id: message.id, counters: Counters::default(), failures: Vec::new() })
            .collect();
        for report in reports {
            outcomes[report.message].counters += report.counters;
            outcomes[report.message].failures.extend(report.failures);
        }
        for (message, failure) in publication.failures {
            outcomes[message].failures.push(failure);
        }
        let mut counters = Counters {
            published: publication.published,
            duplicates: publication.duplicates,
            failed: publication.failed,
            ..Counters::default()
        };
        for outcome in &outcomes {
            counters += outcome.counters;
            for failure in &outcome.failures {
                telemetry::failed(request_id, outcome.id.as_deref(), failure);
            }
        }
        telemetry::finished(request_id, &counters, started.elapsed());
        reply(&invocation.reply, &outcomes, &counters)
    }

    /// Reads every source of every message, several at a time. The channel closes when all are done.
    async fn read_all(&self, messages: &[Message], found: Sender<Found>, deadline: Instant) -> Vec<Report> {
        let now = rfc3339(SystemTime::now());
        let sources = messages
            .iter()
            .enumerate()
            .flat_map(|(index, message)| message.sources.iter().map(move |source| (index, source)));
        stream::iter(sources)
            .map(|(message, source)| self.read(message, source, &now, &found, deadline))
            .buffer_unordered(CONCURRENT_OBJECTS)
            .collect()
            .await
    }

    async fn read(
        &self,
        message: usize,
        source: &Result<Source, trigger::Error>,
        now: &str,
        found: &Sender<Found>,
        deadline: Instant,
    ) -> Report {
        let mut report = Report { message, counters: Counters::default(), failures: Vec::new() };
        let (origin, records) = match source {
            Err(error) => {
                report.failures.push(Failure::permanent(error.to_string()));
                return report;
            }
            Ok(Source::Nothing(reason)) => {
                report.skip(reason, None);
                return report;
            }
            Ok(Source::Object(object)) => {
                if let Some(reason) = object.key.skip_reason() {
                    report.skip(reason, Some(object));
                    return report;
                }
                (&Origin::Object(object.clone()), None)
            }
            Ok(Source::Records { origin, records }) => (origin, Some(records)),
        };
        report.counters.deliveries = 1;
        let mut outbox = Outbox { found, message, unsent: 0 };
        let mut inspector = Inspector::new(&self.rules, self.settings.exceptions.as_ref(), origin, now);
        let reading = async {
            match (origin, records) {
                (_, Some(records)) => self.read_records(records, &mut inspector, &mut outbox).await,
                (Origin::Object(object), None) => {
                    self.read_object(object, &mut report.counters, &mut inspector, &mut outbox).await
                }
                (_, None) => Ok(()),
            }
        };
        let place = origin.index();
        match timeout_at(deadline, reading).await {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => report.failures.push(failure),
            Err(_) => report
                .failures
                .push(Failure::transient(format!("{place}: there was no time left to read it to its end"))),
        }
        report.failures.extend(rejections(&place, &inspector));
        report.counters += inspector.counters;
        report.counters.failed += outbox.unsent;
        report
    }

    async fn read_object(
        &self,
        object: &Object,
        counters: &mut Counters,
        inspector: &mut Inspector<'_>,
        outbox: &mut Outbox<'_>,
    ) -> Result<(), Failure> {
        let bad_data = |error: records::Error| Failure::permanent(format!("{object}: {error}"));
        let unreadable = |error: crate::delivery::Error| {
            let reason = error.to_string();
            Failure { reason, ..error.failure }
        };
        let mut body = self.deliveries.open(object).await.map_err(unreadable)?;
        let mut decoder = Decoder::new(Layout::Delivery);
        while let Some(chunk) = body.chunk().await.map_err(unreadable)? {
            let mut input = &chunk[..];
            loop {
                let step =
                    decoder.step(&mut input, &mut |position, record| inspector.inspect(position, record));
                counters.bytes_in = decoder.bytes_read();
                counters.bytes_inflated = decoder.bytes_inflated();
                // What was found before an error is published all the same.
                outbox.send(inspector).await;
                if !step.map_err(bad_data)? {
                    break;
                }
                // Other objects may have bytes waiting, and the deadline may have come.
                tokio::task::yield_now().await;
            }
        }
        decoder.finish().map_err(bad_data)
    }

    async fn read_records(
        &self,
        records: &[String],
        inspector: &mut Inspector<'_>,
        outbox: &mut Outbox<'_>,
    ) -> Result<(), Failure> {
        for (position, record) in (0..).zip(records) {
            inspector.inspect(position, records::single(record.as_bytes()));
            outbox.send(inspector).await;
        }
        Ok(())
    }
}

impl Deadlines {
    fn before(deadline: SystemTime) -> Self {
        let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
        let now = Instant::now();
        let publishing = left.saturating_sub(REPLY_RESERVE);
        let reading = publishing.saturating_sub(PUBLISH_RESERVE.min(publishing / 4));
        Self { reading: now + reading, publishing: now + publishing }
    }
}

impl Report {
    fn skip(&mut self, reason: &str, object: Option<&Object>) {
        self.counters.skipped = 1;
        telemetry::skipped(reason, object);
    }
}

/// The way from a reader to the publisher.
struct Outbox<'a> {
    found: &'a Sender<Found>,
    message: usize,
    /// Signals that have been found and have not reached the publisher.
    unsent: u64,
}

impl Outbox<'_> {
    /// Sends what the inspector has found, waiting while the publisher has enough.
    async fn send(&mut self, inspector: &mut Inspector<'_>) {
        for id in inspector.suppressed.drain(..) {
            telemetry::suppressed(id);
        }
        self.unsent = inspector.found.len() as u64;
        for signal in inspector.found.drain(..) {
            // The publisher listens until every sender is gone.
            let sent = self.found.send(Found { signal, message: self.message }).await;
            self.unsent -= u64::from(sent.is_ok());
        }
    }
}

/// The failures of a delivery with rejected records: each one that is remembered, then how many more.
fn rejections(place: &str, inspector: &Inspector<'_>) -> Vec<Failure> {
    let mut failures: Vec<_> = inspector
        .rejections
        .iter()
        .map(|(position, rejection)| Failure::permanent(format!("{place}: record {position}: {rejection}")))
        .collect();
    let more = inspector.counters.rejected - failures.len() as u64;
    if more > 0 {
        failures.push(Failure::permanent(format!("{place}: {more} more records are rejected")));
    }
    failures
}

/// The time that a deadline of the Lambda runtime API means.
#[must_use]
pub fn deadline(epoch_milliseconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(epoch_milliseconds)
}

/// A time with milliseconds, as signals have it.
#[must_use]
pub fn rfc3339(time: SystemTime) -> String {
    let milliseconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let time = DateTime::from_millis(i64::try_from(milliseconds).unwrap_or(i64::MAX));
    // Every time until the year 9999 has an RFC 3339 form.
    time.fmt(DateTimeFormat::DateTime).unwrap_or_default()
}
