//! The clients of AWS, made once at the start.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{
    ResponseChecksumValidation, SharedCredentialsProvider, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::settings::Error;

/// Credentials, region and endpoint from the environment: Lambda sets them, and so does whatever runs the function
/// elsewhere. `variable` answers as [`std::env::var`] does.
///
/// Profiles, instance metadata and the other places that an SDK can look in do not exist in Lambda, and cost time at
/// every start.
///
/// # Errors
/// There is no region.
pub fn config(variable: impl Fn(&str) -> Option<String>) -> Result<SdkConfig, Error> {
    let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")).ok_or_else(|| Error {
        variable: "AWS_REGION",
        problem: "is missing: set it to the region of the function, such as us-east-1".to_owned(),
    })?;
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .http_client(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https())
        .timeout_config(timeouts());
    config.set_endpoint_url(variable("AWS_ENDPOINT_URL"));
    config.set_use_fips(variable("AWS_USE_FIPS_ENDPOINT").map(|value| value.eq_ignore_ascii_case("true")));
    Ok(config.build())
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

/// The client that reads deliveries.
#[must_use]
pub fn s3(config: &SdkConfig) -> aws_sdk_s3::Client {
    let retries = RetryConfig::standard()
        .with_max_attempts(5)
        .with_initial_backoff(Duration::from_millis(100))
        .with_max_backoff(Duration::from_secs(2));
    let config = aws_sdk_s3::config::Builder::from(config)
        .retry_config(retries)
        // A delivery carries its own checksum, and a stalled body is taken up again by its reader.
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    aws_sdk_s3::Client::from_conf(config)
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
