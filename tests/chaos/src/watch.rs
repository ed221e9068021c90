//! The watcher: goes round all services again and again, hears what they tell,
//! sends what is due, looks whether all is as it should be.

use crate::control::{Account, Sight, Stage, TURN};
use crate::events::What;
use crate::judges::{Judge, Scene};
use crate::kinds::Kind;
use crate::order::{Going, Order, Seen, lacks};
use crate::owners::Owners;
use crate::random::Random;
use crate::states::{Look, State};
use crate::status::{NEEDING, Status, is_supervised};
use crate::story::Story;
use crate::takeover::Returning;
use crate::world::{Half, Service, World};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::inotify;
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::processes::Process;
use upkeep_outside::wait::{first, now};

/// What is known of one service.
struct Watched {
    story: Story,
    account: Account,
    main: State,
    log: State,
    judge: Judge,
    /// Who keeps the service, and who its logger.
    owners: [Option<i32>; 2],
}

/// What is known of all.
pub(crate) struct Watcher<'a> {
    world: &'a World,
    watched: Vec<Watched>,
    order: Order,
    /// All, at the beginning of the turn.
    seen: Vec<Seen>,
    random: Random,
    notices: OwnedFd,
    returning: Returning,
    last: u64,
    pub(crate) stage: Stage,
}

impl<'a> Watcher<'a> {
    pub(crate) fn new(world: &'a World, seed: u64) -> Result<Self, Failure> {
        let mut random = Random::new(seed, 4);
        let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
        let notices = inotify::init(flags).unable("watch directories")?;
        // A supervise is there when it opens `ok`.
        let what = inotify::WatchFlags::OPEN | inotify::WatchFlags::MOVED_TO;
        let mut watched = Vec::new();
        for service in &world.services {
            for half in service.halves() {
                inotify::add_watch(&notices, half.dir.join("supervise"), what)
                    .unable(format_args!("watch {}", half.name))?;
            }
            watched.push(Watched {
                story: Story::new(service)?,
                account: Account::new(service.make.kind, service.ties.called, &mut random),
                main: State::default(),
                log: State::default(),
                judge: Judge::new(service.make.kind),
                owners: [None; 2],
            });
        }
        let (returning, stage) = (Returning::default(), Stage::Resting);
        let (order, seen) = (Order::new(watched.len()), Vec::new());
        Ok(Self { world, watched, order, seen, random, notices, returning, last: now(), stage })
    }

    /// Goes round until that time, or until everything is over.
    pub(crate) fn watch(&mut self, until: u64) -> Result<(), Failure> {
        while now() < until && !self.world.over.rings()? {
            self.turn()?;
        }
        Ok(())
    }

    /// Goes round until everything is as it should be; what is not at that
    /// time is told. Answers whether it was before everything was over.
    pub(crate) fn settle(&mut self, until: u64) -> Result<bool, Failure> {
        while now() < until {
            if self.world.over.rings()? {
                return Ok(false);
            }
            self.turn()?;
            if self.unsettled().is_empty() && self.world.generation() != 0 {
                return Ok(true);
            }
        }
        for (name, why) in self.unsettled() {
            self.world.report.violation(&name, &format!("does not settle: {why}"));
        }
        Ok(true)
    }

    fn unsettled(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for (watched, service) in self.watched.iter().zip(&self.world.services) {
            for (half, state) in service.halves().zip([&watched.main, &watched.log]) {
                all.extend(state.wrong().map(|wrong| (half.name.clone(), wrong.words())));
            }
            if !watched.account.is_settled(service.make.kind, self.stage) {
                let why = format!("it is still {:?}", watched.account.want);
                all.push((service.name().to_owned(), why));
            }
        }
        all
    }

    /// Once round, then waits for the next turn, and answers meanwhile to what
    /// cannot wait.
    fn turn(&mut self) -> Result<(), Failure> {
        let begun = now();
        // While this program was held up itself nobody is to blame.
        let passed = (begun - self.last).min(2 * TURN);
        self.last = begun;
        let passed = if self.world.generation() == 0 { 0 } else { passed };
        self.seen = self.world.services.iter().map(seen).collect();
        for n in 0..self.watched.len() {
            self.look(n, passed);
        }
        let watched = &self.watched;
        let goings = |n| goings(n, watched, self.world);
        self.order.judge(begun, &goings, self.world.ending(), self.world);
        let owners = Owners::now(self.world.place());
        for (watched, service) in self.watched.iter_mut().zip(&self.world.services) {
            for (half, owner) in service.halves().zip(&mut watched.owners) {
                owners.look(owner, half, service, self.world);
            }
        }
        loop {
            self.returning.look(self.world);
            let fds = [self.notices.as_fd(), self.world.news.as_fd(), self.world.over.as_fd()];
            match first(&fds, begun + TURN)? {
                Some(0) => {
                    let mut room = [0; 4096];
                    while rustix::io::read(&self.notices, &mut room).is_ok() {}
                }
                Some(1) => drop(self.world.news.silence()),
                Some(_) | None => return Ok(()),
            }
            if begun + TURN <= now() {
                return Ok(());
            }
        }
    }

