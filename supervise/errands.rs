//! What is still to be done to the service's process, in order. A directory
//! for runit has scripts that stand in for signals, and nothing waits for one:
//! it runs aside, and what was asked for after it waits in a queue.

use crate::supervise::keep::{Supervise, TOOL};
use crate::supervise::process;
use crate::supervise::reach::complain;
use core::ffi::CStr;
use rustix::process::{Pid, kill_process_group};
use upkeep_core::control::{Command, Signal};
use upkeep_core::record::Outcome;
use upkeep_core::status::Want;
use upkeep_core::supervise::Phase;
use upkeep_servicedir::Script;
use upkeep_sys::{clock, point};

/// So many can wait.
const MOST: usize = 32;
/// The last places, for what a signal to supervise asks for.
const SPARE: usize = 8;
/// What one command makes of it, at most.
const EACH: usize = 3;
/// As many commands are read at once as nothing waits.
const COMMANDS: usize = 64;
/// How long a script may take when the directory does not say.
const PATIENCE: u64 = 60_000;
const MILLISECOND: u64 = 1_000_000;

/// One thing to be done.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Errand {
    /// The letter of the script that runs first.
    script: Option<u8>,
    /// What is sent if there is none, or if it fails.
    signal: Option<Signal>,
    /// Whether it is part of a stop, which the next supervise has to carry out
    /// if this one is killed before.
    stops: bool,
}

/// A script that runs.
struct Running {
    pid: Pid,
    script: Script,
    errand: Errand,
    /// When it is killed, if that is still to be.
    until: Option<u64>,
}

/// What waits, and what runs.
pub(crate) struct Errands {
    queue: [Option<Errand>; MOST],
    len: usize,
    running: Option<Running>,
}

impl Errands {
    pub(crate) const fn new() -> Self {
        Self { queue: [None; MOST], len: 0, running: None }
    }

    pub(crate) const fn is_idle(&self) -> bool {
        self.len == 0 && self.running.is_none()
    }

    /// When a script has taken too long.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.running.as_ref().and_then(|running| running.until)
    }

    /// Whether a stop is still under way. A script that only follows on one
    /// and has been started is not part of it.
    pub(crate) fn is_stopping(&self) -> bool {
        let running = self.running.as_ref().map(|running| &running.errand);
        running.is_some_and(|errand| errand.stops && errand.signal.is_some())
            || self.queue.iter().flatten().any(|errand| errand.stops)
    }

    fn push(&mut self, errand: Errand) {
        // There is always room for one of a kind.
        let is_spare = self.len >= MOST - SPARE;
        if self.len == MOST || is_spare && self.queue.contains(&Some(errand)) {
            return;
        }
        self.queue[self.len] = Some(errand);
        self.len += 1;
    }

    fn pop(&mut self) -> Option<Errand> {
        let first = self.queue[0].take();
        self.queue.rotate_left(1);
        self.len -= usize::from(first.is_some());
        first
    }

    /// The process that the signals were for is dead.
    fn forget_signals(&mut self) {
        if let Some(running) = &mut self.running {
            running.errand.signal = None;
        }
        for _ in 0..self.len {
            if let Some(errand) = self.pop()
                && errand.signal.is_none()
            {
                self.push(errand);
            }
        }
    }
}

impl Supervise {
    /// How many commands may be read now.
    pub(crate) fn patience(&self) -> usize {
        if self.errands.is_idle() && !self.reach.has_scripts() {
            return COMMANDS;
        }
        (MOST - SPARE).saturating_sub(self.errands.len) / EACH
    }

    /// Sends a signal that was asked for, or has its script stand in for it.
    pub(crate) fn send(&mut self, signal: Signal) {
        if self.whole {
            return self.deliver(signal);
        }
        let script = if self.has_scripts() { letter(signal) } else { None };
        let stops = signal == Signal::Down;
        self.errand(Errand { script, signal: Some(signal), stops });
    }

    /// Lets the process go on, in its turn.
    pub(crate) fn wake(&mut self) {
        self.errand(Errand { script: None, signal: Some(Signal::Continue), stops: true });
    }

    /// Runs the script that follows on a command, in its turn.
    pub(crate) fn after(&mut self, command: Command) {
        if self.has_scripts() {
            let script = Some(if command == Command::Exit { b'x' } else { b'd' });
            self.errand(Errand { script, signal: None, stops: true });
        }
    }

    /// Whether scripts stand in for what the process is sent: the service's, if
    /// it is known to be there, and not `finish`.
    fn has_scripts(&self) -> bool {
        let is_service = matches!(self.machine.phase, Phase::Up(_));
        self.reach.has_scripts() && is_service && self.watch.living().is_some()
    }

