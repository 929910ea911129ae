//! The environment variables, read once at the start.

pub mod variable;

use std::path::PathBuf;
use std::time::Duration;

use crate::s3::is_bucket_name;
use crate::telemetry::metrics::Metrics;
use detection::bundle::Embedded;
use detection::ecs;
use detection::key::is_account;
use detection::query::Query;
use variable::{
    ACCOUNT_SILENCE_HOURS, EMBEDDED_RULES, EXCEPTION_QUERY, LEARNING_DAYS, MEMORY_TABLE, METRICS_NAMESPACE,
    NOTICE_QUIET_SECONDS, NOTICE_TOPIC_ARN, NOTICES, RULES_BUNDLE, SIGNAL_ARCHIVE_BUCKET, SIGNAL_TOPIC_ARN,
    TRAIL_BUCKET_OWNER, Variable,
};

/// The end of the name of a FIFO topic.
const FIFO: &str = ".fifo";

/// The settings of the function.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// `SIGNAL_TOPIC_ARN`: the topic for signals, in any region. A name that ends in `.fifo` means a FIFO topic.
    pub topic_arn: String,
    /// `EXCEPTION_QUERY`: a match that satisfies it is counted and logged, but not published.
    pub exceptions: Option<String>,
    /// `EMBEDDED_RULES`: which of the rules in the binary are on: `seed`, the default, `starter` or `none`.
    pub embedded_rules: Embedded,
    /// `RULES_BUNDLE`: a file with more rules, exceptions, account names and routes.
    pub rules_bundle: Option<PathBuf>,
    /// `TRAIL_BUCKET_OWNER`: the account that must own every bucket that is read.
    pub bucket_owner: Option<String>,
    /// `SIGNAL_ARCHIVE_BUCKET`: the bucket that keeps each signal once, so that a replay does not publish it again.
    pub archive_bucket: Option<String>,
    /// `NOTICE_TOPIC_ARN`, `NOTICES` and `NOTICE_QUIET_SECONDS`: what people get.
    pub notices: Option<Notices>,
    /// `MEMORY_TABLE`: the DynamoDB table of rules that remember. Without it they are off.
    pub memory_table: Option<MemoryTable>,
    /// `LEARNING_DAYS`: how long a rule that remembers only learns. Without it, as long as the rule's own window.
    pub learning_days: Option<u32>,
    /// `ACCOUNT_SILENCE_HOURS`: after this many hours without a delivery, an account and region count as silent.
    /// Without it, there is no check.
    pub silence_hours: Option<u32>,
    /// `METRICS_NAMESPACE`: the CloudWatch namespace of the metrics. Without it the function writes none.
    pub metrics: Option<Metrics>,
}

/// What people get, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notices {
    /// `NOTICE_TOPIC_ARN`: the topic for notices, in any region; not a FIFO topic: those reach neither mail nor chat.
    pub topic_arn: String,
    /// `NOTICES`
    pub wanted: Wanted,
    /// `NOTICE_QUIET_SECONDS`: after a notice, the same rule and principal are quiet for this time.
    pub quiet: Duration,
}

/// Which signals people get notices of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// `alerts`: those of rules that are not building blocks.
    Alerts,
    /// `all`
    All,
}

