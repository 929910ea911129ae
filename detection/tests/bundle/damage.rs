use detection::bundle::{Bundle, Error, MAX_BYTES};
use proptest::prelude::*;

use crate::everything;

fn error(bytes: &[u8]) -> Error {
    Bundle::read(bytes).expect_err("no bundle")
}

#[test]
fn what_is_no_bundle_is_refused_with_what_to_do() {
    let text = everything().text();
    let empty = Bundle { tool: "x".to_owned(), ..Bundle::default() }.text();
    for (bytes, expected) in [
        (String::new(), "is empty: write it again with cloudtrail-scan --bundle"),
        (" \n".to_owned(), "is empty"),
        (empty, "is empty"),
        ("[rule]".to_owned(), "is not JSON: "),
        (format!("{text}x"), "is not JSON: trailing characters"),
        ("{}".to_owned(), "is JSON, but not a bundle"),
        ("[]".to_owned(), "is JSON, but not a bundle"),
        ("\"format\"".to_owned(), "is JSON, but not a bundle"),
        ("{\"format\": \"1\"}".to_owned(), "is JSON, but not a bundle"),
        ("{\"format\": 1, \"content\": {}}".to_owned(), "is JSON, but not a bundle"),
        (text.replace("\"format\": 1", "\"format\": 2"), "is a bundle of format 2, and format 1 is expected"),
        ("{\"format\": 3, \"rest\": []}".to_owned(), "is a bundle of format 3, and format 1 is expected"),
        (text.replace("payments-prod", "payments-test"), "was altered after it was written"),
        (text.replacen("  \"tool\"", " \"tool\"", 1), "was altered after it was written"),
    ] {
        let said = error(bytes.as_bytes()).to_string();
        assert!(said.starts_with(expected), "{expected}: {said}");
    }
    assert!(matches!(error(b"{\"format\": \"\xff\"}"), Error::NotJson(_)));
    assert!(matches!(error(&vec![b' '; usize::try_from(MAX_BYTES).unwrap() + 1]), Error::TooLong));
}

#[test]
fn a_bundle_of_fifty_megabytes_is_refused_before_it_is_looked_at() {
    assert_eq!(error(&vec![b'['; 50_000_000]), Error::TooLong);
}

#[test]
fn a_bundle_that_is_as_it_was_written_and_not_understood_names_what_it_is() {
    let text = everything().text();
    let (head, content) = text.split_once("\"content\": ").expect("a bundle has a content");
    let content = content.replace("\"exceptions\"", "\"excuses\"");
    let sum = sha2_hex(content.trim_end().trim_end_matches('}').trim_end());
    let start = head.find("\"sha256\": \"").expect("a bundle has a sum") + 11;
    let altered = format!("{}{sum}\",\n\"content\": {content}", &head[..start]);
    let said = error(altered.as_bytes()).to_string();
    assert!(
        said.contains("unknown field `excuses`") && said.contains("cloudtrail-scan of this version"),
        "{said}"
    );
}

fn sha2_hex(text: &str) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

proptest! {
    #[test]
    fn a_bundle_that_is_cut_anywhere_is_refused(part in 0.0..1.0_f64) {
        let text = everything().text();
        let text = text.trim_end();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place")]
        let cut = (text.len() as f64 * part) as usize;
        let error = error(&text.as_bytes()[..cut]);
        prop_assert!(matches!(error, Error::Cut | Error::Empty), "{cut}: {error:?}");
    }

    #[test]
    fn a_bundle_with_another_byte_anywhere_is_refused_or_the_same(part in 0.0..1.0_f64, byte: u8) {
        let bundle = everything();
        let mut bytes = bundle.text().into_bytes();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place")]
        let place = (bytes.len() as f64 * part) as usize;
        bytes[place] = byte;
        if let Ok(read) = Bundle::read(&bytes) {
            prop_assert_eq!(read, bundle);
        }
    }

    #[test]
    fn no_bytes_make_reading_panic(bytes: Vec<u8>) {
        _ = Bundle::read(&bytes);
    }
}
