//! Finding the brackets of JSON that stand outside of strings, 64 bytes at a time.
//!
//! The idea is simdjson's: compare whole blocks with the few bytes that matter, and turn "inside a string" into
//! arithmetic on one bit a byte. Most bytes of a record are never looked at one by one.

use wide::u8x16;

/// Bytes that are looked at together: as many as a word has bits.
pub(super) const BLOCK_BYTES: usize = 64;

/// A block of text, one bit a byte, the first byte lowest.
struct Masks {
    quotes: u64,
    backslashes: u64,
    brackets: u64,
}

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
        let masks = masks(block);
        self.backslashes |= masks.backslashes;
        let mut escaped = self.escaped;
        self.escaped = 0;
        let mut backslashes = masks.backslashes & !escaped;
        while backslashes != 0 {
            let place = backslashes.trailing_zeros();
            // The byte behind it may be the first one of the next block.
            escaped |= 2_u64.checked_shl(place).unwrap_or(0);
            self.escaped |= u64::from(place as usize + 1 == length);
            backslashes &= !(3_u64 << place);
        }
        // Every quote turns the bits from itself on around.
        let mut inside = masks.quotes & !escaped;
        for shift in [1, 2, 4, 8, 16, 32] {
            inside ^= inside << shift;
        }
        inside ^= self.inside;
        self.inside = 0_u64.wrapping_sub(inside >> (BLOCK_BYTES - 1));
        masks.brackets & !inside
    }
}

#[inline]
fn masks(block: &[u8; BLOCK_BYTES]) -> Masks {
    const LANE_BYTES: usize = 16;
    // '[' and '{' differ in this bit, and so do ']' and '}'; no other byte becomes one of them.
    let bit = u8x16::splat(b'[' ^ b'{');
    let (quote, backslash) = (u8x16::splat(b'"'), u8x16::splat(b'\\'));
    let (open, close) = (u8x16::splat(b'{'), u8x16::splat(b'}'));
    let mut masks = Masks { quotes: 0, backslashes: 0, brackets: 0 };
    let (lanes, _) = block.as_chunks::<LANE_BYTES>();
    for (index, lane) in lanes.iter().enumerate() {
        let lane = u8x16::new(*lane);
        let folded = lane | bit;
        let place = index * LANE_BYTES;
        masks.quotes |= u64::from(lane.simd_eq(quote).to_bitmask()) << place;
        masks.backslashes |= u64::from(lane.simd_eq(backslash).to_bitmask()) << place;
        masks.brackets |= u64::from((folded.simd_eq(open) | folded.simd_eq(close)).to_bitmask()) << place;
    }
    masks
}
