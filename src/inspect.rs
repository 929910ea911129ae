//! From raw records to signals: the whole of the detection, without any I/O.

use crate::counters::Counters;
use crate::kql::Query;
use crate::origin::Origin;
use crate::records::{Record, Rejection};
use crate::rule::{Detector, Ruleset};
use crate::signal::{Signal, SignalId};

/// Rejected records that are remembered one by one; any further ones are counted.
const REMEMBERED_REJECTIONS: usize = 16;

/// Looks at the records of one delivery, one after the other.
#[derive(Debug)]
pub struct Inspector<'a> {
    detector: Detector<'a>,
    exceptions: Option<&'a Query>,
    origin: &'a Origin,
    now: &'a str,
    /// Records, matches and suppressed signals so far.
    pub counters: Counters,
    /// Position and reason of the first rejected records.
    pub rejections: Vec<(u64, Rejection)>,
    /// Signals found since somebody last took them.
    pub found: Vec<Signal>,
    /// Signals that the exceptions took out since somebody last took them.
    pub suppressed: Vec<SignalId>,
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
            counters: Counters::default(),
            rejections: Vec::new(),
            found: Vec::new(),
            suppressed: Vec::new(),
        }
    }

    /// Looks at one record.
    pub fn inspect(&mut self, position: u64, record: Record<'_>) {
        self.counters.records += 1;
        match record.and_then(|record| Ok((record, self.detector.detect(record)?))) {
            Ok((_, None)) => self.counters.unmatched += 1,
            Ok((record, Some(matched))) => {
                self.counters.matched += 1;
                let excepted =
                    self.exceptions.is_some_and(|query| query.evaluate(&matched.document) == Some(true));
                for rule in matched.rules {
                    self.counters.signals += 1;
                    let definition = &rule.definition;
                    if excepted {
                        self.counters.suppressed += 1;
                        self.suppressed.push(SignalId::new(
                            &definition.rule_id,
                            &matched.document,
                            record.text(),
                        ));
                    } else {
                        let document = &matched.document;
                        self.found.push(Signal::new(
                            definition,
                            document,
                            record.text(),
                            self.origin,
                            self.now,
                        ));
                    }
                }
            }
            Err(rejection) => {
                self.counters.rejected += 1;
                if self.rejections.len() < REMEMBERED_REJECTIONS {
                    self.rejections.push((position, rejection));
                }
            }
        }
    }
}
