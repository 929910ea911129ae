//! Splits a text into records by structure alone.
//!
//! The splitter never parses: it follows strings, brackets and commas, which is enough to find the start and the end of
//! each record, and to keep a broken record apart from its neighbours. It can stop after any byte and continue with the
//! next text.

use std::ops::ControlFlow;

use super::arrays::{LOG_EVENTS, key_before};
use super::brackets::{BLOCK_BYTES, Brackets};
use super::nesting::Nesting;
use super::state::{Halt, Holder, Last, Quotes, State};
use super::subscription::Subscription;
use super::{Error, MAX_RECORD_BYTES, RawRecord, Record, Rejection};

/// How much to keep of an object that is too large for a record, since the key of an array must still be found in it.
const TAIL_BYTES: usize = 4096;
/// How a line begins that follows a broken record and looks like a record itself.
const NEXT_LINE: &[u8] = b"\n{\"";
const JSON: &str = "a JSON object or array";

pub(super) struct Splitter {
    state: State,
    /// `None` before the first top-level value.
    holder: Option<Holder>,
    /// The open brackets of the current record or value, and their full words.
    nesting: Nesting,
    full: Vec<u64>,
    /// Used inside a record; `quotes` is used elsewhere.
    brackets: Brackets,
    quotes: Quotes,
    /// The start of the current record in the window.
    start: usize,
    /// The first defect of the current record.
    defect: Option<Rejection>,
    records: u64,
    last: Last,
    /// The offset of the first wrong comma between records.
    malformed: Option<u64>,
    /// The head of the last document of a log subscription.
    subscription: Option<Subscription>,
    /// The sink broke at the last record.
    pauses: bool,
    /// A record did not end, so from that record on a line that looks like the start of a record is one.
    by_line: bool,
}

impl Splitter {
    pub(super) fn new() -> Self {
        Self {
            state: State::Outermost,
            holder: None,
            nesting: Nesting::default(),
            full: Vec::new(),
            brackets: Brackets::default(),
            quotes: Quotes::Outside,
            start: 0,
            defect: None,
            records: 0,
            last: Last::Opening,
            malformed: None,
            subscription: None,
            pauses: false,
            by_line: false,
        }
    }

    pub(super) fn subscription(&self) -> Option<&Subscription> {
        self.subscription.as_ref()
    }

