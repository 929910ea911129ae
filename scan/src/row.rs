//! A signal as people read it.

use detection::notice::{self, Accounts, Alert, plain};
use detection::records;
use detection::rule::Severity;
use detection::signal::Signal;

/// The longest text in a row, in characters.
const MAX_CHARS: usize = 300;
/// The longest request parameters, in characters.
const MAX_PARAMETERS: usize = 4_000;

/// What table, CSV and page show of a signal. Every text is one line without invisible characters.
#[derive(Debug, Clone)]
pub struct Row {
    pub time: String,
    pub severity: Severity,
    pub rule: String,
    pub rule_id: String,
    /// Who wrote the rule.
    pub author: String,
    pub tactics: Vec<String>,
    pub is_building_block: bool,
    pub principal: String,
    pub session: String,
    pub account: String,
    pub region: String,
    pub action: String,
    pub outcome: String,
    pub target: String,
    pub source: String,
    pub agent: String,
    pub parameters: String,
    pub message: String,
    pub file: String,
    pub event_id: String,
    pub id: String,
}

impl Row {
    /// Reads the signal's own document; `None` if it is not one.
    pub fn of(signal: &Signal, accounts: &Accounts) -> Option<Self> {
        let document = records::parse_document(&signal.message)?;
        let alert = Alert::new(&document);
        let one = |text: &str| plain(text, MAX_CHARS);
        let text = |field| one(alert.text(field).unwrap_or_default());
        let authors: Vec<_> = alert.texts("kibana.alert.rule.author").collect();
        let time = alert.time().unwrap_or_default();
        let (second, _) = time.split_once('.').unwrap_or((time, ""));
        Some(Self {
            time: one(&second.replacen('T', " ", 1).replace('Z', "")),
            severity: alert.severity(),
            rule: one(alert.rule_name()),
            rule_id: one(alert.rule_id()),
            author: one(&authors.join(", ")),
            tactics: alert.tactics().map(one).collect(),
            is_building_block: alert.is_building_block(),
            principal: one(&alert.who()),
            session: one(alert.session().unwrap_or_default()),
            account: one(&notice::account(alert.account().unwrap_or_default(), accounts)),
            region: text("cloud.region"),
            action: text("event.action"),
            outcome: alert.text("aws.cloudtrail.error_code").map_or_else(|| text("event.outcome"), one),
            target: one(&alert.target().unwrap_or_default()),
            source: one(alert.source().unwrap_or_default()),
            agent: text("user_agent.original"),
            parameters: plain(
                alert.text("aws.cloudtrail.request_parameters").unwrap_or_default(),
                MAX_PARAMETERS,
            ),
            message: text("message"),
            file: text("log.file.path"),
            event_id: one(alert.event_id().unwrap_or_default()),
            id: signal.id.to_string(),
        })
    }

    /// The rule, and who wrote it.
    pub fn rule_by_author(&self) -> String {
        if self.author.is_empty() { self.rule.clone() } else { format!("{} (by {})", self.rule, self.author) }
    }
}
