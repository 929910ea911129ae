//! A notice as a mail: plain text, no wider than 80 columns.

use std::fmt::Write;

use jiff::Timestamp;

use super::digest::{count, held_back_since};
use super::distinct::Distinct;
use super::exception;
use super::grouping::Group;
use super::link::console;
use super::message::place;
use super::text::{ascii, foreign, is_link, plain, wrap};
use super::{Accounts, account, note};

/// The width of the names before values.
const NAMES: usize = 14;
const MAX_CHARS: usize = 4_000;

/// The text of the mail.
pub(super) fn text(group: &Group, accounts: &Accounts, held_back: u64) -> String {
    let mut mail = Mail(String::new());
    mail.head(group, held_back);
    mail.what(group);
    mail.who(group, accounts);
    mail.origin(group);
    mail.when(group);
    mail.how_many(group, accounts);
    mail.look_at(group);
    mail.event(group, accounts);
    mail.references(group);
    mail.exception(group);
    mail.ids(group);
    mail.0
}

/// A mail as far as it has been written.
struct Mail(String);

impl Mail {
    fn head(&mut self, group: &Group, held_back: u64) {
        self.words("", &format!("[{}] {}", group.severity.as_str(), plain(&group.rule.name, 200)));
        let authors = group.rule.author.join(", ");
        if !authors.is_empty() {
            let license =
                group.rule.license.as_ref().map(|license| format!(", {license}")).unwrap_or_default();
            self.words("", &plain(&format!("A rule by {authors}{license}."), 300));
        }
        if held_back > 0 {
            let of = " of this rule and principal";
            self.words("", &held_back_since(held_back, "earlier notice", of));
        }
    }

    fn what(&mut self, group: &Group) {
        self.section("WHAT HAPPENED");
        self.row("Call", group.actions.line());
        self.row("Outcome", group.outcomes.line());
        self.row("New", group.news.line());
        self.row("Counted", group.counted.line());
        self.words("  ", &plain(&group.rule.description, MAX_CHARS));
    }

    fn who(&mut self, group: &Group, accounts: &Accounts) {
        self.section("WHO");
        if group.who == "root" {
            self.row("User", Some(group.who.clone()));
        }
        for (field, value) in &group.principal.0 {
            let name = match field.as_str() {
                "user.name" if group.kinds.only() == Some("AssumedRole") => "Role",
                "user.name" => "User",
                "service.name" => "Service",
                "user.id" => "Id",
                "cloud.account.id" | "aws.cloudtrail.recipient_account_id" => "Account",
                field => field,
            };
            self.row(&foreign(name, 60), Some(foreign(value, 200)));
        }
        self.row("Session", group.sessions.line());
        self.row("Type", group.kinds.line());
        self.row("MFA", Some(group.mfa.line().unwrap_or_else(|| "not recorded".to_owned())));
        if let Some(by) = group.assumed_by.line() {
            self.row("Behind it", Some(by));
        } else if let Some(keys) = group.keys.line().filter(|_| group.sessions.count() > 0) {
            self.row("Assumed by", Some(format!("see the AssumeRole event that gave out {keys}")));
        }
        self.row("Access key", group.keys.line());
        self.row("ARN", group.arns.line());
        if let Some(callers) = &group.callers {
            let names =
                callers.shown.iter().take(10).map(|id| account(id, accounts)).collect::<Vec<_>>().join(", ");
            let more = callers.count().saturating_sub(10);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            self.row("Account", Some(names + &more).filter(|_| callers.count() > 0));
        }
    }

    fn origin(&mut self, group: &Group) {
        self.section("FROM WHERE");
        self.row("Address", group.addresses.line());
        self.row("Region", group.regions.line());
        self.row("Client", group.agents.line());
    }

    fn when(&mut self, group: &Group) {
        self.section("WHEN");
        match (group.first, group.last) {
            (Some(first), Some(last)) if first == last => self.row("Time", Some(utc(first))),
            (Some(first), Some(last)) => {
                self.row("First", Some(utc(first)));
                self.row("Last", Some(utc(last)));
            }
            _ => self.words("  ", "The record names no time."),
        }
    }

