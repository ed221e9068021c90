//! A machine's process 1: what its signals mean, and how a machine ends.

use crate::svscan::help::TOOL;
use crate::svscan::options::Options;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, getpid, wait};
use upkeep_cli::Exit;
use upkeep_core::signals::{HIGHEST, RTMIN};
use upkeep_core::whole::End;
use upkeep_sys::reboot::{self, Machine};
use upkeep_sys::signals::{Signals, Whom, bit, send};

const INT: u8 = 2;
const USR2: u8 = 12;
const TERM: u8 = 15;
const CHLD: u8 = 17;
const PWR: u8 = 30;

/// Those that mean something to a machine only.
pub(crate) const SIGNALS: [u8; 4] = [USR2, RTMIN + 3, RTMIN + 4, RTMIN + 5];

/// How a machine ends that gets this signal. They are the ones of systemd and
/// of busybox; the keys that restart a machine send INT.
pub(crate) const fn meaning(number: u8) -> Option<End> {
    const HALT: u8 = RTMIN + 3;
    const POWER_OFF: u8 = RTMIN + 4;
    const REBOOT: u8 = RTMIN + 5;
    match number {
        HALT => Some(End::Halt),
        POWER_OFF | USR2 | PWR => Some(End::PowerOff),
        REBOOT | INT | TERM => Some(End::Restart),
        _ => None,
    }
}

/// Why this process cannot be one, if it cannot.
pub(crate) fn refuses(options: &Options) -> Option<Exit> {
    let cannot = options.machine && !getpid().is_init();
    cannot.then(|| TOOL.fatal(&[b"only process 1 can be a machine's"]))
}

/// The keys that would restart the machine at once are to ask for it. In a
/// name space there are none.
pub(crate) fn begin() {
    let _ = reboot::have_keys_ask();
}

/// Has process 1 end the machine.
pub(crate) fn order(end: End) -> Exit {
    let number = match end {
        End::Halt => RTMIN + 3,
        End::PowerOff => RTMIN + 4,
        End::Restart | End::Code(_) | End::Failed(_) => RTMIN + 5,
    };
    match send(Whom::One(Pid::INIT), number) {
        Ok(()) => Exit::Success,
        Err(why) => TOOL.fatal_os(&[b"unable to signal process 1: "], why),
    }
}

/// The machine ends now. In a pid name space of its own, that ends.
pub(crate) fn end(end: End) -> Exit {
    let how = match end {
        End::Halt => Machine::Halts,
        End::PowerOff => Machine::PowersOff,
        End::Restart | End::Code(_) | End::Failed(_) => Machine::Restarts,
    };
    rustix::fs::sync();
    match reboot::end(how) {
        // Without that right it is a container that ends.
        Ok(()) | Err(Errno::PERM) => Exit::Success,
        Err(why) => TOOL.fatal_os(&[b"unable to end the machine: "], why),
    }
}

/// Nothing can take the place of this process: it waits for a signal that says
/// how the machine ends, and reaps meanwhile.
pub(crate) fn hold() -> Exit {
    let ends = (1..=HIGHEST).filter(|number| meaning(*number).is_some());
    let heeded = ends.fold(bit(CHLD.into()), |set, number| set | bit(number.into()));
    let signals = Signals::take_all(heeded, 0).ok();
    // From now on none of them is missed.
    TOOL.warn(&[b"nothing can go on, waiting for a signal that ends the machine"]);
    loop {
        // Also who died before that.
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
        let mut fd = signals.as_ref().map(|signals| PollFd::new(signals, PollFlags::IN));
        let _ = poll(fd.as_mut_slice(), None);
        while let Some(number) = signals.as_ref().and_then(Signals::next_number) {
            if let Some(how) = meaning(number) {
                return end(how);
            }
        }
    }
}
