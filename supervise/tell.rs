//! Telling encore's `notify` what becomes of the processes. It runs aside, and
//! nobody waits for it.

use crate::supervise::keep::{Supervise, TOOL};
use crate::supervise::process::{aside, word};
use core::ffi::CStr;
use upkeep_core::record::Outcome;
use upkeep_core::supervise::Phase;
use upkeep_servicedir::{is_logger, names};

impl Supervise {
    /// The process that is on record now was started.
    pub(crate) fn tell_start(&mut self, pid: u32) {
        self.tell_of(c"start", pid, 0);
    }

    /// The process that is on record has ended.
    pub(crate) fn tell_end(&mut self, outcome: Outcome) {
        let (how, code) = match outcome {
            Outcome::Exited(code) => (c"exit", code),
            Outcome::Killed(signal) => (c"killed", signal),
            Outcome::Unknown => (c"killed", 0),
        };
        self.tell_of(how, self.watch.identity().pid, code);
    }

    fn tell_of(&mut self, event: &CStr, pid: u32, code: u8) {
        let name = match self.machine.phase {
            Phase::Preparing(_) => c"start",
            Phase::Up(_) if is_logger() => c"log",
            Phase::Up(_) => c"run",
            Phase::Finishing(_) if !self.machine.plan.finishes => c"stop",
            Phase::Down
            | Phase::Waiting(_)
            | Phase::Needing(_)
            | Phase::Starting
            | Phase::Following(_)
            | Phase::There
            | Phase::Closing
            | Phase::Finishing(_)
            | Phase::Clearing(_)
            | Phase::Gone => return,
        };
        if !self.reach.facts().tells(self.reach.dialect()) {
            return;
        }
        let (pid, code) = (word(i64::from(pid)), word(i64::from(code)));
        let text = |word| CStr::from_bytes_until_nul(word).unwrap_or_default();
        let args = [names::TELL, name, event, text(&pid), text(&code)];
        if !self.has_room_aside() {
            return TOOL.warn(&[b"not starting ", self.dir.to_bytes(), b"/notify: ", BUSY]);
        }
        match aside(&args, self.dir) {
            Ok(pid) => self.set_aside(pid),
            Err(why) => {
                TOOL.warn_os(&[b"unable to fork for ", self.dir.to_bytes(), b"/notify: "], why);
            }
        }
    }
}

const BUSY: &[u8] = b"too many of it are still running";
