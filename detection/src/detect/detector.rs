//! Judges records one after the other.

use std::cell::OnceCell;
use std::{mem, thread};

use super::candidates::{Candidates, Open, Remaining};
use super::prefilter::{Buffers, Haystack};
use super::search::{self, FirstHead};
use super::{Head, Reach, Rule, Ruleset, Rungs};
use crate::ecs::{Document, Mapping, Members, Raw};
use crate::query::Parts;
use crate::records::{self, RawRecord, Rejection};

/// A record that at least one rule matches.
#[derive(Debug)]
pub struct Match<'r, 't> {
    /// The rules that match it, in the order of their files.
    pub rules: Vec<&'r Rule>,
    members: Members<'t>,
    document: OnceCell<Document>,
}

impl<'t> Match<'_, 't> {
    /// Fails unless the record parses as it is: otherwise, a field that only a repair reveals might not be read.
    fn of(members: Members<'t>) -> Result<Self, Rejection> {
        let document = OnceCell::new();
        if !members.can_be_parsed() {
            let _ = document.set(Document::from_record(records::parse_as_it_is(members.record())?));
        }
        Ok(Self { rules: Vec::new(), members, document })
    }

    /// The record as an ECS document, made when it is first needed.
    #[must_use]
    pub fn document(&self) -> &Document {
        // A record that might not parse was parsed when the match was made.
        self.document.get_or_init(|| Document::from_members(&self.members))
    }

    /// The fields of that document, made one by one.
    #[must_use]
    pub fn fields(&self) -> Mapping<'_> {
        Mapping::of_members(&self.members)
    }
}

/// Judges records one after the other, and caches which rules each head does not rule out.
#[derive(Debug)]
pub struct Detector<'r> {
    ruleset: &'r Ruleset,
    rungs: Rungs,
    candidates: Candidates,
    buffers: Buffers,
}

impl Drop for Detector<'_> {
    fn drop(&mut self) {
        // A panic may have left the cache half filled.
        if !thread::panicking()
            && let Ok(mut caches) = self.ruleset.caches.lock()
        {
            caches.push(mem::take(&mut self.candidates));
        }
    }
}

impl<'r> Detector<'r> {
    /// A detector that uses these rungs, and the cache of a dropped one.
    pub(super) fn new(ruleset: &'r Ruleset, rungs: Rungs) -> Self {
        let cache = ruleset.caches.lock().ok().and_then(|mut caches| caches.pop());
        Self { ruleset, rungs, candidates: cache.unwrap_or_default(), buffers: Buffers::default() }
    }

