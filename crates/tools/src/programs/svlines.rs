//! svlines: shows what services without a logger write, as whole lines, with
//! their names if asked. svscan hands it the pipes.

use crate::hold::{Kind, Rank, drain};
use crate::lines::{Outlet, Outlets, Pump, State, open_own};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::{Errno, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::stdio::{dup2_stderr, stderr, stdin, stdout};
use upkeep_cli::{Exit, Options, Tool, drop_messages_rather_than_wait};
use upkeep_core::hold::{Message, Stream};
use upkeep_servicedir::hold::{Heard, ask_again, done, hear_what};
use upkeep_sys::inherited::take_number;
use upkeep_sys::signals::ignore_broken_pipes;
use upkeep_sys::{Args, clock, sealed};

const TOOL: Tool = Tool {
    name: "svlines",
    help: "\
usage: svlines [-lnq]

Reads the pipes that svscan hands over on standard input, in which is what
services without a logger write, and writes it to standard output and standard
error as whole lines. svscan starts it; nobody else has to.

  -l             write all of it to descriptor 3 too, with names in front
  -n             put the name of the service and a colon in front of each line
  -q             write nothing to standard output and standard error
  -h, --help     print this
      --version  print the version

exit: 0 nothing is left to be read, 100 usage, 111 it was not started by
svscan, or a system call failed at the start.
",
};
const SYNOPSIS: &str = "svlines [-lnq]";
/// Where svscan puts the pipe to the logger of all.
const LOG: i32 = 3;

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1000 * MILLISECOND;

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    match outlets(args).and_then(Reader::begin) {
        Ok(mut reader) => {
            sealed::seal();
            reader.run()
        }
        Err(exit) => exit,
    }
}

/// Where the lines go, by the options.
fn outlets(args: Args) -> core::result::Result<Outlets, Exit> {
    let mut options = Options::strict(args, "lnq");
    let (mut log, mut names, mut quiet) = (false, false, false);
    for option in options.by_ref() {
        match option.map(|option| option.letter) {
            Ok(b'l') => log = true,
            Ok(b'n') => names = true,
            Ok(_) => quiet = true,
            Err(bad) => return Err(TOOL.bad_option(bad, SYNOPSIS)),
        }
    }
    if !options.rest().is_empty() {
        return Err(TOOL.usage(SYNOPSIS));
    }
    if quiet && !log {
        return Err(TOOL.usage(SYNOPSIS));
    }
    let log = match take_number(LOG).filter(|_| log) {
        None if log => {
            return Err(TOOL.fatal_os(&[b"unable to use descriptor 3: "], Errno::BADF));
        }
        // It stays open as long as this program runs.
        log => log.map(|fd| &*Box::leak(Box::new(fd))),
    };
    // Messages go there too.
    if let Some(own) = open_own(stderr()) {
        let _ = dup2_stderr(own);
    }
    let shown = |fd, called| (!quiet).then(|| Outlet::new(fd, called, names));
    let all = [
        shown(stdout(), b"standard output".as_slice()),
        shown(stderr(), b"standard error"),
        log.map(|fd| Outlet::new(fd.as_fd(), b"the log", true)),
    ];
    Ok(Outlets { tool: &TOOL, all })
}

/// How far this one may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// An older one reads, and two would take each other's lines. When to look
    /// again, and how long to wait the next time.
    Waiting(u64, u64),
    /// It reads.
    Reading,
}

struct Reader {
    pumps: [Pump; 2],
    outlets: Outlets,
    states: [State; 2],
    /// Which of the two has its turn first.
    first: usize,
    stage: Stage,
    /// Nothing where directories cannot be marked: then there are no others.
    rank: Option<Rank>,
    /// What tells that a younger one may have come, when svscan has gone.
    alone: Option<Option<OwnedFd>>,
    /// Why there is a pipe that is not read.
    lacking: Option<Errno>,
    has_complained: bool,
}

