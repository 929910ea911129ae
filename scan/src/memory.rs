//! What rules remember, in memory: matches wait until every file is read, and are decided in the order of time and event.
//!
//! So the order of the files does not matter. A match waits as its time and its position, in less than 200 bytes; the
//! records of those that signal are read again. A few megabytes of matches likely to signal wait with their records.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use detection::detect::Ruleset;
use detection::memory::{self, Candidate, Event, State, Time, Verdict};
use detection::origin::Origin;
use detection::pipeline::{self, Pipeline, Tally};
use detection::records::Record;
use detection::signal::Signal;
use foldhash::{HashMap, HashMapExt};

use crate::reading::each_record;

/// Keeps this many bytes of matches: re-reading a file for a few matches takes as long as reading it the first time.
const KEPT_BYTES: usize = 8 << 20;

/// Each thread makes this many signals at a time. Starting a thread takes about as long as making one signal.
const SHARE: usize = 64;

/// A match, and the position of its record in its file.
pub type Found = (u64, Candidate);

/// What the rules of a run remember.
pub struct Memory<'r> {
    rules: &'r Ruleset,
    /// The numbers of the states, by the rule's index and the key of the terms.
    keys: Vec<HashMap<Box<str>, u32>>,
    states: Vec<State>,
    files: Vec<PathBuf>,
    /// Whether the last of the files can be read again.
    is_lasting: bool,
    waiting: Vec<Waiting>,
    /// The bytes of the waiting matches that were kept.
    kept: usize,
}

/// A match that waits.
struct Waiting {
    event: Event,
    file: u32,
    position: u32,
    key: u32,
    /// The index of its rule.
    rule: u32,
    /// The match itself, if it was kept or its file cannot be read again.
    kept: Option<Box<Candidate>>,
}

/// The outcome for rules that remember, apart from the signals.
#[derive(Default)]
pub struct Outcome {
    /// What the readers have not counted: matches of rules on signals, suppressed ones, and those held back.
    pub tally: Tally,
    /// The exceptions that took out a match.
    pub excepted: BTreeSet<String>,
    /// The files that could not be read again, or had changed: their signals are missing.
    pub problems: BTreeSet<String>,
}

/// The matches that signal, each with its position among all of them.
#[derive(Default)]
struct Decided {
    due: Vec<(usize, Due)>,
    /// By the file that holds their records, with their positions in it.
    hits: BTreeMap<u32, Vec<(u32, Hit)>>,
}

/// A signal that is due.
enum Due {
    /// Of a match that was kept: it is made only when its turn comes, since it is several times as large.
    Kept {
        candidate: Box<Candidate>,
        verdict: Verdict,
        file: u32,
    },
    Made(Box<Signal>),
}

/// A match that signals and was not kept.
struct Hit {
    /// Its position among all that signal.
    order: usize,
    rule: usize,
    /// Their key.
    terms: Box<str>,
    event: Box<str>,
    verdict: Verdict,
}

impl<'r> Memory<'r> {
    pub fn new(rules: &'r Ruleset) -> Self {
        Self {
            rules,
            keys: vec![HashMap::new(); rules.rules().len()],
            states: Vec::new(),
            files: Vec::new(),
            is_lasting: false,
            waiting: Vec::new(),
            kept: 0,
        }
    }

    /// Adds the matches of a file.
    pub fn add(&mut self, path: &PathBuf, found: Vec<Found>) {
        if self.files.last() != Some(path) {
            self.files.push(path.clone());
            self.is_lasting = path.is_file();
        }
        let file = number(self.files.len() - 1);
        for (position, candidate) in found {
            let (key, rule, bytes) = (self.key(&candidate), number(candidate.rule), candidate.bytes());
            let is_kept = candidate.record.is_some() && (self.kept + bytes <= KEPT_BYTES || !self.is_lasting);
            let (event, kept) = if is_kept {
                self.kept += bytes;
                (candidate.event.clone(), Some(Box::new(candidate)))
            } else {
                (candidate.event, None)
            };
            let position = u32::try_from(position).unwrap_or(u32::MAX);
            self.waiting.push(Waiting { event, file, position, key, rule, kept });
        }
    }

