//! How long rules only learn. When a rule began is an item of the table, so that all functions agree on it.

use std::cell::RefCell;
use std::collections::HashMap;

use detection::memory::{Start, Time, learns_until};
use detection::rule::Memory;
use tokio::time::Instant;

use super::table::{Table, Write};
use super::update::{Base, Update, Updated};
use crate::failure::Failure;

/// When each rule began to learn, and for how long it learns.
#[derive(Debug)]
pub(super) struct Learning {
    /// `LEARNING_DAYS`.
    days: Option<u32>,
    /// When each rule began, by the key of the item that says so.
    starts: RefCell<HashMap<String, Time>>,
}

impl Learning {
    pub(super) fn new(days: Option<u32>) -> Self {
        Self { days, starts: RefCell::default() }
    }

    /// The time up to which a rule learns; `None` if it is not known when it began.
    pub(super) fn end(&self, memory: &Memory, beginning: &str) -> Option<Time> {
        if self.days == Some(0) || !memory.is_needed() {
            return Some(Time::MIN);
        }
        let start = *self.starts.borrow().get(beginning)?;
        Some(learns_until(memory, start, self.days))
    }

    /// Makes sure that each rule began at this time or earlier. What is already known costs no request. Returns the
    /// failures by key.
    pub(super) async fn begin(
        &self,
        table: &Table,
        beginnings: impl Iterator<Item = String>,
        at_the_latest: Time,
        deadline: Instant,
    ) -> HashMap<String, Failure> {
        if self.days == Some(0) {
            return HashMap::new();
        }
        let has_begun =
            |key: &String| self.starts.borrow().get(key).is_some_and(|start| *start <= at_the_latest);
        let unknown = beginnings.filter(|key| !has_begun(key)).collect();
        self.update(table, unknown, at_the_latest, deadline).await
    }

    /// Asks the table again when rules began.
    pub(super) async fn ask_again(
        &self,
        table: &Table,
        beginnings: Vec<String>,
        deadline: Instant,
    ) -> HashMap<String, Failure> {
        // `Time::MAX` is never written as a beginning.
        self.update(table, beginnings, Time::MAX, deadline).await
    }

    async fn update(
        &self,
        table: &Table,
        keys: Vec<String>,
        at_the_latest: Time,
        deadline: Instant,
    ) -> HashMap<String, Failure> {
        let updates = keys.into_iter().map(|key| Update {
            key,
            base: Base::Unread,
            decide: Box::new(move |state| begun(state, at_the_latest)),
        });
        let updated = table.update(updates.collect(), deadline).await;
        let mut failures = HashMap::new();
        for (key, result) in updated {
            match result {
                Ok(Updated { outcome: start, .. }) => {
                    self.starts.borrow_mut().insert(key, start);
                }
                Err(failure) => {
                    failures.insert(key, failure);
                }
            }
        }
        failures
    }
}

/// When a rule began, and what to write if that is new.
fn begun(text: Option<&str>, at_the_latest: Time) -> Result<(Time, Option<Write>), String> {
    let start = match text {
        Some(text) => Start::parse(text).map_err(|error| error.to_string())?.0,
        None => Time::MAX,
    };
    if start <= at_the_latest {
        return Ok((start, None));
    }
    // It does not expire: a rule that forgot when it began would learn again.
    Ok((at_the_latest, Some(Write { state: Start(at_the_latest).to_string(), expires: None })))
}
