//! The judge of readiness and signs of life: what has said that it is ready is
//! on record as that before long, and nothing else is; what is late or silent
//! on purpose is ended for that, and nothing else is.

use crate::control::Sight;
use crate::events::{Event, What};
use crate::habits::{LATE, SILENT};
use crate::judges::Scene;
use crate::kinds::Kind;
use crate::spell::Spell;
use crate::status::{Own, Status};
use crate::terms::{life_every, ready_within};
use crate::wait::patient;
use upkeep_outside::wait::{MILLISECOND, SECOND};

const ABRT: u8 = 6;
const KILL: u8 = 9;
const TERM: u8 = 15;
/// How long a record may lag behind.
const LAG: u64 = 3 * SECOND;
/// The longest between two checks.
const CHECK: u64 = 5 * SECOND;
/// How long a word is waited for that may be lost.
const DOUBT: u64 = 10 * SECOND;
/// How long what was to get its signal from a supervise that was killed.
const DEAF: u64 = 5 * SECOND;
/// How much earlier than it should a process may seem to be late: it takes a
/// moment until it says that it runs.
const EARLY: u64 = 2 * SECOND;

/// What is known so far.
#[derive(Debug, Default)]
pub(crate) struct Health {
    run: Run,
    /// The one before, until it was judged for what it was ended.
    before: Option<Run>,
    spell: Spell<Wrong>,
}

/// A process that said that it runs.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    pid: i32,
    since: u64,
    ready: bool,
    /// Which fault it has on purpose, and since when.
    fault: Option<(u8, u64)>,
    /// Whether it ended by itself.
    ended: bool,
    /// How often the service had been started with it.
    starts: u32,
    /// Whether it was seen to be ready on record.
    seen_ready: bool,
}

/// What is wrong with a process. The next one may have the same fault at once,
/// and is given its own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wrong {
    what: Fault,
    pid: i32,
    /// How long it may be so.
    limit: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It said that it is ready, and is not on record.
    NotReady,
    /// It has a fault and lives on.
    NotEnded,
}

impl Health {
    pub(crate) fn hear(&mut self, event: &Event, scene: &Scene<'_>) {
        let Event { pid, when, .. } = *event;
        match event.what {
            What::Start { .. } => {
                self.is_early(when, scene);
                self.before = Some(self.run).filter(|r| r.pid != 0);
                self.run = Run { pid, since: when, ..Run::default() };
            }
            What::End { .. } if pid == self.run.pid => self.run.ended = true,
            What::Ready if pid == self.run.pid => self.run.ready = true,
            What::Fault { number } if pid == self.run.pid => {
                self.run.fault = Some((number, when));
            }
            What::End { .. }
            | What::Ready
            | What::Fault { .. }
            | What::Conflict
            | What::BrokenPipe
            | What::Trouble { .. }
            | What::Finish { .. }
            | What::Undo
            | What::Closed { .. }
            | What::Lacks { .. } => {}
        }
    }

    pub(crate) fn look(&mut self, sight: &Sight<'_>, scene: &Scene<'_>) {
        // The process lived when the status was written that names it.
        let named = sight.status.filter(|s| s.pid == self.run.pid && sight.process.is_some());
        let wrong = named.and_then(|status| self.seen(&status, scene));
        let touched = sight.service.main.touched();
        let lasts = self.spell.look(wrong, touched, sight.passed, |wrong| wrong.limit);
        if let Some(wrong) = lasts {
            scene.blame(&format!("{}, {:?}", wrong.words(), sight.status));
        }
    }