    fn key(&mut self, candidate: &Candidate) -> u32 {
        let (keys, terms) = (&mut self.keys[candidate.rule], candidate.terms.key());
        if let Some(key) = keys.get(&*terms) {
            return *key;
        }
        let key = number(self.states.len());
        if let Some(memory) = &self.rules.rules()[candidate.rule].memory {
            self.states.push(State::new(memory));
        }
        keys.insert(terms.into(), key);
        key
    }

    /// Learns from the matches so far, whatever their time.
    pub fn learn(&mut self) {
        self.decide(Time::MAX);
        self.files.clear();
    }

    /// Decides on the matches so far, and on the matches of rules on signals. Passes the signals to `sink` in the order
    /// of time and event, and returns the counts of what was found and decided on the way.
    ///
    /// # Errors
    /// The first error of `sink`, at which it stops.
    pub fn signals(
        &mut self,
        now: &str,
        sink: &mut dyn FnMut(Signal) -> io::Result<()>,
    ) -> io::Result<Outcome> {
        let rules = self.rules.rules();
        // In place: a copy of all waiting matches would take most of the memory.
        let above = self.waiting.extract_if(.., |one| rules[one.rule as usize].on_signals).collect();
        let mut outcome = Outcome::default();
        let below = self.due(now, &mut outcome);
        self.waiting = above;
        let rules = self.rules;
        let make = |memory: &Self, due| {
            let mut signal = memory.signal(due, now);
            let above = pipeline::above(rules, &mut signal, now);
            (signal, above)
        };
        self.made(below, make, |memory, (signal, above)| {
            outcome.tally.signals += above.matches();
            outcome.tally.suppressed += above.suppressed.len() as u64;
            outcome.excepted.extend(above.suppressed.into_iter().map(|suppressed| suppressed.exception));
            sink(signal)?;
            above.found.into_iter().try_for_each(&mut *sink)?;
            for candidate in above.candidates {
                let key = memory.key(&candidate);
                let (event, rule) = (candidate.event.clone(), number(candidate.rule));
                let kept = Some(Box::new(candidate));
                memory.waiting.push(Waiting { event, file: 0, position: 0, key, rule, kept });
            }
            Ok(())
        })?;
        let above = self.due(now, &mut outcome);
        self.made(above, |memory, due| memory.signal(due, now), |_, signal| sink(signal))?;
        Ok(outcome)
    }

    /// Makes the due signals on all cores, and passes them to `take` in order. It makes a few at a time: a signal is
    /// several times as large as its match.
    fn made<T: Send>(
        &mut self,
        due: Vec<Due>,
        make: impl Fn(&Self, Due) -> T + Sync,
        mut take: impl FnMut(&mut Self, T) -> io::Result<()>,
    ) -> io::Result<()> {
        let makers = thread::available_parallelism().map_or(1, usize::from);
        let mut due = due.into_iter();
        while due.len() > 0 {
            let shares = (0..makers).map(|_| due.by_ref().take(SHARE).collect::<Vec<_>>());
            let shares: Vec<_> = shares.filter(|share| !share.is_empty()).collect();
            let (memory, make) = (&*self, &make);
            let made: Vec<Vec<T>> = thread::scope(|scope| {
                let work = |share: Vec<Due>| {
                    scope.spawn(move || share.into_iter().map(|due| make(memory, due)).collect())
                };
                let makers: Vec<_> = shares.into_iter().map(work).collect();
                let made = makers.into_iter().map(thread::ScopedJoinHandle::join);
                made.map(|made| made.unwrap_or_else(|panic| resume_unwind(panic))).collect()
            });
            made.into_iter().flatten().try_for_each(|made| take(self, made))?;
        }
        Ok(())
    }

