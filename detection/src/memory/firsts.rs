//! Which matches are the first of their tuples.

use std::hash::BuildHasher;

use foldhash::HashMap;
use foldhash::fast::RandomState;

use super::{Event, Terms, Time};
use crate::rule::Memory;

/// The first match of each tuple so far, in the order of time and event. Out of a few hundred thousand matches, mostly
/// only these, and those that complete a group, give a signal.
#[derive(Debug, Default)]
pub struct Firsts {
    hasher: RandomState,
    /// By the hash of rule and terms: the time, and the first bytes of the event's identifier.
    firsts: HashMap<u64, (Time, [u8; 8])>,
}

impl Firsts {
    /// Notes a match. Returns whether it is likely to give a signal.
    pub(super) fn note(&mut self, rule: usize, memory: &Memory, terms: &Terms, event: &Event) -> bool {
        let mut begins = [0; 8];
        begins.iter_mut().zip(event.id.bytes()).for_each(|(to, from)| *to = from);
        let this = (event.time, begins);
        let first = self.firsts.entry(self.hasher.hash_one((rule, terms.json()))).or_insert(this);
        let is_first = this <= *first;
        if is_first {
            *first = this;
        }
        // Any match of a group can complete it.
        is_first || matches!(memory, Memory::Threshold { .. })
    }
}
