//! Bytes in as they arrive, records out one at a time.
//!
//! A CloudTrail delivery is the gzip of `{"Records":[{…},{…}]}`. [`Decoder`] inflates it window by window and
//! cuts the records out by structure alone (strings, brackets, commas) without parsing them, so its memory is one
//! window plus one record, whatever the size of the delivery.
//!
//! The decoder judges by content, never by a name or a header. The first byte distinguishes gzip from text: `{`, `[` and
//! white space cannot start a gzip file. The text may be deliveries one after the other, a bare array of records, one
//! record per line, a document of a CloudWatch Logs subscription, or the output of `aws cloudtrail lookup-events`.
//! [`RawRecord::unwrapped`] takes a record out of the log event or the EventBridge event that holds it.

mod arrays;
mod brackets;
mod exact;
mod gzip;
mod nesting;
mod repair;
mod split;
mod state;
mod subscription;
mod wrapping;

pub use repair::{parse, parse_document, repaired};
pub(crate) use repair::{parse_as_it_is, parse_value, unparsed};
pub use subscription::Subscription;
pub use wrapping::Unwrapped;

use std::ops::ControlFlow;

use gzip::Inflater;
use split::Splitter;

/// The largest record that is accepted, in bytes: four times the most that CloudTrail writes.
pub const MAX_RECORD_BYTES: usize = 1024 * 1024;
/// The deepest nesting of objects and arrays, including the record itself, that a record may have: as deep as the JSON
/// parser follows. CloudTrail's records have up to about twenty levels.
pub const MAX_LEVELS: usize = 127;

/// The free space that a step offers to the inflater: large enough to amortise the call, small enough for L2.
const WINDOW_BYTES: usize = 256 * 1024;
/// The space for the first step: most deliveries are small, and memory must be zeroed before it is used.
const FIRST_WINDOW_BYTES: usize = 32 * 1024;
/// The most that a delivery may inflate to: forty times CloudTrail's own limit of 50 MB.
const MAX_INFLATED_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Up to this size any ratio is accepted, since a small bomb does no harm.
const FREE_INFLATED_BYTES: u64 = 16 * 1024 * 1024;
/// Beyond it, the most inflated bytes for each byte read. CloudTrail's files have about 10.
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
        /// The inflater's message.
        reason: String,
    },
    /// The bytes after the last gzip member are not a gzip member.
    #[error("garbage after the end of the gzip data, at byte {byte} of the object")]
    TrailingGarbage {
        /// Offset in the object.
        byte: u64,
    },
    /// More inflated bytes than any delivery has, or a higher ratio than any file of records has.
    #[error("a decompression bomb: {read} bytes read have inflated to {inflated} already")]
    Bomb {
        /// Bytes inflated so far.
        inflated: u64,
        /// Bytes of the object read so far.
        read: u64,
    },
    /// The text is not JSON of the expected kind.
    #[error("not a CloudTrail delivery: expected {expected} at byte {byte} of the inflated text")]
    NotJson {
        /// Offset in the inflated text.
        byte: u64,
        /// What is expected there.
        expected: &'static str,
    },
    /// The text starts with a UTF-16 byte order mark.
    #[error("the text is UTF-16: convert it to UTF-8, the encoding that CloudTrail writes")]
    Utf16,
    /// The text ends inside the JSON.
    #[error("the JSON ends too early, after {records} whole records and {byte} bytes of inflated text")]
    Unfinished {
        /// The number of whole records.
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

/// Why a record of a delivery is rejected. Its neighbours are not affected.
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
    /// Not ruled out, and not valid JSON, even after a repair.
    #[error("the record is not valid JSON")]
    InvalidJson,
    /// Not ruled out, and with more than [`MAX_LEVELS`] levels.
    #[error("the record nests objects and arrays deeper than {MAX_LEVELS} levels")]
    TooDeep,
    /// UTF-16 without a byte order mark.
    #[error("the text is UTF-16: convert it to UTF-8, the encoding that CloudTrail writes")]
    Utf16,
    /// A JSON object without any of the keys that every CloudTrail record has.
    #[error("not a CloudTrail record{}", looks_like.map(|what| format!(": it looks like {what}")).unwrap_or_default())]
    NotCloudTrail {
        /// What it seems to be.
        looks_like: Option<&'static str>,
    },
}

/// The text of one record, with what the splitter knows about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawRecord<'a> {
    text: &'a [u8],
    may_have_escapes: bool,
}

impl<'a> RawRecord<'a> {
    /// The text, unchanged.
    #[must_use]
    pub fn text(self) -> &'a [u8] {
        self.text
    }

    /// `false` if no string in the record has a backslash. `true` if one may.
    #[must_use]
    pub fn may_have_escapes(self) -> bool {
        self.may_have_escapes
    }
}

/// A text about which nothing is known.
impl<'a> From<&'a [u8]> for RawRecord<'a> {
    fn from(text: &'a [u8]) -> Self {
        Self { text, may_have_escapes: true }
    }
}

