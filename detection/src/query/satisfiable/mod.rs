//! Queries that can never match, whatever the document: for example a typo, which would otherwise leave a rule silent.
//!
//! The check must never refuse a query that can match, so it gives up where it cannot prove a contradiction cheaply. It
//! rewrites the tree so that only tests are negated, collects the tests that must all hold, and asks for each field
//! whether some value passes them (`sets`). For every `or` it tries the branches: those that contradict what is known
//! are dropped, a single remaining branch becomes a fact, and several remaining branches are tried one after the other.

mod sets;

use std::collections::HashMap;

use super::evaluate::Scalar;
use super::{Kind, Node, Subject, Values};
use sets::Set;

/// Choices in a row that the search makes before it assumes that the query can match.
const MAX_CHOICES: usize = 16;
/// Comparisons of two tests, and bytes in them, before it assumes the same: about ten milliseconds.
const MAX_EFFORT: usize = 1_000_000;
/// Every branch of an `or` can contradict in its own way; this many conflicts are enough to report.
const MAX_CONFLICTS: usize = 8;

/// A part of a query that keeps the whole from ever matching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conflict {
    /// The test, counted in the order of the tree.
    pub(super) leaf: usize,
    pub(super) reason: String,
}

/// Returns the tests that contradict each other if no document can match; `Ok` if one might.
pub(super) fn check(root: &Node, values: &dyn Fn(&str) -> Values) -> Result<(), Vec<Conflict>> {
    let mut search = Search { effort: MAX_EFFORT, ..Search::default() };
    let mut fields = HashMap::new();
    let goal = search.read(root, false, values, &mut fields);
    search.facts = vec![Facts::default(); fields.len()];
    let mut open = Vec::new();
    let outcome = search.assume(&goal, &mut open).and_then(|()| search.solve(open, 0));
    outcome.map_err(|clashes| search.conflicts(clashes))
}

/// One test of the query.
#[derive(Debug)]
struct Leaf<'a> {
    node: &'a Node,
    subject: &'a Subject,
    kind: Kind,
    values: Values,
    /// The number of its field.
    field: usize,
    set: Set<'a>,
}

/// A test that must hold, or must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Literal {
    leaf: usize,
    negated: bool,
}

/// Two literals that cannot both hold, or the same one twice if it cannot hold at all.
type Clash = (Literal, Literal);

/// The query in a form in which only tests are negated.
#[derive(Debug)]
enum Goal {
    Holds,
    Never(Vec<Clash>),
    Literal(Literal),
    All(Vec<Goal>),
    Any(Vec<Goal>),
}

/// What must be true of the values of one field, by the number of the test.
#[derive(Debug, Clone, Default)]
struct Facts {
    required: Vec<usize>,
    excluded: Vec<usize>,
}

#[derive(Debug, Default)]
struct Search<'a> {
    leaves: Vec<Leaf<'a>>,
    facts: Vec<Facts>,
    /// The literals in `facts`, in the order in which they were added.
    trail: Vec<Literal>,
    /// The effort that remains.
    effort: usize,
}

impl<'a> Search<'a> {
    fn read(
        &mut self,
        node: &'a Node,
        negated: bool,
        values: &dyn Fn(&str) -> Values,
        fields: &mut HashMap<&'a Subject, usize>,
    ) -> Goal {
        match node {
            Node::Not(node) => self.read(node, !negated, values, fields),
            Node::And(nodes) | Node::Or(nodes) => {
                let goals = nodes.iter().map(|node| self.read(node, negated, values, fields)).collect();
                if matches!(node, Node::And(_)) == negated { any(goals) } else { all(goals) }
            }
            Node::Field { subject, kind, test } => {
                let literal = Literal { leaf: self.leaves.len(), negated };
                let number = fields.len();
                let field = *fields.entry(subject).or_insert(number);
                let values = match subject {
                    Subject::Field(name) => values(name),
                    Subject::Record(_) | Subject::Anywhere => Values::Many,
                };
                let set = Set::of(*kind, test);
                let known = match (values, &set) {
                    (Values::Constant(value), _) => Some(test.passes(*kind, Scalar::Text(value))),
                    (_, Set::Empty) => Some(false),
                    _ => None,
                };
                self.leaves.push(Leaf { node, subject, kind: *kind, values, field, set });
                match known {
                    None => Goal::Literal(literal),
                    Some(passes) if passes != negated => Goal::Holds,
                    Some(_) => Goal::Never(vec![(literal, literal)]),
                }
            }
            // Assumed possible, and counted, because the places of the tests are counted too.
            Node::Fields { one: subject, .. } => {
                let (kind, values, set) = (Kind::Keyword, Values::Many, Set::Unknown);
                self.leaves.push(Leaf { node, subject, kind, values, field: usize::MAX, set });
                Goal::Holds
            }
        }
    }

