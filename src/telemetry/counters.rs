//! What was done, in numbers that add up.

use std::ops::AddAssign;

use detection::detect::Tally;
use serde::Serialize;

/// The counters of a delivery, a message or a whole invocation.
///
/// `records == matched + unmatched + rejected` and `signals == published + suppressed + duplicates + failed`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Objects that were begun as deliveries, and messages that brought records themselves.
    pub deliveries: u64,
    /// Test events, other events and objects that are no deliveries: nothing to do.
    pub skipped: u64,
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
    /// Signals that SNS took.
    pub published: u64,
    /// Matches that `EXCEPTION_QUERY` takes out.
    pub suppressed: u64,
    /// Signals that had been seen in the same invocation, or that the archive holds.
    pub duplicates: u64,
    /// Signals that SNS did not take.
    pub failed: u64,
    /// Bytes read.
    pub bytes_in: u64,
    /// Bytes after decompression.
    pub bytes_inflated: u64,
}

impl AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        self.deliveries += other.deliveries;
        self.skipped += other.skipped;
        self.records += other.records;
        self.matched += other.matched;
        self.unmatched += other.unmatched;
        self.rejected += other.rejected;
        self.signals += other.signals;
        self.published += other.published;
        self.suppressed += other.suppressed;
        self.duplicates += other.duplicates;
        self.failed += other.failed;
        self.bytes_in += other.bytes_in;
        self.bytes_inflated += other.bytes_inflated;
    }
}

impl From<Tally> for Counters {
    fn from(tally: Tally) -> Self {
        let Tally { records, matched, unmatched, rejected, signals, suppressed } = tally;
        Self { records, matched, unmatched, rejected, signals, suppressed, ..Self::default() }
    }
}
