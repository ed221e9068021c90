//! A start, of `run` or of what runs before or after it: the child becomes one of the family,
//! writes down who it is, and only then runs.

use crate::supervise::keep::{Supervise, TOOL, now, warn};
use crate::supervise::process::{self, Around, Descriptors, Program};
use crate::supervise::reach::{Reach, complain};
use crate::supervise::watch::number;
use core::cell::Cell;
use core::ffi::CStr;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::{Errno, Result};
use rustix::process::Pid;
use upkeep_core::dialect::Dialect;
use upkeep_core::record::{Identity, Outcome};
use upkeep_core::supervise::{Before, Event, Kind, Phase};
use upkeep_core::tai::Tai64n;
use upkeep_servicedir::{Keeper, Trouble, has_run, lock_service, names};
use upkeep_sys::refuse::refused;
use upkeep_sys::{clock, point};

/// Who the child is, when it began, and what kept it from writing that down.
type Begun = (Identity, Tai64n, Option<Trouble>);

impl Supervise {
    pub(crate) fn start(&mut self) {
        if Keeper::is_gone() {
            // Nobody could ever say anything to us again.
            let name = self.dir.to_bytes();
            self.leaving = Some(TOOL.fatal(&[b"unable to start ", name, b"/run: ", GONE]));
            return;
        }
        self.machine.plan = self.reach.read(self.dir);
        self.reach.spare(self.spared());
        self.keeper.look_for_readers(self.reach.facts(), self.reach.dialect());
        if !self.may_start() {
            return;
        }
        self.begin_tally();
        match self.machine.plan.before {
            Before::First if self.machine.prepares() => return self.prepare(names::START),
            Before::Always if self.machine.prepares() => return self.prepare(names::UP),
            // There it is enough that something has come up.
            Before::First if !has_run() => return self.feed(Event::NothingToRun),
            Before::Nothing if self.machine.plan.kind == Kind::Group => {
                return self.feed(Event::NothingToRun);
            }
            Before::Nothing | Before::First | Before::Always => {}
        }
        let Ok(lock) = self.lock_for_service() else { return self.feed(Event::NotStarted) };
        let mouth = self.prick_ears();
        // If both say the same number, it is for the mouth.
        let fds = [&lock, &mouth].map(|held| held.as_ref().map(|(fd, at)| (fd.as_fd(), *at)));
        let named = self.reach.dialect() == Dialect::S6;
        let first = self.reach.facts().new_pid_namespace();
        let program = match self.machine.plan.kind {
            Kind::Oneshot => Program::Task(self.reach.facts().task().0),
            Kind::Lasting | Kind::Group => Program::Run { named, first },
        };
        match self.launch(&program, fds, Event::Started) {
            Ok((pid, begun)) => {
                point!("start: executed");
                self.started(pid, begun, Event::Started);
                if refused(b"record-first") {
                    self.announce(false);
                }
                // What it needs may have been told to go before this was on record.
                self.look_whether_to_go();
            }
            Err(why) => self.not_started(if first { b" by flag-newpidns" } else { b"" }, why),
        }
    }

    /// Starts what runs before the service.
    fn prepare(&mut self, program: &'static CStr) {
        match self.launch(&Program::Prepare(program), [None, None], Event::Preparing) {
            Ok((pid, begun)) => {
                point!("prepare: executed");
                self.started(pid, begun, Event::Preparing);
            }
            Err(why) => self.not_started(&program.to_bytes()[1..], why),
        }
    }

    fn not_started(&mut self, program: &[u8], why: Errno) {
        let name = self.dir.to_bytes();
        TOOL.warn_os(
            &[b"unable to fork for ", name, program, b", trying again in 5 seconds: "],
            why,
        );
        self.feed(Event::NotStarted);
    }

