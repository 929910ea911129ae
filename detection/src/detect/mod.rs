//! From raw records to matches: a ladder of increasingly costly ways to rule a record out.
//!
//! A trail holds millions of records, of which a handful match. Each rung reads as little as it can and rules out most
//! of the records that reach it. [`Detector::detect`] goes through them in this order:
//!
//! | rung | reads | why it pays |
//! |---|---|---|
//! | `prefilter` | the bytes: do they contain a literal that some query requires? | runs at memory speed, and rules out most records of most trails if the rules are few |
//! | `search` | the strings after `"eventSource"` and `"eventName"`, found by a search | parses nothing, whatever the number of rules |
//! | `head` | those two and the errors, parsed | needed only where the search cannot tell: the names are missing, or occur elsewhere too |
//! | `candidates` | the rules that the head does not rule out, cached by provider, action and outcome | a record costs the same whatever the number of rules |
//! | `literals` | the bytes again: do they contain the literals that this candidate requires? | parses nothing, and rules out most candidates |
//! | `fields` | the parts of each candidate's query that the head leaves open, over the record, field by field | parses only the members that they name, and decides nearly every query |
//! | document | the query over the whole ECS document | decides what is left |
//!
//! A rung answers queries in three values through [`query::Fields`] and passes on what it cannot decide. So the verdict is
//! the same without any of them: `tests/rules/ladder.rs` adds them one at a time ([`Rungs`]) and compares.

mod candidates;
mod detector;
mod event_pattern;
mod exceptions;
mod head;
mod literals;
mod prefilter;
mod reach;
mod search;

pub use detector::{Detector, Match};
pub use event_pattern::EventPattern;
pub use head::Head;
pub use reach::{Reach, Sight};

use std::sync::Mutex;
use std::time::SystemTime;

use crate::bundle::{Bundle, Exception, Route};
use crate::ecs::{self, Document};
use crate::memory::Keys;
use crate::notice::Accounts;
use crate::query::{self, Fields, Query};
use crate::rule::{Definition, Memory, Source};
use crate::signal::{self, AlertDocument};
use candidates::Candidates;
use exceptions::Applied;
use prefilter::Prefilter;

/// One rule, ready to judge.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name, severity and whatever else its file says about it.
    pub definition: Definition,
    /// Whether it looks at the alert documents of signals instead of records.
    pub on_signals: bool,
    /// What it remembers of earlier events.
    pub memory: Option<Memory>,
    /// The keys of what it remembers.
    pub keys: Option<Keys>,
    /// The rule's place in its set.
    pub(crate) place: usize,
    query: Query,
}

impl Rule {
    /// What the rule asks of a record, or of a signal.
    #[must_use]
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// Returns whether the query holds for an alert document.
    #[must_use]
    pub fn matches_alert(&self, alert: &AlertDocument<'_>) -> bool {
        self.query.evaluate(alert) == Some(true)
    }

    /// Returns whether the query holds for a document. A query over the record's own names (Sigma) never does.
    #[must_use]
    pub fn matches(&self, document: &Document) -> bool {
        self.query.evaluate(document) == Some(true)
    }
}

/// The rungs of the ladder that a detector uses. The verdict does not depend on them; only tests leave any out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each rung is used or not, whatever the others are")]
pub struct Rungs {
    /// Search the bytes of every record for the literals that queries require.
    pub prefilter: bool,
    /// Rule out by the head: provider, action and outcome.
    pub head: bool,
    /// Find the head by a search where a search can tell.
    pub search: bool,
    /// Cache which rules a head does not rule out.
    pub candidates: bool,
    /// Search the bytes for the literals that the remaining rules require.
    pub literals: bool,
    /// Evaluate queries on the record, field by field, before the whole document is built.
    pub fields: bool,
}

impl Rungs {
    /// Every rung.
    pub const ALL: Self =
        Self { prefilter: true, head: true, search: true, candidates: true, literals: true, fields: true };
    /// No rung: every rule is evaluated on the document of every record.
    pub const NONE: Self = Self {
        prefilter: false,
        head: false,
        search: false,
        candidates: false,
        literals: false,
        fields: false,
    };

