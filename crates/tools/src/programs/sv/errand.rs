//! Telling services what to do, and waiting until it has come about.

use crate::programs::sv::available::is_available;
use crate::programs::sv::fatal;
use crate::sv::{Command, First, is_plain};
use core::ffi::CStr;
use rustix::process::chdir;
use upkeep_cli::{Exit, Out};
use upkeep_core::tai::Tai64n;
use upkeep_servicedir::{Changes, ControlTrouble, Finder, exit_ends, go, names, send_now};
use upkeep_sys::{clock, exec, signals};

/// How long between two looks if no service changes: a check can say otherwise
/// without that.
const PAUSE: u64 = 420_000_000;

/// A service that nothing more can be done for; it has been said why.
pub(crate) struct Lost;

/// A service that is waited for, and its number.
type Left = (usize, &'static CStr);

/// One run of sv.
pub(crate) struct Errand {
    pub(crate) command: Command,
    is_script: bool,
    finder: Finder,
    pub(crate) out: Out<'static>,
    pub(crate) failures: u8,
    begun: Tai64n,
    pub(crate) now: Tai64n,
}

impl Errand {
    /// Begins now and from here.
    pub(crate) fn new(command: Command, is_script: bool) -> Result<Self, Exit> {
        let begun = now();
        let finder = Finder::new()
            .map_err(|why| fatal(b"unable to open current directory: ", why, is_script))?;
        let out = Out::to(rustix::stdio::stdout());
        Ok(Self { command, is_script, finder, out, failures: 0, begun, now: begun })
    }

    /// Does it for all services, in their order.
    pub(crate) fn run(
        &mut self,
        services: Vec<&'static CStr>,
        waits: bool,
        seconds: u64,
    ) -> Result<Exit, Exit> {
        if self.command.first == First::Show {
            for name in services {
                if self.enter(name).is_ok()
                    && let Some(exit) = self.show(name)
                    && self.is_script
                {
                    return Ok(exit);
                }
                self.back()?;
            }
        } else {
            let begun = clock::monotonic();
            let told = self.tell_all(services)?;
            if waits {
                self.wait(told, begun, seconds)?;
            }
        }
        Ok(if self.failures == 0 { Exit::Success } else { Exit::Of(self.failures) })
    }

    /// Tells all services; those that were told are left, with their numbers.
    fn tell_all(&mut self, services: Vec<&'static CStr>) -> Result<Vec<Left>, Exit> {
        // A supervise that ends between the open and the write is a warning.
        signals::ignore_broken_pipes();
        let mut told = Vec::new();
        for (number, name) in services.into_iter().enumerate() {
            let mut done = self.enter(name);
            if self.command.first == First::Tell {
                done = done.and_then(|()| self.tell(name, self.command));
            }
            self.back()?;
            if done.is_ok() {
                told.push((number, name));
            }
        }
        Ok(told)
    }

    /// Waits until nothing is left to wait for, or the time is over.
    fn wait(&mut self, mut left: Vec<Left>, begun: u64, seconds: u64) -> Result<(), Exit> {
        let mut changes = Changes::open().ok();
        let (mut is_over, mut next) = (false, begun + PAUSE);
        loop {
            let mut late = Vec::new();
            for (number, name) in left {
                let done = self.enter(name).and_then(|()| {
                    // Where it cannot be watched there are the looks by the clock.
                    let _ = changes.as_mut().map(|changes| changes.subscribe(number));
                    self.check(name, is_over)
                });
                self.back()?;
                if matches!(done, Ok(false)) {
                    late.push((number, name));
                }
            }
            if late.is_empty() {
                return Ok(());
            }
            left = late;
            is_over = false;
            if !is_told(changes.as_mut(), next) {
                clock::pause_until(next);
                let time = clock::monotonic();
                is_over = u128::from(time - begun) > u128::from(seconds) * 1_000_000_000;
                next = time + PAUSE;
            }
            self.now = now();
        }
    }

    /// Makes the directory of the service the current one.
    fn enter(&mut self, name: &CStr) -> Result<(), Lost> {
        let mut gone = Ok(());
        if is_plain(name.to_bytes()) {
            gone = chdir(exec::variable(names::SVDIR).unwrap_or(names::SCAN_DIRS[0]));
        }
        gone.and_then(|()| go(name)).map_err(|why| {
            self.fail(name, b"unable to change to service directory", Some(why));
            Lost
        })
    }

    fn back(&self) -> Result<(), Exit> {
        let lost = |why| fatal(b"unable to change to original directory: ", why, self.is_script);
        self.finder.back().map_err(lost)
    }

    /// Says it to the supervise, unless it has been said.
    fn tell(&mut self, name: &CStr, command: Command) -> Result<(), Lost> {
        let Some(sight) = self.look(name, b"")? else { return Err(Lost) };
        if command.is_said(&sight) {
            return Ok(());
        }
        // A logger is not taken down: its service would be stuck.
        let is_logger = name.to_bytes().rsplit(|byte| *byte == b'/').next() == Some(b"log");
        let ends_too = command.ends_supervise() && !is_logger && !exit_ends();
        match send_now(if ends_too { b"dx" } else { command.letters_for(&sight) }) {
            Ok(()) => return Ok(()),
            Err(ControlTrouble::NotRunning) => self.nobody(name, b""),
            Err(ControlTrouble::NotAFifo) => {
                self.warn(name, b"", b"supervise/control is not a fifo", None);
            }
            Err(ControlTrouble::Open(why)) => {
                self.warn(name, b"", b"unable to open supervise/control", Some(why));
            }
            Err(ControlTrouble::Write(why)) => {
                self.warn(name, b"", b"unable to write to supervise/control", Some(why));
            }
        }
        Err(Lost)
    }

    /// Whether there is nothing more to wait for.
    fn check(&mut self, name: &CStr, is_over: bool) -> Result<bool, Lost> {
        let Some(sight) = self.look(name, b"")? else { return Err(Lost) };
        if self.command.has_come_about(&sight, self.begun, || is_available(name)) {
            self.say(&[b"ok: "]);
            self.describe(&sight, name, name.to_bytes());
            self.end_line();
            return Ok(true);
        }
        if is_over {
            self.say(&[if self.command.kills { b"kill: " } else { b"timeout: " }]);
            if let Ok(Some(sight)) = self.look(name, b"") {
                self.describe(&sight, name, name.to_bytes());
                self.count();
            }
            self.end_line();
            if self.command.kills {
                let kill = Command { letters: b"k", ..self.command };
                let _ = self.tell(name, kill);
            }
        }
        Ok(is_over)
    }
}

/// Waits until a service may have changed, or until `next`; says whether it was
/// that.
fn is_told(changes: Option<&mut Changes>, next: u64) -> bool {
    let Some(changes) = changes else { return false };
    let is_told = changes.wait(Some(next)) == Ok(true) && clock::monotonic() < next;
    while changes.take().is_some() {}
    is_told
}

fn now() -> Tai64n {
    let (seconds, nanos) = clock::wall();
    Tai64n::from_unix(seconds, nanos)
}
