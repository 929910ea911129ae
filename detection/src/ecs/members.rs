//! A record whose members are parsed one by one, when a query first needs them.

use std::cell::{Cell, OnceCell};

use serde_json::{Map, Value};

use super::cut::{Cut, Member, Span};
use super::empty::is_empty_text;
use super::leaves::text_of;
use crate::records::{self, Rejection};

/// The members of a record. A query over a few fields parses only a few members: most of a record is in its request,
/// its response and its caller.
#[derive(Debug)]
pub struct Members<'t> {
    text: &'t str,
    cut: Cut,
    /// The whole record, for queries that use its own names.
    whole: OnceCell<Map<String, Value>>,
    is_broken: Cell<bool>,
}

impl<'t> Members<'t> {
    /// Cuts a record, which is a JSON object.
    ///
    /// # Errors
    /// [`Rejection::InvalidJson`] if it is not.
    pub fn of(text: &'t [u8]) -> Result<Self, Rejection> {
        // Checking UTF-8 as a whole costs less than string by string.
        let text = std::str::from_utf8(text).map_err(|_| Rejection::InvalidJson)?;
        let cut = Cut::of(text).ok_or(Rejection::InvalidJson)?;
        Ok(Self { text, cut, whole: OnceCell::new(), is_broken: Cell::new(false) })
    }

    /// Returns whether a query needed a member that cannot be parsed. If so, its verdict is void.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.is_broken.get()
    }

    pub(crate) fn record(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    /// Returns whether every member can certainly be parsed.
    pub(crate) fn can_be_parsed(&self) -> bool {
        self.cut.can_be_parsed
    }

    /// The members of the record itself.
    pub(super) fn all(&self) -> Span {
        self.cut.all()
    }

    /// The member with this key among the members of an object.
    pub(super) fn find(&self, among: Span, key: &str) -> Option<&Member> {
        self.cut.find(self.text, among, key)
    }

    /// The value of a member. It is kept for the next query.
    pub(super) fn value<'m>(&self, member: &'m Member) -> Option<&'m Value> {
        member.value.get_or_init(|| self.parsed(member).map(Box::new)).as_deref()
    }

    /// The value of a member, for callers that need to own it.
    pub(super) fn parsed(&self, member: &Member) -> Option<Value> {
        let value = records::parse_value(&self.text[member.place.clone()]).ok();
        self.is_broken.set(self.is_broken.get() || value.is_none());
        value
    }

    /// The text, number or boolean of a member, as text. Only text with escapes is parsed.
    pub(super) fn text_of<'m>(&'m self, member: &'m Member) -> Option<&'m str> {
        match &self.text.as_bytes()[member.place.clone()] {
            [b'"', ..] => self.string_of(member).filter(|text| !is_empty_text(text)),
            [b'{' | b'[' | b'n', ..] => None,
            _ => text_of(self.value(member)?),
        }
    }

    /// The string with this key in the record itself.
    pub(crate) fn string(&self, key: &str) -> Option<&str> {
        self.string_of(self.find(self.all(), key)?)
    }

    /// The string of a member, if it is one. Only a string with escapes is parsed.
    pub(super) fn string_of<'m>(&'m self, member: &'m Member) -> Option<&'m str> {
        let text = &self.text[member.place.clone()];
        match text.as_bytes() {
            [b'"', inner @ .., b'"'] if memchr::memchr(b'\\', inner).is_none() => {
                Some(&text[1..=inner.len()])
            }
            [b'"', ..] => self.value(member)?.as_str(),
            _ => None,
        }
    }

    pub(crate) fn whole(&self) -> &Map<String, Value> {
        self.whole.get_or_init(|| {
            records::parse(self.record()).unwrap_or_else(|_| {
                self.is_broken.set(true);
                Map::new()
            })
        })
    }
}
