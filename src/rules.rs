//! The rules compiled into the function.

use detection::detect::Ruleset;
use detection::rule::Source;

/// Every rule below `rules/`, checked by the build and written as JSON.
const EMBEDDED: &str = include_str!(concat!(env!("OUT_DIR"), "/rules.json"));

/// The rules compiled into this binary.
///
/// # Panics
/// Never: the build script has read and checked the same text.
#[must_use]
pub fn embedded() -> Ruleset {
    // The build script serialized these types after it had parsed every query.
    let sources: Vec<Source> = serde_json::from_str(EMBEDDED).expect("the build wrote valid rules");
    Ruleset::new(sources).expect("the build parsed every query")
}