/// A DynamoDB table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryTable {
    /// Its name or its ARN. Requests may hold either.
    pub name: String,
    /// The region in the ARN. A table that is given by its name is in the function's region.
    pub region: Option<String>,
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
    /// Reads the settings through `environment`, which returns the value of an environment variable, or `None`.
    ///
    /// # Errors
    /// The first variable that is missing or invalid.
    pub fn read(environment: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let value = |variable: Variable| variable.value(&environment);
        let optional = |variable| Some(value(variable)).filter(|value| !value.is_empty());
        let memory_table = optional(MEMORY_TABLE).map(memory_table).transpose()?;
        Ok(Self {
            topic_arn: signal_topic(optional(SIGNAL_TOPIC_ARN))?,
            exceptions: optional(EXCEPTION_QUERY).map(exceptions).transpose()?,
            embedded_rules: embedded(&value(EMBEDDED_RULES))?,
            rules_bundle: optional(RULES_BUNDLE).map(PathBuf::from),
            bucket_owner: optional(TRAIL_BUCKET_OWNER).map(bucket_owner).transpose()?,
            archive_bucket: optional(SIGNAL_ARCHIVE_BUCKET).map(archive_bucket).transpose()?,
            notices: notices(optional(NOTICE_TOPIC_ARN), &value(NOTICES), &value(NOTICE_QUIET_SECONDS))?,
            silence_hours: silence_hours(&value(ACCOUNT_SILENCE_HOURS), memory_table.is_some())?,
            memory_table,
            learning_days: optional(LEARNING_DAYS).map(|days| learning_days(&days)).transpose()?,
            metrics: optional(METRICS_NAMESPACE)
                .map(|namespace| metrics(namespace, environment("AWS_LAMBDA_FUNCTION_NAME")))
                .transpose()?,
        })
    }
}

fn signal_topic(value: Option<String>) -> Result<String, Error> {
    let arn = value.ok_or_else(|| {
        let problem = "is missing: set it to the ARN of the SNS topic for signals".to_owned();
        Error { variable: SIGNAL_TOPIC_ARN.name, problem }
    })?;
    topic_arn(SIGNAL_TOPIC_ARN, arn)
}

/// Checks the ARN of a topic: `arn:aws:sns:us-east-1:111122223333:signals`.
fn topic_arn(variable: Variable, arn: String) -> Result<String, Error> {
    let parts: Vec<_> = arn.split(':').collect();
    let is_topic = match parts[..] {
        ["arn", partition, "sns", region, account, topic] => {
            is_partition(partition) && is_region(region) && is_account(account) && is_topic_name(topic)
        }
        _ => false,
    };
    if is_topic {
        Ok(arn)
    } else {
        let problem = format!("is {arn:?}: expected arn:aws:sns:<region>:<account>:<topic>");
        Err(Error { variable: variable.name, problem })
    }
}

/// The settings of notices, which must be valid even if there are none.
fn notices(arn: Option<String>, wanted: &str, quiet: &str) -> Result<Option<Notices>, Error> {
    const DAY: u32 = 24 * 60 * 60;
    let topic_arn = arn.map(|arn| topic_arn(NOTICE_TOPIC_ARN, arn)).transpose()?;
    if let Some(arn) = topic_arn.as_ref().filter(|arn| is_fifo(arn)) {
        let problem =
            format!("is {arn:?}: a FIFO topic reaches neither mail nor chat; name a standard topic");
        return Err(Error { variable: NOTICE_TOPIC_ARN.name, problem });
    }
    let wanted = match wanted {
        "alerts" => Wanted::Alerts,
        "all" => Wanted::All,
        other => {
            let problem = format!("is {other:?}: expected alerts or all");
            return Err(Error { variable: NOTICES.name, problem });
        }
    };
    let quiet = number(NOTICE_QUIET_SECONDS, quiet, "seconds from 0", DAY)?;
    let quiet = Duration::from_secs(quiet.into());
    Ok(topic_arn.map(|topic_arn| Notices { topic_arn, wanted, quiet }))
}

/// A number in digits alone, at most `max`. `from` names its unit and its least value.
fn number(variable: Variable, value: &str, from: &str, max: u32) -> Result<u32, Error> {
    // Rust would also read "+5".
    let digits = Some(value).filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits.and_then(|digits| digits.parse().ok()).filter(|number| *number <= max);
    number.ok_or_else(|| Error {
        variable: variable.name,
        problem: format!("is {value:?}: expected a whole number of {from} to {max}"),
    })
}

fn is_partition(text: &str) -> bool {
    text == "aws" || text.starts_with("aws-")
}

