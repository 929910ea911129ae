//! The clients of AWS, made once at the start.
//!
//! `aws-config` reads the settings that all AWS SDKs share, from variables and from profile files: region, credentials,
//! endpoints (`AWS_ENDPOINT_URL`, and one for each service), FIPS and dual-stack endpoints, and more. Four things of it
//! are taken away:
//!
//! - The region never comes from instance metadata: Lambda has none, and a start that asks waits for seconds.
//! - `AWS_MAX_ATTEMPTS` and `AWS_RETRY_MODE` change nothing, and neither do the SDK's time-outs: tries and time-outs are
//!   made to fit into an invocation.
//! - Checksums of responses are verified only if `AWS_RESPONSE_CHECKSUM_VALIDATION` is set: gzip has its own.
//! - The crate's features for IAM Identity Center, for logins and for programs that print credentials are off: they belong
//!   to people's machines, and make the binary bigger.

use std::time::Duration;

use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_s3::config::interceptors::InterceptorContext;
use aws_sdk_s3::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_s3::config::{ResponseChecksumValidation, StalledStreamProtectionConfig};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::operation::put_object::PutObjectError;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::failure::is_transient;
use crate::settings::Error;

/// The settings of AWS's own, from the environment.
///
/// # Errors
/// There is no region.
pub async fn config() -> Result<SdkConfig, Error> {
    let region = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new());
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    // The chain of credentials begins with these variables, which Lambda sets; the rest of it takes time to set up.
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if is_set("AWS_ACCESS_KEY_ID") && is_set("AWS_SECRET_ACCESS_KEY") {
        loader = loader.credentials_provider(EnvironmentVariableCredentialsProvider::new());
    }
    let config = loader
        .region(region)
        .http_client(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https())
        .retry_config(RetryConfig::standard())
        .timeout_config(timeouts())
        .load()
        .await;
    if config.region().is_none() {
        let problem = "is missing: set it to the region of the function, such as us-east-1".to_owned();
        return Err(Error { variable: "AWS_REGION", problem });
    }
    Ok(config)
}

/// What every request keeps to, until its answer is there; a body that is streamed has a time-out of its own, where it is
/// read.
#[must_use]
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(20))
        .build()
}

/// The client that reads deliveries, and keeps the archive.
#[must_use]
pub fn s3(config: &SdkConfig) -> aws_sdk_s3::Client {
    let retries = RetryConfig::standard()
        .with_max_attempts(5)
        .with_initial_backoff(Duration::from_millis(100))
        .with_max_backoff(Duration::from_secs(2));
    // A delivery carries its own checksum, so a second one is verified only for those who ask for it.
    let is_asked_for = std::env::var_os("AWS_RESPONSE_CHECKSUM_VALIDATION").is_some();
    let checksums = config.response_checksum_validation().filter(|_| is_asked_for);
    let checksums = checksums.unwrap_or(ResponseChecksumValidation::WhenRequired);
    let config = aws_sdk_s3::config::Builder::from(config)
        .retry_config(retries)
        .retry_classifier(Passing)
        .response_checksum_validation(checksums)
        // A stalled body is taken up again by its reader.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

/// Has the SDK try again whatever may pass. By itself it leaves some errors of S3 out, such as a conflict of two writers.
#[derive(Debug)]
struct Passing;

impl ClassifyRetry for Passing {
    fn name(&self) -> &'static str {
        "passing errors"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else { return RetryAction::NoActionIndicated };
        let Some(error) = error.as_operation_error() else { return RetryAction::NoActionIndicated };
        let metadata = None
            .or_else(|| error.downcast_ref::<GetObjectError>().map(ProvideErrorMetadata::meta))
            .or_else(|| error.downcast_ref::<HeadObjectError>().map(ProvideErrorMetadata::meta))
            .or_else(|| error.downcast_ref::<PutObjectError>().map(ProvideErrorMetadata::meta));
        let code = metadata.and_then(ProvideErrorMetadata::code).unwrap_or_default();
        let message = metadata.and_then(ProvideErrorMetadata::message).unwrap_or_default();
        let status = context.response().map_or(0, |response| response.status().as_u16());
        if is_transient(status, code, message) {
            RetryAction::server_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }
}

/// The client that publishes signals. The publisher repeats requests itself, entry by entry.
#[must_use]
pub fn sns(config: &SdkConfig) -> aws_sdk_sns::Client {
    let config = aws_sdk_sns::config::Builder::from(config)
        .retry_config(RetryConfig::disabled())
        // Requests and answers are small, and a time-out covers the whole of each.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    aws_sdk_sns::Client::from_conf(config)
}
