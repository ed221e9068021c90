//! The killer: strikes with SIGKILL, again and again, until the killing is
//! over. Says before each stroke whom it hits, so that nobody else is blamed.

use crate::failure::{Context, Failure};
use crate::moves::{Cast, Move, Role};
use crate::options::Options;
use crate::processes::{Process, works_in};
use crate::random::Random;
use crate::status::Status;
use crate::wait::{MILLISECOND, SECOND, first, now, patient};
use crate::world::{Half, Vacancy, World};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::inotify;
use rustix::process::{Signal, pidfd_send_signal};
use std::sync::Arc;

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
        let service = usize::try_from(self.random.below(services)).unwrap_or(0);
        match what {
            Move::AgainAndAgain => self.again_and_again(service),
            Move::BehindItsBack => self.behind_its_back(service),
            Move::Scanner
            | Move::Supervise
            | Move::LogSupervise
            | Move::Logger
            | Move::Service
            | Move::ScannerAndSupervise
            | Move::LoggerAndItsSupervise
            | Move::BothSupervises
            | Move::AllAround => self.strike(service, what.roles()).map(drop),
        }
    }

    /// Kills a supervise, and the next one when it begins to do something.
    fn again_and_again(&mut self, service: usize) -> Result<(), Failure> {
        let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
        let notices = inotify::init(flags).unable("watch a directory")?;
        let what = inotify::WatchFlags::OPEN | inotify::WatchFlags::MOVED_TO;
        let dir = self.world.services[service].main.dir.join("supervise");
        inotify::add_watch(&notices, &dir, what).unable("watch a directory")?;
        for _ in 0..2 + self.random.below(5) {
            let mut room = [0; 4096];
            while rustix::io::read(&notices, &mut room).is_ok() {}
            if !self.strike(service, Move::AgainAndAgain.roles())? {
                return Ok(());
            }
            let bells = [self.world.mercy.as_fd(), self.world.over.as_fd(), notices.as_fd()];
            if first(&bells, now() + BACK)? != Some(2) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Kills a service whose supervise cannot see it yet.
    fn behind_its_back(&mut self, service: usize) -> Result<(), Failure> {
        let cast = Cast::now(self.world)?;
        let Some(supervise) = cast.get(service, Role::Supervise) else { return Ok(()) };
        let main = &self.world.services[service].main;
        main.touch();
        let Some(fd) = supervise.signal(Signal::STOP) else { return Ok(()) };
        let struck = self.strike(service, &[Role::Service]);
        let pause = self.random.milliseconds(0, 300);
        let slept = self.stopped(now() + pause);
        main.touch();
        let _ = pidfd_send_signal(&fd, Signal::CONT);
        struck.and(slept).map(drop)
    }

    /// Kills those of a service that have these roles, all at once; answers
    /// whether anybody was there.
    fn strike(&mut self, service: usize, roles: &[Role]) -> Result<bool, Failure> {
        let cast = Cast::now(self.world)?;
        let victims: Vec<Victim> =
            roles.iter().filter_map(|&role| self.victim(&cast, service, role)).collect();
        let kept: Vec<Option<Process>> = victims.iter().map(|v| self.kept(v, &victims)).collect();
        for victim in &victims {
            self.announce(victim);
        }
        let since = now();
        let generation = self.world.generation();
        for victim in &victims {
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
                Role::Scanner | Role::Logger | Role::Service => continue,
            };
            self.world.vacate(Vacancy { service, of_log, since, generation, kept });
        }
        for victim in &victims {
            if let Some(half) = self.half(victim) {
                half.touch();
            }
        }
        Ok(!victims.is_empty())
    }

    fn victim(&self, cast: &Cast, service: usize, role: Role) -> Option<Victim> {
        let (process, fd) = match role {
            Role::Scanner => self.world.scanner().process.clone()?,
            Role::Supervise | Role::LogSupervise | Role::Logger | Role::Service => {
                let process = cast.get(service, role)?.clone();
                let fd = process.open()?;
                (process, Arc::new(fd))
            }
        };
        Some(Victim { role, service, process, fd })
    }

    fn half(&self, victim: &Victim) -> Option<&Half> {
        let service = &self.world.services[victim.service];
        match victim.role {
            Role::Scanner => None,
            Role::Supervise | Role::Service => Some(&service.main),
            Role::LogSupervise | Role::Logger => service.log.as_ref(),
        }
    }

    fn announce(&self, victim: &Victim) {
        if let Some(half) = self.half(victim) {
            half.touch();
        }
        match victim.role {
            Role::Service => self.world.services[victim.service].condemn(victim.process.pid),
            Role::Scanner => {
                let mut scanner = self.world.scanner();
                scanner.killed = scanner.generation;
            }
            Role::Supervise | Role::LogSupervise | Role::Logger => {}
        }
    }

    /// What runs below a supervise and is not killed with it.
    fn kept(&self, victim: &Victim, victims: &[Victim]) -> Option<Process> {
        if !matches!(victim.role, Role::Supervise | Role::LogSupervise) {
            return None;
        }
        let half = self.half(victim)?;
        let pid = Status::read(&half.dir)?.pid;
        let process = Process::find(pid).filter(Process::is_alive)?;
        let dies_too = victims.iter().any(|v| v.process.pid == pid);
        (!dies_too && works_in(&process, &half.dir)).then_some(process)
    }
}
