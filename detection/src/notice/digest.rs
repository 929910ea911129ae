//! The digest of the signals that have no notice of their own.

use super::grouping::Digest;
use super::text::{ascii, cut, plain, wrap};

/// More rules than this are counted together.
const MAX_RULES: usize = 100;

pub(super) fn subject(digest: &Digest) -> String {
    let (worst, signals) = (digest.worst(), digest.signals());
    let rules = digest.rules.len();
    cut(
        &ascii(&format!(
            "[{}] {} more, of {}",
            worst.as_str(),
            count(signals, "signal"),
            count(rules as u64, "rule")
        )),
        99,
    )
}

pub(super) fn mail(digest: &Digest, held_back: u64) -> String {
    let (worst, signals) = (digest.worst(), digest.signals());
    let mut out = format!(
        "[{}] {} without a notice of {} own\n",
        worst.as_str(),
        count(signals, "signal"),
        if signals == 1 { "its" } else { "their" }
    );
    if held_back > 0 {
        wrap(&mut out, "", &before(held_back));
    }
    out.push('\n');
    wrap(
        &mut out,
        "",
        "So much was found at once that only the worst of it is told one by one. This counts the rest. \
         Every signal is on the signal topic.",
    );
    out.push_str("\nHOW MANY\n");
    for line in rules(digest) {
        wrap(&mut out, "  ", &line);
    }
    out
}

/// What it says about the digests before it that were not sent.
pub(super) fn before(held_back: u64) -> String {
    held_back_since(held_back, "earlier digest", "")
}

/// `2 earlier notices of this rule were held back since the last one.`
pub(super) fn held_back_since(number: u64, noun: &str, of: &str) -> String {
    let verb = if number == 1 { "was" } else { "were" };
    format!("{}{of} {verb} held back since the last one.", count(number, noun))
}

/// `12 high: name of the rule`, the most severe first.
pub(super) fn rules(digest: &Digest) -> Vec<String> {
    let all = digest.rules.iter().rev();
    let line = |((severity, _), (name, signals)): (&(crate::rule::Severity, String), &(String, u64))| {
        format!("{signals} {}: {}", severity.as_str(), plain(name, 200))
    };
    let mut lines: Vec<_> = all.map(line).take(MAX_RULES).collect();
    if digest.rules.len() > MAX_RULES {
        lines.push(format!("and signals of {} more rules", digest.rules.len() - MAX_RULES));
    }
    lines
}

/// `1 signal`, `2 signals`.
pub(super) fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
