//! Bytes in as they arrive, records out one at a time.
//!
//! A CloudTrail delivery is the gzip of `{"Records":[{…},{…}]}`. [`Decoder`] inflates it window by window and
//! cuts the records out by structure alone (strings, brackets, commas) without parsing them, so its memory is one
//! window plus one record, whatever the size of the delivery.
//!
//! The content decides how it is read, never a name or a header. The first byte tells gzip from text: `{`, `[` and white
//! space cannot start a gzip file. The text may be deliveries one after the other, a bare array of records, a record a
//! line, a document of a CloudWatch Logs subscription, or the output of `aws cloudtrail lookup-events`.
//! [`RawRecord::unwrapped`] takes a record out of the log event or the EventBridge event that holds it.

mod brackets;
mod exact;
mod gzip;
mod nesting;
mod repair;
mod split;
mod subscription;
mod wrapping;

pub use gzip::gunzip;
pub(crate) use repair::parse_value;
pub use repair::{parse, repaired};
pub use subscription::Subscription;
pub use wrapping::Unwrapped;

use gzip::Inflater;
use split::Splitter;

/// The largest record taken, in bytes: four times what CloudTrail writes at most.
pub const MAX_RECORD_BYTES: usize = 1024 * 1024;

/// Free room that a step offers to the inflater: large enough to amortise the call, small enough for L2.
const WINDOW_BYTES: usize = 256 * 1024;
/// The first step makes do with this: most deliveries are small, and memory has to be zeroed before it is used.
const FIRST_WINDOW_BYTES: usize = 32 * 1024;
/// The most that a delivery may inflate to: forty times CloudTrail's own limit of 50 MB.
const MAX_INFLATED_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Up to here any ratio is taken, since a small bomb does no harm.
const FREE_INFLATED_BYTES: u64 = 16 * 1024 * 1024;
/// Beyond it, inflated bytes per byte read; CloudTrail's own files have about 10.
const MAX_RATIO: u64 = 200;

/// Why a delivery cannot be read to its end. Records handed out before the error are good.
///
/// Positions are byte offsets: into the object for gzip errors, into the inflated text for JSON errors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No bytes at all.
    #[error("the object is empty: CloudTrail never writes one, so its delivery was cut off or overwritten")]
    Empty,
    /// The object ends inside a gzip member.
    #[error("the gzip data ends too early, at byte {byte} of the object")]
    TruncatedGzip {
        /// Offset in the object.
        byte: u64,
    },
    /// The data does not fit the gzip checksum or length.
    #[error("the gzip checksum does not fit the data, at byte {byte} of the object")]
    Checksum {
        /// Offset in the object.
        byte: u64,
    },
    /// The bytes are not what gzip or deflate allow.
    #[error("the gzip data is corrupt at byte {byte} of the object: {reason}")]
    CorruptGzip {
        /// Offset in the object.
        byte: u64,
        /// The inflater's word for it.
        reason: String,
    },
    /// Something follows the last gzip member that is no gzip member.
    #[error("garbage after the end of the gzip data, at byte {byte} of the object")]
    TrailingGarbage {
        /// Offset in the object.
        byte: u64,
    },
    /// More inflated bytes than any delivery has, or than the bytes read can honestly give.
    #[error("a decompression bomb: {read} bytes read have inflated to {inflated} already")]
    Bomb {
        /// Bytes inflated when it was stopped.
        inflated: u64,
        /// Bytes of the object read until then.
        read: u64,
    },
    /// The text is not JSON of the expected kind.
    #[error("not a CloudTrail delivery: expected {expected} at byte {byte} of the inflated text")]
    NotJson {
        /// Offset in the inflated text.
        byte: u64,
        /// What should have stood there.
        expected: &'static str,
    },
    /// The text is UTF-16, by its byte order mark.
    #[error("the text is UTF-16: convert it to UTF-8, which CloudTrail writes, first")]
    Utf16,
    /// The text ends inside the JSON.
    #[error("the JSON ends too early, after {records} whole records and {byte} bytes of inflated text")]
    Unfinished {
        /// Records handed out before.
        records: u64,
        /// Offset in the inflated text.
        byte: u64,
    },
    /// All records were found, but the commas between them are wrong.
    #[error("the JSON is malformed between two records, at byte {byte} of the inflated text")]
    Malformed {
        /// Offset in the inflated text.
        byte: u64,
    },
}

/// Why one record of a delivery is not taken; its neighbours are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// An element of `Records` that is a number, a string, an array, …
    #[error("the record is not a JSON object")]
    NotAnObject,
    /// Larger than [`MAX_RECORD_BYTES`].
    #[error("the record is larger than {MAX_RECORD_BYTES} bytes")]
    TooLarge,
    /// Brackets that do not close what was opened.
    #[error("the brackets of the record do not match")]
    Unbalanced,
    /// Enough like a match to be looked at, and then not JSON, even after a repair.
    #[error("the record is not valid JSON")]
    InvalidJson,
    /// UTF-16 without a byte order mark.
    #[error("the text is UTF-16: convert it to UTF-8, which CloudTrail writes, first")]
    Utf16,
    /// A JSON object without any of the keys that every CloudTrail record has.
    #[error("not a CloudTrail record{}", looks_like.map(|what| format!(": it looks like {what}")).unwrap_or_default())]
    NotCloudTrail {
        /// What it seems to be instead.
        looks_like: Option<&'static str>,
    },
}

