//! sv: runit's way to tell a service what to do, to wait until it has come
//! about, and to show it.
#![no_main]

use core::cell::Cell;
use core::ffi::CStr;
use rustix::fs::{Mode, OFlags, open, stat};
use rustix::process::{WaitOptions, WaitStatus, chdir, waitpid};
use upkeep_cli::{Exit, Options, Out, Tool, put, words};
use upkeep_core::status::Status;
use upkeep_core::tai::Tai64n;
use upkeep_servicedir::{
    Changes, ControlTrouble, Finder, StatusTrouble, exit_ends, go, is_logger, names, normally_up,
    read_status_as_runit, send_now,
};
use upkeep_sys::spawn::{Apart, Inherit, Spawn};
use upkeep_sys::{Args, Errno, clock, exec, signals};
use upkeep_tools::number;
use upkeep_tools::sv::{Command, First, described, is_plain};

const TOOL: Tool = Tool {
    name: "sv",
    help: "\
usage: sv [-v] [-w seconds] command service ...
       /etc/init.d/service [-w seconds] command

Tells the supervise of each service what to do, and shows the service. A name
that begins with neither a dot nor a slash and does not end with a slash is
looked up in $SVDIR or, without it, in /etc/service. Under another name than sv
it is an init script for the service of that name.

These are sent, and the first letter is enough:

  up down once             start it; stop it; start it once
  pause cont               STOP, CONT
  hup alarm interrupt quit 1 2 term kill
                           HUP, ALRM, INT, QUIT, USR1, USR2, TERM, KILL
  exit                     stop it, and its supervise with it
  status                   show it, and its logger

These wait until it has come about, for 7 seconds, and show the service then:

  start stop restart       up, down, or ended and up again; where there is a
                           program check, it has to exit 0 first
  try-restart              the same where it runs
  reload                   HUP
  shutdown                 exit
  check                    whether the service is what it was told to be
  force-stop force-restart force-reload force-shutdown
                           the same, and KILL when the time is over

  -v             wait for the short commands too
  -w seconds     wait for so long, not for $SVWAIT or 7 seconds; means -v
  -V             print the version and the usage
  -h, --help     print this
      --version  print the version

    sv restart nginx
    sv -w 30 force-stop postgresql
    sv status /etc/service/*

exit: the number of services with which something went wrong, 99 at most; 100
usage, or the current directory is lost. An init script: 1 it went wrong, 2
usage, 3 the service is down, 4 its status is not known, 151 the directory is
lost.
",
};

const SYNOPSIS: &[u8] = b" [-v] [-w sec] command service ...\n\n";
const SYNOPSIS_OF_SCRIPT: &[u8] = b" [-w sec] command\n\n";

/// How long it is waited for what was asked.
const SECONDS: u64 = 7;
/// How long between two looks if no service changes: a check can say otherwise
/// without that.
const PAUSE: u64 = 420_000_000;
/// The most that is counted in the exit code.
const MOST: u8 = 99;

upkeep_sys::main!(|args| run(args).code());

fn run(args: Args) -> Exit {
    let path = args.get(0).unwrap_or(c"sv").to_bytes_with_nul();
    let base = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    let name = CStr::from_bytes_with_nul(base).unwrap_or(c"sv");
    let is_script = name != c"sv";
    if !is_script && let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    let usage = || usage(name.to_bytes(), is_script);
    let mut seconds = exec::variable(b"SVWAIT").map_or(SECONDS, number::leading);
    let mut waits = false;
    let mut options = Options::new(args, "w:vV");
    for option in &mut options {
        match option {
            Err(bad) => {
                bad.report_as(name.to_bytes());
                return usage();
            }
            Ok(option) => match (option.letter, option.value) {
                (b'v', _) => waits = true,
                (b'w', value) => {
                    seconds = number::leading(value.unwrap_or_default().to_bytes());
                    waits = true;
                }
                _ => {
                    complain(&[b"sv (upkeep) ", env!("CARGO_PKG_VERSION").as_bytes(), b"\n"]);
                    return usage();
                }
            },
        }
    }
    let rest = options.rest();
    let command = rest.get(0).and_then(|word| Command::parse(word.to_bytes(), is_script));
    let Some(command) = command else { return usage() };
    let services: Vec<_> = if is_script { vec![name] } else { rest.skip(1).iter().collect() };
    if services.is_empty() {
        return usage();
    }
    match Sv::new(command, is_script) {
        Ok(mut sv) => sv.serve(services, waits || command.waits, seconds).unwrap_or_else(|e| e),
        Err(exit) => exit,
    }
}

fn usage(name: &[u8], is_script: bool) -> Exit {
    complain(&[b"usage: ", name, if is_script { SYNOPSIS_OF_SCRIPT } else { SYNOPSIS }]);
    if is_script { Exit::Of(2) } else { Exit::Usage }
}

fn complain(parts: &[&[u8]]) {
    // Nobody can be told that standard error does not work.
    let _ = put(rustix::stdio::stderr(), parts);
}

/// A service that nothing more can be done for; it has been said why.
struct Lost;

/// A service that is waited for, and its number.
type Left = (usize, &'static CStr);

/// What is known of a service: its status, or that nobody supervises it.
type Seen = Option<Status>;

struct Sv {
    command: Command,
    is_script: bool,
    finder: Finder,
    out: Out<'static>,
    failures: u8,
    begun: Tai64n,
    now: Tai64n,
}

impl Sv {
    fn new(command: Command, is_script: bool) -> Result<Self, Exit> {
        let begun = now();
        let finder = Finder::new()
            .map_err(|why| fatal(b"unable to open current directory: ", why, is_script))?;
        let out = Out::to(rustix::stdio::stdout());
        Ok(Self { command, is_script, finder, out, failures: 0, begun, now: begun })
    }

    fn serve(
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

    /// Shows the service and its logger; the answer is what an init script exits
    /// with, if it is not a failure like any other.
    fn show(&mut self, name: &CStr) -> Option<Exit> {
        let seen = match self.look(name, b"") {
            Ok(Some(status)) => status,
            Ok(None) => return None,
            Err(Lost) => return Some(Exit::Of(4)),
        };
        let shown = self.describe(&seen, name, name.to_bytes());
        // One that is a file is in the directory of its service.
        match if is_logger() { Err(Errno::NOENT) } else { go(names::LOG) } {
            Err(Errno::NOENT) => self.say(&[b"\n"]),
            Err(why) => {
                self.say(&[b"; "]);
                self.warn(name, b"/log", b"unable to change directory", Some(why));
            }
            Ok(()) => {
                self.say(&[b"; "]);
                if let Ok(Some(status)) = self.look(name, b"/log") {
                    self.describe(&status, name, b"log");
                    self.say(&[b"\n"]);
                }
            }
        }
        let _ = self.out.flush();
        Some(match (shown, seen.pid) {
            (false, _) => Exit::Of(4),
            (true, 0) => Exit::Of(3),
            (true, _) => Exit::Success,
        })
    }

    /// Says it to the supervise, unless it has been said.
    fn tell(&mut self, name: &CStr, command: Command) -> Result<(), Lost> {
        let Some(status) = self.look(name, b"")? else { return Err(Lost) };
        if command.is_said(&status) {
            return Ok(());
        }
        // A logger is not taken down: its service would be stuck.
        let is_logger = name.to_bytes().rsplit(|byte| *byte == b'/').next() == Some(b"log");
        let ends_too = command.ends_supervise() && !is_logger && !exit_ends();
        match send_now(if ends_too { b"dx" } else { command.letters }) {
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
        let Some(status) = self.look(name, b"")? else { return Err(Lost) };
        if self.command.has_come_about(&status, self.begun, || is_available(name)) {
            self.say(&[b"ok: "]);
            self.describe(&status, name, name.to_bytes());
            self.end_line();
            return Ok(true);
        }
        if is_over {
            self.say(&[if self.command.kills { b"kill: " } else { b"timeout: " }]);
            if let Ok(Some(status)) = self.look(name, b"") {
                self.describe(&status, name, name.to_bytes());
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

    /// The status; where it is not known, that is said.
    fn look(&mut self, name: &CStr, log: &[u8]) -> Result<Seen, Lost> {
        let (what, why): (&[u8], _) = match read_status_as_runit() {
            Ok(status) => return Ok(Some(status)),
            Err(StatusTrouble::NotRunning) => {
                self.nobody(name, log);
                return Ok(None);
            }
            Err(StatusTrouble::Ok(why)) => (b"unable to open supervise/ok", Some(why)),
            Err(StatusTrouble::Open(why)) => (b"unable to open supervise/status", Some(why)),
            Err(StatusTrouble::Read(why)) => (b"unable to read supervise/status", Some(why)),
            Err(StatusTrouble::BadFormat) => (b"unable to read supervise/status: bad format", None),
        };
        self.warn(name, log, what, why);
        Err(Lost)
    }

    /// Shows a status under the name `shown`; says whether it could.
    fn describe(&mut self, status: &Status, name: &CStr, shown: &[u8]) -> bool {
        match normally_up() {
            Ok(up) => {
                self.say(&[&described(status, shown, self.now, !up)]);
                true
            }
            Err(why) => {
                let why = words(why).as_bytes();
                complain(&[b"warning: unable to stat ", name.to_bytes(), b"/down: ", why, b"\n"]);
                false
            }
        }
    }

    /// There is no supervise: what `exit` is for.
    fn nobody(&mut self, name: &CStr, log: &[u8]) {
        let what = b"runsv not running";
        if self.command.ends_supervise() {
            self.line(b"ok: ", name, log, what, None);
        } else {
            self.count();
            self.line(b"fail: ", name, log, what, None);
        }
    }

    fn fail(&mut self, name: &CStr, what: &[u8], why: Option<Errno>) {
        self.count();
        self.line(b"fail: ", name, b"", what, why);
    }

    fn warn(&mut self, name: &CStr, log: &[u8], what: &[u8], why: Option<Errno>) {
        self.count();
        self.line(b"warning: ", name, log, what, why);
    }

    fn count(&mut self) {
        self.failures = (self.failures + 1).min(MOST);
    }

    fn line(&mut self, kind: &[u8], name: &CStr, log: &[u8], what: &[u8], why: Option<Errno>) {
        self.say(&[kind, name.to_bytes(), log, b": ", what]);
        if let Some(why) = why {
            self.say(&[b": ", words(why).as_bytes()]);
        }
        self.end_line();
    }

    fn end_line(&mut self) {
        self.say(&[b"\n"]);
        let _ = self.out.flush();
    }

    fn say(&mut self, parts: &[&[u8]]) {
        for part in parts {
            // Nobody can be told that standard output does not work.
            let _ = self.out.push(part);
        }
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

fn fatal(what: &[u8], why: Errno, is_script: bool) -> Exit {
    complain(&[b"fatal: ", what, words(why).as_bytes(), b"\n"]);
    if is_script { Exit::Of(151) } else { Exit::Usage }
}

fn now() -> Tai64n {
    let (seconds, nanos) = clock::wall();
    Tai64n::from_unix(seconds, nanos)
}

/// Whether the service says that it can be used: its `check` exits 0, or it has
/// none. One that cannot be run is no reason to doubt it.
fn is_available(name: &CStr) -> bool {
    let name = name.to_bytes();
    match stat(names::CHECK) {
        Ok(_) => {}
        Err(Errno::NOENT) => return true,
        Err(why) => {
            let why = words(why).as_bytes();
            complain(&[b"warning: unable to stat ", name, b"/check: ", why, b"\n"]);
            return false;
        }
    }
    let cannot = |what: &[u8], why| {
        complain(&[b"warning: unable to ", what, name, b"/check: ", words(why).as_bytes(), b"\n"]);
    };
    let null = open(c"/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty());
    let cannot_run = Cell::new(false);
    let child = null.and_then(|null| {
        let fds = [(rustix::fd::AsFd::as_fd(&null), 1)];
        let check = Spawn {
            candidates: &[names::CHECK],
            args: &[c"./check"],
            fds: &fds,
            directory: None,
            inherit: Inherit::Nothing(Apart::Not),
            open_files: None,
            variables: &[],
            bound: false,
            last: None,
            first: false,
        };
        check.start(&|_, why| {
            cannot(b"run ", why);
            cannot_run.set(true);
        })
    });
    let pid = match child {
        Ok(pid) => pid,
        Err(why) => {
            cannot(b"fork for ", why);
            return false;
        }
    };
    loop {
        match waitpid(Some(pid), WaitOptions::empty()) {
            Ok(ended) => {
                let code = ended.map(|(_, status)| status).and_then(WaitStatus::exit_status);
                return cannot_run.get() || code == Some(0);
            }
            Err(Errno::INTR) => {}
            Err(why) => {
                cannot(b"wait for child ", why);
                return false;
            }
        }
    }
}
