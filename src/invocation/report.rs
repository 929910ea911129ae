//! The report of one message: what was done for it, and what went wrong.

use std::cell::{Cell, Ref, RefCell};

use crate::failure::Failure;
use crate::telemetry::counters::Counters;

/// What became of one message. Everything that works on a message shares its report: those that read its objects, and
/// the publisher of what they find.
#[derive(Debug, Default)]
pub struct Report {
    /// The identifier by which the trigger knows the message.
    pub id: Option<String>,
    counters: Cell<Counters>,
    failures: RefCell<Vec<Failure>>,
}

impl Report {
    /// An empty report of the message with this identifier.
    #[must_use]
    pub fn new(id: Option<String>) -> Self {
        Self { id, ..Self::default() }
    }

    /// Adds work that was done for the message.
    pub fn count(&self, counters: Counters) {
        let mut sum = self.counters.get();
        sum += counters;
        self.counters.set(sum);
    }

    /// Adds something that went wrong: the message fails.
    pub fn fail(&self, failure: Failure) {
        self.failures.borrow_mut().push(failure);
    }

    /// What was done for the message.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters.get()
    }

    /// Everything that went wrong with the message.
    #[must_use]
    pub fn failures(&self) -> Ref<'_, [Failure]> {
        Ref::map(self.failures.borrow(), Vec::as_slice)
    }
}
