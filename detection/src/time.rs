//! Times in the format of signals.

use std::time::SystemTime;

use jiff::Timestamp;

/// Formats a time as RFC 3339 in UTC, always with three digits of milliseconds.
#[must_use]
pub fn rfc3339(time: SystemTime) -> String {
    // No clock shows a time outside of the range of RFC 3339.
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}
