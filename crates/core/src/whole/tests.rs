//! All short words of events, and what must hold after each letter.

extern crate std;

mod ends;

use super::*;
use Letter::{
    CommandEnds, Empties, Essential, FinishEnds, InitEnds, Passes, Ready, Stop, Stuck, Swept,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::vec::Vec;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Letter {
    InitEnds(u8),
    Ready,
    Stuck,
    CommandEnds(u8),
    Essential,
    Stop,
    StopNow,
    Empties,
    FinishEnds(u8),
    Swept,
    /// Until the next deadline.
    Passes,
    /// Less than that.
    Moment,
}

const LETTERS: [Letter; 15] = [
    InitEnds(0),
    InitEnds(7),
    Ready,
    Stuck,
    CommandEnds(0),
    CommandEnds(5),
    Essential,
    Stop,
    Letter::StopNow,
    Empties,
    FinishEnds(0),
    FinishEnds(3),
    Swept,
    Passes,
    Letter::Moment,
];

const GRACE: u64 = 6 * SECOND;
const TERM: u8 = 15;

const PLAN: Plan = Plan {
    tree: true,
    command: true,
    grace: Some(GRACE),
    command_grace: GRACE / 2,
    ready: 60 * SECOND,
    on_init: Failure::Stop,
    on_ready: Failure::Warn,
    on_finish: Failure::Warn,
    sweeps: true,
    machine: false,
    rescue: false,
};

/// The shell around the machine.
#[derive(Clone, Debug)]
struct World {
    plan: Plan,
    whole: Whole,
    now: u64,
    init: bool,
    init_killed: bool,
    command_killed: bool,
    /// Whether the services were started, and whether they were told to go.
    services: bool,
    told: bool,
    command: bool,
    commands: u32,
    /// Whether the services need not be waited for any more, and how often it was
    /// said that some are not ready.
    risen: bool,
    warned: u32,
    finish: bool,
    sweeping: bool,
    stops: u32,
    stopped_at: Option<u64>,
    /// What was hurried, and when.
    hurried: bool,
    ended: Option<End>,
    /// The first cause of the end, as far as it has a code.
    cause: Option<u8>,
    /// How often the command was told to end.
    command_told: u32,
    /// What the first stop asks for.
    asked: End,
}

impl World {
    fn new(plan: Plan) -> Self {
        let mut world = Self {
            plan,
            whole: Whole::new(plan),
            now: SECOND,
            init: false,
            init_killed: false,
            command_killed: false,
            services: false,
            told: false,
            command: false,
            commands: 0,
            risen: false,
            warned: 0,
            finish: false,
            sweeping: false,
            stops: 0,
            stopped_at: None,
            hurried: false,
            ended: None,
            cause: None,
            command_told: 0,
            asked: End::Restart,
        };
        world.risen = plan.ready == 0;
        world.feed(Event::Begin);
        world
    }

    fn feed(&mut self, event: Event) {
        let (whole, actions) = self.whole.step(event, self.now);
        self.whole = whole;
        for action in actions {
            self.act(action);
        }
        self.check();
    }

    fn act(&mut self, action: Action) {
        assert_eq!(self.ended, None, "{action:?} after the end");
        match action {
            Action::RunInit => {
                assert!(!self.services && !self.command);
                self.init = true;
            }
            Action::EndInit => assert!(self.init),
            Action::KillInit => {
                assert!(self.init);
                self.init_killed = true;
            }
            Action::WarnOfInit(code) => {
                assert!(code != 0 && self.plan.on_init != Failure::Ignore);
            }
            Action::StartServices => {
                assert!(!self.init && !self.services && !self.told, "services start twice");
                assert!(self.plan.tree);
                self.services = true;
            }
            Action::WarnOfServices | Action::WarnOfStuck => {
                assert_ne!(self.plan.on_ready, Failure::Ignore);
                assert!(self.risen && self.commands == 0 && !self.told);
                self.warned += 1;
            }
            Action::StartCommand => {
                assert_eq!(self.commands, 0, "the command is started twice");
                assert!(self.plan.command && !self.told && !self.init);
                assert!(self.services && self.risen || !self.plan.tree);
                self.command = true;
                self.commands = 1;
            }
            Action::EndCommand => {
                assert!(self.command);
                self.command_told += 1;
            }
            Action::KillCommand => {
                assert!(self.command, "it is gone, and its number may be another's");
                self.command_killed = true;
                self.stopped_at.get_or_insert(self.now);
            }
            Action::LeaveServices => {
                self.told = true;
                self.stopped_at.get_or_insert(self.now);
            }
            Action::HurryServices => {
                self.told = true;
                self.hurried = true;
                self.stopped_at.get_or_insert(self.now);
            }
            Action::KillServices => assert!(self.hurried),
            Action::RunFinish(code) => {
                assert!(self.plan.tree && !self.finish && !self.init_matters());
                assert!(self.told || self.commands == 0);
                self.finish = true;
                self.right_code(code);
            }
            Action::KillFinish => assert!(self.finish),
            Action::WarnOfFinish(code) => {
                assert!(code != 0 && self.plan.on_finish != Failure::Ignore);
            }
            Action::Sweep => {
                assert!(self.plan.sweeps && !self.sweeping);
                self.sweeping = true;
            }
            Action::End(end) => {
                self.ended = Some(end);
                self.right_end(end);
            }
        }
    }

    /// Whether `init` runs and its end is waited for.
    fn init_matters(&self) -> bool {
        matches!(self.whole.phase, Phase::Preparing | Phase::Yielding)
    }

    fn right_code(&self, code: u8) {
        assert_eq!(code, self.cause.unwrap_or(0), "the first cause has its code");
    }

    fn right_end(&self, end: End) {
        match end {
            End::Code(code) => {
                assert!(!self.plan.machine);
                if self.plan.on_finish != Failure::Stop {
                    self.right_code(code);
                }
            }
            End::Failed(code) => assert!(self.plan.rescue && code == 7 && !self.services),
            End::PowerOff => assert!(self.plan.machine),
            End::Restart => {
                assert!(self.plan.machine && self.stops > 0 && self.asked == end);
            }
            End::Halt => panic!("nobody asked for it"),
        }
    }

    fn check(&self) {
        let phase = self.whole.phase;
        assert_eq!(phase == Phase::Over, self.ended.is_some());
        assert!(self.warned <= 1, "it is said twice");
        // Who has nobody to wait for does not wait.
        assert!(phase != Phase::Rising || !self.risen);
        if self.told {
            assert!(!self.whole.keeps_services(), "{phase:?}: services are taken down and started");
        }
        if self.whole.commanding {
            assert!(self.command);
        }
        // Whoever is waited for has been told, once.
        assert_eq!(self.command_told, u32::from(self.command_told > 0 || phase == Phase::Parting));
        // Nothing is due while everything runs.
        assert!(phase != Phase::Running || self.whole.due.is_none());
        // With a clock, whatever is told to end has a time by which it has to.
        let told = matches!(phase, Phase::Yielding | Phase::Parting | Phase::Leaving);
        let going = matches!(phase, Phase::Hurried | Phase::Killed | Phase::Finishing);
        assert!(self.whole.due.is_some() || self.plan.grace.is_none() || !(told || going));
    }

    fn can(&self, letter: Letter) -> bool {
        if self.ended.is_some() {
            return false;
        }
        match letter {
            InitEnds(_) => self.init,
            Ready | Stuck => self.services,
            CommandEnds(_) => self.command,
            Essential => self.services,
            Stop | Letter::StopNow => true,
            Empties => self.whole.awaits_emptiness(),
            FinishEnds(_) => self.finish,
            Swept => self.sweeping,
            Passes => self.whole.due.is_some(),
            Letter::Moment => self.whole.due.is_some_and(|due| due > self.now + 1),
        }
    }

    fn read(&mut self, letter: Letter) {
        let phase = self.whole.phase;
        match letter {
            InitEnds(code) => {
                self.init = false;
                if phase == Phase::Preparing && code != 0 && self.plan.on_init == Failure::Stop {
                    self.cause = Some(code);
                }
                self.feed(Event::Prepared(code));
            }
            Ready => {
                self.risen |= phase == Phase::Rising;
                self.feed(Event::Ready);
            }
            Stuck => {
                self.go_without(phase);
                self.feed(Event::Stuck);
            }
            CommandEnds(code) => {
                self.command = false;
                if !matches!(phase, Phase::Finishing | Phase::Sweeping) {
                    self.cause.get_or_insert(code);
                }
                self.feed(Event::CommandEnded(code));
            }
            Essential => {
                if matches!(phase, Phase::Rising | Phase::Running) {
                    self.cause = Some(9);
                }
                self.feed(Event::EssentialOver(9));
            }
            Stop | Letter::StopNow => self.stop(letter, phase),
            Empties => {
                assert!(!self.command, "the command is still waited for");
                self.feed(Event::Empty);
            }
            FinishEnds(code) => self.feed(Event::Finished(code)),
            Swept => self.feed(Event::Swept),
            Passes => self.pass(),
            Letter::Moment => {
                self.now = self.whole.due.unwrap() - 1;
                self.feed(Event::Tick);
            }
        }
    }

    fn stop(&mut self, letter: Letter, phase: Phase) {
        self.stops += 1;
        if matches!(phase, Phase::Preparing | Phase::Rising) && self.plan.command {
            self.cause = Some(128 + TERM);
        }
        let forwarded = self.command && !self.plan.tree && self.plan.grace.is_none();
        if !forwarded && !matches!(phase, Phase::Sweeping | Phase::Finishing) {
            self.stopped_at.get_or_insert(self.now);
        }
        let end = if self.stops == 1 { self.asked } else { End::Halt };
        let before = self.whole.due;
        self.feed(if letter == Stop { Event::Stop(TERM, end) } else { Event::StopNow(TERM, end) });
        // However often what is killed is told, that takes no longer.
        if matches!(phase, Phase::Yielding | Phase::Finishing) {
            assert!(self.whole.due.is_some_and(|due| due <= before.unwrap_or(due)));
        }
        // Whoever is told twice hurries.
        if matches!(phase, Phase::Parting | Phase::Leaving) {
            assert!(self.hurried && self.whole.phase == Phase::Hurried);
        }
        // And so does whoever is told to at once.
        if letter == Letter::StopNow && !forwarded {
            let up = matches!(phase, Phase::Rising | Phase::Running);
            assert!(self.hurried || !up);
            assert!(self.init_killed || phase != Phase::Preparing);
        }
    }

    fn pass(&mut self) {
        self.now = self.whole.due.unwrap();
        let phase = self.whole.phase;
        self.go_without(phase);
        self.feed(Event::Tick);
        // Whoever did not end in his time is killed.
        assert!(phase != Phase::Parting || self.command_killed);
        assert!(phase != Phase::Yielding || self.init_killed);
    }

    /// The services are not waited for any more.
    fn go_without(&mut self, phase: Phase) {
        if phase == Phase::Rising {
            self.risen = true;
            if self.plan.on_ready == Failure::Stop {
                self.cause = Some(NOT_READY);
            }
        }
    }

    /// Nothing that is told to end does: it is over in time all the same.
    fn ends_in_time(mut self) {
        let Some(grace) = self.plan.grace else { return };
        let Some(stopped_at) = self.stopped_at else { return };
        while self.ended.is_none() {
            let due = self.whole.due.expect("it waits for ever");
            assert!(due >= self.now);
            self.pass();
        }
        assert!(self.now <= stopped_at + grace + TAIL, "{} {stopped_at}", self.now);
    }
}

/// Reads all words up to this length.
fn walk(world: &World, word: &mut Vec<Letter>, depth: usize, count: &mut u32) {
    *count += 1;
    if depth == 0 {
        return;
    }
    for letter in LETTERS {
        if world.can(letter) {
            let mut next = world.clone();
            word.push(letter);
            let read = || {
                next.read(letter);
                next.clone().ends_in_time();
            };
            let went_well = catch_unwind(AssertUnwindSafe(read)).is_ok();
            assert!(went_well, "{word:?} with {:?}", world.plan);
            walk(&next, word, depth - 1, count);
            word.pop();
        }
    }
}

fn plans() -> Vec<Plan> {
    let failures = [Failure::Stop, Failure::Warn, Failure::Ignore];
    let mut all = Vec::new();
    for (tree, command) in [(true, true), (true, false), (false, true), (false, false)] {
        for grace in [None, Some(GRACE)] {
            for on in failures {
                let (on_init, on_ready, on_finish) = (on, on, on);
                let sweeps = grace.is_some();
                all.push(Plan {
                    tree,
                    command,
                    grace,
                    on_init,
                    on_ready,
                    on_finish,
                    sweeps,
                    ..PLAN
                });
            }
        }
    }
    all.push(Plan { machine: true, rescue: true, command: false, ..PLAN });
    all.push(Plan { machine: true, ready: 0, ..PLAN });
    all.push(Plan { rescue: true, ..PLAN });
    all
}

#[test]
fn every_short_word_is_survived() {
    let mut count = 0;
    for plan in plans() {
        let world = World::new(plan);
        walk(&world, &mut Vec::new(), 6, &mut count);
        if plan.machine {
            let asked = End::Code(0);
            walk(&World { asked, ..world }, &mut Vec::new(), 5, &mut count);
        }
    }
    assert!(count > 100_000, "{count} words only");
}
