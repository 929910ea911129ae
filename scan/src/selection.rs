//! Which files and which records are looked at: by time, account and region.

use std::path::Path;

use detection::key::is_account;
use detection::records::RawRecord;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::Deserialize;

/// The reason for a file that is passed over.
pub const OUTSIDE: &str = "outside of --since, --until, --account or --region, by its path";
/// An event may arrive this many days after it happened, so the files of a few more days are read.
const LATE_DAYS: i64 = 2;

/// What to look at. Everything, unless an option says otherwise.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The first time.
    pub since: Option<Timestamp>,
    /// The last time.
    pub until: Option<Timestamp>,
    /// The accounts that own the called resources; empty for all.
    pub accounts: Vec<String>,
    /// The regions; empty for all.
    pub regions: Vec<String>,
}

/// The fields of a record that decide.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    #[serde(borrow, default)]
    event_time: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    recipient_account_id: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    aws_region: Option<std::borrow::Cow<'a, str>>,
}

impl Selection {
    /// Whether it takes everything.
    pub fn is_all(&self) -> bool {
        self.since.is_none() && self.until.is_none() && self.accounts.is_empty() && self.regions.is_empty()
    }

    /// Whether a file may hold records that are asked for, as far as its path shows. In a copy of a bucket it does:
    /// `AWSLogs/[o-id/]<account>/CloudTrail/<region>/YYYY/MM/DD/<file>`.
    pub fn may_hold(&self, path: &Path) -> bool {
        if self.is_all() {
            return true;
        }
        let segments: Vec<_> = path.iter().map(|segment| segment.to_string_lossy()).collect();
        let service = segments
            .iter()
            .rposition(|segment| matches!(&**segment, "CloudTrail" | "CloudTrail-NetworkActivity"));
        let Some(service) = service.filter(|service| *service > 0) else { return true };
        let account = &*segments[service - 1];
        if is_account(account) && !allows(&self.accounts, Some(account)) {
            return false;
        }
        let [region, year, month, day, _, ..] = &segments[service + 1..] else { return true };
        if !allows(&self.regions, Some(region)) {
            return false;
        }
        let Ok(day) = format!("{year}-{month}-{day}").parse::<Date>() else { return true };
        // A delivery is written after the events in it.
        let is_early = self.since.is_some_and(|since| day < since.to_zoned(TimeZone::UTC).date());
        let is_late = self.until.is_some_and(|until| {
            let last = until.to_zoned(TimeZone::UTC).date().checked_add(LATE_DAYS.days());
            last.is_ok_and(|last| day > last)
        });
        !is_early && !is_late
    }

    /// Whether a record is asked for. One that gives no time, account or region may be, and is kept; so is one that
    /// cannot be read, to be rejected later.
    pub fn takes(&self, record: RawRecord<'_>) -> bool {
        if self.is_all() {
            return true;
        }
        let Ok(unwrapped) = record.unwrapped() else { return true };
        let Ok(fields) = serde_json::from_slice::<Fields<'_>>(unwrapped.record().text()) else { return true };
        let time = fields.event_time.and_then(|time| time.parse::<Timestamp>().ok());
        time.is_none_or(|time| {
            self.since.is_none_or(|since| since <= time) && self.until.is_none_or(|until| time <= until)
        }) && allows(&self.accounts, fields.recipient_account_id.as_deref())
            && allows(&self.regions, fields.aws_region.as_deref())
    }
}

fn allows(wanted: &[String], value: Option<&str>) -> bool {
    wanted.is_empty() || value.is_none_or(|value| wanted.iter().any(|wanted| wanted == value))
}

/// Reads a time: RFC 3339, or a day in UTC, which begins at 00:00.
///
/// # Errors
/// What is expected instead.
pub fn since(text: &str) -> Result<Timestamp, String> {
    if let Ok(day) = text.parse::<Date>().and_then(|day| day.to_zoned(TimeZone::UTC))
        && text.len() == 10
    {
        return Ok(day.timestamp());
    }
    text.parse().map_err(|_| "expected a day as 2026-11-23, or a time as 2026-11-23T10:05:00Z".to_owned())
}

/// Reads a time, or a day in UTC, which counts to its end.
///
/// # Errors
/// What is expected instead.
pub fn until(text: &str) -> Result<Timestamp, String> {
    // The last nanosecond of a day.
    const REST: SignedDuration = SignedDuration::new(24 * 60 * 60 - 1, 999_999_999);
    let time = since(text)?;
    let rest = if text.len() == 10 { REST } else { SignedDuration::ZERO };
    time.checked_add(rest).map_err(|error| error.to_string())
}

/// Reads an account's id.
///
/// # Errors
/// What is expected instead.
pub fn account(text: &str) -> Result<String, String> {
    is_account(text).then(|| text.to_owned()).ok_or_else(|| "expected twelve digits".to_owned())
}
