use std::fmt;

/// What is wrong with a query (or a rule file), and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Byte offset into the text.
    pub offset: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong and what was expected.
    pub reason: String,
    /// The line, or the part of a long one that is around the place.
    source: String,
    /// Where the place is in `source`, in characters from 1.
    caret: usize,
}

/// Characters of a long line that are shown before and behind the place.
const SHOWN: usize = 80;

impl Error {
    /// An error at a byte offset of `text`, which must lie on a character boundary or at its end.
    #[must_use]
    pub fn new(text: &str, offset: usize, reason: impl Into<String>) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before[start..].chars().count() + 1;
        let line = text[start..].lines().next().unwrap_or_default();
        let skipped = column.saturating_sub(SHOWN);
        let source = line.chars().skip(skipped).take(2 * SHOWN).collect();
        let reason = reason.into();
        let line = before.matches('\n').count() + 1;
        Self { offset, line, column, reason, source, caret: column - skipped }
    }
}

/// Line, column and reason, then the line itself with a caret under the place.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, reason, source, caret, .. } = self;
        writeln!(f, "{line}:{column}: {reason}")?;
        writeln!(f, "    {}", source.replace('\t', " "))?;
        write!(f, "    {:>caret$}", "^")
    }
}

impl std::error::Error for Error {}
