//! Values that did not occur in the window before.

use super::marks::Marks;
use super::text::{self, Error};
use super::{Event, Time, Verdict};

/// What is remembered of one tuple of values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NewTerms {
    /// The window slides with every sighting.
    pub(super) last_seen: Option<Time>,
    claims: Marks,
}

impl NewTerms {
    /// Decides on one event. Also returns whether it has just claimed the tuple.
    pub(super) fn decide(&mut self, window: i64, event: &Event, is_learned: bool) -> (Verdict, bool) {
        let is_claim = self.claims.has(event);
        let is_known = self.last_seen.is_some_and(|last| last >= event.time.saturating_sub(window));
        self.last_seen = self.last_seen.max(Some(event.time));
        if is_learned || is_known && !is_claim {
            return (Verdict::Known, false);
        }
        if !is_claim {
            self.claims.add(event);
        }
        (Verdict::Signal, !is_claim)
    }

    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let content = text::content(text, text::NEW_TERMS)?;
        let (last, claims) = content.split_once(' ').ok_or(Error::Damaged)?;
        let last_seen = Some(last.parse().map_err(|_| Error::Damaged)?);
        Ok(Self { last_seen, claims: Marks::parse(claims)? })
    }

    pub(super) fn text(&self) -> String {
        // A state is written only after it has seen an event.
        let last = self.last_seen.unwrap_or(Time::MIN);
        text::sealed(text::NEW_TERMS, &format!("{last} {}", self.claims.text()))
    }
}
