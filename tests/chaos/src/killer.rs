//! The killer: strikes with SIGKILL, again and again, until the killing is
//! over. Says before each stroke whom it hits, so that nobody else is blamed.

use crate::files;
use crate::kinds::Kind;
use crate::moves::{Cast, Move, Role};
use crate::options::Options;
use crate::processes::{send, works_in};
use crate::random::Random;
use crate::status::Status;
use crate::wait::patient;
use crate::world::{Half, Vacancy, World};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::inotify::{self, WatchFlags};
use rustix::process::{Signal, pidfd_send_signal};
use std::path::Path;
use std::sync::Arc;
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::processes::Process;
use upkeep_outside::wait::{MILLISECOND, SECOND, first, now};

/// How long to wait for one that is to be killed again.
const BACK: u64 = 500 * MILLISECOND;

/// Kills about as often as was asked for until `mercy` or `over` is rung.
pub(crate) fn run(world: &World, seed: u64, options: &Options) -> Result<(), Failure> {
    let mut killer = Killer { world, random: Random::new(seed, 3), victims: &options.victims };
    let gap = 2 * SECOND / options.kills_per_second;
    let mut next = now();
    loop {
        // Late strokes are left out, not made up for.
        next = now().max(next + killer.random.below(gap));
        if killer.stopped(next)? {
            return Ok(());
        }
        killer.act()?;
    }
}

struct Killer<'a> {
    world: &'a World,
    random: Random,
    victims: &'a [Role],
}

/// Somebody who is about to be killed.
struct Victim {
    role: Role,
    service: usize,
    process: Process,
    fd: Arc<OwnedFd>,
}

