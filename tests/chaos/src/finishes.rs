//! The judge of `finish`: it runs once after each end, before the next start,
//! and is told how the process ended. It goes by the order in which the
//! service and its `finish` tell, which is the order in which they ran; that
//! nothing runs beside another, their lock sees to. One that was killed before
//! it could tell has run.

use crate::events::{Event, What};
use crate::judges::Scene;
use crate::moves::Role;
use crate::terms;
use std::collections::BTreeSet;

const TERM: u8 = 15;
const KILL: u8 = 9;

/// What is known so far.
#[derive(Debug, Default)]
pub(crate) struct Finishes {
    run: Option<Run>,
    /// Those that told that they run since it did.
    told: BTreeSet<i32>,
    /// Processes that did not come to tell of their start and had one.
    unknown: BTreeSet<i32>,
}

/// The last process that said that it runs.
#[derive(Clone, Copy, Debug)]
struct Run {
    pid: i32,
    since: u64,
    /// What it ended with by itself.
    code: Option<u8>,
    finished: bool,
}

impl Finishes {
    pub(crate) fn hear(&mut self, event: &Event, scene: &Scene<'_>) {
        match event.what {
            What::Start { .. } => {
                if let Some(run) = self.unfinished(scene) {
                    let (pid, before) = (event.pid, run.pid);
                    scene.blame(&format!("{pid} was started without a finish for {before}"));
                }
                let (pid, since) = (event.pid, event.when);
                let run = Run { pid, since, code: None, finished: false };
                *self = Self { run: Some(run), ..Self::default() };
            }
            What::End { code } => {
                if let Some(run) = self.run.as_mut().filter(|r| r.pid == event.pid) {
                    run.code = Some(code);
                }
            }
            What::Finish { of, code, signal } => {
                scene.report.figures().finishes += 1;
                self.told.insert(event.pid);
                match self.run {
                    Some(run) if run.pid == of => self.finished(run, (code, signal), scene),
                    Some(_) | None => self.finished_unknown((of, signal), event.when, scene),
                }
            }
            What::Conflict
            | What::BrokenPipe
            | What::Trouble { .. }
            | What::Ready
            | What::Fault { .. }
            | What::Undo
            | What::Closed { .. }
            | What::Lacks { .. } => {}
        }
    }

    /// Nothing runs any more.
    pub(crate) fn conclude(&self, scene: &Scene<'_>) {
        if let Some(run) = self.unfinished(scene) {
            scene.blame(&format!("it ended without a finish for {}", run.pid));
        }
    }

    /// The last process, if it should have had its `finish`.
    fn unfinished(&self, scene: &Scene<'_>) -> Option<Run> {
        let run = self.run.filter(|r| !r.finished)?;
        let killed = scene.service.killed_as(Role::Finish, run.since);
        killed.iter().all(|pid| self.told.contains(pid)).then_some(run)
    }

    fn finished(&mut self, run: Run, told: (i16, u8), scene: &Scene<'_>) {
        let of = run.pid;
        if run.finished {
            scene.blame(&format!("a second finish ran for {of}"));
        }
        self.run = Some(Run { finished: true, ..run });
        let signalled = terms::killed(&scene.service.make);
        let killed = scene.service.killed(of).is_some();
        let letter = scene.may_be_lettered(run.since);
        let known = match told {
            (code, 0) if run.code.is_some_and(|c| i16::from(c) == code) => true,
            (code, KILL) if code == signalled => killed,
            (code, TERM) if code == signalled => letter || scene.ending.is_some(),
            // Whoever could have seen it was killed.
            (code, 0) if code == signalled => {
                scene.report.figures().unseen_ends += 1;
                scene.lost_supervise(run.since)
            }
            _ => false,
        };
        if !known {
            let ended = run.code.map_or("not end by itself".to_owned(), |c| format!("exit {c}"));
            let facts = format!("finish for {of} was told {told:?}, but it did {ended}");
            scene.blame(&facts);
        }
    }

    /// One that was killed before it told of its start, by a letter too, or that
    /// ended because its supervise was.
    fn finished_unknown(&mut self, (of, signal): (i32, u8), when: u64, scene: &Scene<'_>) {
        let before = self.unfinished(scene);
        if let Some(run) = before {
            scene.blame(&format!("finish ran for {of} and not for {}", run.pid));
        }
        let since = self.run.map_or(0, |r| r.since);
        let is_lettered = signal == TERM && scene.may_be_lettered(when);
        if !is_lettered && scene.service.killed(of).is_none() && !scene.lost_supervise(since) {
            scene.blame(&format!("finish ran for {of}, which never did"));
        }
        if !self.unknown.insert(of) {
            scene.blame(&format!("a second finish ran for {of}"));
        }
        if let Some(run) = &mut self.run {
            run.finished = true;
        }
    }
}
