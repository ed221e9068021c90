//! The shell around the state machine: waits for signals, commands and
//! deadlines, tells the machine, does what it says. After start-up no error
//! ends it and nothing is allocated.

use crate::supervise::errands::Errands;
use crate::supervise::health::Senses;
use crate::supervise::order::{ALONE, Order};
use crate::supervise::reach::Reach;
use crate::supervise::watch::{Watch, outcome};
use core::ffi::CStr;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::OwnedFd;
use rustix::process::{WaitOptions, wait};
use upkeep_cli::{Exit, Tool};
use upkeep_core::control::{self, Command};
use upkeep_core::record::{Boot, Identity, Outcome, Record};
use upkeep_core::status::{Status, Want};
use upkeep_core::supervise::{Action, Event, Kind, Machine, Phase};
use upkeep_core::tai::Tai64n;
use upkeep_family::Spared;
use upkeep_servicedir::{Keeper, Pipes, Trouble};
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
    pub(crate) errands: Errands,
    pub(crate) order: Order,
    /// Whether what is said next is not for what this one is made of.
    pub(crate) alone: bool,
    /// Whether signals are for the whole process group.
    pub(crate) whole: bool,
    pub(crate) since: Tai64n,
    /// When the process was ready; zeros while it is not.
    pub(crate) ready: Tai64n,
    /// Those that run beside it.
    pub(crate) asides: Spared,
    /// Where it is heard.
    pub(crate) senses: Senses,
    /// What its record will be believed by.
    pub(crate) boot: Boot,
    pub(crate) namespace: u64,
    /// Tells when something happens where the service's pid file will be.
    pub(crate) changes: Option<OwnedFd>,
    /// Whether this program is to be executed anew.
    pub(crate) renewing: bool,
    pub(crate) leaving: Option<Exit>,
}

impl Supervise {
    /// Not inlined, as is what begins: what that needs of the stack is not
    /// needed any more. For the same reason what is kept is on the heap.
    #[inline(never)]
    fn run(&mut self) -> Exit {
        loop {
            self.feed(Event::Tick);
            // What a script does is part of the service.
            if let Some(exit) = self.leaving.filter(|_| self.errands.is_idle()) {
                return exit;
            }
            let stirred = self.wait();
            self.hear();
            self.hear_service();
            if self.reap() || stirred {
                self.feed(Event::Stirred);
            }
            self.hurry_script();
            self.listen();
            // After all that was read together, which nobody could read again,
            // and all that it led to.
            if self.renewing && self.leaving.is_none() && self.errands.is_idle() {
                self.renewing = false;
                self.renew();
            }
        }
    }

    /// Until a signal, a command, a death or the deadline comes. Says whether
    /// something of what the process has left behind may have ended.
    fn wait(&self) -> bool {
        let deadlines = [self.machine.deadline(), self.watch.deadline(), self.errands.deadline()];
        let timeout = deadlines.into_iter().flatten().min().map(clock::until);
        let signals = PollFd::new(&self.signals, PollFlags::IN);
        let commands = if self.patience() > 0 { PollFlags::IN } else { PollFlags::empty() };
        let control = PollFd::new(&self.keeper, commands);
        let clearing = matches!(self.machine.phase, Phase::Clearing(_));
        let left = self.reach.poll().filter(|_| clearing);
        let [ear, socket] = self.senses.poll();
        let changes = self.changes.as_ref().map(|changes| PollFd::new(changes, PollFlags::IN));
        // While the one is looked for there is nothing of the other.
        let left = left.or(changes);
        let mut all: [_; 6] = core::array::from_fn(|_| control.clone());
        all[0] = signals;
        let mut count = 2;
        for fd in [self.watch.poll(), ear, socket, left].into_iter().flatten() {
            all[count] = fd;
            count += 1;
        }
        // Whatever it answers, what follows only looks.
        let _ = poll(&mut all[..count], timeout.as_ref());
        // What is left comes last.
        (clearing || self.changes.is_some()) && count > 2 && !all[count - 1].revents().is_empty()
    }

    fn hear(&mut self) {
        while let Some(signal) = self.signals.next() {
            let mut commands: &[Command] = match signal {
                Signal::TERM | Signal::INT => &[Command::Down, Command::Exit],
                Signal::HUP => &[Command::Exit],
                Signal::QUIT => &[Command::Down, Command::Exit, Command::Kill],
                _ => &[],
            };
            if self.machine.plan.exit_ends && commands.first() == Some(&Command::Down) {
                commands = &commands[1..];
            }
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
            self.aside_ended(pid);
            let outcome = outcome(status.as_raw());
            if self.watch.ended(pid) {
                point!("death: noticed");
                self.ended(outcome, false);
            } else {
                self.script_ended(pid, outcome);
                self.check_ended(pid, status);
            }
        }
        if let Some(outcome) = self.watch.look(clock::monotonic()) {
            self.ended(outcome, true);
        }
        any
    }

