//! A recursive-descent parser: one function per grammar rule.
//!
//! ```text
//! event      = ( "any" | word | text ) "where" or
//! or         = and { "or" and }
//! and        = not { "and" not }
//! not        = "not" not | test
//! test       = "(" or ")" | operand [ sign operand | [ "not" ] "in" list | ":" patterns | "like" patterns | … ]
//! operand    = [ "?" ] name | name "(" operands ")" | text | number | "true" | "false" | "null" | "(" operand ")"
//! ```

use super::lex::{Placed, Token};
use super::syntax::{Condition, Event, How, Kind, Operand, Place, Sign};
use super::{MAX_DEPTH, MAX_TESTS};
use crate::query::{Comparison, Error};

/// Reserved words. A field with such a name must be written in backquotes.
const KEYWORDS: [&str; 20] = [
    "and", "any", "by", "false", "in", "in~", "join", "like", "like~", "maxspan", "not", "null", "of", "or",
    "regex", "regex~", "sequence", "true", "where", "with",
];
/// Functions that build a value; Elastic's rules for single events hardly use them.
const FUNCTIONS_NOT_RUN: [&str; 15] = [
    "add",
    "arrayContains",
    "arrayCount",
    "arraySearch",
    "between",
    "concat",
    "divide",
    "indexOf",
    "modulo",
    "multiply",
    "number",
    "safe",
    "string",
    "substring",
    "subtract",
];

/// The part of a query that is valid EQL but not run here.
pub(super) fn not_run(text: &str, tokens: &[Placed]) -> Option<Error> {
    const INSTEAD: &str = "write a rule for one of the events, and correlate its signals behind the topic";
    let error = |place: &Place, reason: String| Error::spanning(text, place.clone(), reason);
    if let [(Token::Word(word), place), (next, _), ..] = tokens
        && matches!(word.as_str(), "sequence" | "sample" | "join")
        && *next != Token::Word("where".to_owned())
    {
        return Some(
            error(place, format!("a {word} needs several events: only one event is looked at")).help(INSTEAD),
        );
    }
    tokens.windows(2).find_map(|pair| match pair {
        [(Token::Sign("|"), place), (next, _)] => {
            let pipe = if let Token::Word(word) = next { word.as_str() } else { "" };
            Some(error(place, format!("the pipe {pipe} needs several events: only one event is looked at")).help(INSTEAD))
        }
        [(Token::Word(name), place), (Token::Sign("("), _)]
            if FUNCTIONS_NOT_RUN.contains(&name.trim_end_matches('~')) =>
        {
            Some(error(place, format!("the function {name} is not supported")).help(
                "use stringContains, startsWith, endsWith, length, cidrMatch, wildcard or match, or like and regex",
            ))
        }
        [(Token::Sign(sign @ ("+" | "*" | "/" | "%")), place), _] => {
            Some(error(place, format!("arithmetic ({sign}) is not supported")))
        }
        [(Token::Sign("["), place), (Token::Number(_), _)] => {
            Some(error(place, "choosing one element of an array is not supported".to_owned()).help("leave the index out: any element will do"))
        }
        _ => None,
    })
}

pub(super) fn event(text: &str, tokens: &[Placed]) -> Result<Event, Error> {
    let mut parser = Parser { text, tokens, at: 0, depth: 0, tests: 0 };
    let category = match parser.next() {
        (Token::Word(word), place)
            if !KEYWORDS.contains(&word.as_str()) || word == "sequence" || word == "join" =>
        {
            Some((word.clone(), place.clone()))
        }
        (Token::Word(word), _) if word == "any" => None,
        (Token::Text(word), place) => Some((word.clone(), place.clone())),
        _ => {
            parser.at = 0;
            return Err(parser.expected("any or an event category").help("start with: any where"));
        }
    };
    if !parser.keyword("where") {
        return Err(parser.expected("where").help("a query reads: any where field == \"value\""));
    }
    let condition = parser.or()?;
    match parser.peek() {
        Token::End => Ok(Event { category, condition }),
        _ => Err(parser.expected("and, or or the end of the query")),
    }
}

