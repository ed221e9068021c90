//! Any words as a record in a journal: it is one or it is none, and what is
//! read of one is what is written again.

use upkeep_core::digest;
use upkeep_core::journal::{HELD, RECORD, Record, Verdict};

/// Where what is held begins.
const BARE: usize = RECORD - HELD.div_ceil(8);

/// Reads `data` as a record; for most data with the check that belongs to it.
pub fn journal(data: &[u8]) {
    let [how, data @ ..] = data else { return };
    let mut words = [0; RECORD];
    for (word, bytes) in words[1..].iter_mut().zip(data.chunks(8)) {
        let mut padded = [0; 8];
        padded[..bytes.len()].copy_from_slice(bytes);
        *word = u64::from_le_bytes(padded);
    }
    let held = usize::try_from(words[2] >> 16).unwrap();
    if let Some(counted) = words.get(1..BARE + held.min(usize::MAX / 2).div_ceil(8))
        && how % 4 > 0
    {
        words[0] = digest::words(counted);
    }
    let Some((record, held)) = Record::decode(&words) else { return };
    let mut again = [u64::MAX; RECORD];
    let len = record.encode(held.bytes(), &mut again);
    let (same, beginning) = Record::decode(&again).expect("a record of our own");
    assert_eq!((same, beginning.bytes()), (record, held.bytes()));
    assert_eq!(len, BARE + held.bytes().len().div_ceil(8));
    // Without the bytes of the batch at the head of the pipe, nothing is
    // taken and nothing written again.
    let verdict = record.verdict(*how, &record.here, |_| None);
    assert!(!matches!(verdict, Verdict::Take(_) | Verdict::Again { .. }));
}
