//! Where the newlines in a block of bytes are, all of them at once. With lines
//! as short as those of logs, to look for one after the other takes most of
//! the time for beginning each search.

/// As many bytes are a block.
pub const BLOCK: usize = 64;

/// A bit for each byte of the block, the lowest for the first: set where it is
/// a newline.
#[cfg(target_arch = "x86_64")]
#[inline]
#[must_use]
pub fn newlines(block: &[u8; BLOCK]) -> u64 {
    use core::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_set1_epi8,
    };

    let (quarters, _) = block.as_chunks::<16>();
    quarters.iter().rev().fold(0, |found, quarter| {
        // SAFETY: the instructions are a part of every x86-64, and the load
        // needs no alignment and takes the sixteen bytes that there are.
        let bits = unsafe {
            let bytes = _mm_loadu_si128(quarter.as_ptr().cast::<__m128i>());
            _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\n'.cast_signed())))
        };
        found << 16 | u64::from(bits.cast_unsigned())
    })
}

/// A bit for each byte of the block, the lowest for the first: set where it is
/// a newline.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
#[must_use]
pub fn newlines(block: &[u8; BLOCK]) -> u64 {
    block.iter().rev().fold(0, |found, byte| found << 1 | u64::from(*byte == b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_and_all_bytes() {
        for byte in 0..=255 {
            assert_eq!(newlines(&[byte; BLOCK]), if byte == b'\n' { u64::MAX } else { 0 });
            for place in 0..BLOCK {
                let mut block = [byte; BLOCK];
                block[place] = b'\n';
                let all = if byte == b'\n' { u64::MAX } else { 1 << place };
                assert_eq!(newlines(&block), all, "{byte} {place}");
            }
        }
    }
}
