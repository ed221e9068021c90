//! The shell around the state machine: waits for signals, commands and
//! deadlines, tells the machine, does what it says. After start-up no error
//! ends it and nothing is allocated.

use crate::process;
use crate::reach::Reach;
use crate::watch::{Watch, number, outcome};
use core::cell::Cell;
use core::ffi::CStr;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, WaitOptions, wait};
use upkeep_cli::{Exit, Tool};
use upkeep_core::control::Command;
use upkeep_core::record::{Boot, Identity, Record};
use upkeep_core::status::Status;
use upkeep_core::supervise::{Action, Event, Machine, Phase};
use upkeep_core::tai::Tai64n;
use upkeep_family::Enter;
use upkeep_servicedir::{Keeper, Pipes, Trouble};
use upkeep_sys::refuse::refused;
use upkeep_sys::signals::{Signal, Signals};
use upkeep_sys::{Args, clock, exec, point, sealed};

pub(crate) const TOOL: Tool = Tool {
    name: "supervise",
    help: "\
usage: supervise dir

Changes to dir, starts ./run, and starts it again whenever it ends, at most
once a second. A file dir/down keeps it from being started at first. svc
controls it, svstat shows it. Where a supervise was killed, goes on with the
service that it left running.

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
    match Supervise::begin(args, dir) {
        Ok(mut supervise) => {
            sealed::seal();
            supervise.run()
        }
        Err(exit) => exit,
    }
}

/// One service, and all that it takes to keep it.
pub(crate) struct Supervise {
    /// For executing this program anew.
    pub(crate) args: Args,
    pub(crate) dir: &'static CStr,
    pub(crate) keeper: Keeper,
    pub(crate) pipes: Pipes,
    pub(crate) signals: Signals,
    pub(crate) machine: Machine,
    pub(crate) watch: Watch,
    pub(crate) reach: Reach,
    pub(crate) since: Tai64n,
    pub(crate) boot: Boot,
    pub(crate) namespace: u64,
    /// Whether this program is to be executed anew.
    pub(crate) renewing: bool,
    pub(crate) leaving: Option<Exit>,
}

impl Supervise {
    fn run(&mut self) -> Exit {
        loop {
            self.feed(Event::Tick);
            if let Some(exit) = self.leaving {
                return exit;
            }
            let stirred = self.wait();
            self.hear();
            if self.reap() || stirred {
                self.feed(Event::Stirred);
            }
            self.listen();
            // After all that was read together, which nobody could read again.
            if core::mem::take(&mut self.renewing) && self.leaving.is_none() {
                self.renew();
            }
        }
    }

    /// Until a signal, a command, a death or the deadline comes. Says whether
    /// something of what the process has left behind may have ended.
    fn wait(&self) -> bool {
        let deadlines = [self.machine.deadline(), self.watch.deadline()];
        let timeout = deadlines.into_iter().flatten().min().map(clock::until);
        let signals = PollFd::new(&self.signals, PollFlags::IN);
        let control = PollFd::new(&self.keeper, PollFlags::IN);
        let clearing = matches!(self.machine.phase, Phase::Clearing(_));
        let left = self.reach.poll().filter(|_| clearing);
        let mut all = [signals, control.clone(), control];
        let other = self.watch.poll().or(left);
        let count = if let Some(other) = other {
            all[2] = other;
            3
        } else {
            2
        };
        // Whatever it answers, what follows only looks.
        let _ = poll(&mut all[..count], timeout.as_ref());
        clearing && count == 3 && !all[2].revents().is_empty()
    }

    fn hear(&mut self) {
        while let Some(signal) = self.signals.next() {
            let commands: &[Command] = match signal {
                Signal::TERM | Signal::INT => &[Command::Down, Command::Exit],
                Signal::HUP => &[Command::Exit],
                Signal::QUIT => &[Command::Down, Command::Exit, Command::Kill],
                _ => &[],
            };
            for command in commands {
                self.tell(*command);
            }
        }
    }

