//! Exceptions, ready to judge matches.

use std::time::SystemTime;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::bundle::Exception;
use crate::query::{self, Fields, Query, Schema};

/// An exception and its parsed query.
#[derive(Debug, Clone)]
pub(super) struct Applied {
    pub(super) exception: Exception,
    query: Query,
    /// When it stops applying.
    end: Option<Timestamp>,
}

impl Applied {
    /// `schema` is the schema of what the rules look at.
    pub(super) fn new(exception: Exception, schema: Schema) -> Result<Self, Vec<query::Error>> {
        let query = Query::parse(&exception.query, schema)?;
        let end = exception.expires.as_deref().map(|day| {
            let start = day.parse::<Date>().and_then(|day| day.to_zoned(TimeZone::UTC));
            let start = start.map(|start| start.timestamp());
            start.map_err(|error| vec![query::Error::new(day, 0, error.to_string())])
        });
        Ok(Self { exception, query, end: end.transpose()? })
    }

    /// Returns whether it suppresses a match of the rule. `time` is the time of the event as RFC 3339; an exception
    /// with an end does not apply to events without a time.
    pub(super) fn takes(&self, rule_id: &str, fields: &impl Fields, time: Option<&str>) -> bool {
        let is_for = |ids: &Vec<String>| ids.iter().any(|id| id == rule_id);
        self.exception.rules.as_ref().is_none_or(is_for)
            && self.end.is_none_or(|end| parsed(time).is_some_and(|time| time < end))
            && self.query.evaluate(fields) == Some(true)
    }

    /// Returns whether it ends after `now`, but no more than `days` days later.
    pub(super) fn ends_within(&self, now: SystemTime, days: i64) -> bool {
        let (Some(end), Ok(now)) = (self.end, Timestamp::try_from(now)) else { return false };
        end > now && end.duration_since(now).as_hours() <= days * 24
    }
}

fn parsed(time: Option<&str>) -> Option<Timestamp> {
    time?.parse().ok()
}
