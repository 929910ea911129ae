//! The log: one line for each invocation, and one for each failure, skipped object and suppressed match.
//!
//! Put untrusted text in its own field: both log formats escape fields.

pub mod counters;
pub mod line;
pub mod metrics;

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use tracing::event;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::{Subscriber, set_global_default};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

use crate::failure::{Failure, Retry};
use crate::settings;
use crate::settings::variable::EXCEPTION_QUERY;
use crate::telemetry::counters::Counters;
use crate::telemetry::line::{
    CANNOT_START, EXCEPTIONS_END, FAILED_PERMANENTLY, FAILED_TRANSIENTLY, MEMORY_OFF, MEMORY_ON,
    NOT_ARCHIVED, NOT_LOOKED_UP, NOTICE_FAILED, NOTICE_HELD_BACK, PANIC, QUIET_UNKNOWN, SKIPPED, STARTED,
    SUPPRESSED, SUPPRESSED_BY_SETTING,
};
use detection::origin::Object;
use detection::signal::{SignalId, Suppressed};

/// Starts logging to standard output, panics included; see [`subscriber`].
pub fn init(level: &str, format: &str) {
    // Nothing else in this process sets a subscriber, and a function that cannot log still works.
    let _ = set_global_default(subscriber(level, format, std::io::stdout));
    // The default hook writes the message of a panic without escaping it, and the message may quote input.
    std::panic::set_hook(Box::new(|panic| {
        event!(PANIC.level, reason = panic.to_string(), "{}", PANIC.message);
    }));
}

/// Logging with Lambda's own settings: `AWS_LAMBDA_LOG_LEVEL` (anything else is INFO) and `AWS_LAMBDA_LOG_FORMAT` (`Text`;
/// anything else is JSON).
///
/// The level applies to this crate alone. Dependencies log only warnings and errors: at finer levels the SDK and the
/// runtime log requests and payloads, which hold session tokens and records. What the runtime says of a handler that
/// failed or panicked is left out: this crate has logged it.
#[must_use]
pub fn subscriber(
    level: &str,
    format: &str,
    writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
) -> Box<dyn Subscriber + Send + Sync> {
    let level = match level.to_ascii_uppercase().as_str() {
        "TRACE" => LevelFilter::TRACE,
        "DEBUG" => LevelFilter::DEBUG,
        "WARN" => LevelFilter::WARN,
        "ERROR" | "FATAL" => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    };
    let lines = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_target(false)
        .with_writer(writer);
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF)
        .with_target(env!("CARGO_CRATE_NAME"), level);
    if format.eq_ignore_ascii_case("text") {
        Box::new(lines.finish().with(targets))
    } else {
        let lines = lines.json().flatten_event(true).with_current_span(false).with_span_list(false);
        Box::new(lines.finish().with(targets))
    }
}

/// The rules of a process, in numbers.
pub(crate) struct Start<'a> {
    pub(crate) rules: usize,
    pub(crate) kinds: &'a str,
    pub(crate) embedded_rules: &'static str,
    pub(crate) embedded: usize,
    pub(crate) bundle: Option<&'a Path>,
    pub(crate) bundled: usize,
    pub(crate) exceptions: usize,
    pub(crate) accounts: usize,
}

/// Logs why the function does not start.
pub fn cannot_start(error: &settings::Error) {
    event!(CANNOT_START.level, reason = error.to_string(), "{}", CANNOT_START.message);
}

/// Logs the rules that are on.
pub(crate) fn started(
    Start { rules, kinds, embedded_rules, embedded, bundle, bundled, exceptions, accounts }: &Start<'_>,
) {
    event!(
        STARTED.level,
        rules,
        kinds,
        embedded_rules,
        embedded,
        bundle = bundle.map(|path| path.display().to_string()),
        bundled,
        exceptions,
        accounts,
        "{}",
        STARTED.message
    );
}

/// Logs the exceptions that end soon, each with its day.
pub(crate) fn exceptions_end(exceptions: &str) {
    event!(EXCEPTIONS_END.level, exceptions, "{}", EXCEPTIONS_END.message);
}

