//! Notices for people, on their own topic, after the signals are on theirs.
//!
//! A notice that fails is logged and counted, but fails nothing else: machines already have the signals.

use std::cell::Cell;
use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use aws_sdk_sns::Client;
use aws_sdk_sns::types::PublishBatchRequestEntry;
use aws_sdk_sns::types::builders::PublishBatchRequestEntryBuilder;
use detection::notice::{Accounts, Group, Grouping, Message, Routes};
use detection::records;
use detection::signal::{MAX_BYTES, Signal};
use tokio::time::{Instant, sleep_until};

use super::quiet::Quiet;
use super::sns::{MAX_ENTRIES, Parcel, Topic};
use crate::memory::{Notified, Permission};
use crate::settings;
use crate::telemetry;

/// One invocation sends at most this many notices; a digest counts the signals of the others.
const MAX_NOTICES: usize = 20;
/// SNS suspends a mail subscription that gets more than ten mails a second.
const PAUSE: Duration = Duration::from_millis(100);

/// Sends notices.
#[derive(Debug)]
pub(super) struct Notices {
    routes: Routes,
    /// The topics of the routes.
    topics: Vec<Topic>,
    wanted: settings::Wanted,
    accounts: Accounts,
    quiet: Quiet,
    notified: Option<Notified>,
    /// When the next notice may be sent, whatever invocation it belongs to.
    next: Cell<Instant>,
}

/// The notices of one invocation.
pub(super) struct Session<'a> {
    notices: &'a Notices,
    grouping: Grouping,
}

/// How many notices SNS took, and how many it did not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) sent: u64,
    pub(super) failed: u64,
}

/// A notice or a digest to be sent.
struct Notice {
    /// What is quiet after it.
    key: String,
    subject: String,
    body: String,
}

impl Notices {
    pub(super) fn new(
        client: &Client,
        settings: &settings::Notices,
        routes: Routes,
        accounts: Accounts,
        notified: Option<Notified>,
    ) -> Self {
        let topic = |(index, arn): (usize, &String)| {
            Topic::new(client, arn.clone(), if index == 0 { "NOTICE_TOPIC_ARN" } else { "the route's topic" })
        };
        Self {
            topics: routes.topics().iter().enumerate().map(topic).collect(),
            routes,
            wanted: settings.wanted,
            accounts,
            quiet: Quiet::new(settings.quiet),
            notified,
            next: Cell::new(Instant::now()),
        }
    }

    pub(super) fn session(&self) -> Session<'_> {
        Session { notices: self, grouping: Grouping::default() }
    }

    /// Writes the notices for each topic, and leaves out those that are held back.
    async fn written(
        &self,
        grouping: Grouping,
        now: SystemTime,
        deadline: Instant,
    ) -> Vec<(&Topic, Vec<Notice>)> {
        let deadline = deadline.min(Instant::now() + Notified::PATIENCE);
        let (groups, mut digests) = grouping.finish();
        let mut topics: Vec<_> = self.topics.iter().map(|topic| (topic, Vec::new())).collect();
        let mut groups = groups.into_iter();
        let mut room = MAX_NOTICES;
        // A notice that is held back takes no place from others.
        while room > 0 && groups.len() > 0 {
            let some: Vec<_> = groups.by_ref().take(room).collect();
            let key = |group: &Group| format!("{}/{}", self.topics[group.topic].arn(), group.key());
            let permissions = self.ask(some.iter().map(key).collect(), now, deadline).await;
            for (group, (key, permission)) in some.iter().zip(permissions) {
                if let Permission::Send(held_back) = permission {
                    let message = Message::of_group(group, &self.accounts, held_back);
                    topics[group.topic].1.push(Notice::new(key, &message));
                    room -= 1;
                } else {
                    telemetry::notice_held_back(&group.rule_id, &group.principal.name(), group.signals);
                }
            }
        }
        for group in groups {
            digests.entry(group.topic).or_default().add(&group);
        }
        let keys = digests.keys().map(|topic| format!("{}/digest", self.topics[*topic].arn())).collect();
        let permissions = self.ask(keys, now, deadline).await;
        for ((topic, digest), (key, permission)) in digests.iter().zip(permissions) {
            if let Permission::Send(held_back) = permission {
                topics[*topic].1.push(Notice::new(key, &Message::of_digest(digest, held_back)));
            } else {
                telemetry::digest_held_back(digest.signals());
            }
        }
        topics
    }

    /// Which of the notices with these keys may be sent, in their order. If the table does not say, the process does.
    async fn ask(&self, keys: Vec<String>, now: SystemTime, deadline: Instant) -> Vec<(String, Permission)> {
        // What is claimed too late cannot be taken back.
        let mut answers = match &self.notified {
            Some(notified) if Instant::now() < deadline => notified.ask(keys.clone(), now, deadline).await,
            _ => HashMap::new(),
        };
        if let Some(failure) = answers.values().find_map(|answer| answer.as_ref().err()) {
            telemetry::quiet_unknown(failure);
        }
        let of_process = |key: &str| match self.quiet.ask(key, now) {
            Some(held_back) => Permission::Send(held_back),
            None => Permission::HoldBack,
        };
        let permission = |key: String| {
            let answer = answers.remove(&key).and_then(Result::ok);
            let permission = answer.unwrap_or_else(|| of_process(&key));
            (key, permission)
        };
        keys.into_iter().map(permission).collect()
    }
}

