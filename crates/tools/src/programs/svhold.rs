//! svhold: holds the pipes between services and their loggers, so that
//! whatever else is killed, nothing in them is lost and nobody's write fails.

use crate::hold::{Kind, Pipes, Rank, Watch};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::stdio::stdin;
use upkeep_cli::{Exit, Tool, drop_messages_rather_than_wait};
use upkeep_core::hold::Message;
use upkeep_servicedir::hold::{Heard, ask_again, hear};
use upkeep_sys::signals::ignore_broken_pipes;
use upkeep_sys::{Args, clock, sealed};

const TOOL: Tool = Tool {
    name: "svhold",
    help: "\
usage: svhold

Holds the reading ends of the pipes that svscan hands over on standard input,
so that nothing in them is lost when svscan, both supervises and the logger
are killed at once. It never reads what is in them. svscan starts it; nobody
else has to.

  -h, --help     print this
      --version  print the version

exit: 0 nothing has to be held any more, 100 usage, 111 it was not started by
svscan, or a system call failed at the start.
",
};

/// How long to wait for those that a clean end leaves nothing to hold either.
const PATIENCE: u64 = 500_000_000;

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    if args.len() > 1 {
        return TOOL.usage("svhold");
    }
    ignore_broken_pipes();
    drop_messages_rather_than_wait();
    let open_files = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: open_files.maximum, maximum: open_files.maximum };
    // Without it, what does not fit is said.
    let _ = setrlimit(Resource::Nofile, raised);
    let rank = match Rank::take(Kind::Holder) {
        Ok(rank) => rank,
        Err(why) => return TOOL.fatal_os(&[b"unable to mark directory: "], why),
    };
    sealed::seal();
    let mut holder = Holder { pipes: Pipes::new(), rank, lacking: None, has_complained: false };
    match holder.follow() {
        Ok(End::Clean) => {
            holder.complete();
            holder.rank.outlive(PATIENCE);
            Exit::Success
        }
        Ok(End::LeftAlone) => holder.stay(),
        Err(why) => TOOL.fatal_os(&[b"unable to read from svscan: "], why),
    }
}

/// How svscan ended.
enum End {
    Clean,
    LeftAlone,
}

struct Holder {
    pipes: Pipes,
    rank: Rank,
    /// Why there is a pipe that is not held.
    lacking: Option<Errno>,
    has_complained: bool,
}

impl Holder {
    /// Does what svscan says until it ends.
    fn follow(&mut self) -> Result<End, Errno> {
        loop {
            match hear(stdin()) {
                Ok(Heard::Hold(which, end)) if !self.pipes.holds(which) => {
                    let held = end.ok_or(Errno::MFILE).and_then(|end| self.pipes.hold(which, end));
                    self.lacking = held.err().or(self.lacking);
                }
                Ok(Heard::Hold(_, _)) => {}
                Ok(Heard::Other(message)) => match message {
                    Message::LetGo(which) => self.pipes.let_go(which),
                    Message::Told => self.told(),
                    Message::End => return Ok(End::Clean),
                    // It comes as what it is.
                    Message::Hold(_) => {}
                },
                Ok(Heard::Gone) => return Ok(End::LeftAlone),
                // What is there to be heard is still there.
                Err(Errno::NOMEM | Errno::NOBUFS) => clock::pause(1),
                Err(why) => return Err(why),
            }
        }
    }

    /// That was all.
    fn told(&mut self) {
        match self.lacking.take() {
            None => {
                self.has_complained = false;
                self.complete();
            }
            Some(why) => {
                if !core::mem::replace(&mut self.has_complained, true) {
                    TOOL.warn_os(&[b"unable to hold every pipe, trying again: "], why);
                }
                ask_again(stdin());
            }
        }
    }

    fn complete(&self) {
        if let Err(why) = self.rank.complete() {
            TOOL.warn_os(&[b"unable to mark directory: "], why);
        }
    }

    /// Goes on without svscan until another one has taken over or nothing is
    /// left to hold.
    fn stay(&mut self) -> Exit {
        let watch = Watch::open(&self.rank, &self.pipes);
        while !self.pipes.is_empty() && !self.rank.has_heir() {
            match &watch {
                Ok(watch) => watch.wait(&mut self.pipes),
                // There is no descriptor to be had.
                Err(_) => clock::pause(1),
            }
        }
        Exit::Success
    }
}