/// Logs the summary of an invocation.
pub(crate) fn finished(request_id: &str, counters: &Counters, elapsed: Duration) {
    counters.log(request_id, u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
}

/// Writes a line of metrics, which CloudWatch recognises in the log by its form.
pub(crate) fn metrics(line: &str) {
    // An error of standard output must not stop the work.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Logs a failure of a message, or of the whole invocation.
pub(crate) fn failed(request_id: &str, message_id: Option<&str>, failure: &Failure) {
    let reason = failure.reason.as_str();
    match failure.retry {
        Retry::Transient => event!(
            FAILED_TRANSIENTLY.level,
            request_id,
            message_id,
            retry = "transient",
            reason,
            "{}",
            FAILED_TRANSIENTLY.message
        ),
        Retry::Permanent => event!(
            FAILED_PERMANENTLY.level,
            request_id,
            message_id,
            retry = "permanent",
            reason,
            "{}",
            FAILED_PERMANENTLY.message
        ),
    }
}

/// Logs a match that an exception suppresses, and the object or message that holds its record.
pub(crate) fn suppressed(
    Suppressed {
        id,
        rule_id,
        rule_name,
        exception,
        reason,
        action,
        event_id,
        caller,
        account,
        account_name,
        region,
    }: &Suppressed,
    place: &str,
) {
    let line = if exception == EXCEPTION_QUERY.name { SUPPRESSED_BY_SETTING } else { SUPPRESSED };
    event!(
        SUPPRESSED.level,
        signal_id = id.to_string(),
        rule_id,
        rule_name,
        exception,
        reason,
        event_action = action,
        event_id,
        caller,
        account,
        account_name,
        region,
        object = place,
        "{}",
        line.message
    );
}

/// Logs the signals of a batch for which the archive did not answer: they are published, perhaps a second time.
pub(crate) fn not_looked_up<'f>(bucket: &str, mut failures: impl Iterator<Item = &'f Failure>) {
    if let Some(Failure { reason, .. }) = failures.next() {
        let signals = 1 + failures.count();
        event!(NOT_LOOKED_UP.level, bucket, reason, signals, "{}", NOT_LOOKED_UP.message);
    }
}

/// Logs the signals of a batch that were published and not stored.
pub(crate) fn not_archived<'f>(
    bucket: &str,
    failures: impl Iterator<Item = (SignalId, &'f Failure)> + Clone,
) {
    if let Some((_, Failure { reason, .. })) = failures.clone().next() {
        let ids: Vec<_> = failures.map(|(id, _)| id.to_string()).collect();
        let (signals, signal_ids) = (ids.len(), ids.join(" "));
        event!(NOT_ARCHIVED.level, bucket, reason, signals, signal_ids, "{}", NOT_ARCHIVED.message);
    }
}

/// Logs a notice that SNS did not take. Its signals are published.
pub(crate) fn notice_failed(topic: &str, subject: &str, Failure { reason, .. }: &Failure) {
    event!(NOTICE_FAILED.level, topic, subject, reason, "{}", NOTICE_FAILED.message);
}

/// Logs a notice that is held back, because one of the same rule and principal was sent recently.
pub(crate) fn notice_held_back(rule_id: &str, principal: &str, signals: u64) {
    event!(NOTICE_HELD_BACK.level, rule_id, principal, signals, "{}", NOTICE_HELD_BACK.message);
}

/// Logs a digest that is held back, because one was sent to its topic recently.
pub(crate) fn digest_held_back(signals: u64) {
    event!(NOTICE_HELD_BACK.level, signals, "{}", NOTICE_HELD_BACK.message);
}

/// Logs that the table does not say whether a notice was sent recently.
pub(crate) fn quiet_unknown(Failure { reason, .. }: &Failure) {
    event!(QUIET_UNKNOWN.level, reason, "{}", QUIET_UNKNOWN.message);
}

/// Logs at the start which rules are off for lack of a table, and which hold nothing back.
pub(crate) fn memory_off(rules: &[&str], unsuppressed: &[&str]) {
    let (rules, unsuppressed) = (rules.join("; "), unsuppressed.join("; "));
    event!(MEMORY_OFF.level, rules, unsuppressed, "{}", MEMORY_OFF.message);
}

/// Logs, once per process, which rules are on, and which only learn and until when.
pub(crate) fn memory_on(on: &[String], learning: &[String]) {
    let (on, learning) = (on.join("; "), learning.join("; "));
    event!(MEMORY_ON.level, on, learning, "{}", MEMORY_ON.message);
}

/// Logs a part of a message that needs no work.
pub(crate) fn skipped(reason: &str, object: Option<&Object>) {
    event!(SKIPPED.level, reason, object = object.map(ToString::to_string), "{}", SKIPPED.message);
}
