//! From raw records to signals: the whole of the detection, without any I/O.

use std::ops::AddAssign;

use super::{Detector, Ruleset};
use crate::origin::Origin;
use crate::query::Query;
use crate::records::{RawRecord, Record, Rejection};
use crate::signal::{Signal, Suppressed};

/// Rejected records that are remembered one by one; any further ones are counted.
const REMEMBERED_REJECTIONS: usize = 16;

/// How the records that were looked at were judged.
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
    /// Records that are none, or not readable.
    pub rejected: u64,
    /// Matches: a record counts once for every rule that it matches.
    pub signals: u64,
    /// Matches that an exception takes out.
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

/// Looks at the records of one delivery, one after the other.
#[derive(Debug)]
pub struct Inspector<'a> {
    detector: Detector<'a>,
    exceptions: Option<&'a Query>,
    origin: &'a Origin,
    now: &'a str,
    /// Records, matches and suppressed signals so far.
    pub tally: Tally,
    /// Position and reason of the first rejected records.
    pub rejections: Vec<(u64, Rejection)>,
    /// Signals found since somebody last took them.
    pub found: Vec<Signal>,
    /// Matches that the exceptions took out since somebody last took them.
    pub suppressed: Vec<Suppressed>,
}

impl<'a> Inspector<'a> {
    /// Applies `rules` to records from `origin`; matches that fulfil `exceptions` are counted and not handed out. `now`
    /// is the time of reading as RFC 3339.
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

    /// Looks at one record.
    pub fn inspect(&mut self, position: u64, record: Record<'_>) {
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
