//! The judge of order among services: none starts without what it needs, and
//! none that was told to go has gone before those that need it. It goes by what
//! the services themselves tell, those that are needed and those that need, and
//! by what was seen of their processes.

use crate::events::{Event, What};
use crate::kinds::Kind;
use crate::moves::Role;
use crate::status::{NEEDING, Status, THERE, UP};
use crate::story::LETTERS;
use crate::ties::Ties;
use crate::wait::patient;
use crate::world::{Service, World};
use std::collections::VecDeque;
use upkeep_outside::wait::{MILLISECOND, SECOND, now};

const TERM: u8 = 15;
/// How long it may have been on record that what a service needs is not ready,
/// when that service was started.
const OLD: u64 = 2 * SECOND;
/// As long before and after a letter what is started may not have known of it.
const BEFORE: u64 = SECOND;
const AFTER: u64 = 3 * SECOND;
/// When it is known of everybody whether he was there at an end.
const KNOWN: u64 = 3 * SECOND;
/// A little less than those are waited for who have no supervise.
const DESERTED: u64 = 4500 * MILLISECOND;
/// As many lives are remembered.
const LIVES: usize = 32;

/// A letter that has a service go, and those before it that need it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Going {
    /// When there was the first of those that have the same purpose.
    pub(crate) begun: u64,
    pub(crate) sent: u64,
}

/// What is seen of a service at the beginning of a turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) supervised: bool,
    pub(crate) status: Option<Status>,
}

/// Whether there is something that the service has to wait for.
pub(crate) fn lacks(ties: &Ties, seen: &[Seen]) -> bool {
    let met = |m: &usize, waited_for: fn(&Status) -> bool| {
        seen[*m].supervised && seen[*m].status.is_some_and(|s| s.is_ready() || !waited_for(&s))
    };
    let up = |s: &Status| !(s.is_finished() && (s.own.over || s.want != b'u'));
    !(ties.needs.iter().all(|m| met(m, |_| true))
        && ties.wants.iter().all(|m| met(m, up))
        && ties.after.iter().all(|m| {
            met(m, |s| s.want != b'd' && !(s.is_finished() && (s.own.over || s.want != b'u')))
        }))
}

/// From a start to the last sign of life.
#[derive(Clone, Copy, Debug)]
struct Life {
    pid: i32,
    since: u64,
    /// The last sign of the process, and that of what follows on it.
    process: u64,
    last: u64,
    /// Whether it ends for another reason than that it was told.
    excused: bool,
    noted: bool,
}

/// The end of a process that was told to end.
#[derive(Clone, Copy, Debug)]
struct End {
    of: usize,
    at: u64,
}

/// What is known of all.
pub(crate) struct Order {
    lives: Vec<VecDeque<Life>>,
    waits: Vec<bool>,
    ends: Vec<End>,
}

impl Order {
    pub(crate) fn new(count: usize) -> Self {
        let lives = (0..count).map(|_| VecDeque::new()).collect();
        Self { lives, waits: vec![false; count], ends: Vec::new() }
    }

    /// The service `n` told something. `other` is when it was last sent a letter
    /// that ends its process and nobody else.
    pub(crate) fn hear(&mut self, n: usize, event: &Event, other: u64, world: &World) {
        let Event { pid, when, .. } = *event;
        let oneshot = world.services[n].make.kind == Kind::Oneshot;
        match event.what {
            What::Lacks { need, since } => {
                if u64::from(since) * MILLISECOND > patient(OLD) {
                    let facts =
                        format!("{pid} was started without {need}, for {since} ms not ready");
                    world.report.violation(world.services[n].name(), &facts);
                }
            }
            What::Start { .. } => {
                if self.lives[n].len() == LIVES {
                    self.lives[n].pop_front();
                }
                let life = Life {
                    pid,
                    since: when,
                    process: when,
                    last: when,
                    excused: false,
                    noted: false,
                };
                self.lives[n].push_back(life);
            }
            What::End { .. } | What::Fault { .. } => {
                self.sign(n, pid, when, true);
                if let Some(life) = self.lives[n].back_mut().filter(|l| l.pid == pid && !oneshot) {
                    life.excused = true;
                }
            }
            What::Ready => self.sign(n, pid, when, true),
            What::Finish { of, signal, .. } => {
                self.sign(n, of, when, false);
                if signal == TERM {
                    self.ended(n, of, when, other, world);
                }
            }
            What::Undo | What::Closed { of: 0 } => {
                let before = self.lives[n].back().map_or(0, |l| l.pid);
                self.sign(n, before, when, false);
                if event.what == What::Undo {
                    self.ended(n, before, when, 0, world);
                }
            }
            What::Closed { of } => self.sign(n, of, when, false),
            What::Conflict | What::BrokenPipe | What::Trouble { .. } => {}
        }
    }

