//! The end of a machine.

use rustix::io::Result;

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// It stops.
    Halts,
    /// It is switched off.
    PowersOff,
    /// It begins anew.
    Restarts,
}

/// Ends the machine, or the pid name space that this process is the first of.
/// It returns only when that is refused, or has begun.
#[doc(alias = "reboot")]
pub fn end(how: Machine) -> Result<()> {
    call(match how {
        Machine::Halts => libc::RB_HALT_SYSTEM,
        Machine::PowersOff => libc::RB_POWER_OFF,
        Machine::Restarts => libc::RB_AUTOBOOT,
    })
}

/// From now on the keys that would restart the machine at once send INT to
/// process 1.
pub fn have_keys_ask() -> Result<()> {
    call(libc::RB_DISABLE_CAD)
}

fn call(command: i32) -> Result<()> {
    // SAFETY: takes a number; whoever may not do it is told.
    if unsafe { libc::reboot(command) } == -1 { Err(crate::exec::last_errno()) } else { Ok(()) }
}
