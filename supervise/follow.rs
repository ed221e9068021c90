//! Following a service into the background: which process it is when `run`
//! has exited 0, and that it is the service's own.

use crate::supervise::keep::{Supervise, TOOL};
use crate::supervise::process::identify;
use crate::supervise::watch::{Found, Watch, number};
use rustix::io;
use rustix::process::Pid;
use upkeep_core::supervise::{Event, Phase};
use upkeep_family::Rest;
use upkeep_servicedir::{PidFile, Trail};
use upkeep_sys::{clock, point};

impl Supervise {
    /// Looks for the service's process, and says what has come of it.
    #[inline(never)]
    pub(crate) fn follow(&mut self) {
        point!("follow: looks");
        let first = !self.machine.followed;
        let event = match self.reach.trail(self.dir) {
            Some(Trail::Child) => self.follow_child(),
            Some(Trail::PidFile(file)) => self.follow_file(&file),
            None => Some(Event::Lost),
        };
        let Some(event) = event else { return };
        if self.perhaps_over(event, false) && first {
            let name = self.dir.to_bytes();
            let why: &[u8] = if event == Event::Lost {
                b"nothing is left of it"
            } else {
                b"it is not there in time"
            };
            TOOL.warn(&[b"unable to follow ", name, b" into the background: ", why]);
        }
        if !matches!(self.machine.phase, Phase::Following(_)) {
            self.changes = None;
        }
    }

    /// What is to be said of it, unless it was found.
    fn follow_child(&mut self) -> Option<Event> {
        match self.rest() {
            Rest::Nothing => Some(Event::Lost),
            Rest::One(pid) if self.becomes(pid) => None,
            Rest::One(_) | Rest::Several => Some(Event::NotFound),
        }
    }

    fn follow_file(&mut self, file: &PidFile) -> Option<Event> {
        // What is written after the first look is noticed.
        if self.becomes_named(file) || self.notice(file) && self.becomes_named(file) {
            return None;
        }
        // Whoever has had a pid file does not wait for the next one.
        let over = self.machine.followed || self.rest() == Rest::Nothing;
        Some(if over { Event::Lost } else { Event::NotFound })
    }

    fn becomes_named(&mut self, file: &PidFile) -> bool {
        let named = file.process().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        named.is_some_and(|pid| self.becomes(pid))
    }

    fn rest(&self) -> Rest {
        let since = self.watch.identity().started;
        self.reach.kin().map_or(Rest::Nothing, |kin| kin.rest(since, self.spared()))
    }

    /// Whether this is one of those that the service has left behind.
    pub(crate) fn is_kin(&self, pid: Pid) -> bool {
        let since = self.watch.identity().started;
        self.reach.kin().is_some_and(|kin| kin.has(pid, since, self.spared()))
    }

    /// Has the file noticed as soon as it is there. Where that cannot be had
    /// it is looked for by the clock alone. Says whether it may have come
    /// meanwhile.
    fn notice(&mut self, file: &PidFile) -> bool {
        match &self.changes {
            Some(changes) => io::read(changes, &mut [0; 4096]).is_ok(),
            None => {
                self.changes = file.watch().ok();
                self.changes.is_some()
            }
        }
    }

    /// The service is this process from now on, if it is one of its own. One
    /// that was looked for is not older than the last one was.
    pub(crate) fn becomes(&mut self, pid: Pid) -> bool {
        let identity = identify(pid, self.namespace);
        if self.machine.phase == Phase::Up(number(pid)) {
            return true;
        }
        let can = matches!(self.machine.phase, Phase::Up(_) | Phase::Following(_));
        if !can || !self.is_own(pid) {
            return false;
        }
        // Held only now, and compared again: the number is still its own.
        let mut watch = Watch::nobody();
        if !matches!(watch.adopt(identity, clock::monotonic()), Found::Alive) {
            return false;
        }
        point!("follow: found");
        self.watch = watch;
        self.changes = None;
        self.feed(Event::Main(number(pid)));
        true
    }
}
