//! The shell around the state machine: waits for signals, commands and
//! deadlines, tells the machine, does what it says. After start-up no error
//! ends it and nothing is allocated.

use crate::process;
use core::ffi::CStr;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{WaitOptions, wait};
use upkeep_cli::{Exit, Tool, drop_messages_rather_than_wait};
use upkeep_core::control::Command;
use upkeep_core::status::Status;
use upkeep_core::supervise::{Action, Event, Machine};
use upkeep_core::tai::Tai64n;
use upkeep_servicedir::{Keeper, Trouble, normally_up};
use upkeep_sys::signals::{self, Signal, Signals};
use upkeep_sys::{Args, clock, sealed};

pub(crate) const TOOL: Tool = Tool {
    name: "supervise",
    help: "\
usage: supervise dir

Changes to dir, starts ./run, and starts it again whenever it ends, at most
once a second. A file dir/down keeps it from being started at first. svc
controls it, svstat shows it.

  -h, --help     print this
      --version  print the version

    supervise /service/myapp

signals: TERM and INT as svc -dx, HUP as svc -x, QUIT as svc -dxk.
exit: 0 after svc -x, 100 usage, 111 the directory cannot be used, is taken
by another supervise, or was removed.
",
};

pub(crate) fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    let (Some(dir), None) = (args.get(1), args.get(2)) else {
        return TOOL.usage("supervise dir");
    };
    match Supervise::begin(dir) {
        Ok(mut supervise) => {
            sealed::seal();
            supervise.run()
        }
        Err(exit) => exit,
    }
}

struct Supervise {
    dir: &'static CStr,
    keeper: Keeper,
    signals: Signals,
    machine: Machine,
    since: Tai64n,
    leaving: Option<Exit>,
}

impl Supervise {
    fn begin(dir: &'static CStr) -> Result<Self, Exit> {
        // A reader of our messages that goes away must not take us along, and
        // one that is stuck must not hold us up.
        signals::ignore_broken_pipes();
        drop_messages_rather_than_wait();
        // TTOU is blocked only so that a terminal that stops background output
        // does not stop us.
        let always = [Signal::CHILD, Signal::TERM, Signal::TTOU];
        let unless_ignored = [Signal::INT, Signal::HUP, Signal::QUIT];
        let name = dir.to_bytes();
        let signals = Signals::take(&always, &unless_ignored)
            .map_err(|why| TOOL.fatal_os(&[b"unable to take signals for ", name, b": "], why))?;
        rustix::process::chdir(dir)
            .map_err(|why| TOOL.fatal_os(&[b"unable to chdir to ", name, b": "], why))?;
        let up = normally_up()
            .map_err(|why| TOOL.fatal_os(&[b"unable to stat ", name, b"/down: "], why))?;
        let mut keeper = Keeper::claim().map_err(|trouble| fatal(dir, trouble))?;
        let machine = Machine::new(up, clock::monotonic());
        let since = now();
        if let Err(trouble) = keeper.write_status(&record(&machine, since)) {
            warn(dir, trouble);
        }
        keeper.open_ok().map_err(|trouble| fatal(dir, trouble))?;
        Ok(Self { dir, keeper, signals, machine, since, leaving: None })
    }

    fn run(&mut self) -> Exit {
        loop {
            self.feed(Event::Tick);
            if let Some(exit) = self.leaving {
                return exit;
            }
            self.wait();
            self.reap();
            self.listen();
        }
    }

    /// Until a signal, a command or the deadline comes.
    fn wait(&self) {
        let timeout = self.machine.deadline().map(clock::until);
        let mut fds =
            [PollFd::new(&self.signals, PollFlags::IN), PollFd::new(&self.keeper, PollFlags::IN)];
        // Whatever it answers, what follows only looks.
        let _ = poll(&mut fds, timeout.as_ref());
    }

    fn reap(&mut self) {
        while let Some(signal) = self.signals.next() {
            let commands: &[Command] = match signal {
                Signal::TERM | Signal::INT => &[Command::Down, Command::Exit],
                Signal::HUP => &[Command::Exit],
                Signal::QUIT => &[Command::Down, Command::Exit, Command::Kill],
                _ => &[],
            };
            for command in commands {
                self.feed(Event::Told(*command));
            }
        }
        while let Ok(Some((pid, _))) = wait(WaitOptions::NOHANG) {
            if pid.as_raw_pid().unsigned_abs() == self.machine.pid() {
                self.feed(Event::Died);
            }
        }
    }

    fn listen(&mut self) {
        let mut buffer = [0; 64];
        let count = self.keeper.read_control(&mut buffer).len();
        for byte in &buffer[..count] {
            if let Some(command) = Command::from_byte(*byte) {
                self.feed(Event::Told(command));
            }
        }
    }

    fn feed(&mut self, event: Event) {
        let (machine, actions) = self.machine.step(event, clock::monotonic());
        self.machine = machine;
        for action in actions {
            match action {
                Action::Stamp => self.since = now(),
                Action::Announce => self.announce(),
                Action::Start => self.start(),
                Action::Send(signal) => process::send(self.machine.pid(), signal),
                Action::Exit => self.leaving = Some(Exit::Success),
            }
        }
    }

    fn announce(&mut self) {
        if let Err(trouble) = self.keeper.write_status(&record(&self.machine, self.since)) {
            warn(self.dir, trouble);
            self.feed(Event::NotAnnounced);
        }
    }

    fn start(&mut self) {
        if Keeper::is_gone() {
            // Nobody could ever say anything to us again.
            let name = self.dir.to_bytes();
            self.leaving = Some(TOOL.fatal(&[b"unable to start ", name, b"/run: ", GONE]));
            return;
        }
        match process::start(self.dir) {
            Ok(pid) => self.feed(Event::Started(pid.as_raw_pid().unsigned_abs())),
            Err(why) => {
                let name = self.dir.to_bytes();
                TOOL.warn_os(
                    &[b"unable to fork for ", name, b", trying again in 5 seconds: "],
                    why,
                );
                self.feed(Event::NotStarted);
            }
        }
    }
}

const GONE: &[u8] = b"the directory was removed";

fn record(machine: &Machine, since: Tai64n) -> [u8; upkeep_core::status::SIZE] {
    Status {
        since,
        pid: machine.pid(),
        paused: machine.paused,
        want: machine.want,
        terminating: machine.terminating,
    }
    .encode()
}

fn now() -> Tai64n {
    let (seconds, nanos) = clock::wall();
    Tai64n::from_unix(seconds, nanos)
}

fn fatal(dir: &CStr, trouble: Trouble) -> Exit {
    let parts = parts(dir, &trouble);
    trouble.why.map_or_else(|| TOOL.fatal(&parts), |why| TOOL.fatal_os(&parts, why))
}

fn warn(dir: &CStr, trouble: Trouble) {
    let parts = parts(dir, &trouble);
    trouble.why.map_or_else(|| TOOL.warn(&parts), |why| TOOL.warn_os(&parts, why));
}

fn parts<'a>(dir: &'a CStr, trouble: &'a Trouble) -> [&'a [u8]; 9] {
    // daemontools names the second file of a rename too.
    let to = if trouble.verb == "rename" { " to status" } else { "" };
    [
        b"unable to ",
        trouble.verb.as_bytes(),
        b" ",
        dir.to_bytes(),
        b"/",
        trouble.file.to_bytes(),
        to.as_bytes(),
        b": ",
        trouble.reason().as_bytes(),
    ]
}
