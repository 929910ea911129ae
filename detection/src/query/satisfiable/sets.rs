//! The values that pass a test, and whether some value passes several.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;

use super::{Clash, Leaf, Literal};
use crate::query::evaluate::{as_v6, normal_time};
use crate::query::{Comparison, Decimal, Kind, Pattern, Test};

/// A value in the order of its kind.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub(super) enum Key<'a> {
    Text(Cow<'a, str>),
    Number(&'a Decimal),
    Address(u128),
}

/// One end of a range.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct End<'a> {
    key: Key<'a>,
    /// Whether the key itself lies in the range.
    closed: bool,
}

/// The values that pass a test.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Set<'a> {
    Empty,
    /// Every value.
    All,
    /// The values between two ends, a missing end being no limit.
    Range(Option<End<'a>>, Option<End<'a>>),
    Pattern(&'a Pattern),
    /// Some values: a test that its kind has no rule for.
    Unknown,
}

impl<'a> Set<'a> {
    pub(super) fn of(kind: Kind, test: &'a Test) -> Self {
        match (kind, test) {
            (_, Test::Null) => Self::Empty,
            (_, Test::Exists) => Self::All,
            (Kind::Keyword, Test::Text(text)) => Self::point(Key::Text(text.into())),
            (Kind::Keyword, Test::Pattern(pattern)) => match pattern.pieces() {
                [only] => Self::point(Key::Text(only.into())),
                pieces if pieces.iter().all(String::is_empty) => Self::All,
                _ => Self::Pattern(pattern),
            },
            (Kind::Keyword | Kind::Boolean, Test::Boolean(wanted)) => {
                Self::point(Key::Text(if *wanted { "true" } else { "false" }.into()))
            }
            (Kind::Keyword, Test::TextRange(comparison, bound)) => match (comparison, bound.as_str()) {
                // No string sorts before the empty one.
                (Comparison::Less, "") => Self::Empty,
                _ => Self::half(*comparison, Key::Text(bound.into())),
            },
            (Kind::Date, Test::Text(text)) => {
                normal_time(text).map_or(Self::Empty, |time| Self::point(Key::Text(time.into())))
            }
            (Kind::Date, Test::TextRange(comparison, bound)) => {
                normal_time(bound).map_or(Self::Empty, |time| Self::half(*comparison, Key::Text(time.into())))
            }
            (Kind::Long, Test::Number(wanted)) => Self::point(Key::Number(wanted)),
            (Kind::Long, Test::NumberRange(comparison, bound)) => Self::half(*comparison, Key::Number(bound)),
            (Kind::Ip, Test::Network(network, length)) => Self::block(*network, *length),
            (Kind::Ip, Test::AddressRange(comparison, bound)) => Self::addresses(*comparison, as_v6(*bound)),
            _ => Self::Unknown,
        }
    }

    fn point(key: Key<'a>) -> Self {
        let end = End { key, closed: true };
        Self::Range(Some(end.clone()), Some(end))
    }

    fn half(comparison: Comparison, key: Key<'a>) -> Self {
        let closed = matches!(comparison, Comparison::LessOrEqual | Comparison::GreaterOrEqual);
        let end = Some(End { key, closed });
        match comparison {
            Comparison::Less | Comparison::LessOrEqual => Self::Range(None, end),
            Comparison::Greater | Comparison::GreaterOrEqual => Self::Range(end, None),
        }
    }

    /// Addresses are whole numbers: `> 10.0.0.1` is `>= 10.0.0.2`.
    fn addresses(comparison: Comparison, bound: u128) -> Self {
        let (comparison, bound) = match comparison {
            Comparison::Less => (Comparison::LessOrEqual, bound.checked_sub(1)),
            Comparison::Greater => (Comparison::GreaterOrEqual, bound.checked_add(1)),
            other => (other, Some(bound)),
        };
        bound.map_or(Self::Empty, |bound| Self::half(comparison, Key::Address(bound)))
    }

    fn block(network: IpAddr, length: u8) -> Self {
        let length = u32::from(length) + if network.is_ipv4() { 96 } else { 0 };
        let below = u128::MAX.checked_shr(length).unwrap_or(0);
        let end = |bits| Some(End { key: Key::Address(bits), closed: true });
        Self::Range(end(as_v6(network) & !below), end(as_v6(network) | below))
    }

