//! Cutting the text of a delivery into records by structure alone.
//!
//! The splitter never parses: it follows strings, brackets and commas, which is enough to know where each record
//! starts and ends, and to keep one broken record from costing its neighbours. It can stop after any byte and go
//! on when more text has come.

use super::brackets::{BLOCK_BYTES, Brackets};
use super::nesting::Nesting;
use super::{Error, Layout, MAX_RECORD_BYTES, RawRecord, Record, Rejection};

/// The key of a delivery's array.
const RECORDS: &[u8] = b"Records";

/// Where in the text the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first value, or (any layout) before a further one.
    Start,
    /// Inside the delivery object, before a key or its end.
    Member,
    /// Inside a key of the delivery object.
    Key,
    /// Between a key and its value.
    Colon,
    /// Before the value of a key.
    Value,
    /// Inside a value that is not the records.
    Skip,
    /// Inside the array, between records.
    Between,
    /// Inside a record.
    Record,
    /// Inside an element of the array that is no object.
    Junk,
    /// After the delivery object.
    End,
}

/// What holds the records that are being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    /// `{"Records":[…]}`
    Delivery,
    /// `[…]`
    Array,
    /// Records one after the other.
    Lines,
}

/// Where the next byte stands with regard to strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    Outside,
    Inside,
    /// Inside, behind a backslash.
    Escaped,
}

/// What came last inside the array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    Opening,
    Record,
    Comma,
}

pub(super) struct Splitter {
    layout: Layout,
    state: State,
    holder: Holder,
    /// What the current record or value still owes, with the words of it that are full.
    nesting: Nesting,
    full: Vec<u64>,
    /// Inside a record; elsewhere `quotes` is what counts.
    brackets: Brackets,
    quotes: Quotes,
    /// Where the current record starts in the window.
    start: usize,
    /// What is wrong with the current record so far.
    defect: Option<Rejection>,
    /// The key being read, as far as it can still be [`RECORDS`].
    key: Vec<u8>,
    seen_records: bool,
    records: u64,
    last: Last,
    /// Where the commas between records first were wrong.
    malformed: Option<u64>,
    /// Too little has come to tell a delivery from a record.
    undecided: bool,
}

