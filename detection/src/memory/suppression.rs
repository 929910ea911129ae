//! Events that follow an earlier one of their group.

use super::marks::Marks;
use super::text::{self, Error};
use super::{Event, Time, Verdict};

/// The events of one group that opened a window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Suppression {
    openers: Marks,
}

impl Suppression {
    /// Decides on one event. Also returns whether it has just opened a window.
    pub(super) fn decide(&mut self, window: i64, event: &Event, is_learned: bool) -> (Verdict, bool) {
        if is_learned {
            (Verdict::Known, false)
        } else if self.openers.has(event) {
            (Verdict::Signal, false)
        } else if self.openers.reach(event.time, window) {
            (Verdict::Known, false)
        } else {
            self.openers.add(event);
            (Verdict::Signal, true)
        }
    }

    pub(super) fn last(&self) -> Option<Time> {
        self.openers.last()
    }

    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        text::content(text, text::SUPPRESSION).and_then(Marks::parse).map(|openers| Self { openers })
    }

    pub(super) fn text(&self) -> String {
        text::sealed(text::SUPPRESSION, &self.openers.text())
    }
}
