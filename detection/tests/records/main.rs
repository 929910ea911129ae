//! Bytes in, records out: every form of a delivery, and the error for everything else.

mod lines;

use std::io::Write;
use std::ops::ControlFlow;

use detection::records::{Decoder, Error, MAX_RECORD_BYTES, RawRecord, Rejection};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

const JSON: &str = "a JSON object or array";

/// A record as it came out: its text, or why it was rejected.
type Found = Result<String, Rejection>;

/// Decodes twice: without a pause, and with one after every record by a decoder that has read something else before and
/// was restarted. Both must give the same.
fn decode_chunks<'a>(
    chunks: impl IntoIterator<Item = &'a [u8], IntoIter: Clone>,
) -> (Vec<Found>, Result<(), Error>) {
    let chunks = chunks.into_iter();
    let whole = decode_with(&mut Decoder::new(), chunks.clone(), ControlFlow::Continue(()));
    let mut used = Decoder::new();
    let before = gzip(br#"{"logEvents":[{"a":"\\"},[{"b":"#);
    let _ = decode_with(&mut used, [&before[..], b"no gzip"], ControlFlow::Continue(()));
    used.restart();
    let paused = decode_with(&mut used, chunks, ControlFlow::Break(()));
    assert_eq!(whole, paused, "neither a pause nor a restart changes anything");
    whole
}

fn decode_with<'a>(
    decoder: &mut Decoder,
    chunks: impl IntoIterator<Item = &'a [u8]>,
    after_record: ControlFlow<()>,
) -> (Vec<Found>, Result<(), Error>) {
    let mut found = Vec::new();
    for chunk in chunks.into_iter().map(Some).chain([None]) {
        if chunk.is_none() {
            decoder.end();
        }
        let mut input = chunk.unwrap_or_default();
        loop {
            let before = found.len();
            let step = decoder.step_until(&mut input, &mut |position, record| {
                assert!(found.len() == before || after_record.is_continue(), "a break ends the step");
                assert_eq!(position, found.len() as u64, "positions count up from 0");
                found.push(record.map(|record| {
                    let has_backslash = record.text().contains(&b'\\');
                    assert!(record.may_have_escapes() || !has_backslash, "a backslash is never overlooked");
                    String::from_utf8_lossy(record.text()).into_owned()
                }));
                after_record
            });
            match step {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return (found, Err(error)),
            }
        }
        assert!(input.is_empty(), "a step that is done has taken everything");
    }
    (found, decoder.finish())
}

fn decode(bytes: &[u8]) -> (Vec<Found>, Result<(), Error>) {
    decode_chunks([bytes])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("a Vec takes every byte");
    encoder.finish().expect("a Vec takes every byte")
}

fn good(records: &[&str]) -> Vec<Found> {
    records.iter().map(|record| Ok((*record).to_owned())).collect()
}