    /// The process on record is dead, the service's or that of what runs before
    /// or after it. If it was taken up, the supervise before this one may have
    /// noticed that already.
    pub(crate) fn ended(&mut self, outcome: Outcome, taken_up: bool) {
        self.forget_signals();
        self.tell_end(outcome);
        match self.machine.phase {
            Phase::Finishing(_) => return self.feed(Event::Finished(outcome)),
            Phase::Preparing(_) => {
                self.look_for_finish();
                return self.feed(Event::Prepared(outcome));
            }
            Phase::Down
            | Phase::Waiting(_)
            | Phase::Needing(_)
            | Phase::Starting
            | Phase::Up(_)
            | Phase::Following(_)
            | Phase::There
            | Phase::Closing
            | Phase::Clearing(_)
            | Phase::Gone => {}
        }
        self.perhaps_over(Event::Died(outcome), taken_up);
    }

    /// Says whether that was the end of the service.
    pub(crate) fn perhaps_over(&mut self, event: Event, taken_up: bool) -> bool {
        let now = clock::monotonic();
        let (after, _) = self.machine.step(event, now);
        let over = !matches!(after.phase, Phase::Following(_));
        if over {
            self.look_for_finish();
            self.tally(after.last.unwrap_or(Outcome::Unknown), taken_up);
        }
        self.feed_at(event, now);
        if over {
            self.say_if_given_up();
        }
        over
    }

    /// Looks at the last moment, so that one that was added meanwhile counts.
    pub(crate) fn look_for_finish(&mut self) {
        let within = self.reach.finish(self.dir);
        let oneshot = self.machine.plan.kind == Kind::Oneshot;
        self.machine.plan.finishes = within.is_some() && !oneshot;
        self.machine.plan.finish_within = within.unwrap_or(0);
        self.machine.plan.stops = self.reach.has_stop(self.machine.plan.kind);
    }

    fn listen(&mut self) {
        let mut buffer = [0; 64];
        let room = self.patience();
        if room == 0 {
            return;
        }
        let count = self.keeper.read_control(&mut buffer[..room]).len();
        let bytes = &buffer[..count];
        for (at, byte) in bytes.iter().enumerate() {
            let (whole, letter) = (self.whole, control::of_group(*byte));
            match *byte {
                control::WHOLE | control::SINGLE => self.whole = *byte == control::WHOLE,
                _ => self.whole |= letter.is_some(),
            }
            let alone = core::mem::replace(&mut self.alone, *byte == ALONE);
            if let Some(command) = Command::from_byte(letter.unwrap_or(*byte)) {
                // Of many who say that something has changed the last is heard.
                if command == Command::Look && bytes.get(at + 1) == Some(byte) {
                    continue;
                }
                if command == Command::Look {
                    self.hear_callers();
                }
                self.tell(command);
                if !alone {
                    self.pass_on(command, *byte);
                }
            }
            if letter.is_some() {
                self.whole = whole;
            }
        }
        self.whole = false;
    }

    fn tell(&mut self, command: Command) {
        if command == Command::Exit {
            // Nobody is to write any more for whom this one held the pipe.
            self.pipes.let_end();
        }
        if matches!(command, Command::Down | Command::Exit | Command::Restart) {
            self.look_for_dependents();
        }
        self.feed(Event::Told(command));
    }

    pub(crate) fn feed(&mut self, event: Event) {
        self.feed_at(event, clock::monotonic());
    }

    fn feed_at(&mut self, event: Event, at: u64) {
        let (machine, actions) = self.machine.step(event, at);
        self.machine = machine;
        for action in actions {
            match action {
                Action::Stamp => {
                    self.since = now();
                    self.hear_no_more();
                }
                Action::StampSwitch => {
                    self.since = now();
                    let up = matches!(self.machine.phase, Phase::Up(_));
                    let ready = up && !self.machine.health.awaited;
                    self.ready = if ready { self.since } else { Tai64n::default() };
                }
                Action::StampReady => self.ready = now(),
                Action::Announce => self.announce(false),
                Action::Intend => {
                    self.announce(true);
                    point!("down: intended");
                }
                Action::Start => self.start(),
                Action::Finish => self.finish(),
                Action::Look => self.look_around(),
                Action::Yield => self.look_back(),
                Action::Send(signal) => self.send(signal),
                Action::Wake => self.wake(),
                Action::After(command) => self.after(command),
                Action::Check => self.check(),
                Action::StopCheck => self.stop_check(),
                Action::Blame(fault) => self.blame(fault),
                Action::KillLate => {
                    let is_service = matches!(self.machine.phase, Phase::Up(_));
                    self.reach.kill_late(&self.watch, is_service);
                    point!("signal: sent");
                }
                Action::Clear => {
                    let cleared = self.reach.clear(self.dir);
                    point!("clear: killed");
                    self.feed(if cleared { Event::Cleared } else { Event::NotCleared });
                }
                Action::Follow => self.follow(),
                Action::Renew => self.renewing = true,
                Action::Exit => self.leaving = Some(Exit::Success),
            }
        }
    }

