//! One item per log line: its message, its level and its fields.
//!
//! Lines are written by these items, and tests hold the table in `docs/operate.md` to them, and the lines of real
//! invocations to the fields.

use tracing::Level;

/// A line of the log.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// Its `message`.
    pub message: &'static str,
    /// Its `level`.
    pub level: Level,
    /// Its fields, in Markdown, each in backticks; "the same" are those of the item before.
    pub fields: &'static str,
}

/// Every line, in the order of the page.
pub const ALL: [Line; 17] = [
    STARTED,
    EXCEPTIONS_END,
    MEMORY_ON,
    MEMORY_OFF,
    CANNOT_START,
    FINISHED,
    FAILED_TRANSIENTLY,
    FAILED_PERMANENTLY,
    SUPPRESSED_BY_SETTING,
    SUPPRESSED,
    NOT_LOOKED_UP,
    NOT_ARCHIVED,
    NOTICE_HELD_BACK,
    NOTICE_FAILED,
    QUIET_UNKNOWN,
    SKIPPED,
    PANIC,
];

pub(crate) const STARTED: Line = Line {
    message: "started",
    level: Level::INFO,
    fields: "numbers: `rules`, `embedded`, `bundled`, `exceptions`, `accounts`; `kinds`, `embedded_rules`, `bundle` (path)",
};

pub(crate) const EXCEPTIONS_END: Line = Line {
    message: "exceptions expire within two weeks",
    level: Level::WARN,
    fields: "`exceptions` (files and days)",
};

pub(crate) const MEMORY_ON: Line = Line {
    message: "rules that remember",
    level: Level::INFO,
    fields: "`on`, `learning` (rules, with the end of learning)",
};

pub(crate) const MEMORY_OFF: Line = Line {
    message: "rules that remember are off: set MEMORY_TABLE",
    level: Level::WARN,
    fields: "`rules`, `unsuppressed` (rules that hold nothing back)",
};

pub(crate) const CANNOT_START: Line =
    Line { message: "the function cannot start", level: Level::ERROR, fields: "`reason` names the variable" };

pub(crate) const FINISHED: Line = Line {
    message: "invocation finished",
    level: Level::INFO,
    fields: "`request_id`, `milliseconds`, every counter",
};

pub(crate) const FAILED_TRANSIENTLY: Line = Line {
    message: "failed",
    level: Level::WARN,
    fields: "`request_id`, `message_id`, `retry` (`transient`: a retry may help), `reason`",
};

pub(crate) const FAILED_PERMANENTLY: Line =
    Line { message: "failed", level: Level::ERROR, fields: "the same; `retry` is `permanent`" };

pub(crate) const SUPPRESSED_BY_SETTING: Line = Line {
    message: "suppressed by EXCEPTION_QUERY",
    level: Level::INFO,
    fields: "`signal_id`, `rule_id`, `rule_name`, `exception`, `event_action`, `event_id`, `caller`, `account`, `account_name`, `region`, `object` (`silence` for a silent account)",
};

pub(crate) const SUPPRESSED: Line = Line {
    message: "suppressed by an exception",
    level: Level::INFO,
    fields: "the same, and `reason`; `exception` is the file",
};

pub(crate) const NOT_LOOKED_UP: Line = Line {
    message: "signals are published without a check of the archive",
    level: Level::WARN,
    fields: "`bucket`, `reason`, `signals`; they may come again",
};

pub(crate) const NOT_ARCHIVED: Line = Line {
    message: "signals are published and not archived",
    level: Level::WARN,
    fields: "`bucket`, `reason`, `signals`, `signal_ids`",
};

pub(crate) const NOTICE_HELD_BACK: Line = Line {
    message: "a notice was held back",
    level: Level::INFO,
    fields: "`rule_id`, `principal`, `signals`",
};

pub(crate) const NOTICE_FAILED: Line =
    Line { message: "a notice was not sent", level: Level::WARN, fields: "`topic`, `subject`, `reason`" };

pub(crate) const QUIET_UNKNOWN: Line =
    Line { message: "the quiet time of notices is not known", level: Level::WARN, fields: "`reason`" };

pub(crate) const SKIPPED: Line = Line {
    message: "skipped",
    level: Level::DEBUG,
    fields: "`reason`, `object`; only with `LogLevel=DEBUG`",
};

pub(crate) const PANIC: Line =
    Line { message: "panic", level: Level::ERROR, fields: "`reason`; please report this bug" };
