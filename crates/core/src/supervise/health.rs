//! How the process does, beyond that it runs: whether it is ready, whether it
//! gives signs of life, whether its check succeeds. What is due is a deadline,
//! and what is not there in time is a fault, for which the process is ended.

use super::{Action, Actions, MILLISECOND, Machine, Phase, Plan, SECOND};
use crate::control::Signal;
use crate::record::{Own, Stage};
use crate::restart::Fault;

/// The delay between the first two looks at a service that is to become ready.
const FIRST: u64 = SECOND / 20;
/// What that grows to.
const LONGEST: u64 = 5 * SECOND;
/// How long a process that is ended for a fault may take where the directory
/// does not say.
const PATIENCE: u64 = 5 * SECOND;
/// On record, that no sign of life is due although the directory asks for one.
const NEVER: u32 = u32::MAX;
/// How long is waited for a word that may have been said while nobody heard.
const DOUBT: u64 = 10 * SECOND;

/// How it is known that a service is ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadyBy {
    /// It is as soon as it runs.
    #[default]
    Run,
    /// It writes a newline to a descriptor, which keeps it.
    Descriptor,
    /// It says so on its socket, where only who listens hears it.
    Socket,
    /// Its check succeeds.
    Check,
    /// It has done what there was to do.
    End,
}

impl ReadyBy {
    /// Reads the content of the file.
    #[must_use]
    pub fn parse(content: &[u8]) -> Option<Self> {
        match content.trim_ascii() {
            b"run" => Some(Self::Run),
            b"fd" => Some(Self::Descriptor),
            b"notify" => Some(Self::Socket),
            b"check" => Some(Self::Check),
            _ => None,
        }
    }
}

/// What a process can say of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// That it is ready.
    Ready,
    /// That it is not for a while, because it reads its configuration.
    Reloading,
    /// That it is about to end.
    Stopping,
    /// That it lives.
    Alive,
    /// That it is to be treated as if it did not.
    Hung,
    /// How often it will say that it lives, in nanoseconds; 0 for never.
    Every(u64),
    /// That what it is doing takes so many nanoseconds more.
    Extend(u64),
}

/// The check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Check {
    /// None is due.
    #[default]
    Idle,
    /// One is due at this time.
    Due(u64),
    /// One runs, and is ended at this time.
    Running(u64),
}

/// What is known of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Whether it is to be ready, and is not.
    pub awaited: bool,
    /// Whether it is being ended for a fault, which the history names.
    pub blamed: bool,
    /// How often it is to give a sign of life, in nanoseconds; 0 for never.
    pub every: u64,
    /// Whether it has said that it ends.
    stopping: bool,
    /// Whether what it said may have been lost.
    doubted: bool,
    ready_by: Option<u64>,
    life_by: Option<u64>,
    check: Check,
    /// How many checks have failed in a row.
    missed: u8,
}

impl Health {
    /// Of a process of which nothing is asked.
    pub(super) const UNKNOWN: Self = Self {
        awaited: false,
        blamed: false,
        every: 0,
        stopping: false,
        doubted: false,
        ready_by: None,
        life_by: None,
        check: Check::Idle,
        missed: 0,
    };

    /// What is on record of it.
    pub(super) fn of(own: &Own, plan: &Plan) -> Self {
        let every = match own.every {
            NEVER => 0,
            0 => plan.life_every,
            every => u64::from(every) * MILLISECOND,
        };
        let awaited = own.awaited && own.stage != Stage::Preparing;
        Self { awaited, blamed: own.blamed, every, ..Self::UNKNOWN }
    }

