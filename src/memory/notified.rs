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
use super::update::{Base, Update};
use crate::failure::Failure;
use crate::settings::MemoryTable;

/// How long the table keeps the number of notices that were held back.
const KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;

/// When notices were sent, by a key for each topic, rule and principal.
#[derive(Debug)]
pub(crate) struct Notified {
    table: Table,
    quiet: Duration,
    /// A number that no other process has.
    process: u64,
}

/// Whether a notice may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    /// It may, and says that this many were held back before it.
    Send(u64),
    /// It is held back.
    HoldBack,
}

/// The last notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Last {
    /// When its quiet time was claimed, in milliseconds since 1970.
    at: i64,
    /// How many were held back since then.
    held_back: u64,
    /// How many it says were held back before it.
    said: u64,
    /// The process that claimed it.
    process: u64,
}

impl Notified {
    /// A notice waits at most this long for the table.
    pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

    /// Quiet for this time after each notice.
    pub(crate) fn new(client: Client, table: &MemoryTable, quiet: Duration) -> Self {
        Self { table: Table::new(client, table), quiet, process: fastrand::u64(1..) }
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
        let decide = |text: Option<&str>| {
            let last = text.map(Last::parse).transpose()?;
            let (permission, last) = Last::ask(last, self.process, now, self.quiet);
            Ok((permission, last.map(|last| self.write(last, now))))
        };
        let updates = keys.into_iter().map(|key| Update {
            key: item_key(&key),
            base: Base::Read(None),
            decide: Box::new(decide),
        });
        let updated = self.table.update(updates.collect(), deadline).await;
        let prefix = item_key("");
        let own = |key: String| key.strip_prefix(&prefix).map(str::to_owned).unwrap_or(key);
        updated.into_iter().map(|(key, result)| (own(key), result.map(|updated| updated.outcome))).collect()
    }

    /// Takes back what was claimed at `now` for notices that were not sent: no quiet time follows those.
    pub(crate) async fn take_back(&self, unsent: Vec<String>, now: SystemTime, deadline: Instant) {
        let deadline = deadline.min(Instant::now() + Self::PATIENCE);
        let now = milliseconds(now);
        let decide = |text: Option<&str>| {
            let last = text.map(Last::parse).transpose()?;
            let free = last.filter(|last| last.is_claim_of(self.process, now)).map(Last::taken_back);
            Ok(((), free.map(|free| self.write(free, now))))
        };
        let updates = unsent.into_iter().map(|key| Update {
            key: item_key(&key),
            base: Base::Unread,
            decide: Box::new(decide),
        });
        // If that fails, one notice fewer is sent, and its signals are on the signal topic.
        self.table.update(updates.collect(), deadline).await;
    }

    fn write(&self, last: Last, now: i64) -> Write {
        let quiet = i64::try_from(self.quiet.as_secs()).unwrap_or(i64::MAX);
        let expires = (now / 1000).saturating_add(quiet).saturating_add(KEPT_SECONDS);
        Write { state: last.text(), expires: Some(expires) }
    }
}

impl Last {
    /// Decides whether `process` may send a notice at `now`, and what the table holds then if that changes.
    fn ask(last: Option<Self>, process: u64, now: i64, quiet: Duration) -> (Permission, Option<Self>) {
        let Some(last) = last else {
            return (Permission::Send(0), Some(Self { at: now, held_back: 0, said: 0, process }));
        };
        // The answer to the claim was lost, so that the process asks again.
        if last.is_claim_of(process, now) {
            return (Permission::Send(last.said), None);
        }
        // The clocks of two functions may differ slightly, either way. One far behind silences nothing for longer.
        let is_quiet = u128::from(now.abs_diff(last.at)) < quiet.as_millis();
        if is_quiet {
            (Permission::HoldBack, Some(Self { held_back: last.held_back.saturating_add(1), ..last }))
        } else {
            let said = last.held_back;
            (Permission::Send(said), Some(Self { at: now, held_back: 0, said, process }))
        }
    }

    fn is_claim_of(&self, process: u64, at: i64) -> bool {
        (self.process, self.at) == (process, at)
    }

    /// What the table holds when the notice was not sent.
    fn taken_back(self) -> Self {
        Self { at: 0, held_back: self.held_back.saturating_add(self.said), said: 0, process: 0 }
    }

    /// A version, and the numbers.
    fn text(self) -> String {
        format!("1 {} {} {} {}", self.at, self.held_back, self.said, self.process)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut words = text.split(' ');
        if words.next() != Some("1") {
            return Err("its state is not of version 1".to_owned());
        }
        let at = words.next().and_then(|word| word.parse().ok());
        let mut number = || words.next().and_then(|word| word.parse().ok());
        match (at, number(), number(), number()) {
            (Some(at), Some(held_back), Some(said), Some(process)) => {
                Ok(Self { at, held_back, said, process })
            }
            _ => Err("its state is not the time of a notice and three numbers".to_owned()),
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

    const QUIET: Duration = Duration::from_mins(5);
    const NOW: i64 = 1_764_195_000_123;

    #[test]
    fn a_state_is_read_as_it_was_written_and_nothing_else_is() {
        let last = Last { at: NOW, held_back: 7, said: 2, process: u64::MAX };
        assert_eq!(Last::parse(&last.text()), Ok(last));
        for text in ["", "1", "1 5 7", "2 5 7 2 9", "1 5 -7 2 9", "1 x 7 2 9", "{}"] {
            assert!(Last::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_process_recognises_its_own_claim_whatever_others_have_held_back_since() {
        let before = Last { at: 0, held_back: 3, said: 0, process: 7 };
        let (permission, claim) = Last::ask(Some(before), 1, NOW, QUIET);
        assert_eq!(permission, Permission::Send(3));
        let (other, held_back) = Last::ask(claim, 2, NOW, QUIET);
        assert_eq!(other, Permission::HoldBack);
        for found in [claim, held_back] {
            assert_eq!(Last::ask(found, 1, NOW, QUIET), (Permission::Send(3), None));
        }
        assert_eq!(Last::ask(claim, 1, NOW + 1, QUIET).0, Permission::HoldBack, "another notice");
    }
}
