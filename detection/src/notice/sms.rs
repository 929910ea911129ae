//! A notice in one line for phones.

use super::Accounts;
use super::grouping::Group;
use super::message;

/// A text message has room for this many characters.
pub(super) const MAX_CHARS: usize = 140;

/// `[high] Rule: who in account, region, 3 signals, 10:05 UTC`.
pub(super) fn line(group: &Group, accounts: &Accounts) -> String {
    let signals = if group.signals > 1 { format!(", {} signals", group.signals) } else { String::new() };
    let time = group.first.map(|first| first.strftime(", %H:%M UTC").to_string()).unwrap_or_default();
    message::line(group, accounts, &(signals + &time), MAX_CHARS)
}
