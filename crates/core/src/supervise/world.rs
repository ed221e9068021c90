//! A world around the service's machine: processes that live and die, a disk
//! that fails, a supervise that is killed; and what must hold in it.

mod follow;
mod letters;
mod order;
mod prepare;

use super::*;
use crate::control::{Command, Signal};
use crate::record::{Boot, Identity, Record, Stage};
use crate::status::Status;
use crate::tai::Tai64n;

pub(super) use letters::{FOLLOWING, LETTERS, Letter, SIGNS};
pub(super) use order::ORDER;
pub(super) use prepare::PREPARING;

const BOOT: Boot = [7; 16];

/// The shell around the machine, and what it has seen.
#[derive(Clone)]
pub(super) struct World {
    pub(super) machine: Machine,
    pub(super) plan: Plan,
    pub(super) now: u64,
    pub(super) alive: Option<u32>,
    /// The service that a process has left behind, and that is looked for.
    pub(super) hidden: Option<u32>,
    /// Whether it can be found.
    pub(super) shows: bool,
    /// The process of `finish` or `stop`.
    pub(super) finish: Option<u32>,
    /// The process of what runs before.
    pub(super) preparing: Option<u32>,
    /// Whether it has, for this start.
    pub(super) prepared: bool,
    /// Whether the service has come up since it was down for good.
    pub(super) begun: bool,
    /// Whether there is nothing to run.
    pub(super) without_run: bool,
    /// Whether something that it needs is not there, and whether that was told
    /// to be down.
    pub(super) lacking: bool,
    pub(super) told_down: bool,
    /// Whether some that need it are up.
    pub(super) dependents: bool,
    /// What the last signal was for.
    pub(super) jumps: bool,
    /// Whether the oneshot has been done, and not been undone.
    pub(super) done: bool,
    /// How many times `stop` has run.
    pub(super) stops: u32,
    /// How many times it has run, and how many times it had to.
    pub(super) finishes: [u32; 2],
    /// Whether a check runs.
    pub(super) checking: bool,
    pub(super) leftovers: bool,
    pub(super) next_pid: u32,
    pub(super) fork_fails: bool,
    pub(super) status_fails: bool,
    pub(super) starts: u32,
    pub(super) last_start: Option<u64>,
    /// What was written last.
    pub(super) record: Record,
    /// Process, want and paused, as last written.
    pub(super) written: Option<(u32, Want, bool)>,
    /// Whether the process holds the lock, because it could not be recorded.
    pub(super) locked: bool,
    pub(super) gone: bool,
    /// Ends that count since there was a `u` or `o` without a process.
    pub(super) deaths: u16,
    /// Told to be down, or that one start was enough, and no `u` or `o` since.
    pub(super) must_stay_down: bool,
}

impl World {
    pub(super) fn new(up: bool, plan: Plan) -> Self {
        Self::with(up, plan, false)
    }

    pub(super) fn without_run(plan: Plan) -> Self {
        Self::with(true, plan, true)
    }

    fn with(up: bool, plan: Plan, without_run: bool) -> Self {
        let machine = Machine { plan, ..Machine::new(up, 0) };
        let mut world = Self {
            machine,
            plan,
            now: 0,
            alive: None,
            hidden: None,
            shows: false,
            finish: None,
            preparing: None,
            prepared: false,
            begun: false,
            without_run,
            lacking: false,
            told_down: false,
            dependents: false,
            jumps: false,
            done: false,
            stops: 0,
            finishes: [0; 2],
            checking: false,
            leftovers: false,
            next_pid: 100,
            fork_fails: false,
            status_fails: false,
            starts: 0,
            last_start: None,
            record: record(&machine, false),
            written: Some((0, machine.want, false)),
            locked: false,
            gone: false,
            deaths: 0,
            must_stay_down: !up,
        };
        world.tick();
        world
    }

