//! Whether what is kept in `supervise/` was kept of another directory.

use crate::{names, place};
use rustix::fs::{self, Mode, OFlags};
use rustix::time::{ClockId, clock_gettime};
use upkeep_core::record::{self, Boot, Record};

/// Whether the record was written for another directory in this boot, or came
/// here in it. One of an earlier boot cannot be told from this directory's own.
#[must_use]
pub fn record_is_anothers(boot: Boot) -> bool {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(file) = place::open(names::STATUS, flags, Mode::empty()) else { return false };
    let (Ok(stat), Ok(dir)) = (fs::fstat(&file), place::stat(names::SUPERVISE)) else {
        return false;
    };
    let now = clock_gettime(ClockId::Realtime).tv_sec;
    let began = now - clock_gettime(ClockId::Boottime).tv_sec;
    let mut bytes = [0; record::SIZE];
    if stat.st_mtime <= began || rustix::io::read(&file, &mut bytes) != Ok(record::SIZE) {
        return false;
    }
    let here = record::origin(boot, dir.st_dev, dir.st_ino);
    let written = Record::decode(&bytes).map(|record| record.own.boot);
    boot != [0; 16] && written.is_some_and(|written| written != here && written != [0; 16])
}
