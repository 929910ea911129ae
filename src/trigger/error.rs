//! Errors of messages that cannot be understood.

/// Errors quote at most this much of a key or a name from a payload.
const QUOTED_CHARS: usize = 64;

/// Why a message cannot be understood. Another try never helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text inside an envelope is not JSON.
    #[error("the {envelope} does not hold JSON: {reason}")]
    NotJson {
        /// The envelope that holds the text.
        envelope: &'static str,
        /// The parser's message.
        reason: String,
    },
    /// No known envelope.
    #[error(
        "unknown payload ({found}): expected an event of S3, SQS, SNS, EventBridge, CloudWatch Logs, CloudTrail, S3 Batch Operations or a schedule"
    )]
    Unknown {
        /// What the payload is instead.
        found: String,
    },
    /// SNS asks whether the queue's owner wants the topic's messages.
    #[error(
        "SNS asks to confirm a subscription to {topic}, which only its owner can: open the SubscribeURL of this message, or subscribe the queue again with the permissions of its account, which confirms by itself"
    )]
    Confirmation {
        /// The topic.
        topic: String,
    },
    /// A known envelope without one of its parts.
    #[error("the {envelope} has no {part}")]
    Missing {
        /// The envelope.
        envelope: &'static str,
        /// The missing part.
        part: &'static str,
    },
    /// The key of an S3 event is not what S3 sends.
    #[error("the object key is not UTF-8 after decoding: {key:?}")]
    Key {
        /// The key as received.
        key: String,
    },
    /// A text that cannot be the name of a bucket, such as an ARN.
    #[error("no bucket can have this name: {bucket:?}")]
    Bucket {
        /// The name as received.
        bucket: String,
    },
    /// An argument of a batch job that means nothing to the function.
    #[error("the batch job has the argument {argument:?}: expected none, or {{\"learn\": \"true\"}}")]
    Argument {
        /// Its name and its value.
        argument: String,
    },
    /// A check that does not exist.
    #[error(
        "there is no check {found:?}: expected {{\"check\": \"silence\", \"time\": \"2026-11-23T10:00:00Z\"}}"
    )]
    Check {
        /// Its name.
        found: String,
    },
    /// A time that is not valid.
    #[error("the check has the time {found:?}: expected one as 2026-11-23T10:00:00Z")]
    Time {
        /// The text.
        found: String,
    },
    /// Log events that are not base64.
    #[error("the CloudWatch Logs data cannot be read: {reason}")]
    LogData {
        /// Why not.
        reason: String,
    },
    /// Too many nested envelopes.
    #[error("more than {} envelopes inside one another", super::MAX_DEPTH)]
    TooDeep,
    /// More parts than any service puts into a message.
    #[error(
        "the message has {} parts or more, and none of them is read: no service sends that many",
        super::MAX_PARTS
    )]
    TooMany,
    /// Further errors of the same message.
    #[error("{count} more parts of the message cannot be understood")]
    More {
        /// How many.
        count: usize,
    },
}

pub(super) fn quoted(text: &str) -> String {
    text.chars().take(QUOTED_CHARS).collect()
}
