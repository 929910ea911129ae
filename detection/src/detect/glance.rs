//! Provider and action of a record, found without parsing it: by a search for their names.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::records::RawRecord;

static PROVIDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"eventSource\""));
static ACTION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"eventName\""));
static ESCAPE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br"\u00"));

/// The only values that the record's provider and action can have, if they have any: each name stands in the record
/// once, before a string, and no escape hides another. `None` says nothing.
///
/// Where the names stand is not looked at. If they belong to an inner object, the record has no provider or action.
pub(super) fn provider_and_action(record: RawRecord<'_>) -> Option<(&str, &str)> {
    let found = (only_value(record.text(), &PROVIDER)?, only_value(record.text(), &ACTION)?);
    (!hides_text(record)).then_some(found)
}

/// The string without escapes behind a name that stands in the text once.
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

/// Says whether a letter, a digit or one of `.`, `_` and `-` may be written as a `\u` escape in `text`: then a search for
/// words says nothing. (Escapes of other characters, such as `\u003d` and `\u00e9`, are common and hide no words.)
pub(super) fn hides_text(record: RawRecord<'_>) -> bool {
    let text = record.text();
    record.may_have_escapes()
        && ESCAPE.find_iter(text).any(|at| {
            let digits = text.get(at + 4..at + 6).and_then(|digits| std::str::from_utf8(digits).ok());
            let character = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            character.is_none_or(|character| character.is_ascii_alphanumeric() || b"._-".contains(&character))
        })
}
