//! The quiet time after a notice, as far as this process knows.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::{Duration, SystemTime};

/// At most this many notices are remembered: the oldest is forgotten first.
const MAX_NOTICES: usize = 10_000;

/// Which notices were sent, and how many were held back since then.
#[derive(Debug)]
pub(super) struct Quiet {
    time: Duration,
    sent: RefCell<HashMap<String, Sent>>,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    at: SystemTime,
    held_back: u64,
}

impl Quiet {
    /// Quiet for this time after each notice.
    pub(super) fn new(time: Duration) -> Self {
        Self { time, sent: RefCell::default() }
    }

    /// Whether a notice may be sent: if so, the number of those that were held back since the last one; `None` if this
    /// one is held back, too.
    pub(super) fn ask(&self, key: &str, now: SystemTime) -> Option<u64> {
        let mut sent = self.sent.borrow_mut();
        let Some(last) = sent.get_mut(key) else { return Some(0) };
        // A clock that was set back must not silence a notice for longer.
        let is_quiet = now.duration_since(last.at).is_ok_and(|since| since < self.time);
        if is_quiet {
            last.held_back += 1;
            return None;
        }
        Some(last.held_back)
    }

    /// Notes that a notice was sent.
    pub(super) fn sent(&self, key: &str, now: SystemTime) {
        let mut sent = self.sent.borrow_mut();
        if self.time.is_zero() {
            return;
        }
        if sent.len() >= MAX_NOTICES && !sent.contains_key(key) {
            let oldest = sent.iter().min_by_key(|(_, sent)| sent.at).map(|(key, _)| key.clone());
            oldest.and_then(|oldest| sent.remove(&oldest));
        }
        sent.insert(key.to_owned(), Sent { at: now, held_back: 0 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_mins(5);

    #[test]
    fn after_a_notice_others_are_held_back_and_the_next_one_says_how_many() {
        let quiet = Quiet::new(QUIET);
        let start = SystemTime::UNIX_EPOCH;
        assert_eq!(quiet.ask("a", start), Some(0));
        quiet.sent("a", start);
        for second in [0, 1, 299] {
            assert_eq!(quiet.ask("a", start + Duration::from_secs(second)), None);
        }
        assert_eq!(quiet.ask("b", start), Some(0), "another rule or principal");
        assert_eq!(quiet.ask("a", start + QUIET), Some(3));
        quiet.sent("a", start + QUIET);
        assert_eq!(quiet.ask("a", start + 2 * QUIET), Some(0));
    }

    #[test]
    fn a_notice_that_was_not_sent_makes_nothing_quiet() {
        let quiet = Quiet::new(QUIET);
        assert_eq!(quiet.ask("a", SystemTime::UNIX_EPOCH), Some(0));
        assert_eq!(quiet.ask("a", SystemTime::UNIX_EPOCH), Some(0));
    }

    #[test]
    fn a_clock_that_is_set_back_silences_nothing() {
        let quiet = Quiet::new(QUIET);
        let now = SystemTime::UNIX_EPOCH + 2 * QUIET;
        quiet.sent("a", now);
        assert_eq!(quiet.ask("a", now - QUIET), Some(0));
    }

    #[test]
    fn no_more_notices_are_remembered_than_memory_has_room_for() {
        let quiet = Quiet::new(QUIET);
        let now = |index: usize| SystemTime::UNIX_EPOCH + Duration::from_millis(index as u64);
        for index in 0..=MAX_NOTICES {
            quiet.sent(&index.to_string(), now(index));
        }
        assert_eq!(quiet.sent.borrow().len(), MAX_NOTICES);
        assert_eq!(quiet.ask("0", now(MAX_NOTICES)), Some(0), "the oldest is forgotten");
        assert_eq!(quiet.ask("1", now(MAX_NOTICES)), None);
    }
}
