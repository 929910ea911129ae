//! From raw records to matches: a ladder of ever dearer ways to rule a record out.
//!
//! A trail holds millions of records of which a handful match, so each rung looks at little and leaves few records to
//! the next. [`Detector::detect`] climbs it:
//!
//! | rung | looks at | why it pays |
//! |---|---|---|
//! | `prefilter` | the bytes: must a word of some query stand in them? | runs at memory speed, and ends most records of most trails while the rules are few |
//! | `glance` | the strings behind `"eventSource"` and `"eventName"`, found by a search | parses nothing, whatever the number of rules |
//! | `head` | those two and the errors, parsed | only where the glance is unsure: repeated names, escapes |
//! | `candidates` | the rules that a head leaves, remembered by provider, action and outcome | a record costs the same whatever the number of rules |
//! | witnesses | the bytes again: must a word of this candidate's query stand in them? | parses nothing, and ends most candidates |
//! | fields | each candidate's query over the record, field by field | parses only the members that are asked for, and ends most of the rest |
//! | document | the query over the whole ECS document | the verdict |
//!
//! A rung answers queries in three values through [`query::Fields`], and passes on what it cannot decide. So each may be left
//! out without a change in the verdict: `tests/rules/ladder.rs` adds them one at a time ([`Rungs`]) and compares.

mod candidates;
mod glance;
mod head;
mod prefilter;
mod words;

pub use head::Head;

use std::rc::Rc;

use crate::ecs::{Document, Mapping, Members, Raw};
use crate::query::{self, Query};
use crate::records::{self, RawRecord, Rejection};
use crate::rule::{Definition, Memory, Source};
use candidates::{Candidates, Left};
use prefilter::{Haystack, Prefilter};

/// One rule, ready to judge.
#[derive(Debug, Clone)]
pub struct Rule {
    /// What it says about itself.
    pub definition: Definition,
    query: Query,
}

impl Rule {
    /// Says whether the query holds for a document. One that asks for the record's own names does not.
    #[must_use]
    pub fn matches(&self, document: &Document) -> bool {
        self.query.evaluate(document) == Some(true)
    }
}

/// The rungs of the ladder that a detector uses. A verdict never depends on them; only tests leave any out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each rung is used or not, whatever the others are")]
pub struct Rungs {
    /// Search the bytes for words that queries need.
    pub prefilter: bool,
    /// Rule rules out by the head, that is by provider, action and outcome.
    pub head: bool,
    /// Find the head by a search where that is sure.
    pub glance: bool,
    /// Remember which rules a head leaves.
    pub candidates: bool,
    /// Search the bytes for words that the rules need which the head leaves.
    pub witnesses: bool,
    /// Ask the record field by field before the whole document is made.
    pub fields: bool,
}

impl Rungs {
    /// Every rung.
    pub const ALL: Self =
        Self { prefilter: true, head: true, glance: true, candidates: true, witnesses: true, fields: true };
    /// None: each record becomes a document, and every rule is asked.
    pub const NONE: Self = Self {
        prefilter: false,
        head: false,
        glance: false,
        candidates: false,
        witnesses: false,
        fields: false,
    };
}

/// Rules that are applied together.
#[derive(Debug)]
pub struct Ruleset {
    rules: Vec<Rule>,
    prefilter: Prefilter,
}

/// A record that at least one rule matches.
#[derive(Debug)]
pub struct Match<'r> {
    /// The record as an ECS document.
    pub document: Document,
    /// The rules that match it, in the order of their files.
    pub rules: Vec<&'r Rule>,
}

impl Ruleset {
    /// A set of the given rules.
    ///
    /// # Errors
    /// The mistakes in their queries.
    pub fn new(sources: Vec<Source>) -> Result<Self, Vec<query::Error>> {
        // Nothing remembers yet: a rule that needs it would signal for every event.
        let is_on = |source: &Source| !source.memory.as_ref().is_some_and(Memory::is_needed);
        let rules = sources
            .into_iter()
            .filter(is_on)
            .map(|source| {
                let query = source.parse()?;
                Ok(Rule { definition: source.definition, query })
            })
            .collect::<Result<Vec<_>, Vec<query::Error>>>()?;
        let prefilter = Prefilter::new(rules.iter().map(|rule| &rule.query));
        Ok(Self { rules, prefilter })
    }

