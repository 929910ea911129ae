//! The words that a record must hold to be matched by a query.

use std::cmp::Reverse;

use crate::ecs::{self, Standing};
use crate::query::{Node, Subject, Test};

/// A shorter word is everywhere.
const MIN_WORD_BYTES: usize = 4;
/// Words that most records hold: a search for one of them rules little out.
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

/// Words of which a record must hold at least one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Group {
    pub(super) words: Vec<String>,
    /// Whether all are of the provider or the action, which a head knows already.
    pub(super) is_of_head: bool,
}

impl Group {
    /// How much a search for the group costs and leaves: the least comes first.
    pub(super) fn cost(&self) -> (bool, usize, Reverse<usize>) {
        let is_common = self.words.iter().any(|word| COMMON.contains(&word.as_str()));
        let shortest = self.words.iter().map(String::len).min().unwrap_or_default();
        (is_common, self.words.len(), Reverse(shortest))
    }
}

/// The groups that any record which fulfils `node` must meet.
pub(super) fn required(node: &Node) -> Vec<Group> {
    match node {
        Node::And(nodes) => nodes.iter().flat_map(required).collect(),
        Node::Or(nodes) => {
            // Of every branch the best group; a branch without one makes the whole unsure.
            let branches: Option<Vec<Group>> =
                nodes.iter().map(|node| required(node).into_iter().min_by_key(Group::cost)).collect();
            let join = |branches: Vec<Group>| Group {
                is_of_head: branches.iter().all(|branch| branch.is_of_head),
                words: branches.into_iter().flat_map(|branch| branch.words).collect(),
            };
            branches.map(join).into_iter().collect()
        }
        Node::Field { subject, test, .. } => {
            let is_of_head = is_of_head(subject);
            let groups = |text: &str| {
                let group = |word: &str| Group { words: vec![word.to_owned()], is_of_head };
                words(subject, text).map(group).collect::<Vec<_>>()
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

/// The words in a part of a value that must stand in the record too: between two other characters, JSON, Java and the
/// record itself all write the same. Only letters, digits and three signs have one form in JSON, `\u` escapes aside. A
/// number is none: `1.5E3` may stand as `1500.0`.
fn words<'t>(subject: &Subject, text: &'t str) -> impl Iterator<Item = &'t str> {
    let text = match subject {
        Subject::Field(name) if ecs::standing(name) == Standing::Derived => "",
        Subject::Record(_) => behind_escape(text),
        Subject::Field(_) | Subject::Anywhere => text,
    };
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-');
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() && !matches!(byte, b'e' | b'E');
    // What follows a backslash may be the rest of an escape.
    let parts =
        text.split('\\').enumerate().map(|(index, part)| if index > 0 { behind_escape(part) } else { part });
    let words = parts.flat_map(move |part| part.split(move |character| !is_plain(character)));
    words.filter(move |word| word.len() >= MIN_WORD_BYTES && word.bytes().any(is_letter))
}

/// What of a part of a value stands in the record for sure. A path of the record may lead to an object, whose JSON is
/// the value: there `n` may be the rest of a line break that the record writes as `\u000a`. The longest such rest is
/// `u000a`.
fn behind_escape(text: &str) -> &str {
    text.char_indices().nth(5).map_or("", |(start, _)| &text[start..])
}
