//! Updates of items: rounds of reading, deciding and writing, until every item is done or time runs out.
//!
//! A decision counts only once its item is written. If another process has written the item in between, the decision is
//! made again on what the item holds then.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use tokio::time::{Instant, sleep, timeout_at};

use super::table::{Item, MAX_KEYS, Table, Trouble, Write, Written};
use crate::failure::Failure;

/// How many batches of keys are read at the same time.
const CONCURRENT_READS: usize = 4;
/// How many items are written at the same time.
const CONCURRENT_WRITES: usize = 16;
/// How many times an item is tried despite errors. Conflicts do not count: each means progress by another process.
const MAX_TRIES: u32 = 7;
const FIRST_BACKOFF: Duration = Duration::from_millis(25);
const MAX_BACKOFF: Duration = Duration::from_secs(1);

/// What to do with an item.
pub(super) struct Update<'a, T> {
    pub(super) key: String,
    pub(super) base: Base,
    /// Decides on the state of the item.
    pub(super) decide: Box<Decide<'a, T>>,
}

type Decide<'a, T> = dyn Fn(Option<&str>) -> Decision<T> + 'a;

/// What the table holds, as far as it is known.
#[derive(Debug)]
pub(super) enum Base {
    /// It must be read.
    Unread,
    /// An item or none.
    Read(Option<Item>),
}

/// The outcome, and what to write if something changes; or why the state cannot be used.
pub(super) type Decision<T> = Result<(T, Option<Write>), String>;

/// The outcome of an update.
#[derive(Debug)]
pub(super) struct Updated<T> {
    pub(super) outcome: T,
    /// The version of the item that the table holds now, if it holds one.
    pub(super) version: Option<u64>,
}

/// The outcome of an update in one round.
enum Round<T> {
    Done(Updated<T>),
    /// Another process has written the item.
    Overtaken(Base),
    Trouble(Trouble),
}

/// An update, and how many times it met trouble.
struct Pending<'a, T> {
    update: Update<'a, T>,
    tries: u32,
}

impl Table {
    /// Carries out updates of different items, several at a time. Returns the outcome of each by its key, in any order.
    pub(super) async fn update<T>(
        &self,
        updates: Vec<Update<'_, T>>,
        deadline: Instant,
    ) -> Vec<(String, Result<Updated<T>, Failure>)> {
        let mut done = Vec::with_capacity(updates.len());
        let mut pending: Vec<_> = updates.into_iter().map(|update| Pending { update, tries: 0 }).collect();
        let mut backoff = FIRST_BACKOFF;
        while !pending.is_empty() {
            let troubles = self.read_bases(&mut pending, deadline).await;
            let rounds = pending.into_iter().map(|pending| {
                let trouble = troubles.get(&pending.update.key).cloned();
                async move {
                    let round = match trouble {
                        Some(trouble) => Round::Trouble(trouble),
                        None => self.decide_and_write(&pending.update, deadline).await,
                    };
                    (pending, round)
                }
            });
            let rounds: Vec<_> = stream::iter(rounds).buffer_unordered(CONCURRENT_WRITES).collect().await;
            // Half of the pause is random: functions that collided on an item must not collide there again.
            let wait = backoff.mul_f64(0.5 + fastrand::f64() / 2.0);
            let is_last = Instant::now() + wait >= deadline;
            pending = Vec::new();
            for (mut next, round) in rounds {
                let failure = match round {
                    Round::Done(updated) => {
                        done.push((next.update.key, Ok(updated)));
                        continue;
                    }
                    Round::Overtaken(base) if !is_last => {
                        next.update.base = base;
                        pending.push(next);
                        continue;
                    }
                    Round::Overtaken(_) => self.contested(&next.update.key),
                    Round::Trouble(trouble) => {
                        next.tries += 1;
                        if trouble.passes && next.tries < MAX_TRIES && !is_last {
                            pending.push(next);
                            continue;
                        }
                        trouble.failure
                    }
                };
                done.push((next.update.key, Err(failure)));
            }
            if !pending.is_empty() {
                sleep(wait).await;
                backoff = (backoff * 2).min(MAX_BACKOFF);
            }
        }
        done
    }

    /// Reads the items that are not known. Returns what went wrong, by key.
    async fn read_bases<T>(
        &self,
        pending: &mut [Pending<'_, T>],
        deadline: Instant,
    ) -> HashMap<String, Trouble> {
        let unread = pending
            .iter()
            .map(|pending| &pending.update)
            .filter(|update| matches!(update.base, Base::Unread));
        let unread: Vec<_> = unread.map(|update| update.key.clone()).collect();
        let answers: Vec<_> = stream::iter(unread.chunks(MAX_KEYS))
            .map(|keys| async move {
                match timeout_at(deadline, self.read(keys)).await {
                    Ok(answers) => answers,
                    Err(_) => keys.iter().map(|key| (key.clone(), Err(self.late()))).collect(),
                }
            })
            .buffer_unordered(CONCURRENT_READS)
            .collect()
            .await;
        let mut answers: HashMap<_, _> = answers.into_iter().flatten().collect();
        let mut troubles = HashMap::new();
        for Pending { update, .. } in pending {
            match answers.remove(&update.key) {
                Some(Ok(item)) => update.base = Base::Read(item),
                Some(Err(trouble)) => {
                    troubles.insert(update.key.clone(), trouble);
                }
                None => {}
            }
        }
        troubles
    }

    async fn decide_and_write<T>(&self, update: &Update<'_, T>, deadline: Instant) -> Round<T> {
        let Update { key, base, decide } = update;
        let read = match base {
            Base::Read(item) => item.as_ref(),
            Base::Unread => None,
        };
        let (outcome, write) = match decide(read.map(|item| item.state.as_str())) {
            Ok(decision) => decision,
            Err(why) => return Round::Trouble(self.damaged(key, &why)),
        };
        let version = read.map(|item| item.version);
        let Some(write) = write else { return Round::Done(Updated { outcome, version }) };
        match timeout_at(deadline, self.write(key, &write, version)).await {
            Ok(Written::Done(version)) => Round::Done(Updated { outcome, version: Some(version) }),
            Ok(Written::Conflict(Some(Ok(item)))) => Round::Overtaken(Base::Read(Some(item))),
            Ok(Written::Conflict(Some(Err(trouble))) | Written::Refused(trouble)) => Round::Trouble(trouble),
            // The item is gone, or the answer does not say what it holds.
            Ok(Written::Conflict(None)) => Round::Overtaken(Base::Unread),
            Err(_) => Round::Trouble(self.late()),
        }
    }
}

impl<T> fmt::Debug for Update<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Update").field("key", &self.key).field("base", &self.base).finish_non_exhaustive()
    }
}
