//! The form in which a state is kept: `1<kind>:<sum> <content>`.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

const VERSION: u32 = 1;

pub(super) const NEW_TERMS: char = 'n';
pub(super) const THRESHOLD: char = 't';
pub(super) const SUPPRESSION: char = 's';
pub(super) const LEARNING: char = 'l';
pub(crate) const SILENCE: char = 'q';

/// Why a text is not a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It has a version that this program does not know.
    #[error("a newer version of the function wrote it (its format is {0}, known is {VERSION})")]
    Newer(u32),
    /// It is a state of a rule of another type.
    #[error("it belongs to a rule of another type")]
    OtherType,
    /// It was cut, or altered.
    #[error("its text was cut off or altered by hand")]
    Damaged,
}

/// The content of a state of this kind.
pub(crate) fn content(text: &str, kind: char) -> Result<&str, Error> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let version: u32 = text[..digits].parse().map_err(|_| Error::Damaged)?;
    if version > VERSION {
        return Err(Error::Newer(version));
    }
    let (head, content) = text[digits..].split_once(' ').ok_or(Error::Damaged)?;
    let (found, sum) = head.split_once(':').ok_or(Error::Damaged)?;
    if version != VERSION || sum != self::sum(found, content) {
        return Err(Error::Damaged);
    }
    if found.chars().eq([kind]) { Ok(content) } else { Err(Error::OtherType) }
}

/// A text that [`content`] takes apart.
pub(crate) fn sealed(kind: char, content: &str) -> String {
    let sum = sum(kind.encode_utf8(&mut [0; 4]), content);
    format!("{VERSION}{kind}:{sum} {content}")
}

fn sum(kind: &str, content: &str) -> String {
    let hash = Sha256::new_with_prefix(kind).chain_update(content).finalize();
    digits(&hash[..4])
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Eight bytes that distinguish a text from others.
pub(super) fn digest(text: &str) -> u64 {
    let hash = Sha256::digest(text);
    hash.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The lower `length` times six bits of a number, as letters and digits.
pub(super) fn letters(number: u64, length: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    (0..length).map(|place| char::from(ALPHABET[(number >> (6 * place) & 63) as usize])).collect()
}

/// What [`letters`] printed.
pub(super) fn number(letters: &str) -> Option<u64> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    };
    (letters.len() <= 10).then_some(())?;
    letters.bytes().rev().try_fold(0, |number, byte| Some(number << 6 | u64::from(value(byte)?)))
}

/// The identifier of an event in the shortest form that restores it, or only what distinguishes it from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Id {
    Whole(Box<str>),
    /// 48 bits.
    Digest(u64),
    /// It is no longer needed.
    Forgotten,
}

/// How much of a digest is kept.
const DIGEST_LETTERS: usize = 8;
/// An identifier with more bytes is kept as its digest. CloudTrail's have 36, those of signals 64.
const MAX_WHOLE: usize = 64;

impl Id {
    pub(super) fn of(text: &str) -> Self {
        if text.len() <= MAX_WHOLE { Self::Whole(text.into()) } else { Self::digest_of(text) }
    }

    fn digest_of(text: &str) -> Self {
        Self::Digest(digest(text) & ((1 << (6 * DIGEST_LETTERS)) - 1))
    }

    pub(super) fn whole(&self) -> Option<&str> {
        match self {
            Self::Whole(text) => Some(text),
            Self::Digest(_) | Self::Forgotten => None,
        }
    }

    /// The same, as its digest.
    pub(super) fn shortened(&self) -> Self {
        match self {
            Self::Whole(text) => Self::digest_of(text),
            short => short.clone(),
        }
    }

    pub(super) fn is(&self, text: &str) -> bool {
        match self {
            Self::Whole(whole) => **whole == *text,
            Self::Digest(_) => *self == Self::digest_of(text),
            Self::Forgotten => false,
        }
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Whole(text) => match hex(text) {
                Some(bytes) if bytes.len() == 16 && is_uuid(text) => {
                    format!("u{}", URL_SAFE_NO_PAD.encode(bytes))
                }
                Some(bytes) if bytes.len() == 32 && text.len() == 64 => {
                    format!("h{}", URL_SAFE_NO_PAD.encode(bytes))
                }
                _ => format!("t{}", URL_SAFE_NO_PAD.encode(&**text)),
            },
            Self::Digest(digest) => format!("d{}", letters(*digest, DIGEST_LETTERS)),
            Self::Forgotten => String::new(),
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let Some(form) = text.chars().next() else { return Some(Self::Forgotten) };
        let rest = text.get(1..)?;
        if form == 'd' {
            return number(rest).map(Self::Digest);
        }
        let bytes = URL_SAFE_NO_PAD.decode(rest).ok()?;
        let hex = || digits(&bytes);
        let whole = match form {
            'u' if bytes.len() == 16 => {
                let hex = hex();
                [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
            }
            'h' if bytes.len() == 32 => hex(),
            't' => String::from_utf8(bytes).ok()?,
            _ => return None,
        };
        Some(Self::Whole(whole.into()))
    }
}

/// Whether hyphens are where a UUID has them, and nowhere else.
fn is_uuid(text: &str) -> bool {
    let hyphens = text.bytes().enumerate().filter(|(_, byte)| *byte == b'-').map(|(place, _)| place);
    hyphens.eq([8, 13, 18, 23])
}

/// The bytes that lower-case hexadecimal digits stand for, ignoring any hyphens between them.
fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .bytes()
        .filter(|byte| *byte != b'-')
        .map(|byte| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        })
        .collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
