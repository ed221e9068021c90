//! What the threads have in common: the services, what was done to each and
//! when, and the bells they wake each other with.

use crate::kinds::Make;
use crate::moves::Role;
use crate::reaper::Reaper;
use crate::report::Report;
use crate::shown::Showing;
use crate::ties::Ties;
use crate::wait::Bell;
use rustix::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use upkeep_outside::failure::Failure;
use upkeep_outside::processes::{Place, Process};
use upkeep_outside::wait::now;

/// A directory with a supervise: a service's, or its logger's.
#[derive(Debug)]
pub(crate) struct Half {
    pub(crate) dir: PathBuf,
    /// For people.
    pub(crate) name: String,
    /// When something was last done to its supervise or its process.
    touched: AtomicU64,
}

impl Half {
    pub(crate) fn new(dir: PathBuf, name: String) -> Self {
        Self { dir, name, touched: AtomicU64::new(0) }
    }

    /// Something is about to be done to it.
    pub(crate) fn touch(&self) {
        self.touched.store(now(), Ordering::SeqCst);
    }

    pub(crate) fn touched(&self) -> u64 {
        self.touched.load(Ordering::SeqCst)
    }
}

/// Somebody who was killed.
#[derive(Clone, Copy, Debug)]
struct Condemned {
    pid: i32,
    role: Role,
    when: u64,
}

/// A service.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) make: Make,
    pub(crate) ties: Ties,
    pub(crate) main: Half,
    pub(crate) log: Option<Half>,
    /// The processes of it that were killed.
    killed: Mutex<Vec<Condemned>>,
}

impl Service {
    pub(crate) fn new(make: Make, ties: Ties, main: Half, log: Option<Half>) -> Self {
        Self { make, ties, main, log, killed: Mutex::default() }
    }

    /// The process is about to be killed.
    pub(crate) fn condemn(&self, pid: i32, role: Role) {
        self.condemned().push(Condemned { pid, role, when: now() });
    }

    /// When the process was killed, if it was.
    pub(crate) fn killed(&self, pid: i32) -> Option<u64> {
        self.condemned().iter().rev().find(|k| k.pid == pid).map(|k| k.when)
    }

    /// The processes with this role that were killed since then.
    pub(crate) fn killed_as(&self, role: Role, since: u64) -> Vec<i32> {
        let killed = self.condemned();
        let late = killed.iter().rev().take_while(|k| k.when >= since);
        late.filter(|k| k.role == role).map(|k| k.pid).collect()
    }

    /// Whether one with this role was killed between these times.
    pub(crate) fn was_killed(&self, role: Role, from: u64, to: u64) -> bool {
        self.condemned().iter().any(|k| k.role == role && (from..=to).contains(&k.when))
    }

    fn condemned(&self) -> MutexGuard<'_, Vec<Condemned>> {
        self.killed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For people.
    pub(crate) fn name(&self) -> &str {
        &self.main.name
    }

    /// The service's half, and its logger's.
    pub(crate) fn halves(&self) -> impl Iterator<Item = &Half> {
        std::iter::once(&self.main).chain(&self.log)
    }
}

/// svscan, or its absence.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scanner {
    /// The one that runs, as far as is known.
    pub(crate) process: Option<(Process, Arc<OwnedFd>)>,
    /// How many there have been.
    pub(crate) generation: u64,
    /// When the last one was started.
    pub(crate) started: u64,
    /// Which of them was killed last.
    pub(crate) killed: u64,
}

/// A supervise that was killed and whose place is to be taken.
#[derive(Debug)]
pub(crate) struct Vacancy {
    /// The number of the service, and whether it is the logger's.
    pub(crate) service: usize,
    pub(crate) of_log: bool,
    pub(crate) since: u64,
    /// The svscan of that moment, 0 for none.
    pub(crate) generation: u64,
    /// What ran below it and was not killed.
    pub(crate) kept: Option<Process>,
}

/// Everything.
pub(crate) struct World {
    pub(crate) root: PathBuf,
    pub(crate) programs: PathBuf,
    /// Whether svscan is process 1 of a container, with a main command, and how
    /// that shows what services without a logger write.
    pub(crate) container: bool,
    pub(crate) showing: Option<Showing>,
    /// Where svscan writes in a container, until it has it.
    pub(crate) mouth: Mutex<Option<OwnedFd>>,
    place: OnceLock<Place>,
    pub(crate) services: Vec<Service>,
    pub(crate) report: Report,
    pub(crate) reaper: Reaper,
    /// The killing is over.
    pub(crate) mercy: Bell,
    /// Everything is over, or is to be.
    pub(crate) over: Bell,
    /// There is something for the watcher.
    pub(crate) news: Bell,
    /// Whether svscan may end now.
    pub(crate) ending: AtomicBool,
    /// When it was told to, 0 before.
    pub(crate) ended: AtomicU64,
    scanner: Mutex<Scanner>,
    vacancies: Mutex<Vec<Vacancy>>,
}

impl World {
    pub(crate) fn new(
        root: PathBuf,
        programs: PathBuf,
        showing: Option<Showing>,
        services: Vec<Service>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            root,
            programs,
            container: showing.is_some(),
            showing,
            mouth: Mutex::default(),
            place: OnceLock::new(),
            services,
            report: Report::new(),
            reaper: Reaper::new(),
            mercy: Bell::new()?,
            over: Bell::new()?,
            news: Bell::new()?,
            ending: AtomicBool::new(false),
            ended: AtomicU64::new(0),
            scanner: Mutex::new(Scanner::default()),
            vacancies: Mutex::new(Vec::new()),
        })
    }

    /// Where the processes are, and what their numbers mean.
    pub(crate) fn place(&self) -> Place {
        self.place.get().copied().unwrap_or_default()
    }

    /// They are in the container whose process 1 this is.
    pub(crate) fn settle_in(&self, first: &Process) {
        let _ = self.place.set(Place::Inside(first.pid));
    }

    pub(crate) fn scanner(&self) -> MutexGuard<'_, Scanner> {
        self.scanner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The generation of the svscan that runs, 0 for none.
    pub(crate) fn generation(&self) -> u64 {
        let scanner = self.scanner();
        let runs = scanner.process.is_some() && scanner.killed != scanner.generation;
        if runs { scanner.generation } else { 0 }
    }

    /// When everything was told to end, if it was.
    pub(crate) fn ending(&self) -> Option<u64> {
        Some(self.ended.load(Ordering::SeqCst)).filter(|at| *at > 0)
    }

    /// A place is vacant. One that was vacant before is it anew.
    pub(crate) fn vacate(&self, vacancy: Vacancy) {
        let mut vacancies = self.vacancies();
        vacancies.retain(|v| (v.service, v.of_log) != (vacancy.service, vacancy.of_log));
        vacancies.push(vacancy);
        drop(vacancies);
        self.news.ring();
    }

    pub(crate) fn vacancies(&self) -> MutexGuard<'_, Vec<Vacancy>> {
        self.vacancies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
