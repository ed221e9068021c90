//! Who is killed together with whom, and who at all: the cast of processes as
//! it is at one moment.

use crate::files;
use crate::processes;
use crate::random::Random;
use crate::world::World;
use std::collections::HashMap;
use std::path::PathBuf;
use upkeep_outside::failure::Failure;
use upkeep_outside::processes::Process;

/// What the killer does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    Scanner,
    Supervise,
    LogSupervise,
    Logger,
    Service,
    /// At the same instant, as the next three.
    ScannerAndSupervise,
    LoggerAndItsSupervise,
    BothSupervises,
    /// Whatever keeps a service and its log.
    AllAround,
    /// One supervise, as soon as it is back, several times.
    AgainAndAgain,
    /// The service, while its supervise is stopped.
    BehindItsBack,
    /// The logger, just when it writes or ends a log.
    LoggerAtWork,
    /// The service, and its supervise when it does something about it.
    SuperviseAtWork,
    /// The service, and its `finish`, its supervise or both when that runs.
    FinishAtWork,
    /// The supervise of a service that others wait for, just when it writes down
    /// that they need not any more.
    NeededAtWork,
    Holder,
    /// Whatever keeps a service and its log where svscan cannot be killed.
    AllButScanner,
    /// What shows the lines of services without a logger, or logs them.
    Lines,
    CatchAll,
    /// At the same instant, as the next one.
    LinesAndCatchAll,
    AllThatHoldLines,
    /// Either, just when something was shown or logged.
    LinesAtWork,
    CatchAllAtWork,
}

/// Each with how likely it is.
const MOVES: [(Move, u64); 23] = [
    (Move::Scanner, 6),
    (Move::Supervise, 24),
    (Move::LogSupervise, 12),
    (Move::Logger, 18),
    (Move::Service, 6),
    (Move::ScannerAndSupervise, 4),
    (Move::LoggerAndItsSupervise, 8),
    (Move::BothSupervises, 5),
    (Move::AllAround, 4),
    (Move::AgainAndAgain, 5),
    (Move::BehindItsBack, 4),
    (Move::LoggerAtWork, 12),
    (Move::SuperviseAtWork, 6),
    (Move::FinishAtWork, 8),
    (Move::NeededAtWork, 10),
    (Move::Holder, 4),
    (Move::AllButScanner, 6),
    (Move::Lines, 6),
    (Move::CatchAll, 6),
    (Move::LinesAndCatchAll, 4),
    (Move::AllThatHoldLines, 4),
    (Move::LinesAtWork, 8),
    (Move::CatchAllAtWork, 6),
];

impl Move {
    /// One that kills nobody but `victims`.
    pub(crate) fn choose(random: &mut Random, victims: &[Role]) -> Option<Self> {
        let may = |m: Self| m.roles().iter().all(|r| victims.contains(r));
        let weights = MOVES.map(|(m, weight)| if may(m) { weight } else { 0 });
        Some(MOVES[random.weighted(&weights)].0).filter(|&m| may(m))
    }

    /// Who is killed.
    pub(crate) const fn roles(self) -> &'static [Role] {
        use Role::{
            CatchAll, Finish, Holder, Lines, LogSupervise, Logger, Scanner, Service, Supervise,
        };
        match self {
            Self::Scanner => &[Scanner],
            Self::Supervise | Self::AgainAndAgain | Self::NeededAtWork => &[Supervise],
            Self::LogSupervise => &[LogSupervise],
            Self::Logger | Self::LoggerAtWork => &[Logger],
            Self::Service | Self::BehindItsBack => &[Service],
            Self::ScannerAndSupervise => &[Scanner, Supervise],
            Self::LoggerAndItsSupervise => &[Logger, LogSupervise],
            Self::BothSupervises => &[Supervise, LogSupervise],
            Self::SuperviseAtWork => &[Service, Supervise],
            Self::FinishAtWork => &[Service, Finish, Supervise],
            Self::AllAround => &[Scanner, Supervise, LogSupervise, Logger],
            Self::Holder => &[Holder],
            Self::AllButScanner => &[Holder, Supervise, LogSupervise, Logger],
            Self::Lines | Self::LinesAtWork => &[Lines],
            Self::CatchAll | Self::CatchAllAtWork => &[CatchAll],
            Self::LinesAndCatchAll => &[Lines, CatchAll],
            Self::AllThatHoldLines => &[Lines, Holder, Supervise],
        }
    }
}

