//! What rules remember, in memory: matches wait until every file is read, and are decided in the order of time and event.
//!
//! So the order of the files does not matter. A match waits as its time and its place, in less than 200 bytes; the records of
//! those that signal are read again. A few megabytes of the matches that are most likely to signal wait with their records.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::Arc;

use detection::detect::Ruleset;
use detection::memory::{self, Candidate, Event, State, Time, Verdict};
use detection::origin::Origin;
use detection::pipeline::{self, Pipeline, Tally};
use detection::records::{Decoder, Record};
use detection::rule;
use detection::signal::Signal;

const CHUNK_BYTES: usize = 64 * 1024;
/// So much of the matches is kept: to read a file again for a few of them takes as long as to read it.
const KEPT_BYTES: usize = 8 << 20;

/// A match, and the position of its record in its file.
pub type Found = (u64, Candidate);

/// What the rules of a run remember.
pub struct Memory<'r> {
    rules: &'r Ruleset,
    keys: HashMap<Arc<str>, u32>,
    /// By the number of the key.
    tuples: Vec<Tuple>,
    files: Vec<PathBuf>,
    waiting: Vec<Waiting>,
    /// The bytes of the matches that were kept.
    kept: usize,
}

/// What is kept under a key.
struct Tuple {
    state: State,
    /// The time and the event of the first match so far.
    first: Option<(Time, Box<str>)>,
}

/// A match that waits.
struct Waiting {
    event: Event,
    file: u32,
    position: u32,
    key: u32,
    rule: u16,
    /// The match itself, if it was kept or its file cannot be read again.
    kept: Option<Box<Candidate>>,
}

impl Waiting {
    /// The place of its rule.
    fn rule(&self) -> usize {
        self.kept.as_ref().map_or(usize::from(self.rule), |kept| kept.rule)
    }
}

/// What rules that remember made of a run.
#[derive(Default)]
pub struct Outcome {
    pub signals: Vec<Signal>,
    /// What the readers have not counted: matches of rules on signals, those that are suppressed, and what is held back.
    pub tally: Tally,
    /// The exceptions that took out a match.
    pub excepted: BTreeSet<String>,
}

/// The matches that signal, each with its place among all.
#[derive(Default)]
struct Decided {
    /// Those that were kept.
    signals: Vec<(usize, Signal)>,
    /// By the file in which their records lie, with their positions in it.
    hits: BTreeMap<u32, Vec<(u32, Hit)>>,
}

/// A match that signals.
struct Hit {
    /// Its place among all that signal.
    order: usize,
    rule: usize,
    key: Arc<str>,
    event: Box<str>,
    verdict: Verdict,
}

impl<'r> Memory<'r> {
    pub fn new(rules: &'r Ruleset) -> Self {
        Self {
            rules,
            keys: HashMap::new(),
            tuples: Vec::new(),
            files: Vec::new(),
            waiting: Vec::new(),
            kept: 0,
        }
    }

    /// Adds the matches of a file.
    pub fn add(&mut self, path: &PathBuf, found: Vec<Found>) {
        if self.files.last() != Some(path) {
            self.files.push(path.clone());
        }
        let can_be_read_again = path.is_file();
        for (position, candidate) in found {
            let place =
                (u32::try_from(self.files.len() - 1), u32::try_from(position), u16::try_from(candidate.rule));
            let key = self.key(&candidate);
            // The first match of a tuple mostly signals, and any match of a group can complete it.
            let Event { time, id, .. } = &candidate.event;
            let first = &mut self.tuples[key as usize].first;
            let is_first = first.as_ref().is_none_or(|first| (*time, id) < (first.0, &first.1));
            if is_first {
                *first = Some((*time, id.clone()));
            }
            let memory = self.rules.rules()[candidate.rule].memory.as_ref();
            let may_signal = is_first || matches!(memory, Some(rule::Memory::Threshold { .. }));
            let (file, position, rule, is_small) = match place {
                (Ok(file), Ok(position), Ok(rule)) => (file, position, rule, true),
                _ => (0, 0, 0, false),
            };
            let is_kept = may_signal && self.kept + candidate.bytes() <= KEPT_BYTES;
            if is_kept {
                self.kept += candidate.bytes();
            }
            let kept = (is_kept || !can_be_read_again || !is_small).then(|| Box::new(candidate.clone()));
            self.waiting.push(Waiting { event: candidate.event, file, position, key, rule, kept });
        }
    }

    fn key(&mut self, candidate: &Candidate) -> u32 {
        if let Some(key) = self.keys.get(candidate.key.as_str()) {
            return *key;
        }
        // Four thousand million states do not fit into any memory.
        let key = u32::try_from(self.tuples.len()).unwrap_or(u32::MAX);
        if let Some(memory) = &self.rules.rules()[candidate.rule].memory {
            self.tuples.push(Tuple { state: State::new(memory), first: None });
        }
        self.keys.insert(candidate.key.as_str().into(), key);
        key
    }

    /// Learns from the matches so far, whatever their time.
    pub fn learn(&mut self) {
        self.decide(Time::MAX, "");
        self.files.clear();
    }