    /// Time has passed, until nothing is due any more.
    pub(super) fn tick(&mut self) {
        for _ in 0..5 {
            self.feed(Event::Tick);
            if self.gone || self.machine.deadline().is_none_or(|at| at > self.now) {
                return;
            }
        }
        assert!(self.leftovers, "spins: {self:?}");
    }

    pub(super) fn feed(&mut self, event: Event) {
        let (machine, actions) = self.machine.step(event, self.now);
        self.machine = machine;
        for action in actions {
            assert!(!self.gone, "{action:?} after the end");
            match action {
                Action::Stamp | Action::StampSwitch | Action::StampReady | Action::Renew => {}
                Action::Announce | Action::Intend if self.status_fails => {
                    self.feed(Event::NotAnnounced);
                }
                Action::Announce => self.write(false),
                Action::Intend => self.write(true),
                Action::Start if self.lacking && !self.machine.prepared => {
                    self.feed(Event::Lacking(None));
                }
                Action::Start if self.plan.kind == Kind::Group => self.feed(Event::NothingToRun),
                Action::Start if self.machine.prepares() => self.prepare(),
                Action::Start if self.without_run => {
                    assert!(self.begun, "nothing has come up");
                    self.feed(Event::NothingToRun);
                }
                Action::Start => self.start(),
                Action::Finish => self.finish(),
                Action::Look => self.look_around(),
                Action::Yield => self.look_back(),
                Action::Follow => self.look(),
                Action::Check => {
                    assert!(!self.checking && self.alive.is_some(), "two checks, or of nobody");
                    self.checking = true;
                }
                Action::StopCheck => {
                    assert!(self.checking, "no check to stop");
                    self.checking = false;
                }
                Action::Blame(fault) => {
                    assert!(self.status_fails || self.record.own.blamed, "not on record");
                    assert_eq!(self.machine.history.fault, fault);
                    assert!(!self.machine.told && !self.machine.paused, "unjust");
                }
                Action::Send(_) | Action::Wake | Action::After(_) | Action::KillLate => {
                    let down = action == Action::Send(Signal::Down);
                    assert!(!down || !self.dependents || self.jumps, "out of order");
                    let ends = [Signal::Down, Signal::Terminate].map(Action::Send);
                    self.machine.terminated |= ends.contains(&action);
                    assert!(self.anybody().is_some(), "a signal to nobody");
                }
                Action::Clear if self.leftovers => self.feed(Event::NotCleared),
                Action::Clear => self.feed(Event::Cleared),
                Action::Exit => {
                    assert_eq!(self.process(), None, "left with a process");
                    assert!(!self.leftovers || !self.plan.clears, "left with leftovers");
                    self.gone = true;
                }
            }
        }
    }

    pub(super) fn write(&mut self, intent: bool) {
        self.record = record(&self.machine, intent);
        let paused = self.machine.paused && self.is_stoppable();
        self.written = Some((self.machine.pid(), self.machine.want, paused));
    }

    pub(super) fn start(&mut self) {
        assert_eq!(self.anybody(), None, "two at once");
        assert!(self.begun || self.plan.before != Before::First, "what is first was not");
        assert!(self.prepared || self.plan.before != Before::Always, "unprepared");
        self.prepared = false;
        assert!(!self.leftovers || !self.plan.clears, "started beside leftovers");
        assert!(!self.must_stay_down, "started though it was to be down");
        assert_eq!(self.machine.history.reason, Reason::None, "started though that was over");
        assert!(!self.machine.exiting, "started on the way out");
        if self.fork_fails {
            return self.feed(Event::NotStarted);
        }
        if let Some(last) = self.last_start {
            assert!(self.now - last >= BETWEEN_STARTS, "two starts in a second");
        }
        assert!(!self.lacking || self.machine.prepared, "started without what it needs");
        assert!(!self.done || !self.plan.stops, "done twice");
        self.done = false;
        self.begun = true;
        self.last_start = Some(self.now);
        self.starts += 1;
        self.next_pid += 1;
        let pid = self.next_pid;
        // As the child does it: first the record, then the process.
        let (will_be, _) = self.machine.step(Event::Started(pid), self.now);
        if !self.status_fails {
            self.record = record(&will_be, false);
            self.written = Some((pid, will_be.want, false));
        }
        self.locked = self.status_fails;
        self.alive = Some(pid);
        self.feed(Event::Started(pid));
        if self.status_fails {
            self.feed(Event::NotAnnounced);
        }
        // What it needs may have been told to go down before this was on record.
        self.look_around();
    }

