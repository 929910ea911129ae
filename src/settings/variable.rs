//! One item per environment variable that is a setting: its name, its meaning, and what holds if it is not set.
//!
//! Settings are read by these items, and tests hold the table in `README.md` and the parameters in `template.yaml` to them.

/// An environment variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it is for, in Markdown. The description of a template parameter that sets it begins with the first sentence.
    pub meaning: &'static str,
    /// What holds if it is not set.
    pub unset: Unset,
}

/// What holds if a variable is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unset {
    /// The function does not start.
    Fails,
    /// The variable has this value.
    Default(&'static str),
    /// What the function does then, in words.
    Means(&'static str),
}

impl Variable {
    /// Its value in this environment, or its default, or nothing. Space around a value is not part of it, and an empty
    /// variable counts as not set: a template leaves optional parameters empty.
    pub fn value(&self, environment: impl Fn(&str) -> Option<String>) -> String {
        let value = environment(self.name).map(|value| value.trim().to_owned()).unwrap_or_default();
        match self.unset {
            Unset::Default(default) if value.is_empty() => default.to_owned(),
            _ => value,
        }
    }
}

/// Every variable, in the order of the page.
pub const ALL: [Variable; 15] = [
    SIGNAL_TOPIC_ARN,
    EMBEDDED_RULES,
    RULES_BUNDLE,
    EXCEPTION_QUERY,
    TRAIL_BUCKET_OWNER,
    SIGNAL_ARCHIVE_BUCKET,
    NOTICE_TOPIC_ARN,
    NOTICES,
    NOTICE_QUIET_SECONDS,
    MEMORY_TABLE,
    LEARNING_DAYS,
    ACCOUNT_SILENCE_HOURS,
    METRICS_NAMESPACE,
    LOG_LEVEL,
    LOG_FORMAT,
];

pub(crate) const SIGNAL_TOPIC_ARN: Variable = Variable {
    name: "SIGNAL_TOPIC_ARN",
    meaning: "The topic for signals, in any region; FIFO if its name ends in `.fifo`.",
    unset: Unset::Fails,
};

pub(crate) const EMBEDDED_RULES: Variable = Variable {
    name: "EMBEDDED_RULES",
    meaning: "Embedded rules: `seed`, `starter` (adds the starter pack) or `none`.",
    unset: Unset::Default("seed"),
};

pub(crate) const RULES_BUNDLE: Variable = Variable {
    name: "RULES_BUNDLE",
    meaning: "A file of bundled rules, exceptions, account names and routes.",
    unset: Unset::Means("none"),
};

/// Exceptions from all rules.
pub(crate) const EXCEPTION_QUERY: Variable = Variable {
    name: "EXCEPTION_QUERY",
    meaning: "A KQL query for known activity: its matches are logged, not published.",
    unset: Unset::Means("none"),
};

pub(crate) const TRAIL_BUCKET_OWNER: Variable = Variable {
    name: "TRAIL_BUCKET_OWNER",
    meaning: "The account that must own the bucket.",
    unset: Unset::Means("no check"),
};

pub(crate) const SIGNAL_ARCHIVE_BUCKET: Variable = Variable {
    name: "SIGNAL_ARCHIVE_BUCKET",
    meaning: "A bucket that keeps every signal, so that replays publish nothing twice.",
    unset: Unset::Means("no archive"),
};

pub(crate) const NOTICE_TOPIC_ARN: Variable = Variable {
    name: "NOTICE_TOPIC_ARN",
    meaning: "A standard topic for notices, in any region.",
    unset: Unset::Means("no notices"),
};

pub(crate) const NOTICES: Variable = Variable {
    name: "NOTICES",
    meaning: "Signals that give notices: `alerts` (no building blocks) or `all`.",
    unset: Unset::Default("alerts"),
};

pub(crate) const NOTICE_QUIET_SECONDS: Variable = Variable {
    name: "NOTICE_QUIET_SECONDS",
    meaning: "Seconds after a notice in which others of its rule and principal are held back.",
    unset: Unset::Default("300"),
};

pub(crate) const MEMORY_TABLE: Variable = Variable {
    name: "MEMORY_TABLE",
    meaning: "The DynamoDB table for rules with memory. A name, or an ARN for another region.",
    unset: Unset::Means("these rules are off"),
};

pub(crate) const LEARNING_DAYS: Variable = Variable {
    name: "LEARNING_DAYS",
    meaning: "Days for which rules with memory learn before they report.",
    unset: Unset::Means("the rule's window"),
};

pub(crate) const ACCOUNT_SILENCE_HOURS: Variable = Variable {
    name: "ACCOUNT_SILENCE_HOURS",
    meaning: "Hours without a delivery after which a signal reports an account and region as silent. Needs `MEMORY_TABLE` and a schedule; 0 is off.",
    unset: Unset::Default("0"),
};

pub(crate) const METRICS_NAMESPACE: Variable = Variable {
    name: "METRICS_NAMESPACE",
    meaning: "The CloudWatch namespace of the function's metrics.",
    unset: Unset::Means("no metrics"),
};

/// Lambda sets it to the log level of the function's configuration. A level that is not known counts as not set: one
/// that Lambda adds must not stop the function.
pub const LOG_LEVEL: Variable = Variable {
    name: "AWS_LAMBDA_LOG_LEVEL",
    meaning: "`TRACE`, `DEBUG`, `INFO`, `WARN` or `ERROR`; set by Lambda.",
    unset: Unset::Default("INFO"),
};

/// Lambda sets it to the log format of the function's configuration. A format that is not known counts as not set, too.
pub const LOG_FORMAT: Variable = Variable {
    name: "AWS_LAMBDA_LOG_FORMAT",
    meaning: "`JSON` or `Text`; set by Lambda.",
    unset: Unset::Default("JSON"),
};
