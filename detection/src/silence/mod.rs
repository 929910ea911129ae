//! Accounts whose deliveries stop: when each account and region was last seen, and what a check at a given time decides.
//!
//! Times come from the keys of deliveries, in whole hours, and from the check. So deliveries that arrive late or twice
//! change nothing, and a repeated check makes the same decision.

mod signal;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::key::Key;
use crate::memory::Time;
use crate::memory::text::{self, Error};
use crate::time;

pub use signal::{Alert, RULE_ID, rule};

/// Milliseconds.
const HOUR: i64 = 60 * 60 * 1000;
/// The days that count when deciding whether an account is seen on most days, up to the last on which it was seen.
const WINDOW_DAYS: i64 = 14;
/// More than half of them.
const MOST_DAYS: u32 = 8;
/// An account and region last seen this many days ago is forgotten.
pub const KEPT_DAYS: i64 = 60;
/// A delivery is at most this many hours ahead of the clock. A later one would hide every silence up to then.
const AHEAD_HOURS: i64 = 1;
/// The number of the last item: accounts are divided among items from 0 on.
const LAST_ITEM: u8 = u8::MAX;

/// A delivery for an account and region.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sighting {
    account: String,
    region: String,
    /// Hours since 1970.
    hour: i64,
}

impl Sighting {
    /// Reads a delivery's key; `None` if it does not have the form that CloudTrail writes.
    #[must_use]
    pub fn of(key: &Key) -> Option<Self> {
        let (account, region, time) = key.delivery()?;
        Some(Self { account: account.to_owned(), region: region.to_owned(), hour: hour_of(&time)? })
    }

    /// The key of the item that it belongs to.
    #[must_use]
    pub fn item(&self) -> String {
        item_of(&self.account, &self.region)
    }
}

/// The keys of all items.
pub fn items() -> impl Iterator<Item = String> {
    (0..=LAST_ITEM).map(item)
}

/// The time of a check: RFC 3339.
#[must_use]
pub fn check_time(text: &str) -> Option<Time> {
    time::milliseconds(text)
}

/// What a check found, to be published once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct News {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The last hour before the silence in which it was seen, in hours since 1970.
    last: i64,
    /// What happened.
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// It has been silent since then for longer than this many hours.
    Stopped { hours: u32 },
    /// It was seen again in this hour.
    Resumed { hour: i64 },
}

impl News {
    /// The key of the item that it belongs to.
    #[must_use]
    pub fn item(&self) -> String {
        item_of(&self.account, &self.region)
    }
}

/// What one item holds: some of the accounts and regions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched(BTreeMap<(String, String), Entry>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    /// The last hour in which it was seen.
    last: i64,
    /// The days on which it was seen: bit 0 is the day of that hour, bit 1 the day before.
    days: u64,
    /// The last hour before a published silence, until the end of that silence is published too.
    reported: Option<i64>,
}

