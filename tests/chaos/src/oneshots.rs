//! The judge of what is done once: it is not done again before it was undone,
//! and not left done by a service that is down. One whose end nobody saw, or
//! that was told to end meanwhile, may not count as done.

use crate::control::Sight;
use crate::events::{Event, What};
use crate::judges::Scene;
use crate::moves::Role;
use crate::spell::Spell;
use crate::status::{DOWN, NEEDING, WAITING};
use crate::wait::patient;
use upkeep_outside::wait::{SECOND, now};

/// How long before it tells of its start it may have been started.
const BEFORE: u64 = SECOND / 2;
/// How long after its end it may not be on record that it is done.
const LAG: u64 = SECOND;
/// How long a service may be down and not undone.
const LEFT: u64 = 3 * SECOND;

/// What is known so far.
#[derive(Debug, Default)]
pub(crate) struct Oneshots {
    pid: i32,
    since: u64,
    /// When it was done, if it was and is.
    done: Option<u64>,
    left: Spell<()>,
}

impl Oneshots {
    pub(crate) fn hear(&mut self, event: &Event, scene: &Scene<'_>) {
        match event.what {
            What::Start { .. } => {
                if let Some(done) = self.certainly_done(event.when, scene) {
                    let (pid, before) = (event.pid, (event.when - done) / 1_000_000);
                    scene
                        .blame(&format!("{pid} does what was done {before} ms ago and not undone"));
                }
                (self.pid, self.since, self.done) = (event.pid, event.when, None);
            }
            What::End { code: 0 } if event.pid == self.pid => {
                scene.report.figures().done += 1;
                self.done = Some(event.when);
            }
            What::Undo => {
                scene.report.figures().undone += 1;
                self.done = None;
            }
            What::End { .. }
            | What::Conflict
            | What::BrokenPipe
            | What::Trouble { .. }
            | What::Ready
            | What::Fault { .. }
            | What::Finish { .. }
            | What::Closed { .. }
            | What::Lacks { .. } => {}
        }
    }

    pub(crate) fn look(&mut self, sight: &Sight<'_>, scene: &Scene<'_>) {
        let down = sight.status.is_some_and(|s| matches!(s.own.stage, DOWN | WAITING | NEEDING));
        let left = down && self.certainly_done(now(), scene).is_some();
        let touched = sight.service.main.touched();
        if self.left.look(left.then_some(()), touched, sight.passed, |()| patient(LEFT)).is_some() {
            scene.blame(&format!("is down and not undone, {:?}", sight.status));
        }
    }

    /// Everything has ended as it should.
    pub(crate) fn conclude(&self, scene: &Scene<'_>) {
        if self.certainly_done(now(), scene).is_some() {
            scene.blame("ended and was not undone");
        }
    }

    /// When it was done, if that must be known to its supervise, and nothing
    /// that undoes it was killed until then.
    fn certainly_done(&self, until: u64, scene: &Scene<'_>) -> Option<u64> {
        let done = self.done?;
        let (from, to) = (self.since.saturating_sub(patient(BEFORE)), done + patient(LAG));
        let unseen = scene.service.was_killed(Role::Supervise, from, to)
            || scene.service.killed(self.pid).is_some_and(|when| when >= self.since);
        let told = scene.goings.iter().any(|g| g.sent > from && g.begun < to)
            || scene.ending.is_some_and(|at| at < to);
        let undone = scene.service.was_killed(Role::Finish, done, until);
        (!unseen && !told && !undone).then_some(done)
    }
}
