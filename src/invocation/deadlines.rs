//! The deadlines of one invocation: when reading, remembering and publishing end.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// The reply is ready this long before Lambda's deadline.
const REPLY_RESERVE: Duration = Duration::from_secs(1);
/// Reading ends this long before publishing, or a quarter of the remaining time before it if that is less.
const PUBLISH_RESERVE: Duration = Duration::from_secs(5);

/// The ends of reading, of deciding what rules remember, and of publishing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    pub(super) reading: Instant,
    pub(super) remembering: Instant,
    pub(super) publishing: Instant,
}

impl Deadlines {
    /// Divides the time until Lambda ends the invocation.
    pub(super) fn before(deadline: SystemTime) -> Self {
        let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
        let now = Instant::now();
        let publishing = left.saturating_sub(REPLY_RESERVE);
        let reading = publishing.saturating_sub(PUBLISH_RESERVE.min(publishing / 4));
        let remembering = (reading + publishing) / 2;
        Self { reading: now + reading, remembering: now + remembering, publishing: now + publishing }
    }
}

/// Converts a deadline of the Lambda runtime API, in milliseconds since 1970.
///
/// `cargo lambda watch` sends the remaining milliseconds instead. No deadline from Lambda is before 2001.
#[must_use]
pub fn deadline(milliseconds: u64) -> SystemTime {
    const YEAR_2001: u64 = 978_307_200_000;
    let start = if milliseconds < YEAR_2001 { SystemTime::now() } else { UNIX_EPOCH };
    start + Duration::from_millis(milliseconds)
}
