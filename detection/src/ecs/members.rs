//! A record cut into its members. Each member is parsed when a query first needs it, and of an object only the part.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::empty::is_empty_text;
use super::leaves::text_of;
use crate::records::{self, Rejection};

/// CloudTrail's records have up to thirty members.
const USUAL_MEMBERS: usize = 32;
/// The objects in them have fewer.
const USUAL_INNER_MEMBERS: usize = 12;

/// The members of a record. A query over a few fields costs the parsing of a few members: most of a record is in
/// its request, its response and its caller.
#[derive(Debug)]
pub struct Members<'t> {
    text: &'t str,
    cut: Cut,
    /// The whole record, for queries that use its own names.
    whole: OnceCell<Map<String, Value>>,
    is_broken: Cell<bool>,
}

/// The members of an object, by their places in the text of the record.
#[derive(Debug)]
struct Cut(Vec<Member>);

#[derive(Debug)]
struct Member {
    key: Key,
    place: Range<usize>,
    value: OnceCell<Option<Value>>,
    /// Its own members, if it is an object of which a part was needed.
    inner: OnceCell<Option<Cut>>,
}

#[derive(Debug)]
enum Key {
    At(Range<usize>),
    /// It has escapes.
    Written(String),
}

impl<'t> Members<'t> {
    /// Cuts a record, which is a JSON object.
    ///
    /// # Errors
    /// [`Rejection::InvalidJson`] if it is not.
    pub fn of(text: &'t [u8]) -> Result<Self, Rejection> {
        // Checked as a whole, UTF-8 costs less than string by string.
        let text = std::str::from_utf8(text).map_err(|_| Rejection::InvalidJson)?;
        let cut = Cut::of(text, 0..text.len(), USUAL_MEMBERS).ok_or(Rejection::InvalidJson)?;
        Ok(Self { text, cut, whole: OnceCell::new(), is_broken: Cell::new(false) })
    }

    /// Says whether a query needed a member that cannot be parsed. If so, its verdict is void.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.is_broken.get()
    }

    pub(crate) fn text(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    /// Says whether every member can surely be parsed. To cut a record takes all of JSON's grammar; it neither counts levels
    /// nor looks at halves of surrogate pairs.
    pub(crate) fn can_be_parsed(&self) -> bool {
        let brackets = memchr::memchr2_iter(b'{', b'[', self.text()).take(records::MAX_LEVELS + 1);
        brackets.count() <= records::MAX_LEVELS && memchr::memmem::find(self.text(), br"\u").is_none()
    }

    /// The value at a dotted path of plain keys.
    pub(super) fn at(&self, path: &str) -> Option<&Value> {
        self.value(self.member_at(path)?)
    }

    /// The text, number or boolean at a dotted path, as text. Only what has escapes is parsed.
    pub(super) fn text_at(&self, path: &str) -> Option<&str> {
        let member = self.member_at(path)?;
        let text = &self.text[member.place.clone()];
        match text.as_bytes() {
            [b'"', inner @ .., b'"'] if memchr::memchr(b'\\', inner).is_none() => {
                Some(&text[1..=inner.len()]).filter(|text| !is_empty_text(text))
            }
            [b'{' | b'[' | b'n', ..] => None,
            _ => text_of(self.value(member)?),
        }
    }

    fn member_at(&self, path: &str) -> Option<&Member> {
        let (mut cut, mut path) = (&self.cut, path);
        while let Some((key, below)) = path.split_once('.') {
            let member = cut.member(self.text, key)?;
            let inner = || Cut::of(self.text, member.place.clone(), USUAL_INNER_MEMBERS);
            (cut, path) = (member.inner.get_or_init(inner).as_ref()?, below);
        }
        cut.member(self.text, path)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.value(self.cut.member(self.text, key)?)
    }

    fn value<'m>(&self, member: &'m Member) -> Option<&'m Value> {
        let parse = || {
            let value = records::parse_value(&self.text[member.place.clone()]).ok();
            self.is_broken.set(self.is_broken.get() || value.is_none());
            value
        };
        member.value.get_or_init(parse).as_ref()
    }

    pub(crate) fn whole(&self) -> &Map<String, Value> {
        self.whole.get_or_init(|| {
            records::parse(self.text()).unwrap_or_else(|_| {
                self.is_broken.set(true);
                Map::new()
            })
        })
    }
}

impl Cut {
    /// Cuts the object at a place of the text, if one is there.
    fn of(text: &str, place: Range<usize>, usual: usize) -> Option<Self> {
        let mut deserializer = serde_json::Deserializer::from_str(&text[place]);
        let cut = deserializer.deserialize_map(CutVisitor { text, usual }).ok()?;
        deserializer.end().ok()?;
        Some(cut)
    }

    fn member(&self, text: &str, key: &str) -> Option<&Member> {
        let is_key = |member: &&Member| match &member.key {
            Key::At(place) => place.len() == key.len() && text[place.clone()] == *key,
            Key::Written(written) => written == key,
        };
        // Of equal keys the last one counts.
        self.0.iter().rev().find(is_key)
    }
}

struct CutVisitor<'t> {
    /// The text of which the object is a part.
    text: &'t str,
    usual: usize,
}

impl<'de> Visitor<'de> for CutVisitor<'_> {
    type Value = Cut;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of a CloudTrail record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let place = |part: &str| {
            let start = part.as_ptr().addr() - self.text.as_ptr().addr();
            start..start + part.len()
        };
        let mut members = Vec::with_capacity(self.usual);
        while let Some((BorrowedKey(key), text)) = map.next_entry::<_, &RawValue>()? {
            let key = match key {
                Cow::Borrowed(key) => Key::At(place(key)),
                Cow::Owned(key) => Key::Written(key),
            };
            let (value, inner) = (OnceCell::new(), OnceCell::new());
            members.push(Member { key, place: place(text.get()), value, inner });
        }
        Ok(Cut(members))
    }
}

/// A key that is borrowed where it has no escapes.
#[derive(Deserialize)]
struct BorrowedKey<'t>(#[serde(borrow)] Cow<'t, str>);