    fn look(&mut self, n: usize, passed: u64) {
        let world = self.world;
        let service = &world.services[n];
        let goings = goings(n, &self.watched, world);
        let lacks = lacks(&service.ties, &self.seen);
        let calls = |m: usize| {
            let said = self.seen[m].status.is_some_and(|s| s.own.calls);
            said || self.watched[m].account.may_call()
        };
        let may_go = !service.ties.callers.iter().any(|&m| calls(m));
        let watched = &mut self.watched[n];
        let begun = now();
        let supervised = is_supervised(&service.main.dir);
        let status = Status::read(&service.main.dir);
        hear(n, watched, &mut self.order, &goings, world, true);
        let process = named(status, world);
        let runs = watched.story.alive();
        let seen = (status, runs.is_some());
        self.order.look(n, seen, begun, watched.account.other, world);
        let want = watched.account.certain();
        let group = service.make.kind == Kind::Group;
        let look = Look { supervised, status, process: process.as_ref(), runs, lacks, group, want };
        watched.main.look(&look, &service.main, passed, &world.report);
        if let Some(log) = &service.log {
            look_at_logger(&mut watched.log, log, passed, world);
        }
        let waits = lacks && status.is_some_and(|s| s.own.stage == NEEDING);
        let passed = if waits { 0 } else { passed };
        let story = &watched.story;
        let process = process.as_ref();
        let sight = Sight { service, story, status, process, passed, waits, may_go };
        let scene = scene(&watched.account, &goings, service, world);
        watched.judge.look(&sight, &scene);
        if watched.account.step(&sight, self.stage, &mut self.random, world) {
            for &m in &service.ties.calls {
                self.watched[m].account.call();
            }
        }
    }

    /// Hears what was told last. `blames`: what should not have happened is a
    /// violation, as long as it is not this program that ends everything.
    pub(crate) fn hear(&mut self, blames: bool) {
        for n in 0..self.watched.len() {
            let goings = goings(n, &self.watched, self.world);
            hear(n, &mut self.watched[n], &mut self.order, &goings, self.world, blames);
        }
    }

    /// Everything has ended as it should.
    pub(crate) fn conclude(&mut self) {
        let (watched, world) = (&self.watched, self.world);
        let goings = |n| goings(n, watched, world);
        self.order.judge(u64::MAX, &goings, world.ending(), world);
        for (n, (watched, service)) in watched.iter().zip(&world.services).enumerate() {
            watched.judge.conclude(&scene(&watched.account, &goings(n), service, world));
        }
    }

    /// Their stories.
    pub(crate) fn stories(&self) -> impl Iterator<Item = &Story> {
        self.watched.iter().map(|w| &w.story)
    }
}

/// What a service is at this moment.
fn seen(service: &Service) -> Seen {
    let dir = &service.main.dir;
    Seen { supervised: is_supervised(dir), status: Status::read(dir) }
}

/// The letters that may have had a service go: its own, and those to what it
/// needs.
fn goings(n: usize, watched: &[Watched], world: &World) -> Vec<Going> {
    let all = world.services[n].ties.rests_on.iter().chain([&n]);
    all.flat_map(|&m| watched[m].account.goings.iter().copied()).collect()
}

/// When a service was last sent a letter that may end its process.
fn letter(account: &Account, goings: &[Going]) -> u64 {
    goings.iter().map(|g| g.sent).chain([account.lethal]).max().unwrap_or(0)
}

fn hear(
    n: usize,
    watched: &mut Watched,
    order: &mut Order,
    goings: &[Going],
    world: &World,
    blames: bool,
) {
    let service = &world.services[n];
    let letter = letter(&watched.account, goings);
    let report = blames.then_some(&world.report);
    while let Some(event) = watched.story.go_on(service, world.place(), letter, report) {
        let started = matches!(event.what, What::Start { .. });
        let unwanted = started && watched.account.started(event.when);
        if !blames {
            continue;
        }
        if unwanted {
            let facts = format!("{} was started, though it is to stay down", event.pid);
            world.report.violation(service.name(), &facts);
        }
        order.hear(n, &event, watched.account.other, world);
        watched.judge.hear(&event, &scene(&watched.account, goings, service, world));
    }
}

/// What its judge has to know.
fn scene<'a>(
    account: &Account,
    goings: &'a [Going],
    service: &'a Service,
    world: &'a World,
) -> Scene<'a> {
    Scene {
        service,
        letter: letter(account, goings),
        goings,
        sendings: account.sendings,
        ending: world.ending(),
        report: &world.report,
    }
}

fn look_at_logger(state: &mut State, log: &Half, passed: u64, world: &World) {
    let supervised = is_supervised(&log.dir);
    let status = Status::read(&log.dir);
    let process = named(status, world);
    let want = Some(crate::control::Want::Up);
    let look = Look {
        supervised,
        status,
        process: process.as_ref(),
        runs: None,
        lacks: false,
        group: false,
        want,
    };
    state.look(&look, log, passed, &world.report);
}

/// The process that a status names, if it lives.
fn named(status: Option<Status>, world: &World) -> Option<Process> {
    world.place().find(status?.pid).filter(Process::is_alive)
}
