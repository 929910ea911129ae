//! The quiet time after notices, in the table, so that all functions agree on it.
//!
//! A function claims the quiet time before it sends the notice, so that only one of two functions sends it. If the
//! table does not answer, the caller goes by what its own process knows.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::Client;
use tokio::time::Instant;

use super::milliseconds;
use super::table::{Table, Write};
use super::update::{Base, Decision, Update};
use crate::failure::Failure;
use crate::settings::MemoryTable;

/// A notice waits at most this long for the table.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long the table keeps the number of notices that were held back.
const KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;

/// When notices were sent, by a key for each topic, rule and principal.
#[derive(Debug)]
pub(crate) struct Notified {
    table: Table,
    quiet: Duration,
}

/// Whether a notice may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    /// It may, and says that this many were held back before it.
    Send(u64),
    /// It is held back.
    HoldBack,
}

/// The last notice, and how many were held back since then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Last {
    /// In milliseconds since 1970.
    at: i64,
    held_back: u64,
}

impl Notified {
    /// Quiet for this time after each notice.
    pub(crate) fn new(client: Client, table: &MemoryTable, quiet: Duration) -> Self {
        Self { table: Table::new(client, table), quiet }
    }

    /// Asks about the notices with these different keys, and notes those that may be sent as sent. Most have no item,
    /// so that each costs one conditional write; the response to one that fails includes the item.
    pub(crate) async fn ask(
        &self,
        keys: Vec<String>,
        now: SystemTime,
        deadline: Instant,
    ) -> HashMap<String, Result<Permission, Failure>> {
        let now = milliseconds(now);
        let updates = keys.into_iter().map(|key| Update {
            key: item_key(&key),
            base: Base::Read(None),
            decide: Box::new(move |text| self.decide(text, now)),
        });
        self.update(updates.collect(), deadline).await
    }

    /// Takes back the permissions for notices that were not sent: no quiet time follows those.
    pub(crate) async fn take_back(&self, unsent: Vec<(String, u64)>, deadline: Instant) {
        let updates = unsent.into_iter().map(|(key, held_back)| Update {
            key: item_key(&key),
            base: Base::Unread,
            decide: Box::new(move |text| {
                let Some(text) = text else { return Ok(((), None)) };
                let last = Last::parse(text)?;
                let last = Last { at: 0, held_back: last.held_back.saturating_add(held_back) };
                Ok(((), Some(self.write(last, milliseconds(SystemTime::now())))))
            }),
        });
        // If that fails, one notice fewer is sent, and its signals are on the signal topic.
        self.update(updates.collect(), deadline).await;
    }

    async fn update<T>(
        &self,
        updates: Vec<Update<'_, T>>,
        deadline: Instant,
    ) -> HashMap<String, Result<T, Failure>> {
        let updated = self.table.update(updates, deadline.min(Instant::now() + PATIENCE)).await;
        let prefix = item_key("");
        let own = |key: String| key.strip_prefix(&prefix).map(str::to_owned).unwrap_or(key);
        updated.into_iter().map(|(key, result)| (own(key), result.map(|updated| updated.outcome))).collect()
    }

    fn decide(&self, text: Option<&str>, now: i64) -> Decision<Permission> {
        let last = text.map(Last::parse).transpose()?;
        let Some(last) = last else {
            return Ok((Permission::Send(0), Some(self.write(Last { at: now, held_back: 0 }, now))));
        };
        // The clocks of two functions may differ slightly, either way. One far behind silences nothing for longer.
        let is_quiet = u128::from(now.abs_diff(last.at)) < self.quiet.as_millis();
        let (permission, last) = if is_quiet {
            (Permission::HoldBack, Last { held_back: last.held_back.saturating_add(1), ..last })
        } else {
            (Permission::Send(last.held_back), Last { at: now, held_back: 0 })
        };
        Ok((permission, Some(self.write(last, now))))
    }

    fn write(&self, last: Last, now: i64) -> Write {
        let quiet = i64::try_from(self.quiet.as_secs()).unwrap_or(i64::MAX);
        let expires = (now / 1000).saturating_add(quiet).saturating_add(KEPT_SECONDS);
        Write { state: last.text(), expires: Some(expires) }
    }
}

impl Last {
    /// A version, the time and the number.
    fn text(self) -> String {
        format!("1 {} {}", self.at, self.held_back)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut words = text.split(' ');
        if words.next() != Some("1") {
            return Err("its state is not of version 1".to_owned());
        }
        let mut number = || words.next().and_then(|word| word.parse().ok());
        match (number(), number().and_then(|number| u64::try_from(number).ok())) {
            (Some(at), Some(held_back)) => Ok(Self { at, held_back }),
            _ => Err("its state is not the time of a notice and a number".to_owned()),
        }
    }
}

/// The keys of rules continue with eight hex digits after the first slash; here an ARN follows.
fn item_key(key: &str) -> String {
    format!("notice/{key}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_it_was_written_and_nothing_else_is() {
        let last = Last { at: 1_764_195_000_123, held_back: 7 };
        assert_eq!(Last::parse(&last.text()), Ok(last));
        for text in ["", "1", "1 5", "2 5 7", "1 5 -7", "1 x 7", "{}"] {
            assert!(Last::parse(text).is_err(), "{text:?}");
        }
    }
}
