//! The judge of services that are started later after each failure: not before
//! the delay has passed since the end, and not much later, whoever is killed
//! meanwhile. Not before goes by what the service tells, which is a moment
//! before its end and a moment after its start. Not later goes by time that
//! passes while there is a svscan.

use crate::control::Sight;
use crate::events::{Event, What};
use crate::judges::Scene;
use crate::terms::delay;
use crate::wait::patient;
use upkeep_outside::wait::{MILLISECOND, SECOND};

/// How much later a start may come.
const LATER: u64 = 3 * SECOND;
/// Longer than the processes of this kind run: what was before may be
/// forgotten.
const LONG: u64 = 9 * SECOND;

/// What is known so far.
#[derive(Debug, Default)]
pub(crate) struct Delays {
    pid: i32,
    since: u64,
    /// When it said that it ends, and with what.
    ended: Option<(u64, u8)>,
    /// How many failures there were in a row, at least and at most.
    failures: (u32, u32),
    /// Of what runs, or ran last.
    starts: u32,
    /// How long nothing has run.
    passed: u64,
    told: bool,
}

impl Delays {
    pub(crate) fn hear(&mut self, event: &Event, scene: &Scene<'_>) {
        match event.what {
            What::Start { .. } => {
                let end = self.end(scene);
                if self.pid != 0 {
                    self.count(event.when, scene);
                }
                if let Some(end) = end {
                    let (passed, least) = (event.when.saturating_sub(end), delay(self.failures.0));
                    if passed < least {
                        let (passed, least) = (passed / MILLISECOND, least / MILLISECOND);
                        let failures = self.failures.0;
                        scene.blame(&format!(
                            "was started {passed} ms after failure {failures}, not {least} ms"
                        ));
                    }
                    scene.report.figures().delays += 1;
                }
                let failures = self.failures;
                *self = Self { pid: event.pid, since: event.when, failures, ..Self::default() };
            }
            What::End { code } if event.pid == self.pid => self.ended = Some((event.when, code)),
            What::End { .. }
            | What::Conflict
            | What::BrokenPipe
            | What::Trouble { .. }
            | What::Ready
            | What::Fault { .. }
            | What::Finish { .. }
            | What::Undo
            | What::Closed { .. }
            | What::Lacks { .. } => {}
        }
    }

    pub(crate) fn look(&mut self, sight: &Sight<'_>, scene: &Scene<'_>) {
        let Some(status) = sight.status else { return };
        if status.pid == self.pid {
            self.starts = status.own.starts;
        }
        let others = status.own.starts.saturating_sub(self.starts);
        if self.end(scene).is_none() || self.starts == 0 || others > 0 {
            // One that did not come to tell has had its own delay.
            self.passed = 0;
            return;
        }
        self.passed += sight.passed;
        let most = delay(self.most(scene));
        if self.passed > most + most / 10 + patient(LATER) && !self.told {
            self.told = true;
            let (passed, most) = (self.passed / MILLISECOND, most / MILLISECOND);
            scene.blame(&format!("is not started {passed} ms after a failure, {most} ms at most"));
        }
    }

    /// When the last process ended, or right before.
    fn end(&self, scene: &Scene<'_>) -> Option<u64> {
        let killed = scene.service.killed(self.pid).filter(|&when| when >= self.since);
        self.ended.map(|e| e.0).or(killed)
    }

    /// Counts the last end; `next` is when the next process was started.
    fn count(&mut self, next: u64, scene: &Scene<'_>) {
        let certain = self.is_certain(scene);
        let succeeded = matches!(self.ended, Some((_, 0)));
        let forgotten = next.saturating_sub(self.since) > LONG;
        self.failures.1 = if succeeded && certain { 0 } else { self.most(scene) };
        self.failures.0 = if succeeded || forgotten { 0 } else { self.failures.0 + 1 };
    }

    /// How many failures in a row the last end makes at most.
    fn most(&self, scene: &Scene<'_>) -> u32 {
        let succeeded = matches!(self.ended, Some((_, 0)));
        if succeeded && self.is_certain(scene) { 0 } else { self.failures.1 + 1 }
    }

    /// Whether it is as the process has said.
    fn is_certain(&self, scene: &Scene<'_>) -> bool {
        scene.service.killed(self.pid).is_none() && !scene.lost_supervise(self.since)
    }
}
