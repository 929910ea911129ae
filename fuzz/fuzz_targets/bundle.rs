//! Any bytes are a bundle or are refused, and a bundle that is read is the same after it was written again.

#![no_main]

use detection::bundle::Bundle;
use detection::detect::Ruleset;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(bundle) = Bundle::read(bytes) {
        assert_eq!(Bundle::read(bundle.text().as_bytes()).as_ref(), Ok(&bundle));
        _ = Ruleset::of_bundle(bundle);
    }
    // Few bytes have the right sum: as the content of a bundle, more of the reader is reached.
    if let Ok(bundle) = serde_json::from_slice::<Bundle>(bytes) {
        _ = Ruleset::of_bundle(bundle);
    }
});
