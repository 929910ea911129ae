//! The value of a single field, taken from the parsed record.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::cut::{LISTED_LEVELS, Span};
use super::empty::{drop_empty, is_empty_text};
use super::identity::Caller;
use super::leaves::{any_at, any_below, any_leaf, text_of};
use super::members::Members;
use super::raw::any_value;
use super::table::{self, Source};
use super::{ADDITIONAL_EVENT_DATA, EVENT_ID, EVENT_TIME, Raw, date, java};
use crate::query::{Fields, Scalar};

/// Picks a text of the record, or a part of one.
pub(super) type Pick = for<'a> fn(&Mapping<'a>) -> Option<&'a str>;
/// Makes a value.
pub(super) type Make = fn(&Mapping<'_>) -> Option<Value>;

/// The text of an object, once it is needed.
type Printed = OnceCell<Option<String>>;

/// A path, and the object at it.
type Found<'a> = (&'static str, Option<Object<'a>>);

/// A record that answers queries field by field.
///
/// A query often needs only a few fields, which cost less than a document of all of them. Empty values are still in the
/// record; they are skipped wherever it is read.
#[derive(Debug)]
pub struct Mapping<'a> {
    record: Object<'a>,
    caller: OnceCell<Caller<'a>>,
    /// The object that was looked at last, with its path: adjacent rows of the table often share it.
    last: Cell<Option<Found<'a>>>,
    /// Objects that were printed, with their keys: a query may ask for several parts of the text.
    printed: OnceCell<Vec<(&'static str, Printed)>>,
}

/// The record, or an object in it.
#[derive(Debug, Clone, Copy)]
enum Object<'a> {
    Parsed(&'a Map<String, Value>),
    Cut(&'a Members<'a>, Span),
}

impl<'a> Object<'a> {
    fn value(self, key: &str) -> Option<&'a Value> {
        match self {
            Self::Parsed(map) => get(map, key),
            Self::Cut(members, span) => members.value(members.find(span, key)?),
        }
    }

    /// The value for one-time use: it is not cached for a cut record.
    fn value_once(self, key: &str) -> Option<Cow<'a, Value>> {
        match self {
            Self::Parsed(map) => get(map, key).map(Cow::Borrowed),
            Self::Cut(members, span) => members.parsed(members.find(span, key)?).map(Cow::Owned),
        }
    }

    /// The text, number or boolean with a key, as text.
    fn text(self, key: &str) -> Option<&'a str> {
        match self {
            Self::Parsed(map) => text_of(get(map, key)?),
            Self::Cut(members, span) => members.text_of(members.find(span, key)?),
        }
    }

    fn string(self, key: &str) -> Option<&'a str> {
        match self {
            Self::Parsed(map) => get(map, key)?.as_str(),
            Self::Cut(members, span) => members.string_of(members.find(span, key)?),
        }
    }

    fn object(self, key: &str) -> Option<Self> {
        match self {
            Self::Parsed(map) => get(map, key)?.as_object().map(Self::Parsed),
            Self::Cut(members, span) => Some(Self::Cut(members, members.find(span, key)?.inside)),
        }
    }

    /// All of the record.
    fn whole(self) -> &'a Map<String, Value> {
        match self {
            Self::Parsed(map) => map,
            Self::Cut(members, _) => members.whole(),
        }
    }
}

impl<'a> Mapping<'a> {
    /// The mapping of a record, which can be any JSON object.
    #[must_use]
    pub fn of(record: &'a Map<String, Value>) -> Self {
        Self::new(Object::Parsed(record))
    }

    /// The mapping of a record, of which only as much is parsed as the queries ask for.
    #[must_use]
    pub fn of_members(members: &'a Members<'a>) -> Self {
        Self::new(Object::Cut(members, members.all()))
    }

    fn new(record: Object<'a>) -> Self {
        Self { record, caller: OnceCell::new(), last: Cell::new(None), printed: OnceCell::new() }
    }

