//! What rules remember, in memory: matches wait until every file is read, and are decided in the order of time and event.
//!
//! So the order of the files does not matter. A match waits as its time and its place, in about 150 bytes; the records of
//! those that signal are read again.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::Arc;

use detection::detect::Ruleset;
use detection::memory::{self, Candidate, Event, State, Time, Verdict};
use detection::origin::Origin;
use detection::pipeline::Pipeline;
use detection::records::{Decoder, Record};
use detection::signal::Signal;

const CHUNK_BYTES: usize = 64 * 1024;

/// A match, and the position of its record in its file.
pub type Found = (u64, Candidate);

/// What the rules of a run remember.
pub struct Memory<'r> {
    rules: &'r Ruleset,
    keys: HashMap<Arc<str>, u32>,
    /// By the number of the key.
    states: Vec<State>,
    files: Vec<PathBuf>,
    waiting: Vec<Waiting>,
}

/// A match that waits.
struct Waiting {
    event: Event,
    file: u32,
    position: u32,
    key: u32,
    rule: u16,
    /// The match itself, where its file cannot be read again.
    kept: Option<Box<Candidate>>,
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
        Self { rules, keys: HashMap::new(), states: Vec::new(), files: Vec::new(), waiting: Vec::new() }
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
            let (file, position, rule, is_small) = match place {
                (Ok(file), Ok(position), Ok(rule)) => (file, position, rule, true),
                _ => (0, 0, 0, false),
            };
            let kept = (!can_be_read_again || !is_small).then(|| Box::new(candidate.clone()));
            self.waiting.push(Waiting { event: candidate.event, file, position, key, rule, kept });
        }
    }

    fn key(&mut self, candidate: &Candidate) -> u32 {
        if let Some(key) = self.keys.get(candidate.key.as_str()) {
            return *key;
        }
        // Four thousand million states do not fit into any memory.
        let key = u32::try_from(self.states.len()).unwrap_or(u32::MAX);
        if let Some(memory) = &self.rules.rules()[candidate.rule].memory {
            self.states.push(State::new(memory));
        }
        self.keys.insert(candidate.key.as_str().into(), key);
        key
    }

    /// Learns from the matches so far, whatever their time.
    pub fn learn(&mut self) {
        self.decide(Time::MAX, "");
        self.files.clear();
    }

    /// Decides on the matches so far. Gives the signals in the order of time and event, and the number of matches that are
    /// held back.
    ///
    /// # Errors
    /// A file that cannot be read again.
    pub fn signals(&mut self, now: &str) -> Result<(Vec<Signal>, u64), String> {
        let all = self.waiting.len() as u64;
        let (mut kept, hits) = self.decide(Time::MIN, now);
        let count = kept.len() + hits.values().map(Vec::len).sum::<usize>();
        for (file, hits) in hits {
            let path = &self.files[file as usize];
            let again = self.again(path, hits, now);
            kept.extend(
                again.map_err(|error| format!("{}: it cannot be read again: {error}", path.display()))?,
            );
        }
        kept.sort_by_key(|(order, _)| *order);
        Ok((kept.into_iter().map(|(_, signal)| signal).collect(), all - count as u64))
    }

    /// Decides on all that wait. Gives the signals of those that were kept, and of the others what to look for in which file.
    #[expect(clippy::type_complexity, reason = "it is private, and taken apart at once")]
    fn decide(
        &mut self,
        learn_before: Time,
        now: &str,
    ) -> (Vec<(usize, Signal)>, BTreeMap<u32, Vec<(u32, Hit)>>) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.sort_unstable_by(|a, b| {
            (a.event.time, &a.event.id, a.rule, a.key).cmp(&(b.event.time, &b.event.id, b.rule, b.key))
        });
        let names: HashMap<u32, Arc<str>> =
            self.keys.iter().map(|(name, key)| (*key, Arc::clone(name))).collect();
        let (mut kept, mut hits) = (Vec::new(), BTreeMap::<u32, Vec<_>>::new());
        for (order, one) in waiting.into_iter().enumerate() {
            let rule = one.kept.as_ref().map_or(usize::from(one.rule), |kept| kept.rule);
            let Some(memory) = &self.rules.rules()[rule].memory else { continue };
            let (verdict, _) = self.states[one.key as usize].decide(memory, &one.event, learn_before);
            if verdict == Verdict::Known {
                continue;
            }
            if let Some(candidate) = one.kept {
                let origin = Origin::File(self.files[one.file as usize].display().to_string());
                kept.push((order, memory::signal(self.rules, &candidate, &verdict, &origin, now)));
            } else {
                let key = Arc::clone(&names[&one.key]);
                let hit = Hit { order, rule, key, event: one.event.id, verdict };
                hits.entry(one.file).or_default().push((one.position, hit));
            }
        }
        (kept, hits)
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
        let mut pipeline = Pipeline::new(self.rules, None, &origin, now);
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
