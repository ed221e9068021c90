//! Files that say one fact each, in a word or a number.

mod asked;

pub use asked::{ASKED, Asked};

use crate::follow::Trail;
use crate::{names, place};
use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::fs::{self, Access, FileType, Mode, OFlags, RawDir, RawDirEntry};
use rustix::io::Errno;
use upkeep_core::dialect::Dialect;
use upkeep_core::kill_mode::KillMode;
use upkeep_core::restart::{Ends, Limit, When};
use upkeep_core::signals;
use upkeep_core::supervise::{Before, Kind, ReadyBy};

/// Why a fact is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactTrouble {
    /// The file could not be read.
    Unreadable(Errno),
    /// What is in it is not what it may be.
    Malformed(Value),
}

/// The beginning of what is in the file, for the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    bytes: [u8; SHOWN],
    len: usize,
}

/// The highest descriptor that a process has everywhere.
const HIGHEST: i32 = 255;
/// More than any word with a generous tail has.
const SHOWN: usize = 64;
/// More than any list that means something has.
pub(crate) const LONGEST: usize = 256;
/// The files that `Facts` looks for beside those of s6.
const FILES: [&CStr; 29] = [
    names::KILL_MODE,
    names::RESTART,
    names::RESTART_SUCCESS,
    names::RESTART_NEVER,
    names::RESTART_DELAY,
    names::RESTART_DELAY_MAX,
    names::RESTART_LIMIT,
    names::READY_BY,
    names::TIMEOUT_READY,
    names::WATCHDOG,
    names::CHECK_INTERVAL,
    names::TIMEOUT_CHECK,
    names::CHECK_FAILURES,
    names::SCRIPTS,
    names::TIMEOUT_CONTROL,
    names::FOLLOW,
    names::TIMEOUT_FOLLOW,
    names::DIALECT,
    names::CHECK,
    names::FINISH,
    names::START,
    names::STOP,
    names::TELL,
    names::NO_SETSID,
    names::LOG,
    names::NEEDS,
    names::WANTS,
    names::AFTER,
    names::DO,
];
/// So many entries are listed before the files themselves are asked for.
const ENTRIES: usize = 256;

/// What there is to be read for a process, by one look at the directory: most
/// have none of these files, and each would cost a system call.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Whether each of `FILES` may be there.
    there: [bool; FILES.len()],
    /// The same for s6's.
    of_s6: [bool; names::OF_S6.len()],
}

impl Value {
    fn of(content: &[u8]) -> Self {
        let len = content.len().min(SHOWN);
        let mut bytes = [0; SHOWN];
        bytes[..len].copy_from_slice(&content[..len]);
        Self { bytes, len }
    }

    /// The first line, or as much of it as is kept.
    #[must_use]
    pub fn line(&self) -> &[u8] {
        line(&self.bytes[..self.len])
    }
}

impl Facts {
    /// Of a directory of which nothing is known: each file is asked for.
    pub const UNKNOWN: Self =
        Self { there: [true; FILES.len()], of_s6: [true; names::OF_S6.len()] };

    /// Looks at the directory. One that cannot be listed, or that has too much
    /// in it, is one of which nothing is known.
    #[must_use]
    pub fn look() -> Self {
        let facts = Self::listed().unwrap_or(Self::UNKNOWN);
        if place::is_logger() { facts.of_logger() } else { facts }
    }

    /// Those that are said of a logger which is a file in the same directory.
    fn of_logger(mut self) -> Self {
        const BOTH: [&CStr; 4] = [names::DIALECT, names::NO_SETSID, names::TELL, names::LOG];
        for (file, there) in FILES.iter().zip(&mut self.there) {
            *there &= BOTH.contains(file);
        }
        self.of_s6 = [false; names::OF_S6.len()];
        self
    }

