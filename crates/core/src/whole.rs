//! svscan's state machine for the whole of what it is there for: what comes
//! before the services, the main command beside them, the stop, and what comes
//! after. It knows of no single service and starts nothing itself.

const SECOND: u64 = 1_000_000_000;
/// How long the loggers have to read what is left when everything is hurried,
/// and what a `finish` gets at least.
pub const DRAIN: u64 = SECOND;
/// How long what is killed may take to be gone.
pub const GONE: u64 = SECOND / 5;
/// How much longer than its time a stop takes at most: the loggers drain, what
/// is left of services is killed, `finish` runs and is killed, and so is all
/// that is left.
pub const TAIL: u64 = 2 * DRAIN + 3 * GONE;
/// The code when what should be ready is not.
pub const NOT_READY: u8 = 111;

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Everything stops, with its code.
    Stop,
    /// It is said, and everything goes on.
    Warn,
    /// Everything goes on.
    Ignore,
}

/// What there is to do, and how. Times are in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Whether there is a scan directory.
    pub tree: bool,
    /// Whether there is a main command.
    pub command: bool,
    /// How long the stop may take in all; without it, as long as it takes.
    pub grace: Option<u64>,
    /// How much of that the command gets.
    pub command_grace: u64,
    /// How long the command waits for the services; 0 if it does not, which
    /// is no failure then.
    pub ready: u64,
    /// What follows from an `init` that fails.
    pub on_init: Failure,
    /// What follows from services that are not ready in time.
    pub on_ready: Failure,
    /// What follows from a `finish` that fails.
    pub on_finish: Failure,
    /// Whether all that is left can be killed: whether this is process 1.
    pub sweeps: bool,
    /// Whether it is a whole machine that ends with it.
    pub machine: bool,
    /// Whether something else is to run where nothing can go on.
    pub rescue: bool,
}

/// What the end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With this code.
    Code(u8),
    /// The same, before anything could begin, and a rescue is wanted.
    Failed(u8),
    /// The machine stops.
    Halt,
    /// The machine is switched off.
    PowerOff,
    /// The machine begins anew.
    Restart,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing has happened.
    New,
    /// `init` runs.
    Preparing,
    /// The same, and it was told to end.
    Yielding,
    /// The services start, and the command waits for them.
    Rising,
    /// The services run, and the command, if there is one.
    Running,
    /// The command was told to end, and the services run.
    Parting,
    /// The services go down.
    Leaving,
    /// They go down at any price.
    Hurried,
    /// What is left of them is being killed.
    Killed,
    /// `finish` runs.
    Finishing,
    /// What is left of everything is being killed.
    Sweeping,
    /// That was it.
    Over,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It begins.
    Begin,
    /// It goes on, in a program that was executed anew.
    Resume,
    /// `init` has ended with this code, or there is none.
    Prepared(u8),
    /// Every service that is wanted is ready, or over.
    Ready,
    /// The command has ended with this code, or could not be started.
    CommandEnded(u8),
    /// An essential service is over, with this code.
    EssentialOver(u8),
    /// Everything is to stop, because of this signal; a machine ends so.
    Stop(u8, End),
    /// The same, at once.
    StopNow(u8, End),
    /// No service is left, and no logger.
    Empty,
    /// `finish` has ended with this code, or there is none.
    Finished(u8),
    /// Nothing is left.
    Swept,
    /// Time has passed.
    Tick,
}

/// What is to be done, in order.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Run `init`.
    RunInit,
    /// Tell it to end.
    EndInit,
    /// Kill it.
    KillInit,
    /// Say that it failed.
    WarnOfInit(u8),
    /// Start the services.
    StartServices,
    /// Say that not all of them are ready.
    WarnOfServices,
    /// Start the command.
    StartCommand,
    /// Tell it to end, if the signal that begins the stop has not done that.
    EndCommand,
    /// Kill it, and its process group.
    KillCommand,
    /// Take the services down, loggers last.
    LeaveServices,
    /// Take them down at any price.
    HurryServices,
    /// Kill what is left of them.
    KillServices,
    /// Run `finish` with this code.
    RunFinish(u8),
    /// Kill it.
    KillFinish,
    /// Say that it failed.
    WarnOfFinish(u8),
    /// Kill everything.
    Sweep,
    /// End.
    End(End),
}

