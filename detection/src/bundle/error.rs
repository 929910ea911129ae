use super::{FORMAT, MAX_BYTES};

/// Why a bundle cannot be used. Each error says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing is in it.
    #[error("is empty: write it again with cloudtrail-scan --bundle")]
    Empty,
    /// It is too long.
    #[error("is longer than {MAX_BYTES} bytes, the most that a bundle can have")]
    TooLong,
    /// It ends too early.
    #[error("is cut off: copy it again, or write it again with cloudtrail-scan --bundle")]
    Cut,
    /// It is not JSON.
    #[error("is not JSON: {0}")]
    NotJson(String),
    /// It is JSON, but not a bundle.
    #[error("is JSON, but not a bundle: write one with cloudtrail-scan --bundle")]
    NotABundle,
    /// It has another format version.
    #[error(
        "is a bundle of format {0}, and format {FORMAT} is expected: write it with the cloudtrail-scan of this version"
    )]
    Format(u64),
    /// It was written by hand, or altered in transit.
    #[error(
        "was altered after it was written: change the rule files, and write it again with cloudtrail-scan --bundle"
    )]
    Altered,
    /// It is intact, but this version does not understand it.
    #[error(
        "contains something that this version does not understand: {0}; write it with the cloudtrail-scan of this version"
    )]
    Content(String),
}