    fn listed() -> Option<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = fs::open(c".", flags, Mode::empty()).ok()?;
        let mut buffer = [MaybeUninit::uninit(); 1024];
        let mut entries = RawDir::new(&dir, &mut buffer);
        let mut facts = Self { there: [false; FILES.len()], of_s6: [false; names::OF_S6.len()] };
        for _ in 0..ENTRIES {
            let Some(entry) = entries.next() else { return Some(facts) };
            let entry = entry.ok()?;
            let name = entry.file_name().to_bytes();
            let is = |file: &&CStr| plain(file) == name && can_be(file, &entry);
            if let Some(at) = FILES.iter().position(is) {
                facts.there[at] = true;
            } else if let Some(at) = names::OF_S6.iter().position(is) {
                facts.of_s6[at] = true;
            }
        }
        None
    }

    /// What `kill-mode` says; without the file, the default.
    pub fn kill_mode(&self) -> Result<KillMode, FactTrouble> {
        let mode = self.parsed(names::KILL_MODE, |content| KillMode::parse(content).ok())?;
        Ok(mode.unwrap_or_default())
    }

    /// How many milliseconds `timeout-kill` says, if it is there.
    pub fn timeout_kill(&self) -> Result<Option<u64>, FactTrouble> {
        Ok(self.parsed(names::TIMEOUT_KILL, number)?.map(u64::from))
    }

    /// The descriptor that `notification-fd` names, if it is there.
    pub fn notification_fd(&self) -> Result<Option<i32>, FactTrouble> {
        self.parsed(names::NOTIFICATION_FD, descriptor)
    }

    /// Whether there is a `notification-fd`.
    #[must_use]
    pub fn may_notify(&self) -> bool {
        self.may_have(names::NOTIFICATION_FD) && exists(names::NOTIFICATION_FD)
    }

    /// The descriptor that `lock-fd` names, if it is there.
    pub fn lock_fd(&self) -> Result<Option<i32>, FactTrouble> {
        self.parsed(names::LOCK_FD, descriptor)
    }

    /// Whether a service that does not go down in time is killed with its
    /// group.
    #[must_use]
    pub fn kills_group(&self) -> bool {
        self.has(names::FLAG_TIMEOUT_KILLPG, exists)
    }

    /// Whether the service has a pid name space of its own.
    #[must_use]
    pub fn new_pid_namespace(&self) -> bool {
        self.has(names::FLAG_NEWPIDNS, exists)
    }

    /// Whether what runs gets no session of its own.
    #[must_use]
    pub fn keeps_session(&self) -> bool {
        self.has(names::NO_SETSID, exists)
    }

    /// For which suite the directory was written, if `dialect` says so.
    pub fn dialect(&self) -> Result<Option<Dialect>, FactTrouble> {
        self.parsed(names::DIALECT, Dialect::parse)
    }

    /// The same or, without a word that is of use, by the files in it: whoever
    /// reads it for a process reports that.
    #[must_use]
    pub fn spoken(&self) -> Dialect {
        self.dialect().ok().flatten().unwrap_or_else(|| self.guess())
    }

    /// For which suite it was written, by the files in it. `start` and the like
    /// are what anybody may call a script of his own, so that they come last.
    #[must_use]
    pub fn guess(&self) -> Dialect {
        let of_s6 = names::OF_S6.iter().zip(self.of_s6);
        if of_s6.into_iter().any(|(file, there)| there && exists(file)) {
            return Dialect::S6;
        }
        if self.has_tools() || self.has(names::FINISH, is_executable) {
            return Dialect::Runit;
        }
        let of_encore = [names::START, names::STOP, names::TELL, names::LOG];
        if self.has(names::NO_SETSID, exists)
            || of_encore.iter().any(|file| self.has(file, is_program))
        {
            return Dialect::Encore;
        }
        Dialect::Daemontools
    }

    /// Whether somebody may read the status in runit's words, where the
    /// directory is of this dialect: also one that is s6's in all else.
    #[must_use]
    pub fn has_readers(&self, dialect: Dialect) -> bool {
        dialect == Dialect::Runit
            || self.has_tools()
            || place::exists(names::STAT) && place::exists(names::PID)
    }

    /// Whether there is what runit's programs execute.
    fn has_tools(&self) -> bool {
        self.has(names::CHECK, exists) || self.has_scripts()
    }

    fn has(&self, file: &CStr, is: fn(&CStr) -> bool) -> bool {
        self.may_have(file) && is(file)
    }

    /// What runs before the process, in a directory of this dialect.
    #[must_use]
    pub fn before(&self, dialect: Dialect) -> Before {
        match dialect {
            Dialect::Encore if self.has(names::START, is_program) => Before::First,
            Dialect::Runit if self.has_scripts() && is_executable(names::UP) => Before::Always,
            Dialect::Daemontools | Dialect::Encore | Dialect::Runit | Dialect::S6 => {
                Before::Nothing
            }
        }
    }

    /// What the service is: as `type` says, or by what there is to run.
    pub fn kind(&self) -> Result<Kind, FactTrouble> {
        if let Some(kind) = self.parsed(names::TYPE, Kind::parse)? {
            return Ok(kind);
        }
        let group = self.may_have(names::NEEDS)
            && is_directory(names::NEEDS)
            && !has_run()
            && !self.has(names::START, is_program);
        Ok(if group { Kind::Group } else { Kind::Lasting })
    }

    /// What a oneshot runs, and what undoes that.
    #[must_use]
    pub fn task(&self) -> (Task, Option<Task>) {
        let task = |path| Task { path, executable: is_executable(path) };
        if self.has(names::DO, exists) {
            let undo = fs::stat(names::UNDO).is_ok_and(|stat| stat.st_size > 0);
            return (task(names::DO), undo.then(|| task(names::UNDO)));
        }
        let stop = Some(task(names::STOP)).filter(|stop| stop.executable);
        (Task { path: names::RUN, executable: true }, stop)
    }

    /// Whether the service may depend on others.
    #[must_use]
    pub fn may_depend(&self) -> bool {
        [names::NEEDS, names::WANTS, names::AFTER].into_iter().any(|name| self.may_have(name))
    }

    /// Whether there is what is told of processes, in a directory for encore.
    #[must_use]
    pub fn tells(&self, dialect: Dialect) -> bool {
        dialect == Dialect::Encore && self.has(names::TELL, is_program)
    }

    /// Whether there are scripts that stand in for signals.
    #[must_use]
    pub fn has_scripts(&self) -> bool {
        self.has(names::SCRIPTS, is_directory)
    }

    /// How many milliseconds `timeout-control` says, if it is there.
    pub fn timeout_control(&self) -> Result<Option<u64>, FactTrouble> {
        Ok(self.parsed(names::TIMEOUT_CONTROL, number)?.map(u64::from))
    }

    /// How many ends `max-death-tally` says are kept, if it is there.
    pub fn max_death_tally(&self) -> Result<Option<u32>, FactTrouble> {
        self.parsed(names::MAX_DEATH_TALLY, number)
    }

    /// The signal that `down-signal` names, if it is there.
    pub fn down_signal(&self) -> Result<Option<u8>, FactTrouble> {
        self.parsed(names::DOWN_SIGNAL, |content| signals::number(line(content)))
    }

    /// The signal that `reload-signal` names, if it is there.
    pub fn reload_signal(&self) -> Result<Option<u8>, FactTrouble> {
        self.parsed(names::RELOAD_SIGNAL, |content| signals::number(line(content)))
    }

    /// After which ends the service is started again, if `restart` says so.
    pub fn restart(&self) -> Result<Option<When>, FactTrouble> {
        self.parsed(names::RESTART, When::parse)
    }

    /// What `restart-success` lists, if it is there.
    pub fn restart_success(&self) -> Result<Option<Ends>, FactTrouble> {
        self.parsed(names::RESTART_SUCCESS, Ends::parse)
    }

    /// What `restart-never` lists, if it is there.
    pub fn restart_never(&self) -> Result<Option<Ends>, FactTrouble> {
        self.parsed(names::RESTART_NEVER, Ends::parse)
    }

    /// How many milliseconds `restart-delay` says, if it is there.
    pub fn restart_delay(&self) -> Result<Option<u32>, FactTrouble> {
        self.parsed(names::RESTART_DELAY, number)
    }

    /// How many milliseconds `restart-delay-max` says, if it is there.
    pub fn restart_delay_max(&self) -> Result<Option<u32>, FactTrouble> {
        self.parsed(names::RESTART_DELAY_MAX, number)
    }

    /// How often is too often, if `restart-limit` says so.
    pub fn restart_limit(&self) -> Result<Option<Limit>, FactTrouble> {
        self.parsed(names::RESTART_LIMIT, Limit::parse)
    }

    /// How it is known that the service is ready, if `ready-by` says so.
    pub fn ready_by(&self) -> Result<Option<ReadyBy>, FactTrouble> {
        self.parsed(names::READY_BY, ReadyBy::parse)
    }

    /// How many milliseconds `timeout-ready` says, if it is there.
    pub fn timeout_ready(&self) -> Result<Option<u32>, FactTrouble> {
        self.parsed(names::TIMEOUT_READY, number)
    }

    /// How many milliseconds `watchdog` says, if it is there.
    pub fn watchdog(&self) -> Result<Option<u32>, FactTrouble> {
        self.parsed(names::WATCHDOG, number)
    }

    /// How many milliseconds `check-interval` says, if it is there.
    pub fn check_interval(&self) -> Result<Option<u32>, FactTrouble> {
        self.parsed(names::CHECK_INTERVAL, number)
    }

    /// How many milliseconds `timeout-check` says, if it is there.
    pub fn timeout_check(&self) -> Result<Option<u32>, FactTrouble> {
        self.parsed(names::TIMEOUT_CHECK, number)
    }

    /// How many failures `check-failures` says, if it is there.
    pub fn check_failures(&self) -> Result<Option<u8>, FactTrouble> {
        let few = |content: &[u8]| number(content).and_then(|n| u8::try_from(n).ok());
        self.parsed(names::CHECK_FAILURES, |content| few(content).filter(|n| *n > 0))
    }

    /// How the service is found that `run` has left behind, if `follow` says
    /// so.
    pub fn follow(&self) -> Result<Option<Trail>, FactTrouble> {
        self.parsed(names::FOLLOW, Trail::parse)
    }

    /// How many milliseconds `timeout-follow` says, if it is there.
    pub fn timeout_follow(&self) -> Result<Option<u64>, FactTrouble> {
        let some = |content: &[u8]| number(content).filter(|number| *number > 0);
        Ok(self.parsed(names::TIMEOUT_FOLLOW, some)?.map(u64::from))
    }

    fn parsed<T>(
        &self,
        name: &CStr,
        parse: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, FactTrouble> {
        if self.may_have(name) { parsed(name, parse) } else { Ok(None) }
    }

    fn may_have(&self, name: &CStr) -> bool {
        let files = FILES.iter().zip(self.there);
        let mut all = files.chain(names::OF_S6.iter().zip(self.of_s6));
        all.any(|(file, there)| *file == name && there)
    }
}

