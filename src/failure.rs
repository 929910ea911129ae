//! Failures, and whether another try can help.

use std::fmt;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

/// Whether the same work may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Retry {
    /// A time-out, throttling or a fault of the service: another try can succeed.
    Transient,
    /// The input or the permissions are wrong: another try fails in the same way.
    Permanent,
}

/// Why a part of an invocation failed, for the owner of the function.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failure {
    /// Whether trying again can help.
    pub retry: Retry,
    /// What happened, to what, and what to do.
    pub reason: String,
}

impl Failure {
    /// A failure that another try may avoid.
    pub fn transient(reason: impl Into<String>) -> Self {
        Self { retry: Retry::Transient, reason: reason.into() }
    }

    /// A failure that every further try repeats.
    pub fn permanent(reason: impl Into<String>) -> Self {
        Self { retry: Retry::Permanent, reason: reason.into() }
    }

    /// Appends what to do about the failure, unless `advice` is empty.
    pub(crate) fn advised(mut self, advice: &str) -> Self {
        if !advice.is_empty() {
            let sentence = self.reason.trim_end_matches('.').len();
            self.reason.truncate(sentence);
            self.reason += "; ";
            self.reason += advice;
        }
        self
    }

    /// Classifies an error of the AWS SDK by the service's code, or by the stage that the request reached.
    pub fn from_sdk<E>(error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        match error {
            SdkError::TimeoutError(_) => Self::transient("the request timed out"),
            SdkError::DispatchFailure(failure) => {
                let cause = failure.as_connector_error().map(|error| innermost(error)).unwrap_or_default();
                Self::transient(format!("the request could not be sent: {cause}"))
            }
            SdkError::ResponseError(_) => Self::transient("the response could not be read"),
            SdkError::ServiceError(service) => {
                let status = service.raw().status().as_u16();
                let (code, message) = (service.err().code(), service.err().message());
                let is_transient =
                    is_transient(status, code.unwrap_or_default(), message.unwrap_or_default());
                let retry = if is_transient { Retry::Transient } else { Retry::Permanent };
                let reason = match (code, message) {
                    (None, None) if is_success(status) => {
                        format!("the response (HTTP {status}) could not be understood")
                    }
                    // The response to a HEAD has no body, hence neither code nor message.
                    (None, None) => format!("HTTP {status}"),
                    (code, message) => {
                        let (code, message) = (code.unwrap_or("no code"), message.unwrap_or("no message"));
                        format!("{code} (HTTP {status}): {message}")
                    }
                };
                Self { retry, reason }
            }
            other => Self::permanent(format!("the request could not be built: {}", innermost(other))),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

/// Whether an error of a service, or of KMS behind it, may pass by itself.
///
/// A code is transient if it contains one of the words below: services write the same error with or without `Exception`,
/// and put `KMS` or `KMS.` in front of errors of the key. Expired credentials and a wrong clock are transient, because the
/// SDK renews or corrects them before the next try. So is a success that cannot be understood: a proxy may have sent it.
pub(crate) fn is_transient(status: u16, code: &str, message: &str) -> bool {
    const WORDS: [&str; 21] = [
        "BadDigest",
        "Busy",
        "ConditionalRequestConflict",
        "ExpiredToken",
        "IncompleteBody",
        "Internal",
        "InvalidToken",
        "LimitExceeded",
        "OperationAborted",
        "PriorRequestNotComplete",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "SlowDown",
        "TemporaryRedirect",
        "Throttl",
        "ThroughputExceeded",
        "Timeout",
        "TokenRefreshRequired",
        "TooManyRequests",
        "TransactionInProgress",
        "Unavailable",
    ];
    // SNS reports a wrong clock with the code for a wrong key.
    let is_skewed =
        || ["Signature expired", "Signature not yet current"].iter().any(|words| message.contains(words));
    is_success(status)
        || matches!(status, 408 | 429 | 500 | 502..=504)
        || WORDS.iter().any(|word| code.contains(word))
        || is_skewed()
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_refused_for_a_clock_that_is_off_is_transient_and_any_other_is_not() {
        let expired = "Signature expired: 20261123T100500Z is now earlier than 20261123T102000Z";
        let early = "Signature not yet current: 20261123T103500Z is still later than 20261123T102000Z";
        let wrong = "The request signature we calculated does not match the signature you provided.";
        for (message, expected) in [(expired, true), (early, true), (wrong, false)] {
            assert_eq!(is_transient(403, "SignatureDoesNotMatch", message), expected, "{message}");
        }
    }
}