    /// Says whether any child has ended.
    pub(crate) fn reap(&mut self) -> bool {
        let mut any = false;
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            any = true;
            if self.watch.ended(pid) {
                point!("death: noticed");
                self.feed(Event::Died(outcome(status.as_raw())));
            }
        }
        if let Some(outcome) = self.watch.look(clock::monotonic()) {
            self.feed(Event::Died(outcome));
        }
        any
    }

    fn listen(&mut self) {
        let mut buffer = [0; 64];
        let count = self.keeper.read_control(&mut buffer).len();
        for byte in &buffer[..count] {
            if let Some(command) = Command::from_byte(*byte) {
                self.tell(command);
            }
        }
    }

    fn tell(&mut self, command: Command) {
        if command == Command::Exit {
            // Nobody is to write any more for whom this one held the pipe.
            self.pipes.let_end();
        }
        self.feed(Event::Told(command));
    }

    pub(crate) fn feed(&mut self, event: Event) {
        let (machine, actions) = self.machine.step(event, clock::monotonic());
        self.machine = machine;
        for action in actions {
            match action {
                Action::Stamp => self.since = now(),
                Action::Announce => self.announce(false),
                Action::Intend => {
                    self.announce(true);
                    point!("down: intended");
                }
                Action::Start => self.start(),
                Action::Send(signal) => {
                    self.reach.signal(&self.watch, process::signal(signal));
                    point!("signal: sent");
                }
                Action::Clear => {
                    let cleared = self.reach.clear(self.dir);
                    point!("clear: killed");
                    self.feed(if cleared { Event::Cleared } else { Event::NotCleared });
                }
                Action::Renew => self.renewing = true,
                Action::Exit => self.leaving = Some(Exit::Success),
            }
        }
    }

    pub(crate) fn announce(&mut self, intent: bool) {
        let record = self.record(&self.machine, self.watch.identity(), self.since, intent);
        if let Err(trouble) = self.keeper.write_status(&record) {
            warn(self.dir, trouble);
            self.feed(Event::NotAnnounced);
        }
        point!("status: written");
    }

    fn record(
        &self,
        machine: &Machine,
        process: Identity,
        since: Tai64n,
        intent: bool,
    ) -> [u8; upkeep_core::record::SIZE] {
        // What may be a stranger is not what anybody should hear of.
        let pid = if self.watch.is_doubtful() { 0 } else { machine.pid() };
        let status = Status {
            since,
            pid,
            paused: machine.paused,
            want: machine.want,
            terminating: machine.terminating,
        };
        let process = Identity { pid: machine.pid(), ..process };
        Record { status, own: machine.own(self.boot, process, intent) }.encode()
    }

    fn start(&mut self) {
        if Keeper::is_gone() {
            // Nobody could ever say anything to us again.
            let name = self.dir.to_bytes();
            self.leaving = Some(TOOL.fatal(&[b"unable to start ", name, b"/run: ", GONE]));
            return;
        }
        self.machine.plan = self.reach.read(self.dir);
        // Borrowed for the start alone.
        let mut reach = core::mem::replace(&mut self.reach, Reach::new());
        let enter = reach.enter();
        let marker = match enter {
            Some(Enter::Marker(marker)) => Some(marker),
            Some(Enter::Cgroup(_)) | None => None,
        };
        let (begun, outside) = (Cell::new(None), Cell::new(None));
        let answer = process::start(self.dir, &self.keeper, marker, &|pid| {
            outside.set(enter.and_then(|enter| enter.enter().err()));
            let (will_be, _) = self.machine.step(Event::Started(number(pid)), clock::monotonic());
            let identity = process::identify(pid, self.namespace);
            let since = now();
            if refused(b"record-first") {
                begun.set(Some((identity, since, None)));
                return true;
            }
            let record = self.record(&will_be, identity, since, false);
            let written = self.keeper.write_status(&record);
            begun.set(Some((identity, since, written.err())));
            written.is_ok()
        });
        self.reach = reach;
        if let Some(why) = outside.get() {
            let name = self.dir.to_bytes();
            TOOL.warn_os(&[b"unable to put ", name, b" into its cgroup: "], why);
        }
        match answer {
            Ok(pid) => {
                point!("start: executed");
                self.started(pid, begun.get());
                if refused(b"record-first") {
                    self.announce(false);
                }
            }
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

    /// The child has written down who it is, and perhaps become the service.
    /// It may also have been killed before it could.
    fn started(&mut self, pid: Pid, begun: Option<(Identity, Tai64n, Option<Trouble>)>) {
        let unwritten = (Identity { pid: number(pid), ..Identity::default() }, now(), None);
        let (identity, since, trouble) = begun.unwrap_or(unwritten);
        self.watch.child(identity);
        self.since = since;
        self.feed(Event::Started(number(pid)));
        if let Some(trouble) = trouble {
            warn(self.dir, trouble);
            self.feed(Event::NotAnnounced);
        }
    }

    /// Executes this program anew. What it holds it keeps; if the new one
    /// cannot be executed, this one goes on.
    fn renew(&mut self) {
        // Everything that the next one has to know is on record.
        self.announce(false);
        let kept = self.keeper.bequeath(true).and_then(|()| self.pipes.bequeath(true));
        let why = match kept {
            Ok(()) => exec::anew(self.args),
            Err(why) => why,
        };
        let _ = self.keeper.bequeath(false).and_then(|()| self.pipes.bequeath(false));
        let name = self.dir.to_bytes();
        TOOL.warn_os(&[b"unable to execute supervise anew for ", name, b", going on: "], why);
    }
}

const GONE: &[u8] = b"the directory was removed";

pub(crate) fn now() -> Tai64n {
    let (seconds, nanos) = clock::wall();
    Tai64n::from_unix(seconds, nanos)
}

pub(crate) fn fatal(dir: &CStr, trouble: Trouble) -> Exit {
    let parts = parts(dir, &trouble);
    trouble.why.map_or_else(|| TOOL.fatal(&parts), |why| TOOL.fatal_os(&parts, why))
}

pub(crate) fn warn(dir: &CStr, trouble: Trouble) {
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
