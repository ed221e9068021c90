//! Sends letters and keeps account of what is wanted of each service. What a
//! letter asks for is certain when the status says so after it was sent; if
//! something was done to the supervise meanwhile it is sent again.

use crate::kinds::Kind;
use crate::order::Going;
use crate::random::Random;
use crate::scanner::program;
use crate::status::{Status, THERE, control, is_heard};
use crate::story::Story;
use crate::wait::patient;
use crate::world::{Service, World};
use rustix::process::WaitStatus;
use std::io::Read;
use std::path::Path;
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::processes::Process;
use upkeep_outside::wait::{MILLISECOND, SECOND, now};

/// How long a letter may go unheeded while svscan lives.
const OBEYED: u64 = 10 * SECOND;
/// The same for one that goes after others.
const GONE: u64 = 25 * SECOND;
/// How long it takes until what is to come up has called what it needs.
const CALLED: u64 = SECOND;
/// As many letters are remembered that had a service go.
const GOINGS: usize = 6;
/// A second between two starts, and then some.
const DOUBT: u64 = 2 * SECOND;

/// What a service is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// Up, and up again when it ends.
    Up,
    /// Stopped where it is.
    Paused,
    /// It was told to go down, and does not heed it.
    Stopping,
    /// Down.
    Down,
    /// Up until it ends.
    Running,
    /// Up until it has ended too often.
    Failing,
    /// Up, or down until it is due; when that is, its judge knows.
    Returning,
}

/// A letter on its way.
#[derive(Clone, Copy, Debug)]
struct Errand {
    letter: u8,
    sent: Option<Sent>,
    begun: u64,
    /// How long it has gone unheeded.
    unheeded: u64,
    /// What ran when it was first sent, and how often it was started then.
    pid: i32,
    starts: u64,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    when: u64,
    touched: u64,
    /// What ran.
    pid: i32,
    /// The status before it.
    status: Option<(u64, i64, i64)>,
}

/// The account of one service.
pub(crate) struct Account {
    pub(crate) want: Want,
    /// Since when that is certain; none while a letter is on its way.
    certain: Option<u64>,
    errand: Option<Errand>,
    next: u64,
    /// Before this time one that is down may be about to be started, because
    /// it was told more than once.
    doubtful: u64,
    /// When it was last sent a letter that may end its process.
    pub(crate) lethal: u64,
    /// When it was last sent a letter that ends its process and nobody else.
    pub(crate) other: u64,
    /// How often the last letter was sent.
    pub(crate) sendings: u64,
    /// The letters that have those go first that need it.
    pub(crate) goings: Vec<Going>,
    /// Whether it waits for what is not there.
    waits: bool,
}

/// How far the end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Letters are sent.
    Lively,
    /// What was begun is brought to its end.
    Resting,
    /// What does not heed TERM goes down too.
    LayingDown,
}

/// What a turn has seen of a service before it comes to its account.
pub(crate) struct Sight<'a> {
    pub(crate) service: &'a Service,
    pub(crate) story: &'a Story,
    pub(crate) status: Option<Status>,
    /// What the status names, if it lives.
    pub(crate) process: Option<&'a Process>,
    /// How long it is since the last turn, 0 while svscan is away or what it
    /// needs is.
    pub(crate) passed: u64,
    /// Whether it waits for what is not there.
    pub(crate) waits: bool,
    /// Whether nobody is about to have it started.
    pub(crate) may_go: bool,
}

impl Account {
    pub(crate) fn new(kind: Kind, called: bool, random: &mut Random) -> Self {
        let want = if kind == Kind::Limited {
            Want::Failing
        } else if kind == Kind::Delayed {
            Want::Returning
        } else if kind.begins_down() && !called {
            Want::Down
        } else {
            Want::Up
        };
        let next = now() + random.milliseconds(300, 6000);
        Self {
            want,
            certain: Some(0),
            errand: None,
            next,
            doubtful: 0,
            lethal: 0,
            other: 0,
            sendings: 0,
            goings: Vec::new(),
            waits: false,
        }
    }

    /// What it certainly is to be.
    pub(crate) fn certain(&self) -> Option<Want> {
        self.certain.map(|_| self.want)
    }

    /// Its process was started at that time; answers whether it should not
    /// have been.
    pub(crate) fn started(&mut self, when: u64) -> bool {
        if self.want == Want::Paused {
            // It was another one that was paused.
            self.want = Want::Up;
        }
        self.want == Want::Down && self.certain.is_some_and(|since| since < when)
    }

    /// Whether it is what it is to be in the end.
    pub(crate) fn is_settled(&self, kind: Kind, stage: Stage) -> bool {
        let rests = match self.want {
            Want::Up => !(kind == Kind::Deaf && stage == Stage::LayingDown),
            Want::Paused | Want::Down | Want::Failing | Want::Returning => true,
            Want::Stopping | Want::Running => false,
        };
        // Deaf ones would not end.
        rests && self.errand.is_none() || self.waits && kind != Kind::Deaf
    }

