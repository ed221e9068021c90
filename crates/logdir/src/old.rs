//! The old logs of a directory: the oldest go, so that there are not too many,
//! they are not too large together or too old, and so that there is room.

use crate::place::Place;
use crate::rotate::{Rotation, unless_gone};
use crate::{Voice, runit};
use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::fs::{RawDir, SeekFrom};
use rustix::io::{Errno, Result};
use upkeep_core::archives::Census;
use upkeep_core::retention::{self, Floor, Limits, Need, Oldest, Stock};
use upkeep_sys::{clock, point};

/// Nobody relies on the second in which an old log goes, but that it goes
/// when the clock was set.
const LOOK: u64 = 3600;

impl Rotation {
    /// Removes what there is too much of.
    pub(crate) fn trim(&mut self, voice: &mut Voice) {
        let keeping = &self.settings.keeping;
        let mut need = Need { free: 0, least: keeping.least.unwrap_or(0) };
        let mut free = 0;
        if let Some(floor) = keeping.free
            && let Ok(disk) = Disk::of(&self.place)
        {
            // What comes before the next look has its room already.
            need.free = floor.bytes(disk.whole).saturating_add(self.settings.size);
            free = disk.free;
        }
        let left = self.remove(&self.limits(), &need, free, voice).left;
        self.trim_at = left.map(|left| clock::monotonic() + left.min(LOOK) * 1_000_000_000);
    }

    /// Makes room after `why` has happened, if that is what it takes and it
    /// may; says whether it did.
    pub(crate) fn make_room(&self, why: Errno, voice: &mut Voice) -> bool {
        if why != Errno::NOSPC && why != Errno::DQUOT {
            return false;
        }
        if let Some(runit) = &self.settings.runit {
            return runit::make_room(&self.place, runit, why, voice);
        }
        // What is only being made is the first to go.
        if self.compressor.abandon() {
            return true;
        }
        let keeping = &self.settings.keeping;
        if keeping.free.is_none() && keeping.least.is_none() {
            return false;
        }
        let disk = Disk::of(&self.place).unwrap_or_default();
        let floor = keeping.free.unwrap_or(Floor::Bytes(0)).bytes(disk.whole);
        // One at least: a quota may be full where the disk is not.
        let free = floor.max(disk.free.saturating_add(1));
        let need = Need { free, least: keeping.least.unwrap_or(0) };
        let limits = Limits { files: u64::MAX, total: None, age: None };
        self.remove(&limits, &need, disk.free, voice).removed > 0
    }

    /// Whether there is no room at all.
    pub(crate) fn is_full(&self) -> bool {
        Disk::of(&self.place).is_ok_and(|disk| disk.free == 0)
    }

    fn limits(&self) -> Limits {
        let keeping = &self.settings.keeping;
        Limits { files: self.settings.keep, total: keeping.total, age: keeping.age }
    }

    fn remove(&self, limits: &Limits, need: &Need, free: u64, voice: &mut Voice) -> Removed {
        let place = &self.place;
        let (now, _) = clock::wall();
        let weighed = limits.total.is_some();
        let looks = weighed || limits.age.is_some() || need.free > 0;
        let mut done = Removed::default();
        // What was freed and what was free before are one.
        let mut freed = 0_u64;
        loop {
            let (census, bytes) = voice
                .insist(&[b"unable to read ", place.name(), b", pausing: "], || {
                    count(place, weighed)
                });
            let mut stock =
                Stock { files: census.count(), bytes, free: free.saturating_add(freed) };
            for name in census.oldest() {
                let oldest = if looks { weigh(place, name) } else { Oldest::default() };
                if !limits.end(&stock, &oldest, need, now) {
                    done.left = limits.left(&oldest, now);
                    return done;
                }
                if let Err(why) = with_zero(name, |name| unless_gone(place.remove(name))) {
                    // One log too many is no reason to stop logging.
                    voice.warn(&[b"unable to remove ", place.name(), b"/", name, b": "], why);
                    done.left = limits.age.map(|_| LOOK);
                    return done;
                }
                point!("trim: removed");
                done.removed += 1;
                freed = freed.saturating_add(oldest.held);
                stock = stock.without(&oldest);
            }
            if stock.files == 0 || !census.is_cut_off() {
                return done;
            }
        }
    }
}

/// What was done.
#[derive(Default)]
struct Removed {
    removed: u64,
    /// In how many seconds the oldest that is left is too old.
    left: Option<u64>,
}

/// The file system.
#[derive(Default)]
struct Disk {
    /// All of it, in bytes.
    whole: u64,
    /// What of it is free for this user.
    free: u64,
}

impl Disk {
    fn of(place: &Place) -> Result<Self> {
        let all = rustix::fs::fstatvfs(place.fd())?;
        let bytes = |blocks: u64| blocks.saturating_mul(all.f_frsize);
        Ok(Self { whole: bytes(all.f_blocks), free: bytes(all.f_bavail) })
    }
}

/// Goes through the directory; adds up what is in all old logs only if that
/// is asked for.
fn count(place: &Place, weighed: bool) -> Result<(Census, u64)> {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut census = Census::default();
    let mut bytes = 0_u64;
    rustix::fs::seek(place.fd(), SeekFrom::Start(0))?;
    let mut entries = RawDir::new(place.fd(), &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        if census.see(entry.file_name().to_bytes())
            && weighed
            && let Ok(Some(stat)) = place.look(entry.file_name())
        {
            bytes = bytes.saturating_add(u64::try_from(stat.st_size).unwrap_or(0));
        }
    }
    Ok((census, bytes))
}

/// What is known about an old log. One that is named after no moment was
/// closed when it was last written to.
fn weigh(place: &Place, name: &[u8]) -> Oldest {
    let Ok(Some(stat)) = with_zero(name, |name| place.look(name)) else {
        // It is as young as one can be, then.
        return Oldest { closed: i64::MAX, ..Oldest::default() };
    };
    // What has another name stays, whatever is done here.
    let held = if stat.st_nlink == 1 { (stat.st_blocks.unsigned_abs() * 512).max(1) } else { 0 };
    Oldest {
        closed: retention::closed(name).unwrap_or(stat.st_mtime),
        bytes: u64::try_from(stat.st_size).unwrap_or(0),
        held,
    }
}

/// Names in a directory are read without the zero that ends them in a call.
fn with_zero<T>(name: &[u8], call: impl FnOnce(&CStr) -> Result<T>) -> Result<T> {
    let mut buffer = [0; 256];
    buffer.get_mut(..name.len()).ok_or(Errno::NAMETOOLONG)?.copy_from_slice(name);
    call(CStr::from_bytes_until_nul(&buffer).unwrap_or_default())
}
