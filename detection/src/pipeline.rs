//! Turns the records of one source, one after the other, into signals and counts.
//!
//! [`Detector`] judges a record; the pipeline counts the verdicts, sets aside what the exceptions match, and makes the
//! signals. The function and `cloudtrail-scan` both run it.

use std::ops::AddAssign;

use crate::detect::{self, Detector, Reach, Ruleset};
use crate::memory::{self, Candidate, Firsts, Match, Matched, Shared};
use crate::origin::Origin;
use crate::records::{self, RawRecord, Record, Rejection};
use crate::signal::{self, AlertDocument, Signal, Suppressed};
use crate::time;

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
    /// Matches: a record counts once for every rule that it matches, or for every tuple of values that the rule remembers.
    pub signals: u64,
    /// Matches that an exception suppresses.
    pub suppressed: u64,
    /// Matches that memory holds back. The code that decides on the candidates counts them.
    pub known: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.matched += other.matched;
        self.unmatched += other.unmatched;
        self.rejected += other.rejected;
        self.signals += other.signals;
        self.suppressed += other.suppressed;
        self.known += other.known;
    }
}

/// What rules on signals make of a signal.
#[derive(Debug, Default)]
pub struct Above {
    /// Signals.
    pub found: Vec<Signal>,
    /// Matches on which memory has to decide.
    pub candidates: Vec<Candidate>,
    /// Matches that an exception suppresses.
    pub suppressed: Vec<Suppressed>,
}

impl Above {
    /// How many matches it holds.
    #[must_use]
    pub fn matches(&self) -> u64 {
        (self.found.len() + self.candidates.len() + self.suppressed.len()) as u64
    }
}

/// Applies the rules on signals to a signal that is to be published, once: what they find is not looked at again. Costs
/// nothing if there are no such rules. `now` is the time as RFC 3339.
#[must_use]
pub fn above(rules: &Ruleset, signal: &mut Signal, now: &str) -> Above {
    above_with(rules, signal, now, None)
}

/// The same. `firsts` decides which matches get the alert document: all if it is `None`.
fn above_with(rules: &Ruleset, signal: &mut Signal, now: &str, firsts: Option<&mut Firsts>) -> Above {
    let mut above = Above::default();
    let uncut = signal.uncut.take();
    if rules.on_signals().next().is_none() {
        return above;
    }
    let text = uncut.as_ref().unwrap_or(&signal.message);
    let alert = records::parse_document(text).unwrap_or_default();
    let (document, id) = (AlertDocument(&alert), signal.id.to_string());
    let time = document.text("kibana.alert.original_time");
    let milliseconds = time.and_then(time::milliseconds);
    let matched = Matched { fields: &document, id: Some(&*id), time: milliseconds };
    let mut shared = Shared::new(text.as_bytes(), firsts);
    for rule in rules.on_signals().filter(|rule| rule.matches_alert(&document)) {
        if let Some(exception) = rules.exception(&rule.definition.rule_id, &document, time) {
            let suppressed =
                Suppressed::above(&rule.definition, exception, document, signal.id, &rules.accounts);
            above.suppressed.push(suppressed);
            continue;
        }
        match memory::candidates(rule, &matched, &mut shared) {
            Match::Candidates(candidates) => above.candidates.extend(candidates),
            Match::Plain => {
                let signal = signal::above(&rule.definition, alert.clone(), None, now, &rules.accounts);
                above.found.push(signal);
            }
        }
    }
    above
}

/// Turns the records of one source into signals.
#[derive(Debug)]
pub struct Pipeline<'a> {
    rules: &'a Ruleset,
    detector: Detector<'a>,
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
    /// Matches on which memory has to decide, not yet taken by the caller.
    pub candidates: Vec<Candidate>,
    /// The bytes added to `found` and `candidates` since both were empty. Summing them up after each record would take
    /// longer than judging it.
    bytes: usize,
    /// What the rules could see of the records, if the caller wants to know.
    pub reach: Option<Box<Reach>>,
    /// Decides which matches get their record or alert document, if the caller can reprocess the record for the others.
    pub firsts: Option<Firsts>,
}