/// One record, or why it is rejected.
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
/// decoder.end();
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
    /// The window was filled to its end, so the inflater may hold more.
    filled: bool,
    /// The error that stopped the inflater after the bytes in the window.
    failure: Option<Error>,
}

impl Decoder {
    /// A decoder for one object or file.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "nobody needs a decoder without bytes")]
    pub fn new() -> Self {
        Self {
            encoding: Encoding::Unknown,
            splitter: Splitter::new(),
            window: Vec::new(),
            scanned: 0,
            end: 0,
            gone: 0,
            read: 0,
            filled: false,
            failure: None,
        }
    }

    /// Makes the decoder ready for another object or file. It keeps its memory.
    pub fn restart(&mut self) {
        *self = Self { window: std::mem::take(&mut self.window), ..Self::new() };
    }

    /// Bytes of the object read so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    /// Bytes of text inflated so far. Equal to the bytes read if the object is not compressed.
    #[must_use]
    pub fn bytes_inflated(&self) -> u64 {
        self.gone + self.end as u64
    }

    /// The head of the CloudWatch Logs document that is being read, once its log events have begun.
    #[must_use]
    pub fn subscription(&self) -> Option<&Subscription> {
        self.splitter.subscription()
    }

    /// Takes enough bytes from the front of `input` to fill one window. Passes every record that ends in the window to
    /// `sink`, with its position in the delivery (0 is the first).
    ///
    /// Returns whether there is more to do before the next bytes are needed: call it until it returns `false`.
    ///
    /// # Errors
    /// Any [`Error`] but [`Error::Empty`], [`Error::Unfinished`] and [`Error::Malformed`], which [`Decoder::finish`]
    /// returns. Do not use the decoder after an error.
    pub fn step(&mut self, input: &mut &[u8], sink: &mut impl FnMut(u64, Record<'_>)) -> Result<bool, Error> {
        self.step_until(input, &mut |position, record| {
            sink(position, record);
            ControlFlow::Continue(())
        })
    }

    /// Like [`Decoder::step`], but the step ends after a record at which `sink` breaks, and the next step continues
    /// there. This lets the caller limit what it holds at a time: a window may have thousands of small records.
    ///
    /// # Errors
    /// Those of [`Decoder::step`].
    pub fn step_until(
        &mut self,
        input: &mut &[u8],
        sink: &mut impl FnMut(u64, Record<'_>) -> ControlFlow<()>,
    ) -> Result<bool, Error> {
        if matches!(self.encoding, Encoding::Unknown) {
            self.encoding = match input.first() {
                None => return Ok(false),
                Some(0x1f) => Encoding::Gzip(Box::new(Inflater::new())),
                Some(_) => Encoding::Plain,
            };
        }
        if self.scanned == self.end {
            self.fill(input);
        }

        let text = &self.window[..self.end];
        let (at, keep) = self.splitter.scan(text, self.scanned, self.gone, sink)?;
        self.window.copy_within(keep..self.end, 0);
        self.end -= keep;
        self.gone += keep as u64;
        self.scanned = at - keep;

        if self.scanned < self.end {
            return Ok(true);
        }
        let inflated = self.bytes_inflated();
        match self.failure.take() {
            Some(error) => Err(error),
            None if inflated > MAX_INFLATED_BYTES
                || inflated > FREE_INFLATED_BYTES && inflated / MAX_RATIO > self.read =>
            {
                Err(Error::Bomb { inflated, read: self.read })
            }
            None => Ok(self.filled || !input.is_empty()),
        }
    }

    /// Says that there are no more bytes. If a broken record has swallowed the lines after it, the next steps, with no
    /// input, pass on the records of those lines.
    pub fn end(&mut self) {
        if self.scanned == self.end
            && let Some(at) = self.splitter.restart_by_line(&self.window[..self.end])
        {
            self.scanned = at;
        }
    }

    /// Inflates or copies as much of `input` as the window has space for.
    fn fill(&mut self, input: &mut &[u8]) {
        let space = if self.read == 0 { FIRST_WINDOW_BYTES } else { WINDOW_BYTES };
        if self.window.len() < self.end + space {
            self.window.resize(self.end + space, 0);
        }
        let space = &mut self.window[self.end..self.end + space];
        let (used, written, failure) = match &mut self.encoding {
            Encoding::Gzip(inflater) => {
                let progress = inflater.inflate(input, space);
                (progress.used, progress.written, progress.error)
            }
            Encoding::Plain | Encoding::Unknown => {
                let length = input.len().min(space.len());
                space[..length].copy_from_slice(&input[..length]);
                (length, length, None)
            }
        };
        self.filled = written == space.len();
        *input = &input[used..];
        self.read += used as u64;
        self.end += written;
        self.failure = failure;
    }

    /// Checks that the bytes so far are a whole delivery.
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
