//! The head of a document of a CloudWatch Logs subscription.

use serde::Deserialize;

/// The members of the document before its log events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Subscription {
    message_type: String,
    /// The log group that the events come from.
    pub log_group: String,
    /// The stream in that group.
    pub log_stream: String,
}

impl Subscription {
    /// Reads the document up to the bracket that opens its `logEvents`. If that is not valid, every member is empty.
    pub(super) fn begun_by(text: &[u8]) -> Self {
        let document = [text, b"[]}"].concat();
        serde_json::from_slice(&document).unwrap_or_default()
    }

    /// Whether the document is CloudWatch Logs' test of the subscription, whose event is not a record.
    #[must_use]
    pub fn is_control_message(&self) -> bool {
        self.message_type == "CONTROL_MESSAGE"
    }
}
