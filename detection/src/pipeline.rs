//! The records of one source, one after the other, to signals and counts.
//!
//! [`Detector`] judges a record; the pipeline counts the verdicts, takes out what the exceptions match, and makes the
//! signals. The function and `cloudtrail-scan` both run it.

use std::ops::AddAssign;

use crate::detect::{Detector, Ruleset};
use crate::origin::Origin;
use crate::query::Query;
use crate::records::{RawRecord, Record, Rejection};
use crate::signal::{Signal, Suppressed};

/// The first rejections are kept one by one; later ones are only counted.
const REMEMBERED_REJECTIONS: usize = 16;
/// The bytes of signals after which the caller should take them: up to sixteen sources are read at a time.
const FULL_BYTES: usize = 256 * 1024;
/// The number of suppressed matches, which are small, after which the caller should take them.
const FULL_SUPPRESSED: usize = 1000;

/// The verdicts on the records of a source.
///
/// `records == matched + unmatched + rejected`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records that were read.
    pub records: u64,
    /// Records that at least one rule matches.
    pub matched: u64,
    /// Records that no rule matches.
    pub unmatched: u64,
    /// Records that are not readable, or are not CloudTrail records.
    pub rejected: u64,
    /// Matches: a record counts once for every rule that it matches.
    pub signals: u64,
    /// Matches that an exception suppresses.
    pub suppressed: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.matched += other.matched;
        self.unmatched += other.unmatched;
        self.rejected += other.rejected;
        self.signals += other.signals;
        self.suppressed += other.suppressed;
    }
}

/// Turns the records of one source into signals.
#[derive(Debug)]
pub struct Pipeline<'a> {
    detector: Detector<'a>,
    exceptions: Option<&'a Query>,
    origin: &'a Origin,
    now: &'a str,
    /// The verdicts so far.
    pub tally: Tally,
    /// The position and the reason of the first rejected records.
    pub rejections: Vec<(u64, Rejection)>,
    /// Signals that were found and not yet taken by the caller.
    pub found: Vec<Signal>,
    /// Suppressed matches that the caller has not yet taken.
    pub suppressed: Vec<Suppressed>,
}

impl<'a> Pipeline<'a> {
    /// Applies `rules` to records from `origin`. A match that satisfies `exceptions` is suppressed. `now` is the time of
    /// reading as RFC 3339.
    #[must_use]
    pub fn new(rules: &'a Ruleset, exceptions: Option<&'a Query>, origin: &'a Origin, now: &'a str) -> Self {
        Self {
            detector: rules.detector(),
            exceptions,
            origin,
            now,
            tally: Tally::default(),
            rejections: Vec::new(),
            found: Vec::new(),
            suppressed: Vec::new(),
        }
    }

    /// Whether the caller should take what was found before it decodes the next record, to limit memory.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let found: usize = self.found.iter().map(Signal::bytes).sum();
        found >= FULL_BYTES || self.suppressed.len() >= FULL_SUPPRESSED
    }

    /// Judges one record. `position` is its index in the source, from 0.
    pub fn process(&mut self, position: u64, record: Record<'_>) {
        self.tally.records += 1;
        let unwrapped = record.and_then(RawRecord::unwrapped);
        match unwrapped.and_then(|record| Ok((self.detector.detect(record.record())?, record))) {
            Ok((None, _)) => self.tally.unmatched += 1,
            Ok((Some(matched), record)) => {
                let record = record.record();
                self.tally.matched += 1;
                let excepted =
                    self.exceptions.is_some_and(|query| query.evaluate(&matched.document) == Some(true));
                for rule in matched.rules {
                    self.tally.signals += 1;
                    let (definition, document) = (&rule.definition, &matched.document);
                    if excepted {
                        self.tally.suppressed += 1;
                        self.suppressed.push(Suppressed::new(definition, document, record.text()));
                    } else {
                        let signal = Signal::new(definition, document, record.text(), self.origin, self.now);
                        self.found.push(signal);
                    }
                }
            }
            Err(rejection) => {
                self.tally.rejected += 1;
                if self.rejections.len() < REMEMBERED_REJECTIONS {
                    self.rejections.push((position, rejection));
                }
            }
        }
    }
}