/// Up to four actions.
#[must_use]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    list: [Option<Action>; 4],
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
    type IntoIter = core::iter::Flatten<core::array::IntoIter<Option<Action>, 4>>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter().flatten()
    }
}

/// All of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    plan: Plan,
    /// How far it is.
    pub phase: Phase,
    /// Whether the command runs.
    pub commanding: bool,
    /// What the end is; until it has a cause, none.
    end: Option<End>,
    /// The code, once it is known.
    code: Option<u8>,
    /// When everything is hurried.
    hurry_at: Option<u64>,
    /// When `Tick` is due, if it is.
    pub due: Option<u64>,
}

impl Whole {
    /// One that has not begun.
    #[must_use]
    pub const fn new(plan: Plan) -> Self {
        Self {
            plan,
            phase: Phase::New,
            commanding: false,
            end: None,
            code: None,
            hurry_at: None,
            due: None,
        }
    }

    /// Whether services are started, and new ones looked for.
    #[must_use]
    pub const fn keeps_services(&self) -> bool {
        matches!(self.phase, Phase::Rising | Phase::Running | Phase::Parting) && self.plan.tree
    }

    /// How the machine ends, if it is one.
    #[must_use]
    pub const fn ending(&self) -> Option<End> {
        match self.end {
            _ if !self.plan.machine => None,
            // It has nobody to hand a code to.
            None | Some(End::Code(_) | End::Failed(_)) => Some(End::PowerOff),
            said => said,
        }
    }

    /// Whether it waits for all services to be gone.
    #[must_use]
    pub const fn awaits_emptiness(&self) -> bool {
        matches!(self.phase, Phase::Leaving | Phase::Hurried | Phase::Killed) && !self.commanding
    }

    /// The next state and what to do to get there.
    pub fn step(mut self, event: Event, now: u64) -> (Self, Actions) {
        let mut actions = Actions::default();
        let all = &mut actions;
        match event {
            Event::Begin => self.begin(all, now),
            Event::Resume => self.rise(all, now),
            Event::Prepared(code) => self.prepared(code, all, now),
            Event::Ready => {
                if self.phase == Phase::Rising {
                    self.run(all);
                }
            }
            Event::CommandEnded(code) => self.command_ended(code, all, now),
            Event::EssentialOver(code) => self.essential_over(code, all, now),
            Event::Stop(signal, end) => self.stop(signal, end, all, now),
            Event::StopNow(signal, end) => {
                self.stop(signal, end, all, now);
                if !matches!(self.phase, Phase::Hurried | Phase::Killed) {
                    self.stop(signal, end, all, now);
                }
            }
            Event::Empty => {
                if self.awaits_emptiness() {
                    self.finish(all, now);
                }
            }
            Event::Finished(code) => self.finished(code, all, now),
            Event::Swept => {
                if self.phase == Phase::Sweeping {
                    self.over(all);
                }
            }
            Event::Tick => {
                if self.due.is_some_and(|due| due <= now) {
                    self.due = None;
                    self.tick(all, now);
                }
            }
        }
        (self, actions)
    }

    fn begin(&mut self, all: &mut Actions, now: u64) {
        if self.plan.tree {
            self.phase = Phase::Preparing;
            all.push(Action::RunInit);
        } else {
            self.rise(all, now);
        }
    }

    fn rise(&mut self, all: &mut Actions, now: u64) {
        if self.plan.tree {
            all.push(Action::StartServices);
        }
        if self.plan.tree && self.plan.command && self.plan.ready > 0 {
            self.phase = Phase::Rising;
            self.due = Some(now.saturating_add(self.plan.ready));
        } else {
            self.run(all);
        }
    }

    fn run(&mut self, all: &mut Actions) {
        self.phase = Phase::Running;
        self.due = None;
        if self.plan.command {
            self.commanding = true;
            all.push(Action::StartCommand);
        }
    }

