//! What runs in the place of svscan where that cannot go on: a program that
//! was asked for, or a machine's shell. A machine's process 1 that can become
//! neither waits to be told how the machine ends.

use crate::svscan::help::TOOL;
use crate::svscan::machine;
use crate::svscan::options::{Options, is_init, walk};
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, open};
use rustix::process::getpid;
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use std::sync::OnceLock;
use upkeep_cli::Exit;
use upkeep_sys::{Args, decimal, exec, fault};

/// What a machine has, if nothing else is said.
const SHELL: &CStr = c"/bin/sh";

/// For a fault, which nobody can hand anything.
static RESCUE: OnceLock<Rescue> = OnceLock::new();
/// Where svscan began, from where the program's path leads to it.
static START: OnceLock<OwnedFd> = OnceLock::new();

/// What there is for that.
#[derive(Clone, Copy)]
pub(crate) struct Rescue {
    /// The program that was asked for.
    asked: Option<&'static CStr>,
    /// Whether this is a machine's process 1, which must never end.
    pub(crate) machine: bool,
}

impl Rescue {
    pub(crate) const fn of(options: &Options) -> Self {
        Self { asked: options.rescue, machine: options.machine }
    }

    /// The same of arguments with which something is wrong. Only process 1 is
    /// rescued from that.
    pub(crate) fn despite(args: Args) -> Self {
        let mut rescue = Self { asked: None, machine: false };
        if !getpid().is_init() {
            return rescue;
        }
        rescue.machine = is_init(args);
        let mut words = args;
        while !rescue.machine && !words.is_empty() {
            let mut walk = walk(words);
            let mut has_options = words.len() == args.len();
            for option in walk.by_ref().flatten() {
                has_options = true;
                match option.letter {
                    b'm' => rescue.machine = true,
                    b'R' => rescue.asked = option.value,
                    _ => {}
                }
            }
            // A word too many hides none of those behind it. Two in a row are
            // the directory and a command that lacks its `--`, which has
            // options of its own.
            let are_over = walk.have_ended() || !has_options;
            words = if are_over { words.skip(words.len()) } else { walk.rest() };
        }
        rescue
    }

    /// Whether there is anything.
    pub(crate) const fn is_there(self) -> bool {
        self.asked.is_some() || self.machine
    }

    /// Has it take over where this process commits a fault.
    pub(crate) fn arm(self) {
        if !self.is_there() {
            return;
        }
        let here = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        if let Ok(start) = open(c".", here, Mode::empty()) {
            let _ = START.set(start);
        }
        if RESCUE.set(self).is_ok()
            && let Err(why) = fault::on_fault(fallen)
        {
            TOOL.warn_os(&[b"unable to be rescued from a fault: "], why);
        }
    }

    /// Executes it in the place of this process. Where there is none, or that
    /// failed, the end is as it would have been; a machine's process 1 waits.
    pub(crate) fn instead(self, otherwise: Exit) -> Exit {
        if self.machine {
            take_console();
        }
        if let Some(start) = START.get() {
            let _ = rustix::process::fchdir(start);
        }
        for program in [self.asked, self.machine.then_some(SHELL)].into_iter().flatten() {
            TOOL.warn(&[b"going on as ", program.to_bytes()]);
            let why = exec::instead(program);
            let _ = TOOL.fatal_os(&[b"unable to run ", program.to_bytes(), b": "], why);
        }
        if self.machine { machine::hold() } else { otherwise }
    }
}

fn fallen(signal: u8) {
    let mut digits = [0; 20];
    let _ = TOOL.fatal(&[b"stopped by signal ", decimal(signal.into(), &mut digits)]);
    if let Some(rescue) = RESCUE.get() {
        let _ = rescue.instead(Exit::System);
    }
}

/// A shell wants a terminal. Where there is none, it has what this process had.
fn take_console() {
    let _ = rustix::process::setsid();
    let Ok(console) = open(c"/dev/console", OFlags::RDWR, Mode::empty()) else {
        return;
    };
    let _ = rustix::process::ioctl_tiocsctty(&console);
    let _ = dup2_stdin(&console).and(dup2_stdout(&console)).and(dup2_stderr(&console));
}
