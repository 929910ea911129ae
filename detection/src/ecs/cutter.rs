//! Cuts a JSON object in one pass that checks all of the grammar.

use std::cell::OnceCell;

use wide::u8x16;

use super::cut::{Cut, Key, LISTED_LEVELS, Member, Span};
use crate::records::MAX_LEVELS;

/// CloudTrail's records have up to thirty members, and about as many in the objects that are listed.
const USUAL_MEMBERS: usize = 64;
/// The bytes that are looked at together: as many as a word has bits.
const BLOCK_BYTES: usize = 64;

impl Cut {
    /// Cuts an object that is all of the text. A text is cut if and only if the parser accepts its grammar and the
    /// names of the listed members.
    pub(super) fn of(text: &str) -> Option<Self> {
        let members = Vec::with_capacity(USUAL_MEMBERS);
        let mut cutter =
            Cutter { text, at: 0, block: usize::MAX, stops: 0, members, deepest: 0, has_code_points: false };
        cutter.skip_space();
        cutter.object(1)?;
        cutter.skip_space();
        let can_be_parsed = cutter.deepest <= MAX_LEVELS && !cutter.has_code_points;
        (cutter.at == text.len()).then_some(Self { members: cutter.members, can_be_parsed })
    }
}

/// Reads a text from start to end. A method that returns `None` has found that the text is not JSON.
struct Cutter<'t> {
    text: &'t str,
    at: usize,
    /// The block that was looked at last.
    block: usize,
    /// A bit for each of its bytes that ends a string, begins an escape, or may not occur in a string.
    stops: u64,
    members: Vec<Member>,
    /// The deepest nesting of objects and arrays.
    deepest: usize,
    /// Whether a string has `\u` escapes, which may be halves of surrogate pairs.
    has_code_points: bool,
}

