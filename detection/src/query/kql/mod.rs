//! The grammar of KQL: text to tree and back.

mod parse;
mod print;
mod values;

pub(super) use parse::parse;
