//! What an EventBridge Scheduler schedule sends: `{"check": "silence", "time": "2026-11-23T10:00:00Z"}`.

use detection::silence::check_time;

use super::envelope::{Envelope, text};
use super::error::quoted;
use super::{Error, Part};

/// The request for a check. It goes by its own time, so that a retry decides in the same way as the first attempt.
pub(super) fn check(envelope: &Envelope<'_>) -> Option<Result<Part, Error>> {
    let check = text(envelope.check)?;
    if check != "silence" {
        return Some(Err(Error::Check { found: quoted(&check) }));
    }
    let Some(time) = text(envelope.time) else {
        return Some(Err(Error::Missing { envelope: "check", part: "time" }));
    };
    Some(check_time(&time).map(Part::Check).ok_or_else(|| Error::Time { found: quoted(&time) }))
}