#[test]
fn records_come_out_as_they_stand_in_the_delivery() {
    let cases: &[(&str, &[&str])] = &[
        (r#"{"Records":[]}"#, &[]),
        (r#"{"Records":[{}]}"#, &["{}"]),
        (r#"{"Records":[{"a":1},{"b":2}]}"#, &[r#"{"a":1}"#, r#"{"b":2}"#]),
        (" {\n\t\"Records\" : [ { \"a\" : 1 } ,\r\n{}\n] } \n", &["{ \"a\" : 1 }", "{}"]),
        (r#"{"Records":[{"s":"}]{[,\""}]}"#, &[r#"{"s":"}]{[,\""}"#]),
        (r#"{"Records":[{"s":"\\"},{"t":"\\\""}]}"#, &[r#"{"s":"\\"}"#, r#"{"t":"\\\""}"#]),
        (r#"{"Records":[{"a":[{"b":[[]]}]}]}"#, &[r#"{"a":[{"b":[[]]}]}"#]),
        (r#"{"before":{"Records":[1]},"Records":[{}],"after":[{"x":"]}"}]}"#, &["{}"]),
        (r#"{"n":null,"s":"a,\"}b","t":true,"Records":[{}],"u":-1.5}"#, &["{}"]),
        (r#"{"Records":[{}],"Records":[{"second":1}]}"#, &["{}", r#"{"second":1}"#]),
        (r#"{"Records":[{"Records":[1,2]}]}"#, &[r#"{"Records":[1,2]}"#]),
    ];
    for (text, records) in cases {
        assert_eq!(decode(text.as_bytes()), (good(records), Ok(())), "{text}");
        assert_eq!(decode(&gzip(text.as_bytes())), (good(records), Ok(())), "gzip of {text}");
    }
}

#[test]
fn a_record_that_is_none_costs_its_neighbours_nothing() {
    use Rejection::{NotAnObject, Unbalanced};
    let cases: &[(&str, &[Result<&str, Rejection>])] = &[
        (r#"[1,{"a":1}]"#, &[Err(NotAnObject), Ok(r#"{"a":1}"#)]),
        (
            r#"[{"a":1},"x,]}",null,[{"in":1},2],{"b":2}]"#,
            &[Ok(r#"{"a":1}"#), Err(NotAnObject), Err(NotAnObject), Err(NotAnObject), Ok(r#"{"b":2}"#)],
        ),
        (r#"[{"a":[},{"b":2}]"#, &[Err(Unbalanced), Ok(r#"{"b":2}"#)]),
        (r#"[{"a":{]},{"b":2}]"#, &[Err(Unbalanced), Ok(r#"{"b":2}"#)]),
        (r#"[{"a":1],{"b":2}]"#, &[Err(Unbalanced), Ok(r#"{"b":2}"#)]),
        (r#"[{"a":1}},{"b":2}]"#, &[Ok(r#"{"a":1}"#), Err(NotAnObject), Ok(r#"{"b":2}"#)]),
        (r#"[true false,{"b":2}]"#, &[Err(NotAnObject), Ok(r#"{"b":2}"#)]),
    ];
    for (array, expected) in cases {
        let (found, _) = decode(format!(r#"{{"Records":{array}}}"#).as_bytes());
        let expected: Vec<Found> = expected.iter().map(|record| record.map(str::to_owned)).collect();
        assert_eq!(found, expected, "{array}");
    }
}

#[test]
fn wrong_commas_between_records_are_reported_after_every_record_was_read() {
    for (array, byte) in
        [(r"[{}{}]", 14), (r"[{},,{}]", 15), (r"[{},{},]", 18), (r"[,{}]", 12), (r"[{} 5]", 15)]
    {
        let (found, end) = decode(format!(r#"{{"Records":{array}}}"#).as_bytes());
        assert!(found.iter().filter(|record| record.is_ok()).count() >= 1, "{array}: {found:?}");
        assert_eq!(end, Err(Error::Malformed { byte }), "{array}");
    }
}

#[test]
fn every_kind_of_broken_delivery_has_an_error_of_its_own() {
    let unfinished = |records, byte| Err(Error::Unfinished { records, byte });
    let not_json = |byte, expected| Err(Error::NotJson { byte, expected });
    let cases: &[(&str, Result<(), Error>)] = &[
        ("", Err(Error::Empty)),
        ("   ", not_json(3, JSON)),
        ("hello", not_json(0, JSON)),
        ("\u{feff}hello", not_json(3, JSON)),
        ("\u{feff}", not_json(3, JSON)),
        (r#"{"Records":[{}]} x"#, not_json(17, JSON)),
        (r#"{"Records":[{}"#, unfinished(1, 14)),
        (r#"{"Records":[{},{"a":"b"#, unfinished(1, 22)),
        (r#"{"Records":[{}]"#, unfinished(1, 15)),
        (r#"{"Rec"#, unfinished(0, 5)),
    ];
    for (text, expected) in cases {
        assert_eq!(decode(text.as_bytes()).1, *expected, "{text}");
    }
}

#[test]
fn every_kind_of_broken_gzip_has_an_error_of_its_own_and_costs_no_record_before_it() {
    let text = format!(r#"{{"Records":[{}{{"last":1}}]}}"#, r#"{"a":"some text that repeats"},"#.repeat(500));
    let whole = gzip(text.as_bytes());
    let end = whole.len() as u64;
    let with = |position: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[position] ^= byte;
        bytes
    };
    let (found, result) = decode(&whole[..whole.len() - 1]);
    assert_eq!((found.len(), result), (501, Err(Error::TruncatedGzip { byte: end - 1 })));

    let (found, result) = decode(&whole[..whole.len() / 2]);
    assert!(found.len() > 10 && found.iter().all(Result::is_ok), "{}", found.len());
    assert_eq!(result, Err(Error::TruncatedGzip { byte: end / 2 }));

    let (found, result) = decode(&with(whole.len() - 8, 1));
    assert_eq!(found.len(), 501, "a wrong checksum is known only at the end");
    assert!(matches!(result, Err(Error::Checksum { .. })), "{result:?}");
    let (_, result) = decode(&with(whole.len() - 1, 1));
    assert!(matches!(result, Err(Error::Checksum { .. })), "a wrong length: {result:?}");

    let (_, result) = decode(&with(1, 1));
    assert!(matches!(result, Err(Error::CorruptGzip { .. })), "{result:?}");
    let (_, result) = decode(&[&whole[..10], b"\x07 is no type of block"].concat());
    assert!(matches!(result, Err(Error::CorruptGzip { .. })), "{result:?}");

    for garbage in [&b"x"[..], b"\0", b"\x1f\x00rest", b"\x1f\x8b\x07aaaaaaaaaaa"] {
        let (found, result) = decode(&[&whole, garbage].concat());
        assert_eq!(found.len(), 501);
        assert!(
            matches!(result, Err(Error::TrailingGarbage { byte } | Error::CorruptGzip { byte, .. }) if byte >= end),
            "{garbage:?}: {result:?}"
        );
    }
    assert_eq!(decode(&[]).1, Err(Error::Empty));
    assert_eq!(decode(&gzip(b"")).1, Err(Error::NotJson { byte: 0, expected: JSON }));
}

#[test]
fn a_record_over_one_mebibyte_is_rejected_and_its_neighbours_are_not() {
    let padded = |length: usize| format!(r#"{{"p":"{}"}}"#, "x".repeat(length - 8));
    for (length, expected) in [
        (MAX_RECORD_BYTES, None),
        (MAX_RECORD_BYTES + 1, Some(Rejection::TooLarge)),
        (10 * MAX_RECORD_BYTES, Some(Rejection::TooLarge)),
    ] {
        let text = format!(r#"{{"Records":[{{"a":1}},{},{{"b":2}}]}}"#, padded(length));
        for bytes in [text.clone().into_bytes(), gzip(text.as_bytes())] {
            let (found, result) = decode(&bytes);
            assert_eq!(result, Ok(()));
            assert_eq!(found.len(), 3);
            assert_eq!((&found[0], &found[2]), (&Ok(r#"{"a":1}"#.into()), &Ok(r#"{"b":2}"#.into())));
            assert_eq!(found[1].as_ref().err().copied(), expected, "{length}");
        }
    }
}

#[test]
fn a_bomb_is_stopped_and_an_honest_ratio_is_not() {
    let zeros = gzip(&vec![b' '; 64 << 20]);
    let one_member = decode(&zeros).1;
    assert!(matches!(one_member, Err(Error::Bomb { inflated, .. }) if inflated < 17 << 20), "{one_member:?}");

    let member = gzip(&vec![b' '; 1 << 20]);
    let many_members = decode(&member.repeat(64)).1;
    assert!(matches!(many_members, Err(Error::Bomb { .. })), "{many_members:?}");

    // A ratio of about 100, which repetitive records can have.
    let noise: Vec<u8> =
        (0..40_u32 << 20).map(|byte| b'a' + (byte.wrapping_mul(byte) >> 24) as u8 % 16).collect();
    let honest = format!(r#"{{"x":"{}","Records":[]}}"#, String::from_utf8_lossy(&noise));
    let bytes = gzip(honest.as_bytes());
    assert!(honest.len() / bytes.len() < 200, "{}", honest.len() / bytes.len());
    assert_eq!(decode(&bytes).1, Ok(()));
}

#[test]
fn every_layout_of_a_file_of_records_is_read() {
    let both = good(&[r#"{"a":1}"#, r#"{"b":{"Records":[1]}}"#]);
    for text in [
        r#"{"Records":[{"a":1},{"b":{"Records":[1]}}]}"#,
        r#"[{"a":1},{"b":{"Records":[1]}}]"#,
        "{\"a\":1}\n{\"b\":{\"Records\":[1]}}\n",
        "\n\n{\"a\":1}\r\n\r\n{\"b\":{\"Records\":[1]}}",
        "{\"Records\":[{\"a\":1}]}\n{\"Records\":[{\"b\":{\"Records\":[1]}}]}\n",
        "[{\"a\":1}]\n[{\"b\":{\"Records\":[1]}}]",
    ] {
        assert_eq!(decode(text.as_bytes()), (both.clone(), Ok(())), "{text}");
    }
    assert_eq!(decode(b"{}").0, good(&["{}"]));
    let junk = "{\"a\":1}\nnot a record, {}\n{\"b\":2}\n";
    let expected = vec![Ok(r#"{"a":1}"#.into()), Err(Rejection::NotAnObject), Ok(r#"{"b":2}"#.into())];
    assert_eq!(decode(junk.as_bytes()), (expected, Ok(())), "a line that is no record costs only itself");
    assert!(decode(b"plain text").1.is_err());
    assert!(decode(b"").1.is_err());
}

#[test]
fn the_array_of_records_is_found_at_any_place_wherever_the_bytes_are_cut() {
    let long = "x".repeat(200);
    let texts = [
        "{ \"Records\" :[{\"a\":1}]}".to_owned(),
        format!(r#"{{"p":"{long}","Records":[{{"a":1}}],"q":["{long}"]}}"#),
        r#"{"x":[1,{"Records":[2]}],"y":{"Records":[3]},"z":"\"Records\":[","Records":[{"a":1}]}"#.to_owned(),
        r#"{"\\":1,"Records":[{"a":1}]}"#.to_owned(),
        format!(r#"{{"one":[],"Records":[],"{long}":0,"Records":[{{"a":1}}]}}"#),
        format!("\u{feff}{}", r#"{"Records":[{"a":1}]}"#),
    ];
    for text in &texts {
        let whole = decode(text.as_bytes());
        assert_eq!(whole, (good(&[r#"{"a":1}"#]), Ok(())), "{text}");
        for cut in 0..text.len() {
            let (head, tail) = text.as_bytes().split_at(cut);
            assert_eq!(decode_chunks([head, tail]), whole, "{text} cut at {cut}");
        }
    }
}

#[test]
fn a_look_alike_of_the_key_of_an_array_is_no_delivery() {
    for text in [
        r#"{ "Record" : 1}"#,
        r#"{ "Recordsx":[{"a":1}]}"#,
        r#"{"x\"Records":[{"a":1}]}"#,
        r#"{"Records":{"a":[1]}}"#,
        r#"{"Records":null}"#,
        r#"{"Records" [{}]}"#,
        r"{Records:[{}]}",
        r#"{"Records\u0020":[{}]}"#,
        r#"{"a":["Records",[1]]}"#,
        "{  }",
    ] {
        assert_eq!(decode(text.as_bytes()), (good(&[text]), Ok(())), "{text}");
    }
}

#[test]
fn the_array_is_found_after_more_text_than_a_record_can_hold() {
    let text = format!(r#"{{"p":"{}","Records":[{{"a":1}}]}}"#, "x".repeat(3 * MAX_RECORD_BYTES));
    for bytes in [text.clone().into_bytes(), gzip(text.as_bytes())] {
        assert_eq!(decode(&bytes), (good(&[r#"{"a":1}"#]), Ok(())));
    }
}

#[test]
fn several_deliveries_arrays_and_lines_in_one_object_are_all_read() {
    let text = "{\"Records\":[{\"a\":1}]}{\"Records\":[{\"b\":2}]}\n[{\"c\":3}]\n{\"d\":4}\n{\"e\":5}";
    let expected = good(&[r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":3}"#, r#"{"d":4}"#, r#"{"e":5}"#]);
    assert_eq!(decode(text.as_bytes()), (expected, Ok(())));
}

#[test]
fn utf_16_is_named_and_its_first_byte_alone_is_not() {
    let little: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [&little, &big] {
        assert_eq!(decode(bytes).1, Err(Error::Utf16));
        assert_eq!(decode_chunks(bytes.chunks(1)).1, Err(Error::Utf16));
    }
    for bytes in [&b"\xff"[..], b"\xff\xff", b"\xfe", b"\0", b"\0\0"] {
        assert!(matches!(decode(bytes).1, Err(Error::NotJson { .. })), "{bytes:?}");
    }
    for text in [r#"[{"eventName":"x"}]"#, r#"{"Records":[]}"#] {
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(&big).1, Err(Error::Utf16), "{text}");
    }
    let array: Vec<u8> = r#"[{"eventName":"x"}]"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(decode(&array).1, Err(Error::Utf16));
    let unmarked: Vec<u8> = r#"{"eventName":"x"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (found, _) = decode(&unmarked);
    let text = found[0].as_ref().expect("its brackets match").as_bytes();
    assert_eq!(RawRecord::from(text).unwrapped(), Err(Rejection::Utf16));
}

#[test]
fn log_events_are_cut_and_the_test_of_a_subscription_holds_none() {
    let document = |kind: &str| {
        format!(
            r#"{{"messageType":"{kind}","owner":"1","logGroup":"g","logStream":"s","subscriptionFilters":["f"],"logEvents":[{{"id":"1","timestamp":1,"message":"{{}}"}}]}}"#
        )
    };
    let event = good(&[r#"{"id":"1","timestamp":1,"message":"{}"}"#]);
    assert_eq!(decode(document("DATA_MESSAGE").as_bytes()), (event.clone(), Ok(())));
    assert_eq!(decode(document("CONTROL_MESSAGE").as_bytes()), (Vec::new(), Ok(())));
    let both = [document("CONTROL_MESSAGE"), document("DATA_MESSAGE")].concat();
    assert_eq!(decode(both.as_bytes()), (event, Ok(())), "as Firehose writes them");

    let mut decoder = Decoder::new();
    let text = document("DATA_MESSAGE");
    let mut input = text.as_bytes();
    while decoder.step(&mut input, &mut |_, _| {}).expect("it is whole") {}
    let subscription = decoder.subscription().expect("it has log events");
    assert_eq!((&*subscription.log_group, &*subscription.log_stream), ("g", "s"));
}

/// Any JSON value, as a record might hold it.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        r#"[ -~\\"\[\]{}é\u{1f600}]{0,12}"#.prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::vec((r#"[a-c"\\{]{0,3}"#, inner), 0..4)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Cuts `bytes` at the given places.
fn cut<'a>(bytes: &'a [u8], places: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<_> = places.iter().map(|place| place.index(bytes.len() + 1)).collect();
    places.push(bytes.len());
    places.sort_unstable();
    let mut start = 0;
    places.into_iter().map(|end| &bytes[std::mem::replace(&mut start, end)..end]).collect()
}

proptest! {
    #[test]
    fn any_delivery_gives_its_records_however_it_is_packed_and_cut(
        records in prop::collection::vec(json(), 0..8),
        members in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let text = serde_json::json!({ "Records": records }).to_string();
        let expected: Vec<Found> = records
            .iter()
            .map(|record| if record.is_object() { Ok(record.to_string()) } else { Err(Rejection::NotAnObject) })
            .collect();
        let plain = cut(text.as_bytes(), &cuts);
        prop_assert_eq!(decode_chunks(plain), (expected.clone(), Ok(())));
        let packed: Vec<u8> = cut(text.as_bytes(), &members).into_iter().flat_map(gzip).collect();
        prop_assert_eq!(decode_chunks(cut(&packed, &cuts)), (expected, Ok(())));
    }

    #[test]
    fn any_bytes_end_in_records_or_an_error_the_same_however_they_are_cut(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            r#"[\[\]{}",:\\a\n 1]{0,120}"#.prop_map(String::into_bytes),
            r#"([\[\]{}",:\\a]{0,9}(\n\{")?){0,20}"#.prop_map(String::into_bytes),
            r#"[\[\]{}",:\\a\n 1]{0,120}"#.prop_map(|tail| format!(r#"{{"Records":[{tail}"#).into_bytes()),
            prop::collection::vec(any::<u8>(), 0..200).prop_map(|bytes| gzip(&bytes)),
        ],
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let whole = decode_chunks([&bytes[..]]);
        prop_assert_eq!(decode_chunks(cut(&bytes, &cuts)), whole);
    }

    #[test]
    fn one_flipped_bit_in_gzip_is_an_error_or_changes_nothing(
        records in prop::collection::vec(json(), 1..5),
        place in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let text = serde_json::json!({ "Records": records }).to_string();
        let mut bytes = gzip(text.as_bytes());
        let place = place.index(bytes.len());
        let whole = decode(&bytes);
        // Some bits of a header, and those that pad the last byte of the data, mean nothing.
        bytes[place] ^= 1 << bit;
        let flipped = decode(&bytes);
        prop_assert!(flipped.1.is_err() || flipped == whole, "{:?}", flipped);
    }
}
