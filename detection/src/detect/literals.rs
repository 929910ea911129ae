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

/// The members of a record whose keys differ between actions. Elsewhere most records have the same keys.
const OPEN: [&str; 4] =
    ["additionalEventData", "requestParameters", "responseElements", "serviceEventDetails"];

/// Literals, at least one of which a record must contain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Group {
    /// In lower case if case is ignored.
    pub(super) literals: Vec<String>,
    pub(super) any_case: bool,
    /// Whether all of them belong to the provider or the action, which the head has decided already.
    pub(super) is_of_head: bool,
    /// Whether some of them are keys, which more records contain than values.
    has_keys: bool,
}

impl Group {
    /// Orders groups by how costly a search is and how few records it rules out, the best first.
    pub(super) fn cost(&self) -> (bool, bool, usize, Reverse<usize>) {
        let is_common = |literal: &String| COMMON.iter().any(|common| common.eq_ignore_ascii_case(literal));
        let shortest = self.literals.iter().map(String::len).min().unwrap_or_default();
        (self.literals.iter().any(is_common), self.has_keys, self.literals.len(), Reverse(shortest))
    }

    /// A group of the literals of all `branches`.
    fn join(branches: Vec<Self>) -> Self {
        let any_case = branches.iter().any(|branch| branch.any_case);
        let is_of_head = branches.iter().all(|branch| branch.is_of_head);
        let has_keys = branches.iter().any(|branch| branch.has_keys);
        let literals = branches.into_iter().flat_map(|branch| branch.literals);
        let in_case = |literal: String| if any_case { literal.to_ascii_lowercase() } else { literal };
        let mut literals: Vec<_> = literals.map(in_case).collect();
        literals.sort_unstable();
        literals.dedup();
        Self { literals, any_case, is_of_head, has_keys }
    }
}

/// The groups that a record must meet for `node` to hold.
pub(super) fn required(node: &Node) -> Vec<Group> {
    match node {
        Node::And(nodes) => nodes.iter().flat_map(required).collect(),
        Node::Or(nodes) => {
            // One group joins the best of each branch. If a branch requires nothing, neither does the whole.
            let branches: Option<Vec<Group>> =
                nodes.iter().map(|node| required(node).into_iter().min_by_key(Group::cost)).collect();
            branches.map(Group::join).into_iter().collect()
        }
        Node::Field { subject, test, .. } => {
            let is_of_head = is_of_head(subject);
            let group = |literal: &str, any_case| Group {
                literals: vec![literal.to_owned()],
                any_case,
                is_of_head,
                has_keys: false,
            };
            // Only the first piece begins where the value begins.
            let groups = |index: usize, piece: &str, any_case: bool| {
                let literals = literals(subject, piece, index == 0);
                literals.map(|literal| group(literal, any_case)).collect::<Vec<_>>()
            };
            let mut groups: Vec<_> = match test {
                Test::Text(text) => groups(0, text, false),
                Test::Pattern(pattern) => {
                    let pieces = pattern.pieces().iter().enumerate();
                    pieces.flat_map(|(index, piece)| groups(index, piece, false)).collect()
                }
                Test::Glob(glob) => {
                    let pieces = glob.pieces().enumerate();
                    pieces.flat_map(|(index, piece)| groups(index, &piece, glob.any_case())).collect()
                }
                _ => Vec::new(),
            };
            groups.extend(keys(subject));
            groups
        }
        Node::Fields { one, other, .. } => keys(one).chain(keys(other)).collect(),
        Node::Not(_) => Vec::new(),
    }
}

/// The keys that a record contains if it has any value of `subject`.
fn keys(subject: &Subject) -> impl Iterator<Item = Group> {
    let path = match subject {
        Subject::Record(path) => {
            path.split_once('.').filter(|(top, _)| OPEN.contains(top)).map(|(_, path)| path)
        }
        Subject::Field(name) => ecs::key_path(name),
        Subject::Anywhere => None,
    };
    let group = |key: &str| Group { literals: vec![key.to_owned()], has_keys: true, ..Group::default() };
    // Keys may contain dots, so any part of the path may be a key or part of one.
    path.into_iter().flat_map(|path| path.split('.')).flat_map(plain_runs).map(group)
}

fn is_of_head(subject: &Subject) -> bool {
    match subject {
        Subject::Field(name) => matches!(name.as_str(), "event.provider" | "event.action"),
        Subject::Record(path) => matches!(path.as_str(), "eventSource" | "eventName"),
        Subject::Anywhere => false,
    }
}

/// The runs of characters in a part of a value that the record must contain as well. JSON text, Java's text of objects
/// and the record itself write letters, digits and three punctuation marks the same way, `\u` escapes aside, and may
/// write any other character differently. A number is not a literal: the record may write `1.5E3` as `1500.0`.
fn literals<'t>(subject: &Subject, text: &'t str, is_start: bool) -> impl Iterator<Item = &'t str> {
    let text = match subject {
        Subject::Field(name) if ecs::standing(name) == Standing::Derived => "",
        // The path may lead to an object, whose JSON text is the value. That begins with a bracket.
        Subject::Record(_) if !is_start => behind_escape(text),
        _ => text,
    };
    // The characters after a backslash may belong to an escape.
    let parts =
        text.split('\\').enumerate().map(|(index, part)| if index > 0 { behind_escape(part) } else { part });
    parts.flat_map(plain_runs)
}

fn plain_runs(text: &str) -> impl Iterator<Item = &str> {
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-');
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() && !matches!(byte, b'e' | b'E');
    // An address has more dots than a number.
    let is_text = move |run: &str| run.bytes().any(is_letter) || run.matches('.').count() > 1;
    text.split(move |character| !is_plain(character))
        .filter(move |run| run.len() >= MIN_LITERAL_BYTES && is_text(run))
}

/// The text without the characters at its start that may belong to an escape. In the JSON text of an object, `n` may
/// end a line break that the record writes as `\u000a`, and at most five characters, `u000a`, can follow the backslash.
fn behind_escape(text: &str) -> &str {
    let may_belong = |byte: u8| byte.is_ascii_hexdigit() || b"unrt".contains(&byte.to_ascii_lowercase());
    let length = text.bytes().take(5).take_while(|byte| may_belong(*byte)).count();
    &text[length..]
}
