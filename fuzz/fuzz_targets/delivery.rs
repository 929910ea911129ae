//! Any bytes, read as a delivery, give records or an error, and the same in one piece as byte by byte.

#![no_main]

use detection::records::{Decoder, Error, Rejection};
use libfuzzer_sys::fuzz_target;

type Found = Vec<Result<Vec<u8>, Rejection>>;

fn decode(chunks: std::slice::Chunks<'_, u8>) -> (Found, Result<(), Error>) {
    let mut decoder = Decoder::new();
    let mut found = Found::new();
    for chunk in chunks.map(Some).chain([None]) {
        if chunk.is_none() {
            decoder.end();
        }
        let mut chunk = chunk.unwrap_or_default();
        loop {
            match decoder.step(&mut chunk, &mut |_, record| found.push(record.map(|record| record.text().to_vec()))) {
                Ok(true) => {}
                Ok(false) => break,
                // The message of zlib-rs for bad data depends on how much of the data it gets at once.
                Err(Error::CorruptGzip { byte, .. }) => {
                    return (found, Err(Error::CorruptGzip { byte, reason: String::new() }));
                }
                Err(error) => return (found, Err(error)),
            }
        }
    }
    (found, decoder.finish())
}

fuzz_target!(|bytes: &[u8]| {
    let whole = decode(bytes.chunks(bytes.len().max(1)));
    for size in [1, 7, 64] {
        assert_eq!(decode(bytes.chunks(size)), whole, "in pieces of {size}");
    }
});
