//! Any text is parsed as a query or refused, and a parsed query prints as text that parses to the same tree. Checking
//! whether it can match ends without a panic, and within the fuzzer's time limit.

#![no_main]

use detection::query::{Field, Kind, Query, Values};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let kind = |field: &str| match field.bytes().next() {
        Some(b'b') => Kind::Boolean,
        Some(b'd') => Kind::Date,
        Some(b'i') => Kind::Ip,
        Some(b'n') => Kind::Long,
        _ => Kind::Keyword,
    };
    let schema = |field: &str| Ok(Field { kind: kind(field), values: Values::Many });
    if let Ok(query) = Query::parse(text, schema) {
        let again = Query::parse(&query.to_string(), schema);
        assert_eq!(again.as_ref(), Ok(&query), "{query}");
        let _ = Query::parse_satisfiable(text, |field| {
            let values = if field.len() % 2 == 0 { Values::One } else { Values::Many };
            Ok(Field { kind: kind(field), values })
        });
    }
});
