//! The values of a rule's YAML with their locations. A detection is parsed from this form, and embedded as its JSON.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// A value and its location in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The byte range of the text itself, without quotes. Empty, at the value's first byte, if the file writes the text
    /// in another way (with escapes or over several lines) and for values that are not text. A detection that was
    /// embedded as JSON has no locations.
    pub place: Range<usize>,
    /// The value.
    pub content: Content,
}

/// A value. Numbers and booleans are kept as the file writes them: Sigma compares them as text.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// `null`, `~`, or nothing.
    Null,
    /// Any scalar.
    Text(String),
    /// A list.
    List(Vec<Item>),
    /// A map, in the order of the file.
    Map(Vec<(Key, Item)>),
}

/// The key of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// Like [`Item::place`].
    pub place: Range<usize>,
    /// The key.
    pub text: String,
}

impl Item {
    /// The value without a location.
    #[must_use]
    pub fn new(content: Content) -> Self {
        Self { place: 0..0, content }
    }

    /// The text, if this is a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Content::Text(text) = &self.content { Some(text) } else { None }
    }

    /// The value of a key, if this is a map.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Content::Map(entries) = &self.content else { return None };
        entries.iter().find(|(name, _)| name.text == key).map(|(_, item)| item)
    }

    /// The items of a list, or a single item in its place.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        if let Content::List(items) = &self.content { items } else { std::slice::from_ref(self) }
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.content {
            Content::Null => serializer.serialize_unit(),
            Content::Text(text) => serializer.serialize_str(text),
            Content::List(items) => items.serialize(serializer),
            Content::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, item) in entries {
                    map.serialize_entry(&key.text, item)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, a string, a list or a map of them")
    }

    fn visit_unit<E>(self) -> Result<Item, E> {
        Ok(Item::new(Content::Null))
    }

    fn visit_str<E>(self, text: &str) -> Result<Item, E> {
        Ok(Item::new(Content::Text(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Item, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Item::new(Content::List(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Item, A::Error> {
        let mut map = Vec::new();
        while let Some((text, item)) = entries.next_entry()? {
            map.push((Key { place: 0..0, text }, item));
        }
        Ok(Item::new(Content::Map(map)))
    }
}
