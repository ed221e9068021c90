//! Waiting for services. Whether what is waited for has come is judged in
//! `core`.

use crate::changes::{Change, Changes, WatchTrouble};
use crate::client::{StatusTrouble, last_status};
use crate::find::{go, here};
use rustix::io::Errno;
use std::ffi::CString;
use upkeep_core::wait::{Answer, Goal, Seen, Told};

/// Services that somebody waits for, numbered from 0 as they were added.
#[derive(Debug)]
pub struct Waiting {
    changes: Changes,
    goal: Goal,
    /// What the services are told, after they were added.
    told: Told,
    all: Vec<One>,
}

#[derive(Debug)]
struct One {
    path: CString,
    before: Seen,
    now: Seen,
    lost: bool,
}

/// How the waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// What was waited for has come.
    Satisfied,
    /// The time is up, and this service is the first for which it has not.
    TimedOut(usize),
    /// It does not come by itself for so many services, this one first, and
    /// whether that one has ended for good or is to be down.
    Never(usize, usize, bool),
    /// This service has no supervise any more.
    Lost(usize),
}

/// Why a service cannot be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitTrouble {
    /// It cannot be watched.
    Watch(WatchTrouble),
    /// Nobody supervises it.
    NotRunning,
    /// Its status cannot be read.
    Status(StatusTrouble),
    /// Its directory cannot be found again.
    Go(Errno),
}

impl End {
    /// Why it has not come, and for which service.
    #[must_use]
    pub const fn words(self) -> Option<(usize, &'static str)> {
        match self {
            Self::Satisfied => None,
            Self::TimedOut(number) => Some((number, "timed out")),
            Self::Never(_, number, true) => Some((number, "it has ended for good")),
            Self::Never(_, number, false) => Some((number, "it is to be down")),
            Self::Lost(number) => Some((number, "supervise has ended")),
        }
    }

    /// s6's exit code for it. How many never come is capped, so that it is
    /// none of the others.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Satisfied => 0,
            Self::TimedOut(_) => 99,
            Self::Never(count @ 0..98, ..) => count as u8,
            Self::Never(..) => 98,
            Self::Lost(_) => WaitTrouble::NotRunning.code(),
        }
    }
}

impl WaitTrouble {
    /// s6's exit code for it.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::NotRunning | Self::Status(StatusTrouble::NotRunning) => 102,
            Self::Watch(_) | Self::Status(_) | Self::Go(_) => 111,
        }
    }

    /// The reason in words, and the system's where that is behind them.
    #[must_use]
    pub const fn words(self) -> (&'static str, Option<Errno>) {
        match self {
            Self::Watch(trouble) => trouble.words(),
            Self::NotRunning | Self::Status(StatusTrouble::NotRunning) => {
                ("supervise not running", None)
            }
            Self::Status(StatusTrouble::Ok(why)) => ("unable to open supervise/ok: ", Some(why)),
            Self::Status(StatusTrouble::Open(why)) => {
                ("unable to open supervise/status: ", Some(why))
            }
            Self::Status(StatusTrouble::Read(why)) => {
                ("unable to read supervise/status: ", Some(why))
            }
            Self::Status(StatusTrouble::BadFormat) => {
                ("unable to read supervise/status: bad format", None)
            }
            Self::Go(why) => ("", Some(why)),
        }
    }
}

impl Waiting {
    /// For nobody yet. `told`: what each service will be told when it has been
    /// added; what that changes is waited for.
    pub fn new(goal: Goal, told: Told) -> Result<Self, WaitTrouble> {
        let changes = Changes::open().map_err(WaitTrouble::Watch)?;
        Ok(Self { changes, goal, told, all: Vec::new() })
    }

    /// Adds the service whose directory is the current one. Whatever it does
    /// from now on is noticed.
    pub fn add(&mut self) -> Result<(), WaitTrouble> {
        let path = here().map_err(WaitTrouble::Go)?;
        if !self.changes.subscribe(self.all.len()).map_err(WaitTrouble::Watch)? {
            return Err(WaitTrouble::NotRunning);
        }
        let now = read()?;
        self.all.push(One { path, before: now, now, lost: false });
        Ok(())
    }

    /// The service that was added last could not be told, and is not waited for
    /// after all.
    pub fn take_back(&mut self) {
        self.all.pop();
    }

    /// Waits until what is waited for has come for all of the services, or for
    /// any, or until `deadline` (monotonic nanoseconds) has come. The current
    /// directory is another one after that.
    pub fn wait(&mut self, any: bool, deadline: Option<u64>) -> Result<End, (usize, WaitTrouble)> {
        loop {
            if let Some(end) = self.end(any) {
                return Ok(end);
            }
            let watching = |trouble| (0, WaitTrouble::Watch(trouble));
            if !self.changes.wait(deadline).map_err(watching)? {
                return Ok(End::TimedOut(self.first_open()));
            }
            while let Some(change) = self.changes.take() {
                self.look(change).map_err(|trouble| (change.service, trouble))?;
            }
        }
    }

    /// What all the answers together say.
    fn end(&self, any: bool) -> Option<End> {
        let mut is_open = false;
        let (mut never, mut lost) = (Vec::new(), None);
        for (number, one) in self.all.iter().enumerate() {
            match self.goal.judge(&one.before, &one.now, self.told) {
                Answer::Satisfied if any => return Some(End::Satisfied),
                Answer::Satisfied => {}
                Answer::NotYet | Answer::Never | Answer::StaysDown if one.lost => {
                    lost = lost.or(Some(number))
                }
                Answer::NotYet => is_open = true,
                Answer::Never => never.push((number, true)),
                Answer::StaysDown => never.push((number, false)),
            }
        }
        if is_open && (any || lost.is_none()) {
            return None;
        }
        Some(match (lost, never.first()) {
            (Some(number), _) => End::Lost(number),
            (None, Some((first, over))) => End::Never(never.len(), *first, *over),
            (None, None) => End::Satisfied,
        })
    }

    /// The first service for which it may still come.
    fn first_open(&self) -> usize {
        let is_open = |one: &One| {
            self.goal.judge(&one.before, &one.now, self.told) == Answer::NotYet && !one.lost
        };
        self.all.iter().position(is_open).unwrap_or(0)
    }

    /// Reads what a service that may have changed is now. The last that a
    /// supervise wrote counts, also when it has ended since.
    fn look(&mut self, Change { service, ended }: Change) -> Result<(), WaitTrouble> {
        let Some(one) = self.all.get_mut(service).filter(|one| !one.lost) else { return Ok(()) };
        match go(&one.path) {
            Ok(()) => {}
            // It was removed, and its supervise has nothing to go on with.
            Err(Errno::NOENT) => {
                one.lost = true;
                return Ok(());
            }
            Err(why) => return Err(WaitTrouble::Go(why)),
        }
        let lives = self.changes.subscribe(service).map_err(WaitTrouble::Watch)?;
        match read() {
            Ok(now) => one.now = now,
            Err(_) if ended || !lives => {}
            Err(trouble) => return Err(trouble),
        }
        one.lost = ended || !lives;
        Ok(())
    }
}

fn read() -> Result<Seen, WaitTrouble> {
    let (status, own) = last_status().map_err(WaitTrouble::Status)?;
    Ok(Seen { status, own })
}
