//! The errors of S3, SNS and KMS: those that pass are retried, those that stay are reported at once.

use crate::s3::Get;
use crate::server::Script;
use crate::sns::Batch;
use crate::world::World;

#[derive(Clone, Copy, PartialEq)]
enum Service {
    S3,
    Sns,
}

/// Service, status, code.
type Row = (Service, u16, &'static str);

const PASSING: [Row; 44] = [
    (Service::S3, 307, "TemporaryRedirect"),
    (Service::S3, 400, "BadDigest"),
    (Service::S3, 400, "ExpiredToken"),
    (Service::S3, 400, "IncompleteBody"),
    (Service::S3, 400, "InvalidToken"),
    (Service::S3, 400, "KMS.DependencyTimeoutException"),
    (Service::S3, 400, "KMS.KMSInternalException"),
    (Service::S3, 400, "KMS.KeyUnavailableException"),
    (Service::S3, 400, "KMS.LimitExceededException"),
    (Service::S3, 400, "KMS.ThrottlingException"),
    (Service::S3, 400, "PriorRequestNotComplete"),
    (Service::S3, 400, "ProvisionedThroughputExceededException"),
    (Service::S3, 400, "RequestLimitExceeded"),
    (Service::S3, 400, "RequestTimeout"),
    (Service::S3, 400, "TokenRefreshRequired"),
    (Service::S3, 400, "TransactionInProgressException"),
    (Service::S3, 403, "RequestExpired"),
    (Service::S3, 403, "RequestTimeTooSkewed"),
    (Service::S3, 408, "Unknown"),
    (Service::S3, 409, "ConditionalRequestConflict"),
    (Service::S3, 409, "OperationAborted"),
    (Service::S3, 429, "TooManyRequests"),
    (Service::S3, 500, "InternalError"),
    (Service::S3, 502, "Unknown"),
    (Service::S3, 503, "BandwidthLimitExceeded"),
    (Service::S3, 503, "Busy"),
    (Service::S3, 503, "ServiceUnavailable"),
    (Service::S3, 503, "SlowDown"),
    (Service::S3, 504, "Unknown"),
    (Service::Sns, 400, "KMSInternal"),
    (Service::Sns, 400, "KMSThrottling"),
    (Service::Sns, 400, "KMSThrottlingException"),
    (Service::Sns, 400, "RequestExpired"),
    (Service::Sns, 400, "RequestLimitExceeded"),
    (Service::Sns, 400, "Throttled"),
    (Service::Sns, 400, "Throttling"),
    (Service::Sns, 400, "ThrottlingException"),
    (Service::Sns, 403, "ExpiredToken"),
    (Service::Sns, 403, "RequestTimeTooSkewed"),
    (Service::Sns, 429, "TooManyRequestsException"),
    (Service::Sns, 500, "InternalError"),
    (Service::Sns, 500, "InternalFailure"),
    (Service::Sns, 503, "ServiceUnavailable"),
    (Service::Sns, 504, "Unknown"),
];

const LASTING: [Row; 38] = [
    (Service::S3, 301, "PermanentRedirect"),
    (Service::S3, 400, "AuthorizationHeaderMalformed"),
    (Service::S3, 400, "InvalidArgument"),
    (Service::S3, 400, "InvalidRequest"),
    (Service::S3, 400, "KMS.DisabledException"),
    (Service::S3, 400, "KMS.InvalidKeyUsageException"),
    (Service::S3, 400, "KMS.KMSInvalidStateException"),
    (Service::S3, 400, "KMS.NotFoundException"),
    (Service::S3, 403, "AccessDenied"),
    (Service::S3, 403, "AccountProblem"),
    (Service::S3, 403, "AllAccessDisabled"),
    (Service::S3, 403, "InvalidAccessKeyId"),
    (Service::S3, 403, "InvalidObjectState"),
    (Service::S3, 403, "NotSignedUp"),
    (Service::S3, 403, "SignatureDoesNotMatch"),
    (Service::S3, 404, "NoSuchBucket"),
    (Service::S3, 404, "NoSuchKey"),
    (Service::S3, 404, "NoSuchVersion"),
    (Service::S3, 405, "MethodNotAllowed"),
    (Service::S3, 501, "NotImplemented"),
    (Service::Sns, 400, "EndpointDisabled"),
    (Service::Sns, 400, "IncompleteSignature"),
    (Service::Sns, 400, "InvalidParameter"),
    (Service::Sns, 400, "InvalidParameterValue"),
    (Service::Sns, 400, "KMSAccessDenied"),
    (Service::Sns, 400, "KMSDisabled"),
    (Service::Sns, 400, "KMSInvalidState"),
    (Service::Sns, 400, "KMSNotFound"),
    (Service::Sns, 400, "PlatformApplicationDisabled"),
    (Service::Sns, 400, "ValidationError"),
    (Service::Sns, 403, "AuthorizationError"),
    (Service::Sns, 403, "InvalidClientTokenId"),
    (Service::Sns, 403, "InvalidSecurity"),
    (Service::Sns, 403, "KMSOptInRequired"),
    (Service::Sns, 403, "MissingAuthenticationToken"),
    (Service::Sns, 403, "OptInRequired"),
    (Service::Sns, 403, "SignatureDoesNotMatch"),
    (Service::Sns, 404, "NotFound"),
];

/// A delivery of one signal, which meets the error the first `times` times that the service is asked.
async fn run((service, status, code): Row, times: usize) -> (crate::world::Run, usize) {
    let world =
        World::new(&format!("passing: {} {status} {code} {times}", service as u8)).delivery("a", &["a1"]);
    let (world, method) = match service {
        Service::S3 => (world.get("a", Script::once(vec![Get::Status(status, code); times])), "GET"),
        Service::Sns => (world.sns(Script::once(vec![Batch::Status(status, code); times])), "POST"),
    };
    let run = world.run().await;
    let requests = run.arrivals(method).len();
    (run, requests)
}

async fn check_passing(row: Row) {
    let (run, requests) = run(row, 2).await;
    assert_eq!(run.failed(), [""; 0], "{}", row.2);
    assert_eq!((run.published(), requests), (vec!["a1".to_owned()], 3), "{}", row.2);
    // One that never passes is left to the queue.
    let (run, _) = self::run(row, 100).await;
    let failures = run.failures_of("a");
    assert!(matches!(&failures[..], [(retry, _)] if retry == "transient"), "{}: {failures:?}", row.2);
}

async fn check_lasting(row: Row) {
    let (run, requests) = run(row, 100).await;
    let failures = run.failures_of("a");
    assert!(
        matches!(&failures[..], [(retry, reason)] if retry == "permanent" && reason.contains(row.2)),
        "{failures:?}"
    );
    assert_eq!((run.published(), requests), (vec![], 1), "{}", row.2);
}

#[tokio::test]
async fn every_error_that_passes_is_tried_again_and_is_transient() {
    crate::all(PASSING, |row| row.2, check_passing).await;
}

#[tokio::test]
async fn every_error_that_stays_is_reported_after_one_try_and_is_permanent() {
    crate::all(LASTING, |row| row.2, check_lasting).await;
}

#[tokio::test]
async fn a_key_that_cannot_be_used_is_named_with_what_to_do() {
    for (service, code, advice) in [
        (Service::Sns, "KMSDisabled", "enable the topic's key"),
        (Service::Sns, "KMSInvalidState", "cancel the deletion of the topic's key"),
        (Service::Sns, "KMSNotFound", "give the topic a key that exists"),
        (Service::S3, "KMS.DisabledException", "enable the key of the object"),
        (Service::S3, "KMS.KMSInvalidStateException", "cancel the deletion of the key of the object"),
        (Service::S3, "AccessDenied", "Requester Pays"),
    ] {
        let (run, _) = run((service, 400, code), 99).await;
        let failures = run.failures_of("a");
        assert!(matches!(&failures[..], [(_, reason)] if reason.contains(advice)), "{failures:?}");
    }
}
