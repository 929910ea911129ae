//! Exceptions, ready to judge matches.

use std::time::SystemTime;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::bundle::Exception;
use crate::ecs::{self, Document};
use crate::query::{self, Query};

/// An exception and its parsed query.
#[derive(Debug, Clone)]
pub(super) struct Applied {
    pub(super) exception: Exception,
    query: Query,
    /// From this time on it no longer applies.
    end: Option<Timestamp>,
}

impl Applied {
    pub(super) fn new(exception: Exception) -> Result<Self, Vec<query::Error>> {
        let query = Query::parse(&exception.query, ecs::field)?;
        let end = exception.expires.as_deref().map(|day| {
            let start = day.parse::<Date>().and_then(|day| day.to_zoned(TimeZone::UTC));
            let start = start.map(|start| start.timestamp());
            start.map_err(|error| vec![query::Error::new(day, 0, error.to_string())])
        });
        Ok(Self { exception, query, end: end.transpose()? })
    }

    /// Says whether it takes out a match of the rule. An event without a time is none that an exception with an end is for.
    pub(super) fn takes(&self, rule_id: &str, document: &Document) -> bool {
        let is_for = |ids: &Vec<String>| ids.iter().any(|id| id == rule_id);
        self.exception.rules.as_ref().is_none_or(is_for)
            && self.end.is_none_or(|end| time(document).is_some_and(|time| time < end))
            && self.query.evaluate(document) == Some(true)
    }

    /// Says whether it ends after `now`, and at most `days` later.
    pub(super) fn ends_within(&self, now: SystemTime, days: i64) -> bool {
        let (Some(end), Ok(now)) = (self.end, Timestamp::try_from(now)) else { return false };
        end > now && end.duration_since(now).as_hours() <= days * 24
    }
}

fn time(document: &Document) -> Option<Timestamp> {
    document.text("@timestamp")?.parse().ok()
}
