//! What a rule remembers and decides: a state and the matches of one key in, verdicts and a new state out.
//!
//! All time is event time, so a replay, a late delivery and a scan of the past decide as the events themselves would
//! have. Nothing here waits or reads a clock: the caller keeps the states, by their [`Keys`], and feeds the matches of
//! a batch in the order of their time and id.
//!
//! | module | decides |
//! |---|---|
//! | `new_terms` | whether values are new |
//! | `threshold` | whether a group of events is big enough |
//! | `suppression` | whether an event follows an earlier one |
//! | `candidate` | how a match becomes one that waits for a decision, and then a signal |
//! | `firsts` | which matches are the first of their tuples |
//! | `terms` | which values of a document belong together, and under which key they are kept |
//! | `text` | the form in which a state is kept |

mod candidate;
mod firsts;
mod marks;
mod new_terms;
mod suppression;
mod terms;
pub(crate) mod text;
mod threshold;

use std::fmt;

use crate::rule::Memory;
pub(crate) use candidate::{Match, Matched, Shared, candidates};
use new_terms::NewTerms;
use suppression::Suppression;
use threshold::Threshold;

pub use candidate::{Candidate, signal};
pub use firsts::Firsts;
pub use terms::{Keys, Terms};
pub use text::Error;
pub use threshold::Reached;

/// Milliseconds since 1970.
pub type Time = i64;

const SECOND: i64 = 1000;
const DAY: i64 = 24 * 60 * 60 * SECOND;
/// An item stays this much longer than its window: databases and clocks are not exact.
const GRACE: i64 = 2 * DAY;

/// The parts of a match that memory looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it happened.
    pub time: Time,
    /// What distinguishes it from others: its `event.id`, or the id of a signal.
    pub id: Box<str>,
    /// Where it happened, for [`Reached::agreed`].
    pub place: Place,
    /// Hashes of the values that the rule counts, for each field of its cardinality.
    pub counted: Box<[Box<[u64]>]>,
}

/// Hashes of what may be the same for all events of a group; `None` where there is no value.
pub type Place = [Option<u32>; 3];

/// The fields of a [`Place`].
pub const PLACE: [&str; 3] = ["aws.cloudtrail.recipient_account_id", "cloud.account.id", "cloud.region"];

/// What memory decides about a match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It gives a signal.
    Signal,
    /// It completes a group, which gives a signal.
    Reached(Box<Reached>),
    /// It is held back: known, spent, below the threshold, or learned.
    Known,
}

/// How much a state differs from the one that was written last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Not at all.
    None,
    /// It was seen again so soon, within a hundredth of the window, that writing can wait, unless nothing is known
    /// about the process that wrote last.
    Renewal,
    /// It must be written before a signal is published.
    Needed,
}

/// What a rule remembers under one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    kind: Kind,
    /// The time of the last event when the state was written.
    saved: Option<Time>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    NewTerms(NewTerms),
    Threshold(Box<Threshold>),
    Suppression(Suppression),
}

impl State {
    /// The state of a key about which nothing is known.
    #[must_use]
    pub fn new(memory: &Memory) -> Self {
        let kind = match memory {
            Memory::NewTerms { .. } => Kind::NewTerms(NewTerms::default()),
            Memory::Threshold { .. } => Kind::Threshold(Box::default()),
            Memory::Suppression { .. } => Kind::Suppression(Suppression::default()),
        };
        Self { kind, saved: None }
    }

    /// Reads a state that [`State::text`] wrote.
    ///
    /// # Errors
    /// Why the text cannot be used.
    pub fn parse(memory: &Memory, text: &str) -> Result<Self, Error> {
        let kind = match memory {
            Memory::NewTerms { .. } => Kind::NewTerms(NewTerms::parse(text)?),
            Memory::Threshold { cardinality, .. } => {
                Kind::Threshold(Box::new(Threshold::parse(text, cardinality.len())?))
            }
            Memory::Suppression { .. } => Kind::Suppression(Suppression::parse(text)?),
        };
        let mut state = Self { kind, saved: None };
        state.mark_saved();
        Ok(state)
    }