    pub(crate) fn announce(&mut self, about_to: bool) {
        let intent = about_to || self.is_stopping();
        let times = self.times();
        let record = self.record(&self.machine, self.watch.identity(), times, intent);
        // The words do not speak of what is only about to be done, unless a
        // script is about to read them.
        let words = if about_to && !self.reach.has_scripts() {
            Ok(())
        } else {
            self.keeper.write_words(&record)
        };
        let status = self.keeper.write_status(&record);
        point!("status: written");
        if let Err(trouble) = status.and(words) {
            warn(self.dir, trouble);
            // Nor are the others told what they could not read.
            return self.feed(Event::NotAnnounced);
        }
        self.tell_others(&record);
        point!("order: told");
    }

    /// When the process was started, and when it was ready.
    fn times(&self) -> (Tai64n, Tai64n) {
        let is_up = matches!(self.machine.phase, Phase::Up(_) | Phase::There);
        let ready =
            if is_up && !self.machine.health.awaited { self.ready } else { Tai64n::default() };
        (self.since, ready)
    }

    pub(crate) fn announce_in_words(&mut self) {
        let times = self.times();
        let record = self.record(&self.machine, self.watch.identity(), times, false);
        if let Err(trouble) = self.keeper.write_words(&record) {
            warn(self.dir, trouble);
            self.feed(Event::NotAnnounced);
        }
    }

    pub(crate) fn record(
        &self,
        machine: &Machine,
        process: Identity,
        (since, ready): (Tai64n, Tai64n),
        intent: bool,
    ) -> Record {
        // What may be a stranger is not what anybody should hear of.
        let pid = if self.watch.is_doubtful() { 0 } else { machine.pid() };
        let finishing = matches!(machine.phase, Phase::Finishing(_));
        let status = Status {
            since,
            pid,
            paused: machine.paused,
            want: machine.want,
            terminating: machine.terminated && !finishing,
            finishing,
        };
        let process = match machine.phase {
            // `finish` will be told which it was, and what it has left behind
            // is not older.
            Phase::Clearing(_) | Phase::Closing | Phase::Following(_) => process,
            Phase::Down
            | Phase::Waiting(_)
            | Phase::Needing(_)
            | Phase::Starting
            | Phase::Preparing(_)
            | Phase::Up(_)
            | Phase::There
            | Phase::Finishing(_)
            | Phase::Gone => Identity { pid: machine.pid(), ..process },
        };
        let mut own = machine.own(self.boot, process, ready, intent);
        own.plainly = machine.want == Want::Once && self.keeper.speaks_runit();
        Record { status, own }
    }

    /// Lets what this supervise holds survive an exec, or not.
    fn bequeath(&self, survives: bool) -> rustix::io::Result<()> {
        self.keeper.bequeath(survives)?;
        self.pipes.bequeath(survives)?;
        self.order.bequeath(survives)?;
        // The next one hears again whom this one hears.
        let hears = matches!(self.machine.phase, Phase::Up(_) | Phase::Following(_));
        self.senses.bequeath(survives && hears)
    }

    /// Executes this program anew. What it holds it keeps; if the new one
    /// cannot be executed, this one goes on.
    fn renew(&mut self) {
        // Everything that the next one has to know is on record, and it makes
        // its own checks.
        self.announce(false);
        self.stop_check();
        let kept = self.bequeath(true);
        let why = match kept {
            Ok(()) => exec::anew(self.args),
            Err(why) => why,
        };
        let _ = self.bequeath(false);
        let name = self.dir.to_bytes();
        TOOL.warn_os(&[b"unable to execute supervise anew for ", name, b", going on: "], why);
        self.feed(Event::Checked(None));
    }
}

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
    let file = trouble.file.to_bytes();
    let to: &[u8] = match file {
        _ if trouble.verb != "rename" => b"",
        b"supervise/stat.new" => b" to stat",
        b"supervise/pid.new" => b" to pid",
        b"supervise/death_tally.new" => b" to death_tally",
        _ => b" to status",
    };
    [
        b"unable to ",
        trouble.verb.as_bytes(),
        b" ",
        dir.to_bytes(),
        b"/",
        file,
        to,
        b": ",
        trouble.reason().as_bytes(),
    ]
}