    /// Decides on the matches so far, and on what rules on signals make of the signals. Gives the signals in the order of
    /// time and event, and the counts of what was found and decided on the way.
    ///
    /// # Errors
    /// A file that cannot be read again.
    pub fn signals(&mut self, now: &str) -> Result<Outcome, String> {
        let on_signals = |one: &Waiting| self.rules.rules()[one.rule()].on_signals;
        let (above, below): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(on_signals);
        let mut outcome = Outcome::default();
        self.waiting = below;
        let below = self.made(now, &mut outcome)?;
        self.waiting = above;
        for signal in below {
            let above = pipeline::above(self.rules, &signal, now);
            outcome.tally.signals += above.matches();
            outcome.tally.suppressed += above.suppressed.len() as u64;
            outcome.excepted.extend(above.suppressed.into_iter().map(|suppressed| suppressed.exception));
            outcome.signals.push(signal);
            outcome.signals.extend(above.found);
            for candidate in above.candidates {
                let key = self.key(&candidate);
                let event = candidate.event.clone();
                let kept = Some(Box::new(candidate));
                self.waiting.push(Waiting { event, file: 0, position: 0, key, rule: 0, kept });
            }
        }
        let above = self.made(now, &mut outcome)?;
        outcome.signals.extend(above);
        Ok(outcome)
    }

    /// The signals of the matches that wait.
    fn made(&mut self, now: &str, outcome: &mut Outcome) -> Result<Vec<Signal>, String> {
        let all = self.waiting.len();
        let Decided { mut signals, hits } = self.decide(Time::MIN, now);
        outcome.tally.known += (all - signals.len() - hits.values().map(Vec::len).sum::<usize>()) as u64;
        for (file, hits) in hits {
            let path = &self.files[file as usize];
            let again = self.again(path, hits, now);
            signals.extend(
                again.map_err(|error| format!("{}: it cannot be read again: {error}", path.display()))?,
            );
        }
        signals.sort_by_key(|(order, _)| *order);
        Ok(signals.into_iter().map(|(_, signal)| signal).collect())
    }

    /// Decides on all that wait.
    fn decide(&mut self, learn_before: Time, now: &str) -> Decided {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.sort_unstable_by(|a, b| {
            (a.event.time, &a.event.id, a.rule, a.key).cmp(&(b.event.time, &b.event.id, b.rule, b.key))
        });
        let names: HashMap<u32, Arc<str>> =
            self.keys.iter().map(|(name, key)| (*key, Arc::clone(name))).collect();
        let mut decided = Decided::default();
        for (order, one) in waiting.into_iter().enumerate() {
            let rule = one.rule();
            let Some(memory) = &self.rules.rules()[rule].memory else { continue };
            let (verdict, _) = self.tuples[one.key as usize].state.decide(memory, &one.event, learn_before);
            if verdict == Verdict::Known {
                continue;
            }
            if let Some(candidate) = one.kept {
                let file = self.files.get(one.file as usize);
                let origin = Origin::File(file.map(|file| file.display().to_string()).unwrap_or_default());
                let signal = memory::signal(self.rules, &candidate, &verdict, &origin, now);
                decided.signals.push((order, signal));
            } else {
                let key = Arc::clone(&names[&one.key]);
                let hit = Hit { order, rule, key, event: one.event.id, verdict };
                decided.hits.entry(one.file).or_default().push((one.position, hit));
            }
        }
        decided
    }

    /// Reads the records of a file again that signal.
    fn again(
        &self,
        path: &PathBuf,
        mut hits: Vec<(u32, Hit)>,
        now: &str,
    ) -> io::Result<Vec<(usize, Signal)>> {
        hits.sort_by_key(|(position, _)| *position);
        let mut hits = hits.into_iter().peekable();
        let origin = Origin::File(path.display().to_string());
        let mut pipeline = Pipeline::new(self.rules, &origin, now);
        let mut signals = Vec::new();
        let mut take = |position: u64, record: Record<'_>| {
            if hits.peek().is_none_or(|(next, _)| u64::from(*next) != position) {
                return;
            }
            pipeline.process(position, record);
            let candidates = std::mem::take(&mut pipeline.candidates);
            pipeline.found.clear();
            while let Some((_, hit)) = hits.next_if(|(next, _)| u64::from(*next) == position) {
                let of_hit = |candidate: &&Candidate| {
                    candidate.rule == hit.rule && candidate.key == *hit.key && candidate.event.id == hit.event
                };
                if let Some(candidate) = candidates.iter().find(of_hit) {
                    signals
                        .push((hit.order, memory::signal(self.rules, candidate, &hit.verdict, &origin, now)));
                }
            }
        };
        let (mut file, mut decoder, mut chunk) = (File::open(path)?, Decoder::new(), vec![0; CHUNK_BYTES]);
        loop {
            let length = file.read(&mut chunk)?;
            let mut bytes = &chunk[..length];
            // What is wrong with the file was said when it was read first.
            while decoder.step(&mut bytes, &mut take).unwrap_or(false) {}
            if length == 0 {
                return Ok(signals);
            }
        }
    }
}