/// Whether this can be the name of a region. It becomes part of a host name.
pub(crate) fn is_region(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Whether an ARN is that of a FIFO topic.
pub(crate) fn is_fifo(arn: &str) -> bool {
    arn.ends_with(FIFO)
}

fn is_topic_name(text: &str) -> bool {
    let name = text.strip_suffix(FIFO).unwrap_or(text);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !name.is_empty() && text.len() <= 256 && name.bytes().all(allowed)
}

fn embedded(word: &str) -> Result<Embedded, Error> {
    word.parse().map_err(|problem| Error { variable: EMBEDDED_RULES.name, problem })
}

fn exceptions(text: String) -> Result<String, Error> {
    Query::parse_satisfiable(&text, ecs::field).map(|_| text).map_err(|errors| {
        let problems: Vec<_> = errors.iter().map(ToString::to_string).collect();
        Error { variable: EXCEPTION_QUERY.name, problem: format!("cannot be used:\n{}", problems.join("\n")) }
    })
}

fn bucket_owner(account: String) -> Result<String, Error> {
    if is_account(&account) {
        Ok(account)
    } else {
        let problem = format!("is {account:?}: expected an account id of twelve digits");
        Err(Error { variable: TRAIL_BUCKET_OWNER.name, problem })
    }
}

fn archive_bucket(bucket: String) -> Result<String, Error> {
    if is_bucket_name(&bucket) {
        Ok(bucket)
    } else {
        let problem = format!("is {bucket:?}: expected the name of an S3 bucket");
        Err(Error { variable: SIGNAL_ARCHIVE_BUCKET.name, problem })
    }
}

fn memory_table(value: String) -> Result<MemoryTable, Error> {
    // arn:aws:dynamodb:us-east-1:111122223333:table/memory
    let parts: Vec<_> = value.split(':').collect();
    let (region, name) = match parts[..] {
        ["arn", partition, "dynamodb", region, account, table]
            if is_partition(partition) && is_region(region) && is_account(account) =>
        {
            (Some(region.to_owned()), table.strip_prefix("table/").unwrap_or_default())
        }
        _ => (None, value.as_str()),
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (3..=255).contains(&name.len()) && name.bytes().all(allowed) {
        Ok(MemoryTable { region, name: value })
    } else {
        let problem = format!(
            "is {value:?}: expected the name of a DynamoDB table, or arn:aws:dynamodb:<region>:<account>:table/<name>"
        );
        Err(Error { variable: MEMORY_TABLE.name, problem })
    }
}

fn learning_days(value: &str) -> Result<u32, Error> {
    number(LEARNING_DAYS, value, "days from 0, for none,", 3650)
}

fn silence_hours(value: &str, has_table: bool) -> Result<Option<u32>, Error> {
    let hours = number(ACCOUNT_SILENCE_HOURS, value, "hours from 0, for off,", 720)?;
    if hours > 0 && !has_table {
        let problem = format!("is {value:?} and needs a table to note deliveries in: set MEMORY_TABLE, too");
        return Err(Error { variable: ACCOUNT_SILENCE_HOURS.name, problem });
    }
    Ok(Some(hours).filter(|hours| *hours > 0))
}

fn metrics(namespace: String, function: Option<String>) -> Result<Metrics, Error> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/#: ".contains(&byte);
    let is_reserved = namespace.starts_with(':') || namespace.starts_with("AWS/");
    if namespace.len() <= 255 && namespace.bytes().all(allowed) && !is_reserved {
        // Lambda always sets the name of the function; metrics work without it, too.
        Ok(Metrics { namespace, function: function.unwrap_or_else(|| "unknown".to_owned()) })
    } else {
        let problem = format!(
            "is {namespace:?}: expected at most 255 letters, digits, spaces and ._-/#:, and neither : nor AWS/ in front"
        );
        Err(Error { variable: METRICS_NAMESPACE.name, problem })
    }
}