impl Reader {
    fn begin(outlets: Outlets) -> core::result::Result<Self, Exit> {
        ignore_broken_pipes();
        drop_messages_rather_than_wait();
        let open_files = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: open_files.maximum, maximum: open_files.maximum };
        // Without it, what does not fit is said.
        let _ = setrlimit(Resource::Nofile, raised);
        let rank = Rank::take(Kind::Reader)
            .inspect_err(|why| TOOL.warn_os(&[b"unable to mark directory: "], *why))
            .ok();
        let pump =
            |kind| Pump::new(kind).map_err(|why| TOOL.fatal_os(&[b"unable to watch pipes: "], why));
        let mut reader = Self {
            pumps: [pump(Stream::Out)?, pump(Stream::Err)?],
            outlets,
            states: [State::Idle; 2],
            first: 0,
            stage: Stage::Waiting(0, 10 * MILLISECOND),
            rank,
            alone: None,
            lacking: None,
            has_complained: false,
        };
        reader.look_for_elder();
        Ok(reader)
    }

    fn run(&mut self) -> Exit {
        loop {
            let heard = self.wait();
            if heard && let Err(why) = self.hear() {
                return TOOL.fatal_os(&[b"unable to read from svscan: "], why);
            }
            if self.look_for_heir() {
                return Exit::Success;
            }
            self.look_for_elder();
            if matches!(self.stage, Stage::Waiting(..)) {
                continue;
            }
            self.turn();
            let is_empty = || self.alone.is_some() && self.pumps.iter().all(Pump::is_empty);
            if self.pumps.iter().all(Pump::has_finished) || is_empty() {
                return Exit::Success;
            }
        }
    }

    /// Until something can be done; says whether svscan has something to say.
    fn wait(&self) -> bool {
        let nothing = || PollFd::from_borrowed_fd(stdin(), PollFlags::empty());
        let mut fds = [nothing(), nothing(), nothing(), nothing()];
        match &self.alone {
            None => fds[0] = PollFd::from_borrowed_fd(stdin(), PollFlags::IN),
            Some(Some(notices)) => fds[0] = PollFd::new(notices, PollFlags::IN),
            // An end that has been heard would be told again and again.
            Some(None) => {}
        }
        let mut until = match self.stage {
            Stage::Waiting(at, _) => Some(at),
            Stage::Reading => None,
        };
        if until.is_none() {
            for (place, (pump, state)) in self.pumps.iter().zip(self.states).enumerate() {
                match state {
                    State::Busy => until = Some(0),
                    State::Idle => fds[1 + place] = pump.poll(),
                    State::Full(outlet) => {
                        if let Some(outlet) = &self.outlets.all[outlet] {
                            fds[1 + place] = outlet.poll();
                        }
                    }
                }
            }
            let deadlines = self.pumps.iter().filter_map(Pump::deadline);
            // Without notices it is looked whether somebody has taken over.
            let look = matches!(self.alone, Some(None)).then(|| clock::monotonic() + SECOND);
            until = until.into_iter().chain(deadlines).chain(look).min();
        }
        let timeout = until.map(clock::until);
        // Whatever it answers, what follows only looks.
        let _ = poll(&mut fds, timeout.as_ref());
        self.alone.is_none() && !fds[0].revents().is_empty()
    }

    fn turn(&mut self) {
        let alone = self.alone.is_some();
        let mut gone = |pipe| alone || done(stdin(), pipe);
        let now = clock::monotonic();
        // Where both wait for room in the log, each comes first in its turn.
        self.first = 1 - self.first;
        for place in [self.first, 1 - self.first] {
            self.states[place] = self.pumps[place].turn(&mut self.outlets, now, &mut gone);
        }
    }

    /// Does what svscan says.
    fn hear(&mut self) -> Result<()> {
        let mut what = [0; 256];
        let (heard, len) = match hear_what(stdin(), &mut what) {
            // What is there to be heard is still there.
            Err(Errno::NOMEM | Errno::NOBUFS) => {
                clock::pause(1);
                return Ok(());
            }
            answer => answer?,
        };
        match heard {
            Heard::Hold(which, end) => {
                let Some((kind, name)) = Stream::decode(&what[..len]) else { return Ok(()) };
                let added = self.pumps[kind as usize].add(which, name, end);
                self.lacking = added.err().or(self.lacking);
            }
            Heard::Other(Message::LetGo(which)) => {
                self.pumps.iter_mut().for_each(|pump| pump.let_go(which));
            }
            Heard::Other(Message::Told) => self.told(),
            Heard::Other(Message::End) => {
                self.pumps.iter_mut().for_each(Pump::finish);
                self.states = [State::Busy; 2];
            }
            // It comes as what it is.
            Heard::Other(Message::Hold(_)) => {}
            Heard::Gone => self.go_on_alone(),
        }
        Ok(())
    }

    /// That was all.
    fn told(&mut self) {
        match self.lacking.take() {
            None => {
                self.has_complained = false;
                if let Some(Err(why)) = self.rank.as_ref().map(Rank::complete) {
                    TOOL.warn_os(&[b"unable to mark directory: "], why);
                }
            }
            Some(why) => {
                if !core::mem::replace(&mut self.has_complained, true) {
                    TOOL.warn_os(&[b"unable to read every pipe, trying again: "], why);
                }
                ask_again(stdin());
            }
        }
    }

    /// svscan was killed: what services write is shown until the next one has
    /// somebody for that, or nobody writes any more.
    fn go_on_alone(&mut self) {
        self.alone = Some(self.rank.as_ref().and_then(|rank| rank.openings().ok()));
        self.pumps.iter_mut().for_each(Pump::let_go_of_all);
    }

    /// Whether a younger one has everything, so that this one can go. What it
    /// has not taken is still there.
    fn look_for_heir(&self) -> bool {
        let Some(notices) = &self.alone else { return false };
        if let Some(notices) = notices {
            drain(notices);
        }
        self.rank.as_ref().is_some_and(Rank::has_heir)
    }

    /// Whether an older one has gone, so that this one may read.
    fn look_for_elder(&mut self) {
        let Stage::Waiting(at, pause) = self.stage else { return };
        let now = clock::monotonic();
        if now < at {
            return;
        }
        self.stage = if self.rank.as_ref().is_some_and(Rank::has_elder) {
            Stage::Waiting(now + pause, (2 * pause).min(SECOND))
        } else {
            Stage::Reading
        };
    }
}
