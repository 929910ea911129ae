//! Any text as a query is parsed or refused, and what is parsed prints as text that gives the same tree.

#![no_main]

use detection::query::{Kind, Query};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let schema = |field: &str| match field.bytes().next() {
        Some(b'b') => Ok(Kind::Boolean),
        Some(b'd') => Ok(Kind::Date),
        Some(b'i') => Ok(Kind::Ip),
        Some(b'n') => Ok(Kind::Long),
        _ => Ok(Kind::Keyword),
    };
    if let Ok(query) = Query::parse(text, schema) {
        let again = Query::parse(&query.to_string(), schema);
        assert_eq!(again.as_ref(), Ok(&query), "{query}");
    }
});