impl Killer<'_> {
    /// Waits for the moment, unless the killing ends before.
    fn stopped(&self, until: u64) -> Result<bool, Failure> {
        let bells = [self.world.mercy.as_fd(), self.world.over.as_fd()];
        Ok(first(&bells, until)?.is_some())
    }

    fn act(&mut self) -> Result<(), Failure> {
        let Some(what) = Move::choose(&mut self.random, self.victims) else { return Ok(()) };
        let services = u64::try_from(self.world.services.len()).unwrap_or(1);
        let any = usize::try_from(self.random.below(services)).unwrap_or(0);
        // The next one has most to know where others wait for it, or it for
        // others.
        let tied: Vec<usize> =
            (0..self.world.services.len()).filter(|&n| self.is_tied(n)).collect();
        let service = self.random.one_of(&tied).copied().filter(|_| any % 2 == 0).unwrap_or(any);
        match what {
            Move::AgainAndAgain => self.again_and_again(service),
            Move::BehindItsBack => self.behind_its_back(service),
            Move::LoggerAtWork => self.logger_at_work(service),
            Move::SuperviseAtWork => self.supervise_at_work(service),
            Move::FinishAtWork => self.finish_at_work(),
            Move::NeededAtWork => self.needed_at_work(),
            Move::LinesAtWork => self.output_at_work(files::SAID, what),
            Move::CatchAllAtWork => self.output_at_work(files::ALL, what),
            Move::Scanner
            | Move::Supervise
            | Move::LogSupervise
            | Move::Logger
            | Move::Service
            | Move::ScannerAndSupervise
            | Move::LoggerAndItsSupervise
            | Move::BothSupervises
            | Move::AllAround
            | Move::Holder
            | Move::AllButScanner
            | Move::Lines
            | Move::CatchAll
            | Move::LinesAndCatchAll
            | Move::AllThatHoldLines => self.strike(&self.aim(service, what.roles())?).map(drop),
        }
    }

    fn is_tied(&self, n: usize) -> bool {
        let ties = &self.world.services[n].ties;
        ties.is_needed() || !ties.needs.is_empty()
    }

    /// Kills a supervise, and the next one when it begins to do something.
    fn again_and_again(&mut self, service: usize) -> Result<(), Failure> {
        let what = WatchFlags::OPEN | WatchFlags::MOVED_TO;
        let notices = notices(&self.world.services[service].main.dir.join("supervise"), what)?;
        for _ in 0..2 + self.random.below(5) {
            let until = now() + BACK;
            silence(&notices);
            while !self.strike(&self.aim(service, Move::AgainAndAgain.roles())?)? {
                // Others than supervise open files there too.
                if !self.noticed(&notices, until)? {
                    return Ok(());
                }
                silence(&notices);
            }
        }
        Ok(())
    }

    /// Kills a service whose supervise cannot see it yet.
    fn behind_its_back(&mut self, service: usize) -> Result<(), Failure> {
        let victims = self.aim(service, &[Role::Service])?;
        let cast = Cast::now(self.world)?;
        let Some(supervise) = cast.get(service, Role::Supervise) else { return Ok(()) };
        let main = &self.world.services[service].main;
        main.touch();
        let Some(fd) = send(supervise, Signal::STOP) else { return Ok(()) };
        let struck = self.strike(&victims);
        let pause = self.random.milliseconds(0, 300);
        let slept = self.stopped(now() + pause);
        main.touch();
        let _ = pidfd_send_signal(&fd, Signal::CONT);
        struck.and(slept).map(drop)
    }

    /// Kills a logger when it has just written, or is about to end a log.
    fn logger_at_work(&mut self, service: usize) -> Result<(), Failure> {
        let Some(log) = &self.world.services[service].log else { return Ok(()) };
        let rotation = WatchFlags::MOVED_FROM | WatchFlags::CREATE | WatchFlags::DELETE;
        let what = if self.random.once_in(2) { rotation } else { WatchFlags::MODIFY };
        let Ok(notices) = notices(&log.dir.join(files::LOGS), what) else { return Ok(()) };
        let victims = self.aim(service, Move::LoggerAtWork.roles())?;
        if self.noticed(&notices, now() + BACK)? {
            self.strike(&victims)?;
        }
        Ok(())
    }

    /// Kills a service, and its supervise when it does something about it.
    fn supervise_at_work(&mut self, service: usize) -> Result<(), Failure> {
        let what = WatchFlags::CREATE | WatchFlags::MODIFY | WatchFlags::MOVED_TO;
        let notices = notices(&self.world.services[service].main.dir.join("supervise"), what)?;
        let first = self.aim(service, &[Role::Service])?;
        let then = self.aim(service, &[Role::Supervise])?;
        if self.strike(&first)? && self.noticed(&notices, now() + BACK)? {
            self.strike(&then)?;
        }
        Ok(())
    }

    /// Kills a service that has a `finish`, and when that runs, whoever may be
    /// in the middle of it.
    fn finish_at_work(&mut self) -> Result<(), Failure> {
        let with = |n: &usize| self.world.services[*n].make.kind == Kind::Finish;
        let all: Vec<usize> = (0..self.world.services.len()).filter(with).collect();
        let Some(&service) = self.random.one_of(&all) else { return Ok(()) };
        let what = WatchFlags::CREATE | WatchFlags::MOVED_TO;
        let notices = notices(&self.world.services[service].main.dir.join("supervise"), what)?;
        let roles: &[Role] = match self.random.below(3) {
            0 => &[Role::Finish],
            1 => &[Role::Supervise],
            _ => &[Role::Supervise, Role::Finish],
        };
        self.strike(&self.aim(service, &[Role::Service])?)?;
        let until = now() + BACK;
        while self.noticed(&notices, until)? {
            silence(&notices);
            let victims = self.aim(service, roles)?;
            if victims.len() == roles.len() {
                return self.strike(&victims).map(drop);
            }
        }
        Ok(())
    }

    /// Kills the supervise of a service that is not ready, or that goes, and that
    /// others need, when it writes its record: they were not told yet.
    fn needed_at_work(&mut self) -> Result<(), Failure> {
        let moves = |n: &usize| {
            let service = &self.world.services[*n];
            let ready = || Status::read(&service.main.dir).is_some_and(|s| s.is_ready());
            service.ties.is_needed() && !ready()
        };
        let all: Vec<usize> = (0..self.world.services.len()).filter(moves).collect();
        let Some(&service) = self.random.one_of(&all) else { return Ok(()) };
        let dir = self.world.services[service].main.dir.join("supervise");
        let notices = notices(&dir, WatchFlags::MOVED_TO)?;
        let victims = self.aim(service, Move::NeededAtWork.roles())?;
        if self.noticed(&notices, now() + 2 * BACK)? {
            self.strike(&victims)?;
        }
        Ok(())
    }

    /// Kills what shows or logs lines when something in `place` was written.
    fn output_at_work(&mut self, place: &str, what: Move) -> Result<(), Failure> {
        let notices = notices(&self.world.root.join(place), WatchFlags::MODIFY)?;
        let victims = self.aim(0, what.roles())?;
        if self.noticed(&notices, now() + BACK)? {
            self.strike(&victims)?;
        }
        Ok(())
    }

    /// Waits for a notice; none if the killing ends before.
    fn noticed(&self, notices: &OwnedFd, until: u64) -> Result<bool, Failure> {
        let bells = [self.world.mercy.as_fd(), self.world.over.as_fd(), notices.as_fd()];
        Ok(first(&bells, until)? == Some(2))
    }

    /// Those of a service that have these roles.
    fn aim(&self, service: usize, roles: &[Role]) -> Result<Vec<Victim>, Failure> {
        let cast = Cast::now(self.world)?;
        Ok(roles.iter().filter_map(|&role| self.victim(&cast, service, role)).collect())
    }

    /// Kills them, all at once; answers whether anybody was there.
    fn strike(&self, victims: &[Victim]) -> Result<bool, Failure> {
        let kept: Vec<Option<Process>> = victims.iter().map(|v| self.kept(v, victims)).collect();
        for victim in victims {
            self.announce(victim);
        }
        let since = now();
        let generation = self.world.generation();
        for victim in victims {
            let _ = pidfd_send_signal(&victim.fd, Signal::KILL);
        }
        for (victim, kept) in victims.iter().zip(kept) {
            if first(&[victim.fd.as_fd()], now() + patient(30 * SECOND))?.is_none() {
                return Err(Failure::Late(format!("the end of a killed {}", victim.role.name())));
            }
            *self.world.report.figures().kills.entry(victim.role.name()).or_default() += 1;
            let of_log = match victim.role {
                Role::Supervise => false,
                Role::LogSupervise => true,
                Role::Scanner
                | Role::Holder
                | Role::Lines
                | Role::CatchAll
                | Role::Logger
                | Role::Service
                | Role::Finish => continue,
            };
            let service = victim.service;
            self.world.vacate(Vacancy { service, of_log, since, generation, kept });
        }
        for victim in victims {
            if let Some(half) = self.half(victim) {
                half.touch();
            }
        }
        Ok(!victims.is_empty())
    }

    fn victim(&self, cast: &Cast, service: usize, role: Role) -> Option<Victim> {
        let (process, fd) = match role {
            Role::Scanner => self.world.scanner().process.clone()?,
            Role::Holder
            | Role::Lines
            | Role::CatchAll
            | Role::Supervise
            | Role::LogSupervise
            | Role::Logger
            | Role::Service
            | Role::Finish => {
                let process = cast.get(service, role)?.clone();
                let fd = process.open()?;
                // It may have become another program since it was listed.
                process.place.find(process.pid).filter(|p| p.name == process.name)?;
                (process, Arc::new(fd))
            }
        };
        Some(Victim { role, service, process, fd })
    }

    fn half(&self, victim: &Victim) -> Option<&Half> {
        let service = &self.world.services[victim.service];
        match victim.role {
            Role::Scanner | Role::Holder | Role::Lines | Role::CatchAll => None,
            Role::Supervise | Role::Service | Role::Finish => Some(&service.main),
            Role::LogSupervise | Role::Logger => service.log.as_ref(),
        }
    }

    fn announce(&self, victim: &Victim) {
        if let Some(half) = self.half(victim) {
            half.touch();
        }
        let service = &self.world.services[victim.service];
        self.world.report.strike(service.name(), victim.role.name());
        match victim.role {
            Role::Scanner => {
                let mut scanner = self.world.scanner();
                scanner.killed = scanner.generation;
            }
            Role::Holder | Role::Lines | Role::CatchAll => {}
            Role::Supervise | Role::LogSupervise | Role::Logger | Role::Service | Role::Finish => {
                service.condemn(victim.process.pid, victim.role);
            }
        }
    }

    /// What runs below a supervise and is not killed with it.
    fn kept(&self, victim: &Victim, victims: &[Victim]) -> Option<Process> {
        if !matches!(victim.role, Role::Supervise | Role::LogSupervise) {
            return None;
        }
        let half = self.half(victim)?;
        let pid = Status::read(&half.dir)?.pid;
        let process = self.world.place().find(pid).filter(Process::is_alive)?;
        let dies_too = victims.iter().any(|v| v.process.pid == pid);
        (!dies_too && works_in(&process, &half.dir)).then_some(process)
    }
}

/// A descriptor that can be read when something of `what` happens in `dir`.
pub(crate) fn notices(dir: &Path, what: WatchFlags) -> Result<OwnedFd, Failure> {
    let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
    let notices = inotify::init(flags).unable("watch a directory")?;
    inotify::add_watch(&notices, dir, what).unable(format_args!("watch {}", dir.display()))?;
    Ok(notices)
}

/// Forgets what was noticed.
pub(crate) fn silence(notices: &OwnedFd) {
    let mut room = [0; 4096];
    while rustix::io::read(notices, &mut room).is_ok() {}
}
