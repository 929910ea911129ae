//! The signals of an invocation, one group for each rule and principal.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::alert::{Alert, Principal, as_text};
use super::distinct::Distinct;
use crate::rule::Severity;

/// More groups than this are not kept: a digest counts their signals. It is more than are sent as notices, because most
/// may be held back.
pub const MAX_GROUPS: usize = 100;

/// The signals of one invocation, on their way to people. Its memory does not grow with the number of signals.
#[derive(Debug, Default)]
pub struct Grouping {
    groups: Vec<Group>,
    digests: BTreeMap<usize, Digest>,
}

/// The signals that have no group of their own: how many, by severity and rule.
#[derive(Debug, Default)]
pub struct Digest {
    /// The highest severity last; for each rule, its name and the number of its signals.
    pub(super) rules: BTreeMap<(Severity, String), (String, u64)>,
}

/// All signals of one rule and principal.
#[derive(Debug, Clone)]
pub struct Group {
    /// The destination, as numbered by the caller of [`Grouping::add`].
    pub topic: usize,
    /// The rule's id.
    pub rule_id: String,
    /// The principal that it is about.
    pub principal: Principal,
    /// Its severity.
    pub severity: Severity,
    /// How many signals there are.
    pub signals: u64,
    pub(super) rule: Rule,
    /// The principal for display, not yet sanitized.
    pub(super) who: String,
    pub(super) actions: Distinct,
    pub(super) outcomes: Distinct,
    pub(super) sessions: Distinct,
    pub(super) kinds: Distinct,
    pub(super) mfa: Distinct,
    pub(super) assumed_by: Distinct,
    pub(super) keys: Distinct,
    pub(super) arns: Distinct,
    /// The callers' accounts; `None` if a signal has none.
    pub(super) callers: Option<Distinct>,
    /// The accounts of the called resources.
    pub(super) accounts: Distinct,
    pub(super) regions: Distinct,
    pub(super) addresses: Distinct,
    pub(super) agents: Distinct,
    pub(super) targets: Distinct,
    pub(super) news: Distinct,
    pub(super) counted: Distinct,
    pub(super) ids: Distinct,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    pub(super) event: Event,
}

/// What a rule says about itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) author: Vec<String>,
    pub(super) license: Option<String>,
    pub(super) note: Option<String>,
    pub(super) false_positives: Vec<String>,
    pub(super) references: Vec<String>,
    pub(super) tactics: Vec<String>,
}

/// Where the first event of a group can be looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct Event {
    pub(super) id: Option<String>,
    pub(super) region: Option<String>,
    pub(super) account: Option<String>,
    /// `Management`, `Data`, … Older records have none.
    pub(super) category: Option<String>,
    /// The object that holds the record, as `s3://bucket/key`.
    pub(super) object: Option<String>,
}

impl Grouping {
    /// Adds a signal, given as its alert document, for the destination `topic`.
    pub fn add(&mut self, document: &Value, topic: usize) {
        let alert = Alert::new(document);
        let (rule_id, principal) = (alert.rule_id(), alert.principal());
        let is_same = |group: &&mut Group| {
            group.topic == topic && group.rule_id == rule_id && group.principal == principal
        };
        if let Some(group) = self.groups.iter_mut().find(is_same) {
            return group.add(alert);
        }
        if self.groups.len() < MAX_GROUPS {
            return self.groups.push(Group::new(alert, principal, topic));
        }
        // The most severe signals get a group of their own. Among equals, the first ones do.
        let least = self.groups.iter().rposition(|group| Some(group.severity) == self.least());
        match least {
            Some(least) if self.groups[least].severity < alert.severity() => {
                let group = self.groups.remove(least);
                self.digest(group.topic).add(&group);
                self.groups.push(Group::new(alert, principal, topic));
            }
            _ => self.digest(topic).count(alert.severity(), rule_id, alert.rule_name(), 1),
        }
    }

    /// Whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// The groups, the most severe first, and for each destination a digest of the signals that are in none.
    #[must_use]
    pub fn finish(mut self) -> (Vec<Group>, BTreeMap<usize, Digest>) {
        self.groups.sort_by_key(|group| std::cmp::Reverse(group.severity));
        (self.groups, self.digests)
    }

    fn least(&self) -> Option<Severity> {
        self.groups.iter().map(|group| group.severity).min()
    }

    fn digest(&mut self, topic: usize) -> &mut Digest {
        self.digests.entry(topic).or_default()
    }
}

impl Digest {
    /// Adds the signals of a group that gets no notice of its own.
    pub fn add(&mut self, group: &Group) {
        self.count(group.severity, &group.rule_id, &group.rule.name, group.signals);
    }

    /// The number of its signals.
    #[must_use]
    pub fn signals(&self) -> u64 {
        self.rules.values().map(|(_, signals)| signals).sum()
    }

    fn count(&mut self, severity: Severity, rule_id: &str, name: &str, signals: u64) {
        let entry = self.rules.entry((severity, rule_id.to_owned()));
        entry.or_insert_with(|| (name.to_owned(), 0)).1 += signals;
    }

    /// The highest severity.
    pub(super) fn worst(&self) -> Severity {
        self.rules.keys().next_back().map_or(Severity::Low, |(severity, _)| *severity)
    }
}

