//! Serializes fields with dotted names as nested JSON objects.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// A field: its dotted name and its value. A field's name followed by a dot must not be the start of another name.
pub(crate) type Field<V> = (&'static str, V);

/// Fields, ordered so that those of the same object are adjacent, as in sorted order.
pub(crate) struct Nested<'a, V> {
    fields: &'a [Field<V>],
    /// The length of the part of each name that the enclosing objects already cover.
    prefix: usize,
}

impl<'a, V> Nested<'a, V> {
    pub(crate) fn new(fields: &'a [Field<V>]) -> Self {
        Self { fields, prefix: 0 }
    }
}

impl<V: Serialize> Serialize for Nested<'_, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut fields = self.fields;
        while let Some(((name, value), others)) = fields.split_first() {
            let own = &name[self.prefix..];
            if let Some(dot) = own.bytes().position(|byte| byte == b'.') {
                let prefix = self.prefix + dot + 1;
                let outside = others.iter().position(|(other, _)| !other.starts_with(&name[..prefix]));
                let (inside, rest) = fields.split_at(outside.map_or(fields.len(), |position| position + 1));
                map.serialize_entry(&own[..dot], &Nested { fields: inside, prefix })?;
                fields = rest;
            } else {
                map.serialize_entry(own, value)?;
                fields = others;
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_share_an_object_are_in_it() {
        let fields = [("a.b.c", 1), ("a.b.d", 2), ("a.e", 3), ("ab", 4), ("b.c.d.e", 5)];
        let text = serde_json::to_string(&Nested::new(&fields)).expect("numbers have a JSON text");
        assert_eq!(text, r#"{"a":{"b":{"c":1,"d":2},"e":3},"ab":4,"b":{"c":{"d":{"e":5}}}}"#);
        assert_eq!(serde_json::to_string(&Nested::<u8>::new(&[])).expect("an empty object"), "{}");
    }
}