    fn how_many(&mut self, group: &Group, accounts: &Accounts) {
        self.section("HOW MANY");
        let names: Vec<_> =
            group.accounts.shown.iter().map(|id| account(id, accounts).into_owned()).collect();
        let signals = count(group.signals, "signal");
        if group.accounts.count() == 1 {
            self.words("  ", &format!("{signals} in account {}", names.concat()));
        } else {
            self.words("  ", &format!("{signals} {}", place(group, accounts)));
            self.list("Accounts", &group.accounts, &names);
        }
        self.list("Targets", &group.targets, &group.targets.shown);
    }

    fn look_at(&mut self, group: &Group) {
        if let Some(text) = &group.rule.note {
            self.section("WHAT TO LOOK AT");
            note::write(&mut self.0, text);
        } else if !group.rule.false_positives.is_empty() {
            self.section("WHAT TO LOOK AT");
            self.words("  ", "It may be harmless:");
            for text in &group.rule.false_positives {
                self.words("  - ", &plain(text, MAX_CHARS));
            }
        }
    }

    fn event(&mut self, group: &Group, accounts: &Accounts) {
        self.section("THE EVENT");
        if let Some(link) = console(&group.event) {
            let of_account = |id: &str| format!(" of account {}", account(&foreign(id, 60), accounts));
            let of_account = group.event.account.as_deref().map(of_account).unwrap_or_default();
            self.words("  ", &format!("In the console{of_account}, for 90 days:"));
            self.words("  ", &link);
        } else {
            self.words("  ", "The console's event history has no page for it.");
        }
        self.row("Event id", group.event.id.as_deref().map(|id| foreign(id, 100)));
        self.row("Record in", group.event.object.as_deref().map(|object| plain(object, 1_200)));
    }

    fn references(&mut self, group: &Group) {
        if !group.rule.references.is_empty() {
            self.section("REFERENCES");
            for reference in &group.rule.references {
                let text = if is_link(reference) { reference.clone() } else { foreign(reference, 500) };
                self.words("  ", &text);
            }
        }
    }

    fn exception(&mut self, group: &Group) {
        self.section("IF THIS IS EXPECTED");
        let Some(lines) = exception::of_group(group) else {
            let text = "No exception file can be offered: the principal's exact name is missing, or too long for a line.";
            return self.words("  ", text);
        };
        let text = "An exception for just this rule and principal, as a file below exceptions/ in the folder of your rules:";
        self.words("  ", text);
        self.0.push('\n');
        for line in lines {
            // Writing to a string cannot fail.
            _ = writeln!(self.0, "{:exception$}{line}", "", exception = exception::INDENT);
        }
    }

    fn ids(&mut self, group: &Group) {
        self.section("FOR MACHINES");
        self.row("Rule id", Some(foreign(&group.rule_id, 100)));
        self.list("Signal ids", &group.ids, &group.ids.shown);
    }

    fn section(&mut self, title: &str) {
        self.0.push('\n');
        self.0.push_str(title);
        self.0.push('\n');
    }

    fn words(&mut self, first: &str, text: &str) {
        wrap(&mut self.0, first, text);
    }

    /// A name and its value, unless there is none.
    fn row(&mut self, name: &str, value: Option<String>) {
        if let Some(value) = value {
            self.words(&format!("  {:NAMES$}", ascii(name) + " "), &value);
        }
    }

    /// A title, and a line for each text.
    fn list(&mut self, title: &str, texts: &Distinct, shown: &[String]) {
        if texts.count() == 0 {
            return;
        }
        let of = if texts.hidden() > 0 {
            format!(", the first {} of {}", shown.len(), texts.number())
        } else {
            String::new()
        };
        self.words("  ", &format!("{title}{of}:"));
        for text in shown {
            self.words("    ", text);
        }
    }
}

fn utc(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