    pub(super) fn finish(&mut self) {
        assert_eq!(self.process(), None, "finish beside another");
        let over = self.machine.exiting || self.machine.want != Want::Up;
        if self.plan.kind == Kind::Oneshot {
            assert!(self.plan.stops && self.done, "nothing to undo");
            self.done = false;
        } else if !self.plan.finishes {
            assert!(self.plan.stops && self.begun && over, "a stop of nothing");
        }
        self.begun &= !over;
        assert!(!self.leftovers || !self.plan.clears, "finish beside leftovers");
        if self.fork_fails {
            self.finishes[1] -= u32::from(self.plan.finishes);
            return self.feed(Event::NotFinishing);
        }
        self.next_pid += 1;
        let pid = self.next_pid;
        let (will_be, _) = self.machine.step(Event::Finishing(pid), self.now);
        if !self.status_fails {
            self.record = record(&will_be, false);
            self.written = Some((pid, will_be.want, false));
        }
        self.locked = self.status_fails;
        self.finish = Some(pid);
        self.finishes[0] += u32::from(self.plan.finishes);
        self.stops += u32::from(!self.plan.finishes);
        self.feed(Event::Finishing(pid));
        if self.status_fails {
            self.feed(Event::NotAnnounced);
        }
    }

    /// The next supervise begins with what the record says.
    pub(super) fn begin(&mut self) {
        // One that cannot be claimed is not begun, and one whose last step
        // could not be written is not what this is about.
        let locked = self.locked && self.process().is_some();
        let yields = self.machine.yielding != Yielding::No;
        if self.gone || locked || !(self.is_current() || self.record.own.intent && !yields) {
            return;
        }
        let bytes = self.record.encode();
        let record = Record::of_this_boot(&bytes, &BOOT).expect("whole");
        let machine = Machine::resume(&record, self.plan, self.now);
        let own = record.own;
        let machine = machine.expect("not over");
        if own.stage == Stage::Up {
            assert_eq!(machine.pid(), own.process.pid);
            assert!(self.alive.is_none_or(|pid| pid == own.process.pid), "a stranger");
        } else {
            assert_eq!(self.alive, None, "a process that nobody knows of");
            let following = own.stage == Stage::Following;
            assert!(self.hidden.is_none() || following, "a service that nobody looks for");
            let preparing = own.stage == Stage::Preparing;
            assert!(self.preparing.is_none() || preparing, "one that nobody knows of");
            let finishing = own.stage == Stage::Finishing;
            assert!(self.finish.is_none() || finishing, "a finish that nobody knows of");
        }
        self.machine = machine;
        // It goes with the supervise that has made it.
        self.checking = false;
        if own.stage == Stage::Up && self.alive.is_none() {
            self.feed(Event::Died(Outcome::Unknown));
        } else if own.stage == Stage::Finishing && self.finish.is_none() {
            self.feed(Event::Finished(Outcome::Unknown));
        } else if own.stage == Stage::Preparing && self.preparing.is_none() {
            self.feed(Event::Prepared(Outcome::Unknown));
        } else if own.intent {
            self.feed(self.machine.intended());
        }
        self.tick();
    }

