//! What runs in the place of svscan where that cannot go on: a program that
//! was asked for, or a machine's shell.

use crate::svscan::help::TOOL;
use crate::svscan::options::Options;
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, open};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use std::sync::OnceLock;
use upkeep_cli::Exit;
use upkeep_sys::{decimal, exec, fault};

/// What a machine has, if nothing else is said.
const SHELL: &CStr = c"/bin/sh";

/// For a fault, which nobody can hand anything: the program, and whether it is
/// a machine's.
static RESCUE: OnceLock<(&CStr, bool)> = OnceLock::new();
/// Where svscan began, from where the program's path leads to it.
static START: OnceLock<OwnedFd> = OnceLock::new();

/// The program, if there is one.
pub(crate) fn wanted(options: &Options) -> Option<&'static CStr> {
    options.rescue.or(options.machine.then_some(SHELL))
}

/// Has it take over where this process commits a fault.
pub(crate) fn arm(options: &Options) {
    let here = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    if let Some(start) = wanted(options).and_then(|_| open(c".", here, Mode::empty()).ok()) {
        let _ = START.set(start);
    }
    if let Some(program) = wanted(options)
        && RESCUE.set((program, options.machine)).is_ok()
        && let Err(why) = fault::on_fault(fallen)
    {
        TOOL.warn_os(&[b"unable to be rescued from a fault: "], why);
    }
}

fn fallen(signal: u8) {
    let mut digits = [0; 20];
    let _ = TOOL.fatal(&[b"stopped by signal ", decimal(signal.into(), &mut digits)]);
    if let Some((program, machine)) = RESCUE.get() {
        let _ = instead(Some(program), *machine, Exit::System);
    }
}

/// Executes it in the place of this process. It returns only where there is
/// none, or that failed: then the end is as it would have been.
pub(crate) fn instead(program: Option<&CStr>, machine: bool, otherwise: Exit) -> Exit {
    let Some(program) = program else { return otherwise };
    if machine {
        take_console();
    }
    if let Some(start) = START.get() {
        let _ = rustix::process::fchdir(start);
    }
    TOOL.warn(&[b"going on as ", program.to_bytes()]);
    let why = exec::instead(program);
    let _ = TOOL.fatal_os(&[b"unable to run ", program.to_bytes(), b": "], why);
    otherwise
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
