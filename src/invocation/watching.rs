//! Accounts whose deliveries stop: what was seen, what a check finds, and what was published about it.

use std::cell::RefCell;
use std::rc::Rc;

use detection::detect::Ruleset;
use detection::memory::Time;
use detection::origin::Origin;
use detection::pipeline::{Above, above};
use detection::signal::Suppressed;
use detection::silence::{Alert, News, Sighting};
use tokio::time::{Instant, timeout_at};

use crate::failure::Failure;
use crate::invocation::report::Report;
use crate::invocation::{Channels, Deadlines};
use crate::memory::{Silence, Waiting};
use crate::publish::Found;
use crate::telemetry;
use crate::telemetry::counters::Counters;

/// What one invocation has to do with silence.
#[derive(Debug)]
pub(super) struct Watching<'a> {
    silence: Option<&'a Silence>,
    seen: RefCell<Vec<(Sighting, Rc<Report>)>>,
    news: RefCell<Vec<(Vec<News>, Rc<Report>)>>,
}

impl<'a> Watching<'a> {
    pub(super) fn new(silence: Option<&'a Silence>) -> Self {
        Self { silence, seen: RefCell::default(), news: RefCell::default() }
    }

    /// Records that a delivery was read to its end.
    pub(super) fn saw(&self, origin: &Origin, report: &Rc<Report>) {
        if let (Some(_), Origin::Object(object)) = (self.silence, origin)
            && let Some(sighting) = Sighting::of(&object.key)
        {
            self.seen.borrow_mut().push((sighting, Rc::clone(report)));
        }
    }

    /// Notes in the table what was seen.
    pub(super) async fn note(&self, deadline: Instant) {
        let seen = self.seen.take();
        if let Some(silence) = self.silence.filter(|_| !seen.is_empty()) {
            silence.note(&seen, deadline).await;
        }
    }

    /// Hands what a check at this time finds to the publisher.
    pub(super) async fn check(
        &self,
        time: Time,
        report: &Rc<Report>,
        rules: &Ruleset,
        now: &str,
        channels: &Channels,
        deadlines: Deadlines,
    ) {
        let Some(silence) = self.silence else {
            let reason =
                "nothing records when accounts were seen: set ACCOUNT_SILENCE_HOURS, or remove the schedule";
            return report.fail(Failure::permanent(reason));
        };
        let found = match silence.check(time, deadlines.reading).await {
            Ok(found) => found,
            Err(failure) => {
                let reason = format!("the check for silent accounts: {failure}");
                return report.fail(Failure { reason, ..failure });
            }
        };
        let handing = self.hand_on(found, report, rules, now, channels);
        if timeout_at(deadlines.reading, handing).await.is_err() {
            let reason = "the check for silent accounts: there was no time left to publish all it found";
            report.fail(Failure::transient(reason));
        }
    }

    async fn hand_on(
        &self,
        found: Vec<News>,
        report: &Rc<Report>,
        rules: &Ruleset,
        now: &str,
        channels: &Channels,
    ) {
        let (place, origin) = (Rc::<str>::from(Origin::Check.index()), Rc::new(Origin::Check));
        let mut to_publish = Vec::new();
        for news in found {
            let mut signal = match news.alert(rules, now) {
                Alert::Signal(signal) => *signal,
                Alert::Suppressed(suppressed) => {
                    suppress(&suppressed, report, &place);
                    continue;
                }
            };
            let Above { found, candidates, suppressed } = above(rules, &mut signal, now);
            for suppressed in &suppressed {
                suppress(suppressed, report, &place);
            }
            for signal in std::iter::once(signal).chain(found) {
                let (report, place) = (Rc::clone(report), Rc::clone(&place));
                // The deadline may end this at any await: count only what is handed on.
                let Ok(permit) = channels.found.reserve().await else { return };
                report.count(Counters { signals: 1, ..Counters::default() });
                permit.send(Found { signal, report, place, delivered: None });
            }
            for candidate in candidates {
                let (report, place, origin) = (Rc::clone(report), Rc::clone(&place), Rc::clone(&origin));
                let Ok(permit) = channels.waiting.reserve().await else { return };
                report.count(Counters { signals: 1, ..Counters::default() });
                permit.send(Waiting { candidate, origin, report, place, delivered: None });
            }
            to_publish.push(news);
        }
        self.news.borrow_mut().push((to_publish, Rc::clone(report)));
    }

    /// Notes what was published. A failed message comes again, and so does its news, under the same ids.
    pub(super) async fn published(&self, deadline: Instant) {
        let Some(silence) = self.silence else { return };
        for (news, report) in self.news.take() {
            if !news.is_empty()
                && report.failures().is_empty()
                && let Err(failure) = silence.published(&news, deadline).await
            {
                let reason =
                    format!("what the check for silent accounts published cannot be noted: {failure}");
                report.fail(Failure { reason, ..failure });
            }
        }
    }
}

/// Counts and logs what an exception takes out.
fn suppress(suppressed: &Suppressed, report: &Report, place: &str) {
    telemetry::suppressed(suppressed, place);
    report.count(Counters { signals: 1, suppressed: 1, ..Counters::default() });
}
