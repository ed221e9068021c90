//! The service's process: how it is started, and who it is.

use crate::keep::TOOL;
use core::ffi::CStr;
use rustix::io::Result;
use rustix::process::{Pid, Signal};
use upkeep_core::control;
use upkeep_core::record::Identity;
use upkeep_family::MARKER;
use upkeep_servicedir::{Keeper, names};
use upkeep_sys::process::{Held, started};
use upkeep_sys::spawn::{Apart, Inherit, Last, Spawn, Variable};

/// Starts `./run` with no arguments. The child calls `record` with its own
/// number before it runs; if that fails, the service keeps the directory
/// claimed for as long as it lives. `marker` goes into its environment.
pub(crate) fn start(
    dir: &CStr,
    keeper: &Keeper,
    marker: Option<&CStr>,
    record: &dyn Fn(Pid) -> bool,
) -> Result<Pid> {
    let spawn = Spawn {
        candidates: &[names::RUN],
        args: &[names::RUN],
        fds: &[],
        directory: None,
        inherit: Inherit::Nothing(Apart::Session),
        open_files: None,
        variable: Some(Variable { name: MARKER, entry: marker }),
        last: Some(Last { record, otherwise: keeper.claim_itself() }),
    };
    spawn.start(&|_, why| {
        let _ = TOOL.fatal_os(&[b"unable to start ", dir.to_bytes(), b"/run: "], why);
    })
}

/// What tells a process, which is there, from any other.
pub(crate) fn identify(pid: Pid, namespace: u64) -> Identity {
    Identity {
        pid: crate::watch::number(pid),
        started: started(pid).map_or(0, |started| started.0),
        unique: Held::open(pid).map_or(0, |held| held.unique()),
        namespace,
    }
}

/// The system's signal.
pub(crate) const fn signal(signal: control::Signal) -> Signal {
    match signal {
        control::Signal::Alarm => Signal::ALARM,
        control::Signal::Continue => Signal::CONT,
        control::Signal::Hangup => Signal::HUP,
        control::Signal::Interrupt => Signal::INT,
        control::Signal::Kill => Signal::KILL,
        control::Signal::Stop => Signal::STOP,
        control::Signal::Terminate => Signal::TERM,
    }
}