    fn errand(&mut self, errand: Errand) {
        let is_bare = errand.script.is_none_or(|letter| Script::find(letter).is_none());
        match errand.signal {
            // Nothing is to keep it waiting.
            Some(Signal::Kill) if is_bare => self.deliver(Signal::Kill),
            Some(signal) if is_bare && self.errands.is_idle() => self.deliver(signal),
            Some(_) | None => {
                self.errands.push(errand);
                self.proceed();
            }
        }
    }

    /// Does what waits, as far as the next script.
    fn proceed(&mut self) {
        while self.errands.running.is_none()
            && let Some(errand) = self.errands.pop()
        {
            let script = errand.script.and_then(Script::find);
            let running = script.and_then(|script| self.run_script(script, errand));
            match (running, errand.signal) {
                (Some(running), _) => self.errands.running = Some(running),
                (None, Some(signal)) => self.deliver(signal),
                (None, None) => {}
            }
        }
    }

    fn run_script(&mut self, script: Script, errand: Errand) -> Option<Running> {
        let timeout = self.reach.facts().timeout_control().unwrap_or_else(|trouble| {
            complain(self.dir, b"timeout-control", b"using the default", trouble);
            None
        });
        let within = timeout.unwrap_or(PATIENCE) * MILLISECOND;
        match process::aside(&[script.path()], self.dir) {
            Ok(pid) => {
                self.set_aside(pid);
                let until = Some(clock::monotonic() + within).filter(|_| within > 0);
                point!("script: started");
                Some(Running { pid, script, errand, until })
            }
            Err(why) => {
                let [dir, slash, name] = name_of(self.dir, &script);
                TOOL.warn_os(&[b"unable to fork for ", dir, slash, name, b": "], why);
                None
            }
        }
    }

    /// A child has ended that is not the process; it may be a script.
    pub(crate) fn script_ended(&mut self, pid: Pid, outcome: Outcome) {
        let before = self.told_by_errands();
        let Some(running) = self.errands.running.take_if(|running| running.pid == pid) else {
            return;
        };
        if let Some(signal) = running.errand.signal
            && outcome != Outcome::Exited(0)
        {
            self.deliver(signal);
        }
        self.proceed();
        if before != self.told_by_errands() {
            self.announce(false);
        }
    }

    /// What the record says of it.
    fn told_by_errands(&self) -> (bool, bool) {
        (self.is_stopping(), self.machine.terminated)
    }

    /// Whether a `d` or an `x` that still counts is being carried out.
    pub(crate) fn is_stopping(&self) -> bool {
        self.machine.want == Want::Down && self.errands.is_stopping()
    }

    /// Kills a script that takes too long, with all that it runs.
    pub(crate) fn hurry_script(&mut self) {
        let Some(running) = &mut self.errands.running else { return };
        if running.until.is_none_or(|until| clock::monotonic() < until) {
            return;
        }
        running.until = None;
        // It has not been waited for: the group is its.
        let _ = kill_process_group(running.pid, rustix::process::Signal::KILL);
        let [dir, slash, name] = name_of(self.dir, &running.script);
        TOOL.warn(&[dir, slash, name, b" has taken too long and was killed"]);
    }

    /// The process is dead: no signal is for it any more.
    pub(crate) fn forget_signals(&mut self) {
        if !self.errands.is_idle() {
            self.errands.forget_signals();
            self.proceed();
        }
    }

    fn deliver(&mut self, signal: Signal) {
        self.machine.terminated |= self.reach.signal(&self.watch, signal, self.whole);
        point!("signal: sent");
    }
}

fn name_of<'a>(dir: &'a CStr, script: &'a Script) -> [&'a [u8]; 3] {
    [dir.to_bytes(), b"/", script.path().to_bytes()]
}

/// The letter of the script that stands in for a signal. What ends the service
/// is `t`, whichever signal it is; runit has none for
/// some.
const fn letter(signal: Signal) -> Option<u8> {
    Some(match signal {
        Signal::Alarm => b'a',
        Signal::Continue => b'c',
        Signal::Down | Signal::Terminate => b't',
        Signal::Hangup | Signal::Reload => b'h',
        Signal::Interrupt => b'i',
        Signal::Kill => b'k',
        Signal::Quit => b'q',
        Signal::Stop => b'p',
        Signal::User1 => b'1',
        Signal::User2 => b'2',
        Signal::Abort | Signal::Window => return None,
    })
}
