//! What rules remember, in a DynamoDB table: matches in, verdicts out.
//!
//! `detection::memory` decides on the state of a key and its matches; this module reads the states and writes them back.
//! A match counts as decided only once the state that says so is in the table. So a crash at any point leaves matches that
//! the next try decides in the same way.

mod cache;
mod learning;
mod notified;
mod silence;
mod table;
mod update;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::Client;
use detection::detect::{Rule, Ruleset};
use detection::memory::{Candidate, Change, Keys, State, Time, Verdict};
use detection::origin::Origin;
use detection::rule;
use detection::time::rfc3339;
use tokio::time::Instant;

use crate::failure::Failure;
use crate::invocation::report::Report;
use crate::settings::MemoryTable;
use crate::telemetry;
use cache::{Cache, Known};
use learning::Learning;
pub(crate) use notified::{Notified, Permission};
pub(crate) use silence::Silence;
use table::{Item, Table, Write};
use update::{Base, Update, Updated};

/// A match of a rule that remembers, and where it was found.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) candidate: Candidate,
    /// Where its record came from.
    pub(crate) origin: Rc<Origin>,
    /// The report of the message that holds it. If it cannot be decided, its message fails.
    pub(crate) report: Rc<Report>,
    /// Its place in the message, for error texts: usually an object.
    pub(crate) place: Rc<str>,
    /// When that object was written.
    pub(crate) delivered: Option<SystemTime>,
}

impl Waiting {
    /// Matches are decided in the order of their times and events.
    pub(crate) fn order(&self) -> (Time, &str) {
        (self.candidate.event.time, &self.candidate.event.id)
    }

    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.candidate.bytes()
    }
}

/// A match, and the verdict on it or why there is none.
pub(crate) type Decided = (Waiting, Result<Verdict, Failure>);

/// What an invocation knows about the rules' learning.
#[derive(Debug)]
pub(crate) enum Lesson {
    /// Rules only learn from what the invocation brings.
    History,
    /// Each rule learns for its time. Holds why it is not known when some began, by the key of the item that says it.
    Live(HashMap<String, Failure>),
}

/// The memory of the rules.
#[derive(Debug)]
pub(crate) struct Memory {
    table: Table,
    cache: RefCell<Cache>,
    learning: Learning,
    /// Whether the log already says which rules learn.
    is_announced: Cell<bool>,
}

/// The matches of one key, in the order in which they are decided.
struct Group<'r> {
    memory: &'r rule::Memory,
    /// The key of the item that says when the rule began.
    beginning: String,
    matches: Vec<Waiting>,
}

/// What was decided on a group: a verdict for each match, and the state.
struct Outcome {
    verdicts: Vec<Verdict>,
    state: State,
}

impl Memory {
    /// The memory in this table. `learning_days` is how long a rule learns, instead of its own window.
    pub(crate) fn new(client: Client, table: &MemoryTable, learning_days: Option<u32>) -> Self {
        Self {
            table: Table::new(client, table),
            cache: RefCell::default(),
            learning: Learning::new(learning_days),
            is_announced: Cell::new(false),
        }
    }

    /// Finds out when each rule began; a rule that never began begins now. What is known costs no request.
    pub(crate) async fn begin(&self, rules: &Ruleset, deadline: Instant) -> Lesson {
        let now = milliseconds(SystemTime::now());
        let unknown = self.learning.begin(&self.table, beginnings(rules), now, deadline).await;
        if unknown.is_empty() && !self.is_announced.replace(true) {
            self.announce(rules, now);
        }
        Lesson::Live(unknown)
    }

    /// Logs which rules are on, and which only learn and until when.
    fn announce(&self, rules: &Ruleset, now: Time) {
        let (mut on, mut learning) = (Vec::new(), Vec::new());
        for (rule, memory, keys) in remembering(rules) {
            let end = self.learning.end(memory, &keys.learning()).unwrap_or(Time::MAX);
            let name = rule.definition.name.as_str();
            match u64::try_from(end) {
                Ok(milliseconds) if end > now => {
                    let end = UNIX_EPOCH + Duration::from_millis(milliseconds);
                    learning.push(format!("{name} until {}", rfc3339(end)));
                }
                _ => on.push(name.to_owned()),
            }
        }
        telemetry::memory_on(&on, &learning);
    }

