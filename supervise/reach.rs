//! Whom a stop reaches: the service's process, its process group, or all that
//! descends from it.

use crate::supervise::health;
use crate::supervise::keep::TOOL;
use crate::supervise::policy;
use crate::supervise::process::name_of;
use crate::supervise::watch::Watch;
use core::ffi::CStr;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::process::{Pid, Signal};
use upkeep_core::control;
use upkeep_core::dialect::Dialect;
use upkeep_core::kill_mode::KillMode;
use upkeep_core::supervise::{Before, Kind, Plan, ReadyBy};
use upkeep_family::{Enter, Family, Kin, Left, Spared};
use upkeep_servicedir::names::LOG;
use upkeep_servicedir::{FactTrouble, Facts, Trail, has_finish, has_stop, timeout_finish};
use upkeep_sys::spawn::Apart;

const MILLISECOND: u64 = 1_000_000;
/// How long a whole tree may take to end when the directory does not say.
const TREE: u64 = 5000 * MILLISECOND;
/// How many milliseconds a service is looked for when the directory does not
/// say.
const FOLLOW: u64 = 10_000;

/// What the directory says, and the tree if that is what is to be reached.
pub(crate) struct Reach {
    facts: Facts,
    dialect: Dialect,
    mode: KillMode,
    family: Option<Family>,
    /// Those among whom the service is that `run` has left behind.
    kin: Option<Kin>,
    down: Signal,
    reload: Signal,
    /// Whether the whole group is killed when time is up.
    late_group: bool,
    /// Whether there are scripts that stand in for signals.
    scripts: bool,
    /// Where what is started is.
    apart: Apart,
    /// Whether it was said already that something cannot be reached.
    said: bool,
}

impl Reach {
    pub(crate) const fn new() -> Self {
        Self {
            facts: Facts::UNKNOWN,
            dialect: Dialect::Daemontools,
            mode: KillMode::Process,
            family: None,
            kin: None,
            down: Signal::TERM,
            reload: Signal::HUP,
            late_group: false,
            scripts: false,
            apart: Apart::Session,
            said: false,
        }
    }

    /// Reads what the directory says now, for the process that is about to be
    /// started or was found.
    pub(crate) fn read(&mut self, dir: &CStr) -> Plan {
        let facts = Facts::look();
        self.facts = facts;
        let said = facts.dialect().unwrap_or_else(|trouble| {
            complain(dir, b"dialect", b"guessing", trouble);
            None
        });
        self.dialect = said.unwrap_or_else(|| facts.guess());
        self.mode = facts.kill_mode().unwrap_or_else(|trouble| {
            complain(dir, b"kill-mode", b"using process", trouble);
            KillMode::default()
        });
        let timeout = facts.timeout_kill().unwrap_or_else(|trouble| {
            complain(dir, b"timeout-kill", b"using the default", trouble);
            None
        });
        let known = |number: Option<u8>| Signal::from_named_raw(i32::from(number?));
        self.down = facts.down_signal().map(known).map_or_else(
            |trouble| {
                complain(dir, b"down-signal", b"using TERM", trouble);
                Signal::TERM
            },
            |signal| signal.unwrap_or(Signal::TERM),
        );
        self.reload = facts.reload_signal().map(known).map_or_else(
            |trouble| {
                complain(dir, b"reload-signal", b"using HUP", trouble);
                Signal::HUP
            },
            |signal| signal.unwrap_or(Signal::HUP),
        );
        self.late_group = facts.kills_group();
        self.apart = match facts.keeps_session() {
            false => Apart::Session,
            // What is to be reached as a group has to be one.
            true if self.mode == KillMode::Group || self.late_group => Apart::Group,
            true => Apart::Not,
        };
        self.said = false;
        let clears = self.mode == KillMode::Tree;
        if !clears {
            self.family = None;
        } else if self.family.is_none() {
            self.family = Family::open()
                .inspect_err(|why| {
                    let name = dir.to_bytes();
                    TOOL.warn_os(&[b"unable to find all of ", name, b" when it ends: "], *why);
                })
                .ok();
        }
        let follow_within = self.read_follow(dir);
        let default = if clears { TREE } else { 0 };
        let kill_after = timeout.map_or(default, |ms| ms * MILLISECOND);
        let is_logger = name_of(dir).to_bytes() == LOG.to_bytes();
        self.scripts = facts.has_scripts() && !is_logger;
        let kind = facts.kind().unwrap_or_else(|trouble| {
            complain(dir, b"type", b"using longrun", trouble);
            Kind::Lasting
        });
        let restart = policy::read(&facts, kind, self.dialect, dir);
        let before = if is_logger { Before::Nothing } else { facts.before(self.dialect) };
        let oneshot = kind == Kind::Oneshot;
        let plan = Plan {
            kind,
            clears,
            kill_after,
            exit_ends: self.scripts,
            follow_within: if oneshot { 0 } else { follow_within },
            before,
            stops: self.has_stop(kind),
            restart,
            ..Plan::default()
        };
        let plan = health::read(&facts, dir, plan);
        // One that has done what there was to do is ready by that.
        Plan { ready: if oneshot { ReadyBy::End } else { plan.ready }, ..plan }
    }

