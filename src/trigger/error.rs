//! Why a message cannot be understood.

/// A key or a name from a payload is quoted in an error up to this length.
const QUOTED_CHARS: usize = 64;

/// Why a message cannot be understood. Nothing of this gets better by trying again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text inside an envelope is not JSON.
    #[error("the {envelope} does not hold JSON: {reason}")]
    NotJson {
        /// What held the text.
        envelope: &'static str,
        /// What the parser says.
        reason: String,
    },
    /// No known envelope.
    #[error(
        "unknown payload ({found}): expected an event of S3, SQS, SNS, EventBridge, CloudWatch Logs, CloudTrail or S3 Batch Operations"
    )]
    Unknown {
        /// What there is instead.
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
        /// What it should have.
        part: &'static str,
    },
    /// The key of an S3 event is not what S3 sends.
    #[error("the object key is not UTF-8 after decoding: {key:?}")]
    Key {
        /// The key as it came.
        key: String,
    },
    /// Something that no bucket can be called, such as an ARN.
    #[error("no bucket can have this name: {bucket:?}")]
    Bucket {
        /// The name as it came.
        bucket: String,
    },
    /// Log events that are not base64.
    #[error("the CloudWatch Logs data cannot be read: {reason}")]
    LogData {
        /// Why not.
        reason: String,
    },
    /// Envelopes in envelopes without end.
    #[error("more than {} envelopes inside each other", super::MAX_DEPTH)]
    TooDeep,
    /// More objects than a message honestly names.
    #[error(
        "the message has {} parts or more, and none of them is read: no service sends as many",
        super::MAX_PARTS
    )]
    TooMany,
    /// Errors of the same message that are not named one by one.
    #[error("{count} more parts of the message cannot be understood")]
    More {
        /// How many.
        count: usize,
    },
}

pub(super) fn quoted(text: &str) -> String {
    text.chars().take(QUOTED_CHARS).collect()
}