struct Parser<'a> {
    text: &'a str,
    /// The last one marks the end.
    tokens: &'a [Placed],
    at: usize,
    depth: usize,
    tests: usize,
}

impl<'a> Parser<'a> {
    fn or(&mut self) -> Result<Condition, Error> {
        self.joined("or", Condition::Or, |parser| parser.joined("and", Condition::And, Self::not))
    }

    fn joined(
        &mut self,
        word: &str,
        join: fn(Vec<Condition>) -> Condition,
        part: impl Fn(&mut Self) -> Result<Condition, Error>,
    ) -> Result<Condition, Error> {
        let mut parts = vec![part(self)?];
        while self.keyword(word) {
            parts.push(part(self)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { join(parts) })
    }

    fn not(&mut self) -> Result<Condition, Error> {
        if self.keyword("not") {
            return self.nested(Self::not).map(|condition| Condition::Not(Box::new(condition)));
        }
        self.test()
    }

    fn test(&mut self) -> Result<Condition, Error> {
        let operand = if self.sign("(") {
            let inner = self.nested(Self::or)?;
            self.close()?;
            // Anything that can be compared may be in parentheses.
            match inner {
                Condition::Operand(operand) => operand,
                condition => return Ok(condition),
            }
        } else {
            self.operand()?
        };
        self.tests += 1;
        if self.tests > MAX_TESTS {
            return Err(self.error(&operand.place, format!("more than {MAX_TESTS} tests")));
        }
        if let Some(sign) = self.comparison() {
            let right = self.operand()?;
            return Ok(Condition::Compare(operand, sign, right));
        }
        let negated = self.keyword("not");
        if let Some(any_case) = self.case_of("in") {
            let values = self.list("a value", Self::operand)?;
            let test = Condition::In { operand, any_case, values };
            return Ok(if negated { Condition::Not(Box::new(test)) } else { test });
        }
        if negated {
            return Err(self
                .expected("in behind not")
                .help("write not before the field: not field like \"…\""));
        }
        let how = if self.sign(":") {
            Some(How::Like { any_case: true })
        } else if let Some(any_case) = self.case_of("like") {
            Some(How::Like { any_case })
        } else {
            self.case_of("regex").map(|any_case| How::Regex { any_case })
        };
        let Some(how) = how else { return Ok(Condition::Operand(operand)) };
        let patterns = if *self.peek() == Token::Sign("(") {
            self.list("a text", Self::pattern)?
        } else {
            vec![self.pattern()?]
        };
        Ok(Condition::Match { operand, how, patterns })
    }

    fn operand(&mut self) -> Result<Operand, Error> {
        let (token, place) = self.next();
        let start = place.start;
        let kind = match token {
            Token::Text(text) => Kind::Text(text.clone()),
            Token::Number(number) => Kind::Number(number.clone()),
            Token::Sign("-") => match self.next() {
                (Token::Number(number), _) => Kind::Number(number.clone().negated()),
                _ => return Err(self.back().expected("a number behind -")),
            },
            Token::Sign("?") => match self.next() {
                (Token::Word(name) | Token::Name(name), _) => {
                    Kind::Field { name: name.clone(), optional: true }
                }
                (Token::Text(_), _) => {
                    return Err(self
                        .back()
                        .expected("a field behind ?")
                        .help("write raw texts between three double quotes"));
                }
                _ => return Err(self.back().expected("a field behind ?")),
            },
            Token::Sign("(") => {
                let operand = self.nested(Self::operand)?;
                self.close()?;
                return Ok(operand);
            }
            Token::Word(word) if *self.peek() == Token::Sign("(") && !KEYWORDS.contains(&word.as_str()) => {
                let arguments = self.list("an argument", Self::operand)?;
                let (name, any_case) = match word.strip_suffix('~') {
                    Some(name) => (name, true),
                    None => (word.as_str(), false),
                };
                Kind::Call { name: name.to_owned(), any_case, arguments }
            }
            Token::Word(word) => match word.as_str() {
                "true" | "false" => Kind::Boolean(word == "true"),
                "null" => Kind::Null,
                _ if KEYWORDS.contains(&word.as_str()) || word.ends_with('~') => {
                    return Err(self.back().expected("a field, a value or a function"));
                }
                _ => Kind::Field { name: word.clone(), optional: false },
            },
            Token::Name(name) => Kind::Field { name: name.clone(), optional: false },
            Token::Sign(_) | Token::End => {
                return Err(self.back().expected("a field, a value or a function"));
            }
        };
        let end = self.tokens[self.at.saturating_sub(1)].1.end;
        Ok(Operand { kind, place: start..end })
    }

    fn pattern(&mut self) -> Result<(String, Place), Error> {
        match self.next() {
            (Token::Text(text), place) => Ok((text.clone(), place.clone())),
            (Token::Number(_) | Token::Word(_), _) => {
                Err(self.back().expected("a text in double quotes").help("compare other values with =="))
            }
            _ => Err(self.back().expected("a text in double quotes")),
        }
    }

    fn list<T>(&mut self, what: &str, item: fn(&mut Self) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        if !self.sign("(") {
            return Err(self.expected("("));
        }
        if *self.peek() == Token::Sign(")") {
            return Err(self.expected(what));
        }
        let mut items = Vec::new();
        loop {
            items.push(self.nested(item)?);
            self.tests += 1;
            if self.tests > MAX_TESTS {
                return Err(self.back().here(format!("more than {MAX_TESTS} tests")));
            }
            if self.sign(")") {
                return Ok(items);
            }
            if !self.sign(",") {
                return Err(self.expected("a comma or )"));
            }
        }
    }

    fn close(&mut self) -> Result<(), Error> {
        if self.sign(")") { Ok(()) } else { Err(self.expected("and, or or )")) }
    }

    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth == MAX_DEPTH {
            return Err(self.here(format!("nested more than {MAX_DEPTH} deep")));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn comparison(&mut self) -> Option<Sign> {
        [
            ("==", Sign::Equal),
            ("!=", Sign::NotEqual),
            ("<=", Sign::Order(Comparison::LessOrEqual)),
            ("<", Sign::Order(Comparison::Less)),
            (">=", Sign::Order(Comparison::GreaterOrEqual)),
            (">", Sign::Order(Comparison::Greater)),
        ]
        .into_iter()
        .find_map(|(sign, meaning)| self.sign(sign).then_some(meaning))
    }

    /// Takes a keyword and returns whether it ignores case.
    fn case_of(&mut self, word: &str) -> Option<bool> {
        let found = self.keyword(word);
        (found || self.keyword(&format!("{word}~"))).then_some(!found)
    }

    fn peek(&self) -> &'a Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)].0
    }

    fn next(&mut self) -> &'a Placed {
        let token = &self.tokens[self.at.min(self.tokens.len() - 1)];
        self.at += 1;
        token
    }

    fn back(&mut self) -> &mut Self {
        self.at -= 1;
        self
    }

    fn keyword(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(found) if found == word);
        self.at += usize::from(found);
        found
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(found) if *found == sign);
        self.at += usize::from(found);
        found
    }

    fn expected(&self, what: &str) -> Error {
        let found = match self.peek() {
            Token::End => "the end".to_owned(),
            _ => self.text[self.tokens[self.at].1.clone()].chars().take(40).collect(),
        };
        self.here(format!("expected {what}, found {found}"))
    }

    fn here(&self, reason: String) -> Error {
        self.error(&self.tokens[self.at.min(self.tokens.len() - 1)].1, reason)
    }

    fn error(&self, place: &Place, reason: String) -> Error {
        Error::spanning(self.text, place.clone(), reason)
    }
}
