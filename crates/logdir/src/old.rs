//! The old logs of a directory: the oldest go, so that there are fewer than
//! were asked for.

use crate::Voice;
use crate::place::Place;
use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::fs::{RawDir, SeekFrom};
use rustix::io::{Errno, Result};
use upkeep_core::archives::Census;

/// Removes the oldest logs until there are fewer than `keep`.
pub(crate) fn remove_surplus(place: &Place, keep: u64, voice: &mut Voice) {
    loop {
        let census =
            voice.insist(&[b"unable to read ", place.name(), b", pausing: "], || count(place));
        let surplus = census.surplus(keep);
        if surplus == 0 {
            return;
        }
        if let Err(why) = remove(place, census.oldest()) {
            // One log too many is no reason to stop logging.
            let name = census.oldest();
            voice.warn(&[b"unable to remove ", place.name(), b"/", name, b": "], why);
            return;
        }
        if surplus == 1 {
            return;
        }
    }
}

fn count(place: &Place) -> Result<Census> {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut census = Census::default();
    rustix::fs::seek(place.fd(), SeekFrom::Start(0))?;
    let mut entries = RawDir::new(place.fd(), &mut buffer);
    while let Some(entry) = entries.next() {
        census.see(entry?.file_name().to_bytes());
    }
    Ok(census)
}

fn remove(place: &Place, name: &[u8]) -> Result<()> {
    let mut buffer = [0; 256];
    buffer.get_mut(..name.len()).ok_or(Errno::NAMETOOLONG)?.copy_from_slice(name);
    match place.remove(CStr::from_bytes_until_nul(&buffer).unwrap_or_default()) {
        // Whoever removed it in the meantime meant the same.
        Err(Errno::NOENT) => Ok(()),
        other => other,
    }
}
