//! A notice as a card in Slack or Teams: a custom notification of Amazon Q Developer in chat applications.
//!
//! The service drops what it does not know, so the card has documented fields only. Text that a caller chose is in
//! backticks, where neither Slack nor Teams looks for links, mentions or other markup; [`foreign`] has replaced the
//! characters that could end that.

use serde_json::{Value, json};

use super::Accounts;
use super::digest::{before, count, rules};
use super::grouping::{Digest, Group};
use super::link::console;
use super::message::place;
use super::text::{cut, foreign, is_link, plain};

const MAX_TITLE: usize = 150;
const MAX_TEXT: usize = 600;
const MAX_STEPS: usize = 8;

/// The card of a group.
pub(super) fn of_group(group: &Group, accounts: &Accounts, held_back: u64, summary: &str) -> Value {
    let severity = group.severity.as_str();
    let mut resources: Vec<_> = group.targets.shown.clone();
    resources.dedup();
    let mut context = json!({ "severity": severity, "signals": group.signals.to_string() });
    let ids = [("rule_id", Some(&group.rule_id)), ("signal_id", group.ids.shown.first())];
    for (name, id) in ids {
        let id = id.map(|id| plain(id, 100)).filter(|id| !id.is_empty());
        if let Some(id) = id {
            context[name] = id.into();
        }
    }
    json!({
        "version": "1.0",
        "source": "custom",
        "id": group.ids.shown.first().cloned().unwrap_or_else(|| group.key()),
        "content": {
            "textType": "client-markdown",
            "title": headed(severity, &group.rule.name),
            "description": description(group, accounts, held_back),
            "nextSteps": next_steps(group),
            "keywords": keywords(severity, &group.rule.tactics),
        },
        "metadata": {
            "threadId": group.key(),
            "summary": headed(severity, summary),
            "eventType": "CloudTrail signal",
            "relatedResources": resources,
            "additionalContext": context,
        },
    })
}

/// The card of a digest.
pub(super) fn of_digest(digest: &Digest, held_back: u64, summary: &str) -> Value {
    let (worst, signals) = (digest.worst(), digest.signals());
    let mut lines = vec![format!("{} without a notice of their own, by rule:", count(signals, "signal"))];
    lines.extend(rules(digest).into_iter().take(20).map(|line| format!("- {}", words(&line, 200))));
    lines.extend((held_back > 0).then(|| before(held_back)));
    json!({
        "version": "1.0",
        "source": "custom",
        "content": {
            "textType": "client-markdown",
            "title": headed(worst.as_str(), summary),
            "description": lines.join("\n"),
            "keywords": [worst.as_str()],
        },
        "metadata": { "summary": headed(worst.as_str(), summary), "eventType": "CloudTrail digest" },
    })
}

fn description(group: &Group, accounts: &Accounts, held_back: u64) -> String {
    let who = code(&group.who);
    let details = [&group.sessions, &group.kinds].map(|details| details.line().map(|line| code(&line)));
    let details: Vec<_> = details.into_iter().flatten().collect();
    let details = if details.is_empty() { String::new() } else { format!(" ({})", details.join(", ")) };
    let mut lines = vec![format!("Who: {who}{details}")];
    let rows = [
        ("What", group.actions.line()),
        ("Target", group.targets.line()),
        ("From", group.addresses.line()),
        ("Outcome", group.outcomes.line()),
        ("New", group.news.line()),
        ("Counted", group.counted.line()),
    ];
    lines.extend(rows.into_iter().filter_map(|(name, value)| Some(format!("{name}: {}", code(&value?)))));
    lines.push(format!("Where: {}", code(place(group, accounts).trim_start_matches("in "))));
    lines.extend(group.first.map(|first| format!("When: {}", first.strftime("%Y-%m-%d %H:%M:%S UTC"))));
    lines.push(count(group.signals, "signal"));
    if held_back > 0 {
        lines.push(format!(
            "{} of this rule and principal held back before this one",
            count(held_back, "notice")
        ));
    }
    lines.push(words(&group.rule.description, MAX_TEXT));
    if !group.rule.author.is_empty() {
        lines.push(format!("A rule by {}.", words(&group.rule.author.join(", "), 200)));
    }
    lines.join("\n")
}

fn next_steps(group: &Group) -> Vec<String> {
    let mut steps = Vec::new();
    steps.extend(console(&group.event).map(|link| format!("Look at the event in the console: {link}")));
    steps.extend(group.rule.false_positives.iter().take(2).map(|text| words(text, MAX_TEXT)));
    steps.extend(
        group.rule.references.iter().filter(|link| is_link(link)).take(3).map(|link| format!("Read {link}")),
    );
    steps.push("If this is expected, add an exception; the mail of this notice has a ready file".to_owned());
    steps.truncate(MAX_STEPS);
    steps
}

fn keywords(severity: &str, tactics: &[String]) -> Vec<String> {
    let tactics = tactics.iter().map(|tactic| words(tactic, 50)).take(5);
    std::iter::once(severity.to_owned()).chain(tactics).collect()
}

/// `[severity] text`. The text may already begin that way.
fn headed(severity: &str, text: &str) -> String {
    let head = format!("[{severity}] ");
    let text = text.strip_prefix(&head).unwrap_or(text);
    cut(&format!("{head}{}", words(text, 200)), MAX_TITLE)
}

/// Text that a caller may have chosen.
fn code(text: &str) -> String {
    format!("`{}`", foreign(text, MAX_TEXT))
}

/// Text of a rule, in which Markdown markup has no effect either.
fn words(text: &str, limit: usize) -> String {
    plain(text, limit).replace(['*', '_', '~', '[', ']', '|'], " ")
}
