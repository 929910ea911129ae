//! The signal for a silence: an alert document without a record.

use std::sync::LazyLock;

use super::{HOUR, Kind, News};
use crate::detect::Ruleset;
use crate::ecs::Document;
use crate::notice;
use crate::origin::Origin;
use crate::rule::Definition;
use crate::signal::{Detail, Finding, Signal, Suppressed};
use crate::time;

/// The identifier of the rule, for exceptions.
pub const RULE_ID: &str = "9c1f4a52-7d7e-4c0b-8a55-3e6b0d2f9a17";

/// The rule, as its signals show it.
#[must_use]
pub fn rule() -> &'static Definition {
    static RULE: LazyLock<Definition> =
        // A test reads the same file.
        LazyLock::new(|| serde_json::from_str(include_str!("rule.json")).expect("the file is a rule"));
    &RULE
}

/// What becomes of a piece of news.
#[derive(Debug)]
pub enum Alert {
    /// It is to be published.
    Signal(Box<Signal>),
    /// An exception suppresses it.
    Suppressed(Box<Suppressed>),
}

impl News {
    /// Makes the signal, unless an exception applies to it. `now` is the time as RFC 3339.
    ///
    /// Its id is that of `<rule_id>/<account>/<region>/<last seen>`, with `/resumed` appended when deliveries resume.
    #[must_use]
    pub fn alert(&self, rules: &Ruleset, now: &str) -> Alert {
        let Self { account, region, last, kind } = self;
        let last_seen = rfc3339(*last);
        let named = notice::account(account, &rules.accounts);
        let (action, time, end, sentence) = match kind {
            Kind::Stopped { hours } => (
                "DeliveriesStopped",
                rfc3339(last + 1 + i64::from(*hours)),
                "",
                format!(
                    "CloudTrail has delivered nothing for account {named}, {region}, since the hour of {last_seen}."
                ),
            ),
            Kind::Resumed { hour } => (
                "DeliveriesResumed",
                rfc3339(*hour),
                "/resumed",
                format!(
                    "CloudTrail delivers again for account {named}, {region}: nothing had arrived since the hour of {last_seen}."
                ),
            ),
        };
        let id = format!("{region}/{last_seen}{end}");
        let document = Document::of([
            ("@timestamp", time.as_str()),
            ("event.id", id.as_str()),
            ("event.action", action),
            ("event.provider", "cloudtrail.amazonaws.com"),
            ("cloud.account.id", account),
            ("cloud.region", region),
            ("aws.cloudtrail.recipient_account_id", account),
        ]);
        let definition = rule();
        if let Some(exception) = rules.exception(RULE_ID, &document, document.text("@timestamp")) {
            return Alert::Suppressed(Box::new(Suppressed::new(
                definition,
                exception,
                &document,
                &[],
                &rules.accounts,
            )));
        }
        let finding = Finding {
            definition,
            document: &document,
            record: None,
            origin: &Origin::Check,
            now,
            accounts: &rules.accounts,
            detail: Detail::Sentence(&sentence),
        };
        Alert::Signal(Box::new(finding.signal()))
    }
}

/// The start of an hour, in the format that CloudTrail uses for times.
fn rfc3339(hour: i64) -> String {
    time::of_milliseconds(hour.saturating_mul(HOUR)).replace(".000Z", "Z")
}
