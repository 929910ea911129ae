//! Groups of events that are big enough.
//!
//! Events count in the order of their time and id, whatever order they arrive in. What an alert has counted, and what
//! follows it within the window, is spent: it does not count again.

mod form;

use std::collections::{HashMap, HashSet};

use super::text::Id;
use super::{Event, PLACE, Place, Time, Verdict};
use crate::rule::Cardinality;

/// At least this many events are kept, as long as none of them is spent, so that late ones find their neighbours.
const MIN_KEPT: usize = 200;
/// The whole identifier is kept for this many events, for the ancestors of a signal.
const MAX_WHOLE: usize = 128;
/// A signal names at most this many ancestors.
const MAX_ANCESTORS: usize = 100;
/// This many alerts are kept, and the ancestors of the newest few.
const MAX_ALERTS: usize = 64;
const MAX_ALERTS_WITH_ANCESTORS: usize = 2;
/// This many letters are kept of the hash of a counted value.
const VALUE_LETTERS: usize = 6;

/// What a rule asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule<'a> {
    pub(super) window: i64,
    pub(super) value: u32,
    pub(super) cardinality: &'a [Cardinality],
}

/// A group that is big enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The identifier of the event that completed it.
    pub id: String,
    /// When that event happened.
    pub time: Time,
    /// The number of events.
    pub count: u32,
    /// The number of values of each field of the cardinality.
    pub cardinality: Vec<u32>,
    /// The identifiers of the events, oldest first; at most 100, the newest ones.
    pub ancestors: Vec<String>,
    /// Which fields of [`PLACE`] all events agree on.
    pub agreed: [bool; PLACE.len()],
}

/// What is remembered of one group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Threshold {
    /// In the order in which they were found.
    alerts: Vec<Alert>,
    /// Events that are not spent, in the order of time and id.
    events: Vec<Kept>,
    /// For each field of the cardinality, how many of the events have each value.
    distinct: Vec<HashMap<u64, usize>>,
    /// The time of the event that arrived last.
    latest: Time,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    time: Time,
    id: Id,
    place: Place,
    counted: Box<[Box<[u64]>]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Alert {
    time: Time,
    /// The event that completed it.
    id: Id,
    /// The late event that revealed it, if that is another one. If either is seen again, it gives the signal again.
    shown_by: Option<(Time, Id)>,
    is_learned: bool,
    count: u32,
    cardinality: Vec<u32>,
    agreed: [bool; PLACE.len()],
    ancestors: Vec<Id>,
}

impl Threshold {
    /// Decides on one event. Also returns whether the state has changed.
    pub(super) fn decide(&mut self, rule: &Rule<'_>, event: &Event, learn_before: Time) -> (Verdict, bool) {
        if let Some(alert) = self.alerts.iter().find(|alert| alert.is_of(event)) {
            return (alert.verdict(event, learn_before), false);
        }
        if self.is_spent(event.time, rule.window) {
            return (Verdict::Known, false);
        }
        let Some(place) = self.insert(rule, event) else { return (Verdict::Known, false) };
        let verdict = match self.completed_from(place, rule) {
            Some((completing, first)) => self.alert(rule, first..=completing, event, learn_before),
            None => Verdict::Known,
        };
        if self.events.len() > 2 * max_kept(rule) {
            self.prune(rule);
        }
        (verdict, true)
    }

    pub(super) fn last(&self) -> Option<Time> {
        let alerts = self.alerts.iter().map(|alert| alert.time).max();
        alerts.max(self.events.last().map(|event| event.time))
    }

    fn is_spent(&self, time: Time, window: i64) -> bool {
        self.alerts.iter().any(|alert| time.abs_diff(alert.time) < window.unsigned_abs())
    }