    /// Another one, which is told to be up, has it started.
    pub(crate) fn call(&mut self) {
        let goes = self.errand.is_some_and(|e| matches!(e.letter, b'd' | b'k'));
        let comes = self.errand.is_some_and(|e| e.letter == b'u');
        if goes || matches!(self.want, Want::Down | Want::Stopping) && !comes {
            self.begin(b'u', 0, 0);
        }
    }

    /// Whether it may have others started.
    pub(crate) fn may_call(&self) -> bool {
        let comes = |e: Errand| matches!(e.letter, b'u' | b'o');
        let just = |e: Errand| e.sent.is_none_or(|s| s.when + patient(CALLED) > now());
        self.errand.is_some_and(|e| comes(e) && just(e))
    }

    fn begin(&mut self, letter: u8, pid: i32, starts: u64) {
        self.certain = None;
        self.sendings = 0;
        self.errand = Some(Errand { letter, sent: None, begun: now(), unheeded: 0, pid, starts });
    }

    /// Sends what is due, and looks whether what was sent is heeded. Answers
    /// whether it has others started now.
    pub(crate) fn step(
        &mut self,
        sight: &Sight<'_>,
        stage: Stage,
        random: &mut Random,
        world: &World,
    ) -> bool {
        self.waits = sight.waits;
        let Some(mut errand) = self.errand else {
            if matches!(self.want, Want::Running | Want::Failing) {
                self.look_whether_it_ended(sight, random);
            }
            let letter = self.due(sight.service, stage, random);
            if let Some(letter) = letter.filter(|&letter| letter != b'd' || sight.may_go) {
                let (pid, starts) = (sight.status.map_or(0, |s| s.pid), sight.story.starts);
                self.begin(letter, pid, starts);
            }
            return false;
        };
        if errand.letter == b'd' && errand.sent.is_none() && !sight.may_go {
            // Another time.
            self.settle(self.want, sight.service, random);
            return false;
        }
        let mut calls = false;
        if let Some(want) = heeded(&errand, sight) {
            self.settle(want, sight.service, random);
            world.report.figures().letters += 1;
            return false;
        }
        let main = &sight.service.main;
        let touched = main.touched();
        let pid = sight.status.map_or(0, |s| s.pid);
        // There may have been nothing to pause when it came.
        let in_vain = |sent: Sent| errand.letter == b'p' && sent.pid != pid;
        if errand.sent.is_none_or(|sent| sent.touched != touched || in_vain(sent)) {
            self.sendings += 1;
            let ends = errand.letter == b'o' || sight.service.make.kind == Kind::Limited;
            if ends && self.sendings > 1 {
                self.doubtful = now() + patient(DOUBT);
            }
            if matches!(errand.letter, b'd' | b't' | b'r' | b'k') {
                self.lethal = now();
            }
            let oneshot = sight.service.make.kind == Kind::Oneshot;
            if errand.letter == b'd' || errand.letter == b'r' && oneshot {
                self.goings.push(Going { begun: errand.begun, sent: now() });
                let old = self.goings.len().saturating_sub(GOINGS);
                self.goings.drain(..old);
            } else if matches!(errand.letter, b't' | b'r' | b'k') {
                self.other = now();
            }
            calls = matches!(errand.letter, b'u' | b'o');
            let when = now();
            let status = Status::read(&main.dir).map(|s| s.id);
            let sent = send(errand.letter, sight.service, random, world);
            errand.sent = sent.then_some(Sent { when, touched, pid, status });
        }
        errand.unheeded += sight.passed;
        self.errand = Some(errand);
        let needed = sight.service.ties.is_needed();
        if errand.unheeded > patient(if needed { GONE } else { OBEYED }) {
            let (letter, status) = (char::from(errand.letter), sight.status);
            let facts = format!("does not heed {letter}, its status: {status:?}");
            world.report.violation(sight.service.name(), &facts);
            self.errand = None;
            self.next = now() + 5 * SECOND;
        }
        calls
    }

    fn settle(&mut self, want: Want, service: &Service, random: &mut Random) {
        let (kind, needed) = (service.make.kind, service.ties.is_needed());
        self.want = want;
        self.certain = Some(now());
        self.errand = None;
        let pause = match (want, kind) {
            (Want::Stopping, _) => random.milliseconds(0, 300),
            (Want::Up, Kind::Deaf | Kind::Down | Kind::Paused) => random.milliseconds(300, 3000),
            (Want::Up, _) if needed => random.milliseconds(2000, 12_000),
            (Want::Up, _) => random.milliseconds(4000, 20_000),
            (Want::Down, _) if needed => random.milliseconds(300, 6000),
            (Want::Paused | Want::Down | Want::Running | Want::Failing | Want::Returning, _) => {
                random.milliseconds(300, 3000)
            }
        };
        self.next = now() + pause;
    }