impl Splitter {
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            layout,
            state: State::Start,
            holder: Holder::Delivery,
            nesting: Nesting::default(),
            full: Vec::new(),
            brackets: Brackets::default(),
            quotes: Quotes::Outside,
            start: 0,
            defect: None,
            key: Vec::new(),
            seen_records: false,
            records: 0,
            last: Last::Opening,
            malformed: None,
            undecided: false,
        }
    }

    /// Reads on in `text` from `at`; `base` is the offset of `text` in the whole.
    ///
    /// Returns from where on the text must be kept: the start of an unfinished record, or its end.
    pub(super) fn scan(
        &mut self,
        text: &[u8],
        mut at: usize,
        base: u64,
        sink: &mut impl FnMut(u64, Record<'_>),
    ) -> Result<usize, Error> {
        // An unfinished record was moved to the front of the window, and so was an undecided first key.
        self.start = 0;
        if std::mem::take(&mut self.undecided) {
            at = 0;
        }
        while at < text.len() {
            let byte = text[at];
            let place = base + at as u64;
            match self.state {
                State::Record => {
                    at = self.nested(text, at);
                    if self.nesting.is_empty() {
                        self.emit(&text[self.start..at], sink);
                    } else if at - self.start > MAX_RECORD_BYTES {
                        self.defect = Some(Rejection::TooLarge);
                    }
                }
                State::Between => {
                    match byte {
                        b'{' => self.open_record(at, place),
                        b']' => self.close_array(place),
                        b',' => {
                            if self.last != Last::Record {
                                self.malformed.get_or_insert(place);
                            }
                            self.last = Last::Comma;
                        }
                        _ if byte.is_ascii_whitespace() => {}
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
                State::Start | State::End => {
                    let Some(next) = self.outermost(text, at, place)? else { return Ok(at) };
                    at = next;
                }
                State::Skip => {
                    let between = self.nesting.is_empty() && self.quotes == Quotes::Outside;
                    if between && matches!(byte, b',' | b'}') {
                        self.state = State::Member;
                    } else {
                        self.one(byte);
                        at += 1;
                    }
                }
                State::Member | State::Key | State::Colon | State::Value => {
                    at += usize::from(self.member(byte, place)?);
                }
            }
        }
        // A record that is too large is follnesting to its end, but no longer kept.
        let kept = self.state == State::Record && self.defect != Some(Rejection::TooLarge);
        Ok(if kept { self.start } else { text.len() })
    }

    /// Says whether the text may end where it did, after `inflated` bytes.
    pub(super) fn finish(&self, inflated: u64) -> Result<(), Error> {
        match (self.state, self.holder) {
            _ if self.undecided => return Err(Error::Unfinished { records: self.records, byte: inflated }),
            (State::End, _) | (State::Start, Holder::Lines | Holder::Array) => {}
            (State::Start, Holder::Delivery) if self.layout == Layout::Any && self.seen_records => {}
            (State::Start, Holder::Delivery) => {
                return Err(Error::NotJson { byte: inflated, expected: "a JSON object" });
            }
            _ => return Err(Error::Unfinished { records: self.records, byte: inflated }),
        }
        match self.malformed {
            Some(byte) => Err(Error::Malformed { byte }),
            None if !self.seen_records => Err(Error::NoRecords),
            None => Ok(()),
        }
    }

    /// Follows strings and brackets to the end of the current record or of the text, and says where that is.
    #[inline(never)]
    fn nested(&mut self, text: &[u8], mut at: usize) -> usize {
        // In locals, which the compiler keeps in registers.
        let (mut brackets, mut nesting, mut fits) = (self.brackets, self.nesting, true);
        let end = 'blocks: loop {
            let rest = &text[at..];
            let mut padded = [b' '; BLOCK_BYTES];
            let (block, length) = if let Some(block) = rest.first_chunk() {
                (block, BLOCK_BYTES)
            } else if rest.is_empty() {
                break at;
            } else {
                padded[..rest.len()].copy_from_slice(rest);
                (&padded, rest.len())
            };
            let mut found = brackets.next(block, length);
            while found != 0 {
                let place = found.trailing_zeros() as usize;
                found &= found - 1;
                fits &= nesting.take(block[place], &mut self.full);
                if nesting.is_empty() {
                    break 'blocks at + place + 1;
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

    /// One byte of a value that is no record. Such values are rare, and short where they are not.
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
        self.start = at;
        self.nesting.take(b'{', &mut self.full);
        self.brackets = Brackets::default();
        self.state = State::Record;
    }

    fn open_junk(&mut self, place: u64) {
        if self.last == Last::Record && self.holder != Holder::Lines {
            self.malformed.get_or_insert(place);
        }
        self.defect = None;
        self.forget_nesting();
        self.state = State::Junk;
    }

    fn ends_junk(&self, byte: u8) -> bool {
        match self.holder {
            Holder::Lines => byte == b'\n',
            Holder::Delivery | Holder::Array => {
                let outside = self.nesting.is_empty() && self.quotes == Quotes::Outside;
                outside && matches!(byte, b',' | b']')
            }
        }
    }

    fn open_array(&mut self, holder: Holder) {
        self.holder = holder;
        self.state = State::Between;
        self.seen_records = true;
        self.last = Last::Opening;
    }

    /// Hands out the record that has just ended.
    fn emit(&mut self, record: &[u8], sink: &mut impl FnMut(u64, Record<'_>)) {
        let record = match self.defect {
            _ if record.len() > MAX_RECORD_BYTES => Err(Rejection::TooLarge),
            Some(defect) => Err(defect),
            None => Ok(RawRecord { text: record, may_have_escapes: self.brackets.has_seen_backslash() }),
        };
        self.finish_record(record, sink);
    }

    fn finish_record(&mut self, record: Record<'_>, sink: &mut impl FnMut(u64, Record<'_>)) {
        sink(self.records, record);
        self.records += 1;
        self.last = Last::Record;
        self.state = if self.holder == Holder::Lines { State::Start } else { State::Between };
    }

    fn close_array(&mut self, place: u64) {
        if self.last == Last::Comma {
            self.malformed.get_or_insert(place);
        }
        self.state = match self.holder {
            Holder::Delivery => State::Member,
            Holder::Array | Holder::Lines => State::Start,
        };
    }

    /// Outside of every value: white space, or the start of one. `None` asks for more text.
    fn outermost(&mut self, text: &[u8], at: usize, place: u64) -> Result<Option<usize>, Error> {
        let refuse = |expected| Err(Error::NotJson { byte: place, expected });
        match (text[at], self.layout) {
            (byte, _) if byte.is_ascii_whitespace() => {}
            (b'{', Layout::Delivery) if self.state == State::Start => self.state = State::Member,
            (b'{', Layout::Any) => match starts_delivery(&text[at + 1..]) {
                None => {
                    self.undecided = true;
                    return Ok(None);
                }
                Some(true) => {
                    self.holder = Holder::Delivery;
                    self.state = State::Member;
                }
                Some(false) => {
                    self.holder = Holder::Lines;
                    self.seen_records = true;
                    self.open_record(at, place);
                }
            },
            (b'[', Layout::Any) => self.open_array(Holder::Array),
            (_, Layout::Any) if self.holder == Holder::Lines => {
                self.open_junk(place);
                return Ok(Some(at));
            }
            _ if self.state == State::End => return refuse("nothing after the delivery"),
            _ => return refuse("a JSON object"),
        }
        Ok(Some(at + 1))
    }

    /// One byte of the delivery object's own members; says whether it was used up.
    fn member(&mut self, byte: u8, place: u64) -> Result<bool, Error> {
        let refuse = |expected| Err(Error::NotJson { byte: place, expected });
        match (self.state, byte) {
            (State::Key, b'"') if self.quotes != Quotes::Escaped => {
                self.quotes = Quotes::Outside;
                self.state = State::Colon;
            }
            (State::Key, _) => {
                let escapes = byte == b'\\' && self.quotes != Quotes::Escaped;
                self.quotes = if escapes { Quotes::Escaped } else { Quotes::Inside };
                if self.key.len() <= RECORDS.len() {
                    self.key.push(byte);
                }
            }
            _ if byte.is_ascii_whitespace() => {}
            (State::Member, b'"') => {
                self.key.clear();
                self.state = State::Key;
            }
            (State::Member, b',') => {}
            (State::Member, b'}') => self.state = State::End,
            (State::Colon, b':') => self.state = State::Value,
            (State::Value, b'[') if self.key == RECORDS => self.open_array(Holder::Delivery),
            (State::Value, _) if self.key == RECORDS => return refuse("an array of records"),
            (State::Value, _) => {
                self.forget_nesting();
                self.state = State::Skip;
                return Ok(false);
            }
            _ => return refuse("a member of the delivery"),
        }
        Ok(true)
    }
}

/// Says whether the text behind an opening brace is a delivery's, going by its first key, or that more is needed.
fn starts_delivery(text: &[u8]) -> Option<bool> {
    const FIRST_KEY: &[u8] = b"\"Records\"";
    /// White space past this is no file that anybody keeps records in.
    const PATIENCE: usize = 4096;
    let key = text.trim_ascii_start();
    if key.len() >= FIRST_KEY.len() || !FIRST_KEY.starts_with(key) || text.len() > PATIENCE {
        Some(key.starts_with(FIRST_KEY))
    } else {
        None
    }
}