    /// How much work comparing with the set takes.
    fn cost(&self) -> usize {
        let text = |end: &Option<End<'_>>| match end {
            Some(End { key: Key::Text(text), .. }) => text.len(),
            _ => 0,
        };
        1 + match self {
            Self::Range(low, high) => text(low) + text(high),
            Self::Pattern(pattern) => pattern.pieces().iter().map(|piece| piece.len() + 1).sum(),
            Self::Empty | Self::All | Self::Unknown => 0,
        }
    }

    fn contains(&self, key: &Key<'_>) -> bool {
        match self {
            Self::All => true,
            Self::Range(low, high) => {
                low.as_ref().is_none_or(|low| low.admits(key, Ordering::Less))
                    && high.as_ref().is_none_or(|high| high.admits(key, Ordering::Greater))
            }
            Self::Pattern(pattern) => matches!(key, Key::Text(text) if pattern.matches(text)),
            Self::Empty | Self::Unknown => false,
        }
    }
}

impl End<'_> {
    /// Returns whether the end lies on the given side of `key`, or includes it.
    fn admits(&self, key: &Key<'_>, side: Ordering) -> bool {
        let order = self.key.partial_cmp(key);
        order == Some(side) || self.closed && order == Some(Ordering::Equal)
    }
}

/// Two tests that contradict each other: no value can pass all of `required` and none of `excluded`. `None` if that cannot
/// be shown.
pub(super) fn clash(
    leaves: &[Leaf<'_>],
    required: &[usize],
    excluded: &[usize],
    effort: &mut usize,
) -> Option<Clash> {
    let set = |leaf: &usize| &leaves[*leaf].set;
    if *effort == 0 {
        return None;
    }
    let cost: usize = required.iter().chain(excluded).map(|leaf| set(leaf).cost()).sum();
    *effort = effort.saturating_sub(cost);
    let required: Vec<_> =
        required.iter().map(|leaf| (Literal { leaf: *leaf, negated: false }, set(leaf))).collect();
    let excluded: Vec<_> =
        excluded.iter().map(|leaf| (Literal { leaf: *leaf, negated: true }, set(leaf))).collect();

    let &(first, _) = required.first()?;
    // A string always has a place in the order; any other value has one if a range demands it.
    let is_ordered = leaves[first.leaf].kind == Kind::Keyword
        || required.iter().any(|(_, set)| matches!(set, Set::Range(..)));
    let interval = Interval::of(&required, if is_ordered { &excluded } else { &[] });
    if interval.is_empty() {
        return interval.low.zip(interval.high).map(|((_, low), (_, high))| (low, high));
    }
    if let Some((point, literal)) = interval.point() {
        let misses = |(_, set): &&(Literal, &Set<'_>)| matches!(set, Set::Pattern(_)) && !set.contains(point);
        let hits = |(_, set): &&(Literal, &Set<'_>)| set.contains(point);
        let other = required.iter().find(misses).or_else(|| excluded.iter().find(hits));
        return other.map(|(other, _)| (literal, *other));
    }
    pattern_clash(&required, &excluded, &interval).or_else(|| {
        let fills = |set: &Set<'_>| matches!(set, Set::All) || interval.lies_in(set);
        excluded.iter().find(|(_, set)| fills(set)).map(|(other, _)| {
            let ends = interval.low.as_ref().or(interval.high.as_ref());
            (ends.map_or(first, |(_, literal)| *literal), *other)
        })
    })
}

type Tests<'l, 's> = &'l [(Literal, &'l Set<'s>)];

/// The values that remain after all ranges, each end with the test that sets it.
struct Interval<'a> {
    low: Option<(End<'a>, Literal)>,
    high: Option<(End<'a>, Literal)>,
}

impl<'a> Interval<'a> {
    /// What the required ranges have in common, minus the excluded ranges that have only one end.
    fn of(required: Tests<'_, 'a>, excluded: Tests<'_, 'a>) -> Self {
        let mut interval = Self { low: None, high: None };
        for (literal, set) in required {
            if let Set::Range(low, high) = set {
                interval.narrow(low.clone(), high.clone(), *literal);
            }
        }
        let beyond = |end: &End<'a>| Some(End { key: end.key.clone(), closed: !end.closed });
        for (literal, set) in excluded {
            match set {
                Set::Range(Some(low), None) => interval.narrow(None, beyond(low), *literal),
                Set::Range(None, Some(high)) => interval.narrow(beyond(high), None, *literal),
                _ => {}
            }
        }
        interval
    }

    fn narrow(&mut self, low: Option<End<'a>>, high: Option<End<'a>>, literal: Literal) {
        let is_narrower = |new: &End<'a>, old: &Option<(End<'a>, Literal)>, side| {
            old.as_ref().is_none_or(|(old, _)| match new.key.partial_cmp(&old.key) {
                Some(Ordering::Equal) => old.closed && !new.closed,
                order => order == Some(side),
            })
        };
        if let Some(low) = low.filter(|low| is_narrower(low, &self.low, Ordering::Greater)) {
            self.low = Some((low, literal));
        }
        if let Some(high) = high.filter(|high| is_narrower(high, &self.high, Ordering::Less)) {
            self.high = Some((high, literal));
        }
    }

    fn ends(&self) -> Option<(&End<'a>, &End<'a>)> {
        Some((&self.low.as_ref()?.0, &self.high.as_ref()?.0))
    }

    fn is_empty(&self) -> bool {
        self.ends().is_some_and(|(low, high)| match low.key.partial_cmp(&high.key) {
            Some(Ordering::Equal) => !(low.closed && high.closed),
            order => order == Some(Ordering::Greater),
        })
    }

    /// The only value, if there is just one.
    fn point(&self) -> Option<(&Key<'a>, Literal)> {
        let (low, high) = self.ends()?;
        (low.key == high.key).then_some(())?;
        self.low.as_ref().map(|(end, literal)| (&end.key, *literal))
    }

    /// Returns whether the interval has two ends and both lie in the range.
    fn lies_in(&self, set: &Set<'_>) -> bool {
        matches!(set, Set::Range(..))
            && self.ends().is_some_and(|(low, high)| set.contains(&low.key) && set.contains(&high.key))
    }
}

/// Patterns that start or end differently, lie beyond the interval, or match only what is excluded.
fn pattern_clash(required: Tests<'_, '_>, excluded: Tests<'_, '_>, interval: &Interval<'_>) -> Option<Clash> {
    let (mut longest_start, mut longest_end) = (None, None);
    for (literal, set) in required {
        let Set::Pattern(pattern) = set else { continue };
        let covers =
            |(_, set): &&(Literal, &Set<'_>)| matches!(set, Set::Pattern(wider) if wider.covers(pattern));
        if let Some((other, _)) = excluded.iter().find(covers) {
            return Some((*literal, *other));
        }
        let (start, end) = (pattern.start(), pattern.end());
        if let Some((End { key: Key::Text(low), .. }, other)) = &interval.low
            && start < low.as_ref()
            && !low.starts_with(start)
        {
            return Some((*other, *literal));
        }
        if let Some((high, other)) = &interval.high
            && !high.admits(&Key::Text(start.into()), Ordering::Greater)
        {
            return Some((*other, *literal));
        }
        let other = disagree(&mut longest_start, start, *literal, |long, short| long.starts_with(short))
            .or_else(|| disagree(&mut longest_end, end, *literal, |long, short| long.ends_with(short)));
        if let Some(other) = other {
            return Some((other, *literal));
        }
    }
    None
}

/// The test with the longest start (or end) so far, if `text` does not agree with it. Otherwise keeps the longer one.
fn disagree<'t>(
    longest: &mut Option<(&'t str, Literal)>,
    text: &'t str,
    literal: Literal,
    begins: fn(&str, &str) -> bool,
) -> Option<Literal> {
    match *longest {
        Some((old, _)) if begins(old, text) => None,
        Some((old, other)) if !begins(text, old) => Some(other),
        _ => {
            *longest = Some((text, literal));
            None
        }
    }
}
