//! The main command: starting it with what this process was given, handing it
//! signals, and the terminal, if it has one.

use crate::svscan::help::TOOL;
use crate::svscan::options::Options;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, Result, fcntl_dupfd_cloexec};
use rustix::process::{Pid, Rlimit, getpgid, getpid};
use rustix::stdio::{dup2_stdin, stdin};
use upkeep_core::signals::HIGHEST;
use upkeep_sys::exec::Variables;
use upkeep_sys::front::Front;
use upkeep_sys::group::session_of;
use upkeep_sys::signals::{Whom, send};
use upkeep_sys::{Args, process, terminal};

const KILL: u8 = 9;
const TERM: u8 = 15;
const CONT: u8 = 18;
const STOP: u8 = 19;

/// The command, and what is known of it.
pub(crate) struct Command {
    args: Option<Args>,
    /// Its standard input, where that is not this process's.
    input: Option<OwnedFd>,
    /// Whether that is a terminal, and whether the command gets it.
    interactive: bool,
    terminal: bool,
    group: bool,
    rewritten: [u8; HIGHEST as usize + 1],
    expected: [u64; 4],
    stop: u8,
    /// None as long as it does not run.
    pid: Option<Pid>,
    /// Whether it has got the signal that begins the stop.
    pub(crate) told: bool,
}

impl Command {
    pub(crate) fn new(options: &Options) -> Self {
        let is_first = getpid().is_init();
        let interactive = options.command.is_some() && rustix::termios::isatty(stdin());
        let terminal = interactive && (is_first || terminal::is_ours(stdin()));
        Self {
            args: options.command,
            input: None,
            interactive,
            terminal,
            group: options.group,
            rewritten: options.rewritten,
            expected: options.expected,
            stop: options.stop,
            pid: None,
            told: false,
        }
    }

    /// Whether there is one.
    pub(crate) const fn is_wanted(&self) -> bool {
        self.args.is_some()
    }

    /// Whether it runs.
    pub(crate) const fn runs(&self) -> bool {
        self.pid.is_some()
    }

    /// Puts this process's standard input aside for the command, and an empty
    /// one in its place, which is the services'.
    pub(crate) fn set_input_aside(&mut self) -> Result<()> {
        let input = match fcntl_dupfd_cloexec(stdin(), 3) {
            Ok(input) => Some(input),
            // It was closed, and is for the command too.
            Err(Errno::BADF) => None,
            Err(why) => return Err(why),
        };
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let empty = rustix::fs::open(c"/dev/null", flags, Mode::empty())
            .or_else(|_| rustix::pipe::pipe().map(|(read, _)| read))?;
        dup2_stdin(&empty)?;
        self.input = input;
        Ok(())
    }

    /// Starts it.
    pub(crate) fn start(
        &mut self,
        start: Option<&OwnedFd>,
        open_files: Rlimit,
        environment: Option<&Variables>,
    ) -> Result<()> {
        let Some(args) = self.args else { return Ok(()) };
        let front = Front {
            args,
            environment,
            input: self.input.as_ref().map(AsFd::as_fd),
            directory: start.map(AsFd::as_fd),
            open_files,
            terminal: self.terminal,
            bound: !getpid().is_init(),
        };
        let name = args.get(0).unwrap_or_default().to_bytes();
        let pid = front.start(&|why| TOOL.warn_os(&[b"unable to run ", name, b": "], why))?;
        self.pid = Some(pid);
        Ok(())
    }

    /// A child has ended: whether it was this, and then its code.
    pub(crate) fn ended(&mut self, pid: Pid, status: i32) -> Option<u8> {
        if self.pid != Some(pid) {
            return None;
        }
        self.pid = None;
        if self.terminal {
            terminal::take_back(self.input.as_ref().map_or(stdin(), AsFd::as_fd));
        }
        let code = code(status);
        let is_expected = self.expected[usize::from(code / 64)] & 1 << (code % 64) != 0;
        Some(if is_expected { 0 } else { code })
    }

    /// Hands it a signal, or what is meant instead; says which one it got. It
    /// has not been waited for, so the number is its.
    pub(crate) fn forward(&self, number: u8) -> Option<u8> {
        let number = self.rewritten.get(usize::from(number)).copied().filter(|to| *to != 0)?;
        self.hand(self.pid?, number).ok().map(|()| number)
    }

    /// One that has left its group is told beside it.
    fn hand(&self, pid: Pid, number: u8) -> Result<()> {
        let leads = self.group && getpgid(Some(pid)) == Ok(pid);
        if self.group {
            let told = send(Whom::Group(pid), number);
            if leads {
                return told;
            }
        }
        send(Whom::One(pid), number)
    }

    /// Tells it to end, as whoever stops everything would, if it has not been
    /// told yet.
    pub(crate) fn end(&self) {
        let Some(pid) = self.pid else { return };
        if !self.told && self.forward(self.stop).is_none() {
            let _ = self.hand(pid, TERM);
        }
        // What was stopped does not hear.
        let _ = self.hand(pid, CONT);
    }

    /// Kills it, and all that is left in its group.
    pub(crate) fn kill(&self) {
        if let Some(pid) = self.pid {
            let _ = send(Whom::Group(pid), KILL);
            let _ = send(Whom::One(pid), KILL);
        }
    }

    /// Where the command was stopped at the terminal, this process stops too,
    /// so that whoever started it has the terminal; when it goes on, so does
    /// the command. Process 1 is not stopped.
    pub(crate) fn follow_stop(&mut self) {
        let follows = self.interactive && !getpid().is_init();
        let Some(pid) = self.pid.filter(|pid| follows && process::has_stopped(*pid)) else {
            return;
        };
        let terminal = self.input.as_ref().map_or(stdin(), AsFd::as_fd);
        if self.terminal {
            terminal::take_back(terminal);
        }
        // The leader of a session has nobody who would have it go on.
        if session_of(getpid()) != Some(getpid()) {
            let _ = send(Whom::One(getpid()), STOP);
        }
        // It may have been started in the background, and be in front now.
        self.terminal = terminal::is_ours(terminal);
        if self.terminal {
            terminal::give(terminal, pid);
        }
        let _ = send(Whom::Group(pid), CONT);
    }
}

/// The code of a process that ended with this wait status.
pub(crate) const fn code(status: i32) -> u8 {
    let signal = status & 0x7f;
    if signal == 0 { (status >> 8 & 0xff) as u8 } else { 128 + signal as u8 }
}