    fn prepared(&mut self, code: u8, all: &mut Actions, now: u64) {
        match (self.phase, code) {
            (Phase::Yielding, _) => self.finish(all, now),
            (Phase::Preparing, 0) => self.rise(all, now),
            (Phase::Preparing, _) => {
                match self.plan.on_init {
                    Failure::Stop if self.plan.rescue => {
                        self.phase = Phase::Over;
                        return all.push(Action::End(End::Failed(code)));
                    }
                    Failure::Stop => {
                        all.push(Action::WarnOfInit(code));
                        self.code = Some(code);
                        self.start_clock(now);
                        return self.finish(all, now);
                    }
                    Failure::Warn => all.push(Action::WarnOfInit(code)),
                    Failure::Ignore => {}
                }
                self.rise(all, now);
            }
            // It was not waited for any more, or does not run.
            (
                Phase::New
                | Phase::Rising
                | Phase::Running
                | Phase::Parting
                | Phase::Leaving
                | Phase::Hurried
                | Phase::Killed
                | Phase::Finishing
                | Phase::Sweeping
                | Phase::Over,
                _,
            ) => {}
        }
    }

    fn command_ended(&mut self, code: u8, all: &mut Actions, now: u64) {
        if !core::mem::replace(&mut self.commanding, false) {
            return;
        }
        self.code.get_or_insert(code);
        match self.phase {
            Phase::Running | Phase::Parting => self.leave(all, now),
            // They have been told before.
            Phase::Leaving | Phase::Hurried | Phase::Killed => {}
            // It is not waited for any more.
            Phase::Finishing | Phase::Sweeping | Phase::Over => {}
            // It does not run yet.
            Phase::New | Phase::Preparing | Phase::Yielding | Phase::Rising => {}
        }
    }

    fn essential_over(&mut self, code: u8, all: &mut Actions, now: u64) {
        match self.phase {
            Phase::Running if self.commanding => {
                self.code = Some(code);
                all.push(Action::EndCommand);
                self.part(now);
            }
            Phase::Rising | Phase::Running => {
                self.code = Some(code);
                self.leave(all, now);
            }
            // The end has another cause, or there are no services.
            Phase::New
            | Phase::Preparing
            | Phase::Yielding
            | Phase::Parting
            | Phase::Leaving
            | Phase::Hurried
            | Phase::Killed
            | Phase::Finishing
            | Phase::Sweeping
            | Phase::Over => {}
        }
    }

    fn stop(&mut self, signal: u8, end: End, all: &mut Actions, now: u64) {
        let first = self.end.is_none() && self.phase != Phase::New;
        match self.phase {
            Phase::New | Phase::Sweeping | Phase::Over => return,
            Phase::Preparing => {
                self.phase = Phase::Yielding;
                self.never_began(signal);
                self.start_clock(now);
                self.due = self.hurry_at;
                all.push(Action::EndInit);
            }
            Phase::Yielding => {
                all.push(Action::KillInit);
                self.hurry_at = None;
                self.sooner(now);
            }
            Phase::Rising => {
                self.never_began(signal);
                self.leave(all, now);
            }
            // It is the command's, and nobody else's.
            Phase::Running if self.commanding && !self.plan.tree && self.plan.grace.is_none() => {
                return;
            }
            Phase::Running if self.commanding => {
                all.push(Action::EndCommand);
                self.part(now);
            }
            Phase::Running => self.leave(all, now),
            Phase::Parting | Phase::Leaving | Phase::Hurried => self.hurry(all, now),
            Phase::Killed => all.push(Action::KillServices),
            Phase::Finishing => {
                all.push(Action::KillFinish);
                self.hurry_at = None;
                self.sooner(now);
            }
        }
        if first {
            self.end = Some(end);
        }
    }

    /// The command was stopped before it was started: that is no success.
    fn never_began(&mut self, signal: u8) {
        if self.plan.command {
            self.code = Some(128_u8.wrapping_add(signal));
        }
    }

