//! The AWS clients, made once at the start.
//!
//! The function honours the settings that all AWS SDKs share, from variables and from profile files: region, keys,
//! endpoints (`AWS_ENDPOINT_URL`, and one for each service), FIPS and dual-stack endpoints. `aws-config` reads the files.
//! Its loader is not used, since it links every source of credentials that exists: half a megabyte more to load at every
//! start. Left out:
//!
//! - Credentials come from Lambda's variables, or from the keys in a profile. Roles that a profile assumes, containers,
//!   instance metadata, IAM Identity Center and programs that print credentials do not occur in Lambda.
//! - The region never comes from instance metadata: Lambda has none, and asking for it takes seconds.
//! - `AWS_MAX_ATTEMPTS`, `AWS_RETRY_MODE` and the SDK's variables for time-outs have no effect: retries and time-outs are
//!   chosen to fit into an invocation.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::profile::{self, ProfileSet};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_runtime::env_config::EnvConfigValue;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_sdk_s3::config::interceptors::InterceptorContext;
use aws_sdk_s3::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_s3::config::{
    Credentials, ResponseChecksumValidation, SharedCredentialsProvider, StalledStreamProtectionConfig,
};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::operation::put_object::PutObjectError;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::failure::is_transient;
use crate::settings::{Error, is_region};

/// Reads the settings that all AWS SDKs share.
///
/// # Errors
/// There is no region, a setting is invalid, or a profile file cannot be read.
pub async fn config() -> Result<SdkConfig, Error> {
    let shared = Shared::load().await?;
    let region = shared.get("AWS_REGION", "region").or_else(|| shared.get("AWS_DEFAULT_REGION", "region"));
    let region = region.ok_or_else(|| Error {
        variable: "AWS_REGION",
        problem: "is missing: set it to the region of the function, such as us-east-1".to_owned(),
    })?;
    if !is_region(&region) {
        let problem = format!("is {region:?}: expected the name of a region, such as us-east-1");
        return Err(Error { variable: "AWS_REGION", problem });
    }
    shared.check_endpoints()?;
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(shared.credentials())
        .http_client(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https())
        .retry_config(RetryConfig::standard())
        .timeout_config(timeouts());
    config.set_use_fips(shared.is_on("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")?);
    config.set_use_dual_stack(shared.is_on("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")?);
    config.set_endpoint_url(shared.endpoint_url());
    Ok(config.service_config(shared).build())
}

/// The settings that all AWS SDKs share: variables first, then a profile.
#[derive(Debug)]
struct Shared {
    profile: ProfileSet,
    ignores_endpoints: bool,
}

impl Shared {
    async fn load() -> Result<Self, Error> {
        let profile = profile::load(&Fs::real(), &Env::real(), &EnvConfigFiles::default(), None).await;
        let profile = profile.map_err(|error| Error {
            variable: "AWS_CONFIG_FILE",
            problem: format!("or AWS_SHARED_CREDENTIALS_FILE names a file that cannot be used: {error}"),
        })?;
        let mut shared = Self { profile, ignores_endpoints: false };
        let ignores =
            shared.is_on("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls")?;
        shared.ignores_endpoints = ignores.unwrap_or_default();
        Ok(shared)
    }

    /// A variable, or a key of the profile.
    fn get(&self, variable: &str, key: &str) -> Option<String> {
        self.value(&EnvConfigValue::new().env(variable).profile(key))
    }

    fn value(&self, value: &EnvConfigValue<'_>) -> Option<String> {
        let variables = Env::real();
        let (value, _) = value.load(&variables, Some(&self.profile))?;
        Some(value.into_owned()).filter(|value| !value.is_empty())
    }

    /// A variable, or a key of the profile, that is `true` or `false`.
    fn is_on(&self, variable: &'static str, key: &str) -> Result<Option<bool>, Error> {
        let Some(value) = self.get(variable, key) else { return Ok(None) };
        value.to_ascii_lowercase().parse().map(Some).map_err(|_| {
            let problem = format!("is {value:?}: expected true or false");
            Error { variable, problem }
        })
    }