    /// Applies every rule to one raw record; `None` if none matches.
    ///
    /// # Errors
    /// [`Rejection::InvalidJson`] for a record that no rung rules out before parsing and that is not JSON, although
    /// [`records::repaired`] may fix it; [`Rejection::TooDeep`] for a record nested deeper than the parser follows.
    pub fn detect<'t>(
        &mut self,
        record: impl Into<RawRecord<'t>>,
    ) -> Result<Option<Match<'r, 't>>, Rejection> {
        self.detect_in_reach(record.into(), None)
    }

    /// The same. Also takes the record into account for what the rules could see.
    pub(crate) fn detect_in_reach<'t>(
        &mut self,
        record: RawRecord<'t>,
        reach: Option<&mut Reach>,
    ) -> Result<Option<Match<'r, 't>>, Rejection> {
        let first = OnceCell::new();
        let first = || *first.get_or_init(|| FirstHead::find(record));
        if let Some(reach) = reach {
            reach.add(self.ruleset, record, &first);
        }
        let haystack = Haystack::new(record, mem::take(&mut self.buffers));
        let found = self.searched(record, &first, &haystack);
        self.buffers = haystack.into_buffers();
        let Some(mut found) = found? else { return Ok(None) };
        let members = Members::of(record.text())?;
        if found.first.as_ref().is_some_and(|first| !first.is_of(&members)) {
            found = Found::all(self.left_by_parsed_head(record)?);
        }
        let mapping = Mapping::of_members(&members);
        // A test of the record's own names is always decided on the record: the document does not have them.
        let verdict = |rule: &Rule, parts: Parts| {
            if self.rungs.fields {
                rule.query.evaluate_parts(parts, &mapping)
            } else {
                rule.query.evaluate(&Raw(members.whole()))
            }
        };
        let rules = found.places.iter().map(|place| {
            let (rule, parts) = found.open.at(*place);
            let rule = &self.ruleset.rules[rule];
            (rule, verdict(rule, parts))
        });
        let mut rules: Vec<_> = rules.filter(|(_, verdict)| *verdict != Some(false)).collect();
        if members.is_broken() {
            return Err(records::unparsed(record.text()));
        }
        if rules.is_empty() {
            return Ok(None);
        }
        let mut matched = Match::of(members)?;
        rules.retain(|(rule, verdict)| *verdict == Some(true) || rule.matches(matched.document()));
        matched.rules = rules.into_iter().map(|(rule, _)| rule).collect();
        Ok((!matched.rules.is_empty()).then_some(matched))
    }

    /// The rules that neither the record's head nor a search of its bytes rules out.
    fn searched<'t>(
        &mut self,
        record: RawRecord<'t>,
        first: &dyn Fn() -> Option<FirstHead<'t>>,
        haystack: &Haystack<'_>,
    ) -> Result<Option<Found<'t>>, Rejection> {
        if self.rungs.prefilter && !self.ruleset.prefilter.may_match(haystack) {
            return Ok(None);
        }
        if self.rungs.head
            && self.rungs.search
            && let Some(first) = first()
            && let Some(head) = first.head()
        {
            let open = self.left_by(&head);
            let places = self.with_literals(&open.remaining, haystack);
            if !places.is_empty() {
                return Ok(Some(Found { open, places, first: Some(first) }));
            }
            if search::has_one_head(record) {
                return Ok(None);
            }
        }
        let open = self.left_by_parsed_head(record)?;
        let places = self.with_literals(&open.remaining, haystack);
        Ok((!places.is_empty()).then_some(Found { open, places, first: None }))
    }

    /// What the record's head leaves undecided. Parses the head.
    fn left_by_parsed_head(&mut self, record: RawRecord<'_>) -> Result<Open, Rejection> {
        if !self.rungs.head {
            return Ok(self.candidates.all(self.ruleset));
        }
        let head = Head::parse(record.text()).map_err(|_| Rejection::InvalidJson)?;
        Ok(self.left_by(&head))
    }

    fn left_by(&mut self, head: &Head<'_>) -> Open {
        let cached = if self.rungs.candidates { self.candidates.cached(self.ruleset, head) } else { None };
        cached.unwrap_or_else(|| self.candidates.of(self.ruleset, head))
    }

    /// The places among the remaining rules of those that a search for literals does not rule out.
    fn with_literals(&self, remaining: &Remaining, haystack: &Haystack<'_>) -> Vec<usize> {
        let places = 0..remaining.rules.len();
        if !self.rungs.literals {
            return places.collect();
        }
        if places.is_empty() || !remaining.search.may_match(haystack) {
            return Vec::new();
        }
        let may_match =
            |place: &usize| self.ruleset.prefilter.may_match_rule(remaining.rules[*place], haystack);
        places.filter(may_match).collect()
    }
}

/// The rules that may match a record.
struct Found<'t> {
    /// What its head leaves undecided.
    open: Open,
    /// The places among the remaining rules of those that the search for literals does not rule out.
    places: Vec<usize>,
    /// The head, if it was found by a search: it may be that of an inner object.
    first: Option<FirstHead<'t>>,
}

impl Found<'_> {
    fn all(open: Open) -> Self {
        Self { places: (0..open.remaining.rules.len()).collect(), open, first: None }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn a_detector_takes_over_the_cache_of_one_that_is_gone_unless_it_panicked() {
        let rules = Ruleset::new(Vec::new()).expect("no rule is wrong");
        // The prefilter would rule the record out before the head is looked at.
        let rungs = Rungs { prefilter: false, ..Rungs::ALL };
        let mut first = rules.detector_with(rungs);
        let record = br#"{"eventSource":"s3.amazonaws.com","eventName":"GetObject"}"#;
        first.detect(&record[..]).expect("it is JSON");
        let filled = format!("{:?}", first.candidates);
        assert!(filled.contains("GetObject"), "{filled}");
        drop(first);
        let panics = AssertUnwindSafe(|| {
            let _second = rules.detector_with(rungs);
            panic!("as the test orders");
        });
        assert!(catch_unwind(panics).is_err());
        assert_eq!(rules.caches.lock().expect("nobody panicked with it").len(), 0);

        let mut third = rules.detector_with(rungs);
        third.detect(&record[..]).expect("it is JSON");
        drop(third);
        assert_eq!(format!("{:?}", rules.detector_with(rungs).candidates), filled);
    }
}