    /// The identifier of the event, as in its field.
    pub(crate) fn event_id(&self) -> Option<&'a str> {
        self.text(EVENT_ID)
    }

    /// The time of the event, as in its field and in milliseconds since 1970.
    pub(crate) fn time(&self) -> Option<(Cow<'a, str>, i64)> {
        let (text, time) = self.date(EVENT_TIME)?;
        Some((text, time.as_millisecond()))
    }

    /// The caller that the record names.
    pub(super) fn caller(&self) -> &Caller<'a> {
        self.caller.get_or_init(|| Caller::of(self))
    }

    /// The value at a dotted path of plain keys.
    pub(super) fn at(&self, path: &'static str) -> Option<&'a Value> {
        let (object, key) = self.leading_to(path)?;
        object.value(key)
    }

    /// The text, number or boolean at a dotted path, as text.
    pub(super) fn text(&self, path: &'static str) -> Option<&'a str> {
        let (object, key) = self.leading_to(path)?;
        object.text(key)
    }

    /// The time at a dotted path, in the form of RFC 3339 and parsed.
    fn date(&self, path: &'static str) -> Option<(Cow<'a, str>, Timestamp)> {
        let (object, key) = self.leading_to(path)?;
        date::normal(object.string(key)?)
    }

    /// The object that holds the value at a path, and the last key of the path.
    fn leading_to(&self, path: &'static str) -> Option<(Object<'a>, &'static str)> {
        debug_assert!(path.split('.').count() <= LISTED_LEVELS, "{path} is deeper than what is listed");
        match path.bytes().rposition(|byte| byte == b'.') {
            None => Some((self.record, path)),
            Some(dot) => Some((self.object(&path[..dot])?, &path[dot + 1..])),
        }
    }

    fn object(&self, path: &'static str) -> Option<Object<'a>> {
        if let Some((last, object)) = self.last.get()
            && last == path
        {
            return object;
        }
        let object = self.leading_to(path).and_then(|(object, key)| object.object(key));
        self.last.set(Some((path, object)));
        object
    }

    /// The value that a row of the table describes.
    pub(super) fn value(&self, source: Source) -> Option<Value> {
        match source {
            Source::Constant(text) => Some(text.into()),
            Source::Text(paths) => paths.iter().find_map(|path| {
                let (object, key) = self.leading_to(path)?;
                // A text needs no parsing.
                object.text(key).map(Value::from).or_else(|| texts_of(object.value(key)?))
            }),
            Source::Flag(path) => flag(self.at(path)?),
            Source::Boolean(path) => boolean(self.at(path)?),
            Source::Date(path) => self.date(path).map(|(text, _)| text.into()),
            Source::Printed(key) => self.print(key).map(Value::from),
            Source::Object(path) => {
                let (object, key) = self.leading_to(path)?;
                let mut value = object.value_once(key)?.into_owned();
                if let (Value::Object(map), Some(left_out)) = (&mut value, self.left_out(path)) {
                    map.shift_remove(left_out);
                }
                (!drop_empty(&mut value)).then_some(value)
            }
            Source::Picked(pick) => pick(self).map(Value::from),
            Source::Made(make) | Source::Objects(make) => make(self),
        }
    }

    fn print(&self, key: &'static str) -> Option<String> {
        java::text(self.record.value_once(key)?.as_ref(), self.left_out(key))
    }

    /// The key of the object at `path` whose value was moved to another field.
    pub(super) fn left_out(&self, path: &str) -> Option<&'static str> {
        (path == ADDITIONAL_EVENT_DATA && self.caller().has_moved_name).then_some("UserName")
    }

    fn printed(&self, key: &'static str) -> Option<&str> {
        let printed = self.printed.get_or_init(|| {
            let sources = table::TABLE.iter().map(|row| row.source);
            let keys = sources.filter_map(|source| match source {
                Source::Printed(key) => Some(key),
                _ => None,
            });
            keys.map(|key| (key, Printed::new())).collect()
        });
        let (_, text) = printed.iter().find(|(printed, _)| *printed == key)?;
        text.get_or_init(|| self.print(key)).as_deref()
    }
}

impl Fields for Mapping<'_> {
    fn any(&self, name: &str, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        let Some((row, below)) = table::find(name) else { return Some(false) };
        if !below.is_empty() && !row.is_open() {
            return Some(false);
        }
        let mut passes = |text: Option<&str>| text.is_some_and(|text| test(Scalar::Text(text)));
        Some(match row.source {
            Source::Constant(text) => passes(Some(text)),
            Source::Picked(pick) => passes(pick(self)),
            Source::Printed(key) => passes(self.printed(key)),
            Source::Text(paths) => {
                let of_path = |path: &&'static str| match self.text(path) {
                    Some(text) => Some(passes(Some(text))),
                    None => self
                        .at(path)
                        .filter(|value| has_text(value))
                        .map(|value| any_text(value, &mut passes)),
                };
                paths.iter().find_map(of_path) == Some(true)
            }
            Source::Object(path) if self.left_out(path).is_none() => {
                // Empty values are still in the record.
                let mut test = |value: Scalar<'_>| {
                    !matches!(value, Scalar::Text(text) if is_empty_text(text)) && test(value)
                };
                self.at(path).is_some_and(|value| any_in(value, below, true, &mut test))
            }
            source => {
                let whole = matches!(source, Source::Object(_));
                self.value(source).is_some_and(|value| any_in(&value, below, whole, test))
            }
        })
    }

    fn any_in_record(&self, path: Option<&str>, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        match path {
            Some(path) => {
                let get = |key: &str| self.record.value(key);
                Some(any_at(&get, path, &mut |value| any_value(value, test)))
            }
            None => Raw(self.record.whole()).any_in_record(None, test),
        }
    }
}

/// The value of a key. Most objects are small, and looking through them is faster than hashing the key.
fn get<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    const SMALL: usize = 24;
    if map.len() > SMALL {
        map.get(key)
    } else {
        map.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }
}

/// Tests the values of a field or of a path below it. See [`any_leaf`] for `whole`.
pub(super) fn any_in(
    value: &Value,
    below: &str,
    whole: bool,
    test: &mut dyn FnMut(Scalar<'_>) -> bool,
) -> bool {
    if below.is_empty() {
        any_leaf(value, whole, test)
    } else {
        any_below(value, below, &mut |value| any_leaf(value, false, test))
    }
}

/// Looks at the text of a value, or at the texts in an array.
pub(super) fn any_text<'a>(value: &'a Value, test: &mut dyn FnMut(Option<&'a str>) -> bool) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| test(text_of(item))),
        value => test(text_of(value)),
    }
}

fn has_text(value: &Value) -> bool {
    any_text(value, &mut |text| text.is_some())
}

/// A value as a keyword field keeps it: one text or several. An object gives none, since an index would reject it.
fn texts_of(value: &Value) -> Option<Value> {
    if let Value::Array(items) = value {
        let texts: Vec<_> = items.iter().filter_map(text_of).collect();
        return (!texts.is_empty()).then(|| json!(texts));
    }
    text_of(value).map(Value::from)
}

fn flag(value: &Value) -> Option<Value> {
    value.as_bool().map(Value::from).or_else(|| texts_of(value))
}

fn boolean(value: &Value) -> Option<Value> {
    match text_of(value)? {
        "true" => Some(true.into()),
        "false" => Some(false.into()),
        _ => None,
    }
}
