//! The shell around the services' state machines: looks at the directory when
//! something changed in it, reaps, starts, takes down. After start-up no error
//! ends it and nothing is allocated.

use crate::launch::Launcher;
use crate::notice::{Notice, Notices, is_trustworthy};
use crate::roster::{NAME, Roster};
use crate::settle::Settling;
use core::ffi::CStr;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, WaitOptions, WaitStatus, kill_process, wait};
use upkeep_cli::{Exit, Tool, drop_messages_rather_than_wait};
use upkeep_core::scan::{Action, Ending, Event, Which};
use upkeep_sys::signals::{self, Signal, Signals};
use upkeep_sys::{Args, clock, sealed};

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
ALRM looks at dir now.
exit: 0 after TERM or INT, 111 dir cannot be entered.
",
};

pub(crate) fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    match Svscan::begin(args.get(1)) {
        Ok(mut svscan) => {
            sealed::seal();
            svscan.run()
        }
        Err(exit) => exit,
    }
}

pub(crate) struct Svscan {
    signals: Signals,
    launcher: Launcher,
    notices: Option<Notices>,
    pub(crate) trusted: bool,
    pub(crate) roster: Roster,
    pub(crate) settling: Settling,
    pub(crate) scan: u32,
    pub(crate) scan_at: u64,
    leaving: bool,
}

impl Svscan {
    fn begin(dir: Option<&CStr>) -> Result<Self, Exit> {
        // A reader of our messages that goes away must not take us along, and
        // one that is stuck must not hold us up.
        signals::ignore_broken_pipes();
        drop_messages_rather_than_wait();
        let always = [Signal::CHILD, Signal::TERM, Signal::ALARM];
        let signals = Signals::take(&always, &[Signal::INT, Signal::HUP])
            .map_err(|why| TOOL.fatal_os(&[b"unable to take signals: "], why))?;
        let launcher = Launcher::new();
        if let Some(dir) = dir {
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
        Ok(Self {
            signals,
            launcher,
            notices,
            trusted,
            roster: Roster::new(),
            settling: Settling::new(),
            scan: 0,
            scan_at: 0,
            leaving: false,
        })
    }

    fn run(&mut self) -> Exit {
        loop {
            if !self.leaving && self.scan_at <= clock::monotonic() {
                self.look();
            }
            self.take_settled();
            self.tick();
            if self.leaving && self.roster.len() == 0 {
                return Exit::Success;
            }
            self.wait();
            self.hear();
            self.reap();
            self.notice();
        }
    }

    /// Until a signal, a notice or the first deadline comes.
    fn wait(&self) {
        let now = clock::monotonic();
        let scan = (!self.leaving).then_some(self.scan_at);
        let deadline = [scan, self.settling.deadline(now), self.roster.deadline()];
        let timeout = deadline.into_iter().flatten().min().map(clock::until);
        let signals = PollFd::new(&self.signals, PollFlags::IN);
        // Whatever it answers, what follows only looks.
        let _ = match &self.notices {
            Some(notices) => {
                poll(&mut [signals, PollFd::new(notices, PollFlags::IN)], timeout.as_ref())
            }
            None => poll(&mut [signals], timeout.as_ref()),
        };
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
                _ => {}
            }
        }
    }

    fn reap(&mut self) {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            // Anybody else's child that we inherited is reaped, and that is
            // all.
            if let Some((index, which)) = self.roster.take_pid(pid.as_raw_pid()) {
                self.look_for_log(index);
                self.feed(index, Event::Ended(which, ending(status)));
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
            Notice::Unclear => self.scan_at = 0,
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
        let entry = self.roster.get(index);
        let logged = entry.service.log.is_some();
        if logged && entry.pipe.is_none() {
            if which == Which::Log {
                // The service's own half, which comes first, has said why.
                return self.feed(index, Event::NotStarted(which));
            }
            match rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC) {
                Ok((read, write)) => {
                    self.roster.get_mut(index).pipe = Some((read, Some(write)));
                }
                Err(why) => {
                    let name = self.roster.name(index).to_bytes();
                    TOOL.warn_os(&[b"unable to create pipe for ", name, b": "], why);
                    return self.feed(index, Event::NotStarted(which));
                }
            }
        }
        let name = self.roster.name(index);
        match self.launcher.start(name, which, self.roster.get(index).pipe.as_ref()) {
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

    /// Signals a supervise. It has not been waited for, so the pid is its.
    fn signal(&self, index: usize, which: Which, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.roster.pid(index, which)) {
            let _ = kill_process(pid, signal);
        }
    }
}

fn ending(status: WaitStatus) -> Ending {
    match status.exit_status() {
        Some(0) => Ending::Told,
        Some(_) => Ending::Refused,
        None => Ending::Killed,
    }
}