    pub(crate) fn finish(&mut self) {
        let outcome = self.machine.last.unwrap_or(Outcome::Unknown);
        let (pid, s6) = (self.watch.identity().pid, self.reach.dialect() == Dialect::S6);
        let (program, file) = if self.machine.plan.finishes {
            (Program::Finish { outcome, pid, s6 }, b"/finish: ".as_slice())
        } else {
            match self.reach.facts().task().1 {
                Some(undo) if self.machine.plan.kind == Kind::Oneshot => {
                    (Program::Undo(undo), b"/down: ".as_slice())
                }
                _ => (Program::Stop, b"/stop: ".as_slice()),
            }
        };
        match self.launch(&program, [None, None], Event::Finishing) {
            Ok((pid, begun)) => self.started(pid, begun, Event::Finishing),
            Err(why) => {
                let name = self.dir.to_bytes();
                TOOL.warn_os(&[b"unable to fork for ", name, file], why);
                self.feed(Event::NotFinishing);
            }
        }
    }

    /// What the service has locked as long as it lives, if the directory says
    /// that it does, and as which descriptor. One that somebody else has, or
    /// that cannot be had, is reason to try again later: supervise itself
    /// waits for nobody.
    fn lock_for_service(&self) -> core::result::Result<Option<(OwnedFd, i32)>, ()> {
        let number = self.reach.facts().lock_fd().unwrap_or_else(|trouble| {
            complain(self.dir, b"lock-fd", b"using none", trouble);
            None
        });
        let Some(number) = number else { return Ok(None) };
        let name = self.dir.to_bytes();
        match lock_service() {
            Ok(Some(lock)) => return Ok(Some((lock, number))),
            Ok(None) => TOOL.warn(&[b"unable to lock ", name, LATER, b"temporary failure"]),
            Err(why) => TOOL.warn_os(&[b"unable to lock ", name, LATER], why),
        }
        Err(())
    }

    fn launch(
        &mut self,
        program: &Program,
        fds: Descriptors<'_>,
        event: fn(u32) -> Event,
    ) -> Result<(Pid, Option<Begun>)> {
        // Borrowed for the start alone.
        let mut reach = core::mem::replace(&mut self.reach, Reach::new());
        let apart = reach.apart();
        let (enter, marker) = reach.enter();
        let (begun, outside) = (Cell::new(None), Cell::new(None));
        let told = self.senses.told(&self.machine.plan);
        let own = if let Program::Run { .. } | Program::Task(_) = program {
            told.variables()
        } else {
            [None; 3]
        };
        let around = Around { fds, marker, apart, own };
        let answer = process::start(program, self.dir, &self.keeper, &around, &|pid| {
            outside.set(enter.and_then(|enter| enter.enter().err()));
            let (will_be, _) = self.machine.step(event(number(pid)), clock::monotonic());
            let identity = process::identify_itself(pid, self.namespace);
            let since = now();
            if refused(b"record-first") {
                begun.set(Some((identity, since, None)));
                return true;
            }
            let is_ready = matches!(will_be.phase, Phase::Up(_)) && !will_be.health.awaited;
            let ready = if is_ready { since } else { Tai64n::default() };
            let record = self.record(&will_be, identity, (since, ready), false);
            let words = self.keeper.write_words(&record);
            let written = self.keeper.write_status(&record);
            begun.set(Some((identity, since, written.and(words).err())));
            written.is_ok()
        });
        self.reach = reach;
        if let Some(why) = outside.get() {
            let name = self.dir.to_bytes();
            TOOL.warn_os(&[b"unable to put ", name, b" into its cgroup: "], why);
        }
        answer.map(|pid| (pid, begun.get()))
    }

    /// The child has written down who it is, and perhaps become the program.
    /// It may also have been killed before it could.
    fn started(&mut self, pid: Pid, begun: Option<Begun>, event: fn(u32) -> Event) {
        let unwritten = (Identity { pid: number(pid), ..Identity::default() }, now(), None);
        let (identity, since, trouble) = begun.unwrap_or(unwritten);
        self.watch.child(identity);
        self.since = since;
        self.feed(event(number(pid)));
        self.tell_start(number(pid));
        self.ready = if self.machine.health.awaited { Tai64n::default() } else { since };
        if let Some(trouble) = trouble {
            warn(self.dir, trouble);
            return self.feed(Event::NotAnnounced);
        }
        let times = (self.since, self.ready);
        self.tell_others(&self.record(&self.machine, self.watch.identity(), times, false));
        point!("order: told");
    }
}

const LATER: &[u8] = b"/supervise/service-lock, trying again in 5 seconds: ";
const GONE: &[u8] = b"the directory was removed";