    /// Decides on one match. Events before `learn_before` are learned: they are remembered and never give a signal. The
    /// change is how this match makes the state differ from the one that was last written.
    pub fn decide(&mut self, memory: &Memory, event: &Event, learn_before: Time) -> (Verdict, Change) {
        let window = window(memory);
        let is_learned = event.time < learn_before;
        match (&mut self.kind, memory) {
            (Kind::NewTerms(state), _) => {
                let (verdict, is_new_claim) = state.decide(window, event, is_learned);
                (verdict, if is_new_claim { Change::Needed } else { self.renewal(window) })
            }
            (Kind::Threshold(state), Memory::Threshold { value, cardinality, .. }) => {
                let rule = threshold::Rule { window, value: *value, cardinality };
                let (verdict, is_changed) = state.decide(&rule, event, learn_before);
                (verdict, if is_changed { Change::Needed } else { Change::None })
            }
            (Kind::Suppression(state), _) => {
                let (verdict, is_changed) = state.decide(window, event, is_learned);
                (verdict, if is_changed { Change::Needed } else { Change::None })
            }
            // A state is made and read for its rule's memory, and kept under a key derived from it.
            (Kind::Threshold(_), _) => (Verdict::Signal, Change::None),
        }
    }

    /// The state as text: versioned, with a checksum that reveals damage, and below 64 KB.
    #[must_use]
    pub fn text(&self, memory: &Memory) -> String {
        match (&self.kind, memory) {
            (Kind::NewTerms(state), _) => state.text(),
            (Kind::Suppression(state), _) => state.text(),
            (Kind::Threshold(state), Memory::Threshold { value, cardinality, .. }) => {
                let rule = threshold::Rule { window: window(memory), value: *value, cardinality };
                state.text(&rule)
            }
            (Kind::Threshold(_), _) => String::new(),
        }
    }

    /// Notes that the state as it is now has been written.
    pub fn mark_saved(&mut self) {
        self.saved = self.last();
    }

    /// When the state is no longer needed, in seconds since 1970. `now` is the time of the clock.
    #[must_use]
    pub fn expires(&self, memory: &Memory, now: Time) -> i64 {
        let last = self.last().map_or(now, |last| last.max(now));
        last.saturating_add(window(memory)).saturating_add(GRACE).div_euclid(SECOND)
    }

    /// The time of the last event that is remembered.
    #[must_use]
    pub fn last(&self) -> Option<Time> {
        match &self.kind {
            Kind::NewTerms(state) => state.last_seen,
            Kind::Threshold(state) => state.last(),
            Kind::Suppression(state) => state.last(),
        }
    }

    fn renewal(&self, window: i64) -> Change {
        match (self.saved, self.last()) {
            (Some(saved), Some(last)) if last == saved => Change::None,
            (Some(saved), Some(last)) if last.saturating_sub(saved) < window / 100 => Change::Renewal,
            (None, None) => Change::None,
            _ => Change::Needed,
        }
    }
}

/// When a rule that first watched at `start` has learned enough. Without a number of days it learns for its own window;
/// suppression has nothing to learn.
#[must_use]
pub fn learns_until(memory: &Memory, start: Time, days: Option<u32>) -> Time {
    if !memory.is_needed() {
        return Time::MIN;
    }
    start.saturating_add(days.map_or(window(memory), |days| i64::from(days) * DAY))
}

/// The time at which a rule first watched, as it is kept under [`Keys::learning`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start(pub Time);

impl Start {
    /// Reads what [`Start`] prints.
    ///
    /// # Errors
    /// Why the text cannot be used.
    pub fn parse(text: &str) -> Result<Self, Error> {
        text::content(text, text::LEARNING)?.parse().map(Self).map_err(|_| Error::Damaged)
    }
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::sealed(text::LEARNING, &self.0.to_string()))
    }
}

fn window(memory: &Memory) -> i64 {
    i64::try_from(memory.window()).unwrap_or(i64::MAX).saturating_mul(SECOND)
}
