//! The arrays of records that an object may hold.

/// The keys of arrays of records of a delivery, of a CloudWatch Logs subscription, and of
/// `aws cloudtrail lookup-events`.
const ARRAYS: [&[u8]; 3] = [b"Records", LOG_EVENTS, b"Events"];
pub(super) const LOG_EVENTS: &[u8] = b"logEvents";

/// The key from [`ARRAYS`] whose value begins at the end of `text`.
pub(super) fn key_before(text: &[u8]) -> Option<&'static [u8]> {
    let text = text.trim_ascii_end().strip_suffix(b":")?.trim_ascii_end().strip_suffix(b"\"")?;
    ARRAYS.into_iter().find(|key| {
        let before = text.strip_suffix(*key).and_then(|text| text.strip_suffix(b"\""));
        // Inside another key, the quote would follow a backslash.
        before.is_some_and(|before| matches!(before.trim_ascii_end().last(), Some(b'{' | b',')))
    })
}
