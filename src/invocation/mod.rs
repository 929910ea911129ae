//! One invocation, from payload to reply.

mod deadlines;
mod reading;
mod remembering;
pub mod reply;
pub mod report;
mod watching;

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use detection::bundle::Route;
use detection::detect::Ruleset;
use detection::notice::Routes;
use detection::origin::{Object, Origin};
use detection::pipeline::Pipeline;
use detection::time::rfc3339;
use futures_util::stream::{self, StreamExt};
use serde_json::Value;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::Instant;

use crate::aws;
use crate::failure::Failure;
use crate::memory::{Memory, Notified, Silence, Waiting};
use crate::publish::archive::Archive;
use crate::publish::{Found, Publication, Publisher};
use crate::s3::Deliveries;
use crate::settings::Settings;
use crate::telemetry;
use crate::telemetry::counters::Counters;
use crate::telemetry::metrics::Latency;
use crate::trigger::{self, Message, Part, Payload, Source};
use deadlines::Deadlines;
use reading::Reading;
use remembering::{Remembered, Remembering};
use reply::{Error, reply};
use report::Report;
use watching::Watching;

pub use deadlines::deadline;

/// How many objects are read at the same time.
const CONCURRENT_OBJECTS: usize = 16;
/// The capacity of the channel from the readers to the publisher. Readers wait while it is full.
const SIGNALS_UNDER_WAY: usize = 16;

/// The capacity of the channel from the readers to the memory. Readers wait while it is full.
const MATCHES_UNDER_WAY: usize = 16;

/// Where readers send what they find.
#[derive(Debug)]
struct Channels {
    /// Signals, to the publisher.
    found: Sender<Found>,
    /// Matches of rules that remember, to the memory.
    waiting: Sender<Waiting>,
}

/// The function.
#[derive(Debug)]
pub struct Handler {
    settings: Settings,
    rules: Ruleset,
    deliveries: Deliveries,
    memory: Option<Memory>,
    silence: Option<Silence>,
    publisher: Publisher,
}

impl Handler {
    /// A function with these settings and rules, and clients with this configuration.
    #[must_use]
    pub fn new(settings: Settings, rules: Ruleset, config: &SdkConfig) -> Self {
        let (s3, sns) = (aws::s3(config), aws::sns(config));
        let client = OnceCell::new();
        let dynamodb = || client.get_or_init(|| aws::dynamodb(config)).clone();
        let mut publisher = Publisher::new(&sns, settings.topic_arn.clone());
        if let Some(bucket) = settings.archive_bucket.clone() {
            publisher = publisher.with_archive(Archive::new(s3.clone(), bucket));
        }
        if let Some(notices) = &settings.notices {
            let mut routes = Routes::to(notices.topic_arn.clone());
            for Route { query, topic, stop, .. } in &rules.routes {
                // The query was parsed when the rules were made.
                _ = routes.add(query, topic, *stop);
            }
            let table = settings.memory_table.as_ref().filter(|_| !notices.quiet.is_zero());
            let notified = table.map(|table| Notified::new(dynamodb(), table, notices.quiet));
            publisher = publisher.with_notices(&sns, notices, routes, rules.accounts.clone(), notified);
        }
        let deliveries = Deliveries::new(s3, settings.bucket_owner.clone());
        let remember = rules.rules().iter().filter_map(|rule| Some((rule, rule.memory.as_ref()?)));
        let memory = settings.memory_table.as_ref().filter(|_| remember.clone().next().is_some());
        let memory = memory.map(|table| Memory::new(dynamodb(), table, settings.learning_days));
        let silence = settings.memory_table.as_ref().zip(settings.silence_hours);
        let silence = silence.map(|(table, hours)| Silence::new(dynamodb(), table, hours));
        let rules = if memory.is_some() { rules } else { without_memory(rules) };
        Self { settings, rules, deliveries, memory, silence, publisher }
    }

    /// Resumes a body that sends nothing for `stall`, rather than for five seconds.
    #[must_use]
    pub fn with_stall(self, stall: Duration) -> Self {
        Self { deliveries: self.deliveries.with_stall(stall), ..self }
    }

    /// Handles one payload. `deadline` is the time at which Lambda ends the invocation.
    ///
    /// # Errors
    /// The payload is unknown, or something failed and the trigger understands only an error as a reply. Everything
    /// else has been processed by then.
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
        if invocation.learns && self.memory.is_none() {
            let reason =
                "no rule remembers anything, so there is nothing to teach: set MEMORY_TABLE, and add rules";
            for report in &reports {
                report.fail(Failure::permanent(reason));
            }
        }
        let (found, signals) = mpsc::channel(SIGNALS_UNDER_WAY);
        let (waiting, matches) = mpsc::channel(MATCHES_UNDER_WAY);
        // Boxed: the compiler limits the depth of nested futures.
        let remembering = Box::pin(self.remember(matches, found.clone(), invocation.learns, deadlines));
        let publishing = Box::pin(self.publish(signals, invocation.learns, deadlines));
        let watching = Watching::new(self.silence.as_ref());
        let reading = Box::pin(async {
            let channels = Channels { found, waiting };
            self.read_all(&invocation.messages, &reports, channels, &watching, deadlines).await;
            watching.note(deadlines.remembering).await;
        });
        let ((), remembered, (publication, learned)) = tokio::join!(reading, remembering, publishing);
        watching.published(deadlines.publishing).await;

