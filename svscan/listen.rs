//! Hearing how the services stand, as far as that matters to the whole: the
//! command waits until each is ready or over, and everything ends with an
//! essential one. A record is read when the kernel tells that it may have
//! changed; where it does not, at a deadline.

use crate::svscan::help::TOOL;
use crate::svscan::watch::Svscan;
use upkeep_core::order::Rise;
use upkeep_core::record::Outcome;
use upkeep_core::scan::Which;
use upkeep_core::standing::Standing;
use upkeep_core::whole::{Event, Phase};
use upkeep_sys::clock;

const MILLISECOND: u64 = 1_000_000;
/// How often the records are looked at where changes are not told, while
/// somebody waits for them and else.
const SOON: u64 = 100 * MILLISECOND;
const LATER: u64 = 5000 * MILLISECOND;

/// What is known of one service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    /// The watch on its records, -1 for none.
    watch: i32,
    /// Whether its supervise has been found alive, so that the record is its.
    living: bool,
    /// Whether the record may have changed.
    stirred: bool,
    /// How far it has come up.
    pub(crate) rise: Rise,
    /// Whether everything ends with it.
    essential: bool,
}

impl Heard {
    pub(crate) const NOTHING: Self =
        Self { watch: -1, living: false, stirred: false, rise: Rise::Open, essential: false };

    /// Notes that the record with this watch may have changed.
    pub(crate) fn stir(&mut self, watch: i32) {
        self.stirred |= self.watch == watch;
    }

    /// Notes that it may have changed, whichever watch it has.
    pub(crate) fn stir_anyway(&mut self) {
        self.stirred = true;
    }

    /// Nothing is told any more.
    pub(crate) fn deafen(&mut self) {
        (self.watch, self.stirred) = (-1, true);
    }
}

impl Svscan {
    /// The service is there: from now on it is listened to, if that matters.
    pub(crate) fn listen(&mut self, index: usize) {
        let essential = self.elsewhere(index, Which::Main).is_essential();
        let heard = &mut self.roster.get_mut(index).heard;
        heard.stirred |= heard.watch == -1 || essential && !heard.essential;
        heard.essential = essential;
    }

    /// Another supervise begins, and its record is another one.
    pub(crate) fn begins(&mut self, index: usize, which: Which) {
        if which == Which::Main {
            let heard = &mut self.roster.get_mut(index).heard;
            (heard.living, heard.stirred, heard.rise) = (false, true, Rise::Open);
        }
    }

    /// Looks at every record that may have changed.
    pub(crate) fn judge(&mut self) {
        let is_due = self.listen_at.is_some_and(|at| at <= clock::monotonic());
        let rising = self.course.whole.phase == Phase::Rising;
        let mut blind = false;
        for index in 0..self.roster.len() {
            let heard = &mut self.roster.get_mut(index).heard;
            let untold = heard.watch == -1;
            let stirred = core::mem::take(&mut heard.stirred) || is_due && untold;
            if !(heard.essential || rising) {
                continue;
            }
            if stirred {
                self.judge_one(index);
            }
            blind |= self.roster.get(index).heard.watch == -1;
        }
        let again = clock::monotonic() + if rising { SOON } else { LATER };
        self.listen_at = blind.then(|| self.listen_at.filter(|_| !is_due).unwrap_or(again));
    }

    fn judge_one(&mut self, index: usize) {
        let mut heard = self.roster.get(index).heard;
        // What changes from here on is told.
        heard.watch = self.watch_records(index, heard.living);
        let there = self.elsewhere(index, Which::Main);
        if !heard.living && matches!(there.living(), Ok(Some(_))) {
            heard.living = true;
            heard.watch = self.watch_records(index, true);
        }
        let mut over = None;
        if heard.living
            && let Some(record) = there.living_record()
        {
            let standing = Standing::of(&record.status, Some(&record.own));
            heard.rise = Rise::of(&record);
            over = (heard.essential && standing.over).then_some(record.own.last);
        }
        if heard.rise != self.roster.get(index).heard.rise {
            self.stuck.stirs();
        }
        self.roster.get_mut(index).heard = heard;
        if let Some(last) = over {
            if self.course.whole.keeps_services() {
                TOOL.info(&[self.roster.name(index).to_bytes(), b" is over, and essential"]);
            }
            self.proceed(Event::EssentialOver(code(last)));
        }
    }

    /// Without notices there is no watch.
    fn watch_records(&self, index: usize, living: bool) -> i32 {
        let Some(notices) = &self.notices else { return -1 };
        let there = self.elsewhere(index, Which::Main);
        there.with_directory(|path| notices.watch_records(path, living)).unwrap_or(-1)
    }
}

/// The code of a service that is over.
const fn code(last: Option<Outcome>) -> u8 {
    const UNKNOWN: u8 = 111;
    match last {
        Some(Outcome::Exited(code)) => code,
        Some(Outcome::Killed(signal)) => 128_u8.wrapping_add(signal),
        Some(Outcome::Unknown) | None => UNKNOWN,
    }
}
