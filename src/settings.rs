//! The environment variables, read once at the start.

use crate::s3::is_bucket_name;
use crate::telemetry::metrics::Metrics;
use detection::ecs;
use detection::query::Query;

/// The settings of the function.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// `SIGNAL_TOPIC_ARN`: the topic for signals, in any region. A name that ends in `.fifo` means a FIFO topic.
    pub topic_arn: String,
    /// `EXCEPTION_QUERY`: a match that satisfies it is counted and logged, but not published.
    pub exceptions: Option<Query>,
    /// `TRAIL_BUCKET_OWNER`: the account that must own every bucket that is read.
    pub bucket_owner: Option<String>,
    /// `SIGNAL_ARCHIVE_BUCKET`: the bucket that keeps each signal once, so that a replay does not publish it again.
    pub archive_bucket: Option<String>,
    /// `METRICS_NAMESPACE`: the CloudWatch namespace of the metrics. Without it the function writes none.
    pub metrics: Option<Metrics>,
}

/// A variable that is missing or invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {problem}")]
pub struct Error {
    /// The variable's name.
    pub variable: &'static str,
    /// What is wrong, and what is expected.
    pub problem: String,
}

impl Settings {
    /// Reads the settings through `variable`, which returns the value of an environment variable, or `None`.
    ///
    /// An empty variable counts as missing: a template leaves optional parameters empty.
    ///
    /// # Errors
    /// The first variable that is missing or invalid.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let variable = |name: &'static str| {
            variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        Ok(Self {
            topic_arn: topic_arn(variable("SIGNAL_TOPIC_ARN"))?,
            exceptions: variable("EXCEPTION_QUERY").map(|text| exceptions(&text)).transpose()?,
            bucket_owner: variable("TRAIL_BUCKET_OWNER").map(bucket_owner).transpose()?,
            archive_bucket: variable("SIGNAL_ARCHIVE_BUCKET").map(archive_bucket).transpose()?,
            metrics: variable("METRICS_NAMESPACE")
                .map(|namespace| metrics(namespace, variable("AWS_LAMBDA_FUNCTION_NAME")))
                .transpose()?,
        })
    }
}

fn topic_arn(value: Option<String>) -> Result<String, Error> {
    let error = |problem: String| Error { variable: "SIGNAL_TOPIC_ARN", problem };
    let arn = value
        .ok_or_else(|| error("is missing: set it to the ARN of the SNS topic for signals".to_owned()))?;
    // arn:aws:sns:us-east-1:111122223333:signals
    let parts: Vec<_> = arn.split(':').collect();
    let is_topic = match parts[..] {
        ["arn", partition, "sns", region, account, topic] => {
            (partition == "aws" || partition.starts_with("aws-"))
                && is_region(region)
                && !account.is_empty()
                && !topic.is_empty()
        }
        _ => false,
    };
    if is_topic {
        Ok(arn)
    } else {
        Err(error(format!("is {arn:?}: expected arn:aws:sns:<region>:<account>:<topic>")))
    }
}

/// Whether this can be the name of a region. It becomes a part of a host name.
fn is_region(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn exceptions(text: &str) -> Result<Query, Error> {
    Query::parse_satisfiable(text, ecs::field).map_err(|errors| {
        let problems: Vec<_> = errors.iter().map(ToString::to_string).collect();
        Error { variable: "EXCEPTION_QUERY", problem: format!("cannot be used:\n{}", problems.join("\n")) }
    })
}

fn bucket_owner(account: String) -> Result<String, Error> {
    if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(account)
    } else {
        let problem = format!("is {account:?}: expected an account id of twelve digits");
        Err(Error { variable: "TRAIL_BUCKET_OWNER", problem })
    }
}

fn archive_bucket(bucket: String) -> Result<String, Error> {
    if is_bucket_name(&bucket) {
        Ok(bucket)
    } else {
        let problem = format!("is {bucket:?}: expected the name of an S3 bucket");
        Err(Error { variable: "SIGNAL_ARCHIVE_BUCKET", problem })
    }
}

fn metrics(namespace: String, function: Option<String>) -> Result<Metrics, Error> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/#: ".contains(&byte);
    if namespace.len() <= 255 && namespace.bytes().all(allowed) && !namespace.starts_with(':') {
        // Lambda always sets the name of the function; metrics work without it, too.
        Ok(Metrics { namespace, function: function.unwrap_or_else(|| "unknown".to_owned()) })
    } else {
        let problem = format!("is {namespace:?}: expected at most 255 letters, digits and ._-/#: ");
        Err(Error { variable: "METRICS_NAMESPACE", problem })
    }
}
