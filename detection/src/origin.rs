//! Where a record came from, as its signal names it.

use std::fmt;

use crate::key::Key;
use crate::nested::Field;

/// The source of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A delivery in S3.
    Object(Object),
    /// An EventBridge event.
    EventBridge,
    /// A CloudWatch Logs stream.
    LogStream {
        /// The log group.
        group: String,
        /// The log stream.
        stream: String,
    },
    /// A local file.
    File(String),
    /// The check for accounts whose deliveries stop.
    Check,
}

impl Origin {
    /// The source as a single string. A signal has it where Elastic's alerts name an index.
    #[must_use]
    pub fn index(&self) -> String {
        match self {
            Self::Object(object) => object.to_string(),
            Self::EventBridge => "eventbridge".to_owned(),
            Self::LogStream { group, .. } if group.is_empty() => "logs".to_owned(),
            Self::LogStream { group, stream } => format!("logs:{group}:{stream}"),
            Self::File(path) => path.clone(),
            Self::Check => "silence".to_owned(),
        }
    }

    /// The ECS fields that name the source.
    pub(crate) fn fields(&self) -> Vec<Field<&str>> {
        match self {
            Self::Object(object) => vec![
                ("aws.s3.bucket.name", object.bucket.as_str()),
                ("aws.s3.object.key", object.key.as_str()),
            ],
            Self::LogStream { group, stream } => {
                vec![("aws.cloudwatch.log_group", group), ("aws.cloudwatch.log_stream", stream)]
            }
            Self::File(path) => vec![("log.file.path", path)],
            Self::EventBridge | Self::Check => Vec::new(),
        }
    }
}

/// An S3 object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Object {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key.
    pub key: Key,
    /// The version, if the trigger names one.
    pub version: Option<String>,
}

/// `s3://bucket/key`
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key.as_str())
    }
}
