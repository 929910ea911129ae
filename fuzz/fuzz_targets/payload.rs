//! Any bytes are recognised as a payload or refused, and whatever a message holds is read in little memory: the fuzzer
//! limits every allocation.

#![no_main]

use cloudtrail_signals::trigger::{Part, Source, recognise};
use detection::records::{Decoder, RawRecord};
use libfuzzer_sys::fuzz_target;

/// Reads what came with a message, as the function does, to its end or to the first error.
fn read(mut bytes: &[u8]) {
    let mut decoder = Decoder::new();
    let mut take = |_: u64, record: Result<RawRecord<'_>, _>| {
        if let Ok(record) = record {
            let _ = record.unwrapped();
        }
    };
    while decoder.step(&mut bytes, &mut take) == Ok(true) {}
    let _ = decoder.finish();
}

fuzz_target!(|payload: &str| {
    let Ok(invocation) = recognise(payload) else { return };
    assert!(!invocation.messages.is_empty(), "what is recognised has a message");
    for part in invocation.messages.iter().flat_map(|message| &message.parts) {
        if let Part::Source(Source::Bytes { bytes, .. }) = part {
            read(bytes);
        }
    }
});