    /// From no rung to all, adding one at a time, with the name of the one added. The first one added is climbed last.
    #[must_use]
    pub fn ladder() -> [(&'static str, Self); 7] {
        let fields = Self { fields: true, ..Self::NONE };
        let head = Self { head: true, ..fields };
        let candidates = Self { candidates: true, ..head };
        let search = Self { search: true, ..candidates };
        let literals = Self { literals: true, ..search };
        [
            ("document", Self::NONE),
            ("fields", fields),
            ("head", head),
            ("candidates", candidates),
            ("search", search),
            ("literals", literals),
            ("prefilter", Self::ALL),
        ]
    }
}

/// Rules that are applied together, with the rest of their bundle: exceptions, account names, and routes.
#[derive(Debug)]
pub struct Ruleset {
    /// Rules on records come first.
    rules: Vec<Rule>,
    /// How many of the rules are on records.
    on_records: usize,
    exceptions: Vec<Applied>,
    /// Account names, by id.
    pub accounts: Accounts,
    /// Where notices of signals go.
    pub routes: Vec<Route>,
    prefilter: Prefilter,
    /// Caches of dropped detectors, for new ones to reuse: a small delivery has too few records to fill one.
    caches: Mutex<Vec<Candidates>>,
}

impl Ruleset {
    /// A set of the given rules.
    ///
    /// # Errors
    /// The mistakes in their queries.
    pub fn new(sources: Vec<Source>) -> Result<Self, Vec<query::Error>> {
        let rules = sources
            .into_iter()
            .map(|source| {
                let query = source.parse()?;
                let keys = source.memory.as_ref().map(|memory| Keys::new(&source, memory));
                let Source { definition, on_signals, memory, .. } = source;
                Ok(Rule { definition, on_signals, memory, keys, place: 0, query })
            })
            .collect::<Result<Vec<_>, Vec<query::Error>>>()?;
        Ok(Self::of(rules))
    }

    fn of(mut rules: Vec<Rule>) -> Self {
        rules.sort_by_key(|rule| rule.on_signals);
        rules.iter_mut().enumerate().for_each(|(place, rule)| rule.place = place);
        let on_records = rules.partition_point(|rule| !rule.on_signals);
        let prefilter = Prefilter::new(rules[..on_records].iter().map(|rule| &rule.query));
        let (exceptions, accounts, routes) = (Vec::new(), Accounts::new(), Vec::new());
        Self { rules, on_records, exceptions, accounts, routes, prefilter, caches: Mutex::default() }
    }

    /// The same set for use without memory: rules that need memory are off, and suppression holds nothing back.
    #[must_use]
    pub fn without_memory(mut self) -> Self {
        self.rules.retain(|rule| !rule.memory.as_ref().is_some_and(Memory::is_needed));
        for rule in &mut self.rules {
            (rule.memory, rule.keys) = (None, None);
        }
        let Self { rules, exceptions, accounts, routes, .. } = self;
        Self { exceptions, accounts, routes, ..Self::of(rules) }
    }

    /// The set that a bundle describes.
    ///
    /// # Errors
    /// The mistakes in their queries.
    pub fn of_bundle(bundle: Bundle) -> Result<Self, Vec<query::Error>> {
        let mut ruleset = Self::new(bundle.rules)?;
        bundle.exceptions.into_iter().try_for_each(|exception| ruleset.except(exception))?;
        for route in &bundle.routes {
            Query::parse(&route.query, signal::field)?;
        }
        Ok(Self { accounts: bundle.accounts, routes: bundle.routes, ..ruleset })
    }

    /// Adds an exception.
    ///
    /// # Errors
    /// The mistakes in its query.
    pub fn except(&mut self, exception: Exception) -> Result<(), Vec<query::Error>> {
        // Only rules on signals see what an alert adds to the event.
        let is_named =
            |rule: &&Rule| exception.rules.as_ref().is_none_or(|ids| ids.contains(&rule.definition.rule_id));
        let looks_at_records = self.rules.iter().filter(is_named).any(|rule| !rule.on_signals);
        let schema = if exception.rules.is_none() || looks_at_records { ecs::field } else { signal::field };
        self.exceptions.push(Applied::new(exception, schema)?);
        Ok(())
    }

    /// The exceptions, in the order in which they are checked.
    pub fn exceptions(&self) -> impl Iterator<Item = &Exception> {
        self.exceptions.iter().map(|applied| &applied.exception)
    }

    /// The exceptions that end after `now`, but no more than `days` days later.
    pub fn ending(&self, now: SystemTime, days: i64) -> impl Iterator<Item = &Exception> {
        self.exceptions
            .iter()
            .filter(move |applied| applied.ends_within(now, days))
            .map(|applied| &applied.exception)
    }

    /// The first exception that suppresses a match of the rule with this identifier. `time` is the time as RFC 3339.
    pub(crate) fn exception(
        &self,
        rule_id: &str,
        fields: &impl Fields,
        time: Option<&str>,
    ) -> Option<&Exception> {
        let applied = self.exceptions.iter().find(|applied| applied.takes(rule_id, fields, time));
        applied.map(|applied| &applied.exception)
    }

    /// The rules: first those on records, in the order of their files, and then those on signals.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules on signals.
    pub(crate) fn on_signals(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().skip(self.on_records)
    }

    /// A detector that uses every rung.
    #[must_use]
    pub fn detector(&self) -> Detector<'_> {
        self.detector_with(Rungs::ALL)
    }

    /// A detector that uses only these rungs.
    #[must_use]
    pub fn detector_with(&self, rungs: Rungs) -> Detector<'_> {
        Detector::new(self, rungs)
    }
}
