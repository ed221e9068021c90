//! How the main command is started: the child that has what this process was
//! given, and the terminal, if there is one.

use crate::exec::Variables;
use crate::spawn::{Parent, lend};
use crate::{Args, exec, signals, terminal};
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::io::{Errno, Result};
use rustix::process::{Pid, Resource, Rlimit, Signal};

/// The command, and what it gets.
pub struct Front<'a> {
    /// It and its arguments. A name without a slash is looked for in PATH.
    pub args: Args,
    /// Its environment, if it is another one than this process's. PATH is looked
    /// up in this process's own.
    pub environment: Option<&'a Variables>,
    /// What becomes its standard input, if that is not this process's.
    pub input: Option<BorrowedFd<'a>>,
    /// Where it begins.
    pub directory: Option<BorrowedFd<'a>>,
    /// The limit on descriptors to put back.
    pub open_files: Rlimit,
    /// Whether it gets the terminal that its standard input is.
    pub terminal: bool,
    /// Whether it is told to end when this process does.
    pub bound: bool,
}

/// The code where there is no such program, and where it cannot be run.
const NOT_FOUND: i32 = 127;
const NOT_RUN: i32 = 126;

impl Front<'_> {
    /// Starts it, in a process group of its own, with nothing blocked or
    /// ignored and with every descriptor that was left open for it. When it
    /// cannot be run, the child calls `failed` (which must only write) and
    /// exits as a shell would.
    pub fn start(&self, failed: &dyn Fn(Errno)) -> Result<Pid> {
        let parent = Parent::by_number();
        let child = |me: Pid| {
            if let Some(why) = self.become_it(&parent, me) {
                // It has every signal by now, and the code is to be seen even
                // where the message is not.
                signals::ignore_broken_pipes();
                failed(why);
                let code = if why == Errno::NOENT { NOT_FOUND } else { NOT_RUN };
                // SAFETY: ends the child without running the parent's exit
                // handlers.
                unsafe { libc::_exit(code) };
            }
        };
        lend(&child, false)
    }

    fn become_it(&self, parent: &Parent, me: Pid) -> Option<Errno> {
        // It fails only for a session's leader, which a new child is not.
        let _ = rustix::process::setpgid(None, None);
        if self.bound {
            let _ = rustix::process::set_parent_process_death_signal(Some(Signal::TERM));
            if !parent.lives() {
                return None;
            }
        }
        let _ = rustix::process::setrlimit(Resource::Nofile, self.open_files);
        if let Some(input) = self.input {
            // SAFETY: plain descriptor numbers; what stands there is meant to
            // be replaced.
            if unsafe { libc::dup2(input.as_raw_fd(), 0) } == -1 {
                return Some(exec::last_errno());
            }
        }
        if self.terminal {
            terminal::give(rustix::stdio::stdin(), me);
        }
        if let Some(directory) = self.directory
            && let Err(why) = rustix::process::fchdir(directory)
        {
            return Some(why);
        }
        signals::default_dispositions();
        signals::set_mask(None);
        Some(exec::run_in(self.args, self.environment))
    }
}
