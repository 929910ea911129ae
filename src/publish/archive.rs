//! Every signal once in a bucket, so that replaying deliveries gives no second one, and Athena can query them all.
//!
//! A signal lies at `signals/rule=<rule_id>/date=<YYYY-MM-DD of the event>/<id>.json`, one line of JSON. It is looked up
//! before it is published and stored after SNS took it. That is best effort: two copies of the function that meet the
//! same event at the same moment both publish it, and so does a replay after trouble with the archive, which never
//! stops a publish.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::primitives::ByteStream;
use futures_util::future::join_all;
use tokio::time::{Instant, timeout_at};

use crate::failure::Failure;
use crate::telemetry;
use detection::signal::Signal;

/// What the archive may cost a batch, once before and once after it is published.
const PATIENCE: Duration = Duration::from_secs(2);

/// The bucket of signals.
#[derive(Debug, Clone)]
pub struct Archive {
    client: Client,
    bucket: String,
}

/// The archive during one invocation. After the first trouble it is left alone, so that it costs time only once.
pub(crate) struct Session<'a> {
    archive: &'a Archive,
    is_closed: bool,
}

impl Archive {
    /// The archive in this bucket.
    #[must_use]
    pub fn new(client: Client, bucket: String) -> Self {
        Self { client, bucket }
    }

    pub(crate) fn session(&self) -> Session<'_> {
        Session { archive: self, is_closed: false }
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
            // Another copy of the function was faster.
            Err(error) if error.code() == Some("PreconditionFailed") => Ok(()),
            result => result.map(|_| ()).map_err(|error| trouble(&error)),
        }
    }
}

impl Session<'_> {
    /// The signals of a batch that the archive does not hold; all of them if it cannot say.
    pub(crate) async fn new_ones(&mut self, batch: Vec<Signal>, deadline: Instant) -> Vec<Signal> {
        let archive = self.archive;
        let lookups = batch.iter().map(|signal| archive.holds(signal));
        match self.bounded(lookups, deadline).await {
            Some(known) => batch
                .into_iter()
                .zip(known)
                .filter(|(_, is_known)| !is_known)
                .map(|(signal, _)| signal)
                .collect(),
            None => batch,
        }
    }

    /// Stores signals that SNS took, as far as that can be done.
    pub(crate) async fn store(&mut self, taken: &[Signal], deadline: Instant) {
        let archive = self.archive;
        self.bounded(taken.iter().map(|signal| archive.store(signal)), deadline).await;
    }

    /// Asks for all of a batch at once; what publishing needs of the time is left to it.
    async fn bounded<T, F>(&mut self, requests: impl Iterator<Item = F>, deadline: Instant) -> Option<Vec<T>>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        if self.is_closed {
            return None;
        }
        let now = Instant::now();
        let patience = PATIENCE.min(deadline.saturating_duration_since(now) / 4);
        let answers = match timeout_at(now + patience, join_all(requests)).await {
            Ok(answers) => answers.into_iter().collect(),
            Err(_) => Err(Failure::transient(format!("no answer within {patience:?}"))),
        };
        answers
            .inspect_err(|failure| {
                telemetry::archive_closed(&self.archive.bucket, failure);
                self.is_closed = true;
            })
            .ok()
    }
}

/// An error of S3, with advice where there is any.
fn trouble<E>(error: &SdkError<E>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let advice = match (status, error.code()) {
        // The answer to a HEAD has no code.
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
