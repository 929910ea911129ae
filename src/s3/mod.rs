//! An S3 object as a stream of bytes that survives broken connections.

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use tokio::time::timeout;

use crate::failure::Failure;
use detection::origin::Object;

/// A body that sends nothing for this long is resumed. The SDK's time-outs do not cover bodies.
const STALL: Duration = Duration::from_secs(5);
/// How many times a body is resumed after it broke off.
const MAX_RESUMES: u32 = 4;

/// An object that cannot be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The object.
    pub object: Object,
    /// What happened.
    pub failure: Failure,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.failure)
    }
}

impl std::error::Error for Error {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { reason: error.to_string(), ..error.failure }
    }
}

/// Reads deliveries from S3.
#[derive(Debug, Clone)]
pub struct Deliveries {
    client: Client,
    owner: Option<String>,
    stall: Duration,
}

impl Deliveries {
    /// Reads with `client`. If there is an `owner` (an account id), reads only from buckets of that account.
    #[must_use]
    pub fn new(client: Client, owner: Option<String>) -> Self {
        Self { client, owner, stall: STALL }
    }

    /// Resumes a body that sends nothing for `stall`, rather than for five seconds.
    #[must_use]
    pub fn with_stall(self, stall: Duration) -> Self {
        Self { stall, ..self }
    }

    /// Opens an object.
    ///
    /// # Errors
    /// S3 refused the request, or could not be reached in several tries.
    pub async fn open(&self, object: &Object) -> Result<Body<'_>, Error> {
        let output = self.get(object, None).await.map_err(|error| refused(object, &error))?;
        Ok(Body {
            deliveries: self,
            object: object.clone(),
            etag: output.e_tag,
            delivered: output.last_modified.and_then(|time| SystemTime::try_from(time).ok()),
            stream: output.body,
            position: 0,
            resumes: 0,
        })
    }

    /// Requests an object, or the rest of it: `rest` is its `ETag` and the number of bytes that have been read.
    async fn get(&self, object: &Object, rest: Option<(&str, u64)>) -> Result<GetObjectOutput, GetError> {
        let mut request = self
            .client
            .get_object()
            .bucket(&object.bucket)
            .key(object.key.as_str())
            .set_version_id(object.version.clone())
            .set_expected_bucket_owner(self.owner.clone());
        if let Some((etag, position)) = rest {
            request = request.if_match(etag).range(format!("bytes={position}-"));
        }
        request.send().await
    }
}

type GetError = SdkError<GetObjectError>;

/// An error of S3, with what to do about it if that is known.
fn refused(object: &Object, error: &GetError) -> Error {
    let advice = match error.code() {
        Some("NoSuchKey") => "it was deleted, or the notification names another one",
        Some("InvalidObjectState") => "restore it from its archive first",
        Some("AccessDenied") => {
            "check s3:GetObject (and kms:Decrypt) of the function's role, TRAIL_BUCKET_OWNER, and that the bucket is not a Requester Pays bucket"
        }
        Some("KMS.DisabledException") => "enable the key of the object",
        Some("KMS.KMSInvalidStateException" | "KMS.NotFoundException") => {
            "cancel the deletion of the key of the object"
        }
        _ => "",
    };
    Error { object: object.clone(), failure: Failure::from_sdk(error).advised(advice) }
}

/// The bytes of an object, each once and in order.
pub struct Body<'a> {
    deliveries: &'a Deliveries,
    object: Object,
    etag: Option<String>,
    delivered: Option<SystemTime>,
    stream: ByteStream,
    position: u64,
    resumes: u32,
}

impl Body<'_> {
    /// When the object was written, by its `Last-Modified` header.
    #[must_use]
    pub fn delivered(&self) -> Option<SystemTime> {
        self.delivered
    }

    /// The next bytes, or `None` at the end. Resumes a body that stalls or breaks off, as long as the object is still the
    /// same.
    ///
    /// # Errors
    /// The body broke off too often, or the object cannot be opened again.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let reason = match timeout(self.deliveries.stall, self.stream.next()).await {
                Ok(None) => return Ok(None),
                Ok(Some(Ok(bytes))) => {
                    self.position += bytes.len() as u64;
                    return Ok(Some(bytes));
                }
                Ok(Some(Err(error))) => error.to_string(),
                Err(_) => format!("nothing came for {:?}", self.deliveries.stall),
            };
            self.resume(&reason).await?;
        }
    }

    async fn resume(&mut self, reason: &str) -> Result<(), Error> {
        let broken = |more: &str| Error {
            object: self.object.clone(),
            failure: Failure::transient(format!(
                "the body broke off at byte {} ({reason}){more}",
                self.position
            )),
        };
        let Some(etag) = self.etag.as_deref().filter(|_| self.resumes < MAX_RESUMES) else {
            return Err(broken(""));
        };
        let output = match self.deliveries.get(&self.object, Some((etag, self.position))).await {
            Ok(output) => output,
            // The object was replaced. The next try of the message reads the new one from its start.
            Err(error) if error.code() == Some("PreconditionFailed") => {
                return Err(broken(" and the object has changed since"));
            }
            Err(error) => return Err(refused(&self.object, &error)),
        };
        // A server that ignores the range would send the first bytes again.
        let expected = format!("bytes {}-", self.position);
        if !output.content_range().is_some_and(|range| range.starts_with(&expected)) {
            return Err(broken(" and cannot be taken up there"));
        }
        self.resumes += 1;
        self.stream = output.body;
        Ok(())
    }
}

/// Whether this can be a bucket name, under today's rules or older ones.
///
/// The SDK also accepts other names, such as the ARN of an access point, and sends their requests to other hosts.
#[must_use]
pub fn is_bucket_name(text: &str) -> bool {
    (3..=255).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}
