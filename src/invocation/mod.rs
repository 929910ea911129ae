//! One invocation, from payload to reply.

mod reading;
pub mod reply;
pub mod report;

use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use detection::detect::{Inspector, Ruleset};
use detection::origin::{Object, Origin};
use detection::time::rfc3339;
use futures_util::stream::{self, StreamExt};
use serde_json::Value;
use tokio::sync::mpsc::{self, Sender};
use tokio::time::Instant;

use crate::failure::Failure;
use crate::publish::archive::Archive;
use crate::publish::{Found, Topic};
use crate::s3::Deliveries;
use crate::settings::Settings;
use crate::telemetry;
use crate::telemetry::counters::Counters;
use crate::telemetry::metrics::Latency;
use crate::trigger::{self, Message, Part, Payload, ReplyKind, Source};
use reading::Reading;
use reply::{Error, reply};
use report::Report;

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

/// When reading and publishing must be over.
#[derive(Debug, Clone, Copy)]
struct Deadlines {
    reading: Instant,
    publishing: Instant,
}

impl Handler {
    /// A function that reads with one client and publishes with the other.
    #[must_use]
    pub fn new(
        settings: Settings,
        rules: Ruleset,
        s3: aws_sdk_s3::Client,
        sns: &aws_sdk_sns::Client,
    ) -> Self {
        let mut topic = Topic::new(sns, settings.topic_arn.clone());
        if let Some(bucket) = settings.archive_bucket.clone() {
            topic = topic.with_archive(Archive::new(s3.clone(), bucket));
        }
        let deliveries = Deliveries::new(s3, settings.bucket_owner.clone());
        Self { settings, rules, deliveries, topic }
    }

    /// Takes a body for dead when nothing has come for `stall`, instead of the usual five seconds.
    #[must_use]
    pub fn with_stall(self, stall: Duration) -> Self {
        Self { deliveries: self.deliveries.with_stall(stall), ..self }
    }

    /// Handles one payload. `deadline` is the time at which Lambda ends the invocation.
    ///
    /// # Errors
    /// The payload is unknown, or something failed that the trigger can only be told by an error. By then everything
    /// that could be done has been done.
    pub async fn handle(
        &self,
        payload: &Payload,
        deadline: SystemTime,
        request_id: &str,
    ) -> Result<Value, Error> {
        let started = Instant::now();
        let deadlines = Deadlines::before(deadline);
        let invocation = payload.text().and_then(trigger::recognise).map_err(|error| {
            let failure = Failure::permanent(error.to_string());
            telemetry::failed(request_id, None, &failure);
            telemetry::finished(request_id, &Counters::default(), started.elapsed());
            self.measure(&Counters::default(), &[]);
            Error(failure)
        })?;

        let reports: Vec<_> =
            invocation.messages.iter().map(|message| Rc::new(Report::new(message.id.clone()))).collect();
        let (found, signals) = mpsc::channel(SIGNALS_UNDER_WAY);
        let reading = self.read_all(&invocation.messages, &reports, found, deadlines);
        // Boxed, since the compiler gives up on futures that hold futures beyond some depth.
        let publishing = Box::pin(self.topic.publish_all(signals, deadlines.publishing));
        let ((), publication) = tokio::join!(reading, publishing);

        let mut counters = Counters {
            published: publication.published,
            duplicates: publication.duplicates,
            failed: publication.failed,
            unarchived: publication.unarchived,
            ..Counters::default()
        };
        for report in &reports {
            counters += report.counters();
            for failure in &*report.failures() {
                telemetry::failed(request_id, report.id.as_deref(), failure);
            }
        }
        telemetry::finished(request_id, &counters, started.elapsed());
        // What a batch job reads is old, and says nothing of how late the function is.
        let is_history = matches!(invocation.reply, ReplyKind::S3BatchJob { .. });
        self.measure(&counters, if is_history { &[] } else { &publication.latencies });
        reply(&invocation.reply, &reports, &counters)
    }

    /// Writes the metrics down, if they are wanted. By then all else is done, so the lines are out before the reply.
    fn measure(&self, counters: &Counters, latencies: &[Latency]) {
        if let Some(metrics) = &self.settings.metrics {
            for line in metrics.lines(counters, latencies, SystemTime::now()) {
                telemetry::metrics(&line);
            }
        }
    }

    /// Reads every part of every message, several at a time. The channel closes when all are done.
    async fn read_all(
        &self,
        messages: &[Message],
        reports: &[Rc<Report>],
        found: Sender<Found>,
        deadlines: Deadlines,
    ) {
        let now = rfc3339(SystemTime::now());
        let parts = messages
            .iter()
            .zip(reports)
            .flat_map(|(message, report)| message.parts.iter().map(move |part| (report, part)));
        stream::iter(parts)
            .map(|(report, part)| self.read(report, part, &now, &found, deadlines))
            .buffer_unordered(CONCURRENT_OBJECTS)
            .collect::<()>()
            .await;
    }

    /// Reads one part of a message, and adds to the report of the message.
    async fn read(
        &self,
        report: &Rc<Report>,
        part: &Part,
        now: &str,
        found: &Sender<Found>,
        deadlines: Deadlines,
    ) {
        let source = match part {
            Part::Error(error) => return report.fail(Failure::permanent(error.to_string())),
            Part::Nothing(reason) => return skip(report, reason, None),
            Part::Source(source) => source,
        };
        let origin = match source {
            Source::Object(object) => match object.key.skip_reason() {
                Some(reason) => return skip(report, reason, Some(object)),
                None => &Origin::Object(object.clone()),
            },
            Source::Bytes { origin, .. } => origin,
        };
        let inspector = Inspector::new(&self.rules, self.settings.exceptions.as_ref(), origin, now);
        let reading = Reading::new(origin.index(), report, inspector, found);
        reading.run(&self.deliveries, source, deadlines).await;
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

/// Counts something that there is nothing to do with.
fn skip(report: &Report, reason: &str, object: Option<&Object>) {
    telemetry::skipped(reason, object);
    report.count(Counters { skipped: 1, ..Counters::default() });
}

/// The time that a deadline of the Lambda runtime API means: milliseconds since 1970.
///
/// `cargo lambda watch` sends the milliseconds that are left instead; no deadline of Lambda's lies before 2001.
#[must_use]
pub fn deadline(milliseconds: u64) -> SystemTime {
    const YEAR_2001: u64 = 978_307_200_000;
    let start = if milliseconds < YEAR_2001 { SystemTime::now() } else { UNIX_EPOCH };
    start + Duration::from_millis(milliseconds)
}
