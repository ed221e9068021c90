//! Asking the service itself.

use crate::programs::sv::complain;
use core::cell::Cell;
use core::ffi::CStr;
use rustix::fs::{Mode, OFlags, open, stat};
use rustix::process::{WaitOptions, WaitStatus, waitpid};
use upkeep_cli::words;
use upkeep_servicedir::names;
use upkeep_sys::Errno;
use upkeep_sys::spawn::{Apart, Inherit, Spawn};

/// Whether the service says that it can be used: its `check` exits 0, or it has
/// none. One that cannot be run is no reason to doubt it.
pub(crate) fn is_available(name: &CStr) -> bool {
    let name = name.to_bytes();
    match stat(names::CHECK) {
        Ok(_) => {}
        Err(Errno::NOENT) => return true,
        Err(why) => {
            let why = words(why).as_bytes();
            complain(&[b"warning: unable to stat ", name, b"/check: ", why, b"\n"]);
            return false;
        }
    }
    let cannot = |what: &[u8], why| {
        complain(&[b"warning: unable to ", what, name, b"/check: ", words(why).as_bytes(), b"\n"]);
    };
    let null = open(c"/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty());
    let cannot_run = Cell::new(false);
    let child = null.and_then(|null| {
        let fds = [(rustix::fd::AsFd::as_fd(&null), 1)];
        let check = Spawn {
            candidates: &[names::CHECK],
            args: &[c"./check"],
            fds: &fds,
            directory: None,
            inherit: Inherit::Nothing(Apart::Not),
            open_files: None,
            environment: None,
            variables: &[],
            bound: false,
            lets_go: None,
            last: None,
            first: false,
        };
        check.start(&|_, why| {
            cannot(b"run ", why);
            cannot_run.set(true);
        })
    });
    let pid = match child {
        Ok(pid) => pid,
        Err(why) => {
            cannot(b"fork for ", why);
            return false;
        }
    };
    loop {
        match waitpid(Some(pid), WaitOptions::empty()) {
            Ok(ended) => {
                let code = ended.map(|(_, status)| status).and_then(WaitStatus::exit_status);
                return cannot_run.get() || code == Some(0);
            }
            Err(Errno::INTR) => {}
            Err(why) => {
                cannot(b"wait for child ", why);
                return false;
            }
        }
    }
}