    fn look_whether_it_ended(&mut self, sight: &Sight<'_>, random: &mut Random) {
        let failing = self.want == Want::Failing;
        let over = |s: Status| if failing { s.is_given_up() } else { s.pid == 0 && s.want == 0 };
        let down = sight.status.is_some_and(over);
        if down && self.doubtful < now() && sight.story.alive().is_none() {
            self.settle(Want::Down, sight.service, random);
        }
    }

    fn due(&self, service: &Service, stage: Stage, random: &mut Random) -> Option<u8> {
        let kind = service.make.kind;
        let needed = service.ties.is_needed() && kind.may_be_stopped();
        if stage == Stage::Lively && self.next > now() {
            return None;
        }
        let letter = match (self.want, kind) {
            (Want::Stopping, _) => b'k',
            (Want::Down, Kind::Once) => b'o',
            (Want::Down, _) => b'u',
            (Want::Paused, _) => b'c',
            (Want::Up, Kind::Deaf | Kind::Down) => b'd',
            (Want::Up, Kind::Paused) => b'p',
            (Want::Up, _) if needed && random.once_in(2) => b'd',
            // What is undone is done again.
            (Want::Up, Kind::Oneshot) => random.one_of(b"ddr").copied()?,
            // Left alone, so that it comes to what it does on purpose.
            (Want::Up, Kind::Silent | Kind::Group) => return None,
            // The other one reaches `finish` too, and would end it.
            (Want::Up, Kind::Finish) => b'r',
            (Want::Up, _) => b't',
            (Want::Running | Want::Failing | Want::Returning, _) => return None,
        };
        match stage {
            Stage::Lively => Some(letter),
            Stage::Resting => (self.want == Want::Stopping).then_some(letter),
            Stage::LayingDown => (kind == Kind::Deaf && self.want != Want::Down).then_some(letter),
        }
    }
}

/// What the service is now, if the letter was heeded.
fn heeded(errand: &Errand, sight: &Sight<'_>) -> Option<Want> {
    let sent = errand.sent?;
    let status = sight.status?;
    let process = sight.process;
    if matches!(errand.letter, b't' | b'r') {
        // Whoever ended it: it is not there to be ended again.
        return (status.pid != errand.pid || process.is_none()).then_some(Want::Up);
    }
    let main = &sight.service.main;
    let limited = sight.service.make.kind == Kind::Limited;
    if errand.letter == b'o' || limited {
        // It may have ended since, or have been killed: it was started.
        let started = sight.story.starts > errand.starts && is_heard(&main.dir);
        return started.then_some(if limited { Want::Failing } else { Want::Running });
    }
    if errand.letter == b'k' {
        // Nothing is said of one that was dead already.
        let down = status.want == b'd' && status.pid == 0;
        return (down && is_heard(&main.dir)).then_some(Want::Down);
    }
    let answered = Some(status.id) != sent.status && main.touched() == sent.touched;
    if !answered || !is_heard(&main.dir) {
        return None;
    }
    let deaf = sight.service.make.kind == Kind::Deaf;
    let there = status.own.stage == THERE;
    let down = status.pid == 0 && !there;
    let stopped = process.is_some_and(|p| p.state == b'T');
    match errand.letter {
        b'u' if status.want == b'u' && (process.is_some() || there) => Some(Want::Up),
        b'd' if status.want == b'd' && down => Some(Want::Down),
        b'd' if status.want == b'd' && deaf => Some(Want::Stopping),
        b'p' if status.paused && stopped => Some(Want::Paused),
        b'c' if !status.paused && process.is_some() && !stopped => Some(Want::Up),
        _ => None,
    }
}

/// Sends a letter, mostly as a shell would, now and then with svc.
fn send(letter: u8, service: &Service, random: &mut Random, world: &World) -> bool {
    let dir = &service.main.dir;
    if random.once_in(5) {
        return send_with_svc(letter, dir, world).unwrap_or(false);
    }
    control(dir).is_some_and(|fd| rustix::io::write(&fd, &[letter]).is_ok())
}

/// svc does its work for other services too when there is no supervise for
/// one: it says so, and that is all.
fn send_with_svc(letter: u8, dir: &Path, world: &World) -> Result<bool, Failure> {
    let (mut complaints, its_end) = std::io::pipe().unable("make a pipe")?;
    let mut command = program(world, "svc");
    command.arg(format!("-{}", char::from(letter))).arg(dir).stderr(its_end);
    let (process, fd) = world.reaper.spawn(&mut command)?;
    // The pipe ends when the last holder of its other end is gone.
    drop(command);
    let end = world.reaper.end((&process, &fd), patient(10 * SECOND))?;
    if end.and_then(WaitStatus::exit_status) != Some(0) {
        return Ok(false);
    }
    let mut text = Vec::new();
    complaints.read_to_end(&mut text).unable("read what svc says")?;
    Ok(text.is_empty())
}

/// How often the watcher comes by.
pub(crate) const TURN: u64 = 50 * MILLISECOND;
