//! A notice in one line for phones.

use super::Accounts;
use super::grouping::Group;
use super::message::place;
use super::text::{ascii, cut, foreign, plain};

/// A text message has room for this many characters.
pub(super) const MAX_CHARS: usize = 140;

/// `[high] Rule: who in account, region, 3 signals, 10:05 UTC`. The rule's name is cut first.
pub(super) fn line(group: &Group, accounts: &Accounts) -> String {
    let who = cut(&foreign(&group.who, 200), 32);
    let signals = if group.signals > 1 { format!(", {} signals", group.signals) } else { String::new() };
    let time = group.first.map(|first| first.strftime(", %H:%M UTC").to_string()).unwrap_or_default();
    let tail = ascii(&format!(": {who} {}{signals}{time}", place(group, accounts)));
    let start = format!("[{}] ", group.severity.as_str());
    let left = MAX_CHARS.saturating_sub(start.len() + tail.len());
    cut(&format!("{start}{}{tail}", cut(&ascii(&plain(&group.rule.name, 200)), left)), MAX_CHARS)
}