    /// Continues in `text` at `at`; `base` is the offset of `text` in the whole.
    ///
    /// Stops at the end of `text`, or after a record at which `sink` breaks. Returns that offset, and the offset from
    /// which the text must be kept: the start of an unfinished record, or the same.
    pub(super) fn scan(
        &mut self,
        text: &[u8],
        mut at: usize,
        base: u64,
        sink: &mut impl FnMut(u64, Record<'_>) -> ControlFlow<()>,
    ) -> Result<(usize, usize), Error> {
        self.pauses = false;
        let mut line_end = None;
        while at < text.len() && !self.pauses {
            let byte = text[at];
            let place = base + at as u64;
            match self.state {
                state if self.by_line && state.is_record() => {
                    // The start of the next line may be split between two windows.
                    let from = at.saturating_sub(NEXT_LINE.len() - 1).max(self.start);
                    let end = line_end.filter(|end| *end >= from);
                    let end = end.unwrap_or_else(|| next_line(text, from).unwrap_or(text.len()));
                    line_end = Some(end);
                    at = if at < end { self.value(&text[..end], at, sink) } else { end };
                    if at == end && end < text.len() && self.state.is_record() {
                        self.give_up(sink);
                    }
                }
                State::Record | State::Object | State::Rest => at = self.value(text, at, sink),
                State::Between => {
                    match byte {
                        b'{' => self.open_record(at, place),
                        b']' => self.close_array(at, place),
                        b',' => {
                            if self.last != Last::Record {
                                self.malformed.get_or_insert(place);
                            }
                            self.last = Last::Comma;
                        }
                        _ if byte.is_ascii_whitespace() => {}
                        // The second byte of the bracket that opens the text.
                        0 if place == 1 => return Err(Error::Utf16),
                        _ => {
                            self.open_junk(place);
                            continue;
                        }
                    }
                    at += 1;
                }
                State::Junk => {
                    if self.ends_junk(byte) {
                        self.quotes = Quotes::Outside;
                        self.finish_record(Err(Rejection::NotAnObject), sink);
                    } else {
                        self.one(byte);
                        at += 1;
                    }
                }
                State::Outermost | State::Mark(_) => {
                    at += usize::from(self.outermost(byte, at, place)?);
                }
            }
        }
        let keep = match self.state {
            // The end of a value that is too large for a record must be found, but its text is not kept.
            State::Record if self.defect == Some(Rejection::TooLarge) => {
                text.len().saturating_sub(NEXT_LINE.len() - 1)
            }
            State::Object if self.defect != Some(Rejection::TooLarge) => self.start,
            State::Object | State::Rest => text.len().saturating_sub(TAIL_BYTES).max(self.start),
            State::Record => self.start,
            _ => at,
        };
        // The caller moves what is kept to the front of the window.
        self.start = self.start.saturating_sub(keep);
        Ok((at, keep))
    }

    /// Checks that the text may end here, after `inflated` bytes.
    pub(super) fn finish(&self, inflated: u64) -> Result<(), Error> {
        match self.state {
            State::Outermost if self.holder.is_some() => {}
            State::Outermost | State::Mark(_) => {
                return Err(Error::NotJson { byte: inflated, expected: JSON });
            }
            _ => return Err(Error::Unfinished { records: self.records, byte: inflated }),
        }
        self.malformed.map_or(Ok(()), |byte| Err(Error::Malformed { byte }))
    }

    /// Starts again at a record that does not end in `text`, if a line after its start looks like a record: the record is
    /// broken, and the others must not be lost with it. Returns the offset to continue at.
    pub(super) fn restart_by_line(&mut self, text: &[u8]) -> Option<usize> {
        if !self.state.is_record() || self.by_line || self.defect == Some(Rejection::TooLarge) {
            return None;
        }
        next_line(text, self.start)?;
        self.by_line = true;
        self.defect = None;
        self.forget_nesting();
        self.open_brace(self.start);
        Some(self.start + 1)
    }

    /// Ends a record that its line does not end.
    fn give_up(&mut self, sink: &mut impl FnMut(u64, Record<'_>) -> ControlFlow<()>) {
        self.holder.get_or_insert(Holder::Lines);
        self.finish_record(Err(Rejection::Unbalanced), sink);
        // A comma after it, if there is one, was taken for a part of it.
        self.last = Last::Comma;
    }

    /// Reads a part of a record or of a top-level object, before its array or after it. Returns the end of that part.
    fn value(
        &mut self,
        text: &[u8],
        at: usize,
        sink: &mut impl FnMut(u64, Record<'_>) -> ControlFlow<()>,
    ) -> usize {
        let is_record = self.state == State::Record;
        let (at, halt) =
            if is_record { self.follow::<false>(text, at) } else { self.follow::<true>(text, at) };
        let is_too_large = at - self.start > MAX_RECORD_BYTES;
        let is_unbalanced = matches!(halt, Halt::Value) && self.defect == Some(Rejection::Unbalanced);
        // The outcome must not depend on where a window ends.
        let end = at.min(self.start + MAX_RECORD_BYTES + 1);
        if (is_too_large || is_unbalanced)
            && let Some(at) = self.restart_by_line(&text[..end])
        {
            return at;
        }
        match halt {
            Halt::Value if self.state == State::Rest => self.state = State::Outermost,
            Halt::Value => {
                if !is_record {
                    self.holder = Some(Holder::Lines);
                }
                self.emit(&text[self.start..at], sink);
            }
            Halt::Array => {
                let before = &text[self.start..at - 1];
                if let Some(key) = key_before(before) {
                    let is_whole = self.state == State::Object && self.defect != Some(Rejection::TooLarge);
                    self.subscription =
                        (key == LOG_EVENTS && is_whole).then(|| Subscription::begun_by(before));
                    self.open_array(Holder::Object);
                }
            }
            Halt::Text => {}
        }
        if is_too_large {
            self.defect = Some(Rejection::TooLarge);
        }
        at
    }

    /// Follows strings and brackets to the end of the current value or of the text, and returns its offset. With `ARRAYS`,
    /// also stops after the bracket that opens an array directly inside the value.
    #[inline(never)]
    fn follow<const ARRAYS: bool>(&mut self, text: &[u8], mut at: usize) -> (usize, Halt) {
        // The compiler keeps locals in registers.
        let (mut brackets, mut nesting, mut fits) = (self.brackets, self.nesting, true);
        let end = 'blocks: loop {
            let rest = &text[at..];
            let mut padded = [b' '; BLOCK_BYTES];
            let (block, length) = if let Some(block) = rest.first_chunk() {
                (block, BLOCK_BYTES)
            } else if rest.is_empty() {
                break (at, Halt::Text);
            } else {
                padded[..rest.len()].copy_from_slice(rest);
                (&padded, rest.len())
            };
            let before = brackets;
            let mut found = brackets.next(block, length);
            while found != 0 {
                let place = found.trailing_zeros() as usize;
                found &= found - 1;
                fits &= nesting.take(block[place], &mut self.full);
                if nesting.is_empty() {
                    break 'blocks (at + place + 1, Halt::Value);
                }
                if ARRAYS && block[place] == b'[' && nesting.depth() == 2 {
                    // The rest of the block is examined again.
                    brackets = before;
                    brackets.next(&cut_off(block, place + 1), place + 1);
                    break 'blocks (at + place + 1, Halt::Array);
                }
            }
            at += length;
        };
        (self.brackets, self.nesting) = (brackets, nesting);
        if !fits {
            self.defect.get_or_insert(Rejection::Unbalanced);
        }
        end
    }

    /// Reads one byte of a value that is not a record. Such values are rare or short.
    fn one(&mut self, byte: u8) {
        self.quotes = match (self.quotes, byte) {
            (Quotes::Escaped, _) | (Quotes::Outside, b'"') => Quotes::Inside,
            (Quotes::Inside, b'\\') => Quotes::Escaped,
            (Quotes::Inside, b'"') => Quotes::Outside,
            (quotes, _) => quotes,
        };
        let is_bracket = self.quotes == Quotes::Outside && matches!(byte, b'{' | b'[' | b'}' | b']');
        if is_bracket && !self.nesting.take(byte, &mut self.full) {
            self.defect.get_or_insert(Rejection::Unbalanced);
        }
    }

    fn forget_nesting(&mut self) {
        self.nesting = Nesting::default();
        self.full.clear();
    }

    fn open_record(&mut self, at: usize, place: u64) {
        self.open_junk(place);
        self.open_brace(at);
        self.state = State::Record;
    }

    fn open_brace(&mut self, at: usize) {
        self.start = at;
        self.nesting.take(b'{', &mut self.full);
        self.brackets = Brackets::default();
    }

    fn open_junk(&mut self, place: u64) {
        if self.last == Last::Record && self.holder != Some(Holder::Lines) {
            self.malformed.get_or_insert(place);
        }
        self.defect = None;
        self.forget_nesting();
        self.state = State::Junk;
    }

    fn ends_junk(&self, byte: u8) -> bool {
        if self.holder == Some(Holder::Lines) {
            return byte == b'\n';
        }
        let outside = self.nesting.is_empty() && self.quotes == Quotes::Outside;
        outside && matches!(byte, b',' | b']')
    }

    fn open_array(&mut self, holder: Holder) {
        self.holder = Some(holder);
        self.state = State::Between;
        self.last = Last::Opening;
        self.defect = None;
        self.forget_nesting();
    }

    /// Passes the record that has just ended to `sink`.
    fn emit(&mut self, record: &[u8], sink: &mut impl FnMut(u64, Record<'_>) -> ControlFlow<()>) {
        let record = match self.defect {
            _ if record.len() > MAX_RECORD_BYTES => Err(Rejection::TooLarge),
            Some(defect) => Err(defect),
            None => Ok(RawRecord { text: record, may_have_escapes: self.brackets.has_seen_backslash() }),
        };
        self.finish_record(record, sink);
    }

    fn finish_record(
        &mut self,
        record: Record<'_>,
        sink: &mut impl FnMut(u64, Record<'_>) -> ControlFlow<()>,
    ) {
        // CloudWatch Logs tests a subscription with an event that is not a record.
        let is_test = self.holder == Some(Holder::Object)
            && self.subscription.as_ref().is_some_and(Subscription::is_control_message);
        if !is_test {
            self.pauses = sink(self.records, record).is_break();
            self.records += 1;
        }
        self.last = Last::Record;
        self.state = if self.holder == Some(Holder::Lines) { State::Outermost } else { State::Between };
    }

    fn close_array(&mut self, at: usize, place: u64) {
        if self.last == Last::Comma {
            self.malformed.get_or_insert(place);
        }
        self.state = State::Outermost;
        if self.holder == Some(Holder::Object) {
            self.forget_nesting();
            self.open_brace(at + 1);
            self.state = State::Rest;
        }
    }

    /// Reads a byte outside of every value: white space, a byte order mark, or the start of a value. Returns whether
    /// the byte is consumed.
    fn outermost(&mut self, byte: u8, at: usize, place: u64) -> Result<bool, Error> {
        match (self.state, byte) {
            // A zero before a bracket is the bracket's first half, without a byte order mark.
            (State::Mark(0xff), 0xfe) | (State::Mark(0xfe), 0xff) | (State::Mark(0), b'{' | b'[') => {
                return Err(Error::Utf16);
            }
            (State::Mark(_), _) => return Err(Error::NotJson { byte: 0, expected: JSON }),
            (_, 0 | 0xfe | 0xff) if place == 0 => self.state = State::Mark(byte),
            (_, b'{') => {
                self.defect = None;
                self.forget_nesting();
                self.open_brace(at);
                self.state = State::Object;
            }
            (_, b'[') => self.open_array(Holder::Array),
            // The bytes of the UTF-8 byte order mark, which some editors and systems put at the start of a text.
            (_, 0xef | 0xbb | 0xbf) => {}
            _ if byte.is_ascii_whitespace() => {}
            _ if self.holder == Some(Holder::Lines) => {
                self.open_junk(place);
                return Ok(false);
            }
            _ => return Err(Error::NotJson { byte: place, expected: JSON }),
        }
        Ok(true)
    }
}

/// The end of the line before the first line after `from` that looks like a record.
fn next_line(text: &[u8], from: usize) -> Option<usize> {
    Some(from + memchr::memmem::find(text.get(from..)?, NEXT_LINE)?)
}

/// The first `length` bytes of a block, padded with spaces.
#[cold]
fn cut_off(block: &[u8; BLOCK_BYTES], length: usize) -> [u8; BLOCK_BYTES] {
    let mut start = [b' '; BLOCK_BYTES];
    start[..length].copy_from_slice(&block[..length]);
    start
}