/// A program of a oneshot.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// Where it is.
    pub path: &'static CStr,
    /// Whether it can be executed; otherwise it is for execlineb, as in s6-rc.
    pub executable: bool,
}

/// Whether `down` is what undoes a oneshot, and no flag.
#[must_use]
pub(crate) fn down_is_a_task() -> bool {
    exists(names::DO) && is_oneshot()
}

/// Whether what the service starts is done when it ends.
#[must_use]
pub fn is_oneshot() -> bool {
    parsed(names::TYPE, Kind::parse) == Ok(Some(Kind::Oneshot))
}

/// How many milliseconds `timeout-finish` says, if it is there.
pub fn timeout_finish() -> Result<Option<u64>, FactTrouble> {
    Ok(parsed(names::TIMEOUT_FINISH, number)?.map(u64::from))
}

/// The check that can be executed, if there is one.
#[must_use]
pub fn check_program() -> Option<&'static CStr> {
    names::CHECKS.into_iter().find(|check| fs::access(*check, Access::EXEC_OK).is_ok())
}

/// Whether there is a `stop`, which is for encore.
#[must_use]
pub fn has_stop() -> bool {
    !place::is_logger() && is_program(names::STOP)
}

/// Whether there is a `run`, of whatever kind.
#[must_use]
pub fn has_run() -> bool {
    exists(names::RUN)
}