    /// How long the service is looked for that `run` leaves behind.
    #[inline(never)]
    fn read_follow(&mut self, dir: &CStr) -> u64 {
        let follows = self.trail(dir).is_some();
        self.kin = Some(()).filter(|()| follows).and_then(|()| {
            let complain = |why: &Errno| {
                let name = dir.to_bytes();
                TOOL.warn_os(&[b"unable to follow ", name, b" into the background: "], *why);
            };
            Kin::gather().inspect_err(complain).ok()
        });
        if self.kin.is_none() {
            return 0;
        }
        let within = self.facts.timeout_follow().unwrap_or_else(|trouble| {
            complain(dir, b"timeout-follow", b"using 10000", trouble);
            None
        });
        within.unwrap_or(FOLLOW) * MILLISECOND
    }

    /// How that is found.
    pub(crate) fn trail(&self, dir: &CStr) -> Option<Trail> {
        self.facts.follow().unwrap_or_else(|trouble| {
            complain(dir, b"follow", b"following nobody", trouble);
            None
        })
    }

    /// Those among whom it is.
    pub(crate) const fn kin(&self) -> Option<&Kin> {
        self.kin.as_ref()
    }

    /// Another supervise has started them.
    pub(crate) fn expect_strangers(&mut self) {
        if let Some(kin) = &mut self.kin {
            kin.expect_strangers();
        }
    }

    /// What there was to be read.
    pub(crate) const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Whether there are scripts that stand in for signals. In runit a logger
    /// has none.
    pub(crate) const fn has_scripts(&self) -> bool {
        self.scripts
    }

    /// These children are none of the service's.
    pub(crate) const fn spare(&mut self, children: Spared) {
        if let Some(family) = &mut self.family {
            family.spare(children);
        }
    }

    /// For which suite the directory was written.
    pub(crate) const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How far what is started is from this process.
    pub(crate) const fn apart(&self) -> Apart {
        self.apart
    }

    /// Whether something is to run when the service is down for good.
    pub(crate) fn has_stop(&self, kind: Kind) -> bool {
        match kind {
            Kind::Lasting => self.dialect == Dialect::Encore && has_stop(),
            Kind::Oneshot => self.facts.task().1.is_some(),
            Kind::Group => false,
        }
    }

    /// Whether there is nothing to run but others that are needed.
    pub(crate) fn may_be_group(&self) -> bool {
        self.facts.kind() == Ok(Kind::Group)
    }

    /// How long `finish` may take, in nanoseconds and 0 for as long as it
    /// likes, if there is one.
    pub(crate) fn finish(&mut self, dir: &CStr) -> Option<u64> {
        if !has_finish() {
            return None;
        }
        // In s6 it is five seconds, in runit there is no limit.
        self.dialect = Facts::look().spoken();
        let default = if self.dialect == Dialect::S6 { 5000 } else { 0 };
        let timeout = timeout_finish().unwrap_or_else(|trouble| {
            complain(dir, b"timeout-finish", b"using the default", trouble);
            None
        });
        Some(timeout.unwrap_or(default) * MILLISECOND)
    }

    /// A process that another supervise has started.
    pub(crate) fn adopt(&mut self, pid: u32) {
        if let (Some(family), Some(pid)) = (&mut self.family, Pid::from_raw(pid.cast_signed())) {
            family.adopt(pid);
        }
    }

    /// What makes the next process one of the family, and what it has in its
    /// environment.
    pub(crate) fn enter(&mut self) -> (Option<Enter<'_>>, Option<&CStr>) {
        let kin = self.kin.as_ref().map(Kin::marker);
        match self.family.as_mut().map(Family::enter) {
            Some(Enter::Marker(marker)) => (Some(Enter::Marker(marker)), Some(marker)),
            enter => (enter, kin),
        }
    }

