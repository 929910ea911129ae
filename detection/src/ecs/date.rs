//! Times of a record.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// An ISO 8601 time in the form of RFC 3339, and parsed. A time already in this form keeps its own digits; any other,
/// such as `20131102T010628Z`, is printed in UTC with milliseconds. A time without an offset is in UTC.
pub(super) fn normal(text: &str) -> Option<(Cow<'_, str>, Timestamp)> {
    let time: Timestamp = text.parse().or_else(|_| without_offset(text)).ok()?;
    let is_normal = matches!(
        text.as_bytes(),
        [_, _, _, _, b'-', _, _, b'-', _, _, b'T', _, _, b':', _, _, b':', .., b'Z']
    );
    Some((if is_normal { Cow::Borrowed(text) } else { Cow::Owned(format!("{time:.3}")) }, time))
}

fn without_offset(text: &str) -> Result<Timestamp, jiff::Error> {
    text.parse::<DateTime>().and_then(|time| TimeZone::UTC.to_timestamp(time))
}
