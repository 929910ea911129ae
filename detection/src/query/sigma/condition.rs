//! Conditions: how detections are joined.
//!
//! ```text
//! or      = and { "or" and }
//! and     = not { "and" not }
//! not     = "not" not | primary
//! primary = "(" or ")" | ( "1" | "any" | "all" ) "of" ( "them" | pattern ) | name
//! ```

use super::{Item, Problem};
use crate::query::{Node, Pattern};

/// No condition written by a person nests deeper than this.
const MAX_DEPTH: usize = 64;
/// The maximum number of tests in a condition, counting a detection each time it is named.
pub(super) const MAX_TESTS: usize = 50_000;

/// A named detection; `None` if it has a mistake.
pub(super) type Detection<'a> = (&'a str, Option<Node>);

/// Joins `detections` as the condition says.
pub(super) fn parse(condition: &Item, detections: &[Detection<'_>]) -> Result<Node, Problem> {
    let Some(text) = condition.text() else {
        return Err(Problem::wrong(&condition.place, "a condition must be a text, or a list of texts"));
    };
    let mut parser = Parser { text, at: 0, depth: 0, tests: 0, condition, detections };
    let node = parser.or()?;
    match parser.peek() {
        "" => Ok(node),
        "|" => Err(parser.aggregation()),
        word => {
            Err(parser.error(format!("expected \"and\", \"or\" or the end of the condition, found {word}")))
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    tests: usize,
    condition: &'a Item,
    detections: &'a [Detection<'a>],
}

impl<'a> Parser<'a> {
    fn or(&mut self) -> Result<Node, Problem> {
        self.joined("or", Node::Or, Self::and)
    }

    fn and(&mut self) -> Result<Node, Problem> {
        self.joined("and", Node::And, Self::not)
    }

    fn joined(
        &mut self,
        word: &str,
        join: fn(Vec<Node>) -> Node,
        operand: fn(&mut Self) -> Result<Node, Problem>,
    ) -> Result<Node, Problem> {
        let mut nodes = vec![operand(self)?];
        while self.take(word) {
            nodes.push(operand(self)?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { join(nodes) })
    }

    fn not(&mut self) -> Result<Node, Problem> {
        if self.take("not") {
            self.nested(Self::not).map(|node| Node::Not(Box::new(node)))
        } else {
            self.primary()
        }
    }

    fn primary(&mut self) -> Result<Node, Problem> {
        if self.take("(") {
            let node = self.nested(Self::or)?;
            return match self.peek() {
                ")" => {
                    self.next();
                    Ok(node)
                }
                "|" => Err(self.aggregation()),
                "" => Err(self.error("expected \")\", found the end of the condition")),
                word => Err(self.error(format!("expected \"and\", \"or\" or \")\", found {word}"))),
            };
        }
        let word = self.peek();
        let is_name = !matches!(word, "" | ")" | "|") && !is_one_of(word, &["and", "or"]);
        if !is_name {
            let found = if word.is_empty() { "the end of the condition" } else { word };
            return Err(self.error(format!("expected the name of a detection, found {found}")));
        }
        let start = self.at;
        self.next();
        if self.peek().eq_ignore_ascii_case("of") {
            self.next();
            return self.some_of(word, start);
        }
        self.named(word, start)
    }

    fn named(&mut self, name: &str, start: usize) -> Result<Node, Problem> {
        if let Some((_, detection)) = self.detections.iter().find(|(known, _)| *known == name) {
            return self.use_of(detection.as_ref());
        }
        if name == "near" {
            return Err(
                self.not_run(start, "near correlates several events; correlate signals behind the topic")
            );
        }
        let reason = if name.contains('*') {
            format!("{name} names no detection: expected \"1 of {name}\" or \"all of {name}\"")
        } else {
            let known: Vec<_> = self.detections.iter().map(|(name, _)| *name).collect();
            format!("no detection has the name {name}: expected one of {}", known.join(", "))
        };
        Err(self.at(start, reason))
    }

    /// The name or pattern after `1 of`, `any of` or `all of`.
    fn some_of(&mut self, quantity: &str, start: usize) -> Result<Node, Problem> {
        let join = if is_one_of(quantity, &["1", "any"]) {
            Node::Or
        } else if is_one_of(quantity, &["all"]) {
            Node::And
        } else {
            let reason =
                format!("{quantity} of is not supported: expected \"1 of\", \"any of\" or \"all of\"");
            return Err(self.at(start, reason));
        };
        let pattern = self.peek();
        if matches!(pattern, "" | "(" | ")" | "|") {
            return Err(self.error("expected \"them\" or a name with \"*\" behind \"of\""));
        }
        let start = self.at;
        self.next();
        let them = pattern.eq_ignore_ascii_case("them");
        let is_meant = |name: &str| if them { !name.starts_with('_') } else { fits(pattern, name) };
        let meant: Vec<_> = self.detections.iter().filter(|(name, _)| is_meant(name)).collect();
        if meant.is_empty() {
            return Err(self.at(start, format!("no detection has a name that matches {pattern}")));
        }
        let nodes = meant.into_iter().map(|(_, detection)| self.use_of(detection.as_ref()));
        let mut nodes = nodes.collect::<Result<Vec<_>, _>>()?;
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { join(nodes) })
    }

    /// A copy of a detection, or a placeholder for one with a mistake, which is reported, so the rule is not used.
    fn use_of(&mut self, detection: Option<&Node>) -> Result<Node, Problem> {
        let Some(node) = detection else { return Ok(Node::Or(Vec::new())) };
        self.tests += leaves(node);
        if self.tests > MAX_TESTS {
            return Err(self.error(format!("the condition comes to more than {MAX_TESTS} tests")));
        }
        Ok(node.clone())
    }

    fn nested(&mut self, inner: fn(&mut Self) -> Result<Node, Problem>) -> Result<Node, Problem> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(format!("the condition nests deeper than {MAX_DEPTH} levels")));
        }
        let node = inner(self);
        self.depth -= 1;
        node
    }

    fn aggregation(&mut self) -> Problem {
        let start = self.at;
        self.next();
        let function = self.peek();
        let function = function.split('(').next().unwrap_or_default();
        let reason = format!(
            "the aggregation \"| {function}\" counts or correlates several events; do that with the signals behind the topic"
        );
        self.not_run(start, &reason)
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek().eq_ignore_ascii_case(word);
        if found {
            self.next();
        }
        found
    }

    /// The next word or sign, with `at` moved to its beginning; empty at the end.
    fn peek(&mut self) -> &'a str {
        let rest = self.text[self.at..].trim_start();
        self.at = self.text.len() - rest.len();
        let is_sign = |character: char| matches!(character, '(' | ')' | '|');
        match rest.chars().next() {
            Some(sign) if is_sign(sign) => &rest[..1],
            _ => {
                let end = rest.find(|next: char| next.is_whitespace() || is_sign(next));
                &rest[..end.unwrap_or(rest.len())]
            }
        }
    }

    fn next(&mut self) {
        self.at += self.peek().len();
    }

    fn error(&self, reason: impl Into<String>) -> Problem {
        self.at(self.at, reason)
    }

    fn at(&self, offset: usize, reason: impl Into<String>) -> Problem {
        Problem::wrong(&self.place(offset), reason)
    }

    fn not_run(&self, offset: usize, reason: &str) -> Problem {
        Problem::not_run(&self.place(offset), reason)
    }

    /// The location in the file of a part of the condition.
    fn place(&self, offset: usize) -> std::ops::Range<usize> {
        let place = &self.condition.place;
        if place.len() == self.text.len() { place.start + offset..place.end } else { place.clone() }
    }
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// Returns whether a pattern, in which `*` stands for any text, matches a name.
fn fits(pattern: &str, name: &str) -> bool {
    Pattern::new(pattern.split('*').map(str::to_owned).collect()).matches(name)
}

pub(super) fn leaves(node: &Node) -> usize {
    match node {
        Node::And(nodes) | Node::Or(nodes) => nodes.iter().map(leaves).sum(),
        Node::Not(node) => leaves(node),
        _ => 1,
    }
}
