//! A record cut into its members. Each member is parsed when a query first needs it.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::records::{self, Rejection};

/// The members of a record. A query over a few fields costs the parsing of a few members: most of a record is in
/// its request, its response and its caller.
#[derive(Debug)]
pub struct Members<'t> {
    text: &'t [u8],
    list: Vec<Member<'t>>,
    /// The whole record, for queries that use its own names.
    whole: OnceCell<Map<String, Value>>,
    is_broken: Cell<bool>,
}

#[derive(Debug)]
struct Member<'t> {
    key: Cow<'t, str>,
    text: &'t RawValue,
    value: OnceCell<Option<Value>>,
}

impl<'t> Members<'t> {
    /// Cuts a record, which is a JSON object.
    ///
    /// # Errors
    /// [`Rejection::InvalidJson`] if it is not.
    pub fn of(text: &'t [u8]) -> Result<Self, Rejection> {
        // Checked as a whole, UTF-8 costs less than string by string.
        let utf8 = std::str::from_utf8(text).map_err(|_| Rejection::InvalidJson)?;
        let mut deserializer = serde_json::Deserializer::from_str(utf8);
        let members = deserializer.deserialize_map(MembersVisitor);
        let members = members.and_then(|members| deserializer.end().map(|()| members));
        let members = members.map_err(|_| Rejection::InvalidJson)?;
        Ok(Self { text, list: members, whole: OnceCell::new(), is_broken: Cell::new(false) })
    }

    /// Says whether a query needed a member that cannot be parsed. If so, its verdict is void.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.is_broken.get()
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        // Of equal keys the last one counts.
        let member = self.list.iter().rev().find(|member| member.key == key)?;
        let parse = || {
            let value = records::parse_value(member.text.get()).ok();
            self.is_broken.set(self.is_broken.get() || value.is_none());
            value
        };
        member.value.get_or_init(parse).as_ref()
    }

    pub(crate) fn whole(&self) -> &Map<String, Value> {
        self.whole.get_or_init(|| {
            records::parse(self.text).unwrap_or_else(|_| {
                self.is_broken.set(true);
                Map::new()
            })
        })
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<Member<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a CloudTrail record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        // CloudTrail's records have up to thirty members.
        let mut members = Vec::with_capacity(32);
        while let Some((Key(key), text)) = map.next_entry()? {
            members.push(Member { key, text, value: OnceCell::new() });
        }
        Ok(members)
    }
}

/// A key that is borrowed where it has no escapes.
#[derive(Deserialize)]
struct Key<'t>(#[serde(borrow)] Cow<'t, str>);
