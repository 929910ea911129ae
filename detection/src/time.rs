//! Times in the format that signals use.

use std::time::SystemTime;

use jiff::Timestamp;

/// Formats milliseconds since 1970 as RFC 3339 in UTC, with three digits of milliseconds.
pub(crate) fn of_milliseconds(time: i64) -> String {
    // Events whose time is unknown take no part in anything that calls this.
    let time = Timestamp::from_millisecond(time).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}

/// Parses an RFC 3339 time into milliseconds since 1970.
pub(crate) fn milliseconds(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// Formats a time as RFC 3339 in UTC, always with three digits of milliseconds.
#[must_use]
pub fn rfc3339(time: SystemTime) -> String {
    // No clock shows a time outside the range of RFC 3339.
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}