        let mut counters = Counters {
            published: publication.published,
            duplicates: publication.duplicates,
            signals: remembered.matches,
            suppressed: remembered.suppressed,
            known: remembered.known + learned,
            failed: remembered.failed + publication.failed,
            unarchived: publication.unarchived,
            notices: publication.notices,
            notices_failed: publication.notices_failed,
            ..Counters::default()
        };
        for report in &reports {
            counters += report.counters();
            for failure in &*report.failures() {
                telemetry::failed(request_id, report.id.as_deref(), failure);
            }
        }
        telemetry::finished(request_id, &counters, started.elapsed());
        self.measure(&counters, if invocation.is_timely() { &publication.latencies } else { &[] });
        reply(&invocation.reply, &reports, &counters)
    }

    /// Decides on the matches of rules that remember.
    async fn remember(
        &self,
        matches: Receiver<Waiting>,
        found: Sender<Found>,
        learns: bool,
        deadlines: Deadlines,
    ) -> Remembered {
        let Some(memory) = &self.memory else { return Remembered::default() };
        let now = rfc3339(SystemTime::now());
        let remembering =
            Remembering { memory, rules: &self.rules, now: &now, found, deadline: deadlines.remembering };
        remembering.run(matches, learns).await
    }

    /// Publishes signals, or only counts them if rules only learn.
    async fn publish(
        &self,
        mut signals: Receiver<Found>,
        learns: bool,
        deadlines: Deadlines,
    ) -> (Publication, u64) {
        if !learns {
            return (self.publisher.publish_all(signals, deadlines.publishing).await, 0);
        }
        let mut learned = 0;
        while signals.recv().await.is_some() {
            learned += 1;
        }
        (Publication::default(), learned)
    }

    /// Writes the metrics to the log, if `METRICS_NAMESPACE` is set. Everything else is done by then, so the lines are
    /// written before the reply is sent.
    fn measure(&self, counters: &Counters, latencies: &[Latency]) {
        if let Some(metrics) = &self.settings.metrics {
            for line in metrics.lines(counters, latencies, SystemTime::now()) {
                telemetry::metrics(&line);
            }
        }
    }

    /// Reads every part of every message, several at a time. Closes the channels at the end.
    ///
    /// The first part of every message comes before the second of any: a message with many objects must not use up the
    /// time of the others.
    async fn read_all(
        &self,
        messages: &[Message],
        reports: &[Rc<Report>],
        channels: Channels,
        watching: &Watching<'_>,
        deadlines: Deadlines,
    ) {
        let now = rfc3339(SystemTime::now());
        let mut parts: Vec<_> = messages
            .iter()
            .zip(reports)
            .flat_map(|(message, report)| message.parts.iter().enumerate().map(move |part| (report, part)))
            .collect();
        parts.sort_by_key(|(_, (turn, _))| *turn);
        stream::iter(parts)
            .map(|(report, (_, part))| self.read(report, part, &now, &channels, watching, deadlines))
            .buffer_unordered(CONCURRENT_OBJECTS)
            .collect::<()>()
            .await;
    }

    /// Reads one part of a message and adds the outcome to the report of the message.
    async fn read(
        &self,
        report: &Rc<Report>,
        part: &Part,
        now: &str,
        channels: &Channels,
        watching: &Watching<'_>,
        deadlines: Deadlines,
    ) {
        let source = match part {
            Part::Error(error) => return report.fail(Failure::permanent(error.to_string())),
            Part::Nothing(reason) => return skip(report, reason, None),
            Part::Check(time) => {
                return watching.check(*time, report, &self.rules, now, channels, deadlines).await;
            }
            Part::Source(source) => source,
        };
        let origin = Rc::new(match source {
            Source::Object(object) => match object.key.skip_reason() {
                Some(reason) => return skip(report, reason, Some(object)),
                None => Origin::Object(object.clone()),
            },
            Source::Bytes { origin, .. } => origin.clone(),
        });
        let pipeline = Pipeline::new(&self.rules, &origin, now);
        let reading = Reading::new(&origin, report, pipeline, channels, watching);
        reading.run(&self.deliveries, source, deadlines).await;
    }
}

/// Rules without a table: those that need one are off, and the others hold nothing back.
fn without_memory(rules: Ruleset) -> Ruleset {
    let names = |is_off: bool| -> Vec<_> {
        let rules = rules.rules().iter();
        let remember =
            rules.filter(|rule| rule.memory.as_ref().is_some_and(|memory| memory.is_needed() == is_off));
        remember.map(|rule| rule.definition.name.as_str()).collect()
    };
    let (off, unsuppressed) = (names(true), names(false));
    if !off.is_empty() || !unsuppressed.is_empty() {
        telemetry::memory_off(&off, &unsuppressed);
    }
    rules.without_memory()
}

/// Counts a part of a message that needs no work.
fn skip(report: &Report, reason: &str, object: Option<&Object>) {
    telemetry::skipped(reason, object);
    report.count(Counters { skipped: 1, ..Counters::default() });
}
