//! Times at which something began, each with a digest of the event that began it.

use std::fmt::Write;

use super::text::{Error, digest};
use super::{Event, Time};

/// How many are kept. Old events that are delivered again give the same signals as far back as these reach.
const MAX_MARKS: usize = 128;

/// Events that gave signals. If they are seen again, they give the same signals again, so that a crash between
/// remembering and publishing loses nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Marks(Vec<(Time, u64)>);

impl Marks {
    pub(super) fn has(&self, event: &Event) -> bool {
        self.0.iter().any(|(time, _)| *time == event.time) && self.0.contains(&mark(event))
    }

    /// Returns whether one of them lies in the window that ends at this time: `(time - window, time]`.
    pub(super) fn reach(&self, time: Time, window: i64) -> bool {
        self.0.iter().any(|(mark, _)| *mark <= time && time.saturating_sub(*mark) < window)
    }

    pub(super) fn last(&self) -> Option<Time> {
        self.0.iter().map(|(time, _)| *time).max()
    }

    /// Adds an event. If there are too many, the one farthest from it in time is forgotten.
    pub(super) fn add(&mut self, event: &Event) {
        self.0.push(mark(event));
        if self.0.len() > MAX_MARKS {
            let farthest = self.0.iter().enumerate().max_by_key(|(_, (time, _))| time.abs_diff(event.time));
            if let Some((farthest, _)) = farthest {
                self.0.remove(farthest);
            }
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let marks = text.split(',').filter(|mark| !mark.is_empty()).map(|mark| {
            let (time, digest) = mark.split_once(':')?;
            Some((time.parse().ok()?, u64::from_str_radix(digest, 16).ok()?))
        });
        marks.collect::<Option<_>>().map(Self).ok_or(Error::Damaged)
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (time, digest) in &self.0 {
            // Writing to a String cannot fail.
            let _ = write!(text, "{}{time}:{digest:016x}", if text.is_empty() { "" } else { "," });
        }
        text
    }
}

fn mark(event: &Event) -> (Time, u64) {
    (event.time, digest(&event.id))
}
