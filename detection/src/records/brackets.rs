//! Finding the brackets of JSON that stand outside of strings, 64 bytes at a time.
//!
//! The idea is simdjson's: compare whole blocks with the few bytes that matter, and turn "inside a string" into
//! arithmetic on one bit a byte. Most bytes of a record are never looked at one by one.

use wide::u8x32;

/// Bytes that are looked at together: as many as a word has bits.
pub(super) const BLOCK_BYTES: usize = 64;

const LANE_BYTES: usize = 32;

/// What a block of text leaves for the next one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Brackets {
    /// All ones inside a string, all zeros outside.
    inside: u64,
    /// 1 behind a backslash that is not escaped itself.
    escaped: u64,
    /// Not zero once there was a backslash in any block.
    backslashes: u64,
}

impl Brackets {
    /// Says whether there was a backslash since this was new, perhaps behind the last bracket that counted.
    pub(super) fn has_seen_backslash(self) -> bool {
        self.backslashes != 0
    }

    /// The brackets outside of strings in the next `length` bytes, which are at the front of `block`; the rest of it
    /// must be spaces.
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
        // Few blocks have a backslash, so where they are is asked only then.
        if self.escaped != 0 || any_backslash.to_bitmask() != 0 {
            quotes &= !self.escapes(positions(block, backslash), length);
        }
        // Every quote turns the bits from itself on around.
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
            // The byte behind it may be the first one of the next block.
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

/// The block in pieces that fit one register, or two where registers are small, each with its place.
#[inline]
fn lanes(block: &[u8; BLOCK_BYTES]) -> impl Iterator<Item = (usize, u8x32)> {
    let (lanes, _) = block.as_chunks::<LANE_BYTES>();
    lanes.iter().enumerate().map(|(index, lane)| (index * LANE_BYTES, u8x32::new(*lane)))
}