impl Cutter<'_> {
    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        let is_next = self.next() == Some(byte);
        self.at += usize::from(is_next);
        is_next.then_some(())
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.next() {
            self.at += 1;
        }
    }

    /// An object whose members are listed.
    fn object(&mut self, level: usize) -> Option<()> {
        self.take(b'{')?;
        self.deepest = self.deepest.max(level);
        self.skip_space();
        if self.take(b'}').is_some() {
            return Some(());
        }
        loop {
            let index = self.members.len();
            let key = self.key()?;
            let inside = Span { first: index + 1, behind: index + 1 };
            self.members.push(Member { key, place: self.at..self.at, inside, value: OnceCell::new() });
            if level < LISTED_LEVELS && self.next() == Some(b'{') {
                self.object(level + 1)?;
            } else {
                self.value(level)?;
            }
            let behind = self.members.len();
            let member = &mut self.members[index];
            (member.place.end, member.inside.behind) = (self.at, behind);
            self.skip_space();
            if self.take(b',').is_none() {
                return self.take(b'}');
            }
            self.skip_space();
        }
    }

    /// A key and everything up to its value.
    fn key(&mut self) -> Option<Key> {
        let quoted = self.at;
        let has_escapes = self.string()?;
        let key = if has_escapes {
            Key::Written(serde_json::from_str(&self.text[quoted..self.at]).ok()?)
        } else {
            Key::At(quoted + 1..self.at - 1)
        };
        self.colon()?;
        Some(key)
    }

    fn colon(&mut self) -> Option<()> {
        self.skip_space();
        self.take(b':')?;
        self.skip_space();
        Some(())
    }

    /// A value whose members are not listed, at any depth below `level`.
    fn value(&mut self, level: usize) -> Option<()> {
        // The brackets that close what is open, the innermost last.
        let mut open: Vec<u8> = Vec::new();
        loop {
            match self.next()? {
                bracket @ (b'{' | b'[') => {
                    self.at += 1;
                    let closing = if bracket == b'{' { b'}' } else { b']' };
                    open.push(closing);
                    self.deepest = self.deepest.max(level + open.len());
                    self.skip_space();
                    if self.next() != Some(closing) {
                        self.name_in(closing)?;
                        continue;
                    }
                }
                b'"' => _ = self.string()?,
                b'-' | b'0'..=b'9' => self.number()?,
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => return None,
            }
            loop {
                let Some(closing) = open.last().copied() else { return Some(()) };
                self.skip_space();
                if self.take(b',').is_some() {
                    self.skip_space();
                    self.name_in(closing)?;
                    break;
                }
                self.take(closing)?;
                open.pop();
            }
        }
    }

    /// The name of a value, if its container, which ends with `closing`, is an object.
    fn name_in(&mut self, closing: u8) -> Option<()> {
        if closing == b'}' {
            self.string()?;
            self.colon()?;
        }
        Some(())
    }

    /// A string. Returns whether it has escapes.
    #[inline]
    fn string(&mut self) -> Option<bool> {
        self.take(b'"')?;
        let mut has_escapes = false;
        loop {
            self.skip_plain();
            match self.next()? {
                b'"' => {
                    self.at += 1;
                    return Some(has_escapes);
                }
                b'\\' => {
                    has_escapes = true;
                    self.escape()?;
                }
                _ => return None,
            }
        }
    }

    /// Skips to the next byte that is more than a part of a string, or to the end of the text.
    #[inline]
    fn skip_plain(&mut self) {
        while self.at < self.text.len() {
            let (block, place) = (self.at / BLOCK_BYTES, self.at % BLOCK_BYTES);
            if block != self.block {
                self.look_at(block);
            }
            let ahead = self.stops >> place;
            if ahead != 0 {
                self.at += ahead.trailing_zeros() as usize;
                return;
            }
            self.at += BLOCK_BYTES - place;
        }
    }

    #[inline(never)]
    fn look_at(&mut self, block: usize) {
        self.block = block;
        let rest = &self.text.as_bytes()[block * BLOCK_BYTES..];
        self.stops = rest.first_chunk().map_or_else(|| stops(&padded(rest)), stops);
    }

    #[cold]
    fn escape(&mut self) -> Option<()> {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += match rest {
            [_, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
            [_, b'u', digits @ ..] if digits.get(..4)?.iter().all(u8::is_ascii_hexdigit) => {
                self.has_code_points = true;
                6
            }
            _ => return None,
        };
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.take(b'-');
        if self.take(b'0').is_none() {
            self.digits()?;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.next() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.next() {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let rest = &self.text.as_bytes()[self.at..];
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += length;
        (length > 0).then_some(())
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let fits = self.text.as_bytes()[self.at..].starts_with(word.as_bytes());
        self.at += word.len();
        fits.then_some(())
    }
}

/// The end of a text as a block, filled up with zeros, which may not occur in a string.
fn padded(rest: &[u8]) -> [u8; BLOCK_BYTES] {
    let mut block = [0; BLOCK_BYTES];
    block[..rest.len()].copy_from_slice(rest);
    block
}

/// The bytes of a block that end a string, begin an escape, or may not occur in a string.
fn stops(block: &[u8; BLOCK_BYTES]) -> u64 {
    let (quote, backslash, last_control) = (u8x16::splat(b'"'), u8x16::splat(b'\\'), u8x16::splat(0x1f));
    let (lanes, _) = block.as_chunks();
    lanes.iter().rev().fold(0, |stops, lane| {
        let lane = u8x16::new(*lane);
        let found = lane.simd_eq(quote) | lane.simd_eq(backslash) | lane.min(last_control).simd_eq(lane);
        stops << 16 | u64::from(found.to_bitmask())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;
    use serde_json::{Map, Value};

    use super::*;

    /// Compares with the parser: which texts are accepted, and where the members of objects are.
    fn agrees(text: &str) {
        let cut = Cut::of(text);
        let is_object = text.trim_start().starts_with('{');
        let has_grammar = is_object && serde_json::from_str::<&RawValue>(text).is_ok();
        let parsed = serde_json::from_str::<Map<String, Value>>(text).ok();
        // Names may have halves of surrogate pairs, or not: only the parser knows.
        if has_grammar && !text.contains(r"\u") || parsed.is_some() {
            assert!(cut.is_some(), "{text}");
        }
        let Some(cut) = cut else { return };
        assert!(has_grammar, "{text}");
        assert!(parsed.is_some() || !cut.can_be_parsed, "{text}");
        if let Some(parsed) = parsed {
            members_agree(&cut, text, 1, cut.all(), &parsed);
        }
    }

    fn members_agree(cut: &Cut, text: &str, level: usize, among: Span, parsed: &Map<String, Value>) {
        for (key, value) in parsed {
            let member = cut.find(text, among, key).unwrap_or_else(|| panic!("no {key} in {text}"));
            let found: Value = serde_json::from_str(&text[member.place.clone()]).expect("it was parsed");
            assert_eq!(found, *value, "{key} of {text}");
            match value {
                Value::Object(inner) if level < LISTED_LEVELS => {
                    members_agree(cut, text, level + 1, member.inside, inner);
                }
                _ => assert_eq!(member.inside.first, member.inside.behind, "{key} of {text}"),
            }
        }
        assert!(cut.find(text, among, "no such key").is_none(), "{text}");
    }

    #[test]
    fn what_is_no_object_in_json_is_not_cut() {
        let objects = [
            "{}",
            " {\n}\t\r",
            r#"{"a":{"a":{"a":{"a":{"a":1}}}}}"#,
            r#"{"a":{"a":1},"a":{"b":2}}"#,
            r#"{"a":[[],[{}],{"a":[0,-0,1.0,1e5,-2.5E-3,1E+0]}],"b":[true,false,null]}"#,
            r#"{"\u0061":1,"a\"b":"\\","b":"\b\f\n\r\t\/\ud83d\ude00"}"#,
            r#"{"a":"\ud83d"}"#,
        ];
        let others = [
            "",
            " ",
            "{",
            "}",
            "[]",
            "1",
            "null",
            "{}{}",
            "{},",
            "\u{feff}{}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{,"a":1}"#,
            r#"{"a":1 "b":2}"#,
            "{a:1}",
            "{'a':1}",
            r#"{"a":[1,]}"#,
            r#"{"a":[,1]}"#,
            r#"{"a":[1}"#,
            r#"{"a":{"b":1]}"#,
            r#"{"a":[{"b"}]}"#,
            r#"{"a":[{"b":1,}]}"#,
            r#"{"a":01}"#,
            r#"{"a":-}"#,
            r#"{"a":1.}"#,
            r#"{"a":.5}"#,
            r#"{"a":1e}"#,
            r#"{"a":1e+}"#,
            r#"{"a":+1}"#,
            r#"{"a":1x}"#,
            r#"{"a":tru}"#,
            r#"{"a":nul"#,
            r#"{"a":True}"#,
            r#"{"a":NaN}"#,
            r#"{"a":"b}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":"\u12g4"}"#,
            r#"{"a":"\u12"}"#,
            r#"{"a":"\"#,
            r#"{"\ud83d":1}"#,
            "{\"a\":\"\n\"}",
            "{\"a\":\"0123456789abcdef\t\"}",
            "{\"a\":\"\0\"}",
            "{\u{c}}",
        ];
        for text in objects {
            assert!(Cut::of(text).is_some(), "{text}");
            agrees(text);
        }
        for text in others {
            assert!(Cut::of(text).is_none(), "{text}");
            agrees(text);
        }
    }

    #[test]
    fn depth_costs_no_stack_and_is_told() {
        let nested =
            |levels: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels - 1), "]".repeat(levels - 1));
        assert!(Cut::of(&nested(MAX_LEVELS)).is_some_and(|cut| cut.can_be_parsed));
        assert!(Cut::of(&nested(MAX_LEVELS + 1)).is_some_and(|cut| !cut.can_be_parsed));
        assert!(Cut::of(&nested(500_000)).is_some());
        let objects = r#"{"a":"#.repeat(200_000) + "1" + &"}".repeat(200_000);
        assert!(Cut::of(&objects).is_some_and(|cut| !cut.can_be_parsed));
    }

    /// JSON texts, with white space and repeated names.
    fn json() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            Just("null".to_owned()),
            Just("-12.50e+3".to_owned()),
            "-?(0|[1-9][0-9]{0,2})",
            r#""[a-z{}\[\]:, éß☃]{0,40}""#,
            r#""([a-z]{0,3}\\(["\\/bfnrt]|u00[0-7][0-9a-fA-F]|ud83d\\ude00|ud83d)){1,3}""#,
        ];
        let space = "[ \n\t\r]{0,2}";
        let name = prop_oneof![4 => r#""[a-c]""#, 1 => r#""\\u006[1-3]""#, 1 => r#""[a-c]\\n""#, 1 => Just(r#""\udead""#.to_owned())];
        let value = scalar.prop_recursive(6, 48, 4, move |inner| {
            let member = (name.clone(), space, inner.clone(), space)
                .prop_map(|(name, before, value, behind)| format!("{name}{before}:{behind}{value}{before}"));
            prop_oneof![
                3 => prop::collection::vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(", "))),
                1 => prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(" ,"))),
            ]
        });
        (space, value, space).prop_map(|(before, value, behind)| format!("{before}{value}{behind}"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_text_is_cut_as_the_parser_reads_it(text in json()) {
            agrees(&text);
        }

        #[test]
        fn a_text_that_was_damaged_is_refused_where_the_parser_refuses_it(
            text in json(),
            at in any::<prop::sample::Index>(),
            cut in 0_usize..3,
            put in prop::sample::select(vec!["", "\"", "\\", "{", "}", "[", "]", ":", ",", "0", "-", ".", "e", "\u{1f}", " ", "t"]),
        ) {
            let place = text.char_indices().map(|(place, _)| place).nth(at.index(text.chars().count())).unwrap_or(0);
            let rest: String = text[place..].chars().skip(cut).collect();
            agrees(&(text[..place].to_owned() + put + &rest));
        }
    }
}
