//! The clients of AWS, made once at the start.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_s3::config::{ResponseChecksumValidation, StalledStreamProtectionConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// Credentials, region and endpoint from the environment, as every AWS SDK reads them.
pub async fn config() -> SdkConfig {
    let tls = Provider::Rustls(CryptoMode::Ring);
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(Builder::new().tls_provider(tls).build_https())
        .timeout_config(timeouts())
        .load()
        .await
}

/// What every request keeps to until its headers are there; bodies have a time-out of their own, where they are read.
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
    let config = aws_sdk_sns::config::Builder::from(config).retry_config(RetryConfig::disabled()).build();
    aws_sdk_sns::Client::from_conf(config)
}