    pub(super) fn read(&mut self, letter: Letter) {
        self.now += 1_000_000;
        self.jumps = matches!(letter, Letter::Told(Command::Restart) | Letter::Passes(_));
        self.machine.plan.needed = self.plan.needed && self.dependents;
        self.forget_what_is_over();
        match letter {
            Letter::Told(command) => {
                if matches!(command, Command::Up | Command::Once) {
                    self.must_stay_down = false;
                    if self.alive.is_none() {
                        self.deaths = 0;
                    }
                } else if command == Command::Down {
                    self.must_stay_down = true;
                }
                self.feed(Event::Told(command));
            }
            Letter::Lacks | Letter::Loses | Letter::Needed => self.turn(letter),
            Letter::Called => {
                let exits = self.machine.exiting;
                self.must_stay_down &= exits;
                if self.alive.is_none() && self.machine.want != Want::Up && !exits {
                    self.deaths = 0;
                }
                self.feed(Event::Called);
            }
            Letter::Done => {
                if self.alive.take().is_some() {
                    self.ends_well();
                    self.feed(Event::Died(Outcome::Exited(0)));
                }
            }
            Letter::Forks => {
                if let Some(pid) = self.alive.take() {
                    self.leave(pid);
                    self.feed(Event::Died(Outcome::Exited(0)));
                }
            }
            Letter::ForksUnseen => {
                if self.is_current() && !self.locked {
                    if let Some(pid) = self.alive.take() {
                        self.leave(pid);
                    }
                    self.begin();
                }
            }
            Letter::Shows => {
                self.shows = !self.shows;
                self.feed(Event::Stirred);
            }
            Letter::Dies => {
                if self.alive.take().is_some() {
                    self.end();
                    self.feed(Event::Died(Outcome::Exited(1)));
                } else if self.hidden.take().is_some() {
                    self.feed(Event::Stirred);
                } else if self.finish.take().is_some() {
                    self.feed(Event::Finished(Outcome::Exited(0)));
                } else if self.preparing.take().is_some() {
                    (self.begun, self.prepared) = (true, true);
                    self.feed(Event::Prepared(Outcome::Exited(0)));
                }
            }
            Letter::Fails => {
                if self.preparing.take().is_some() {
                    self.prepared = true;
                    self.feed(Event::Prepared(Outcome::Exited(1)));
                }
            }
            Letter::Leftovers => {
                self.leftovers = !self.leftovers && self.alive.is_some();
                self.feed(Event::Stirred);
            }
            Letter::Said(word) => self.feed(Event::Said(word)),
            Letter::CheckEnds(succeeds) => {
                if core::mem::take(&mut self.checking) {
                    self.feed(Event::Checked(Some(succeeds)));
                }
            }
            Letter::ForkFails => self.fork_fails = !self.fork_fails,
            Letter::StatusFails => self.status_fails = !self.status_fails,
            Letter::Killed => self.begin(),
            Letter::KilledBoth => {
                // What is not on record yet is another letter's business.
                if self.is_current() {
                    self.locked = false;
                    let was = self.alive.take().is_some();
                    self.hidden = None;
                    // Whether there is something to follow is seen later.
                    if was && (self.plan.follow_within == 0 || self.has_ended()) {
                        self.end();
                    }
                    self.finish = None;
                    self.prepared |= self.preparing.take().is_some();
                    self.begin();
                }
            }
            Letter::Passes(time) => {
                self.now += time;
                self.tick();
            }
        }
        self.check(letter);
    }

    pub(super) fn end(&mut self) {
        let counts = self.machine.want == Want::Up && !self.machine.told;
        self.deaths += u16::from(counts && self.plan.restart.limit.is_some());
        if self.machine.want == Want::Once {
            self.must_stay_down = true;
        }
        self.finishes[1] += u32::from(self.plan.finishes);
    }

    pub(super) fn is_current(&self) -> bool {
        self.record == record(&self.machine, false)
    }

    pub(super) fn is_written(&self) -> bool {
        let paused = self.machine.paused && self.is_stoppable();
        self.written == Some((self.machine.pid(), self.machine.want, paused))
    }

