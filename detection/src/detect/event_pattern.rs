//! The EventBridge pattern that selects every event that the rules can match, and as few others as it can express.
//!
//! A query becomes a union of pairs, each a provider and an action. What a pattern cannot express is left out, so a
//! pattern selects more than the query does, never less.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Rule, Ruleset};
use crate::query::{Glob, Node, Subject, Test, Token};

/// The detail types with which EventBridge delivers what CloudTrail records.
const DETAIL_TYPES: [&str; 4] = [
    "AWS API Call via CloudTrail",
    "AWS Console Action via CloudTrail",
    "AWS Console Sign In via CloudTrail",
    "AWS Service Event via CloudTrail",
];
/// More pairs than this in one query are not worth telling apart.
const MAX_PAIRS: usize = 512;
/// How EventBridge recognizes read-only calls, which it delivers only to rules that ask for all management events.
const READING: [&str; 3] = ["Describe", "Get", "List"];

/// What to ask EventBridge for, and which rules make it ask for a lot.
#[derive(Debug)]
pub struct EventPattern {
    /// The pattern.
    pub pattern: Value,
    /// Rules that name neither a provider nor an action: each makes the pattern ask for every event.
    pub of_everything: Vec<String>,
    /// Rules that name a read-only action.
    pub of_reading: Vec<String>,
}

/// A condition on the provider and one on the action; `None` accepts any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    provider: Option<Matcher>,
    action: Option<Matcher>,
}

/// A condition that a pattern can place on a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Matcher {
    Exact(String),
    AnyCase(String),
    Prefix(String),
    PrefixAnyCase(String),
    /// Stars are wildcards, except after a backslash.
    Wildcard(String),
}

impl Ruleset {
    /// The pattern for these rules.
    #[must_use]
    pub fn event_pattern(&self) -> EventPattern {
        let mut pairs = BTreeSet::new();
        let (mut of_everything, mut of_reading) = (Vec::new(), Vec::new());
        // A rule on signals sees what the others find.
        for Rule { definition, query, .. } in self.rules().iter().filter(|rule| !rule.on_signals) {
            let of_rule = pairs_of(query.root());
            if of_rule.contains(&Pair::ANY) {
                of_everything.push(definition.name.clone());
            } else if of_rule.iter().any(Pair::is_of_reading) {
                of_reading.push(definition.name.clone());
            }
            pairs.extend(of_rule);
        }
        EventPattern { pattern: pattern(pairs), of_everything, of_reading }
    }
}

impl Pair {
    const ANY: Self = Self { provider: None, action: None };

    fn both(&self, other: &Self) -> Self {
        let either =
            |one: &Option<Matcher>, other: &Option<Matcher>| one.as_ref().or(other.as_ref()).cloned();
        Self {
            provider: either(&self.provider, &other.provider),
            action: either(&self.action, &other.action),
        }
    }

    fn is_of_reading(&self) -> bool {
        self.action.as_ref().is_some_and(|action| {
            let text = action.text().to_ascii_lowercase();
            READING.iter().any(|verb| text.starts_with(&verb.to_ascii_lowercase()))
        })
    }
}

impl Matcher {
    fn of(test: &Test) -> Option<Self> {
        match test {
            Test::Text(text) => Some(Self::Exact(text.clone())),
            Test::Pattern(pattern) => match pattern.pieces() {
                [only] => Some(Self::Exact(only.clone())),
                [start, end] if end.is_empty() => Some(Self::Prefix(start.clone())),
                pieces => {
                    let pieces: Vec<_> = pieces.iter().map(|piece| escaped(piece)).collect();
                    Some(Self::Wildcard(pieces.join("*")))
                }
            },
            Test::Glob(glob) => Self::of_glob(glob),
            _ => None,
        }
    }

