//! The shell around the services' state machines: looks at the directory when
//! something changed in it, reaps, starts, takes down. After start-up no error
//! ends it and nothing is allocated.

use crate::svscan::Others;
use crate::svscan::catch::Catch;
use crate::svscan::found::Found;
use crate::svscan::helper::Helper;
use crate::svscan::hold;
use crate::svscan::launch::Launcher;
use crate::svscan::lines::Lines;
use crate::svscan::notice::{Notice, Notices, is_trustworthy};
use crate::svscan::options::Options;
use crate::svscan::order::Order;
use crate::svscan::roster::{NAME, Roster};
use crate::svscan::settle::Settling;
use core::ffi::CStr;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, getpid, kill_process, set_child_subreaper};
use upkeep_cli::{Exit, Tool, drop_messages_rather_than_wait};
use upkeep_core::record::Boot;
use upkeep_core::scan::{Action, Event, Which};
use upkeep_servicedir::open_output;
use upkeep_sys::signals::{self, Signal, Signals};
use upkeep_sys::{Args, clock, exec, point, process, sealed};

pub(crate) const TOOL: Tool = Tool {
    name: "svscan",
    help: "\
usage: svscan [dir]

Starts a supervise for each service directory in dir (or here), and one for
its log directory, with a pipe between the two. Sees at once what is added to
dir. A name that begins with a dot is left alone.

  -h, --help     print this
      --version  print the version

    svscan /etc/service

signals: TERM and INT take every service down, loggers last, and end svscan;
a second one kills what is left. HUP takes down what is no longer in dir.
ALRM looks at dir now. USR1 has svscan and every supervise execute their
programs anew, as after an upgrade; no service notices.
exit: 0 after TERM or INT, 100 usage, 111 dir cannot be entered.
",
};

pub(crate) fn run(args: Args, others: Others) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    let begun = Options::read(args).and_then(|options| Svscan::begin(args, &options, others));
    match begun {
        Ok(mut svscan) => {
            sealed::seal();
            svscan.run()
        }
        Err(exit) => exit,
    }
}

pub(crate) struct Svscan {
    /// For executing this program anew, where it was executed.
    args: Args,
    pub(crate) start: Option<OwnedFd>,
    pub(crate) boot: Boot,
    /// The supervises that were not started from here.
    pub(crate) found: Option<Found>,
    pub(crate) signals: Signals,
    pub(crate) launcher: Launcher,
    pub(crate) holder: Helper,
    pub(crate) lines: Option<Lines>,
    pub(crate) catch: Option<Catch>,
    notices: Option<Notices>,
    pub(crate) trusted: bool,
    pub(crate) roster: Roster,
    pub(crate) order: Order,
    pub(crate) settling: Settling,
    pub(crate) scan: u32,
    pub(crate) scan_at: u64,
    /// Whether everything in the directory was seen once.
    pub(crate) looked: bool,
    /// Whether the scan after the next one is to come soon.
    pub(crate) again: bool,
    pub(crate) leaving: bool,
}

impl Svscan {
    fn begin(args: Args, options: &Options, others: Others) -> Result<Self, Exit> {
        // A reader of our messages that goes away must not take us along, and
        // one that is stuck must not hold us up.
        signals::ignore_broken_pipes();
        drop_messages_rather_than_wait();
        let always = [Signal::CHILD, Signal::TERM, Signal::ALARM, Signal::USR1];
        let signals = Signals::take(&always, &[Signal::INT, Signal::HUP])
            .map_err(|why| TOOL.fatal_os(&[b"unable to take signals: "], why))?;
        let launcher = Launcher::new(others);
        // A service that has lost its supervise is waited for here.
        let _ = set_child_subreaper(Some(getpid()));
        let here = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let start = rustix::fs::open(c".", here, Mode::empty()).ok();
        let lines = Lines::new(options);
        if lines.is_some() {
            launcher.find_readers(options.log.is_some())?;
        }
        let catch = options.log.map(Catch::open).transpose()?;
        if let Some(dir) = options.dir {
            rustix::process::chdir(dir).map_err(|why| {
                TOOL.fatal_os(&[b"unable to chdir to ", dir.to_bytes(), b": "], why)
            })?;
        }
        let notices = Notices::open()
            .inspect_err(|why| {
                TOOL.warn_os(&[b"unable to watch directory, scanning every 5 seconds: "], *why);
            })
            .ok();
        let trusted = notices.is_some() && is_trustworthy();
        let found = Found::open()
            .inspect_err(|why| TOOL.warn_os(&[b"unable to watch living supervises: "], *why))
            .ok();
        Ok(Self {
            args,
            start,
            boot: process::boot(),
            found,
            signals,
            launcher,
            holder: Helper::new(hold::LATER),
            lines,
            catch,
            notices,
            trusted,
            roster: Roster::new(),
            order: Order::new(),
            settling: Settling::new(),
            scan: 0,
            scan_at: 0,
            looked: false,
            again: false,
            leaving: false,
        })
    }