    /// A sign of the life that began with this process.
    fn sign(&mut self, n: usize, pid: i32, when: u64, process: bool) {
        if let Some(life) = self.lives[n].iter_mut().rev().find(|l| l.pid == pid) {
            life.last = life.last.max(when);
            if process {
                life.process = life.process.max(when);
            }
        }
    }

    /// The service was looked at, first at that time. `alive`: its process that
    /// told of its start was found after that.
    pub(crate) fn look(
        &mut self,
        n: usize,
        (status, alive): (Option<Status>, bool),
        at: u64,
        other: u64,
        world: &World,
    ) {
        let Some(status) = status else { return };
        let waits = status.own.stage == NEEDING;
        if waits && !self.waits[n] {
            let mut figures = world.report.figures();
            figures.waits += 1;
            figures.asides += u64::from(status.own.last == (2, TERM));
        }
        self.waits[n] = waits;
        let Some(life) = self.lives[n].back().copied() else { return };
        if alive || status.own.stage == THERE {
            self.sign(n, life.pid, at, true);
        } else if status.own.stage != UP && status.own.last == (2, TERM) {
            self.ended(n, life.pid, now(), other, world);
        }
    }

    fn ended(&mut self, of: usize, pid: i32, at: u64, other: u64, world: &World) {
        let service = &world.services[of];
        let Some(life) = self.lives[of].back_mut().filter(|l| l.pid == pid && !l.noted) else {
            return;
        };
        life.noted = true;
        let lettered = other.saturating_add(LETTERS) > life.since;
        let killed = service.killed(pid).is_some_and(|when| when >= life.since);
        if life.excused || killed || lettered || !service.ties.is_needed() {
            return;
        }
        world.report.figures().ends += 1;
        self.ends.push(End { of, at });
    }

    /// Judges the ends of which all is known. `goings` are the letters that may
    /// have had a service go; `ending` is when everything was told to.
    pub(crate) fn judge(
        &mut self,
        until: u64,
        goings: &dyn Fn(usize) -> Vec<Going>,
        ending: Option<u64>,
        world: &World,
    ) {
        let known = |end: &End| end.at + patient(KNOWN) <= until;
        let ends: Vec<End> = self.ends.iter().copied().filter(|end| known(end)).collect();
        self.ends.retain(|end| !known(end));
        for end in ends {
            let mut goings = goings(end.of);
            goings.extend(ending.map(|at| Going { begun: at, sent: at }));
            let mut judged = false;
            for &first in &world.services[end.of].ties.go_first {
                let excuses =
                    Excuses { end, goings: &goings, service: &world.services[first], world };
                let there = self.lives[first].iter().filter(|l| l.since < end.at);
                for life in there {
                    judged |= life.last + AFTER > end.at;
                    if life.last > end.at && !excuses.hold_for(life) {
                        let name = world.services[end.of].name();
                        let late = (life.last - end.at) / MILLISECOND;
                        let facts = format!(
                            "{} needs {name} and was there {late} ms after its end",
                            life.pid
                        );
                        world.report.violation(world.services[first].name(), &facts);
                    }
                }
            }
            world.report.figures().judged_ends += u64::from(judged);
        }
    }
}

/// Why somebody may be there after the end of what he needs.
struct Excuses<'a> {
    end: End,
    goings: &'a [Going],
    service: &'a Service,
    world: &'a World,
}

impl Excuses<'_> {
    fn hold_for(&self, life: &Life) -> bool {
        let at = self.end.at;
        // Neither may have known of the other.
        let unknown = self.goings.iter().any(|g| {
            let (from, to) = (g.begun.saturating_sub(patient(BEFORE)), g.sent + patient(AFTER));
            (from..=to).contains(&life.since)
        });
        // Nobody knows that something is still to be tidied up.
        let late = life.process <= at && self.lost_supervise(at.saturating_sub(patient(AFTER)), at);
        let begun = self.goings.iter().map(|g| g.begun).filter(|&b| b <= at).max().unwrap_or(0);
        let deserted = at.checked_sub(DESERTED);
        let deserted =
            deserted.is_some_and(|to| self.lost_supervise(begun.saturating_sub(BEFORE), to));
        unknown || late || deserted
    }

    /// Whether the supervise was killed of the one who was there, or of a group
    /// that he needs.
    fn lost_supervise(&self, from: u64, to: u64) -> bool {
        let groups = self.service.ties.rests_on.iter().map(|&m| &self.world.services[m]);
        let groups = groups.filter(|s| s.make.kind == Kind::Group);
        groups.chain([self.service]).any(|s| s.was_killed(Role::Supervise, from, to))
    }
}
