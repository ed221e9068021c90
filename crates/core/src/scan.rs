//! What svscan does about one service: its supervise and, if it has a `log`,
//! the logger's supervise, with a pipe between the two that outlives both.

const SECOND: u64 = 1_000_000_000;
/// The least time between two starts of a supervise, in nanoseconds.
pub const BETWEEN_STARTS: u64 = SECOND;
/// The same when the one before was killed: its service is without one.
pub const AFTER_KILL: u64 = SECOND / 50;
/// When what was refused is tried again, in nanoseconds.
pub const RETRY: u64 = 5 * SECOND;
/// How long a logger with nothing left to read may take to see that.
pub const DRAIN: u64 = SECOND;

/// One of the two supervises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// None, and none due.
    Idle,
    /// To be started at this time.
    Due(u64),
    /// Running.
    Running,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The service's own.
    Main,
    /// The logger's.
    Log,
}

/// How a supervise ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was told to.
    Told,
    /// It said why it cannot work.
    Refused,
    /// Somebody killed it.
    Killed,
    /// Another signal ended it.
    Crashed,
}

/// What can happen to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Its directory is there, with a `log` in it or not.
    Listed {
        /// Whether there is a `log`.
        log: bool,
    },
    /// Its directory is not there any more.
    Unlisted,
    /// It is to be taken down, logger last.
    Leave,
    /// It is to be taken down at any price.
    Hurry,
    /// The supervise that was asked for runs; it was started, or was there
    /// already.
    Started(Which),
    /// It could not be started.
    NotStarted(Which),
    /// A supervise ended.
    Ended(Which, Ending),
    /// The pipe was looked at.
    Drained(bool),
    /// Time has passed.
    Tick,
}

/// What is to be done, in order.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start this supervise.
    Start(Which),
    /// Tell the service's supervise to take it down and leave.
    EndMain,
    /// The same, with KILL.
    KillMain,
    /// Nobody will write any more: close our end of the pipe, and tell the
    /// logger's supervise to leave when the logger has read all.
    CloseLog,
    /// Tell the logger's supervise to take the logger down and leave.
    EndLog,
    /// See whether the pipe is empty.
    LookAtPipe,
    /// Nothing is left of it.
    Forget,
}

/// Up to three actions.
#[must_use]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    list: [Option<Action>; 3],
}

impl Actions {
    fn push(&mut self, action: Action) {
        if let Some(slot) = self.list.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(action);
        }
    }
}

impl IntoIterator for Actions {
    type Item = Action;
    type IntoIter = core::iter::Flatten<core::array::IntoIter<Option<Action>, 3>>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter().flatten()
    }
}

/// All that svscan knows of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// The service's supervise.
    pub main: Half,
    /// The logger's, if there is a logger.
    pub log: Option<Half>,
    /// Whether its directory is there.
    pub listed: bool,
    /// Whether it is being taken down.
    pub leaving: bool,
    /// Whether a `log` appeared while the service ran without one. A running
    /// supervise writes where it was started to write; the next one gets a
    /// pipe.
    log_to_come: bool,
    /// Whether its end is to be hurried.
    hurried: bool,
    /// Whether the supervise that ended last was killed, so that its service
    /// may live on without one.
    orphaned: [bool; 2],
    /// Before these times neither is started, the service's and the logger's.
    not_before: [u64; 2],
    /// When to look whether the logger is done.
    drain_at: Option<u64>,
}

