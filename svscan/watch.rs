//! The shell around the services' state machines: looks at the directory when
//! something changed in it, reaps, starts, takes down. After start-up no error
//! ends it and nothing is allocated.

use crate::svscan::catch::Catch;
use crate::svscan::course::{self, Course};
use crate::svscan::environment::Environments;
use crate::svscan::found::Found;
use crate::svscan::heed;
use crate::svscan::help::TOOL;
use crate::svscan::helper::Helper;
use crate::svscan::hold;
use crate::svscan::launch::Launcher;
use crate::svscan::lines::Lines;
use crate::svscan::notice::{Notice, Notices, is_trustworthy};
use crate::svscan::notify::Notify;
use crate::svscan::options::Options;
use crate::svscan::order::Order;
use crate::svscan::renew::Start;
use crate::svscan::rescue::Rescue;
use crate::svscan::rise::Stuck;
use crate::svscan::roster::{NAME, Roster};
use crate::svscan::settle::Settling;
use crate::svscan::state::{State, Told};
use crate::svscan::{Others, launch, machine, renew};
use core::ffi::CStr;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, getpid, kill_process, set_child_subreaper};
use upkeep_cli::{Exit, drop_messages_rather_than_wait};
use upkeep_core::record::Boot;
use upkeep_core::scan::{Action, Event, Which};
use upkeep_core::whole;
use upkeep_servicedir::open_output;
use upkeep_sys::inherited::take_directory;
use upkeep_sys::signals::{self, Signal, Signals};
use upkeep_sys::{Args, clock, process, sealed, stack};

pub(crate) fn run(args: Args, others: Others) -> Exit {
    let despite = Rescue::despite(args);
    // A machine's process 1 is asked nothing: the kernel hands it any words.
    if !despite.machine
        && let Some(exit) = TOOL.answer(args)
    {
        return exit;
    }
    let options = match Options::read(args) {
        Ok(options) => options,
        Err(exit) => return despite.instead(exit),
    };
    if let Some(end) = options.order {
        return machine::order(end);
    }
    if let Some(exit) = machine::refuses(&options) {
        return exit;
    }
    match Svscan::begin(args, &options, others) {
        Ok((mut svscan, event)) => {
            sealed::seal();
            svscan.run(event)
        }
        Err(exit) => Rescue::of(&options).instead(exit),
    }
}

pub(crate) struct Svscan {
    /// For executing this program anew, where it was executed.
    pub(crate) args: Args,
    pub(crate) start: Option<OwnedFd>,
    /// What it leaves open for itself then.
    pub(crate) mark: rustix::io::Result<OwnedFd>,
    pub(crate) course: Course,
    pub(crate) boot: Boot,
    /// The supervises that were not started from here.
    pub(crate) found: Option<Found>,
    pub(crate) signals: Signals,
    pub(crate) launcher: Launcher,
    /// What is started gets these.
    pub(crate) environments: Environments,
    pub(crate) state: State,
    pub(crate) notify: Notify,
    pub(crate) holder: Helper,
    pub(crate) lines: Option<Lines>,
    pub(crate) catch: Option<Catch>,
    pub(crate) notices: Option<Notices>,
    pub(crate) trusted: bool,
    pub(crate) roster: Roster,
    pub(crate) order: Order,
    pub(crate) settling: Settling,
    pub(crate) scan: u32,
    pub(crate) scan_at: u64,
    /// Whether everything in the directory was seen once.
    pub(crate) looked: bool,
    /// Whether nothing can have run before this in the same container.
    pub(crate) is_first_life: bool,
    /// Whether what the start needed has been given back.
    rested: bool,
    /// When the records are looked at that nobody tells of.
    pub(crate) listen_at: Option<u64>,
    pub(crate) stuck: Stuck,
    /// Whether the scan after the next one is to come soon.
    pub(crate) again: bool,
    /// Whether nothing is started: not yet, or not any more.
    pub(crate) leaving: bool,
}

