//! The literals that a query requires of every record it matches.

use std::cmp::Reverse;

use crate::ecs::{self, Standing};
use crate::query::{Node, Subject, Test};

/// Shorter literals occur in most records.
const MIN_LITERAL_BYTES: usize = 4;
/// Literals that most records contain: a search for one of them rules few records out.
const COMMON: [&str; 9] = [
    "AWSAccount",
    "AWSService",
    "AssumedRole",
    "AwsApiCall",
    "IAMUser",
    "amazonaws.com",
    "assumed-role",
    "role",
    "user",
];

/// Literals of which a record must contain at least one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Group {
    pub(super) literals: Vec<String>,
    /// Whether all of them belong to the provider or the action, which the head has decided already.
    pub(super) is_of_head: bool,
}

impl Group {
    /// Orders groups by how costly a search is and how few records it rules out, the best first.
    pub(super) fn cost(&self) -> (bool, usize, Reverse<usize>) {
        let is_common = self.literals.iter().any(|literal| COMMON.contains(&literal.as_str()));
        let shortest = self.literals.iter().map(String::len).min().unwrap_or_default();
        (is_common, self.literals.len(), Reverse(shortest))
    }
}

/// The groups that every record for which `node` holds must meet.
pub(super) fn required(node: &Node) -> Vec<Group> {
    match node {
        Node::And(nodes) => nodes.iter().flat_map(required).collect(),
        Node::Or(nodes) => {
            // One group joins the best of every branch. If a branch requires nothing, neither does the whole.
            let branches: Option<Vec<Group>> =
                nodes.iter().map(|node| required(node).into_iter().min_by_key(Group::cost)).collect();
            let join = |branches: Vec<Group>| Group {
                is_of_head: branches.iter().all(|branch| branch.is_of_head),
                literals: branches.into_iter().flat_map(|branch| branch.literals).collect(),
            };
            branches.map(join).into_iter().collect()
        }
        Node::Field { subject, test, .. } => {
            let is_of_head = is_of_head(subject);
            let groups = |text: &str| {
                let group = |literal: &str| Group { literals: vec![literal.to_owned()], is_of_head };
                literals(subject, text).map(group).collect::<Vec<_>>()
            };
            match test {
                Test::Text(text) => groups(text),
                Test::Pattern(pattern) => pattern.pieces().iter().flat_map(|piece| groups(piece)).collect(),
                Test::Glob(glob) => groups(&glob.longest_text()),
                _ => Vec::new(),
            }
        }
        Node::Fields { .. } | Node::Not(_) => Vec::new(),
    }
}

fn is_of_head(subject: &Subject) -> bool {
    match subject {
        Subject::Field(name) => matches!(name.as_str(), "event.provider" | "event.action"),
        Subject::Record(path) => matches!(path.as_str(), "eventSource" | "eventName"),
        Subject::Anywhere => false,
    }
}

/// The runs of characters in a part of a value that the record must contain, too. JSON text, Java's text of objects and
/// the record itself write letters, digits and three signs in the same way, `\u` escapes aside, and may write any other
/// character differently. A number is no literal: the record may write `1.5E3` as `1500.0`.
fn literals<'t>(subject: &Subject, text: &'t str) -> impl Iterator<Item = &'t str> {
    let text = match subject {
        Subject::Field(name) if ecs::standing(name) == Standing::Derived => "",
        Subject::Record(_) => behind_escape(text),
        Subject::Field(_) | Subject::Anywhere => text,
    };
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-');
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() && !matches!(byte, b'e' | b'E');
    // The characters after a backslash may belong to an escape.
    let parts =
        text.split('\\').enumerate().map(|(index, part)| if index > 0 { behind_escape(part) } else { part });
    let runs = parts.flat_map(move |part| part.split(move |character| !is_plain(character)));
    runs.filter(move |run| run.len() >= MIN_LITERAL_BYTES && run.bytes().any(is_letter))
}

/// The text without its first five characters, which may belong to an escape. A path of the record may lead to an
/// object, whose JSON text is the value: there, `n` may end a line break that the record writes as `\u000a`, and five
/// characters, `u000a`, are the most that can follow the backslash.
fn behind_escape(text: &str) -> &str {
    text.char_indices().nth(5).map_or("", |(start, _)| &text[start..])
}