/// Whether there is a `finish` to be executed.
#[must_use]
pub fn has_finish() -> bool {
    !place::is_logger() && is_executable(names::FINISH)
}

fn exists(file: &CStr) -> bool {
    fs::access(file, Access::EXISTS).is_ok()
}

fn is_executable(file: &CStr) -> bool {
    fs::access(file, Access::EXEC_OK).is_ok()
}

pub(crate) fn is_directory(file: &CStr) -> bool {
    fs::stat(file).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_dir())
}

/// Whether it is a file to be executed, as encore has it: by its owner.
pub(crate) fn is_program(file: &CStr) -> bool {
    fs::stat(file).is_ok_and(|stat| {
        FileType::from_raw_mode(stat.st_mode).is_file()
            && Mode::from_raw_mode(stat.st_mode).contains(Mode::XUSR)
    })
}

/// The name of the file as it is listed.
pub(crate) fn plain(file: &CStr) -> &[u8] {
    let name = file.to_bytes();
    name.strip_prefix(b"./").unwrap_or(name)
}

/// Whether what is listed can be what is looked for: a logger mostly has a
/// directory, which is not asked for then.
fn can_be(file: &CStr, entry: &RawDirEntry<'_>) -> bool {
    file != names::LOG || entry.file_type() != FileType::Directory
}