    /// The signals due from the waiting matches, in order.
    fn due(&mut self, now: &str, outcome: &mut Outcome) -> Vec<Due> {
        let all = self.waiting.len();
        let Decided { mut due, hits } = self.decide(Time::MIN);
        outcome.tally.known += (all - due.len() - hits.values().map(Vec::len).sum::<usize>()) as u64;
        for (file, hits) in hits {
            let (path, expected) = (&self.files[file as usize], hits.len());
            match self.again(path, hits, now) {
                Ok(again) => {
                    if again.len() < expected {
                        let problem = "it has changed since it was read: signals of it are missing";
                        outcome.problems.insert(format!("{}: {problem}", path.display()));
                    }
                    due.extend(again.into_iter().map(|(order, signal)| (order, Due::Made(Box::new(signal)))));
                }
                Err(error) => {
                    outcome.problems.insert(format!("{}: it cannot be read again: {error}", path.display()));
                }
            }
        }
        due.sort_by_key(|(order, _)| *order);
        due.into_iter().map(|(_, due)| due).collect()
    }

    fn signal(&self, due: Due, now: &str) -> Signal {
        match due {
            Due::Made(signal) => *signal,
            Due::Kept { candidate, verdict, file } => {
                let file = self.files.get(file as usize);
                let origin = Origin::File(file.map(|file| file.display().to_string()).unwrap_or_default());
                memory::signal(self.rules, &candidate, &verdict, &origin, now)
            }
        }
    }

    /// Decides on all waiting matches.
    fn decide(&mut self, learn_before: Time) -> Decided {
        let mut waiting = std::mem::take(&mut self.waiting);
        self.kept = 0;
        waiting.sort_unstable_by(|a, b| {
            (a.event.time, &a.event.id, a.rule, a.key).cmp(&(b.event.time, &b.event.id, b.rule, b.key))
        });
        let terms: HashMap<u32, &Box<str>> =
            self.keys.iter().flatten().map(|(terms, key)| (*key, terms)).collect();
        let mut decided = Decided::default();
        for (order, one) in waiting.into_iter().enumerate() {
            let rule = one.rule as usize;
            let Some(memory) = &self.rules.rules()[rule].memory else { continue };
            let (verdict, _) = self.states[one.key as usize].decide(memory, &one.event, learn_before);
            if verdict == Verdict::Known {
                continue;
            }
            if let Some(candidate) = one.kept {
                decided.due.push((order, Due::Kept { candidate, verdict, file: one.file }));
            } else {
                let terms = terms[&one.key].clone();
                let hit = Hit { order, rule, terms, event: one.event.id, verdict };
                decided.hits.entry(one.file).or_default().push((one.position, hit));
            }
        }
        decided
    }

    /// Re-reads the records of a file that signal.
    fn again(&self, path: &Path, mut hits: Vec<(u32, Hit)>, now: &str) -> io::Result<Vec<(usize, Signal)>> {
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
                    candidate.rule == hit.rule
                        && candidate.terms.key() == *hit.terms
                        && candidate.event.id == hit.event
                };
                if let Some(candidate) = candidates.iter().find(of_hit) {
                    signals
                        .push((hit.order, memory::signal(self.rules, candidate, &hit.verdict, &origin, now)));
                }
            }
        };
        // What is wrong with the file was reported when it was read first.
        let _ = each_record(path, &mut take)?;
        Ok(signals)
    }
}

