//! A CloudTrail record as an Elastic Common Schema document, the way Elastic's AWS integration maps it.
//!
//! [`TABLE`] says what each field is made of. [`Document`] has all of the fields, [`Mapping`] those that a query asks
//! for, and [`crate::detect::Head`] the few that decide most records. All of them answer queries through
//! [`crate::query::Fields`], and agree.

mod actions;
mod cut;
mod cutter;
mod date;
mod empty;
mod identity;
mod java;
mod leaves;
mod mapping;
mod members;
mod network;
mod raw;
mod request;
mod set;
mod table;
mod unmapped;

pub use actions::CATEGORIES;
pub use mapping::Mapping;
pub use members::Members;
pub use raw::Raw;
pub use table::{Row, Standing, TABLE, field, standing};

pub(crate) use actions::{category_of, types_of};
pub(crate) use empty::is_empty_text;
pub(crate) use identity::session_name;
pub(crate) use leaves::any_in_document as any_in;
pub(crate) use request::{CONSOLE_LOGIN, FAILURE, SUCCESS};
pub(crate) use table::{constant_value, key_path};

use serde::ser::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::nested::{Field, Nested};
use crate::query::{Fields, Scalar};
use table::Source;

/// Few documents have more fields.
const USUAL_FIELDS: usize = 64;
const ADDITIONAL_EVENT_DATA: &str = "additionalEventData";
const EVENT_ID: &str = "eventID";
const EVENT_TIME: &str = "eventTime";

/// A record as an ECS document. As JSON it has nested objects, in alphabetical order.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// In the order of the table, which is sorted by name. Names are letters, digits, `_` and `@` between dots, so a
    /// path below a name sorts right after it.
    fields: Vec<Field<Value>>,
}

impl Document {
    /// Maps a record, which can be any JSON object.
    #[must_use]
    pub fn from_record(mut record: Map<String, Value>) -> Self {
        let mut fields: Vec<Field<Value>> = Vec::with_capacity(USUAL_FIELDS);
        let mapping = Mapping::of(&record);
        let left_out = mapping.left_out(ADDITIONAL_EVENT_DATA);
        for row in TABLE {
            let value = match row.source {
                // The big objects are moved below, not copied here.
                Source::Object(path) if record.contains_key(path) => Some(Value::Null),
                source => mapping.value(source),
            };
            fields.extend(value.map(|value| (row.name, value)));
        }
        fields.retain_mut(|(name, value)| {
            let object = value.is_null().then(|| table::find(name)).flatten();
            let Some((table::Row { source: Source::Object(path), .. }, _)) = object else { return true };
            *value = record.get_mut(*path).map(Value::take).unwrap_or_default();
            if let (Value::Object(map), ADDITIONAL_EVENT_DATA, Some(key)) = (&mut *value, *path, left_out) {
                map.shift_remove(key);
            }
            !empty::drop_empty(value)
        });
        Self { fields }
    }

    /// Maps a record that was cut into its members.
    pub(crate) fn from_members(members: &Members<'_>) -> Self {
        let mapping = Mapping::of_members(members);
        let mut fields = Vec::with_capacity(USUAL_FIELDS);
        fields.extend(TABLE.iter().filter_map(|row| Some((row.name, mapping.value(row.source)?))));
        Self { fields }
    }

    /// The fields of the mapping, each with its value, sorted by name.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.fields.iter().map(|(name, value)| (*name, value))
    }

    /// The value at a dotted path: a field of the mapping, or a value below one.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<&Value> {
        let (value, below) = self.find(field)?;
        let keys = below.split('.').filter(|_| !below.is_empty());
        keys.into_iter().try_fold(value, |value, key| value.as_object()?.get(key))
    }

    /// The string at a dotted path, unless it counts as empty.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.value(field)?.as_str().filter(|text| !is_empty_text(text))
    }

    /// A document with these fields, one value each, and with what every document has. Names that are not fields of the
    /// mapping are dropped.
    pub(crate) fn of<'f>(values: impl IntoIterator<Item = (&'f str, &'f str)>) -> Self {
        let mut fields: Vec<Field<Value>> = TABLE
            .iter()
            .filter_map(|row| Some((row.name, Value::from(table::constant_value(row.name)?))))
            .collect();
        for (path, value) in values {
            let Some((row, below)) = table::find(path) else { continue };
            fields.retain(|(name, _)| *name != row.name || !below.is_empty());
            let value =
                below.rsplit('.').filter(|key| !key.is_empty()).fold(Value::from(value), |value, key| {
                    Value::Object(Map::from_iter([(key.to_owned(), value)]))
                });
            match fields.iter_mut().find(|(name, _)| *name == row.name) {
                Some((_, Value::Object(map))) => merge(map, value),
                _ => fields.push((row.name, value)),
            }
        }
        fields.sort_unstable_by_key(|(name, _)| *name);
        Self { fields }
    }

    /// The field of the mapping that a path names or begins with, and the rest of the path.
    fn find<'f>(&self, path: &'f str) -> Option<(&Value, &'f str)> {
        let behind = self.fields.partition_point(|(name, _)| *name <= path);
        let (name, value) = self.fields.get(behind.checked_sub(1)?)?;
        Some((value, table::below(name, path)?))
    }
}

fn merge(map: &mut Map<String, Value>, other: Value) {
    let Value::Object(other) = other else { return };
    for (key, value) in other {
        match map.get_mut(&key) {
            Some(Value::Object(inner)) => merge(inner, value),
            _ => _ = map.insert(key, value),
        }
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Nested::new(&self.fields).serialize(serializer)
    }
}

impl Fields for Document {
    fn any(&self, name: &str, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        let is_whole = |value: &Value| {
            value.is_object()
                && matches!(table::find(name), Some((table::Row { source: Source::Object(_), .. }, _)))
        };
        let found = self.find(name);
        Some(found.is_some_and(|(value, below)| mapping::any_in(value, below, is_whole(value), test)))
    }
}