    fn tick(&mut self, all: &mut Actions, now: u64) {
        match self.phase {
            Phase::Rising => match self.plan.on_ready {
                Failure::Stop => {
                    all.push(Action::WarnOfServices);
                    self.code = Some(NOT_READY);
                    self.leave(all, now);
                }
                Failure::Warn => {
                    all.push(Action::WarnOfServices);
                    self.run(all);
                }
                Failure::Ignore => self.run(all),
            },
            // The first time it is killed, the second time it is left.
            Phase::Yielding if self.hurry_at.is_some() => {
                self.hurry_at = None;
                all.push(Action::KillInit);
                self.due = Some(now.saturating_add(GONE));
            }
            Phase::Yielding => self.finish(all, now),
            Phase::Parting => {
                all.push(Action::KillCommand);
                self.leave(all, now);
            }
            Phase::Leaving => self.hurry(all, now),
            Phase::Hurried => {
                self.phase = Phase::Killed;
                all.push(Action::KillServices);
                self.due = Some(now.saturating_add(GONE));
            }
            Phase::Killed => self.finish(all, now),
            Phase::Finishing if self.hurry_at.is_some() => {
                self.hurry_at = None;
                all.push(Action::KillFinish);
                self.due = Some(now.saturating_add(GONE));
            }
            Phase::Finishing => self.sweep(all, now),
            Phase::Sweeping => self.over(all),
            // Nothing is due there.
            Phase::New | Phase::Preparing | Phase::Running | Phase::Over => {}
        }
    }

    fn start_clock(&mut self, now: u64) {
        if let (None, Some(grace)) = (self.hurry_at, self.plan.grace) {
            self.hurry_at = Some(now.saturating_add(grace));
        }
    }

    /// What was killed is waited for a moment; however often it is, not longer.
    fn sooner(&mut self, now: u64) {
        let moment = now.saturating_add(GONE);
        self.due = Some(self.due.map_or(moment, |due| due.min(moment)));
    }

    /// The command has its part of the time.
    fn part(&mut self, now: u64) {
        self.phase = Phase::Parting;
        self.start_clock(now);
        let until = now.saturating_add(self.plan.command_grace);
        self.due = self.hurry_at.map(|hurry_at| hurry_at.min(until));
    }

    fn leave(&mut self, all: &mut Actions, now: u64) {
        self.phase = Phase::Leaving;
        self.start_clock(now);
        self.due = self.hurry_at;
        all.push(Action::LeaveServices);
    }

    fn hurry(&mut self, all: &mut Actions, now: u64) {
        if self.commanding {
            all.push(Action::KillCommand);
        }
        all.push(Action::HurryServices);
        if self.phase != Phase::Hurried {
            self.phase = Phase::Hurried;
            // Without a clock, it takes as long as it takes.
            self.due = self.plan.grace.map(|_| now.saturating_add(DRAIN));
        }
    }

    fn finish(&mut self, all: &mut Actions, now: u64) {
        self.commanding = false;
        if !self.plan.tree {
            return self.sweep(all, now);
        }
        self.phase = Phase::Finishing;
        // What is left of the time, and enough to do something.
        let least = now.saturating_add(DRAIN);
        if self.plan.grace.is_some() {
            let until = self.hurry_at.map_or(least, |hurry_at| hurry_at.max(least));
            self.hurry_at = Some(until);
        }
        self.due = self.hurry_at;
        all.push(Action::RunFinish(self.code.unwrap_or(0)));
    }

    fn finished(&mut self, code: u8, all: &mut Actions, now: u64) {
        if self.phase != Phase::Finishing {
            return;
        }
        if code != 0 {
            if self.plan.on_finish != Failure::Ignore {
                all.push(Action::WarnOfFinish(code));
            }
            if self.plan.on_finish == Failure::Stop && self.code.unwrap_or(0) == 0 {
                self.code = Some(code);
            }
        }
        self.sweep(all, now);
    }

    fn sweep(&mut self, all: &mut Actions, now: u64) {
        if !self.plan.sweeps {
            return self.over(all);
        }
        self.phase = Phase::Sweeping;
        self.due = Some(now.saturating_add(GONE));
        all.push(Action::Sweep);
    }

    fn over(&mut self, all: &mut Actions) {
        self.phase = Phase::Over;
        self.due = None;
        let end = self.ending().unwrap_or(End::Code(self.code.unwrap_or(0)));
        all.push(Action::End(end));
    }
}

#[cfg(test)]
mod tests;