    /// Decides on matches, and writes what has changed. A match whose state could not be read or written fails.
    pub(crate) async fn decide(
        &self,
        rules: &Ruleset,
        chunk: Vec<Waiting>,
        lesson: &Lesson,
        deadline: Instant,
    ) -> Vec<Decided> {
        let clock = milliseconds(SystemTime::now());
        let earliest = chunk.iter().map(|waiting| waiting.candidate.event.time).min().unwrap_or(Time::MAX);
        let mut decided = Vec::with_capacity(chunk.len());
        let mut groups = grouped(rules, chunk);
        groups.retain(|key, group| {
            let verdicts = self.recall(key, group, lesson);
            let is_open = verdicts.is_none();
            decided.extend(verdicts.into_iter().flat_map(|verdicts| group.decided(verdicts)));
            is_open
        });
        for (beginning, failure) in self.unknown(&groups, lesson, deadline).await {
            let of_rule = |_: &String, group: &mut Group<'_>| group.beginning == beginning;
            decided.extend(groups.extract_if(of_rule).flat_map(|(_, mut group)| group.failed(&failure)));
        }
        for (key, result) in self.update(&groups, lesson, clock, deadline).await {
            let Some(mut group) = groups.remove(&key) else { continue };
            match result {
                Ok(verdicts) => decided.extend(group.decided(verdicts)),
                Err(failure) => decided.extend(group.failed(&failure)),
            }
        }
        if let Lesson::History = lesson {
            let failures = self.learning.begin(&self.table, beginnings(rules), earliest, deadline).await;
            // What the rules have learned has no effect until the table says that they have begun.
            if let Some(failure) = failures.into_values().next() {
                for (_, decision) in &mut decided {
                    *decision = Err(failure.clone());
                }
            }
        }
        decided
    }

    /// The verdicts on matches that need no request: this process knows their tuple, and what they change can wait.
    fn recall(&self, key: &str, group: &Group<'_>, lesson: &Lesson) -> Option<Vec<Verdict>> {
        if matches!(lesson, Lesson::Live(unknown) if unknown.contains_key(&group.beginning)) {
            return None;
        }
        let Known { state, version } = self.cache.borrow_mut().get(key)?;
        let (Outcome { verdicts, state }, change) = group.decide(state, self.learns_until(group, lesson));
        (change < Change::Needed).then(|| {
            self.cache.borrow_mut().put(key, Known { state, version });
            verdicts
        })
    }