    fn run(&mut self) -> Exit {
        loop {
            if !self.leaving && self.scan_at <= clock::monotonic() {
                self.look();
            }
            self.take_settled();
            self.look_at_order_again();
            self.tick();
            if self.leaving && self.roster.len() == 0 {
                self.end_lines();
                self.end_catch();
                self.end_holder();
                return Exit::Success;
            }
            self.keep_catch();
            self.keep_lines();
            self.keep_holder();
            self.wait();
            self.hear();
            self.reap();
            self.notice_ends();
            self.notice();
        }
    }

    /// Until a signal, a notice or the first deadline comes.
    fn wait(&mut self) {
        let now = clock::monotonic();
        let scan = (!self.leaving).then_some(self.scan_at);
        let services = [scan, self.settling.deadline(now), self.roster.deadline()];
        let others = [self.holder.deadline(), self.order.due];
        let lines = self.lines.as_ref().map(|lines| &lines.helper);
        let output =
            [lines.and_then(Helper::deadline), self.catch.as_ref().and_then(Catch::deadline)];
        let deadline = services.into_iter().chain(others).chain(output).flatten().min();
        let timeout = deadline.map(clock::until);
        // In the place of what is not there stands what asks for nothing.
        let nothing = || PollFd::new(&self.signals, PollFlags::empty());
        let mut fds = [
            PollFd::new(&self.signals, PollFlags::IN),
            self.notices.as_ref().map_or_else(nothing, |fd| PollFd::new(fd, PollFlags::IN)),
            self.found.as_ref().map_or_else(nothing, |fd| PollFd::new(fd, PollFlags::IN)),
            self.holder.poll().unwrap_or_else(nothing),
            lines.and_then(Helper::poll).unwrap_or_else(nothing),
        ];
        // Whatever it answers, what follows only looks.
        let _ = poll(&mut fds, timeout.as_ref());
        let [.., holder, lines] = fds.map(|fd| !fd.revents().is_empty());
        if holder {
            self.holder.hear();
        }
        if lines {
            self.hear_lines();
        }
    }

    fn hear(&mut self) {
        while let Some(signal) = self.signals.next() {
            match signal {
                Signal::TERM | Signal::INT => {
                    let event = if self.leaving { Event::Hurry } else { Event::Leave };
                    self.leaving = true;
                    self.feed_all(event, |_| true);
                }
                Signal::HUP if !self.leaving => {
                    self.look();
                    self.feed_all(Event::Leave, |listed| !listed);
                }
                Signal::ALARM if !self.leaving => self.scan_at = 0,
                Signal::USR1 if !self.leaving => self.renew(),
                _ => {}
            }
        }
    }

    fn notice(&mut self) {
        let Some(notices) = self.notices.take() else { return };
        let now = clock::monotonic();
        let mut blind = false;
        notices.drain(|notice| match notice {
            Notice::Appeared { name, unfinished } => {
                if name.to_bytes().starts_with(b".") || self.leaving {
                    return;
                }
                if !(unfinished && self.settling.add(&notices, name, now)) {
                    self.consider(name);
                }
            }
            Notice::Touched(watch) => self.settling.touch(watch, now),
            // The directory itself may be about to go, which nobody tells.
            Notice::Unclear => (self.scan_at, self.again) = (0, true),
            Notice::Blind => blind = true,
        });
        if blind {
            // What was watched while it filled is found by the scan.
            self.settling = Settling::new();
            self.trusted = false;
            self.scan_at = 0;
        } else {
            self.notices = Some(notices);
        }
    }

    fn take_settled(&mut self) {
        let Some(notices) = self.notices.take() else { return };
        let mut name = [0; NAME];
        while self.settling.take(&notices, clock::monotonic(), &mut name) {
            if !self.leaving
                && let Ok(name) = CStr::from_bytes_until_nul(&name)
            {
                self.consider(name);
            }
        }
        self.notices = Some(notices);
    }

    fn tick(&mut self) {
        let mut next = 0;
        while let Some(index) = self.roster.due(next, clock::monotonic()) {
            let before = self.roster.len();
            self.feed(index, Event::Tick);
            // One that was forgotten left its place to the last of the list.
            next = if self.roster.len() < before { index } else { index + 1 };
        }
    }

    fn feed_all(&mut self, event: Event, which: impl Fn(bool) -> bool) {
        let mut index = 0;
        while index < self.roster.len() {
            let before = self.roster.len();
            if which(self.roster.get(index).service.listed) {
                self.feed(index, event);
            }
            index += usize::from(self.roster.len() == before);
        }
    }

