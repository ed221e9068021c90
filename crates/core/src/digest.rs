//! A digest that tells two pieces of text apart, quickly. It is no secret and
//! keeps none: whoever wants two pieces with the same digest can make them.

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Both halves of the product count: a bit at the top moves the low half by
/// one bit only.
const fn mix(state: u64, word: u64) -> u64 {
    let wide = (state ^ word) as u128 * FACTOR as u128;
    (wide ^ (wide >> 64)) as u64
}

/// The digest of bytes.
#[must_use]
pub fn bytes(all: &[u8]) -> u64 {
    let (words, rest) = all.as_chunks::<8>();
    // Four at a time: each waits only for itself.
    let mut lanes = [1, 2, 3, 4];
    let (blocks, few) = words.as_chunks::<4>();
    for block in blocks {
        for (lane, word) in lanes.iter_mut().zip(block) {
            *lane = mix(*lane, u64::from_le_bytes(*word));
        }
    }
    for (lane, word) in lanes.iter_mut().zip(few) {
        *lane = mix(*lane, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let ends = [u64::from_le_bytes(last), all.len() as u64];
    words_from(0, lanes.iter().chain(&ends))
}

/// The digest of the length and of both ends: it tells apart what is read
/// from one pipe at two times, without reading all of it again.
#[must_use]
pub fn ends(all: &[u8]) -> u64 {
    const END: usize = 2048;
    let (Some(first), Some(last)) = (all.first_chunk::<END>(), all.last_chunk::<END>()) else {
        return bytes(all);
    };
    words(&[bytes(first), bytes(last), all.len() as u64])
}

/// The digest of words.
#[must_use]
pub fn words(all: &[u64]) -> u64 {
    words_from(all.len() as u64, all)
}

fn words_from<'a>(start: u64, all: impl IntoIterator<Item = &'a u64>) -> u64 {
    all.into_iter().fold(start, |state, word| mix(state, *word))
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::collections::BTreeSet;
    use std::vec;

    #[test]
    fn the_ends_and_the_length_count() {
        let mut seen = BTreeSet::new();
        for len in [0, 1, 2047, 2048, 2049, 4095, 4096, 4097, 9000] {
            let mut text = vec![0; len];
            assert!(seen.insert(ends(&text)), "{len} bytes");
            for at in (0..len.min(2048)).chain(len.saturating_sub(2048).max(2048)..len) {
                text[at] = 1;
                assert!(seen.insert(ends(&text)), "byte {at} of {len}");
                text[at] = 0;
            }
        }
    }

    #[test]
    fn every_bit_and_the_length_count() {
        let mut seen = BTreeSet::new();
        for len in 0..140 {
            let mut text = vec![0; len];
            assert!(seen.insert(bytes(&text)), "{len} bytes");
            for bit in 0..len * 8 {
                text[bit / 8] ^= 1 << (bit % 8);
                assert!(seen.insert(bytes(&text)), "bit {bit} of {len} bytes");
                text[bit / 8] ^= 1 << (bit % 8);
            }
        }
        assert_ne!(words(&[]), words(&[0]));
        assert_ne!(words(&[1, 2]), words(&[2, 1]));
    }

    #[test]
    fn the_order_counts() {
        let mut text: [u8; 128] = core::array::from_fn(|n| u8::try_from(n).unwrap());
        let before = bytes(&text);
        text.rotate_left(32);
        assert_ne!(bytes(&text), before);
    }
}
