//! Kibana Query Language, as detection rules use it.
//!
//! Supported: `field: value`, quoted and unquoted values, `*` in unquoted ones, `field: *` (exists), value lists with
//! `and`, `or` and `not`, ranges, CIDR blocks on IP fields, `and or not` in any case, parentheses, all of KQL's escapes.
//! Refused by name, because they mean nothing without an index: values without a field, nested queries, wildcards
//! in field names, date arithmetic.

mod parse;
mod print;
mod values;

pub(super) use parse::parse;
pub(super) use values::{network, time};
