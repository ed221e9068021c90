//! The service's process: how it is started and how it is signalled.

use crate::keep::TOOL;
use core::ffi::CStr;
use rustix::io::Result;
use rustix::process::{Pid, Signal, kill_process};
use upkeep_core::control;
use upkeep_servicedir::names;
use upkeep_sys::spawn::{Apart, Inherit, Spawn};

/// Starts `./run` with no arguments.
pub(crate) fn start(dir: &CStr) -> Result<Pid> {
    let spawn = Spawn {
        candidates: &[names::RUN],
        args: &[names::RUN],
        fds: &[],
        directory: None,
        inherit: Inherit::Nothing(Apart::Session),
        open_files: None,
    };
    spawn.start(&|_, why| {
        let _ = TOOL.fatal_os(&[b"unable to start ", dir.to_bytes(), b"/run: "], why);
    })
}

/// Signals the process. It has not been waited for, so the pid is still its.
pub(crate) fn send(pid: u32, signal: control::Signal) {
    let signal = match signal {
        control::Signal::Alarm => Signal::ALARM,
        control::Signal::Continue => Signal::CONT,
        control::Signal::Hangup => Signal::HUP,
        control::Signal::Interrupt => Signal::INT,
        control::Signal::Kill => Signal::KILL,
        control::Signal::Stop => Signal::STOP,
        control::Signal::Terminate => Signal::TERM,
    };
    if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
        // It may be dead already; then there is nothing to do.
        let _ = kill_process(pid, signal);
    }
}
