use std::fmt::{self, Display, Write};

use crate::query::{Comparison, Glob, Node, Query, Regex, Relation, Subject, Test, Token};

/// The query as KQL that parses to the same tree. What KQL cannot express is printed for people only.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Only EQL has conditions without a test.
            Self::And(nodes) if nodes.is_empty() => f.write_str("everything"),
            Self::Or(nodes) if nodes.is_empty() => f.write_str("nothing"),
            Self::And(nodes) => join(f, nodes, " and "),
            Self::Or(nodes) => join(f, nodes, " or "),
            Self::Not(node) => {
                f.write_str("not ")?;
                child(f, node)
            }
            Self::Field { subject, test, .. } => write!(f, "{subject}{test}"),
            Self::Fields { one, relation, other, any_case } => {
                let case = if *any_case { "~" } else { "" };
                write!(f, "{one} {relation}{case} {other}")
            }
        }
    }
}

fn join(f: &mut fmt::Formatter<'_>, nodes: &[Node], word: &str) -> fmt::Result {
    for (index, node) in nodes.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        child(f, node)?;
    }
    Ok(())
}

/// Parentheses around a joined node keep the shape of the tree.
fn child(f: &mut fmt::Formatter<'_>, node: &Node) -> fmt::Result {
    match node {
        Node::And(_) | Node::Or(_) => write!(f, "({node})"),
        Node::Not(_) | Node::Field { .. } | Node::Fields { .. } => node.fmt(f),
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => field(f, name),
            Self::Record(path) => write!(f, "$.{path}"),
            Self::Anywhere => f.write_str("$..*"),
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equals => "equals",
            Self::StartsWith => "starts with",
            Self::EndsWith => "ends with",
            Self::Contains => "contains",
        })
    }
}

/// `like~` if case is ignored, and a backslash before what is not a wildcard.
impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.any_case() { "like~ \"" } else { "like \"" })?;
        for token in self.tokens() {
            match token {
                Token::Literal(special @ ('*' | '?' | '\\' | '"')) => write!(f, "\\{special}")?,
                Token::Literal(character) => f.write_char(*character)?,
                Token::One => f.write_char('?')?,
                Token::Many => f.write_char('*')?,
            }
        }
        f.write_char('"')
    }
}

impl fmt::Display for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_whole() { "fits " } else { "holds " })?;
        write!(f, "/{}/{}", self.as_str(), self.flags())
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists => f.write_str(": *"),
            Self::Null => f.write_str(": null"),
            Self::Boolean(wanted) => write!(f, ": {wanted}"),
            Self::Number(wanted) => write!(f, ": {wanted}"),
            Self::Text(text) => {
                f.write_str(": ")?;
                quoted(f, text)
            }
            Self::Pattern(pattern) => {
                f.write_str(": ")?;
                for (index, piece) in pattern.pieces().iter().enumerate() {
                    if index > 0 {
                        f.write_char('*')?;
                    }
                    unquoted(f, piece)?;
                }
                Ok(())
            }
            Self::Glob(glob) => write!(f, " {glob}"),
            Self::Regex(regex) => write!(f, " {regex}"),
            Self::Length(wanted) => write!(f, " length = {wanted}"),
            Self::LengthRange(comparison, bound) => write!(f, " length {comparison} {bound}"),
            Self::Network(network, length) => write!(f, ": \"{network}/{length}\""),
            Self::TextRange(comparison, bound) => {
                write!(f, " {comparison} ")?;
                quoted(f, bound)
            }
            Self::NumberRange(comparison, bound) => write!(f, " {comparison} {bound}"),
            Self::AddressRange(comparison, bound) => write!(f, " {comparison} \"{bound}\""),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}

/// A keyword, or a name that is not a plain word, is put in quotes.
fn field(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'@');
    let keyword = ["and", "or", "not"].into_iter().any(|word| name.eq_ignore_ascii_case(word));
    if name.bytes().all(plain) && !keyword { f.write_str(name) } else { quoted(f, name) }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(character)?;
    }
    f.write_char('"')
}

/// Writes text without quotes. Escapes whatever could end it, start a keyword or be trimmed.
fn unquoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for character in text.chars() {
        match character {
            '\\' | '(' | ')' | ':' | '<' | '>' | '"' | '*' | '{' | '}' => write!(f, "\\{character}")?,
            '\t' => f.write_str("\\t")?,
            '\r' => f.write_str("\\r")?,
            // Before "ot", the short escape would read as the escaped keyword "not".
            '\n' => f.write_str("\\u000a")?,
            ' ' => f.write_str("\\u0020")?,
            '\u{a0}' => f.write_str("\\u00a0")?,
            _ => f.write_char(character)?,
        }
    }
    Ok(())
}
