use std::fmt;
use std::ops::Range;

/// How many characters of a line are shown on each side of the error's location.
const SHOWN: usize = 100;

/// A mistake in a query or a rule file, with its location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Byte offset into the text.
    pub offset: usize,
    /// Byte offset of the end of the part that is wrong.
    pub end: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong and what was expected.
    pub reason: String,
    /// What to write instead.
    pub help: Option<String>,
    excerpt: Excerpt,
}

/// The part of the line around the location, and the carets under it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Excerpt {
    line: String,
    indent: usize,
    carets: usize,
}

impl Error {
    /// An error at a byte offset of `text`, which must lie on a character boundary or at its end.
    #[must_use]
    pub fn new(text: &str, offset: usize, reason: impl Into<String>) -> Self {
        Self::spanning(text, offset..offset, reason)
    }

    /// An error in a part of `text`, given in bytes. Only what is on the line where the part starts is marked.
    #[must_use]
    pub fn spanning(text: &str, part: Range<usize>, reason: impl Into<String>) -> Self {
        let before = text.get(..part.start).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = text[start..].lines().next().unwrap_or_default();
        // The location can be the line break itself.
        let (before_place, behind) = line.split_at(line.len().min(before.len() - start));
        let marked = behind.get(..part.len()).unwrap_or(behind).chars().count();
        let skipped =
            before_place.char_indices().rev().nth(SHOWN).map_or(0, |(at, next)| at + next.len_utf8());
        let shown = &before_place[skipped..];
        let start_mark = if skipped > 0 { "…" } else { "" };
        let rest = behind.char_indices().nth(SHOWN).map_or(behind, |(at, _)| &behind[..at]);
        let end_mark = if rest.len() < behind.len() { "…" } else { "" };
        Self {
            offset: part.start,
            end: part.end.max(part.start),
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
            reason: reason.into(),
            help: None,
            excerpt: Excerpt {
                // A terminal must not execute control sequences from a file.
                line: format!("{start_mark}{shown}{rest}{end_mark}").replace(char::is_control, " "),
                indent: start_mark.chars().count() + shown.chars().count(),
                carets: marked.clamp(1, SHOWN),
            },
        }
    }

    /// Moves a query's error to its location in the file `text`, which holds the query as a string at `span`.
    #[must_use]
    pub fn placed(self, text: &str, span: &Range<usize>, query: &str) -> Self {
        // If the string has escapes, the file does not hold the query verbatim: the start of the string must do.
        let unescaped = text.get(span.clone()).and_then(|raw| raw.find(query));
        let Some(start) = unescaped.map(|start| span.start + start) else {
            return Self::spanning(text, span.clone(), format!("in the query, {self}"));
        };
        let place = start + self.offset..start + self.end;
        Self { help: self.help, ..Self::spanning(text, place, self.reason) }
    }

    /// The same error with what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Line, column and reason, then the line itself with carets under the part, and what to write instead.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, reason, help, excerpt, .. } = self;
        writeln!(f, "{line}:{column}: {reason}")?;
        writeln!(f, "    {}", excerpt.line)?;
        write!(f, "    {:indent$}{:^<carets$}", "", "", indent = excerpt.indent, carets = excerpt.carets)?;
        match help {
            Some(help) => write!(f, "\n    help: {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
