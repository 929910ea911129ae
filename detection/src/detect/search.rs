//! Finds the provider and the action of a record by a search for their names, without parsing the record.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::records::RawRecord;

static PROVIDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"eventSource\""));
static ACTION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"eventName\""));
static ESCAPE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br"\u00"));

/// The values of the record's provider and action, if it has them. `None` means that a search cannot tell: a name is
/// missing, occurs twice or is not followed by a string, or an escape may hide another occurrence.
///
/// The search ignores nesting. If the names belong to an inner object, the record itself has no provider or action.
pub(super) fn provider_and_action(record: RawRecord<'_>) -> Option<(&str, &str)> {
    let found = (only_value(record.text(), &PROVIDER)?, only_value(record.text(), &ACTION)?);
    (!hides_text(record)).then_some(found)
}

/// The string that follows a name, if the name occurs once and the string contains no escape.
fn only_value<'a>(text: &'a [u8], name: &Finder<'_>) -> Option<&'a str> {
    let rest = &text[name.find(text)? + name.needle().len()..];
    let value = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    let end = memchr::memchr2(b'"', b'\\', value).filter(|end| value[*end] == b'"')?;
    let (value, rest) = value.split_at(end);
    if name.find(rest).is_some() {
        return None;
    }
    std::str::from_utf8(value).ok()
}

/// Says whether the record may write a letter, a digit or one of `.`, `_` and `-` as a `\u` escape. If so, a search for
/// literals proves nothing. (Escapes of other characters, such as `\u003d` and `\u00e9`, are common and hide no literal.)
pub(super) fn hides_text(record: RawRecord<'_>) -> bool {
    let text = record.text();
    record.may_have_escapes()
        && ESCAPE.find_iter(text).any(|at| {
            let digits = text.get(at + 4..at + 6).and_then(|digits| std::str::from_utf8(digits).ok());
            let character = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            character.is_none_or(|character| character.is_ascii_alphanumeric() || b"._-".contains(&character))
        })
}
