//! Repairs text that is nearly JSON.
//!
//! CloudTrail cuts long values, sometimes in the middle of a character, and then writes half of a surrogate pair or a
//! part of a UTF-8 sequence. Elastic's pipeline reads such records, and replaces the broken characters with U+FFFD.

use memchr::memchr_iter;
use serde_json::{Map, Value};

use super::{MAX_LEVELS, Rejection, exact};

/// Replaces invalid UTF-8 and unpaired surrogates with U+FFFD. Returns `None` if the text has neither.
#[must_use]
pub fn repaired(text: &[u8]) -> Option<Vec<u8>> {
    let lossy = String::from_utf8_lossy(text);
    let unpaired = unpaired_surrogates(lossy.as_bytes());
    if unpaired.is_empty() && std::str::from_utf8(text).is_ok() {
        return None;
    }
    let mut repaired = lossy.into_owned().into_bytes();
    for at in unpaired {
        repaired[at..at + ESCAPE_BYTES].copy_from_slice(br"\ufffd");
    }
    Some(repaired)
}

/// Parses a record, repairing it first if necessary. Every number keeps its digits.
///
/// # Errors
/// [`Rejection::InvalidJson`] if the text is not a JSON object even after a repair, [`Rejection::TooDeep`].
pub fn parse(text: &[u8]) -> Result<Map<String, Value>, Rejection> {
    parse_as_it_is(text)
        .or_else(|rejection| repaired(text).map_or(Err(rejection), |repaired| parse_as_it_is(&repaired)))
}

/// Parses a record without repairing anything.
///
/// # Errors
/// [`Rejection::InvalidJson`] if the text is not a JSON object, [`Rejection::TooDeep`].
pub(crate) fn parse_as_it_is(text: &[u8]) -> Result<Map<String, Value>, Rejection> {
    exact::parse(text).map_err(|_| unparsed(text))
}

/// Parses a value of a record. Every number keeps its digits.
///
/// # Errors
/// [`Rejection::InvalidJson`] if the text is not JSON.
pub(crate) fn parse_value(text: &str) -> Result<Value, Rejection> {
    exact::parse_value(text).map_err(|_| Rejection::InvalidJson)
}

/// Parses the document of a signal, which is JSON of our own. Every number keeps its digits.
#[must_use]
pub fn parse_document(text: &str) -> Option<Value> {
    exact::parse_document(text).ok()
}

/// Why a text that the parser refused is rejected: it may be valid JSON that is nested deeper than the parser follows.
pub(crate) fn unparsed(text: &[u8]) -> Rejection {
    if levels(text) > MAX_LEVELS { Rejection::TooDeep } else { Rejection::InvalidJson }
}

/// The deepest nesting of objects and arrays.
pub(super) fn levels(text: &[u8]) -> usize {
    let (mut levels, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => levels += 1,
            b'}' | b']' if !in_string => levels = levels.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(levels);
    }
    deepest
}

/// `\u` and four digits.
const ESCAPE_BYTES: usize = 6;

/// The offsets of escapes of unpaired surrogates.
fn unpaired_surrogates(text: &[u8]) -> Vec<usize> {
    let mut unpaired = Vec::new();
    let mut next = 0;
    for at in memchr_iter(b'\\', text) {
        // A backslash after a backslash, or the second half of a pair.
        if at < next {
            continue;
        }
        next = match (unit(text, at), unit(text, at + ESCAPE_BYTES)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => at + 2 * ESCAPE_BYTES,
            (Some(0xd800..=0xdfff), _) => {
                unpaired.push(at);
                at + ESCAPE_BYTES
            }
            _ => at + 2,
        };
    }
    unpaired
}

/// The UTF-16 unit of the escape at this offset.
fn unit(text: &[u8], at: usize) -> Option<u16> {
    let digits = text.get(at..at + ESCAPE_BYTES)?.strip_prefix(br"\u")?;
    let digits = std::str::from_utf8(digits)
        .ok()
        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u16::from_str_radix(digits, 16).ok()
}
