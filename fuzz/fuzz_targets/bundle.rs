//! Any bytes are read as a bundle or refused, and a bundle that was read survives being written and read again.

#![no_main]

use detection::bundle::Bundle;
use detection::detect::Ruleset;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(bundle) = Bundle::read(bytes) {
        assert_eq!(Bundle::read(bundle.text().as_bytes()).as_ref(), Ok(&bundle));
        _ = Ruleset::of_bundle(bundle);
    }
    // Few bytes have the right checksum: using them as the content of a bundle reaches more of the reader.
    if let Ok(bundle) = serde_json::from_slice::<Bundle>(bytes) {
        _ = Ruleset::of_bundle(bundle);
    }
});
