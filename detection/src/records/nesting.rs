//! The brackets of a value that are still open.

use super::MAX_RECORD_BYTES;

/// The number of levels that a word holds.
const WORD_LEVELS: usize = 64;
/// Beyond this depth only the number of levels is kept: no record is that deep, so finding the end suffices.
const MAX_LEVELS: usize = MAX_RECORD_BYTES;

/// The open brackets, one bit each, the innermost lowest: 1 for a brace.
///
/// A plain value, so that the compiler keeps it in registers. Full words are kept in `full`, for values that are deeper
/// than any that CloudTrail writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Nesting {
    word: u64,
    depth: usize,
    /// How many of the levels, up to the deepest that is kept, are braces.
    braces: usize,
}

impl Nesting {
    #[inline]
    pub(super) fn is_empty(self) -> bool {
        self.depth == 0
    }

    #[inline]
    pub(super) fn depth(self) -> usize {
        self.depth
    }

    /// Takes a bracket. Returns `false` if it closes another kind than the innermost open one. Such a bracket closes the
    /// nearest open one of its kind, or else the innermost, so that a record with a missing or a wrong bracket ends where
    /// it should, and does not swallow its neighbours.
    #[inline]
    pub(super) fn take(&mut self, bracket: u8, full: &mut Vec<u64>) -> bool {
        // Braces and square brackets differ in one bit, opening and closing ones in another.
        let is_brace = bracket & (b'{' ^ b'[') != 0;
        let closes = bracket & (b'}' & !b'{') != 0;
        if self.depth >= MAX_LEVELS + usize::from(closes) {
            self.depth = if closes { self.depth - 1 } else { self.depth + 1 };
            true
        } else if !closes {
            if self.depth.is_multiple_of(WORD_LEVELS) && self.depth != 0 {
                begin_word(self.word, full);
            }
            self.word = self.word << 1 | u64::from(is_brace);
            self.depth += 1;
            self.braces += usize::from(is_brace);
            true
        } else if self.depth != 0 && self.innermost_is_brace() == is_brace {
            self.pop(full);
            true
        } else {
            *self = self.close_nearest(is_brace, full);
            false
        }
    }

    #[cold]
    fn close_nearest(mut self, is_brace: bool, full: &mut Vec<u64>) -> Self {
        // The count avoids a search that finds nothing: hostile input could cause one at every byte.
        let is_there = if is_brace { self.braces > 0 } else { self.depth > self.braces };
        while is_there && self.innermost_is_brace() != is_brace {
            self.pop(full);
        }
        if self.depth != 0 {
            self.pop(full);
        }
        self
    }

    #[inline]
    fn innermost_is_brace(self) -> bool {
        self.word & 1 == 1
    }

    #[inline]
    fn pop(&mut self, full: &mut Vec<u64>) {
        self.braces -= usize::from(self.innermost_is_brace());
        self.word >>= 1;
        self.depth -= 1;
        if self.depth.is_multiple_of(WORD_LEVELS) {
            self.word = end_word(full);
        }
    }
}

#[cold]
fn begin_word(word: u64, full: &mut Vec<u64>) {
    full.push(word);
}

#[cold]
fn end_word(full: &mut Vec<u64>) -> u64 {
    full.pop().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// At any depth, the result is the same as with a list of brackets.
        #[test]
        fn a_bit_a_level_means_what_a_list_means(steps in proptest::collection::vec((0..6_u8, any::<bool>()), 0..1200)) {
            let (mut nesting, mut full, mut list) = (Nesting::default(), Vec::new(), Vec::new());
            for (step, is_brace) in steps {
                // Five of six brackets open, so that the nesting gets deep: a wrong one closes several.
                let (opening, closing) = if is_brace { (b'{', b'}') } else { (b'[', b']') };
                let fits = if step < 5 {
                    list.push(is_brace);
                    nesting.take(opening, &mut full)
                } else {
                    nesting.take(closing, &mut full)
                };
                prop_assert_eq!(fits, list.last() == Some(&is_brace));
                if step >= 5 {
                    let nearest = list.iter().rposition(|open| *open == is_brace);
                    list.truncate(nearest.unwrap_or(list.len().saturating_sub(1)));
                }
                prop_assert_eq!((nesting.depth, nesting.is_empty()), (list.len(), list.is_empty()));
            }
        }
    }

    #[test]
    fn what_is_deeper_than_a_record_can_be_takes_no_memory_and_still_ends() {
        let (mut nesting, mut full) = (Nesting::default(), Vec::new());
        let levels = 3 * MAX_LEVELS;
        for _ in 0..levels {
            nesting.take(b'[', &mut full);
        }
        assert!(full.capacity() * WORD_LEVELS <= 2 * MAX_LEVELS, "{} words", full.capacity());
        for left in (0..levels).rev() {
            assert!(nesting.take(b']', &mut full));
            assert_eq!(nesting.depth, left);
        }
        assert_eq!((nesting, full.len()), (Nesting::default(), 0));
    }
}
