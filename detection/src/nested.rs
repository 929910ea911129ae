//! Fields with dotted names, as the nested JSON objects that their names mean.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// A field: its dotted name and its value. No name with a dot behind it is the beginning of another one.
pub(crate) type Field<V> = (&'static str, V);

/// Fields in such an order that those which share an object stand together, as they do when sorted.
pub(crate) struct Nested<'a, V> {
    fields: &'a [Field<V>],
    /// So much of each name is told by the objects around.
    told: usize,
}

impl<'a, V> Nested<'a, V> {
    pub(crate) fn new(fields: &'a [Field<V>]) -> Self {
        Self { fields, told: 0 }
    }
}

impl<V: Serialize> Serialize for Nested<'_, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut fields = self.fields;
        while let Some(((name, value), others)) = fields.split_first() {
            let own = &name[self.told..];
            if let Some(dot) = own.find('.') {
                let told = self.told + dot + 1;
                let outside = others.iter().position(|(other, _)| !other.starts_with(&name[..told]));
                let (inside, rest) = fields.split_at(outside.map_or(fields.len(), |position| position + 1));
                map.serialize_entry(&own[..dot], &Nested { fields: inside, told })?;
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
