//! How tests reach an emulator of AWS.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};

/// The client configuration for the emulator at the address in this variable, which this make target sets.
pub fn config(variable: &str, target: &str) -> SdkConfig {
    let endpoint = std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run these tests with `make {target}`, which starts the emulator")
    });
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "test", "test", None, None, "test",
        )))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}
