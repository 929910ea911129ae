//! Finds the provider and the action of a record by a search for their names, without parsing the record.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::records::RawRecord;

static PROVIDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"eventSource\""));
static ACTION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"eventName\""));
static ESCAPE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br"\u"));

/// The values of the record's provider and action, if it has them. `None` means that a search cannot tell: a name is
/// missing, occurs twice or is not followed by a string, or an escape may hide another occurrence.
///
/// The search ignores nesting. If the names belong to an inner object, the record itself has no provider or action.
pub(super) fn provider_and_action(record: RawRecord<'_>) -> Option<(&str, &str)> {
    let found = (only_value(&PROVIDER, record.text())?, only_value(&ACTION, record.text())?);
    (!hides_text(record)).then_some(found)
}

/// The string behind the only occurrence of a name.
fn only_value<'t>(name: &Finder<'_>, text: &'t [u8]) -> Option<&'t str> {
    let behind = &text[name.find(text)? + name.needle().len()..];
    let value = plain_string(behind)?;
    name.find(behind).is_none().then_some(value)
}

/// The string that follows a name, if it contains no escape.
fn plain_string(text: &[u8]) -> Option<&str> {
    let value = text.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    let end = memchr::memchr2(b'"', b'\\', value).filter(|end| value[*end] == b'"')?;
    std::str::from_utf8(&value[..end]).ok()
}

/// The letters beyond ASCII that equal one of ASCII if case is ignored: the long s and the kelvin sign.
const LIKE_ASCII: [char; 2] = ['\u{17f}', '\u{212a}'];

/// Says whether the record may write a letter, a digit or one of `.`, `_` and `-` as a `\u` escape. If so, a search for
/// literals proves nothing. (Escapes of other characters, such as `\u003d` and `\u00e9`, are common and hide no literal.)
pub(super) fn hides_text(record: RawRecord<'_>) -> bool {
    let text = record.text();
    let hides = |character: char| {
        character.is_ascii_alphanumeric() || "._-".contains(character) || LIKE_ASCII.contains(&character)
    };
    record.may_have_escapes()
        && ESCAPE.find_iter(text).any(|at| {
            let digits = text.get(at + 2..at + 6).and_then(|digits| std::str::from_utf8(digits).ok());
            let unit = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
            // Without a number it is no escape: another backslash precedes it, or the record is not JSON.
            unit.and_then(char::from_u32).is_some_and(hides)
        })
}

/// Says whether the record contains a letter beyond ASCII that equals one of ASCII if case is ignored.
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
