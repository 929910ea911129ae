//! How noisy the rules would be: signals per day by rule and by principal, as far as the events of the run show.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use detection::detect::{Reach, Ruleset};
use detection::notice::{self, Principal, plain};
use detection::signal::Signal;
use jiff::Timestamp;

/// At most this many rules and principals are named.
const NAMED: usize = 10;
/// Signals of more pairs of rule and principal than this are not counted, so that names cannot fill the memory.
const MAX_GROUPS: usize = 100_000;
/// An exception names at most this many accounts.
const MAX_ACCOUNTS: usize = 100;
/// The longest name, in characters.
const MAX_CHARS: usize = 200;
const SECONDS_A_DAY: f64 = 86_400.0;

/// The signals of a run by rule and principal.
#[derive(Default)]
pub struct Forecast(HashMap<(String, Principal), Noise>);

/// The signals of one rule and principal.
#[derive(Default)]
struct Noise {
    signals: u64,
    /// The callers' accounts.
    accounts: BTreeSet<String>,
    /// Whether a signal names no caller account, or there are too many.
    any_account: bool,
    last: Option<Timestamp>,
}

impl Forecast {
    /// Counts a signal.
    pub fn add(&mut self, signal: &Signal) {
        let key = (signal.rule.clone(), signal.principal.clone());
        if self.0.len() == MAX_GROUPS && !self.0.contains_key(&key) {
            return;
        }
        let noise = self.0.entry(key).or_default();
        noise.signals += 1;
        match &signal.caller_account {
            Some(account) if noise.accounts.contains(account) => {}
            Some(account) if noise.accounts.len() < MAX_ACCOUNTS => {
                noise.accounts.insert(account.clone());
            }
            _ => noise.any_account = true,
        }
        let time = signal.time.as_deref().and_then(|time| time.parse().ok());
        noise.last = noise.last.max(time);
    }

    /// The forecast as lines of text, from signals by rule and what is known about the time of all events.
    pub fn lines(&self, by_rule: &BTreeMap<String, u64>, rules: &Ruleset, reach: &Reach) -> Vec<String> {
        if by_rule.is_empty() {
            return Vec::new();
        }
        let Some((days, mut lines)) = days(reach) else {
            return vec!["no forecast: no record says when its event occurred".to_owned()];
        };
        let name = |id: &str| {
            let rule = rules.rules().iter().find(|rule| rule.definition.rule_id == id);
            plain(rule.map_or(id, |rule| &rule.definition.name), MAX_CHARS)
        };
        let of_rules = by_rule.iter().map(|(id, signals)| (name(id), *signals));
        lines.extend(loudest(of_rules.collect(), days));
        let mut principals = HashMap::<&Principal, u64>::new();
        for ((_, principal), noise) in &self.0 {
            *principals.entry(principal).or_default() += noise.signals;
        }
        lines.push("by principal:".to_owned());
        let of_principals =
            principals.into_iter().map(|(principal, signals)| (who(principal, rules), signals));
        lines.extend(loudest(of_principals.collect(), days));
        lines.extend(self.draft(by_rule, name));
        lines
    }

    /// An exception file for the loudest principal of the loudest rule.
    fn draft(&self, by_rule: &BTreeMap<String, u64>, name: impl Fn(&str) -> String) -> Vec<String> {
        // A single signal is not noise.
        let loud = by_rule.iter().filter(|(_, signals)| **signals > 1);
        let Some((loudest, _)) = loud.max_by_key(|(_, signals)| **signals) else { return Vec::new() };
        let of_rule = self.0.iter().filter(|((rule, _), _)| rule == loudest);
        let most = of_rule.max_by_key(|((_, principal), noise)| (noise.signals, &principal.0));
        let Some(((rule, principal), noise)) = most else { return Vec::new() };
        let accounts: Vec<_> = noise.accounts.iter().filter(|_| !noise.any_account).cloned().collect();
        let (rule_name, signals) = (name(rule), noise.signals);
        let who = plain(&principal.name(), MAX_CHARS);
        let Some(draft) = notice::draft(rule, principal, &accounts, noise.last) else { return Vec::new() };
        let all = by_rule[loudest];
        let title = format!(
            "{signals} of {all} signals of {rule_name} are about {who}. If they are expected, save this below exceptions/ as a .toml file:"
        );
        [title].into_iter().chain(draft.into_iter().map(|line| format!("  {line}"))).collect()
    }
}

/// How many days the events cover, and the line that says so. Days in between without an event do not count, and a
/// record with an odd time adds at most one day. Events that span less than a day count as one day.
fn days(reach: &Reach) -> Option<(f64, Vec<String>)> {
    let (first, last) = reach.span()?;
    let times = first.parse::<Timestamp>().ok().zip(last.parse::<Timestamp>().ok());
    let seconds = times.map_or(f64::INFINITY, |(first, last)| first.duration_until(last).as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "the days are few")]
    let days = (seconds / SECONDS_A_DAY).min(reach.days() as f64).max(1.0);
    let least = if seconds < SECONDS_A_DAY { ", which is less than a day: at least" } else { "" };
    let text = format!("signals a day, from events between {first} and {last}{least}:");
    Some((days, vec![text]))
}

/// The lines with the most signals, as numbers per day.
fn loudest(mut counts: Vec<(String, u64)>, days: f64) -> Vec<String> {
    counts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    #[expect(clippy::cast_precision_loss, reason = "a tenth is all that is shown")]
    let line = |(name, signals): &(String, u64)| format!("{:>8.1}  {name}", *signals as f64 / days);
    let mut lines: Vec<_> = counts.iter().take(NAMED).map(line).collect();
    let more = counts.len().saturating_sub(NAMED);
    lines.extend((more > 0).then(|| format!("          and {more} more")));
    lines
}

fn who(principal: &Principal, rules: &Ruleset) -> String {
    match &principal.0[..] {
        [(field, id)] if field == "cloud.account.id" || field == "aws.cloudtrail.recipient_account_id" => {
            let account = notice::account(id, &rules.accounts);
            plain(&format!("account {account}"), MAX_CHARS)
        }
        _ => plain(&principal.name(), MAX_CHARS),
    }
}