    /// How often a sign of life is due, for the record.
    pub(super) fn recorded(&self, plan: &Plan) -> u32 {
        match self.every / MILLISECOND {
            0 if plan.life_every > 0 => NEVER,
            every => u32::try_from(every).unwrap_or(NEVER),
        }
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Option<u64> {
        let check = match self.check {
            Check::Idle => None,
            Check::Due(at) | Check::Running(at) => Some(at),
        };
        [self.ready_by, self.life_by, check].into_iter().flatten().min()
    }

    /// Nothing more is asked of the process: it is to end, or cannot answer.
    pub(super) const fn ask_nothing(&mut self) {
        self.ready_by = None;
        self.life_by = None;
        if let Check::Due(_) = self.check {
            self.check = Check::Idle;
        }
    }
}

impl Machine {
    /// A process runs from now on.
    pub(super) fn begin_health(&mut self, now: u64) {
        self.health = Health {
            awaited: self.plan.ready != ReadyBy::Run,
            every: self.plan.life_every,
            ..Health::UNKNOWN
        };
        self.ask(now);
    }

    /// Another supervise has started it, and what it said may be lost.
    pub(super) fn resume_health(&mut self, now: u64) {
        self.ask(now);
        let looked_for = matches!(self.phase, Phase::Following(_));
        if self.health.ready_by.is_some() || (self.is_asked() || looked_for) && self.health.awaited
        {
            self.health.doubted = self.plan.ready == ReadyBy::Socket;
        }
        self.doubt(now);
    }

    /// What may have been lost is not waited for for ever.
    fn doubt(&mut self, now: u64) {
        if self.health.doubted && self.is_asked() {
            self.health.ready_by.get_or_insert(now + DOUBT);
        }
    }

    /// The process is dead, and another one is looked for that is to go on.
    pub(super) fn leave_health(&mut self) -> Option<Action> {
        self.health.ask_nothing();
        let runs = matches!(self.health.check, Check::Running(_));
        self.health.check = Check::Idle;
        runs.then_some(Action::StopCheck)
    }

    /// It goes on.
    pub(super) fn take_health(&mut self, now: u64) {
        self.health.stopping = false;
        self.health.missed = 0;
        self.ask(now);
        self.doubt(now);
    }

    /// Whether anything may be asked of the process.
    const fn is_asked(&self) -> bool {
        let Health { blamed, stopping, .. } = self.health;
        !(self.told || self.paused || blamed || stopping) && matches!(self.phase, Phase::Up(_))
    }

    /// Sets the times at which something is due, all from now.
    pub(super) fn ask(&mut self, now: u64) {
        if !self.is_asked() {
            return;
        }
        let after = |time: u64| Some(now.saturating_add(time)).filter(|_| time > 0);
        let health = &mut self.health;
        if health.awaited {
            health.ready_by = after(self.plan.ready_within);
            if self.plan.ready == ReadyBy::Check {
                health.check_at(now);
            }
        } else {
            health.ready_by = None;
            health.life_by = after(health.every);
            if self.plan.check_every > 0 {
                health.check_at(now + self.plan.check_every);
            }
        }
    }

    /// The process is ready.
    fn ready(&mut self, now: u64) -> Actions {
        self.health.awaited = false;
        self.health.doubted = false;
        self.health.stopping = false;
        self.health.missed = 0;
        self.ask(now);
        Actions::of(&[Action::StampReady, Action::Announce])
    }

    /// The process said something.
    pub(super) fn said(&mut self, word: Word, now: u64) -> Actions {
        let news = Actions::of(&[Action::Announce]);
        match word {
            Word::Ready if self.health.awaited => self.ready(now),
            Word::Ready => Actions::default(),
            Word::Reloading => {
                self.health.awaited = true;
                self.health.ready_by = None;
                if self.is_asked() && self.plan.ready == ReadyBy::Check {
                    self.health.check_at(now + FIRST);
                }
                news
            }
            Word::Stopping => {
                self.health.awaited = true;
                self.health.stopping = true;
                self.health.ask_nothing();
                self.kill_in_time(now);
                news
            }
            Word::Alive => {
                let every = self.health.every;
                self.health.life_by = self.health.life_by.map(|_| now.saturating_add(every));
                Actions::default()
            }
            Word::Hung if self.is_asked() && self.health.every > 0 => {
                self.blame(Fault::Silent, now)
            }
            Word::Hung => Actions::default(),
            Word::Every(time) => {
                let armed = self.is_asked() && !self.health.awaited;
                self.health.every = time;
                let due = now.saturating_add(time);
                self.health.life_by = Some(due).filter(|_| armed && time > 0);
                news
            }
            Word::Extend(time) => {
                let later = |at: u64| at.max(now.saturating_add(time));
                self.health.ready_by = self.health.ready_by.map(later);
                self.kill_at = self.kill_at.map(later);
                news
            }
        }
    }