/// A number of files, rules or states: four billion of them do not fit into any memory.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use detection::rule;

    use super::*;

    const NOW: &str = "2026-11-23T10:10:00.000Z";

    fn rules() -> Ruleset {
        let text = r#"
            [rule]
            author = ["Somebody"]
            description = "Finds things."
            language = "kuery"
            name = "A Rule"
            risk_score = 21
            rule_id = "a-rule"
            severity = "low"
            query = "event.action: x"
            type = "new_terms"
            [rule.new_terms]
            field = "new_terms_fields"
            value = ["user.name"]
            [[rule.new_terms.history_window_start]]
            field = "history_window_start"
            value = "now-10d"
        "#;
        let sources = rule::read([("a.toml", text.to_owned())]).all().expect("the rule is good");
        Ruleset::new(sources).expect("its query is good")
    }

    fn record(user: &str) -> String {
        format!(
            r#"{{"eventID":"e-{user}","eventSource":"iam.amazonaws.com","eventName":"x","eventTime":"2026-11-23T10:00:00Z","userIdentity":{{"type":"IAMUser","userName":"{user}"}}}}"#
        )
    }

    /// The matches of records, with the records.
    fn found(rules: &Ruleset, users: &[&str]) -> Vec<Found> {
        let origin = Origin::File(String::new());
        let mut pipeline = Pipeline::new(rules, &origin, NOW);
        for (position, user) in (0..).zip(users) {
            pipeline.process(position, Ok(record(user).as_bytes().into()));
        }
        (0..).zip(pipeline.candidates).collect()
    }

    /// The events of the signals, and what is said about the files.
    fn signals(memory: &mut Memory<'_>) -> (Vec<String>, Vec<String>) {
        let mut events = Vec::new();
        let mut sink = |signal: Signal| {
            let event = signal.message.split(r#""id":""#).find(|rest| rest.starts_with("e-"));
            events.extend(event.and_then(|rest| rest.split('"').next()).map(str::to_owned));
            Ok(())
        };
        let outcome = memory.signals(NOW, &mut sink).expect("the sink takes all");
        (events, outcome.problems.into_iter().collect())
    }

    #[test]
    fn a_file_that_has_changed_or_gone_is_named_and_the_signals_of_the_others_are_printed() {
        let (rules, folder) = (rules(), tempfile::tempdir().expect("a folder can be made"));
        let path = |name: &str| folder.path().join(name);
        let (kept, same, changed, gone) = (path("kept"), path("same"), path("changed"), path("gone"));
        let mut memory = Memory::new(&rules);
        // A file that has changed is named once.
        let files =
            [(&kept, "alice"), (&same, "bob"), (&changed, "carol"), (&gone, "dave"), (&changed, "erin")];
        for (path, user) in files {
            fs::write(path, record(user)).expect("a file can be written");
            let mut found = found(&rules, &[user]);
            if *path != kept {
                for (_, candidate) in &mut found {
                    candidate.record = None;
                }
            }
            memory.add(path, found);
        }
        fs::write(&changed, record("mallory")).expect("a file can be written");
        fs::remove_file(&gone).expect("a file can be removed");
        let (events, problems) = signals(&mut memory);
        assert_eq!(events, ["e-alice", "e-bob"]);
        let [of_changed, of_gone] = &problems[..] else { panic!("{problems:?}") };
        assert!(of_changed.ends_with("changed: it has changed since it was read: signals of it are missing"));
        assert!(of_gone.contains("gone: it cannot be read again: "), "{of_gone}");
    }

    #[test]
    fn what_was_learned_takes_no_space_from_the_matches_that_are_kept() {
        let (rules, file) = (rules(), tempfile::NamedTempFile::new().expect("a file can be made"));
        let path = file.path().to_owned();
        let mut memory = Memory::new(&rules);
        let mut past = found(&rules, &["alice"]);
        past[0].1.record = Some(vec![b' '; KEPT_BYTES - 1024].into());
        memory.add(&path, past);
        assert!(memory.waiting[0].kept.is_some(), "there is space");
        memory.learn();
        let mut now = found(&rules, &["bob"]);
        now[0].1.record = Some([record("bob").into_bytes(), vec![b' '; 2048]].concat().into());
        memory.add(&path, now);
        // Its file has nothing that could be read again.
        assert_eq!(signals(&mut memory), (vec!["e-bob".to_owned()], Vec::new()));
    }

    #[test]
    fn the_signals_end_when_nobody_takes_them() {
        let rules = rules();
        let mut memory = Memory::new(&rules);
        memory.add(&PathBuf::from("a pipe"), found(&rules, &["alice", "bob"]));
        let mut passed = 0;
        let outcome = memory.signals(NOW, &mut |_| {
            passed += 1;
            Err(io::ErrorKind::BrokenPipe.into())
        });
        assert_eq!(outcome.err().map(|error| error.kind()), Some(io::ErrorKind::BrokenPipe));
        assert_eq!(passed, 1);
    }
}