impl Svscan {
    fn begin(args: Args, options: &Options, others: Others) -> Result<(Self, whole::Event), Exit> {
        // A reader of our messages that goes away must not take us along, and
        // one that is stuck must not hold us up.
        signals::ignore_broken_pipes();
        drop_messages_rather_than_wait();
        course::prepare(options)?;
        let signals = heed::take(options)
            .map_err(|why| TOOL.fatal_os(&[b"unable to take signals: "], why))?;
        let launcher = Launcher::new(others, options);
        // A service that has lost its supervise is waited for here.
        let _ = set_child_subreaper(Some(getpid()));
        let here = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let start = rustix::fs::open(c".", here, Mode::empty()).ok();
        let (mark, again) = renew::mark();
        let reads = if again { Start::Again } else { Start::First };
        let kept = if again { take_directory() } else { None };
        let told = Told::read(options, reads)?;
        let lines = Lines::new(options);
        if lines.is_some() {
            launcher.find_readers(options.log.is_some(), reads)?;
        }
        let log = options.log.filter(|_| lines.is_some());
        let catch = match log {
            // What was executed anew does not end by that.
            Some(log) if again => {
                let parts = [b"unable to use log directory ", log.to_bytes(), b": "];
                Catch::prepare(log).inspect_err(|why| TOOL.warn_os(&parts, *why)).ok()
            }
            log => log.map(Catch::open).transpose()?,
        };
        if let Some(dir) = options.dir {
            renew::go(dir, kept.as_ref(), reads)?;
        }
        let (state, environments) = told.settle(options, reads)?;
        let course = Course::new(options)?;
        let tell = |why: &Errno| {
            TOOL.warn_os(&[b"unable to watch directory, scanning every 5 seconds: "], *why);
        };
        let notices = options.tree.then(|| Notices::open().inspect_err(tell).ok()).flatten();
        let trusted = notices.is_some() && is_trustworthy();
        let tell = |why: &Errno| TOOL.warn_os(&[b"unable to watch living supervises: "], *why);
        let found = options.tree.then(|| Found::open().inspect_err(tell).ok()).flatten();
        let svscan = Self {
            args,
            start,
            mark,
            course,
            boot: process::boot(),
            found,
            signals,
            launcher,
            environments,
            state,
            notify: Notify::new(options),
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
            is_first_life: getpid().is_init() && !again,
            rested: false,
            listen_at: None,
            stuck: Stuck::new(),
            again: false,
            leaving: true,
        };
        let event = if again { whole::Event::Resume } else { whole::Event::Begin };
        Ok((svscan, event))
    }

    fn run(&mut self, event: whole::Event) -> Exit {
        self.proceed(event);
        // What died before this program took signals is told of by none.
        self.reap();
        loop {
            if !self.leaving && self.scan_at <= clock::monotonic() {
                self.look();
                // It starts what is new, and nothing else goes as deep.
                stack::give_back();
            }
            self.take_settled();
            self.look_at_order_again();
            self.tick();
            self.judge();
            if let Some(exit) = self.keep_course() {
                return exit;
            }
            self.keep_catch();
            self.keep_lines();
            self.keep_holder();
            if self.looked && !core::mem::replace(&mut self.rested, true) {
                // The first look goes deepest, and most services come then.
                stack::give_back();
            }
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
        let course = [self.course.whole.due, self.listen_at, self.stuck.due];
        let others = [self.holder.deadline(), self.order.due];
        let lines = self.lines.as_ref().map(|lines| &lines.helper);
        let output =
            [lines.and_then(Helper::deadline), self.catch.as_ref().and_then(Catch::deadline)];
        let deadlines = services.into_iter().chain(others).chain(course).chain(output);
        let deadline = deadlines.flatten().min();
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
            Notice::Touched(watch) => {
                self.settling.touch(watch, now);
                self.roster.stir(watch);
            }
            // The directory itself may be about to go, which nobody tells.
            Notice::Unclear => {
                (self.scan_at, self.again) = (0, true);
                self.roster.stir_all();
            }
            Notice::Blind => blind = true,
        });
        // On the way out nothing is looked for.
        if blind && !self.leaving {
            // What was watched while it filled is found by the scan.
            self.settling = Settling::new();
            self.roster.deafen();
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

    pub(crate) fn feed_all(&mut self, event: Event, which: impl Fn(bool) -> bool) {
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
            Ok(true) => {
                self.adopt_streams(index, which);
                self.begins(index, which);
                return self.feed(index, Event::Started(which));
            }
            Err(why) => {
                let name = self.roster.name(index).to_bytes();
                TOOL.warn_os(&[b"unable to look for the supervise of ", name, b": "], why);
                return self.feed(index, Event::NotStarted(which));
            }
        }
        let name = self.roster.name(index);
        let pipe = self.roster.get(index).pipe.as_ref();
        let environment = self.environments.services.as_ref();
        match self.launcher.start(name, which, pipe, &streams, environment) {
            Ok(pid) => {
                self.roster.set_pid(index, which, pid);
                self.begins(index, which);
                self.feed(index, Event::Started(which));
            }
            Err(why) => {
                let log: &[u8] = if which == Which::Log { b"/log" } else { b"" };
                TOOL.warn_os(&[b"unable to fork for ", name.to_bytes(), log, b": "], why);
                self.feed(index, Event::NotStarted(which));
            }
        }
    }

    /// Whether a supervise of it may be there already, which is taken over at
    /// any price.
    fn lives(&self, index: usize) -> bool {
        let is_none = |which| matches!(self.elsewhere(index, which).living(), Ok(None));
        ![Which::Main, Which::Log].into_iter().all(is_none)
    }

    /// The pipe has a name, so that others can hold it and it can be found
    /// again. Where it cannot be made, as on a read-only disk, it lives as long
    /// as its descriptors. It leaves some for services that need none.
    fn open_pipe(&mut self, index: usize) -> rustix::io::Result<()> {
        let (read, write) = open_output(self.roster.name(index))
            .or_else(|_| rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC))?;
        let is_beyond = read.as_raw_fd().max(write.as_raw_fd()) >= launch::room_for_loggers();
        if is_beyond && !self.lives(index) {
            return Err(Errno::MFILE);
        }
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
    pub(crate) fn signal(&mut self, index: usize, which: Which, signal: Signal) {
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
}