    /// A check has ended, or could not be made.
    pub(super) fn checked(&mut self, succeeded: Option<bool>, now: u64) -> Actions {
        let Check::Running(_) = self.health.check else { return Actions::default() };
        self.health.check = Check::Idle;
        if !self.is_asked() {
            return Actions::default();
        }
        let Some(succeeded) = succeeded else {
            self.health.check_at(now);
            return Actions::default();
        };
        let polled = self.health.awaited && self.plan.ready == ReadyBy::Check;
        if succeeded {
            self.health.missed = 0;
            if polled {
                return self.ready(now);
            }
        } else {
            self.health.missed = self.health.missed.saturating_add(1);
            let doublings = self.health.missed.saturating_sub(1).min(31);
            if polled {
                self.health.check_at(now + (FIRST << doublings).min(LONGEST));
                return Actions::default();
            }
            if self.health.missed >= self.plan.check_failures.max(1) {
                return self.blame(Fault::Unhealthy, now);
            }
        }
        if self.plan.check_every > 0 {
            self.health.check_at(now + self.plan.check_every);
        }
        Actions::default()
    }

    /// What is due now, if anything is.
    pub(super) fn due(&mut self, now: u64) -> Option<Actions> {
        let is_due = |at: Option<u64>| at.is_some_and(|at| at <= now);
        match self.health.check {
            Check::Running(until) if until <= now => {
                let mut all = Actions::of(&[Action::StopCheck]);
                for action in self.checked(Some(false), now) {
                    all.add(action);
                }
                return Some(all);
            }
            Check::Due(at) if at <= now => {
                let within = self.plan.check_within;
                let until = if within > 0 { now + within } else { u64::MAX };
                self.health.check = Check::Running(until);
                return Some(Actions::of(&[Action::Check]));
            }
            Check::Idle | Check::Due(_) | Check::Running(_) => {}
        }
        if is_due(self.health.life_by) {
            return Some(self.blame(Fault::Silent, now));
        }
        if !is_due(self.health.ready_by) {
            return None;
        }
        if self.health.doubted { Some(self.ready(now)) } else { Some(self.blame(Fault::Late, now)) }
    }

    /// Ends the process for a fault. Whoever is killed from here on, it is on
    /// record, and the process is killed in time.
    fn blame(&mut self, fault: Fault, now: u64) -> Actions {
        self.history.fault = fault;
        self.health.blamed = true;
        self.health.ask_nothing();
        self.kill_at.get_or_insert(now + self.plan.patience());
        let signal = if fault == Fault::Late { Signal::Down } else { Signal::Abort };
        Actions::of(&[Action::Announce, Action::Blame(fault), Action::Send(signal), Action::Wake])
    }

    /// The process is dead: a check that runs is of no use any more.
    pub(super) fn end_health(&mut self) -> Option<Action> {
        let runs = matches!(self.health.check, Check::Running(_));
        self.health = Health::UNKNOWN;
        runs.then_some(Action::StopCheck)
    }
}

impl Plan {
    /// How long a process that is ended for a fault may take.
    pub(super) const fn patience(&self) -> u64 {
        if self.kill_after > 0 { self.kill_after } else { PATIENCE }
    }
}

impl Health {
    /// A check is due then, unless one runs.
    const fn check_at(&mut self, at: u64) {
        if !matches!(self.check, Check::Running(_)) {
            self.check = Check::Due(at);
        }
    }
}
