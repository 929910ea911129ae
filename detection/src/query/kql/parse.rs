//! A recursive-descent parser: one function per grammar rule.
//!
//! ```text
//! or         = and { "or" and }
//! and        = not { "and" not }
//! not        = [ "not" ] primary
//! primary    = "(" or ")" | field ":" ( list | value ) | field ( "<" | "<=" | ">" | ">=" ) value
//! list       = "(" or-of-values ")"            the same three rules, with values instead of fields
//! ```

use std::ops::Range;

use super::values;
use crate::query::{Comparison, Error, Field, Kind, Node, Parsed, Test};

const UNKNOWN_ESCAPE: &str =
    "unknown escape: expected \\ before one of \\():<>\"*{}, t, r, n, uXXXX, and, or, not";

/// No query written by a person nests deeper than this.
const MAX_DEPTH: usize = 64;

type Schema<'a> = &'a dyn Fn(&str) -> Result<Field, String>;

pub(in crate::query) fn parse(text: &str, schema: Schema<'_>) -> Result<Parsed, Vec<Error>> {
    let mut parser = Parser { text, at: 0, depth: 0, schema, refusals: Vec::new(), places: Vec::new() };
    let node = parser.or(&Parser::primary).and_then(|node| match parser.peek() {
        None => Ok(node),
        Some(_) => Err(parser.expected("\"and\", \"or\" or the end of the query")),
    });
    match node {
        Err(error) => Err(vec![error]),
        Ok(root) if parser.refusals.is_empty() => Ok(Parsed { root, places: parser.places }),
        Ok(_) => Err(parser.refusals),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    schema: Schema<'a>,
    /// Well-formed parts that cannot be used: the parser continues, to report them all.
    refusals: Vec<Error>,
    places: Vec<Range<usize>>,
}

/// A field or a value: the strings between its wildcards.
pub(super) struct Literal {
    pub(super) pieces: Vec<String>,
    pub(super) quoted: bool,
    place: Range<usize>,
}

/// The field that values are compared with: its name, and its kind unless the schema refused it.
type Named = (String, Option<Kind>);

impl Parser<'_> {
    fn or(&mut self, operand: &dyn Fn(&mut Self) -> Result<Node, Error>) -> Result<Node, Error> {
        self.joined("or", Node::Or, &|parser| parser.joined("and", Node::And, &|parser| parser.not(operand)))
    }

    fn joined(
        &mut self,
        word: &str,
        join: fn(Vec<Node>) -> Node,
        operand: &dyn Fn(&mut Self) -> Result<Node, Error>,
    ) -> Result<Node, Error> {
        let first = operand(self)?;
        let mut nodes = vec![first];
        while self.keyword(word) {
            nodes.push(operand(self)?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { join(nodes) })
    }

    fn not(&mut self, operand: &dyn Fn(&mut Self) -> Result<Node, Error>) -> Result<Node, Error> {
        if self.keyword("not") {
            self.nested(|parser| parser.not(operand)).map(|node| Node::Not(Box::new(node)))
        } else {
            operand(self)
        }
    }

    fn primary(&mut self) -> Result<Node, Error> {
        if self.take("(") {
            return self.group(&Self::primary);
        }
        let name = self.literal("a field")?;
        let place = name.place.clone();
        if self.take(":") {
            let field = self.field(name);
            if self.peek() == Some('{') {
                return Err(self.error(self.at, "nested queries mean nothing without an index"));
            }
            if self.take("(") {
                return self.group(&|parser| parser.list_item(&field));
            }
            return self.value(&field);
        }
        let Some(comparison) = self.comparison() else {
            return Err(Error::spanning(
                self.text,
                place,
                "a value without a field means nothing without an index: expected \":\", \"<\", \"<=\", \">\" or \">=\" behind a field",
            ));
        };
        let (name, kind) = self.field(name);
        let bound = self.literal("a bound")?;
        let test = kind.map(|kind| values::range(kind, comparison, &bound));
        Ok(self.node(name, kind, test, bound.place))
    }

    /// One value inside `field: (…)`, or a group of them.
    fn list_item(&mut self, field: &Named) -> Result<Node, Error> {
        if self.take("(") { self.group(&|parser| parser.list_item(field)) } else { self.value(field) }
    }

    /// The part up to the closing parenthesis. The opening one is already taken.
    fn group(&mut self, operand: &dyn Fn(&mut Self) -> Result<Node, Error>) -> Result<Node, Error> {
        let node = self.nested(|parser| parser.or(operand))?;
        if self.take(")") { Ok(node) } else { Err(self.expected("\"and\", \"or\" or \")\"")) }
    }

    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Result<Node, Error>) -> Result<Node, Error> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(self.at, format!("nested more than {MAX_DEPTH} deep")));
        }
        self.depth += 1;
        let node = inner(self);
        self.depth -= 1;
        node
    }

    fn value(&mut self, (name, kind): &Named) -> Result<Node, Error> {
        let value = self.literal("a value")?;
        let test = kind.map(|kind| values::equality(kind, &value));
        Ok(self.node(name.clone(), *kind, test, value.place))
    }

    /// The node for a field and its test. A refused test is recorded, and a placeholder takes its place.
    fn node(
        &mut self,
        name: String,
        kind: Option<Kind>,
        test: Option<Result<Test, String>>,
        place: Range<usize>,
    ) -> Node {
        self.places.push(place.clone());
        let test = test.unwrap_or(Ok(Test::Null)).unwrap_or_else(|reason| {
            self.refusals.push(Error::spanning(self.text, place, reason));
            Test::Null
        });
        Node::Field { subject: name.into(), kind: kind.unwrap_or(Kind::Keyword), test }
    }

    fn field(&mut self, mut name: Literal) -> Named {
        let kind = if name.pieces.len() > 1 {
            Err("wildcards in field names mean nothing without an index".to_owned())
        } else if name.pieces[0].is_empty() {
            Err("a field needs a name".to_owned())
        } else {
            (self.schema)(&name.pieces[0]).map(|field| field.kind)
        };
        let kind = kind
            .map_err(|reason| self.refusals.push(Error::spanning(self.text, name.place.clone(), reason)))
            .ok();
        (name.pieces.swap_remove(0), kind)
    }

    fn comparison(&mut self) -> Option<Comparison> {
        [
            ("<=", Comparison::LessOrEqual),
            ("<", Comparison::Less),
            (">=", Comparison::GreaterOrEqual),
            (">", Comparison::Greater),
        ]
        .into_iter()
        .find_map(|(sign, comparison)| self.take(sign).then_some(comparison))
    }

    fn literal(&mut self, what: &str) -> Result<Literal, Error> {
        self.skip_space();
        let offset = self.at;
        if self.take("\"") {
            let pieces = vec![self.quoted(offset)?];
            return Ok(Literal { pieces, quoted: true, place: offset..self.at });
        }
        let pieces = self.unquoted()?;
        if pieces.len() == 1 && pieces[0].is_empty() {
            return Err(self.expected(what));
        }
        let length = self.text[offset..self.at].trim_end_matches(is_space).len();
        Ok(Literal { pieces, quoted: false, place: offset..offset + length })
    }

    fn quoted(&mut self, start: usize) -> Result<String, Error> {
        let mut text = String::new();
        while let Some(character) = self.next() {
            match character {
                '"' => return Ok(text),
                '\\' => text.push(self.escape(&['"', '\\']).unwrap_or('\\')),
                _ => text.push(character),
            }
        }
        Err(self.error(start, "the closing quote is missing"))
    }

    /// An unquoted literal continues across spaces up to a special character or a keyword between spaces.
    fn unquoted(&mut self) -> Result<Vec<String>, Error> {
        const SPECIAL: [char; 10] = ['\\', '(', ')', ':', '<', '>', '"', '*', '{', '}'];
        let mut pieces = vec![String::new()];
        let mut spaces = String::new();
        while let Some(character) = self.text[self.at..].chars().next() {
            let started = pieces.len() > 1 || !pieces[0].is_empty();
            if !started && self.at_keyword(&["not"])
                || !spaces.is_empty() && self.at_keyword(&["and", "or", "not"])
            {
                break;
            }
            if is_space(character) {
                spaces.push(character);
                self.at += character.len_utf8();
                continue;
            }
            let start = self.at;
            let plain = match character {
                '*' => {
                    self.at += 1;
                    None
                }
                '\\' => {
                    self.at += 1;
                    let escaped = self.escaped_keyword().or_else(|| self.escape(&SPECIAL));
                    Some(escaped.ok_or_else(|| self.error(start, UNKNOWN_ESCAPE))?)
                }
                _ if SPECIAL.contains(&character) => break,
                _ => {
                    self.at += character.len_utf8();
                    Some(character)
                }
            };
            // Spaces belong to the literal only when something follows them.
            if let Some(piece) = pieces.last_mut() {
                piece.push_str(&std::mem::take(&mut spaces));
                piece.extend(plain);
            }
            if plain.is_none() {
                pieces.push(String::new());
            }
        }
        Ok(pieces)
    }

    /// What follows a backslash that is already taken: one of `special`, a control letter or `uXXXX`.
    fn escape(&mut self, special: &[char]) -> Option<char> {
        let rest = &self.text[self.at..];
        let next = rest.chars().next()?;
        let (character, length) = match next {
            't' => ('\t', 1),
            'r' => ('\r', 1),
            'n' => ('\n', 1),
            'u' => unicode(rest)?,
            _ if special.contains(&next) => (next, next.len_utf8()),
            _ => return None,
        };
        self.at += length;
        Some(character)
    }

    /// `\and`, `\or`, `\not`: the word without its special meaning. Takes the first letter; the others are plain.
    fn escaped_keyword(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        let starts =
            |word: &str| rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        // If no keyword can be meant, \n is a line break.
        let escaped = starts("and") || starts("or") || starts_word(rest, "not");
        escaped.then(|| self.next()).flatten()
    }

    /// Takes a keyword, which must be a whole word.
    fn keyword(&mut self, word: &str) -> bool {
        self.skip_space();
        let found = self.at_keyword(&[word]);
        if found {
            self.at += word.len();
        }
        found
    }

    /// A keyword counts only before a space, a parenthesis or the end, where its operand is missing.
    fn at_keyword(&self, words: &[&str]) -> bool {
        let rest = &self.text[self.at..];
        words.iter().any(|word| {
            let ends = |next| is_space(next) || matches!(next, '(' | ')');
            starts_word(rest, word) && rest[word.len()..].chars().next().is_none_or(ends)
        })
    }

    fn take(&mut self, sign: &str) -> bool {
        self.skip_space();
        let found = self.text[self.at..].starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    fn peek(&mut self) -> Option<char> {
        self.skip_space();
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.text[self.at..].chars().next()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.text[self.at..].trim_start_matches(is_space).len();
    }

    fn expected(&mut self, what: &str) -> Error {
        let found = match self.peek() {
            None => "the end".to_owned(),
            Some(character) => format!("{character:?}"),
        };
        self.error(self.at, format!("expected {what}, found {found}"))
    }

    fn error(&self, offset: usize, reason: impl Into<String>) -> Error {
        Error::new(self.text, offset, reason)
    }
}

/// KQL's own set of spaces.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n' | '\u{a0}')
}

/// Returns whether `text` starts with `word`, in any case, and the word ends there.
fn starts_word(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
        && !text[word.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '_')
}

/// `uXXXX`, or two of them that form a UTF-16 surrogate pair: the character, and the bytes it takes.
fn unicode(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 4)?;
        let valid = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        valid.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
    };
    let first = unit(1)?;
    if let Some(character) = char::from_u32(first.into()) {
        return Some((character, 5));
    }
    let second = text.get(5..7).filter(|escape| *escape == "\\u").and_then(|_| unit(7))?;
    let character = char::decode_utf16([first, second]).next()?.ok()?;
    Some((character, 11))
}