impl Service {
    /// One that has just been found.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            main: Half::Idle,
            log: None,
            listed: false,
            leaving: false,
            log_to_come: false,
            hurried: false,
            orphaned: [false; 2],
            not_before: [0; 2],
            drain_at: None,
        }
    }

    /// When `Tick` is due, if it is.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        let due = |half| match half {
            Half::Due(at) => Some(at),
            Half::Idle | Half::Running => None,
        };
        [due(self.main), self.log.and_then(due), self.drain_at].into_iter().flatten().min()
    }

    /// Whether this supervise runs.
    #[must_use]
    pub fn runs(&self, which: Which) -> bool {
        matches!(self.half(which), Some(Half::Running))
    }

    fn half(&self, which: Which) -> Option<Half> {
        match which {
            Which::Main => Some(self.main),
            Which::Log => self.log,
        }
    }

    fn set(&mut self, which: Which, half: Half) {
        match which {
            Which::Main => self.main = half,
            Which::Log => self.log = self.log.map(|_| half),
        }
    }

    /// The next state and what to do to get there.
    pub fn step(mut self, event: Event, now: u64) -> (Self, Actions) {
        let mut actions = Actions::default();
        match (event, self.leaving) {
            (Event::Listed { log }, leaving) => {
                self.listed = true;
                // What is on its way out is found anew once it is out.
                if !leaving {
                    self.want(log, now);
                }
            }
            (Event::Unlisted, _) => {
                self.listed = false;
                self.call_off(Which::Main);
                self.call_off(Which::Log);
            }
            (Event::Leave, false) => {
                self.leaving = true;
                if !self.orphaned[0] {
                    self.call_off(Which::Main);
                }
                match self.main {
                    Half::Running => actions.push(Action::EndMain),
                    Half::Idle => self.close_log(&mut actions, now),
                    // Its service lives on: it takes a supervise to end it.
                    Half::Due(_) => {}
                }
            }
            (Event::Leave, true) => {}
            (Event::Hurry, _) => {
                self.leaving = true;
                if core::mem::replace(&mut self.hurried, true) || !self.orphaned[0] {
                    self.call_off(Which::Main);
                }
                if self.runs(Which::Main) {
                    actions.push(Action::KillMain);
                } else if self.main != Half::Idle {
                    // It is told as soon as it runs.
                } else if self.runs(Which::Log) {
                    actions.push(Action::EndLog);
                } else {
                    self.call_off(Which::Log);
                }
            }
            (Event::Started(which), _) => {
                self.not_before[which as usize] = now + BETWEEN_STARTS;
                self.set(which, Half::Running);
                self.orphaned[which as usize] = false;
                if self.leaving {
                    self.tell_late(which, &mut actions, now);
                }
            }
            (Event::NotStarted(which), _) => self.set(which, Half::Due(now + RETRY)),
            (Event::Ended(which, ending), leaving) => {
                let not_before = &mut self.not_before[which as usize];
                match ending {
                    Ending::Refused => *not_before += RETRY - BETWEEN_STARTS,
                    Ending::Killed => *not_before -= BETWEEN_STARTS - AFTER_KILL,
                    Ending::Told | Ending::Crashed => {}
                }
                self.orphaned[which as usize] = matches!(ending, Ending::Killed | Ending::Crashed);
                let again = self.is_needed(which);
                let due = now.max(self.not_before[which as usize]);
                self.set(which, if again { Half::Due(due) } else { Half::Idle });
                if again && which == Which::Main && self.log_to_come {
                    self.log_to_come = false;
                    self.log = Some(Half::Due(due));
                }
                if leaving && which == Which::Main && !again {
                    self.close_log(&mut actions, now);
                }
            }
            (Event::Drained(true), true) => actions.push(Action::EndLog),
            (Event::Drained(false), true) => self.drain_at = Some(now + DRAIN),
            // Nobody asked; the pipe is looked at on the way out only.
            (Event::Drained(_), false) => {}
            (Event::Tick, _) => self.tick(&mut actions, now),
        }
        if self.is_over() {
            actions.push(Action::Forget);
        }
        (self, actions)
    }

    fn want(&mut self, log: bool, now: u64) {
        if log && self.log.is_none() {
            match self.main {
                Half::Running => self.log_to_come = true,
                Half::Idle | Half::Due(_) => self.log = Some(Half::Idle),
            }
        }
        for which in [Which::Main, Which::Log] {
            if self.half(which) == Some(Half::Idle) {
                self.set(which, Half::Due(now.max(self.not_before[which as usize])));
            }
        }
    }

    /// A start that is due is not made.
    fn call_off(&mut self, which: Which) {
        if let Some(Half::Due(_)) = self.half(which) {
            self.set(which, Half::Idle);
        }
    }

    /// Whether a supervise that ended is to be started again.
    fn is_needed(&self, which: Which) -> bool {
        let stays = self.listed && !self.leaving;
        let left_alone = self.orphaned[which as usize];
        match which {
            Which::Main => stays || (left_alone && self.leaving),
            // As long as somebody writes, a logger that was not told to go
            // is needed.
            Which::Log => stays || (left_alone && (self.leaving || self.runs(Which::Main))),
        }
    }

    fn close_log(&mut self, actions: &mut Actions, now: u64) {
        if !self.orphaned[1] {
            self.call_off(Which::Log);
        }
        if self.log.is_some_and(|log| log != Half::Idle) {
            actions.push(Action::CloseLog);
            self.drain_at = Some(now + DRAIN);
        }
    }

    /// On the way out: a supervise that was missing when the others were told.
    fn tell_late(&mut self, which: Which, actions: &mut Actions, now: u64) {
        match which {
            Which::Main if self.hurried => actions.push(Action::KillMain),
            Which::Main => actions.push(Action::EndMain),
            Which::Log if self.main == Half::Idle => self.close_log(actions, now),
            // It is told when the service's has gone.
            Which::Log => {}
        }
    }

    fn tick(&mut self, actions: &mut Actions, now: u64) {
        for which in [Which::Main, Which::Log] {
            if let Some(Half::Due(at)) = self.half(which)
                && at <= now
            {
                actions.push(Action::Start(which));
            }
        }
        if self.drain_at.is_some_and(|at| at <= now) {
            self.drain_at = None;
            if self.runs(Which::Log) {
                actions.push(Action::LookAtPipe);
            }
        }
    }

    fn is_over(&self) -> bool {
        let idle = |half| half == Half::Idle;
        (self.leaving || !self.listed) && idle(self.main) && self.log.is_none_or(idle)
    }
}

impl Default for Service {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