    /// A pattern cannot express wildcards that ignore case, so only what precedes the first one is kept.
    fn of_glob(glob: &Glob) -> Option<Self> {
        let is_literal = |token: &Token| matches!(token, Token::Literal(_));
        let literal = |tokens: &[Token]| -> String {
            let character = |token: &Token| if let Token::Literal(it) = token { Some(*it) } else { None };
            tokens.iter().filter_map(character).collect()
        };
        let start = glob.tokens().iter().position(|token| !is_literal(token)).unwrap_or(glob.tokens().len());
        let text = literal(&glob.tokens()[..start]);
        let is_whole = start == glob.tokens().len();
        // EventBridge certainly folds ASCII; what it does with other letters is not documented.
        match (glob.any_case(), is_whole) {
            (true, _) if !text.is_ascii() => None,
            (true, true) => Some(Self::AnyCase(text)),
            (false, true) => Some(Self::Exact(text)),
            _ if text.is_empty() => None,
            (true, false) => Some(Self::PrefixAnyCase(text)),
            (false, false) => Some(Self::Prefix(text)),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Exact(text)
            | Self::AnyCase(text)
            | Self::Prefix(text)
            | Self::PrefixAnyCase(text)
            | Self::Wildcard(text) => text,
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Exact(text) => json!(text),
            Self::AnyCase(text) => json!({"equals-ignore-case": text}),
            Self::Prefix(text) => json!({"prefix": text}),
            Self::PrefixAnyCase(text) => json!({"prefix": {"equals-ignore-case": text}}),
            Self::Wildcard(text) => json!({"wildcard": text}),
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('*', "\\*")
}

/// Pairs such that every event that fulfils `node` meets at least one of them.
fn pairs_of(node: &Node) -> BTreeSet<Pair> {
    let any = || BTreeSet::from([Pair::ANY]);
    let pairs: BTreeSet<Pair> = match node {
        Node::And(nodes) => nodes.iter().map(pairs_of).fold(any(), |all, part| {
            // A part that would make too many pairs is left out.
            if all.len().saturating_mul(part.len()) > MAX_PAIRS {
                return all;
            }
            all.iter().flat_map(|one| part.iter().map(|other| one.both(other))).collect()
        }),
        Node::Or(nodes) => nodes.iter().flat_map(pairs_of).collect(),
        Node::Field { subject, test, .. } => {
            let matcher = Matcher::of(test);
            match subject {
                Subject::Field(name) | Subject::Record(name) => match name.as_str() {
                    "event.provider" | "eventSource" => [Pair { provider: matcher, action: None }].into(),
                    "event.action" | "eventName" => [Pair { provider: None, action: matcher }].into(),
                    _ => any(),
                },
                Subject::Anywhere => any(),
            }
        }
        Node::Not(_) | Node::Fields { .. } => any(),
    };
    if pairs.contains(&Pair::ANY) { any() } else { pairs }
}

fn pattern(pairs: BTreeSet<Pair>) -> Value {
    let mut detail = None;
    if !pairs.contains(&Pair::ANY) {
        // The actions of every provider, then the providers that have the same actions.
        let mut actions: BTreeMap<Option<Matcher>, BTreeSet<Option<Matcher>>> = BTreeMap::new();
        for Pair { provider, action } in pairs {
            actions.entry(provider).or_default().insert(action);
        }
        let mut providers: BTreeMap<BTreeSet<Option<Matcher>>, BTreeSet<Option<Matcher>>> = BTreeMap::new();
        for (provider, mut actions) in actions {
            if actions.contains(&None) {
                actions.clear();
            }
            providers.entry(actions).or_default().insert(provider);
        }
        let list = |matchers: &BTreeSet<Option<Matcher>>| -> Vec<Value> {
            matchers.iter().flatten().map(Matcher::to_json).collect()
        };
        // Pairs without a provider get a branch of their own: `None` is not a provider.
        let branches = providers.iter().flat_map(|(actions, providers)| {
            let named = list(providers);
            let of_named = (!named.is_empty()).then(|| (named, list(actions)));
            let of_any = providers.contains(&None).then(|| (Vec::new(), list(actions)));
            [of_named, of_any].into_iter().flatten()
        });
        let branch = |(providers, actions): (Vec<Value>, Vec<Value>)| {
            let mut branch = serde_json::Map::new();
            for (name, values) in [("eventSource", providers), ("eventName", actions)] {
                if !values.is_empty() {
                    branch.insert(name.to_owned(), Value::Array(values));
                }
            }
            Value::Object(branch)
        };
        let mut branches: Vec<Value> = branches.map(branch).collect();
        detail = match branches.len() {
            0 => None,
            1 => branches.pop(),
            _ => Some(json!({"$or": branches})),
        };
    }
    // Only AWS can put events whose source begins with this.
    let mut pattern = json!({"source": [{"prefix": "aws."}], "detail-type": DETAIL_TYPES});
    if let Some(detail) = detail {
        pattern["detail"] = detail;
    }
    pattern
}
