//! Old logs of a svlogd: one of them goes for each that comes, and never more,
//! so that it is for a person to thin out what is too much.

use super::{Name, Svlogd, as_name};
use crate::Voice;
use crate::place::Place;
use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::fs::{RawDir, SeekFrom};
use rustix::io::Result;
use upkeep_core::archives::NAME;

/// The old logs of a directory.
#[derive(Default)]
struct Census {
    count: u64,
    oldest: Option<Name>,
}

impl Census {
    fn see(&mut self, name: &Name, spared: Option<&Name>) {
        if Some(name) == spared {
            return;
        }
        self.count += 1;
        if self.oldest.is_none_or(|oldest| *name < oldest) {
            self.oldest = Some(*name);
        }
    }
}

/// Removes what an interrupted processor left, and the oldest log if there
/// are more than are wanted. `pending` is not one of them yet.
pub(super) fn remove_oldest(
    place: &Place,
    runit: &Svlogd,
    pending: Option<&Name>,
    voice: &mut Voice,
) {
    let mut census = Census::default();
    each(place, voice, b"unable to read directory: ", |name, voice| {
        if !name.ends_with(b"t\0") {
            return census.see(name, pending);
        }
        if let Err(why) = place.remove(as_name(name)) {
            voice.warn(&[b"unable to unlink processor leftover: ", &name[..NAME], b": "], why);
        }
    });
    if runit.keep > 0
        && census.count > runit.keep
        && let Some(oldest) = census.oldest
    {
        let dir = place.name();
        runit.tell(&[b"delete: ", dir, b"/", &oldest[..NAME]], voice);
        if let Err(why) = place.remove(as_name(&oldest)) {
            voice.warn(&[b"unable to unlink oldest logfile: ", dir, b": "], why);
        }
    }
}

/// Removes the oldest log, if there are more than `least`; answers whether
/// that has made room.
pub(super) fn remove_for_room(place: &Place, least: u64, voice: &mut Voice) -> bool {
    let mut census = Census::default();
    let unable = b"unable to read directory, want remove old logfile: ";
    each(place, voice, unable, |name, _| census.see(name, None));
    let Some(oldest) = census.oldest.filter(|_| census.count > least) else { return false };
    let dir = place.name();
    voice.caution(&[b"out of disk space, delete: ", dir, b"/", &oldest[..NAME]]);
    let removed = place.remove(as_name(&oldest));
    if let Err(why) = removed {
        voice.warn(&[b"unable to unlink oldest logfile: ", dir, b": "], why);
    }
    removed.is_ok()
}

/// Shows each old log.
pub(super) fn each(
    place: &Place,
    voice: &mut Voice,
    unable: &[u8],
    mut see: impl FnMut(&Name, &mut Voice),
) {
    let mut walk = || -> Result<()> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        rustix::fs::seek(place.fd(), SeekFrom::Start(0))?;
        let mut entries = RawDir::new(place.fd(), &mut buffer);
        while let Some(entry) = entries.next() {
            if let Some(name) = as_old(entry?.file_name()) {
                see(&name, voice);
            }
        }
        Ok(())
    };
    if let Err(why) = walk() {
        voice.warn(&[unable, place.name(), b": "], why);
    }
}

/// The name, if it can be that of an old log.
fn as_old(name: &CStr) -> Option<Name> {
    let name = name.to_bytes_with_nul();
    name.try_into().ok().filter(|name: &Name| name[0] == b'@')
}