impl Watched {
    /// Reads what [`Watched::text`] writes.
    ///
    /// # Errors
    /// Why the text cannot be used.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let lines = text::content(text, text::SILENCE)?.split(',').filter(|line| !line.is_empty());
        lines.map(entry).collect::<Option<_>>().map(Self).ok_or(Error::Damaged)
    }

    /// The text to keep.
    #[must_use]
    pub fn text(&self) -> String {
        let entries = self.0.iter().map(|((account, region), Entry { last, days, reported })| {
            let reported = reported.map(|hour| hour.to_string()).unwrap_or_default();
            format!("{account} {region} {last} {days:x} {reported}")
        });
        text::sealed(text::SILENCE, &entries.collect::<Vec<_>>().join(","))
    }

    /// Notes a delivery. `now` is the clock's time. Returns whether that changes anything, which happens once an hour.
    pub fn see(&mut self, sighting: &Sighting, now: Time) -> bool {
        let Sighting { account, region, hour } = sighting;
        let now = now.div_euclid(HOUR);
        let oldest = now - KEPT_DAYS * 24;
        if *hour > now + AHEAD_HOURS || *hour < oldest {
            return false;
        }
        let changes = if let Some(entry) = self.0.get_mut(&(account.clone(), region.clone())) {
            entry.see(*hour)
        } else {
            let entry = Entry { last: *hour, days: 1, reported: None };
            self.0.insert((account.clone(), region.clone()), entry);
            true
        };
        if changes {
            self.0.retain(|_, entry| entry.last >= oldest);
        }
        changes
    }

    /// What a check at this time finds, if accounts may be silent for this many hours.
    #[must_use]
    pub fn check(&self, time: Time, hours: u32) -> Vec<News> {
        let found = self.0.iter().filter_map(|((account, region), entry)| {
            let (last, kind) = entry.check(time, hours)?;
            Some(News { account: account.clone(), region: region.clone(), last, kind })
        });
        found.collect()
    }

    /// Notes that this was published. Returns whether that changes anything.
    pub fn published(&mut self, news: &News) -> bool {
        let News { account, region, last, kind } = news;
        let Some(entry) = self.0.get_mut(&(account.clone(), region.clone())) else { return false };
        let reported = match kind {
            Kind::Stopped { .. } => entry.reported.or(Some(*last)),
            Kind::Resumed { .. } => entry.reported.filter(|hour| hour != last),
        };
        let changes = reported != entry.reported;
        entry.reported = reported;
        changes
    }

    /// When the item is no longer needed, in seconds since 1970. `now` is the clock's time.
    #[must_use]
    pub fn expires(&self, now: Time) -> i64 {
        (now.div_euclid(HOUR) + (KEPT_DAYS + 2) * 24) * (HOUR / 1000)
    }
}

impl Entry {
    fn see(&mut self, hour: i64) -> bool {
        let behind = day(self.last) - day(hour);
        if hour > self.last {
            let days = u32::try_from(-behind).ok().and_then(|shift| self.days.checked_shl(shift));
            self.days = (days.unwrap_or_default() | 1) & ((1 << WINDOW_DAYS) - 1);
            self.last = hour;
            return true;
        }
        let known = self.days;
        if behind < WINDOW_DAYS {
            self.days |= 1 << behind;
        }
        self.days != known
    }

    fn check(&self, time: Time, hours: u32) -> Option<(i64, Kind)> {
        // It may have been seen until the end of its last hour.
        let end = (self.last + 1 + i64::from(hours)) * HOUR;
        match self.reported {
            None if time >= end && self.days.count_ones() >= MOST_DAYS => {
                Some((self.last, Kind::Stopped { hours }))
            }
            Some(reported) if time < end && self.last > reported => {
                Some((reported, Kind::Resumed { hour: self.last }))
            }
            _ => None,
        }
    }
}

fn entry(line: &str) -> Option<((String, String), Entry)> {
    let parts: Vec<_> = line.split(' ').collect();
    let [account, region, last, days, reported] = parts[..] else { return None };
    let reported = if reported.is_empty() { None } else { Some(hour(reported)?) };
    let entry = Entry { last: hour(last)?, days: u64::from_str_radix(days, 16).ok()?, reported };
    Some(((account.to_owned(), region.to_owned()), entry))
}

/// A plausible hour: calculations with it stay in range.
fn hour(text: &str) -> Option<i64> {
    text.parse().ok().filter(|hour: &i64| hour.unsigned_abs() < 1 << 32)
}

fn hour_of(time: &str) -> Option<i64> {
    time::milliseconds(time).map(|time| time.div_euclid(HOUR))
}

fn day(hour: i64) -> i64 {
    hour.div_euclid(24)
}

fn item_of(account: &str, region: &str) -> String {
    item(Sha256::digest(format!("{account}/{region}"))[0])
}

fn item(number: u8) -> String {
    format!("silence/{number:02x}")
}
