//! Words, strings, numbers and signs, each with its location.

use std::ops::Range;

use crate::query::{Decimal, Error};

/// A piece of the text that has a meaning of its own.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A keyword, a name or a dotted name, with the `~` that may follow it.
    Word(String),
    /// A name with a backquoted part: never a keyword.
    Name(String),
    Text(String),
    Number(Decimal),
    Sign(&'static str),
    End,
}

pub(super) type Placed = (Token, Range<usize>);

/// Longer signs come first.
const SIGNS: [&str; 21] = [
    "==", "!=", "<=", ">=", "<", ">", "(", ")", "[", "]", ",", ":", "?", "-", "+", "*", "%", "/", "|", "!",
    "{",
];
/// What is written in other languages, and what to write instead.
const FOREIGN: [(&str, &str); 6] = [
    ("&&", "write and"),
    ("||", "write or"),
    ("=", "write == to compare, or : to ignore case"),
    ("'", "write texts in double quotes"),
    ("`", "close the backquote, or write the name without"),
    ("$", "names start with a letter, _ or @"),
];

/// Every token of a text and one for its end, or those before an error.
pub(super) fn tokens(text: &str) -> (Vec<Placed>, Result<(), Error>) {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    let outcome = loop {
        match lexer.placed() {
            Ok(placed) => {
                let is_end = placed.0 == Token::End;
                tokens.push(placed);
                if is_end {
                    break Ok(());
                }
            }
            Err(error) => break Err(error),
        }
    };
    (tokens, outcome)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    /// Takes characters as long as they are wanted.
    fn run(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|character| !wanted(character)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn error(&self, start: usize, end: usize, reason: impl Into<String>) -> Error {
        Error::spanning(self.text, start..end, reason)
    }

    fn skip_space(&mut self) -> Result<(), Error> {
        loop {
            self.run(char::is_whitespace);
            let start = self.at;
            if self.take("//") {
                self.run(|character| !matches!(character, '\r' | '\n'));
            } else if self.take("/*") {
                let Some(end) = self.rest().find("*/") else {
                    return Err(self
                        .error(start, start + 2, "the comment is not closed")
                        .help("close it with */"));
                };
                self.at += end + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn placed(&mut self) -> Result<Placed, Error> {
        self.skip_space()?;
        let start = self.at;
        Ok((self.token()?, start..self.at))
    }

    fn token(&mut self) -> Result<Token, Error> {
        let start = self.at;
        let Some(first) = self.rest().chars().next() else { return Ok(Token::End) };
        if first == '"' {
            return self.string().map(Token::Text);
        }
        let starts_number = |text: &str| text.starts_with(|digit: char| digit.is_ascii_digit());
        if starts_number(self.rest()) || first == '.' && starts_number(&self.rest()[1..]) {
            return self.number();
        }
        if starts_name(first) || first == '`' && self.rest()[1..].contains('`') {
            return self.name();
        }
        if let Some(sign) = SIGNS.into_iter().find(|sign| self.take(sign)) {
            // Two of them are another language's "or".
            if sign != "|" || !self.rest().starts_with('|') {
                return Ok(Token::Sign(sign));
            }
            self.at = start;
        }
        let foreign = FOREIGN.iter().find(|(sign, _)| self.rest().starts_with(sign));
        let length = foreign.map_or(first.len_utf8(), |(sign, _)| sign.len());
        let found = &self.rest()[..length];
        let error = self.error(start, start + length, format!("{found} means nothing in EQL"));
        Err(match foreign {
            Some((_, help)) => error.help(*help),
            None => error,
        })
    }

    fn number(&mut self) -> Result<Token, Error> {
        let start = self.at;
        let is_digit = |character: char| character.is_ascii_digit();
        self.run(is_digit);
        if self.take(".") {
            self.run(is_digit);
        }
        let before_exponent = self.at;
        if self.take("e") || self.take("E") {
            let _ = self.take("-") || self.take("+");
            if self.run(is_digit).is_empty() {
                self.at = before_exponent;
            }
        }
        let word = self.run(|character| character.is_alphanumeric() || character == '_');
        match Decimal::parse(&self.text[start..self.at]) {
            Some(number) if word.is_empty() => Ok(Token::Number(number)),
            _ => Err(self
                .error(start, self.at, "this is not a number, and names cannot start with a digit")
                .help("write such a name in backquotes, and a text in double quotes")),
        }
    }

    /// A word, or a dotted name of words and backquoted parts.
    fn name(&mut self) -> Result<Token, Error> {
        let start = self.at;
        let (mut name, mut is_quoted) = (String::new(), false);
        loop {
            if self.take("`") {
                is_quoted = true;
                let part = self.run(|character| !matches!(character, '`' | '\r' | '\n'));
                if part.is_empty() || !self.take("`") {
                    return Err(self.error(start, self.at, "the closing backquote is missing"));
                }
                name.push_str(part);
            } else {
                name.push_str(self.run(|character| starts_name(character) || character.is_ascii_digit()));
            }
            let goes_on = self.rest().strip_prefix('.').and_then(|rest| rest.chars().next());
            if !goes_on.is_some_and(|next| starts_name(next) || next == '`') {
                break;
            }
            self.at += 1;
            name.push('.');
        }
        if is_quoted {
            return Ok(Token::Name(name));
        }
        if self.take("~") {
            name.push('~');
        }
        Ok(Token::Word(name))
    }

    fn string(&mut self) -> Result<String, Error> {
        let start = self.at;
        if self.take("\"\"\"") {
            let Some(end) = self.rest().find("\"\"\"") else {
                return Err(self
                    .error(start, start + 3, "the text is not closed")
                    .help(r#"close it with """"#));
            };
            // Up to two quotes before the closing ones belong to the text.
            let more = self.rest()[end + 3..].bytes().take(2).take_while(|byte| *byte == b'"').count();
            let text = &self.rest()[..end + more];
            self.at += end + more + 3;
            return Ok(text.to_owned());
        }
        self.at += 1;
        let mut text = String::new();
        loop {
            text.push_str(self.run(|character| !matches!(character, '"' | '\\' | '\r' | '\n')));
            if self.take("\"") {
                return Ok(text);
            }
            if !self.rest().starts_with('\\') {
                return Err(self.error(start, start + 1, "the closing quote is missing"));
            }
            text.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, Error> {
        let start = self.at;
        self.at += 1;
        let escaped = self.rest().chars().next();
        self.at += escaped.map_or(0, char::len_utf8);
        let character = match escaped {
            Some('b') => Some('\u{8}'),
            Some('t') => Some('\t'),
            Some('n') => Some('\n'),
            Some('f') => Some('\u{c}'),
            Some('r') => Some('\r'),
            Some(itself @ ('"' | '\\')) => Some(itself),
            Some('u') if self.take("{") => {
                let digits = self.run(|digit| digit.is_ascii_hexdigit());
                let valid = (2..=8).contains(&digits.len()) && self.take("}");
                valid.then(|| u32::from_str_radix(digits, 16).ok()).flatten().and_then(char::from_u32)
            }
            _ => None,
        };
        character.ok_or_else(|| {
            self.error(start, self.at, "unknown escape: expected \\ before one of btnfr\"\\, or \\u{XXXX}")
                .help(
                    "write a backslash as \\\\, or the text between three double quotes, where it is itself",
                )
        })
    }
}

fn starts_name(character: char) -> bool {
    character.is_ascii_alphabetic() || matches!(character, '_' | '@')
}
