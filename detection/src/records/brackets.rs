//! Finds the brackets of JSON outside of strings, 64 bytes at a time.
//!
//! The idea is simdjson's: compare whole blocks with the few bytes that matter, and compute "inside a string" with
//! arithmetic on one bit per byte. Most bytes of a record are never examined one by one.

use wide::u8x32;

/// The bytes of a block: as many as a word has bits.
pub(super) const BLOCK_BYTES: usize = 64;

const LANE_BYTES: usize = 32;

/// The state that a block of text passes to the next one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Brackets {
    /// All ones inside a string, all zeros outside.
    inside: u64,
    /// 1 after a backslash that is not escaped itself.
    escaped: u64,
    /// Not zero after a backslash in any block.
    backslashes: u64,
}

impl Brackets {
    /// Whether a block had a backslash, perhaps after the last bracket of the value.
    pub(super) fn has_seen_backslash(self) -> bool {
        self.backslashes != 0
    }

    /// The brackets outside of strings in the first `length` bytes of `block`. The rest of it must be spaces.
    #[inline]
    pub(super) fn next(&mut self, block: &[u8; BLOCK_BYTES], length: usize) -> u64 {
        // '[' and '{' differ in this bit, and so do ']' and '}'; no other byte becomes one of them.
        let bit = u8x32::splat(b'[' ^ b'{');
        let (quote, backslash) = (u8x32::splat(b'"'), u8x32::splat(b'\\'));
        let (open, close) = (u8x32::splat(b'{'), u8x32::splat(b'}'));
        let (mut quotes, mut brackets) = (0, 0);
        let mut any_backslash = u8x32::splat(0);
        for (index, lane) in lanes(block) {
            let folded = lane | bit;
            any_backslash |= lane.simd_eq(backslash);
            quotes |= u64::from(lane.simd_eq(quote).to_bitmask()) << index;
            brackets |= u64::from((folded.simd_eq(open) | folded.simd_eq(close)).to_bitmask()) << index;
        }
        // Few blocks have a backslash: find the escaped bytes only then.
        if self.escaped != 0 || any_backslash.to_bitmask() != 0 {
            quotes &= !self.escapes(positions(block, backslash), length);
        }
        // Every quote inverts the bits from its own on.
        let mut inside = quotes;
        for shift in [1, 2, 4, 8, 16, 32] {
            inside ^= inside << shift;
        }
        inside ^= self.inside;
        self.inside = 0_u64.wrapping_sub(inside >> (BLOCK_BYTES - 1));
        brackets & !inside
    }

    /// The bytes that are escaped, given where the backslashes are.
    #[cold]
    fn escapes(&mut self, mut backslashes: u64, length: usize) -> u64 {
        self.backslashes |= backslashes;
        let mut escaped = std::mem::take(&mut self.escaped);
        backslashes &= !escaped;
        while backslashes != 0 {
            let place = backslashes.trailing_zeros();
            // The byte after it may be the first one of the next block.
            escaped |= 2_u64.checked_shl(place).unwrap_or(0);
            self.escaped |= u64::from(place as usize + 1 == length);
            backslashes &= !(3_u64 << place);
        }
        escaped
    }
}

fn positions(block: &[u8; BLOCK_BYTES], byte: u8x32) -> u64 {
    lanes(block).fold(0, |found, (index, lane)| found | u64::from(lane.simd_eq(byte).to_bitmask()) << index)
}

/// The block in pieces of one register, or of two where registers are small, each with its offset.
#[inline]
fn lanes(block: &[u8; BLOCK_BYTES]) -> impl Iterator<Item = (usize, u8x32)> {
    let (lanes, _) = block.as_chunks::<LANE_BYTES>();
    lanes.iter().enumerate().map(|(index, lane)| (index * LANE_BYTES, u8x32::new(*lane)))
}