    /// Checks the endpoints of the services that the function uses. The SDK finds out only when it sends a request.
    fn check_endpoints(&self) -> Result<(), Error> {
        for service in ["S3", "SNS", "DynamoDB"] {
            let key = ServiceConfigKey::builder()
                .service_id(service)
                .env("AWS_ENDPOINT_URL")
                .profile("endpoint_url")
                .build()
                // These three are all that the builder requires.
                .expect("the key is complete");
            if let Some(url) = self.load_config(key).filter(|url| !is_url(url)) {
                let problem = format!("is {url:?} for {service}: expected http:// or https:// and a host");
                return Err(Error { variable: "AWS_ENDPOINT_URL", problem });
            }
        }
        Ok(())
    }

    fn endpoint_url(&self) -> Option<String> {
        self.get("AWS_ENDPOINT_URL", "endpoint_url").filter(|_| !self.ignores_endpoints)
    }

    fn credentials(&self) -> SharedCredentialsProvider {
        let key = |name| self.profile.get(name).map(str::to_owned);
        let is_set = std::env::var_os("AWS_ACCESS_KEY_ID").is_some_and(|id| !id.is_empty());
        match (key("aws_access_key_id"), key("aws_secret_access_key")) {
            (Some(id), Some(secret)) if !is_set => {
                let token = key("aws_session_token");
                SharedCredentialsProvider::new(Credentials::new(id, secret, token, None, "profile"))
            }
            _ => SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()),
        }
    }
}

/// Whether this is the address of a server, as far as can be told without asking it.
fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).unwrap_or_default();
    !rest.is_empty() && !rest.starts_with(['/', ':']) && rest.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Settings of one service, such as its endpoint.
impl LoadServiceConfig for Shared {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        if self.ignores_endpoints && key.env() == "AWS_ENDPOINT_URL" {
            return None;
        }
        let value = EnvConfigValue::new().env(key.env()).profile(key.profile());
        self.value(&value.service_id(key.service_id()))
    }
}

/// The time-outs of every request, up to the headers of its response. The reader of a body has a time-out of its own.
#[must_use]
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(20))
        .build()
}

/// The client that reads deliveries and writes the archive.
#[must_use]
pub fn s3(config: &SdkConfig) -> aws_sdk_s3::Client {
    let retries = RetryConfig::standard()
        .with_max_attempts(5)
        .with_initial_backoff(Duration::from_millis(100))
        .with_max_backoff(Duration::from_secs(2));
    let config = aws_sdk_s3::config::Builder::from(config)
        .retry_config(retries)
        .retry_classifier(TransientErrors)
        // A delivery carries its own checksum.
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        // The reader of a body resumes it when it stalls.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

/// Makes the SDK retry every transient error. By default it does not retry some, such as a conflict of two writers.
#[derive(Debug)]
struct TransientErrors;

impl ClassifyRetry for TransientErrors {
    fn name(&self) -> &'static str {
        "transient errors"
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

/// The client that publishes signals. It does not retry: the publisher does, entry by entry.
#[must_use]
pub fn sns(config: &SdkConfig) -> aws_sdk_sns::Client {
    let config = aws_sdk_sns::config::Builder::from(config)
        .retry_config(RetryConfig::disabled())
        // Requests and responses are small; a time-out covers each as a whole.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    aws_sdk_sns::Client::from_conf(config)
}

/// The client of the memory table. It does not retry: its caller does, item by item.
#[must_use]
pub fn dynamodb(config: &SdkConfig) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::config::Builder::from(config)
        .retry_config(RetryConfig::disabled())
        // Requests and responses are small; a time-out covers each as a whole.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    aws_sdk_dynamodb::Client::from_conf(config)
}
