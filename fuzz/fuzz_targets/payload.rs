//! Any JSON as a payload is recognised or refused, without a panic.

#![no_main]

use cloudtrail_signals::trigger;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(payload) = serde_json::from_slice::<Value>(bytes)
        && let Ok(invocation) = trigger::recognise(&payload)
    {
        assert!(!invocation.messages.is_empty(), "what is recognised has a message");
    }
});
