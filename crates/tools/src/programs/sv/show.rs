//! Showing a service, and saying what is wrong with it.

use crate::programs::sv::complain;
use crate::programs::sv::errand::{Errand, Lost};
use crate::sv::{Sight, described};
use core::ffi::CStr;
use upkeep_cli::{Exit, words};
use upkeep_servicedir::{
    StatusTrouble, go, is_logger, is_oneshot, names, normally_up, read_status_as_runit,
};
use upkeep_sys::Errno;

/// The most that is counted in the exit code.
const MOST: u8 = 99;

/// What is known of a service: how it is, or that nobody supervises it.
pub(crate) type Seen = Option<Sight>;

impl Errand {
    /// Shows the service and its logger; the answer is what an init script exits
    /// with, if it is not a failure like any other.
    pub(crate) fn show(&mut self, name: &CStr) -> Option<Exit> {
        let seen = match self.look(name, b"") {
            Ok(Some(sight)) => sight,
            Ok(None) => return None,
            Err(Lost) => return Some(Exit::Of(4)),
        };
        let shown = self.describe(&seen, name, name.to_bytes());
        // One that is a file is in the directory of its service.
        match if is_logger() { Err(Errno::NOENT) } else { go(names::LOG) } {
            Err(Errno::NOENT) => self.say(&[b"\n"]),
            Err(why) => {
                self.say(&[b"; "]);
                self.warn(name, b"/log", b"unable to change directory", Some(why));
            }
            Ok(()) => {
                self.say(&[b"; "]);
                if let Ok(Some(sight)) = self.look(name, b"/log") {
                    self.describe(&sight, name, b"log");
                    self.say(&[b"\n"]);
                }
            }
        }
        let _ = self.out.flush();
        Some(match (shown, seen.is_there()) {
            (false, _) => Exit::Of(4),
            (true, false) => Exit::Of(3),
            (true, true) => Exit::Success,
        })
    }

    /// The status; where it is not known, that is said.
    pub(crate) fn look(&mut self, name: &CStr, log: &[u8]) -> Result<Seen, Lost> {
        let (what, why): (&[u8], _) = match read_status_as_runit() {
            Ok((status, own)) => {
                let is_oneshot = own.is_some() && !is_logger() && is_oneshot();
                return Ok(Some(Sight::of(&status, own.as_ref(), is_oneshot)));
            }
            Err(StatusTrouble::NotRunning) => {
                self.nobody(name, log);
                return Ok(None);
            }
            Err(StatusTrouble::Ok(why)) => (b"unable to open supervise/ok", Some(why)),
            Err(StatusTrouble::Open(why)) => (b"unable to open supervise/status", Some(why)),
            Err(StatusTrouble::Read(why)) => (b"unable to read supervise/status", Some(why)),
            Err(StatusTrouble::BadFormat) => (b"unable to read supervise/status: bad format", None),
        };
        self.warn(name, log, what, why);
        Err(Lost)
    }

    /// Shows a service under the name `shown`; says whether it could.
    pub(crate) fn describe(&mut self, sight: &Sight, name: &CStr, shown: &[u8]) -> bool {
        match normally_up() {
            Ok(up) => {
                self.say(&[&described(sight, shown, self.now, !up)]);
                true
            }
            Err(why) => {
                let why = words(why).as_bytes();
                complain(&[b"warning: unable to stat ", name.to_bytes(), b"/down: ", why, b"\n"]);
                false
            }
        }
    }

    /// There is no supervise: what `exit` is for.
    pub(crate) fn nobody(&mut self, name: &CStr, log: &[u8]) {
        let what = b"runsv not running";
        if self.command.ends_supervise() {
            self.line(b"ok: ", name, log, what, None);
        } else {
            self.count();
            self.line(b"fail: ", name, log, what, None);
        }
    }

    pub(crate) fn fail(&mut self, name: &CStr, what: &[u8], why: Option<Errno>) {
        self.count();
        self.line(b"fail: ", name, b"", what, why);
    }

    pub(crate) fn warn(&mut self, name: &CStr, log: &[u8], what: &[u8], why: Option<Errno>) {
        self.count();
        self.line(b"warning: ", name, log, what, why);
    }

    pub(crate) fn count(&mut self) {
        self.failures = (self.failures + 1).min(MOST);
    }

    fn line(&mut self, kind: &[u8], name: &CStr, log: &[u8], what: &[u8], why: Option<Errno>) {
        self.say(&[kind, name.to_bytes(), log, b": ", what]);
        if let Some(why) = why {
            self.say(&[b": ", words(why).as_bytes()]);
        }
        self.end_line();
    }

    pub(crate) fn end_line(&mut self) {
        self.say(&[b"\n"]);
        let _ = self.out.flush();
    }

    pub(crate) fn say(&mut self, parts: &[&[u8]]) {
        for part in parts {
            // Nobody can be told that standard output does not work.
            let _ = self.out.push(part);
        }
    }
}
