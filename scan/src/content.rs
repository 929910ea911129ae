//! Judges a file by its first bytes.

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const GZIP: &[u8] = &[0x1f, 0x8b];

/// The reason given for a file that has only white space.
pub const EMPTY: &str = "empty";

/// Why a file that begins with these bytes holds no records. `None` for gzip and for JSON.
pub fn strange(beginning: &[u8]) -> Option<&'static str> {
    if beginning.starts_with(GZIP) {
        return None;
    }
    match beginning.strip_prefix(BYTE_ORDER_MARK).unwrap_or(beginning).trim_ascii_start() {
        [] => Some(EMPTY),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, b'{' | b'[', ..] | [b'{' | b'[', 0, ..] => {
            Some("UTF-16 text")
        }
        [b'{' | b'[', ..] => None,
        _ => Some("neither gzip nor JSON"),
    }
}
