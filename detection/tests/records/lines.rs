//! Lines of records, of which some are broken.

use detection::records::{Error, MAX_RECORD_BYTES, Rejection};
use proptest::prelude::*;

use super::{Found, cut, decode, decode_chunks, json};

#[test]
fn a_broken_line_costs_no_other_line() {
    let good = |name: &str| format!(r#"{{"eventVersion":"1.08","eventName":"{name}","a":{{"b":[1]}}}}"#);
    let unbalanced: Found = Err(Rejection::Unbalanced);
    let broken = [
        // Without its last brace, cut off inside a string, behind a colon, behind a bracket, and with a quote too many.
        r#"{"eventVersion":"1.08","a":{"b":1}"#,
        r#"{"eventVersion":"1.08","eventName":"Upd"#,
        r#"{"eventVersion":"1.08","eventName":"#,
        r#"{"eventVersion":"1.08","a":["#,
        r#"{"eventVersion":"1.08","a":"}"{"}"#,
        r#"{"eventVersion":"1.08","Records":"#,
    ];
    let texts = |lines: &[&str], good: &[&str]| -> Vec<Found> {
        let is_good = |line: &&str| good.contains(line);
        let found = |line: &&str| if is_good(line) { Ok((*line).to_owned()) } else { unbalanced.clone() };
        lines.iter().map(found).collect()
    };
    let (first, second, third) = (good("A"), good("B"), good("C"));
    let all = [&*first, &*second, &*third];
    for one in broken {
        for lines in [
            [&*first, one, &*second, &*third],
            [one, &*first, &*second, &*third],
            [&*first, one, broken[0], &*third],
        ] {
            let text = lines.join("\n");
            let expected = (texts(&lines, &all), Ok(()));
            assert_eq!(decode(text.as_bytes()), expected, "{text}");
            assert_eq!(decode(lines.join("\r\n").as_bytes()).0.len(), lines.len(), "{text}");
            let bytes: Vec<_> = text.as_bytes().chunks(1).collect();
            assert_eq!(decode_chunks(bytes), expected, "byte by byte: {text}");
        }
        // In an array, an open bracket holds the records that follow.
        if one.ends_with('[') {
            continue;
        }
        let lines = [&*first, one, &*second, &*third];
        let text = format!("{{\"Records\":[\n{}\n]}}", lines.join(",\n"));
        assert_eq!(decode(text.as_bytes()), (texts(&lines, &all), Ok(())), "{text}");
    }
    // Of the last line, nothing follows that would show where it ends.
    let cut = format!("{first}\n{}\n{second}\n{}", broken[0], broken[1]);
    let (found, outcome) = decode(cut.as_bytes());
    assert_eq!(found, texts(&[&first, broken[0], &second], &all));
    assert_eq!(outcome, Err(Error::Unfinished { records: 3, byte: cut.len() as u64 }));
}

#[test]
fn a_broken_line_before_more_text_than_a_record_can_hold_costs_no_other_line() {
    let line = format!(r#"{{"eventName":"x","a":"{}"}}"#, "b".repeat(1000));
    let large = format!(r#"{{"eventName":"x","a":"{}"}}"#, "b".repeat(MAX_RECORD_BYTES));
    let mut lines = vec![&*line; 3000];
    (lines[7], lines[2000], lines[2500]) = (&line[..500], &line[..line.len() - 1], &large);
    let text = lines.join("\n");
    let (found, outcome) = decode(text.as_bytes());
    assert_eq!((found.len(), outcome), (3000, Ok(())));
    let rejected: Vec<_> =
        (0..).zip(&found).filter_map(|(place, found)| Some((place, found.as_ref().err()?))).collect();
    assert_eq!(
        rejected,
        [(7, &Rejection::Unbalanced), (2000, &Rejection::Unbalanced), (2500, &Rejection::TooLarge)]
    );
    let cuts: Vec<_> = text.as_bytes().chunks(4099).collect();
    assert_eq!(decode_chunks(cuts).0, found);
}

proptest! {
    #[test]
    fn any_line_that_is_cut_off_is_rejected_alone(
        // A bracket in a string of the next line might close what was cut off.
        records in prop::collection::vec(json().prop_filter("an object, no brackets in strings", |json| {
            let is_object = json.as_object().is_some_and(|map| !map.is_empty());
            is_object && !json.to_string().contains(['[', ']']) && json.to_string().matches('}').count() == 1
        }), 2..8),
        broken in any::<prop::sample::Index>(),
        length in any::<prop::sample::Index>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut lines: Vec<_> = records.iter().map(ToString::to_string).collect();
        // At least the brace and the quote that the first key begins with.
        let broken = broken.index(lines.len() - 1);
        let mut length = 2 + length.index(lines[broken].len() - 2);
        while !lines[broken].is_char_boundary(length) {
            length -= 1;
        }
        lines[broken].truncate(length);
        let expected = lines.iter().enumerate().map(|(place, line)| {
            if place == broken { Err(Rejection::Unbalanced) } else { Ok(line.clone()) }
        });
        let text = lines.join("\n");
        prop_assert_eq!(decode_chunks(cut(text.as_bytes(), &cuts)), (expected.collect(), Ok(())));
    }
}