    /// Inserts an event in order; `None` if it is already there.
    fn insert(&mut self, rule: &Rule<'_>, event: &Event) -> Option<usize> {
        let before =
            |kept: &Kept| (kept.time, kept.id.whole().unwrap_or_default()) < (event.time, &*event.id);
        let place = self.events.partition_point(before);
        let mut same_time = self.events[..place].iter().rev().take_while(|kept| kept.time == event.time);
        let follows = self.events[place..].iter().take_while(|kept| kept.time == event.time);
        if same_time.any(|kept| kept.id.is(&event.id))
            || follows.into_iter().any(|kept| kept.id.is(&event.id))
        {
            return None;
        }
        self.latest = event.time;
        // An event with more values than the rule needs is as good as one with just enough.
        let counted = rule.cardinality.iter().zip(&event.counted).map(|(rule, values)| {
            let values = values.iter().map(|value| value & ((1 << (6 * VALUE_LETTERS)) - 1));
            values.take(rule.value as usize).collect()
        });
        let kept =
            Kept { time: event.time, id: Id::of(&event.id), place: event.place, counted: counted.collect() };
        self.count(&kept);
        self.events.insert(place, kept);
        Some(place)
    }

    fn count(&mut self, kept: &Kept) {
        self.distinct.resize(self.distinct.len().max(kept.counted.len()), HashMap::new());
        for (counts, values) in self.distinct.iter_mut().zip(&kept.counted) {
            for value in values {
                *counts.entry(*value).or_default() += 1;
            }
        }
    }

    /// The first event with a full window, among those from `place` on whose window includes the event at `place`, and
    /// the first event in that window.
    fn completed_from(&self, place: usize, rule: &Rule<'_>) -> Option<(usize, usize)> {
        let wanted = |field: usize| rule.cardinality[field].value as usize;
        if self.events.len() < rule.value as usize
            || self.distinct.iter().enumerate().any(|(field, counts)| counts.len() < wanted(field))
        {
            return None;
        }
        let begins = self.events[place].time;
        let mut first = self.events.partition_point(|kept| kept.time <= begins.saturating_sub(rule.window));
        let mut counts = vec![HashMap::new(); rule.cardinality.len()];
        for kept in self.events[first..place].iter().filter(|_| !rule.cardinality.is_empty()) {
            add(&mut counts, kept);
        }
        for (offset, kept) in self.events[place..].iter().enumerate() {
            if kept.time.saturating_sub(begins) >= rule.window {
                break;
            }
            add(&mut counts, kept);
            while self.events[first].time <= kept.time.saturating_sub(rule.window) {
                remove(&mut counts, &self.events[first]);
                first += 1;
            }
            let completing = place + offset;
            let is_full = completing + 1 - first >= rule.value as usize
                && counts.iter().enumerate().all(|(field, counts)| counts.len() >= wanted(field));
            if is_full && kept.id.whole().is_some() {
                return Some((completing, first));
            }
        }
        None
    }

    /// Makes the alert of the events in a window, the last of which completes it, and drops the events that it spends.
    fn alert(
        &mut self,
        rule: &Rule<'_>,
        events: std::ops::RangeInclusive<usize>,
        event: &Event,
        learn_before: Time,
    ) -> Verdict {
        let events = &self.events[events];
        let [.., last] = events else { return Verdict::Known };
        let count = |field: usize| {
            let values: HashSet<_> =
                events.iter().filter_map(|kept| kept.counted.get(field)).flatten().collect();
            u32::try_from(values.len()).unwrap_or(u32::MAX)
        };
        let agreed = |field: usize| events.iter().all(|kept| kept.place[field] == last.place[field]);
        let alert = Alert {
            time: last.time,
            id: last.id.clone(),
            shown_by: (!last.id.is(&event.id)).then(|| (event.time, Id::of(&event.id).shortened())),
            is_learned: last.time < learn_before,
            count: u32::try_from(events.len()).unwrap_or(u32::MAX),
            cardinality: (0..rule.cardinality.len()).map(count).collect(),
            agreed: std::array::from_fn(agreed),
            ancestors: events.iter().map(|kept| kept.id.clone()).filter(|id| id.whole().is_some()).collect(),
        };
        let alert = Alert {
            ancestors: alert.ancestors[alert.ancestors.len().saturating_sub(MAX_ANCESTORS)..].to_vec(),
            ..alert
        };
        let verdict = alert.verdict(event, learn_before);
        let time = alert.time;
        self.alerts.push(alert);
        if let Some(older) = self.alerts.len().checked_sub(MAX_ALERTS_WITH_ANCESTORS + 1) {
            self.alerts[older].ancestors.clear();
        }
        if self.alerts.len() > MAX_ALERTS {
            let farthest = self.alerts.iter().enumerate().max_by_key(|(_, alert)| alert.time.abs_diff(time));
            if let Some((farthest, _)) = farthest {
                self.alerts.remove(farthest);
            }
        }
        self.events.retain(|kept| kept.time.abs_diff(time) >= rule.window.unsigned_abs());
        self.recount();
        verdict
    }

