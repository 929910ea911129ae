//! The counters of an invocation.
//!
//! One table defines every counter. The sum, the log line, the metrics and the reply follow from it; a test compares the
//! table in `docs/operate.md` with it.

use std::ops::AddAssign;

use detection::pipeline::Tally;
use serde::Serialize;

use crate::telemetry::line::FINISHED;

/// The name, the metric and the meaning of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// Its name in the log and in the reply.
    pub name: &'static str,
    /// Its name and its unit in CloudWatch, if it is a metric.
    pub metric: Option<(&'static str, &'static str)>,
    /// What it counts, in Markdown.
    pub meaning: &'static str,
}

/// Makes [`Counters`] from a table. A macro, because the fields of a log line are fixed at compile time.
macro_rules! counters {
    ($($name:ident $(as $metric:literal in $unit:literal)?: $meaning:literal,)*) => {
        /// The counters of a delivery, a message or a whole invocation.
        ///
        /// `records == matched + unmatched + rejected` and `signals == published + suppressed + duplicates + known + failed`.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
        pub struct Counters {
            $(#[doc = $meaning] pub $name: u64,)*
        }

        impl Counters {
            /// Every counter with its value.
            pub fn all(&self) -> impl Iterator<Item = (Definition, u64)> {
                [$((
                    Definition {
                        name: stringify!($name),
                        metric: [$(($metric, $unit))?].first().copied(),
                        meaning: $meaning,
                    },
                    self.$name,
                ),)*]
                .into_iter()
            }

            /// Logs the summary of an invocation.
            pub(super) fn log(&self, request_id: &str, milliseconds: u64) {
                tracing::event!(
                    FINISHED.level,
                    request_id,
                    $($name = self.$name,)*
                    milliseconds,
                    "{}",
                    FINISHED.message
                );
            }
        }

        impl AddAssign for Counters {
            fn add_assign(&mut self, other: Self) {
                $(self.$name += other.$name;)*
            }
        }
    };
}

counters! {
    deliveries as "Deliveries" in "Count": "Deliveries opened, and messages that hold records.",
    completed as "Completed" in "Count": "Deliveries in S3 read to their end.",
    skipped as "Skipped" in "Count": "Other events, and objects that are not deliveries.",
    records as "Records" in "Count": "Records read.",
    matched as "Matched" in "Count": "Records that match a rule.",
    unmatched: "Records that match none.",
    rejected as "Rejected" in "Count": "Records that are unreadable or not CloudTrail's.",
    signals as "Signals" in "Count": "Matches of a record and a rule.",
    published as "Published" in "Count": "Signals that SNS took.",
    suppressed as "Suppressed" in "Count": "Matches of an exception.",
    duplicates as "Duplicates" in "Count": "Signals that the invocation or the archive already had.",
    known as "Known" in "Count": "Signals that memory holds back: known, too few, or learning.",
    failed as "Failed" in "Count": "Signals that SNS refused or memory could not decide.",
    unarchived as "Unarchived" in "Count": "Signals published but not archived.",
    notices as "Notices" in "Count": "Notices that SNS took.",
    notices_failed as "NoticesFailed" in "Count": "Notices that SNS refused.",
    bytes_in as "BytesIn" in "Bytes": "Bytes read.",
    bytes_inflated as "BytesInflated" in "Bytes": "Bytes after decompression.",
}

impl From<Tally> for Counters {
    fn from(tally: Tally) -> Self {
        let Tally { records, matched, unmatched, rejected, signals, suppressed, known: _ } = tally;
        Self { records, matched, unmatched, rejected, signals, suppressed, ..Self::default() }
    }
}
