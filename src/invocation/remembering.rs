//! The matches of rules that remember: gathered from all readers, decided in chunks, and published if they are new.

use std::collections::BTreeMap;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use detection::detect::Ruleset;
use detection::memory::{self, Verdict};
use detection::pipeline::{Above, above};
use futures_util::future::{Either, select};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::{Instant, timeout, timeout_at};

use crate::failure::Failure;
use crate::memory::{Decided, Lesson, Memory, Waiting};
use crate::publish::Found;
use crate::telemetry;

/// A chunk has at most this many matches.
const MAX_MATCHES: usize = 2000;
/// A chunk takes at most this many bytes, not counting its last match.
const MAX_BYTES: usize = 16 << 20;
/// Matches wait at most this long for others to be decided with them.
const LINGER: Duration = Duration::from_millis(500);

/// An invocation without a match waits at most this long to find out when rules began: it does not need to know.
const PATIENCE: Duration = Duration::from_secs(2);

/// Deciding during one invocation.
pub(super) struct Remembering<'a> {
    pub(super) memory: &'a Memory,
    pub(super) rules: &'a Ruleset,
    /// The time of reading as RFC 3339.
    pub(super) now: &'a str,
    /// The channel to the publisher.
    pub(super) found: Sender<Found>,
    pub(super) deadline: Instant,
}

/// How many matches the readers have not counted, and how many did not become signals.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Remembered {
    /// Matches of rules on signals.
    pub(super) matches: u64,
    /// Those of them that an exception takes out.
    pub(super) suppressed: u64,
    /// Matches that memory holds back.
    pub(super) known: u64,
    /// Matches that could not be decided.
    pub(super) failed: u64,
}

impl Remembering<'_> {
    /// Decides on every match that arrives until the channel closes, and passes on the signals.
    pub(super) async fn run(self, mut matches: Receiver<Waiting>, learns: bool) -> Remembered {
        let mut remembered = Remembered::default();
        let Some((lesson, mut chunk)) = self.first(&mut matches, learns).await else { return remembered };
        while !chunk.is_empty() {
            // Signals may make rules on signals match, but nothing looks at the signals of those.
            while !chunk.is_empty() {
                let mut decided = self.memory.decide(self.rules, chunk, &lesson, self.deadline).await;
                decided.sort_by(|(a, _), (b, _)| a.order().cmp(&b.order()));
                chunk = self.hand_on(decided, &mut remembered).await;
            }
            chunk = gather(&mut matches).await;
        }
        remembered
    }

    /// The first chunk, and what its decisions need to know of the rules' learning; `None` if there is no match. Asks for
    /// both at the same time.
    async fn first(&self, matches: &mut Receiver<Waiting>, learns: bool) -> Option<(Lesson, Vec<Waiting>)> {
        let patience = Instant::now() + PATIENCE;
        match select(pin!(self.lesson(learns)), pin!(gather(matches))).await {
            Either::Left((lesson, chunk)) => Some((lesson, chunk.await)),
            Either::Right((chunk, lesson)) if chunk.is_empty() => {
                // A rule whose beginning is not noted in this time begins with a later invocation.
                let _ = timeout_at(patience, lesson).await;
                None
            }
            Either::Right((chunk, lesson)) => Some((lesson.await, chunk)),
        }
    }

    async fn lesson(&self, learns: bool) -> Lesson {
        if learns { Lesson::History } else { self.memory.begin(self.rules, self.deadline).await }
    }

    /// Hands signals to the publisher, and reports what could not be decided to the messages that hold it. Returns the
    /// matches of rules on signals.
    async fn hand_on(&self, decided: Vec<Decided>, remembered: &mut Remembered) -> Vec<Waiting> {
        let mut failures = BTreeMap::new();
        let mut matches = Vec::new();
        for (Waiting { candidate, origin, report, place, delivered }, decision) in decided {
            match decision {
                Ok(Verdict::Known) => remembered.known += 1,
                Ok(verdict) => {
                    let mut signal = memory::signal(self.rules, &candidate, &verdict, &origin, self.now);
                    let above = if self.rules.rules()[candidate.rule].on_signals {
                        Above::default()
                    } else {
                        above(self.rules, &mut signal, self.now)
                    };
                    remembered.matches += above.matches();
                    remembered.suppressed += above.suppressed.len() as u64;
                    for suppressed in &above.suppressed {
                        telemetry::suppressed(suppressed, &place);
                    }
                    for signal in std::iter::once(signal).chain(above.found) {
                        let (report, place) = (Rc::clone(&report), Rc::clone(&place));
                        // The publisher receives as long as there is a sender.
                        let _ = self.found.send(Found { signal, report, place, delivered }).await;
                    }
                    matches.extend(above.candidates.into_iter().map(|candidate| Waiting {
                        candidate,
                        origin: Rc::clone(&origin),
                        report: Rc::clone(&report),
                        place: Rc::clone(&place),
                        delivered,
                    }));
                }
                Err(failure) => {
                    remembered.failed += 1;
                    // Usually one cause stops all matches of a message. It is reported once, not once per match.
                    failures.entry((Rc::as_ptr(&report), place, failure)).or_insert((report, 0_u64)).1 += 1;
                }
            }
        }
        for ((_, place, failure), (report, count)) in failures {
            let noun = if count == 1 { "match" } else { "matches" };
            let reason = format!("{place}: {count} {noun} of rules that remember: {failure}");
            report.fail(Failure { reason, ..failure });
        }
        matches
    }
}

/// The next chunk; empty when the channel is closed.
async fn gather(matches: &mut Receiver<Waiting>) -> Vec<Waiting> {
    let mut chunk = Vec::new();
    let mut bytes = 0;
    while chunk.len() < MAX_MATCHES && bytes < MAX_BYTES {
        let next = if chunk.is_empty() {
            matches.recv().await
        } else {
            // The next delivery is slow: the matches at hand need not wait for it.
            timeout(LINGER, matches.recv()).await.unwrap_or_default()
        };
        let Some(next) = next else { break };
        bytes += next.bytes();
        chunk.push(next);
    }
    chunk
}