impl Group {
    fn new(alert: Alert<'_>, principal: Principal, topic: usize) -> Self {
        let mut group = Self {
            topic,
            rule_id: alert.rule_id().to_owned(),
            principal,
            severity: alert.severity(),
            signals: 0,
            rule: Rule::new(alert),
            who: alert.who(),
            actions: Distinct::new(5),
            outcomes: Distinct::new(5),
            sessions: Distinct::new(5),
            kinds: Distinct::new(3),
            mfa: Distinct::new(2),
            assumed_by: Distinct::new(3),
            keys: Distinct::new(3),
            arns: Distinct::new(3),
            callers: Some(Distinct::new(100)),
            // No organization has more.
            accounts: Distinct::new(100).counting(10_000),
            regions: Distinct::new(10),
            addresses: Distinct::new(10),
            agents: Distinct::new(3),
            targets: Distinct::new(10),
            news: Distinct::new(5),
            counted: Distinct::new(3),
            ids: Distinct::new(20),
            first: None,
            last: None,
            event: Event::default(),
        };
        group.add(alert);
        group
    }

    fn add(&mut self, alert: Alert<'_>) {
        self.signals += 1;
        let text = |field| alert.text(field);
        self.actions.add(text("event.action"));
        self.outcomes.add(text("aws.cloudtrail.error_code").or(text("event.outcome")));
        self.sessions.add(alert.session());
        self.kinds.add(text("aws.cloudtrail.user_identity.type"));
        self.mfa.add(mfa(alert));
        self.assumed_by.add(assumed_by(alert).as_deref());
        self.keys.add(text("aws.cloudtrail.user_identity.access_key_id"));
        self.arns.add(text("aws.cloudtrail.user_identity.arn"));
        match (&mut self.callers, text("cloud.account.id")) {
            (Some(callers), Some(account)) => callers.add(Some(account)),
            (callers, _) => *callers = None,
        }
        self.accounts.add(alert.account());
        self.regions.add(text("cloud.region"));
        self.addresses.add(alert.source());
        self.agents.add(text("user_agent.original"));
        self.targets.add(alert.target().as_deref());
        self.news.add(new_terms(alert).as_deref());
        self.counted.add(counted(alert).as_deref());
        self.ids.add(Some(alert.id()));
        let time = alert.time().and_then(|time| time.parse::<Timestamp>().ok());
        if self.signals == 1 || time.is_some() && (self.first.is_none() || time < self.first) {
            self.event = Event::new(alert);
        }
        self.first = self.first.into_iter().chain(time).min();
        self.last = self.last.max(time);
    }

    /// A text that is the same for the same rule and principal, and differs for others.
    #[must_use]
    pub fn key(&self) -> String {
        use sha2::{Digest as _, Sha256};
        // Strings always serialize.
        let key = serde_json::to_string(&(&self.rule_id, &self.principal.0)).unwrap_or_default();
        let hash = Sha256::digest(key);
        let start = hash.first_chunk().copied().unwrap_or_default();
        format!("{:032x}", u128::from_be_bytes(start))
    }
}

impl Rule {
    fn new(alert: Alert<'_>) -> Self {
        let text = |field| alert.text(field).map(str::to_owned);
        let texts = |field| alert.texts(field).map(str::to_owned).collect();
        let mut tactics: Vec<_> = alert.tactics().map(str::to_owned).collect();
        tactics.dedup();
        Self {
            name: alert.rule_name().to_owned(),
            description: text("kibana.alert.rule.description").unwrap_or_default(),
            author: texts("kibana.alert.rule.author"),
            license: text("kibana.alert.rule.license"),
            note: text("kibana.alert.rule.note"),
            false_positives: texts("kibana.alert.rule.false_positives"),
            references: texts("kibana.alert.rule.references"),
            tactics,
        }
    }
}

impl Event {
    fn new(alert: Alert<'_>) -> Self {
        let text = |field| alert.text(field).map(str::to_owned);
        let object = text("aws.s3.bucket.name").zip(text("aws.s3.object.key"));
        Self {
            id: alert.event_id().map(str::to_owned),
            region: text("cloud.region"),
            account: alert.account().map(str::to_owned),
            category: text("aws.cloudtrail.event_category"),
            object: object.map(|(bucket, key)| format!("s3://{bucket}/{key}")),
        }
    }
}

fn mfa(alert: Alert<'_>) -> Option<&'static str> {
    let session = alert.value("aws.cloudtrail.user_identity.session_context.mfa_authenticated");
    let login = alert.value("aws.cloudtrail.console_login.additional_eventdata.mfa_used");
    let used = login.or(session)?;
    let used =
        used.as_bool().unwrap_or_else(|| used.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true")));
    Some(if used { "yes" } else { "no" })
}

/// Who is behind a session, as far as the record says.
fn assumed_by(alert: Alert<'_>) -> Option<String> {
    let identity = |field: &str| alert.text(&format!("aws.cloudtrail.user_identity.{field}"));
    [
        ("", identity("session_context.source_identity")),
        (
            "somebody signed in through ",
            identity("session_context.web_id_federation_data.federated_provider"),
        ),
        ("user of IAM Identity Center ", identity("on_behalf_of.user_id")),
        ("an instance, role delivery ", identity("session_context.ec2_role_delivery")),
        ("", identity("in_scope_of.credentials_issued_to")),
        ("service ", identity("invoked_by")),
    ]
    .into_iter()
    .find_map(|(words, value)| Some(format!("{words}{}", value?)))
}

/// The values that a new terms rule had not seen before.
fn new_terms(alert: Alert<'_>) -> Option<String> {
    let terms = alert.value("kibana.alert.new_terms")?.as_array()?;
    Some(terms.iter().map(as_text).collect::<Vec<_>>().join(", "))
}

/// What a threshold rule counted.
fn counted(alert: Alert<'_>) -> Option<String> {
    let result = alert.value("kibana.alert.threshold_result")?;
    let count = result.get("count")?;
    let since = result.get("from").and_then(Value::as_str).map(|from| format!(" since {from}"));
    Some(format!("{count} events{}", since.unwrap_or_default()))
}