    /// The rules of these groups for which it is not known whether they still learn, and why. Includes what past
    /// deliveries have taught since this process last asked.
    async fn unknown(
        &self,
        groups: &HashMap<String, Group<'_>>,
        lesson: &Lesson,
        deadline: Instant,
    ) -> HashMap<String, Failure> {
        let Lesson::Live(unknown) = lesson else { return HashMap::new() };
        let learns = |group: &&Group<'_>| {
            let until = self.learns_until(group, lesson);
            group.matches.iter().any(|waiting| waiting.candidate.event.time < until)
        };
        let known = groups.values().filter(|group| !unknown.contains_key(&group.beginning)).filter(learns);
        let learners: HashSet<_> = known.map(|group| group.beginning.clone()).collect();
        let learners = learners.into_iter().collect();
        let mut failures = self.learning.ask_again(&self.table, learners, deadline).await;
        failures.extend(unknown.clone());
        failures
    }

    /// Decides on groups with the states in the table.
    async fn update(
        &self,
        groups: &HashMap<String, Group<'_>>,
        lesson: &Lesson,
        clock: i64,
        deadline: Instant,
    ) -> Vec<(String, Result<Vec<Verdict>, Failure>)> {
        let updates = groups.iter().map(|(key, group)| {
            let known = self.cache.borrow_mut().get(key);
            let base = known.map_or(Base::Unread, |Known { state, version }| {
                Base::Read(Some(Item { state: state.text(group.memory), version }))
            });
            Update {
                key: key.clone(),
                base,
                decide: Box::new(|text| {
                    let state = match text {
                        Some(text) => State::parse(group.memory, text).map_err(|error| error.to_string())?,
                        None => State::new(group.memory),
                    };
                    let (outcome, change) = group.decide(state, self.learns_until(group, lesson));
                    // It is not known what the process that wrote last has seen since then: renew what it wrote.
                    let write = (change > Change::None).then(|| Write {
                        state: outcome.state.text(group.memory),
                        expires: Some(outcome.state.expires(group.memory, clock)),
                    });
                    Ok((outcome, write))
                }),
            }
        });
        let updated = self.table.update(updates.collect(), deadline).await;
        let mut cache = self.cache.borrow_mut();
        let verdicts = updated.into_iter().map(|(key, result)| {
            let result = result.map(|Updated { outcome: Outcome { verdicts, mut state }, version }| {
                // Groups of events change with every event: remembering them gains nothing.
                let is_tuple = matches!(groups[&key].memory, rule::Memory::NewTerms { .. });
                if let Some(version) = version.filter(|_| is_tuple) {
                    state.mark_saved();
                    cache.put(&key, Known { state, version });
                }
                verdicts
            });
            if result.is_err() {
                cache.forget(&key);
            }
            (key, result)
        });
        verdicts.collect()
    }

    /// The time up to which a rule learns.
    fn learns_until(&self, group: &Group<'_>, lesson: &Lesson) -> Time {
        match lesson {
            Lesson::History => Time::MAX,
            Lesson::Live(_) => self.learning.end(group.memory, &group.beginning).unwrap_or(Time::MAX),
        }
    }
}

impl Group<'_> {
    /// Decides on the matches one after another. Events before `until` are only learned. Also returns how much that
    /// changes the state.
    fn decide(&self, mut state: State, until: Time) -> (Outcome, Change) {
        let mut change = Change::None;
        let verdicts = self.matches.iter().map(|waiting| {
            let (verdict, changed) = state.decide(self.memory, &waiting.candidate.event, until);
            change = change.max(changed);
            verdict
        });
        let verdicts = verdicts.collect();
        (Outcome { verdicts, state }, change)
    }

    fn decided(&mut self, verdicts: Vec<Verdict>) -> impl Iterator<Item = Decided> + use<> {
        std::mem::take(&mut self.matches).into_iter().zip(verdicts.into_iter().map(Ok))
    }

    fn failed(&mut self, failure: &Failure) -> impl Iterator<Item = Decided> + use<> {
        let failure = failure.clone();
        std::mem::take(&mut self.matches).into_iter().map(move |waiting| (waiting, Err(failure.clone())))
    }
}

/// The matches by their keys.
fn grouped(rules: &Ruleset, chunk: Vec<Waiting>) -> HashMap<String, Group<'_>> {
    let mut groups: HashMap<String, Group<'_>> = HashMap::new();
    for waiting in chunk {
        let rule = &rules.rules()[waiting.candidate.rule];
        let group = groups.entry(waiting.candidate.key(rules));
        // A match of a rule without memory is a signal at once, and not a candidate.
        let (memory, keys) = rule.memory.as_ref().zip(rule.keys.as_ref()).expect("the rule remembers");
        let new = || Group { memory, beginning: keys.learning(), matches: Vec::new() };
        group.or_insert_with(new).matches.push(waiting);
    }
    for group in groups.values_mut() {
        group.matches.sort_by(|a, b| a.order().cmp(&b.order()));
    }
    groups
}

/// The rules that remember, what they remember, and their keys.
fn remembering(rules: &Ruleset) -> impl Iterator<Item = (&Rule, &rule::Memory, &Keys)> {
    rules.rules().iter().filter_map(|rule| Some((rule, rule.memory.as_ref()?, rule.keys.as_ref()?)))
}

/// The keys of the items that say when rules began.
fn beginnings(rules: &Ruleset) -> impl Iterator<Item = String> {
    remembering(rules).filter(|(_, memory, _)| memory.is_needed()).map(|(.., keys)| keys.learning())
}

/// Milliseconds since 1970.
fn milliseconds(time: SystemTime) -> Time {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