impl Session<'_> {
    /// Adds signals that were published.
    pub(super) fn add(&mut self, published: &[Signal]) {
        for signal in published {
            let is_building_block =
                signal.attributes.iter().any(|attribute| attribute.name == "building_block_type");
            if is_building_block && self.notices.wanted == settings::Wanted::Alerts {
                continue;
            }
            // The document of a signal is JSON.
            if let Some(document) = records::parse_document(&signal.message) {
                for topic in self.notices.routes.of(&document) {
                    self.grouping.add(&document, topic);
                }
            }
        }
    }

    /// Sends the notices, at most ten a second, and nothing after `deadline`.
    pub(super) async fn send(self, deadline: Instant) -> Outcome {
        let Self { notices, grouping } = self;
        let now = SystemTime::now();
        let end = notices.notified.as_ref().map_or(deadline, |_| before_taking_back(deadline));
        let mut outcome = Outcome::default();
        let mut unsent = Vec::new();
        for (topic, written) in notices.written(grouping, now, end).await {
            for batch in batches(written) {
                sleep_until(notices.next.get().min(end)).await;
                let pause = PAUSE * u32::try_from(batch.len()).unwrap_or(u32::MAX);
                let sent = topic.send(batch, end).await;
                // SNS may have taken them only now.
                notices.next.set(Instant::now() + pause);
                outcome.sent += sent.taken.len() as u64;
                outcome.failed += sent.left.len() as u64;
                let now = SystemTime::now();
                for notice in &sent.taken {
                    notices.quiet.sent(&notice.key, now);
                }
                for (notice, failure) in sent.left {
                    telemetry::notice_failed(topic.arn(), &notice.subject, &failure);
                    unsent.push(notice.key);
                }
            }
        }
        if let Some(notified) = notices.notified.as_ref().filter(|_| !unsent.is_empty()) {
            notified.take_back(unsent, now, deadline).await;
        }
        outcome
    }
}

/// Sending ends this early, so that the quiet time of what was not sent can be taken back before `deadline`.
fn before_taking_back(deadline: Instant) -> Instant {
    let left = deadline.saturating_duration_since(Instant::now());
    deadline - Notified::PATIENCE.min(left / 4)
}

/// Divides notices into batches that SNS takes.
fn batches(notices: Vec<Notice>) -> Vec<Vec<Notice>> {
    let mut batches: Vec<Vec<Notice>> = Vec::new();
    let mut bytes = 0;
    for notice in notices {
        match batches.last_mut() {
            Some(batch) if batch.len() < MAX_ENTRIES && bytes + notice.bytes() <= MAX_BYTES => {
                bytes += notice.bytes();
                batch.push(notice);
            }
            _ => {
                bytes = notice.bytes();
                batches.push(vec![notice]);
            }
        }
    }
    batches
}

impl Notice {
    fn new(key: String, message: &Message) -> Self {
        Self { key, subject: message.subject.clone(), body: message.body() }
    }

    fn bytes(&self) -> usize {
        self.subject.len() + self.body.len()
    }
}

impl Parcel for Notice {
    fn entry(&self, _is_fifo: bool) -> PublishBatchRequestEntryBuilder {
        // With this message structure, SNS sends no attributes.
        PublishBatchRequestEntry::builder()
            .subject(&self.subject)
            .message(&self.body)
            .message_structure("json")
    }
}