fn descriptor(content: &[u8]) -> Option<i32> {
    let number = core::str::from_utf8(content.trim_ascii()).ok()?.parse().ok();
    number.filter(|number| (3..=HIGHEST).contains(number))
}

fn number(content: &[u8]) -> Option<u32> {
    core::str::from_utf8(content.trim_ascii()).ok()?.parse().ok()
}

/// The first line.
fn line(content: &[u8]) -> &[u8] {
    content.split(|&b| b == b'\n').next().unwrap_or(content).trim_ascii_end()
}

/// What the file says, if it is there.
fn parsed<T>(
    name: &CStr,
    parse: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<Option<T>, FactTrouble> {
    let mut buffer = [0; LONGEST];
    let content = match read(name, &mut buffer) {
        Ok(content) => content,
        Err(Errno::NOENT) => return Ok(None),
        Err(why) => return Err(FactTrouble::Unreadable(why)),
    };
    // What fills it all may go on.
    let said = if content.len() < LONGEST { parse(content) } else { None };
    said.map(Some).ok_or_else(|| FactTrouble::Malformed(Value::of(content)))
}

/// What is in the file, as much as there is room for.
fn read<'a>(name: &CStr, buffer: &'a mut [u8; LONGEST]) -> Result<&'a [u8], Errno> {
    // Without blocking: what is there may be a FIFO.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = fs::open(name, flags, Mode::empty())?;
    let mut len = 0;
    while len < LONGEST {
        match rustix::io::read(&file, &mut buffer[len..]) {
            Ok(0) => break,
            Ok(n) => len += n,
            Err(Errno::INTR) => {}
            Err(why) => return Err(why),
        }
    }
    Ok(&buffer[..len])
}

#[cfg(test)]
mod tests;