/// What a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    Scanner,
    Holder,
    Supervise,
    LogSupervise,
    Logger,
    Service,
    Finish,
    Lines,
    CatchAll,
}

impl Role {
    /// Everybody.
    pub(crate) const ALL: [Self; 9] = [
        Self::Scanner,
        Self::Holder,
        Self::Supervise,
        Self::LogSupervise,
        Self::Logger,
        Self::Service,
        Self::Finish,
        Self::Lines,
        Self::CatchAll,
    ];

    /// Those who are killed where nobody says who is. svscan holds what svhold
    /// does: either can be spared, not both; and in a container svscan is the
    /// one that its end would be everybody's.
    pub(crate) fn usual(container: bool) -> Vec<Self> {
        let is = |role: &Self| role.is_there(container) && (container || *role != Self::Holder);
        Self::ALL.into_iter().filter(is).collect()
    }

    /// Whether it can be killed there.
    pub(crate) const fn is_there(self, container: bool) -> bool {
        match self {
            Self::Scanner => !container,
            Self::Lines | Self::CatchAll => container,
            Self::Holder
            | Self::Supervise
            | Self::LogSupervise
            | Self::Logger
            | Self::Service
            | Self::Finish => true,
        }
    }

    /// Whether it is there once, and not for each service.
    pub(crate) const fn is_single(self) -> bool {
        matches!(self, Self::Scanner | Self::Holder | Self::Lines | Self::CatchAll)
    }

    /// For people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Scanner => "svscan",
            Self::Holder => "svhold",
            Self::Supervise => "supervise",
            Self::LogSupervise => "log-supervise",
            Self::Logger => "multilog",
            Self::Service => "service",
            Self::Finish => "finish",
            Self::Lines => "svlines",
            Self::CatchAll => "log-of-all",
        }
    }
}

/// Whose svhold is, and the others that are there once.
const NOBODY: usize = usize::MAX;

/// Who plays what. svscan is known without looking.
pub(crate) struct Cast(HashMap<(usize, Role), Vec<Process>>);

impl Cast {
    /// The cast of this moment.
    pub(crate) fn now(world: &World) -> Result<Self, Failure> {
        let mut places: HashMap<PathBuf, (usize, bool)> = HashMap::new();
        for (n, service) in world.services.iter().enumerate() {
            places.insert(service.main.dir.clone(), (n, false));
            places.extend(service.log.iter().map(|log| (log.dir.clone(), (n, true))));
        }
        let (scan, all) = (world.root.join(files::SCAN), world.root.join(files::ALL));
        let mut cast: HashMap<(usize, Role), Vec<Process>> = HashMap::new();
        for process in processes::below(world.place())? {
            if processes::is_about_to_be_another(&process) {
                continue;
            }
            let is_all = || processes::last_argument(&process).is_some_and(|a| all.ends_with(a));
            let single = match process.name.as_str() {
                "svhold" => Some(Role::Holder),
                "svlines" => Some(Role::Lines),
                "multilog" if is_all() => Some(Role::CatchAll),
                _ => None,
            };
            if let Some(role) = single {
                cast.entry((NOBODY, role)).or_default().push(process);
                continue;
            }
            let Some(mut dir) = processes::directory(&process) else { continue };
            let supervise = process.name == "supervise";
            if supervise && let Some(argument) = processes::last_argument(&process) {
                // It may not have gone to its directory yet.
                if dir == scan || argument == "log" && !dir.ends_with("log") {
                    dir.push(argument);
                }
            }
            let Some(&(service, of_log)) = places.get(&dir) else { continue };
            let role = match (process.name.as_str(), of_log) {
                ("supervise", false) => Role::Supervise,
                ("supervise", true) => Role::LogSupervise,
                ("multilog" | "sh", true) => Role::Logger,
                ("run" | "service" | "sh" | "up", false) => Role::Service,
                ("finish" | "down", false) => Role::Finish,
                _ => continue,
            };
            cast.entry((service, role)).or_default().push(process);
        }
        Ok(Self(cast))
    }

    /// Somebody with this role, if there is one.
    pub(crate) fn get(&self, service: usize, role: Role) -> Option<&Process> {
        let service = if role.is_single() { NOBODY } else { service };
        self.0.get(&(service, role))?.first()
    }
}