    /// Adds what `goal` demands to the facts, and the choices in it to `open`.
    fn assume<'g>(&mut self, goal: &'g Goal, open: &mut Vec<&'g [Goal]>) -> Result<(), Vec<Clash>> {
        let mark = self.trail.len();
        self.collect(goal, open)?;
        let mut touched: Vec<_> =
            self.trail[mark..].iter().map(|literal| self.leaves[literal.leaf].field).collect();
        touched.sort_unstable();
        touched.dedup();
        touched.into_iter().try_for_each(|field| self.clash(field).map_or(Ok(()), |clash| Err(vec![clash])))
    }

    fn collect<'g>(&mut self, goal: &'g Goal, open: &mut Vec<&'g [Goal]>) -> Result<(), Vec<Clash>> {
        match goal {
            Goal::Holds => {}
            Goal::Never(clashes) => return Err(clashes.clone()),
            Goal::Literal(literal) => {
                self.side(*literal).push(literal.leaf);
                self.trail.push(*literal);
            }
            Goal::All(goals) => goals.iter().try_for_each(|goal| self.collect(goal, open))?,
            Goal::Any(goals) => open.push(goals),
        }
        Ok(())
    }

    fn side(&mut self, literal: Literal) -> &mut Vec<usize> {
        let facts = &mut self.facts[self.leaves[literal.leaf].field];
        if literal.negated { &mut facts.excluded } else { &mut facts.required }
    }

    fn undo(&mut self, mark: usize) {
        while self.trail.len() > mark
            && let Some(literal) = self.trail.pop()
        {
            self.side(literal).pop();
        }
    }

    /// Two facts about a field that contradict each other, given how many values it has.
    fn clash(&mut self, field: usize) -> Option<Clash> {
        let facts = &self.facts[field];
        let leaf = &self.leaves[*facts.required.first()?];
        // With several values, a different value may pass each test, but none may pass an excluded test.
        let at_once = if leaf.values == Values::Many { 1 } else { facts.required.len() };
        let mut groups = facts.required.chunks(at_once);
        groups.find_map(|required| sets::clash(&self.leaves, required, &facts.excluded, &mut self.effort))
    }

    /// Checks whether a branch agrees with the facts, as far as can be seen without choosing inside it.
    fn try_branch(&mut self, goal: &Goal) -> Result<(), Vec<Clash>> {
        let mark = self.trail.len();
        let mut inner = Vec::new();
        let outcome = self.assume(goal, &mut inner).and_then(|()| {
            inner.into_iter().try_for_each(|branches| {
                let (possible, clashes) = self.possible(branches);
                if possible.is_empty() { Err(clashes) } else { Ok(()) }
            })
        });
        self.undo(mark);
        outcome
    }

    /// The branches that agree with the facts, and why the others do not.
    fn possible<'g>(&mut self, branches: &'g [Goal]) -> (Vec<&'g Goal>, Vec<Clash>) {
        let (mut possible, mut clashes) = (Vec::new(), Vec::new());
        for branch in branches {
            self.effort = self.effort.saturating_sub(1);
            match self.try_branch(branch) {
                Ok(()) => possible.push(branch),
                Err(found) if clashes.len() < MAX_CONFLICTS => clashes.extend(found),
                Err(_) => {}
            }
        }
        (possible, clashes)
    }

    /// Looks for one branch of every choice such that all agree.
    fn solve(&mut self, mut open: Vec<&[Goal]>, choices: usize) -> Result<(), Vec<Clash>> {
        loop {
            let mut narrowest: Option<(usize, Vec<&Goal>, Vec<Clash>)> = None;
            for (index, branches) in open.iter().enumerate() {
                let (possible, clashes) = self.possible(branches);
                if self.effort == 0 {
                    return Ok(());
                }
                if possible.is_empty() {
                    return Err(clashes);
                }
                let left = possible.len();
                if narrowest.as_ref().is_none_or(|(_, fewest, _)| left < fewest.len()) {
                    narrowest = Some((index, possible, clashes));
                }
                if left == 1 {
                    break;
                }
            }
            let Some((index, possible, mut clashes)) = narrowest else { return Ok(()) };
            open.swap_remove(index);
            if let [only] = possible.as_slice() {
                self.assume(only, &mut open)?;
                continue;
            }
            if choices == MAX_CHOICES {
                return Ok(());
            }
            for branch in possible {
                let mark = self.trail.len();
                let mut open = open.clone();
                let outcome = self.assume(branch, &mut open).and_then(|()| self.solve(open, choices + 1));
                match outcome {
                    Ok(()) => return Ok(()),
                    Err(found) => clashes.extend(found),
                }
                self.undo(mark);
            }
            clashes.truncate(MAX_CONFLICTS);
            return Err(clashes);
        }
    }

    /// The clashes in words, each at the later of its two tests, in the order of the query.
    fn conflicts(&self, clashes: Vec<Clash>) -> Vec<Conflict> {
        let mut conflicts: Vec<_> = clashes
            .into_iter()
            .map(|(one, other)| {
                let (first, last) = if one.leaf < other.leaf { (one, other) } else { (other, one) };
                Conflict { leaf: last.leaf, reason: self.reason(first, last) }
            })
            .collect();
        conflicts.sort_by_key(|conflict| conflict.leaf);
        conflicts.dedup_by_key(|conflict| conflict.leaf);
        conflicts.truncate(MAX_CONFLICTS);
        conflicts
    }

    fn reason(&self, first: Literal, last: Literal) -> String {
        let Leaf { subject, values, .. } = self.leaves[last.leaf];
        let shown = |literal: Literal| {
            let not = if literal.negated { "not " } else { "" };
            format!("{not}{}", self.leaves[literal.leaf].node)
        };
        let why = match values {
            Values::Constant(value) => format!("{subject} is always \"{value}\""),
            _ if first == last => {
                format!("no value passes {}; a missing field is \"not {subject}: *\"", shown(last))
            }
            Values::One if !first.negated && !last.negated => {
                format!("{} contradicts {}, for {subject} has one value", shown(last), shown(first))
            }
            _ => format!("{} contradicts {}", shown(last), shown(first)),
        };
        format!("the query can never match: {why}")
    }
}

fn all(goals: Vec<Goal>) -> Goal {
    let never: Vec<_> = goals.iter().filter_map(Goal::clashes).flatten().copied().collect();
    if never.is_empty() { Goal::All(goals) } else { Goal::Never(never) }
}

fn any(goals: Vec<Goal>) -> Goal {
    if goals.iter().any(|goal| matches!(goal, Goal::Holds)) {
        return Goal::Holds;
    }
    if goals.iter().all(|goal| goal.clashes().is_some()) {
        return Goal::Never(goals.iter().filter_map(Goal::clashes).flatten().copied().collect());
    }
    Goal::Any(goals)
}

impl Goal {
    fn clashes(&self) -> Option<&[Clash]> {
        if let Self::Never(clashes) = self { Some(clashes) } else { None }
    }
}
