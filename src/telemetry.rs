//! What the log says: one line an invocation, one for everything that failed or was left out.
//!
//! Everything that comes from outside goes into a field of its own, so that both log formats escape it.

use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing::{debug, error, info, warn};

use crate::counters::Counters;
use crate::failure::{Failure, Retry};
use crate::object::Object;
use crate::signal::SignalId;

/// Starts logging as Lambda's own settings say: `AWS_LAMBDA_LOG_LEVEL` (default INFO) and `AWS_LAMBDA_LOG_FORMAT`
/// (`Text` or, by default, JSON).
pub fn init(level: Option<&str>, format: Option<&str>) {
    let level = match level.unwrap_or_default().to_ascii_uppercase().as_str() {
        "TRACE" => LevelFilter::TRACE,
        "DEBUG" => LevelFilter::DEBUG,
        "WARN" => LevelFilter::WARN,
        "ERROR" | "FATAL" => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    };
    let subscriber = tracing_subscriber::fmt().with_max_level(level).with_ansi(false).with_target(false);
    if format.is_some_and(|format| format.eq_ignore_ascii_case("text")) {
        subscriber.init();
    } else {
        subscriber.json().flatten_event(true).with_current_span(false).with_span_list(false).init();
    }
}

/// The summary of an invocation.
pub(crate) fn finished(request_id: &str, counters: &Counters, elapsed: Duration) {
    let Counters {
        deliveries,
        skipped,
        records,
        matched,
        unmatched,
        rejected,
        signals,
        published,
        suppressed,
        duplicates,
        failed,
        bytes_in,
        bytes_inflated,
    } = counters;
    let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    info!(
        request_id,
        deliveries,
        skipped,
        records,
        matched,
        unmatched,
        rejected,
        signals,
        published,
        suppressed,
        duplicates,
        failed,
        bytes_in,
        bytes_inflated,
        milliseconds,
        "invocation finished"
    );
}

/// A message, or the whole invocation, that failed.
pub(crate) fn failed(request_id: &str, message_id: Option<&str>, failure: &Failure) {
    let reason = failure.reason.as_str();
    match failure.retry {
        Retry::Transient => warn!(request_id, message_id, retry = "transient", reason, "failed"),
        Retry::Permanent => error!(request_id, message_id, retry = "permanent", reason, "failed"),
    }
}

/// A match that `EXCEPTION_QUERY` takes out.
pub(crate) fn suppressed(id: SignalId) {
    info!(signal_id = id.to_string(), "suppressed by EXCEPTION_QUERY");
}

/// Something with nothing to do in it.
pub(crate) fn skipped(reason: &str, object: Option<&Object>) {
    debug!(reason, object = object.map(ToString::to_string), "skipped");
}
