//! svscan's state machine for the whole of what it is there for: what comes
//! before the services, the main command beside them, the stop, and what comes
//! after. It knows of no single service and starts nothing itself.

mod ending;
mod says;

pub use says::{Action, Actions, Event};

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
            Event::Stuck => {
                if self.phase == Phase::Rising {
                    self.go_without(Action::WarnOfStuck, all, now);
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

    /// Not all services are ready, which is said so.
    fn go_without(&mut self, warning: Action, all: &mut Actions, now: u64) {
        match self.plan.on_ready {
            Failure::Stop => {
                all.push(warning);
                self.code = Some(NOT_READY);
                self.leave(all, now);
            }
            Failure::Warn => {
                all.push(warning);
                self.run(all);
            }
            Failure::Ignore => self.run(all),
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
}

#[cfg(test)]
mod tests;
