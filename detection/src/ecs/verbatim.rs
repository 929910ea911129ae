//! The fields of a record that can be had without mapping all of it.

use serde_json::{Map, Value};

use super::identity::{self, Caller};
use super::{
    COPIES, FLATTENED, Raw, SOURCE_IP, any_below, any_leaf, at, constant, fields, is_address, is_empty_text,
    outcome, text_at,
};
use crate::query::{Fields, Scalar};

/// A parsed record: it answers for what is copied from it or nearly so, and leaves the rest to [`super::Document`].
///
/// Most records that get this far are ruled out by a field of theirs, which costs less than a document.
#[derive(Debug, Clone, Copy)]
pub struct Verbatim<'a>(pub &'a Map<String, Value>);

impl Fields for Verbatim<'_> {
    fn any(&self, name: &str, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        let record = self.0;
        if let Some(text) = constant(name) {
            return Some(test(Scalar::Text(text)));
        }
        let mut passes = |text: Option<&str>| Some(text.is_some_and(|text| test(Scalar::Text(text))));
        match name {
            "event.outcome" => passes(Some(&outcome(record))),
            SOURCE_IP => passes(text_at(record, "sourceIPAddress").filter(|text| is_address(text))),
            "user.name" => passes(Caller::of(record).name),
            "user.id" => passes(Caller::of(record).id),
            "user.email" => passes(Caller::of(record).email),
            "service.name" => passes(Caller::of(record).service),
            _ => copied(record, name, test),
        }
    }

    fn any_in_record(&self, path: Option<&str>, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        Raw(self.0).any_in_record(path, test)
    }
}

fn copied(record: &Map<String, Value>, name: &str, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
    // Empty values are still in the record.
    let mut test =
        |value: Scalar<'_>| !matches!(value, Scalar::Text(text) if is_empty_text(text)) && test(value);
    let mut rows = COPIES.iter().chain(identity::COPIES).chain(FLATTENED);
    let is_below = |path: &str| path.is_empty() || path.starts_with('.');
    let (from, path) =
        rows.find_map(|(from, to)| Some((*from, name.strip_prefix(to).filter(|path| is_below(path))?)))?;
    let value = at(record, from);
    let found = match path.strip_prefix('.') {
        None => value.is_some_and(|value| any_leaf(value, fields::is_flattened(name), &mut test)),
        Some(path) => {
            value.is_some_and(|value| any_below(value, path, &mut |value| any_leaf(value, false, &mut test)))
        }
    };
    Some(found)
}
