//! Which rules can see anything: those whose service and event occur among the records.
//!
//! A rule that never matches may be quiet or blind: for example, a trail without data events shows it nothing. The
//! provider and the action of every record tell which, whatever the ladder rules out earlier.

use std::collections::BTreeSet;

use foldhash::HashSet;

use super::search::{self, FirstHead};
use super::{Head, Ruleset};
use crate::records::RawRecord;

/// How many pairs of provider and action are remembered as judged, and how long their text may be. CloudTrail has a few
/// thousand. Unusual input cannot fill the memory: what does not fit is judged again.
const MAX_HEADS: usize = 8192;
const MAX_HEAD_BYTES: usize = 256;

/// The time is read from this many records, and after that from one record in [`EVERY`]: finding the time of every
/// record would add a tenth to the time that a record takes, and records come ordered by the hour.
const FIRST_TIMES: u64 = 1000;
const EVERY: u64 = 64;
/// More days than this are not told apart.
const MAX_DAYS: usize = 10_000;

/// How much of what a rule asks for occurred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    /// No record of a service that it asks for.
    Nothing,
    /// Records of its service, but none of its events.
    Service,
    /// A record of an event that it asks for.
    Event,
}

/// What the rules of a set could see of the records so far.
#[derive(Debug)]
pub struct Reach {
    /// By the place of the rule. Rules on signals come after these.
    sights: Vec<Sight>,
    /// Whether every rule has seen an event that it asks for: nothing more can be learned.
    all_see: bool,
    /// The texts of the heads that were judged.
    judged: HashSet<Box<[u8]>>,
    records: u64,
    /// The first and the last event time, as text in the same form.
    span: Option<(Time, Time)>,
    /// The days on which events occurred.
    days: BTreeSet<Day>,
    /// The day of the last record: the next one is usually from the same day.
    day: Day,
}

/// A time as CloudTrail writes it: `2026-11-23T10:05:00Z`.
type Time = [u8; 20];
type Day = [u8; 10];

impl Reach {
    /// A reach in which nothing has occurred yet.
    #[must_use]
    pub fn new(ruleset: &Ruleset) -> Self {
        let sights = vec![Sight::Nothing; ruleset.on_records];
        Self {
            all_see: sights.is_empty(),
            sights,
            judged: HashSet::default(),
            records: 0,
            span: None,
            days: BTreeSet::new(),
            day: Day::default(),
        }
    }

    /// Takes a record into account. `ruleset` must always be the same; `first` finds the record's first head.
    pub(super) fn add<'t>(
        &mut self,
        ruleset: &Ruleset,
        record: RawRecord<'t>,
        first: &dyn Fn() -> Option<FirstHead<'t>>,
    ) {
        self.records += 1;
        let is_looked_at = self.records <= FIRST_TIMES || self.records.is_multiple_of(EVERY);
        if is_looked_at && let Some(time) = search::first_time(record) {
            self.occurred(time);
        }
        if self.all_see {
            return;
        }
        let head = first();
        if head.as_ref().is_some_and(|head| self.judged.contains(head.text)) {
            return;
        }
        if let Some((provider, action)) = head.as_ref().and_then(FirstHead::values) {
            self.judge(ruleset, &Head::of(provider, action));
        } else if let Ok(head) = Head::parse(record.text()) {
            self.judge(ruleset, &head.without_outcome());
        }
        if let Some(head) = head.filter(|head| head.text.len() <= MAX_HEAD_BYTES) {
            self.remember(head.text);
        }
    }

    /// Takes into account what occurred in another reach of the same rules.
    pub fn join(&mut self, other: &Self) {
        for (sight, other) in self.sights.iter_mut().zip(&other.sights) {
            *sight = (*sight).max(*other);
        }
        self.span = match (self.span, other.span) {
            (Some((first, last)), Some((other_first, other_last))) => {
                Some((first.min(other_first), last.max(other_last)))
            }
            (one, other) => one.or(other),
        };
        self.days.extend(&other.days);
    }

    /// What occurred for each rule on records, in their order.
    #[must_use]
    pub fn sights(&self) -> &[Sight] {
        &self.sights
    }

    /// The number of days (UTC) on which events occurred.
    #[must_use]
    pub fn days(&self) -> usize {
        self.days.len()
    }

    /// The first and the last event time, as RFC 3339.
    #[must_use]
    pub fn span(&self) -> Option<(&str, &str)> {
        let (first, last) = self.span.as_ref()?;
        Some((std::str::from_utf8(first).ok()?, std::str::from_utf8(last).ok()?))
    }

    fn occurred(&mut self, time: Time) {
        let (first, last) = self.span.unwrap_or((time, time));
        self.span = Some((first.min(time), last.max(time)));
        if !time.starts_with(&self.day)
            && self.days.len() < MAX_DAYS
            && let Some(day) = time.first_chunk()
        {
            self.day = *day;
            self.days.insert(*day);
        }
    }

    fn judge(&mut self, ruleset: &Ruleset, head: &Head<'_>) {
        let provider = head.provider_alone();
        for (sight, rule) in self.sights.iter_mut().zip(&ruleset.rules) {
            let may_match = |head: &Head<'_>| rule.query.evaluate(head) != Some(false);
            if *sight < Sight::Event && may_match(&provider) {
                *sight = if may_match(head) { Sight::Event } else { Sight::Service };
            }
        }
        self.all_see = self.sights.iter().all(|sight| *sight == Sight::Event);
    }

    fn remember(&mut self, head: &[u8]) {
        if self.judged.len() == MAX_HEADS {
            self.judged.clear();
        }
        self.judged.insert(head.into());
    }
}
