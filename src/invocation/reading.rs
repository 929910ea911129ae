//! Reading one source of a message, to its end or to the first error.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::SystemTime;

use detection::memory::Candidate;
use detection::origin::Origin;
use detection::pipeline::Pipeline;
use detection::records::{self, Decoder};
use detection::signal::Signal;
use futures_util::FutureExt;
use tokio::task::yield_now;
use tokio::time::{Instant, timeout_at};

use crate::failure::Failure;
use crate::invocation::report::Report;
use crate::invocation::watching::Watching;
use crate::invocation::{Channels, Deadlines};
use crate::memory::Waiting;
use crate::publish::Found;
use crate::s3::Deliveries;
use crate::telemetry;
use crate::telemetry::counters::Counters;
use crate::trigger::Source;

/// The reading of one source: the pipeline for its records, and the channel to the publisher.
pub(crate) struct Reading<'a> {
    origin: &'a Rc<Origin>,
    place: Rc<str>,
    report: &'a Rc<Report>,
    pipeline: Pipeline<'a>,
    channels: &'a Channels,
    watching: &'a Watching<'a>,
    is_object: bool,
    delivered: Option<SystemTime>,
    /// Signals that wait to be handed to the publisher.
    pending: VecDeque<Signal>,
    /// Matches that wait to be handed to the memory.
    undecided: VecDeque<Candidate>,
    /// How many signals the publisher has received, plus the matches that the memory has.
    sent: u64,
    bytes_in: u64,
    bytes_inflated: u64,
}

impl<'a> Reading<'a> {
    /// Reads for the message with this report. Every failure names `origin`.
    pub(crate) fn new(
        origin: &'a Rc<Origin>,
        report: &'a Rc<Report>,
        pipeline: Pipeline<'a>,
        channels: &'a Channels,
        watching: &'a Watching<'a>,
    ) -> Self {
        Self {
            origin,
            place: origin.index().into(),
            report,
            pipeline,
            channels,
            watching,
            is_object: false,
            delivered: None,
            pending: VecDeque::new(),
            undecided: VecDeque::new(),
            sent: 0,
            bytes_in: 0,
            bytes_inflated: 0,
        }
    }

    /// Reads until the deadline at most, and reports what was done and what failed.
    pub(crate) async fn run(mut self, deliveries: &Deliveries, source: &Source, deadlines: Deadlines) {
        if Instant::now() >= deadlines.reading {
            let reason = format!("{}: there was no time left to start on it", self.place);
            return self.report.fail(Failure::transient(reason));
        }
        self.is_object = matches!(source, Source::Object(_));
        let result = guarded(self.read(deliveries, source), deadlines.reading).await;
        // A panic or the deadline may leave signals behind. Time for publishing is reserved: use it.
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
        decoder.end();
        self.decode(&mut decoder, &[]).await?;
        Ok(decoder.finish()?)
    }

    /// Processes every record that ends in these bytes.
    async fn decode(&mut self, decoder: &mut Decoder, mut bytes: &[u8]) -> Result<(), Stop> {
        loop {
            let pipeline = &mut self.pipeline;
            let step = decoder.step_until(&mut bytes, &mut |position, record| {
                pipeline.process(position, record);
                // Several deliveries are read at a time, and each holds the signals of one step.
                if pipeline.is_full() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            self.bytes_in = decoder.bytes_read();
            self.bytes_inflated = decoder.bytes_inflated();
            // Signals that were found before an error are still published.
            self.send().await;
            if !step? {
                return Ok(());
            }
            // Let other objects proceed, and let the deadline end this one.
            yield_now().await;
        }
    }

    /// Hands the signals found so far to the publisher and the matches to the memory; waits while a channel is full.
    async fn send(&mut self) {
        for suppressed in self.pipeline.suppressed.drain(..) {
            telemetry::suppressed(&suppressed, &self.place);
        }
        self.pending.extend(self.pipeline.found.drain(..));
        // The deadline may end this at any await: take a signal from the queue only when the channel has a slot for it.
        while !self.pending.is_empty()
            && let Ok(permit) = self.channels.found.reserve().await
            && let Some(signal) = self.pending.pop_front()
        {
            let (report, place) = (Rc::clone(self.report), Rc::clone(&self.place));
            permit.send(Found { signal, report, place, delivered: self.delivered });
            self.sent += 1;
        }
        self.undecided.extend(self.pipeline.candidates.drain(..));
        while !self.undecided.is_empty()
            && let Ok(permit) = self.channels.waiting.reserve().await
            && let Some(candidate) = self.undecided.pop_front()
        {
            let (report, place, origin) =
                (Rc::clone(self.report), Rc::clone(&self.place), Rc::clone(self.origin));
            permit.send(Waiting { candidate, origin, report, place, delivered: self.delivered });
            self.sent += 1;
        }
    }

    fn finish(self, result: Result<(), Stop>) {
        if self.is_object && result.is_ok() {
            self.watching.saw(self.origin, self.report);
        }
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
                let reason = format!("{place}: there was no time left to finish reading it");
                report.fail(Failure::transient(reason));
            }
            Err(Stop::Panicked) => {
                // The record that caused the panic is neither matched nor unmatched.
                counters.rejected = counters.records - counters.matched - counters.unmatched;
                let reason = format!("{place}: the function itself failed on it with a panic");
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

/// Why reading stopped before the end of the source.
#[derive(Debug, PartialEq)]
enum Stop {
    /// A failure that names its object.
    Failed(Failure),
    /// The bytes are not a delivery.
    BadData(records::Error),
    /// The deadline passed.
    Deadline,
    /// A bug in this program, which must not affect other objects.
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

/// Runs `work` until the deadline at most, and contains a panic in it.
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
    async fn a_panic_in_guarded_work_is_contained() {
        let work = async { panic!("as the test orders") };
        assert_eq!(guarded(work, soon()).await, Err(Stop::Panicked));
    }

    #[tokio::test]
    async fn the_deadline_ends_work_that_never_ends() {
        assert_eq!(guarded(std::future::pending(), soon()).await, Err(Stop::Deadline));
    }
}
