//! Where a splitter is in its text.

/// The position of the next byte in the structure of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Outside of every value.
    Outermost,
    /// After the first byte of a possible UTF-16 byte order mark.
    Mark(u8),
    /// Inside a top-level object that may be a record or hold an array of them.
    Object,
    /// Inside an array, between records.
    Between,
    /// Inside a record of an array.
    Record,
    /// Inside an element of an array, or on a line, that is not an object.
    Junk,
    /// After such an array, in the rest of the object that holds it.
    Rest,
}

impl State {
    /// Whether it is inside a record, or an object that may be one.
    pub(super) fn is_record(self) -> bool {
        matches!(self, Self::Record | Self::Object)
    }
}

/// The container of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// An object with an array of records under a key of [`super::arrays`].
    Object,
    /// `[…]`
    Array,
    /// Records one after the other.
    Lines,
}

/// The position of the next byte with regard to strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    Outside,
    Inside,
    /// Inside, after a backslash.
    Escaped,
}

/// The last token inside the array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    Opening,
    Record,
    Comma,
}

/// Why the splitter stopped.
pub(super) enum Halt {
    /// The text ended.
    Text,
    /// The value ended.
    Value,
    /// An array directly inside the top-level object began.
    Array,
}
