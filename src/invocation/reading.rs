//! One source of a message, read to its end or to the first thing that stops it.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::SystemTime;

use detection::pipeline::Pipeline;
use detection::records::{self, Decoder};
use detection::signal::Signal;
use futures_util::FutureExt;
use tokio::sync::mpsc::Sender;
use tokio::task::yield_now;
use tokio::time::{Instant, timeout_at};

use crate::failure::Failure;
use crate::invocation::Deadlines;
use crate::invocation::report::Report;
use crate::publish::Found;
use crate::s3::Deliveries;
use crate::telemetry;
use crate::telemetry::counters::Counters;
use crate::trigger::Source;

/// A source, the pipeline that looks at its records, and the way of what it finds to the publisher.
pub(crate) struct Reading<'a> {
    place: Rc<str>,
    report: &'a Rc<Report>,
    pipeline: Pipeline<'a>,
    found: &'a Sender<Found>,
    is_object: bool,
    delivered: Option<SystemTime>,
    /// Signals that wait for the publisher.
    pending: VecDeque<Signal>,
    /// Signals that have reached the publisher.
    sent: u64,
    bytes_in: u64,
    bytes_inflated: u64,
}

impl<'a> Reading<'a> {
    /// Reads for the message with this report, from a place that every failure names.
    pub(crate) fn new(
        place: String,
        report: &'a Rc<Report>,
        pipeline: Pipeline<'a>,
        found: &'a Sender<Found>,
    ) -> Self {
        Self {
            place: place.into(),
            report,
            pipeline,
            found,
            is_object: false,
            delivered: None,
            pending: VecDeque::new(),
            sent: 0,
            bytes_in: 0,
            bytes_inflated: 0,
        }
    }

    /// Reads until the deadline at most, and reports what was done and what went wrong.
    pub(crate) async fn run(mut self, deliveries: &Deliveries, source: &Source, deadlines: Deadlines) {
        if Instant::now() >= deadlines.reading {
            let reason = format!("{}: there was no time left to begin with it", self.place);
            return self.report.fail(Failure::transient(reason));
        }
        self.is_object = matches!(source, Source::Object(_));
        let result = guarded(self.read(deliveries, source), deadlines.reading).await;
        // A panic or the deadline may have left some. Time to publish them is reserved, so it is used.
        let _ = timeout_at(deadlines.publishing, self.send()).await;
        self.finish(result);
    }

    async fn read(&mut self, deliveries: &Deliveries, source: &Source) -> Result<(), Stop> {
        let mut decoder = Decoder::new();
        match source {
            Source::Bytes { bytes, .. } => self.decode(&mut decoder, bytes).await?,
            Source::Object(object) => {
                let mut body = deliveries.open(object).await.map_err(Failure::from)?;
                self.delivered = body.delivered();
                while let Some(chunk) = body.chunk().await.map_err(Failure::from)? {
                    self.decode(&mut decoder, &chunk).await?;
                }
            }
        }
        Ok(decoder.finish()?)
    }

    /// Looks at every record that ends in these bytes.
    async fn decode(&mut self, decoder: &mut Decoder, mut bytes: &[u8]) -> Result<(), Stop> {
        loop {
            let pipeline = &mut self.pipeline;
            let step = decoder.step(&mut bytes, &mut |position, record| pipeline.process(position, record));
            self.bytes_in = decoder.bytes_read();
            self.bytes_inflated = decoder.bytes_inflated();
            // What was found before an error is published all the same.
            self.send().await;
            if !step? {
                return Ok(());
            }
            // Other objects may have bytes waiting, and the deadline may have come.
            yield_now().await;
        }
    }

    /// Hands over what the pipeline has found, waiting while the publisher has enough.
    async fn send(&mut self) {
        for suppressed in self.pipeline.suppressed.drain(..) {
            telemetry::suppressed(&suppressed, &self.place);
        }
        self.pending.extend(self.pipeline.found.drain(..));
        // The deadline may end this at any wait, so a signal leaves the queue only when its place is certain.
        while !self.pending.is_empty()
            && let Ok(permit) = self.found.reserve().await
            && let Some(signal) = self.pending.pop_front()
        {
            let (report, place) = (Rc::clone(self.report), Rc::clone(&self.place));
            permit.send(Found { signal, report, place, delivered: self.delivered });
            self.sent += 1;
        }
    }

    fn finish(self, result: Result<(), Stop>) {
        let Self { place, report, pipeline, .. } = self;
        let mut counters = Counters::from(pipeline.tally);
        counters.deliveries = 1;
        counters.completed = u64::from(self.is_object && result.is_ok());
        counters.bytes_in = self.bytes_in;
        counters.bytes_inflated = self.bytes_inflated;
        counters.failed = counters.signals - counters.suppressed - self.sent;
        match result {
            Ok(()) => {}
            Err(Stop::Failed(failure)) => report.fail(failure),
            Err(Stop::BadData(error)) => report.fail(Failure::permanent(format!("{place}: {error}"))),
            Err(Stop::Deadline) => {
                let reason = format!("{place}: there was no time left to read it to its end");
                report.fail(Failure::transient(reason));
            }
            Err(Stop::Panicked) => {
                // The record that was looked at is neither matched nor unmatched.
                counters.rejected = counters.records - counters.matched - counters.unmatched;
                let reason = format!("{place}: the function itself failed on it, by a panic");
                report.fail(Failure::permanent(reason));
            }
        }
        for (position, rejection) in &pipeline.rejections {
            report.fail(Failure::permanent(format!("{place}: record {position}: {rejection}")));
        }
        let more = pipeline.tally.rejected - pipeline.rejections.len() as u64;
        if more > 0 {
            report.fail(Failure::permanent(format!("{place}: {more} more records are rejected")));
        }
        report.count(counters);
    }
}

/// What ends reading before its end.
#[derive(Debug, PartialEq)]
enum Stop {
    /// Something that says itself what it was about.
    Failed(Failure),
    /// The bytes are not those of a delivery.
    BadData(records::Error),
    /// Time is up.
    Deadline,
    /// A mistake in this program, which must cost no other object anything.
    Panicked,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<records::Error> for Stop {
    fn from(error: records::Error) -> Self {
        Self::BadData(error)
    }
}

/// Runs `work` until the deadline at most; a panic in it stops nothing else.
async fn guarded(work: impl Future<Output = Result<(), Stop>>, deadline: Instant) -> Result<(), Stop> {
    match timeout_at(deadline, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Stop::Panicked),
        Err(_) => Err(Stop::Deadline),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(20)
    }

    #[tokio::test]
    async fn a_panic_ends_what_is_guarded_and_nothing_else() {
        let work = async { panic!("as the test orders") };
        assert_eq!(guarded(work, soon()).await, Err(Stop::Panicked));
    }

    #[tokio::test]
    async fn what_has_no_end_is_ended_by_the_deadline() {
        assert_eq!(guarded(std::future::pending(), soon()).await, Err(Stop::Deadline));
    }
}
