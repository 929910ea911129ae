//! YAML, read with the location of every value, within limits that no rule comes close to.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{NonFiniteFloatPolicy, Options, Spanned};

use crate::query::Error;
use crate::query::sigma::{Content, Item, Key};

/// The maximum number of values in one file, including those that aliases repeat.
const MAX_VALUES: usize = 50_000;
/// The maximum nesting depth of maps and lists.
const MAX_DEPTH: usize = 32;

/// The documents of a text, except empty ones.
pub(super) fn documents(text: &str) -> Result<Vec<Item>, Error> {
    let documents: Vec<Spanned<Raw>> = serde_saphyr::from_multiple_with_options(text, options())
        .map_err(|error| syntax_error(text, &error))?;
    documents.into_iter().map(|document| item(text, document)).collect()
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: MAX_DEPTH, max_nodes: MAX_VALUES, max_events: 4 * MAX_VALUES },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_VALUES },
        // The value of a number does not matter: its text does.
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        strict_booleans: true,
        with_snippet: false,
    }
}

fn syntax_error(text: &str, error: &serde_saphyr::Error) -> Error {
    let location = error.location();
    let offset = location.map_or(0, |location| {
        let characters = location.span().offset();
        let place = usize::try_from(characters).ok().and_then(|skipped| text.char_indices().nth(skipped));
        place.map_or(text.len(), |(offset, _)| offset)
    });
    let mut reason = error.to_string();
    if let Some(location) = location {
        // The location comes before the reason, as in every other error.
        for place in [
            format!("error: line {} column {}: ", location.line(), location.column()),
            format!(" at line {}, column {}", location.line(), location.column()),
        ] {
            reason = reason.replace(&place, "");
        }
    }
    Error::new(text, offset, format!("no valid YAML: {}", reason.replace('\n', "; ")))
}

/// A value as the parser returns it.
enum Raw {
    Null,
    Text(String),
    /// A number or a boolean: its text is what counts.
    Literal,
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

/// The value with the text of its literals.
fn item(text: &str, raw: Spanned<Raw>) -> Result<Item, Error> {
    let written = written(text, &raw);
    let mut place = written.start..written.start;
    let content = match raw.value {
        Raw::Null => Content::Null,
        Raw::Text(value) => {
            if let Some(start) = text[written.clone()].find(&value) {
                place = written.start + start..written.start + start + value.len();
            }
            Content::Text(value)
        }
        Raw::Literal => {
            place = written.clone();
            Content::Text(text[written].to_owned())
        }
        Raw::List(items) => {
            Content::List(items.into_iter().map(|value| item(text, value)).collect::<Result<_, _>>()?)
        }
        Raw::Map(entries) => {
            let entry = |(name, value)| Ok((key(text, name)?, item(text, value)?));
            Content::Map(entries.into_iter().map(entry).collect::<Result<_, Error>>()?)
        }
    };
    Ok(Item { place, content })
}

fn key(text: &str, name: Spanned<Raw>) -> Result<Key, Error> {
    let written = written(text, &name);
    let item = item(text, name)?;
    match item.content {
        Content::Text(text) => Ok(Key { place: item.place, text }),
        Content::Null => Ok(Key { text: text[written.clone()].to_owned(), place: written }),
        Content::List(_) | Content::Map(_) => {
            Err(Error::new(text, written.start, "a list or a map cannot be a key: expected a text"))
        }
    }
}

/// The byte range of a value in the file.
fn written(text: &str, value: &Spanned<Raw>) -> Range<usize> {
    let span = value.defined.span();
    let start = span.byte_offset().and_then(|start| usize::try_from(start).ok());
    let length = span.byte_len().and_then(|length| usize::try_from(length).ok());
    let range = start.zip(length).map(|(start, length)| start..start + length);
    // Offsets come from the parser, which read the same text; if they do not fit it, the location is just less exact.
    range.filter(|range| text.get(range.clone()).is_some()).unwrap_or_default()
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Literal)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Literal)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Literal)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Literal)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Literal)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Literal)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}