    fn recount(&mut self) {
        self.distinct.clear();
        let events = std::mem::take(&mut self.events);
        for kept in &events {
            self.count(kept);
        }
        self.events = events;
    }

    /// Forgets what later events cannot need: only the newest event per value counts, and only the newest events
    /// overall.
    fn thin(&mut self, rule: &Rule<'_>) {
        let mut seen: Vec<HashSet<u64>> = vec![HashSet::new(); rule.cardinality.len()];
        let mut kept: Vec<_> = std::mem::take(&mut self.events);
        for (newer, event) in kept.iter_mut().rev().enumerate() {
            for ((values, seen), field) in event.counted.iter_mut().zip(&mut seen).zip(rule.cardinality) {
                let enough = field.value as usize;
                *values = values
                    .iter()
                    .copied()
                    .filter(|value| seen.len() < enough && seen.insert(*value))
                    .collect();
            }
            if newer >= rule.value as usize {
                event.id = Id::Forgotten;
            }
        }
        kept.retain(|event| {
            event.id != Id::Forgotten || event.counted.iter().any(|values| !values.is_empty())
        });
        self.events = kept;
    }

    /// Forgets what is farthest from the event that arrived last. If too many events are near it, they are thinned.
    fn prune(&mut self, rule: &Rule<'_>) {
        let max = max_kept(rule);
        let is_near = |kept: &Kept| kept.time.abs_diff(self.latest) < 2 * rule.window.unsigned_abs();
        while self.events.len() > max {
            let [first, .., last] = self.events.as_slice() else { break };
            if first.time.abs_diff(self.latest) >= last.time.abs_diff(self.latest) {
                if is_near(first) {
                    break;
                }
                self.events.remove(0);
            } else if is_near(last) {
                break;
            } else {
                self.events.pop();
            }
        }
        if self.events.len() > max {
            self.thin(rule);
        }
        let whole = self.events.len().saturating_sub(MAX_WHOLE);
        for event in &mut self.events[..whole] {
            event.id = event.id.shortened();
        }
        self.recount();
    }
}

/// How many events a text keeps.
fn max_kept(rule: &Rule<'_>) -> usize {
    let counted: u32 = rule.cardinality.iter().map(|field| field.value).sum();
    (2 * rule.value as usize).clamp(MIN_KEPT, 1000) + counted as usize
}

fn add<'k>(counts: &mut [HashMap<&'k u64, usize>], kept: &'k Kept) {
    for (counts, values) in counts.iter_mut().zip(&kept.counted) {
        for value in values {
            *counts.entry(value).or_default() += 1;
        }
    }
}

fn remove<'k>(counts: &mut [HashMap<&'k u64, usize>], kept: &'k Kept) {
    for (counts, values) in counts.iter_mut().zip(&kept.counted) {
        for value in values {
            if let Some(count) = counts.get_mut(value) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(value);
                }
            }
        }
    }
}

impl Alert {
    fn is_of(&self, event: &Event) -> bool {
        self.time == event.time && self.id.is(&event.id)
            || self.shown_by.as_ref().is_some_and(|(time, id)| *time == event.time && id.is(&event.id))
    }

    fn verdict(&self, event: &Event, learn_before: Time) -> Verdict {
        if self.is_learned || self.time < learn_before {
            return Verdict::Known;
        }
        // Only the event itself knows a long identifier.
        let id = self.id.whole().unwrap_or(&event.id).to_owned();
        let mut ancestors: Vec<_> = self.ancestors.iter().filter_map(Id::whole).map(str::to_owned).collect();
        if ancestors.is_empty() {
            ancestors.push(id.clone());
        }
        Verdict::Reached(Box::new(Reached {
            id,
            time: self.time,
            count: self.count,
            cardinality: self.cardinality.clone(),
            ancestors,
            agreed: self.agreed,
        }))
    }
}