    /// The rules, in the order of their files.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Something that judges records one after the other.
    #[must_use]
    pub fn detector(&self) -> Detector<'_> {
        self.detector_with(Rungs::ALL)
    }

    /// The same with some rungs of the ladder only.
    #[must_use]
    pub fn detector_with(&self, rungs: Rungs) -> Detector<'_> {
        Detector { ruleset: self, rungs, candidates: Candidates::new(&self.rules, &self.prefilter) }
    }
}

/// Judges records one after the other, and remembers which rules each kind of head leaves.
#[derive(Debug)]
pub struct Detector<'r> {
    ruleset: &'r Ruleset,
    rungs: Rungs,
    candidates: Candidates<'r>,
}

impl<'r> Detector<'r> {
    /// Applies every rule to one raw record; `None` if none matches.
    ///
    /// # Errors
    /// [`Rejection::InvalidJson`] for a record that cannot be ruled out and is not JSON, even after a repair.
    pub fn detect<'a>(&mut self, record: impl Into<RawRecord<'a>>) -> Result<Option<Match<'r>>, Rejection> {
        let record = record.into();
        self.judge(record).or_else(|rejection| match records::repaired(record.text()) {
            Some(repaired) => self.judge(RawRecord::from(&repaired[..])),
            None => Err(rejection),
        })
    }

    fn judge(&mut self, record: RawRecord<'_>) -> Result<Option<Match<'r>>, Rejection> {
        let haystack = Haystack::new(record);
        if self.rungs.prefilter && !self.ruleset.prefilter.may_match(&haystack) {
            return Ok(None);
        }
        let left = self.candidates(record)?;
        if left.rules.is_empty() || self.rungs.witnesses && !left.gate.lets_through(&haystack) {
            return Ok(None);
        }
        let mut candidates = left.rules.clone();
        if self.rungs.witnesses {
            candidates.retain(|rule| self.ruleset.prefilter.may_match_rule(*rule, &haystack));
            if candidates.is_empty() {
                return Ok(None);
            }
        }
        let members = Members::of(record.text())?;
        let mapping = Mapping::of_members(&members);
        // What asks for the record's own names is decided on the record in any case: the document does not have them.
        let verdict = |rule: &Rule| {
            if self.rungs.fields {
                rule.query.evaluate(&mapping)
            } else {
                rule.query.evaluate(&Raw(members.whole()))
            }
        };
        let rules = candidates.into_iter().map(|index| &self.ruleset.rules[index]);
        let mut rules: Vec<_> =
            rules.map(|rule| (rule, verdict(rule))).filter(|(_, verdict)| *verdict != Some(false)).collect();
        if members.is_broken() {
            return Err(Rejection::InvalidJson);
        }
        if rules.is_empty() {
            return Ok(None);
        }
        let document = Document::from_record(records::parse(record.text())?);
        rules.retain(|(rule, verdict)| *verdict == Some(true) || rule.matches(&document));
        let rules: Vec<_> = rules.into_iter().map(|(rule, _)| rule).collect();
        Ok((!rules.is_empty()).then_some(Match { document, rules }))
    }

    /// The rules that the record's head does not rule out.
    fn candidates(&mut self, record: RawRecord<'_>) -> Result<Rc<Left>, Rejection> {
        if !self.rungs.head {
            return Ok(self.candidates.all());
        }
        let head = match Head::glance(record).filter(|_| self.rungs.glance) {
            Some(head) => head,
            None => Head::parse(record.text()).map_err(|_| Rejection::InvalidJson)?,
        };
        let remembered = if self.rungs.candidates { self.candidates.remembered(&head) } else { None };
        Ok(remembered.unwrap_or_else(|| self.candidates.left_by(&head)))
    }
}