impl<'a> Pipeline<'a> {
    /// Applies `rules` and their exceptions to records from `origin`. `now` is the time of reading as RFC 3339.
    #[must_use]
    pub fn new(rules: &'a Ruleset, origin: &'a Origin, now: &'a str) -> Self {
        Self {
            rules,
            detector: rules.detector(),
            origin,
            now,
            tally: Tally::default(),
            rejections: Vec::new(),
            found: Vec::new(),
            suppressed: Vec::new(),
            candidates: Vec::new(),
            bytes: 0,
            reach: None,
            firsts: None,
        }
    }

    /// Whether the caller should take what was found before it decodes the next record, to limit memory.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let is_empty = self.found.is_empty() && self.candidates.is_empty();
        !is_empty && self.bytes >= FULL_BYTES || self.suppressed.len() >= FULL_SUPPRESSED
    }

    /// Judges one record. `position` is its index in the source, from 0.
    pub fn process(&mut self, position: u64, record: Record<'_>) {
        self.tally.records += 1;
        if let Err(rejection) = record.and_then(|record| self.inspect(record)) {
            self.tally.rejected += 1;
            if self.rejections.len() < REMEMBERED_REJECTIONS {
                self.rejections.push((position, rejection));
            }
        }
    }

    fn inspect(&mut self, record: RawRecord<'_>) -> Result<(), Rejection> {
        let unwrapped = record.unwrapped()?;
        let record = unwrapped.record();
        let repaired;
        let matched = match self.detector.detect_in_reach(record, self.reach.as_deref_mut()) {
            Ok(matched) => matched,
            Err(rejection) => {
                repaired = records::repaired(record.text()).ok_or(rejection)?;
                self.detector.detect(&repaired[..])?
            }
        };
        match matched {
            Some(matched) => self.judge(&matched, record.text()),
            None => self.tally.unmatched += 1,
        }
        Ok(())
    }

    /// Turns a match into signals, candidates and suppressed matches.
    fn judge(&mut self, matched: &detect::Match<'a, '_>, record: &[u8]) {
        self.tally.matched += 1;
        let fields = matched.fields();
        let (time, milliseconds) = fields.time().unzip();
        let time = time.as_deref();
        let of_memory = Matched { fields: &fields, id: fields.event_id(), time: milliseconds };
        let mut firsts = self.firsts.take();
        let mut shared = Shared::new(record, firsts.as_mut());
        let accounts = &self.rules.accounts;
        for rule in &matched.rules {
            let exception = self.rules.exception(&rule.definition.rule_id, &fields, time);
            if let Some(exception) = exception {
                let document = matched.document();
                self.tally.signals += 1;
                self.tally.suppressed += 1;
                let suppressed = Suppressed::new(&rule.definition, exception, document, record, accounts);
                self.suppressed.push(suppressed);
                continue;
            }
            if let Match::Candidates(candidates) = memory::candidates(rule, &of_memory, &mut shared) {
                self.find(None, candidates);
                continue;
            }
            let document = matched.document();
            let mut signal = Signal::new(&rule.definition, document, record, self.origin, self.now, accounts);
            let firsts = shared.firsts.as_deref_mut();
            let Above { found, candidates, suppressed } =
                above_with(self.rules, &mut signal, self.now, firsts);
            self.tally.signals += suppressed.len() as u64;
            self.tally.suppressed += suppressed.len() as u64;
            self.suppressed.extend(suppressed);
            self.find(std::iter::once(signal).chain(found), candidates);
        }
        self.firsts = firsts;
    }

    /// Counts signals and matches, and keeps them for the caller.
    fn find(&mut self, signals: impl IntoIterator<Item = Signal>, candidates: Vec<Candidate>) {
        let waiting = (self.found.len(), self.candidates.len());
        if waiting == (0, 0) {
            self.bytes = 0;
        }
        self.found.extend(signals);
        self.candidates.extend(candidates);
        let (signals, candidates) = (&self.found[waiting.0..], &self.candidates[waiting.1..]);
        self.tally.signals += (signals.len() + candidates.len()) as u64;
        self.bytes += signals.iter().map(Signal::bytes).sum::<usize>();
        self.bytes += candidates.iter().map(Candidate::bytes).sum::<usize>();
    }
}
