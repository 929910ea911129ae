//! Finds the provider and the action of a record by a search for their names, without parsing the record.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::Head;
use crate::ecs::Members;
use crate::records::RawRecord;

static PROVIDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"eventSource\""));
static ACTION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"eventName\""));
static TIME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"eventTime\""));
/// What separates a string from the name of the next member.
const SEPARATOR: &[u8] = b"\",";
static ESCAPE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br"\u"));

/// The first provider and the first action in a record. A search ignores nesting: they may belong to an inner object, or
/// others may follow.
#[derive(Clone, Copy)]
pub(super) struct FirstHead<'t> {
    provider: &'t [u8],
    action: &'t [u8],
    /// The text from the provider to the action, both included. If two heads have the same text, they are the same.
    pub(super) text: &'t [u8],
}

impl<'t> FirstHead<'t> {
    /// Finds them, and searches no further: in the order in which CloudTrail writes, no other object that could have
    /// such names precedes them. Code that relies on that checks [`Self::is_of`] or [`has_one_head`].
    pub(super) fn find(record: RawRecord<'t>) -> Option<Self> {
        let text = record.text();
        let provider = first_value(&PROVIDER, text)?;
        // The action usually follows, which saves a second search.
        let follows = text[provider.end..]
            .strip_prefix(SEPARATOR)
            .is_some_and(|rest| rest.starts_with(ACTION.needle()));
        let action = if follows {
            string_after(text, provider.end + SEPARATOR.len() + ACTION.needle().len())?
        } else {
            first_value(&ACTION, text)?
        };
        let (start, end) = (provider.start.min(action.start), provider.end.max(action.end));
        Some(Self { provider: &text[provider], action: &text[action], text: &text[start..end] })
    }

    /// The provider and the action, if they are text.
    pub(super) fn values(&self) -> Option<(&'t str, &'t str)> {
        Some((std::str::from_utf8(self.provider).ok()?, std::str::from_utf8(self.action).ok()?))
    }

    /// The head of a record whose own provider and action are these, or are missing.
    pub(super) fn head(&self) -> Option<Head<'t>> {
        self.values().map(|(provider, action)| Head::of_search(provider, action))
    }

    /// Whether the record's own provider and action are these.
    pub(super) fn is_of(&self, members: &Members<'_>) -> bool {
        let has = |key, value| members.string(key).is_some_and(|own| own.as_bytes() == value);
        has("eventSource", self.provider) && has("eventName", self.action)
    }
}

/// Whether the record certainly has no second provider or action: no name occurs twice, and no escape can hide one.
pub(super) fn has_one_head(record: RawRecord<'_>) -> bool {
    let occurs_twice = |name: &Finder<'_>| name.find_iter(record.text()).nth(1).is_some();
    !occurs_twice(&PROVIDER) && !occurs_twice(&ACTION) && !hides_text(record)
}

/// The first event time in the record, if it is written as CloudTrail writes it.
pub(super) fn first_time(record: RawRecord<'_>) -> Option<[u8; 20]> {
    let time: [u8; 20] = record.text()[first_value(&TIME, record.text())?].try_into().ok()?;
    let shape = time.map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
    (&shape == b"0000-00-00T00:00:00Z").then_some(time)
}

/// Where to find the string that follows the first occurrence of a name.
fn first_value(name: &Finder<'_>, text: &[u8]) -> Option<Range<usize>> {
    string_after(text, name.find(text)? + name.needle().len())
}

/// Where to find the string that follows a name ending at `end_of_name`, if it contains no escape.
fn string_after(text: &[u8], end_of_name: usize) -> Option<Range<usize>> {
    let rest = text[end_of_name..].trim_ascii_start().strip_prefix(b":")?;
    let value = rest.trim_ascii_start().strip_prefix(b"\"")?;
    let end = memchr::memchr2(b'"', b'\\', value).filter(|end| value[*end] == b'"')?;
    let start = text.len() - value.len();
    Some(start..start + end)
}

/// The non-ASCII letters that equal an ASCII letter if case is ignored: the long s and the Kelvin sign.
const LIKE_ASCII: [char; 2] = ['\u{17f}', '\u{212a}'];

/// Returns whether the record may write a letter, a digit or one of `.`, `_` and `-` as a `\u` escape. If so, a search
/// for literals proves nothing. (Escapes of other characters, such as `\u003d` and `\u00e9`, are common and hide no
/// literal.)
pub(super) fn hides_text(record: RawRecord<'_>) -> bool {
    let text = record.text();
    let hides = |character: char| {
        character.is_ascii_alphanumeric() || "._-".contains(character) || LIKE_ASCII.contains(&character)
    };
    record.may_have_escapes()
        && ESCAPE.find_iter(text).any(|at| {
            let digits = text.get(at + 2..at + 6).and_then(|digits| std::str::from_utf8(digits).ok());
            let unit = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
            // Without a number it is not an escape: another backslash precedes it, or the record is not JSON.
            unit.and_then(char::from_u32).is_some_and(hides)
        })
}

/// Returns whether the record contains a non-ASCII letter that equals an ASCII letter if case is ignored.
pub(super) fn hides_case(record: RawRecord<'_>) -> bool {
    let text = record.text();
    let mut bytes = [0; 4];
    let mut contains =
        |letter: &char| memchr::memmem::find(text, letter.encode_utf8(&mut bytes).as_bytes()).is_some();
    !text.is_ascii() && LIKE_ASCII.iter().any(&mut contains)
}

#[cfg(test)]
mod tests {
    use super::LIKE_ASCII;
    use crate::query::{Glob, Token};

    #[test]
    fn two_letters_beyond_ascii_equal_one_of_ascii_in_any_case() {
        let is_like = |letter: &char| {
            let folded = Glob::text(letter.encode_utf8(&mut [0; 4]), true);
            matches!(folded.tokens(), [Token::Literal(letter)] if letter.is_ascii())
        };
        let like: Vec<_> = ('\u{80}'..=char::MAX).filter(is_like).collect();
        assert_eq!(like, LIKE_ASCII);
    }
}
