//! What a log directory does because time has passed, or because a child has
//! ended: logs end at an age or when a period is over, old ones go, and are
//! compressed.

use crate::Voice;
use crate::compress::Compressor;
use crate::directory::LogDirectory;
use crate::journal::Journal;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, StatxFlags};
use upkeep_core::journal::Begun;
use upkeep_core::period::{Clockwork, Local, Verdict};
use upkeep_sys::{clock, localtime};

/// The clock on the wall is looked at so often, in seconds: it may have been
/// set.
const LOOK: u64 = 60;
const SECOND: u64 = 1_000_000_000;

/// When current ends by the clock.
#[derive(Debug)]
pub(crate) struct ByClock {
    works: Clockwork,
    /// When its first line came, in seconds since 1970, if one has.
    begun: Option<i64>,
    /// When it is to be looked at, on the monotonic clock.
    at: Option<u64>,
    /// Since when its end has waited for the end of a line.
    late: Option<u64>,
    /// Whether what is written ends with the end of a line.
    pub(crate) between_lines: bool,
}

impl ByClock {
    /// For a current that holds as many bytes. Its age is noted in the
    /// journal; of one that another multilog has begun the file system knows
    /// it.
    pub(crate) fn new(
        works: Clockwork,
        current: &OwnedFd,
        bytes: u64,
        inode: u64,
        journal: Option<&Journal>,
    ) -> Self {
        let known = || journal.and_then(|journal| journal.begun(inode)).or_else(|| born(current));
        let begun = if bytes > 0 && works.is_set() { known() } else { None };
        Self { works, begun, at: begun.map(|_| 0), late: None, between_lines: true }
    }

    /// Whether the next byte is the first, and that matters.
    pub(crate) fn is_unbegun(&self) -> bool {
        self.begun.is_none() && self.works.is_set()
    }

    /// Whether the clock ends anything.
    pub(crate) fn is_set(&self) -> bool {
        self.works.is_set()
    }

    /// Current, which is this file, begins now.
    pub(crate) fn begin(&mut self, file: u64, journal: Option<&Journal>) {
        let (seconds, _) = clock::wall();
        self.begin_at(file, seconds, journal);
        self.at = Some(0);
    }

    fn begin_at(&mut self, file: u64, seconds: i64, journal: Option<&Journal>) {
        self.begun = Some(seconds);
        if let Some(journal) = journal {
            journal.set_begun(&Begun { file, seconds });
        }
    }

    /// There is an empty current.
    pub(crate) fn end(&mut self) {
        self.begun = None;
        self.at = None;
        self.late = None;
    }

    /// Looks at the clock; says whether current is to end.
    fn is_over(&mut self, file: u64, journal: Option<&Journal>) -> bool {
        let now = clock::monotonic();
        let Some(begun) = self.begun.filter(|_| self.at.is_some_and(|at| at <= now)) else {
            return false;
        };
        let (seconds, nanos) = clock::wall();
        match self.works.judge(begun, seconds, local) {
            Verdict::End => {
                // A line that takes its time is not cut for that, nor waited
                // for for ever.
                let since = *self.late.get_or_insert(now);
                let is_over = self.between_lines || since + LOOK * SECOND <= now;
                if !is_over {
                    self.at = Some(now + SECOND);
                }
                is_over
            }
            Verdict::Wait { seconds: left, begun: anew } => {
                if anew != begun {
                    self.begin_at(file, anew, journal);
                }
                self.late = None;
                let left = left.min(LOOK) * SECOND;
                self.at = Some(now + left.saturating_sub(nanos.into()).max(1));
                false
            }
        }
    }
}

/// What a clock on the wall shows.
fn local(seconds: i64) -> Local {
    match localtime::local(seconds) {
        None => Local { seconds, day: 1 },
        Some(local) => {
            let second = u32::from(local.hour) * 3600
                + u32::from(local.minute) * 60
                + u32::from(local.second);
            Local::new(local.year, local.month, local.day, second)
        }
    }
}

/// When a file was made, or when it was written to last where that is not
/// known.
fn born(file: &OwnedFd) -> Option<i64> {
    let wanted = StatxFlags::BTIME | StatxFlags::MTIME;
    let made = rustix::fs::statx(file, c"", AtFlags::EMPTY_PATH, wanted).ok()?;
    let is_known = made.stx_mask & StatxFlags::BTIME.bits() != 0;
    Some(if is_known { made.stx_btime.tv_sec } else { made.stx_mtime.tv_sec })
}

impl LogDirectory {
    /// When there is something to do that no line asks for, on the monotonic
    /// clock.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        let compressor = self.rotation.compressor.deadline();
        let work = self.rotation.work_is_due();
        let all = [self.by_clock.at, self.durable.at, self.rotation.trim_at, compressor, work];
        all.into_iter().flatten().min()
    }

    /// Does what there is to do. When a child has ended, it may be this one's.
    pub fn due(&mut self, voice: &mut Voice) {
        if self.by_clock.is_over(self.stored.file, self.journal.as_ref()) {
            self.rotate(voice);
            // Whatever there was, it is over.
            self.by_clock.end();
        }
        self.secure(voice);
        if self.rotation.trim_at.is_some_and(|at| at <= clock::monotonic()) {
            self.rotation.trim(voice);
        }
        self.rotation.compressor.due(&self.rotation.place, voice);
        if let Some(runit) = self.rotation.settings.runit {
            self.rotation.look_at_work(&runit, voice);
        }
    }

    /// The clock may have been set.
    pub(crate) fn look_at_the_clock(&mut self, voice: &mut Voice) {
        if self.by_clock.begun.is_some() {
            self.by_clock.at = Some(0);
        }
        if self.rotation.settings.keeping.age.is_some() {
            self.rotation.trim_at = Some(0);
        }
        self.due(voice);
    }

    pub(crate) fn compressor(&mut self) -> &mut Compressor {
        &mut self.rotation.compressor
    }
}
