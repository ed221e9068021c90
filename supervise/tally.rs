//! The ends of the service on record for s6's programs, in a directory for s6.

use crate::supervise::keep::{Supervise, now, warn};
use crate::supervise::reach::complain;
use upkeep_core::dialect::Dialect;
use upkeep_core::record::Outcome;
use upkeep_core::tally::{DEFAULT, MOST, record};
use upkeep_servicedir::{forget_deaths, is_noted, note_death};
use upkeep_sys::point;

impl Supervise {
    /// Notes that the service's process has ended, before `finish` asks. If it
    /// was taken up, that may be noted already: a process ends once.
    pub(crate) fn tally(&self, outcome: Outcome, taken_up: bool) {
        let facts = self.reach.facts();
        if self.reach.dialect() != Dialect::S6 || taken_up && is_noted(self.since) {
            return;
        }
        let Some(record) = record(now(), outcome) else { return };
        let keep = facts.max_death_tally().unwrap_or_else(|trouble| {
            complain(self.dir, b"max-death-tally", b"using 100", trouble);
            None
        });
        if let Err(trouble) = note_death(&record, keep.unwrap_or(DEFAULT).min(MOST)) {
            warn(self.dir, trouble);
        }
        point!("death: tallied");
    }

    /// What was before the first start counts no more.
    pub(crate) fn begin_tally(&self) {
        if self.machine.starts == 0
            && self.reach.dialect() == Dialect::S6
            && let Err(trouble) = forget_deaths()
        {
            warn(self.dir, trouble);
        }
    }
}
