//! Values: strings with wildcards, and what a modifier makes of them.

use super::field::{Field, Flags, Operator};
use super::{Content, Item, Key, Problem, pcre, record};
use crate::query::kql::network;
use crate::query::{Comparison, Decimal, Glob, Kind, Node, Regex, Relation, Subject, Test, Token};

/// One value of a field as a test.
pub(super) fn test(field: &Field, item: &Item) -> Result<Node, Problem> {
    let wrong = |reason: String| Err(Problem::wrong(&item.place, reason));
    let text = match &item.content {
        Content::Text(text) => text,
        Content::Null if field.operator == Operator::Equals => return Ok(not(exists(field))),
        Content::Null if field.subject == Subject::Anywhere => {
            return wrong("a word to look for cannot be null".to_owned());
        }
        Content::Null => return wrong("null takes no modifier: write the field alone".to_owned()),
        Content::Map(_) => {
            return wrong(
                "a field has no fields inside it in Sigma: write the path, such as userIdentity.type"
                    .to_owned(),
            );
        }
        Content::List(_) => return wrong("expected a text, not a list in a list".to_owned()),
    };
    if field.expand
        && let Some(found) = unexpanded(text, item)
    {
        return Err(found);
    }
    let ranged = |comparison| match Decimal::parse(text) {
        Some(bound) => Ok(Test::NumberRange(comparison, bound)),
        None => Err(format!("expected a number, found {text}")),
    };
    let test = match field.operator {
        Operator::Equals => Ok(Test::like(wild(field, text))),
        Operator::Contains => Ok(Test::like(wild(field, text).after_anything().before_anything())),
        Operator::StartsWith => Ok(Test::like(wild(field, text).before_anything())),
        Operator::EndsWith => Ok(Test::like(wild(field, text).after_anything())),
        Operator::Regex(flags) => regex(text, flags),
        Operator::Cidr => network(text),
        Operator::Exists => match text.to_lowercase().as_str() {
            "true" => Ok(Test::Exists),
            "false" => return Ok(not(exists(field))),
            _ => Err(format!("expected true or false, found {text}")),
        },
        Operator::FieldRef => {
            return match record::check(text) {
                Ok(()) => Ok(Node::Fields {
                    one: field.subject.clone(),
                    relation: Relation::Equals,
                    other: Subject::Record(text.clone()),
                    any_case: true,
                }),
                Err(reason) => wrong(reason),
            };
        }
        Operator::Less => ranged(Comparison::Less),
        Operator::LessOrEqual => ranged(Comparison::LessOrEqual),
        Operator::Greater => ranged(Comparison::Greater),
        Operator::GreaterOrEqual => ranged(Comparison::GreaterOrEqual),
    };
    match test {
        Ok(test) => Ok(leaf(field, test)),
        Err(reason) => wrong(reason),
    }
}

/// The placeholders in the values of a field that has another mistake, if its values may hold any.
pub(super) fn placeholders(key: &Key, item: &Item) -> Vec<Problem> {
    if !key.text.split('|').skip(1).any(|modifier| modifier == "expand") {
        return Vec::new();
    }
    let texts = item.items().iter().filter_map(|item| Some((item, item.text()?)));
    texts.filter_map(|(item, text)| unexpanded(text, item)).collect()
}

fn unexpanded(text: &str, item: &Item) -> Option<Problem> {
    let name = text.split('%').nth(1).filter(|name| !name.is_empty() && text.matches('%').count() > 1)?;
    Some(Problem::not_run(
        &item.place,
        format!("the placeholder %{name}% has no values: write them into the rule, without expand"),
    ))
}

fn leaf(field: &Field, test: Test) -> Node {
    Node::Field { subject: field.subject.clone(), kind: Kind::Keyword, test }
}

fn exists(field: &Field) -> Node {
    leaf(field, Test::Exists)
}

fn not(node: Node) -> Node {
    Node::Not(Box::new(node))
}

/// A string in which `*` and `?` are wildcards unless a backslash precedes them.
fn wild(field: &Field, text: &str) -> Glob {
    let mut tokens = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        tokens.push(match character {
            '*' => Token::Many,
            '?' => Token::One,
            // A backslash before anything else stands for itself.
            '\\' => {
                Token::Literal(characters.next_if(|next| matches!(next, '*' | '?' | '\\')).unwrap_or('\\'))
            }
            _ => Token::Literal(character),
        });
    }
    Glob::new(tokens, !field.cased)
}

fn regex(text: &str, flags: Flags) -> Result<Test, String> {
    if let Some(construct) = pcre::unsupported(text) {
        return Err(format!("{construct} is not supported in a regular expression: write it without"));
    }
    Regex::searched(text, &flags.letters()).map(Test::Regex)
}