    /// The record of the process that runs.
    fn seen(&mut self, status: &Status, scene: &Scene<'_>) -> Option<Wrong> {
        let (kind, own) = (scene.service.make.kind, status.own);
        self.run.starts = own.starts;
        if own.blamed {
            self.blamed(&self.run, own.fault, scene);
        } else if let Some(before) = self.before.take() {
            self.judge_end(&before, &own, scene);
        }
        // A word that may be lost is taken for said.
        let doubtful = kind == Kind::Socket && scene.lost_supervise(self.run.since);
        if kind.says_ready() && own.ready {
            if !(self.run.ready || doubtful) {
                let pid = self.run.pid;
                scene.blame(&format!("{pid} is ready on record and never said so"));
            }
            if self.run.ready && !self.run.seen_ready {
                self.run.seen_ready = true;
                scene.report.figures().ready += 1;
            }
        }
        if self.run.ready && !own.ready {
            let doubt = if doubtful { doubt(scene) } else { 0 };
            let check = if kind == Kind::Check { CHECK } else { 0 };
            let limit = doubt + patient(check + LAG);
            return Some(Wrong { what: Fault::NotReady, pid: self.run.pid, limit });
        }
        let (fault, _) = self.run.fault.filter(|_| !doubtful)?;
        let within = if fault == LATE { ready_within() } else { life_every(kind) };
        let limit = within + patient(DEAF + LAG);
        Some(Wrong { what: Fault::NotEnded, pid: self.run.pid, limit })
    }

    /// What the process before was ended for, as the record of the next says.
    fn judge_end(&self, before: &Run, own: &Own, scene: &Scene<'_>) {
        if before.starts == 0 || own.starts != before.starts + 1 {
            // Another one was between them, and had no time for a fault.
            return;
        }
        if own.fault != 0 {
            self.blamed(before, own.fault, scene);
        }
        let Some((fault, _)) = before.fault else { return };
        let letter = scene.may_be_lettered(before.since);
        if before.ended || letter || scene.service.killed(before.pid).is_some() {
            return;
        }
        let lost = scene.lost_supervise(before.since);
        let signal = if fault == LATE { TERM } else { ABRT };
        // One that was ended while its supervise was killed is killed in the
        // end, and perhaps nobody has seen it.
        let known = own.last == (2, signal) || lost && matches!(own.last, (2, KILL) | (3, 0));
        if own.fault != fault || !known {
            let (pid, said, last) = (before.pid, own.fault, own.last);
            scene.blame(&format!("{pid} had fault {fault}, its record says {said}, {last:?}"));
        }
        let mut figures = scene.report.figures();
        let count = if fault == LATE { &mut figures.late } else { &mut figures.silent };
        *count += 1;
    }

    /// It is on record that a process is ended for this fault.
    fn blamed(&self, run: &Run, fault: u8, scene: &Scene<'_>) {
        if run.fault.map(|f| f.0) != Some(fault) {
            let pid = run.pid;
            scene.blame(&format!("{pid} was ended for fault {fault}, which it does not have"));
        }
    }

    /// A process was started: whether the one before can have been ended for
    /// its fault already.
    fn is_early(&self, when: u64, scene: &Scene<'_>) {
        let Some((fault, since)) = self.run.fault else { return };
        let letter = scene.may_be_lettered(self.run.since);
        if letter || scene.service.killed(self.run.pid).is_some() {
            return;
        }
        let within = if fault == SILENT {
            life_every(Kind::Silent)
        } else {
            ready_within().saturating_sub(patient(EARLY))
        };
        let passed = when.saturating_sub(since);
        if passed < within {
            let (pid, passed) = (self.run.pid, passed / MILLISECOND);
            scene.blame(&format!("{pid} was ended {passed} ms after its fault {fault} began"));
        }
    }
}

impl Wrong {
    /// For people.
    const fn words(self) -> &'static str {
        match self.what {
            Fault::NotReady => "it said that it is ready and is not on record",
            Fault::NotEnded => "it is late or silent and is not ended",
        }
    }
}

/// How long it takes until a word that may be lost is taken for said.
fn doubt(scene: &Scene<'_>) -> u64 {
    if scene.service.make.is_strict() { ready_within().max(DOUBT) } else { DOUBT }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_late_process_has_its_own_time() {
        // Each is ended after 6 s, and the next one is there before anybody has
        // looked; only the last one lives on.
        let mut spell = Spell::default();
        let mut look = |pid| {
            let late = Wrong { what: Fault::NotEnded, pid, limit: 14 * SECOND };
            (0..6).find_map(|_| spell.look(Some(late), 0, SECOND, |wrong| wrong.limit))
        };
        assert!([1, 2, 3, 4].into_iter().all(|pid| look(pid).is_none()));
        assert_eq!(look(4), None);
        assert_eq!(look(4).map(|wrong| wrong.pid), Some(4));
    }
}
