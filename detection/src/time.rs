//! Times as signals write them.

use std::time::SystemTime;

use jiff::Timestamp;

/// A time as RFC 3339 in UTC, always with three digits of milliseconds.
#[must_use]
pub fn rfc3339(time: SystemTime) -> String {
    // No clock shows a time that has no such form.
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}
