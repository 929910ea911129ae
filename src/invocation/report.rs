//! The report of one message: what was done for it, and what failed.

use std::cell::{Cell, Ref, RefCell};

use crate::failure::Failure;
use crate::telemetry::counters::Counters;

/// The outcome of one message. Everything that works on a message shares its report: the readers of its sources and the
/// publisher of its signals.
#[derive(Debug, Default)]
pub struct Report {
    /// The identifier of the message in the reply.
    pub id: Option<String>,
    counters: Cell<Counters>,
    failures: RefCell<Vec<Failure>>,
}

impl Report {
    /// An empty report for the message with this identifier.
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

    /// Adds a failure: the message fails.
    pub fn fail(&self, failure: Failure) {
        self.failures.borrow_mut().push(failure);
    }

    /// The work that was done for the message.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters.get()
    }

    /// The failures of the message.
    #[must_use]
    pub fn failures(&self) -> Ref<'_, [Failure]> {
        Ref::map(self.failures.borrow(), Vec::as_slice)
    }
}