/// The text of one record, with what cutting it out has shown already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawRecord<'a> {
    text: &'a [u8],
    may_have_escapes: bool,
}

impl<'a> RawRecord<'a> {
    /// The text as it stands in the delivery.
    #[must_use]
    pub fn text(self) -> &'a [u8] {
        self.text
    }

    /// `false` if no string in the record has a backslash; `true` says nothing.
    #[must_use]
    pub fn may_have_escapes(self) -> bool {
        self.may_have_escapes
    }
}

/// A text of which nothing is known.
impl<'a> From<&'a [u8]> for RawRecord<'a> {
    fn from(text: &'a [u8]) -> Self {
        Self { text, may_have_escapes: true }
    }
}

/// One record, or why it is none.
pub type Record<'a> = Result<RawRecord<'a>, Rejection>;

enum Encoding {
    Unknown,
    Gzip(Box<Inflater>),
    Plain,
}

/// Turns the bytes of one object or file into its records.
///
/// ```
/// use detection::records::Decoder;
///
/// let mut decoder = Decoder::new();
/// let mut input: &[u8] = br#"{"Records":[{"eventName":"ListBuckets"},7]}"#;
/// let mut found = Vec::new();
/// while decoder.step(&mut input, &mut |_, record| found.push(record.is_ok()))? {}
/// decoder.finish()?;
/// assert_eq!(found, [true, false]);
/// # Ok::<(), detection::records::Error>(())
/// ```
pub struct Decoder {
    encoding: Encoding,
    splitter: Splitter,
    /// Inflated text: `..end` is in use, `..scanned` has been looked at and belongs to an unfinished record.
    window: Vec<u8>,
    scanned: usize,
    end: usize,
    /// Inflated bytes that have left the window.
    gone: u64,
    read: u64,
}

impl Decoder {
    /// A decoder for one object or file.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "a decoder without bytes is no value that anybody wants")]
    pub fn new() -> Self {
        Self {
            encoding: Encoding::Unknown,
            splitter: Splitter::new(),
            window: Vec::new(),
            scanned: 0,
            end: 0,
            gone: 0,
            read: 0,
        }
    }

    /// Bytes of the object read so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    /// Bytes of text inflated so far (equal to the bytes read where the object is not compressed).
    #[must_use]
    pub fn bytes_inflated(&self) -> u64 {
        self.gone + self.end as u64
    }

    /// What the CloudWatch Logs document being read says of itself, once its log events have begun.
    #[must_use]
    pub fn subscription(&self) -> Option<&Subscription> {
        self.splitter.subscription()
    }

    /// Takes from the front of `input` what fills one window and hands every record that ends in it to `sink`,
    /// with its position in the delivery (0 is the first).
    ///
    /// Returns whether there is more to do before the next bytes are needed: call it until it says `false`.
    ///
    /// # Errors
    /// Any [`Error`] but [`Error::Empty`], [`Error::Unfinished`] and [`Error::Malformed`], which only the end can
    /// tell. After an error the decoder must not be used further.
    pub fn step(&mut self, input: &mut &[u8], sink: &mut impl FnMut(u64, Record<'_>)) -> Result<bool, Error> {
        if matches!(self.encoding, Encoding::Unknown) {
            self.encoding = match input.first() {
                None => return Ok(false),
                Some(0x1f) => Encoding::Gzip(Box::new(Inflater::new())),
                Some(_) => Encoding::Plain,
            };
        }
        let room = if self.read == 0 { FIRST_WINDOW_BYTES } else { WINDOW_BYTES };
        if self.window.len() < self.end + room {
            self.window.resize(self.end + room, 0);
        }
        let room = &mut self.window[self.end..];
        let (used, written, failure) = match &mut self.encoding {
            Encoding::Gzip(inflater) => {
                let progress = inflater.inflate(input, room);
                (progress.used, progress.written, progress.error)
            }
            Encoding::Plain | Encoding::Unknown => {
                let length = input.len().min(room.len());
                room[..length].copy_from_slice(&input[..length]);
                (length, length, None)
            }
        };
        let filled = written == room.len();
        *input = &input[used..];
        self.read += used as u64;
        self.end += written;

        let keep = self.splitter.scan(&self.window[..self.end], self.scanned, self.gone, sink)?;
        self.window.copy_within(keep..self.end, 0);
        self.end -= keep;
        self.gone += keep as u64;
        self.scanned = self.end;

        let inflated = self.bytes_inflated();
        match failure {
            Some(error) => Err(error),
            None if inflated > MAX_INFLATED_BYTES
                || inflated > FREE_INFLATED_BYTES && inflated / MAX_RATIO > self.read =>
            {
                Err(Error::Bomb { inflated, read: self.read })
            }
            None => Ok(filled || !input.is_empty()),
        }
    }

    /// Says whether the bytes that came were a whole delivery.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::TruncatedGzip`], [`Error::Unfinished`], [`Error::NotJson`], [`Error::Malformed`].
    pub fn finish(&self) -> Result<(), Error> {
        match &self.encoding {
            Encoding::Unknown => Err(Error::Empty),
            Encoding::Gzip(inflater) if !inflater.is_complete() => {
                Err(Error::TruncatedGzip { byte: inflater.position() })
            }
            Encoding::Gzip(_) | Encoding::Plain => self.splitter.finish(self.bytes_inflated()),
        }
    }
}