    pub(super) fn check(&self, letter: Letter) {
        let machine = &self.machine;
        let process = self.process();
        assert_eq!(machine.pid(), process.unwrap_or(0), "after {letter:?}");
        assert_ne!(machine.phase, Phase::Starting, "the answer was given");
        assert_ne!(machine.phase, Phase::Closing, "the answer was given");
        // Once for each end, or about to be.
        let due = matches!(machine.phase, Phase::Clearing(_)) && self.plan.finishes;
        let [done, owed] = self.finishes;
        assert!(done == owed || due && done + 1 == owed, "{done} finishes of {owed}");
        assert_eq!(machine.phase == Phase::Gone, self.gone);
        self.check_stopped();
        if self.gone {
            return;
        }
        self.check_health();
        let following = matches!(machine.phase, Phase::Following(_));
        assert_eq!(following, self.hidden.is_some(), "{self:?}");
        self.check_order();
        let waits = matches!(machine.phase, Phase::Needing(None) | Phase::There);
        // Wanted up and not up means that a start is due, and soon or when the
        // directory says.
        if machine.want == Want::Up && process.is_none() && !waits {
            let due = machine.deadline().expect("waits for ever");
            let patience = u64::from(self.plan.restart.patience()) * 1_000_000;
            assert!(due <= self.now + RETRY.max(BETWEEN_STARTS + patience));
        }
        // Failed means that no start is due, until there is a `u` or `o`.
        if machine.history.reason != Reason::None {
            assert_eq!(machine.want, Want::Down);
            let due = Phase::Preparing(machine.pid());
            assert!(!matches!(
                machine.phase,
                Phase::Waiting(_) | Phase::Up(_) | Phase::Following(_)
            ));
            assert_ne!(machine.phase, due);
        }
        // Whoever is killed, no end is forgotten and none counts twice.
        assert_eq!(machine.history.deaths, self.deaths);
        if let Some(limit) = self.plan.restart.limit {
            assert!(self.deaths <= limit.deaths);
            let gave_up = machine.history.reason == Reason::GaveUp;
            assert_eq!(gave_up, self.deaths == limit.deaths, "{self:?}");
        }
        // A service that is told to be down and is not is killed in time.
        if self.plan.kill_after > 0 && machine.told && machine.want == Want::Down {
            let since_told = machine.deadline().is_none_or(|at| at <= self.now + RETRY);
            assert!(since_told, "killed too late");
        }
        // What is written is true, or writing it is due.
        if !self.is_written() {
            assert!(machine.deadline().is_some_and(|at| at <= self.now + RETRY), "{self:?}");
        }
    }
}

impl World {
    /// What is asked of the process is due, and what has failed is ended.
    fn check_health(&self) {
        let health = &self.machine.health;
        let asked = self.alive.is_some() && !self.machine.told && !self.machine.paused;
        let there = self.alive.or(self.hidden).is_some();
        assert!(!health.awaited && !health.blamed || there);
        assert!(!self.checking || self.alive.is_some(), "a check of nobody");
        let within =
            |time: u64| health.deadline().is_some_and(|at| at <= self.now.saturating_add(time));
        if health.blamed {
            let at = self.machine.deadline();
            assert!(at.is_none_or(|at| at <= self.now + 5 * SECOND), "{self:?}");
            assert_ne!(self.machine.history.fault, crate::restart::Fault::None);
        } else if asked && !health.awaited && health.every > 0 {
            assert!(within(health.every), "nobody waits for a sign of life: {self:?}");
        } else if asked && !health.awaited && self.plan.check_every > 0 && !self.checking {
            assert!(within(self.plan.check_every), "nobody checks: {self:?}");
        }
    }
}

pub(super) fn record(machine: &Machine, intent: bool) -> Record {
    let process = Identity { pid: machine.pid(), started: 1, ..Identity::default() };
    Record {
        status: Status {
            since: Tai64n { seconds: 0, nanos: 0 },
            pid: machine.pid(),
            paused: machine.paused,
            want: machine.want,
            terminating: machine.terminated,
            finishing: matches!(machine.phase, Phase::Finishing(_)),
        },
        own: machine.own(BOOT, process, Tai64n::default(), intent),
    }
}

impl core::fmt::Debug for World {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?} written {:?}", self.machine, self.written)
    }
}