    pub(crate) fn feed(&mut self, index: usize, event: Event) {
        let (service, actions) = self.roster.get(index).service.step(event, clock::monotonic());
        self.roster.set(index, service);
        for action in actions {
            match action {
                Action::Start(which) => self.start(index, which),
                Action::EndMain => self.signal(index, Which::Main, Signal::TERM),
                Action::KillMain => self.signal(index, Which::Main, Signal::QUIT),
                Action::CloseLog => {
                    if let Some((_, write)) = &mut self.roster.get_mut(index).pipe {
                        *write = None;
                    }
                    self.signal(index, Which::Log, Signal::HUP);
                }
                Action::EndLog => self.signal(index, Which::Log, Signal::TERM),
                Action::LookAtPipe => {
                    let pipe = &self.roster.get(index).pipe;
                    let left = pipe.as_ref().map(|(read, _)| rustix::io::ioctl_fionread(read));
                    self.feed(index, Event::Drained(!matches!(left, Some(Ok(1..)))));
                }
                Action::Forget => {
                    self.let_go(index);
                    self.let_streams_go(index);
                    // It may be there again, which was no news as long as the
                    // old one had not left.
                    if self.roster.get(index).service.listed && !self.leaving {
                        self.scan_at = 0;
                    }
                    self.roster.remove(index);
                    return;
                }
            }
        }
    }

    fn start(&mut self, index: usize, which: Which) {
        if self.roster.get(index).service.log.is_some() && self.roster.get(index).pipe.is_none() {
            if which == Which::Log {
                // The service's own half, which comes first, has said why.
                return self.feed(index, Event::NotStarted(which));
            }
            if let Err(why) = self.open_pipe(index) {
                let name = self.roster.name(index).to_bytes();
                TOOL.warn_os(&[b"unable to create pipe for ", name, b": "], why);
                return self.feed(index, Event::NotStarted(which));
            }
        }
        let streams = if which == Which::Main { self.open_streams(index) } else { [None, None] };
        match self.find(index, which) {
            Ok(false) => {}
            Ok(true) => return self.feed(index, Event::Started(which)),
            Err(why) => {
                let name = self.roster.name(index).to_bytes();
                TOOL.warn_os(&[b"unable to look for the supervise of ", name, b": "], why);
                return self.feed(index, Event::NotStarted(which));
            }
        }
        let name = self.roster.name(index);
        let pipe = self.roster.get(index).pipe.as_ref();
        match self.launcher.start(name, which, pipe, &streams) {
            Ok(pid) => {
                self.roster.set_pid(index, which, pid);
                self.feed(index, Event::Started(which));
            }
            Err(why) => {
                let log: &[u8] = if which == Which::Log { b"/log" } else { b"" };
                TOOL.warn_os(&[b"unable to fork for ", name.to_bytes(), log, b": "], why);
                self.feed(index, Event::NotStarted(which));
            }
        }
    }

    /// The pipe has a name, so that others can hold it and it can be found
    /// again. Where it cannot be made, as on a read-only disk, it lives as long
    /// as its descriptors.
    fn open_pipe(&mut self, index: usize) -> rustix::io::Result<()> {
        let (read, write) = open_output(self.roster.name(index))
            .or_else(|_| rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC))?;
        self.roster.get_mut(index).pipe = Some((read, Some(write)));
        self.hold(index);
        Ok(())
    }

    /// Whether the supervise that is to be started lives already. It is left
    /// alone then, and watched.
    fn find(&mut self, index: usize, which: Which) -> rustix::io::Result<bool> {
        let Some(found) = &self.found else { return Ok(false) };
        let Some(ok) = self.elsewhere(index, which).living()? else { return Ok(false) };
        found.watch(&ok)?;
        self.roster.set_found(index, which, ok);
        Ok(true)
    }

    /// Tells a supervise. One that was started from here has not been waited
    /// for, so the pid is its; but before it listens, a signal would end it and
    /// leave its service behind, so that then it finds the same as letters, as
    /// does one that was found alive.
    fn signal(&mut self, index: usize, which: Which, signal: Signal) {
        let letters: &[u8] = match signal {
            Signal::TERM => b"dx",
            Signal::QUIT => b"dxk",
            _ => b"x",
        };
        let there = self.elsewhere(index, which);
        let Some(pid) = Pid::from_raw(self.roster.pid(index, which)) else {
            // One that has just ended is not there to be told.
            let _ = there.send(letters);
            return;
        };
        if matches!(there.living(), Ok(None))
            && let Ok(word) = there.leave(letters)
        {
            return self.roster.keep_word(index, which, word);
        }
        let _ = kill_process(pid, signal);
    }

    /// Has every supervise execute its program anew, and then does so itself.
    /// What this process knows it finds again: the supervises live on.
    fn renew(&mut self) {
        for index in 0..self.roster.len() {
            for which in [Which::Main, Which::Log] {
                if self.roster.get(index).service.runs(which) {
                    let _ = self.elsewhere(index, which).send(b"e");
                }
            }
        }
        point!("renew: told");
        let here = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let scan = rustix::fs::open(c".", here, Mode::empty());
        // The arguments mean what they meant where this program began.
        let why = match (&self.start, &scan) {
            (Some(start), Ok(scan)) => match rustix::process::fchdir(start) {
                Ok(()) => {
                    let why = exec::anew(self.args);
                    let _ = rustix::process::fchdir(scan);
                    why
                }
                Err(why) => why,
            },
            (_, Err(why)) => *why,
            (None, Ok(_)) => rustix::io::Errno::BADF,
        };
        TOOL.warn_os(&[b"unable to execute svscan anew, going on: "], why);
    }
}
