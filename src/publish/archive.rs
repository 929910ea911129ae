//! The archive: each signal once in a bucket, so that a replay publishes no signal again and Athena can query them all.
//!
//! A signal is the object `signals/rule=<rule_id>/date=<YYYY-MM-DD of the event>/<id>.json`, one line of JSON. The function
//! looks it up before publishing it, and stores it after SNS took it. This is best effort: two copies of the function that
//! find the same event at the same moment both publish it. An archive that fails never stops a signal from being
//! published; the function counts and logs signals that it published and could not store.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::primitives::ByteStream;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, timeout_at};

use crate::failure::{Failure, Retry};
use crate::telemetry;
use detection::signal::Signal;

/// The archive may delay a batch this long, once before and once after it is published.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many times that time is halved at most.
const MAX_HALVINGS: u32 = 3;
/// After a batch without an answer, the archive gets no requests for this many times as long as the batch took.
const REST: u32 = 2;

/// The bucket that keeps signals.
#[derive(Debug, Clone)]
pub struct Archive {
    client: Client,
    bucket: String,
}

/// The archive during one invocation.
pub(crate) struct Session<'a> {
    archive: &'a Archive,
    lookups: Pace,
    stores: Pace,
}

/// How long to wait for one kind of request, so that an archive that does not answer costs little in all.
#[derive(Debug, Default)]
struct Pace {
    /// Batches in a row that met time-outs.
    delays: u32,
    /// No request is sent before this.
    rest: Option<Instant>,
}

impl Archive {
    /// The archive in this bucket.
    #[must_use]
    pub fn new(client: Client, bucket: String) -> Self {
        Self { client, bucket }
    }

    pub(crate) fn session(&self) -> Session<'_> {
        Session { archive: self, lookups: Pace::default(), stores: Pace::default() }
    }

    async fn holds(&self, signal: &Signal) -> Result<bool, Failure> {
        match self.client.head_object().bucket(&self.bucket).key(key(signal)).send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(HeadObjectError::is_not_found) => Ok(false),
            Err(error) => Err(trouble(&error)),
        }
    }

    async fn store(&self, signal: &Signal) -> Result<(), Failure> {
        let put = self.client.put_object().bucket(&self.bucket).key(key(signal)).if_none_match("*");
        let line = format!("{}\n", signal.message);
        match put.content_type("application/json").body(ByteStream::from(line.into_bytes())).send().await {
            // Another copy of the function has stored it.
            Err(error) if error.code() == Some("PreconditionFailed") => Ok(()),
            result => result.map(|_| ()).map_err(|error| trouble(&error)),
        }
    }
}

impl Session<'_> {
    /// The signals of a batch that the archive does not hold, or about which it did not answer.
    pub(crate) async fn new_ones(&mut self, batch: Vec<Signal>, deadline: Instant) -> Vec<Signal> {
        let archive = self.archive;
        let answers = self.lookups.ask(&batch, |signal| archive.holds(signal), deadline).await;
        let unknown = answers.iter().filter_map(|answer| answer.as_ref().err());
        telemetry::not_looked_up(&archive.bucket, unknown);
        let known = answers.iter().map(|answer| matches!(answer, Ok(true)));
        batch.into_iter().zip(known).filter(|(_, is_known)| !is_known).map(|(signal, _)| signal).collect()
    }

    /// Stores signals that SNS took. Returns how many could not be stored.
    pub(crate) async fn store(&mut self, taken: &[Signal], deadline: Instant) -> u64 {
        let archive = self.archive;
        let answers = self.stores.ask(taken, |signal| archive.store(signal), deadline).await;
        let failures = answers
            .iter()
            .zip(taken)
            .filter_map(|(answer, signal)| Some((signal.id, answer.as_ref().err()?)));
        telemetry::not_archived(&archive.bucket, failures.clone());
        failures.count() as u64
    }
}

impl Pace {
    /// Sends one request for each signal of a batch at the same time. Returns an answer for each.
    ///
    /// Each batch has a limited time, which leaves enough for publishing. A batch that uses up its time halves the time
    /// of the next one; after a batch without a single answer, the archive gets no requests for a while.
    async fn ask<'s, T, F>(
        &mut self,
        signals: &'s [Signal],
        request: impl Fn(&'s Signal) -> F,
        deadline: Instant,
    ) -> Vec<Result<T, Failure>>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        if signals.is_empty() {
            return Vec::new();
        }
        let started = Instant::now();
        if self.rest.is_some_and(|end| started < end) {
            let resting = Failure::transient("the archive did not answer, and will be asked again later");
            return signals.iter().map(|_| Err(resting.clone())).collect();
        }
        let patience = PATIENCE.min(deadline.saturating_duration_since(started) / 4)
            / 2_u32.pow(self.delays.min(MAX_HALVINGS));
        let mut answers: Vec<_> = signals
            .iter()
            .map(|_| Err(Failure::transient(format!("no answer within {patience:?}"))))
            .collect();
        let mut requests: FuturesUnordered<_> = signals
            .iter()
            .enumerate()
            .map(|(index, signal)| {
                let request = request(signal);
                async move { (index, request.await) }
            })
            .collect();
        let is_complete = loop {
            match timeout_at(started + patience, requests.next()).await {
                Ok(Some((index, answer))) => answers[index] = answer,
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        // A refusal is an answer, too, and takes no time.
        let is_silent =
            |answer: &Result<T, Failure>| matches!(answer, Err(failure) if failure.retry == Retry::Transient);
        let is_silent = answers.iter().all(is_silent);
        self.delays = if is_complete && !is_silent { 0 } else { self.delays.saturating_add(1) };
        self.rest = is_silent.then(|| Instant::now() + started.elapsed() * REST);
        answers
    }
}

/// An error of S3, with what to do about it if that is known.
fn trouble<E>(error: &SdkError<E>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let advice = match (status, error.code()) {
        // The response to a HEAD has no code.
        (Some(403), None | Some("AccessDenied")) => {
            "check s3:GetObject, s3:PutObject and s3:ListBucket of the function's role"
        }
        _ => "",
    };
    Failure::from_sdk(error).advised(advice)
}

fn key(signal: &Signal) -> String {
    let date = signal.date.as_deref().unwrap_or("unknown");
    format!("signals/rule={}/date={date}/{}.json", signal.rule, signal.id)
}