    /// Sends a signal. Those that end it go to all whom the mode reaches, and
    /// so does what lets them see it; the others are for the process. Says
    /// whether it is the one that asks it to end.
    pub(crate) fn signal(&mut self, watch: &Watch, signal: control::Signal, whole: bool) -> bool {
        use control::Signal::{Continue, Down, Kill, Terminate};
        let ends = matches!(signal, Down | Terminate | Kill | Continue);
        let signal = self.number(signal);
        match (self.mode, &mut self.family) {
            // It was asked for, and the tree is more than that.
            (KillMode::Process | KillMode::Group, _) if whole => watch.signal_group(signal),
            (KillMode::Tree, None) if whole => watch.signal_group(signal),
            (KillMode::Tree, Some(_)) if whole && !ends => watch.signal_group(signal),
            (KillMode::Tree, Some(family)) if ends => {
                let service = watch.living();
                if signal == Signal::KILL {
                    let _ = family.kill_all(service);
                    // Also where it has left the tree.
                    watch.signal(signal);
                } else {
                    family.signal(service, signal);
                }
            }
            (KillMode::Group, _) if ends => watch.signal_group(signal),
            (KillMode::Process | KillMode::Group | KillMode::Tree, _) => watch.signal(signal),
        }
        signal == Signal::TERM
    }

    /// Whether the process is known to be one of those whom it reaches.
    pub(crate) fn holds(&self, pid: Pid) -> bool {
        self.family.as_ref().is_some_and(|family| family.holds(pid))
    }

    /// Kills it, which was told to go down and has not in time, or a `finish`
    /// that takes too long.
    pub(crate) fn kill_late(&mut self, watch: &Watch, is_service: bool) {
        if is_service && self.late_group && self.mode == KillMode::Process {
            watch.signal_group(Signal::KILL);
        } else {
            self.signal(watch, control::Signal::Kill, false);
        }
    }

    /// The system's signal.
    const fn number(&self, signal: control::Signal) -> Signal {
        match signal {
            control::Signal::Abort => Signal::ABORT,
            control::Signal::Alarm => Signal::ALARM,
            control::Signal::Continue => Signal::CONT,
            control::Signal::Down => self.down,
            control::Signal::Hangup => Signal::HUP,
            control::Signal::Interrupt => Signal::INT,
            control::Signal::Kill => Signal::KILL,
            control::Signal::Quit => Signal::QUIT,
            control::Signal::Reload => self.reload,
            control::Signal::Stop => Signal::STOP,
            control::Signal::Terminate => Signal::TERM,
            control::Signal::User1 => Signal::USR1,
            control::Signal::User2 => Signal::USR2,
            control::Signal::Window => Signal::WINCH,
        }
    }

    /// Kills what is left, and says whether nothing is.
    pub(crate) fn clear(&mut self, dir: &CStr) -> bool {
        let Some(family) = &mut self.family else { return true };
        match family.kill_all(None) {
            Left::Something => return false,
            Left::OutOfReach if !self.said => {
                self.said = true;
                let name = dir.to_bytes();
                TOOL.warn(&[b"unable to end all of ", name, b": some may not be signalled"]);
            }
            Left::OutOfReach | Left::Nothing => {}
        }
        // What is still in use is used again by the next start.
        let _ = family.clear_away();
        true
    }

    /// What tells that something of what is left has ended.
    pub(crate) fn poll(&self) -> Option<PollFd<'_>> {
        let events = self.family.as_ref()?.watch()?;
        Some(PollFd::from_borrowed_fd(events, PollFlags::PRI))
    }
}

/// What cannot be read is reported, and is as if it was not there.
pub(crate) fn or_none<T>(
    dir: &CStr,
    said: Result<Option<T>, FactTrouble>,
    file: &[u8],
    default: &[u8],
) -> Option<T> {
    said.unwrap_or_else(|trouble| {
        complain(dir, file, default, trouble);
        None
    })
}

pub(crate) fn complain(dir: &CStr, file: &[u8], default: &[u8], trouble: FactTrouble) {
    let dir = dir.to_bytes();
    match trouble {
        FactTrouble::Unreadable(why) => read_trouble(dir, file, default, why),
        FactTrouble::Malformed(value) => TOOL.warn(&[
            b"unable to use ",
            dir,
            b"/",
            file,
            b", ",
            default,
            b": no such value: ",
            value.line(),
        ]),
    }
}

fn read_trouble(dir: &[u8], file: &[u8], default: &[u8], why: Errno) {
    TOOL.warn_os(&[b"unable to read ", dir, b"/", file, b", ", default, b": "], why);
}
