//! The suites, and how each is told to do the same thing.

use crate::report::Column;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where distributions and their authors put the suites' programs. Not PATH:
/// there upkeep's own may come first, under daemontools' names.
const PLACES: [&str; 5] = ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/command"];
/// Behind the suite's own programs in the PATH of all it starts.
const SYSTEM: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// A program where the system has it.
pub(crate) fn system_program(name: &str) -> Option<PathBuf> {
    PLACES.iter().map(|place| Path::new(place).join(name)).find(|path| path.is_file())
}

/// A program in an environment that is the same for all, with those of `dir`
/// before the system's own.
pub(crate) fn program(dir: &Path, name: &str) -> Command {
    let mut command = Command::new(dir.join(name));
    command.env_clear().env("PATH", format!("{}:{SYSTEM}", dir.display()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Which way of speaking a suite understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Daemontools,
    Runit,
    S6,
}

impl Family {
    /// The programs that are measured: the scanner first.
    pub(crate) const fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Daemontools => &["svscan", "supervise", "svc", "svstat", "multilog"],
            Self::Runit => &["runsvdir", "runsv", "sv", "svlogd"],
            Self::S6 => &["s6-svscan", "s6-supervise", "s6-svc", "s6-svstat", "s6-log"],
        }
    }
}

/// A suite that is here.
#[derive(Clone, Debug)]
pub(crate) struct Suite {
    pub(crate) column: Column,
    pub(crate) family: Family,
    pub(crate) dir: PathBuf,
    /// What its scanner has to be told to take 1000 services.
    room: &'static [&'static str],
}

impl Suite {
    /// The suite whose programs are in `dir`, if they are.
    pub(crate) fn at(column: Column, family: Family, dir: &Path) -> Option<Self> {
        let whole = family.programs().iter().all(|p| dir.join(p).is_file());
        whole.then(|| Self { room: room(family, dir), ..Self::of(column, family, dir) })
    }

    /// The same without looking.
    pub(crate) fn of(column: Column, family: Family, dir: &Path) -> Self {
        Self { column, family, dir: dir.to_owned(), room: &[] }
    }

    /// One of the C suites, where the system has it.
    pub(crate) fn installed(column: Column, family: Family) -> Option<Self> {
        PLACES.iter().find_map(|place| Self::at(column, family, Path::new(place)))
    }

    /// The logger that ours has beside the first, with runit's ways, where it
    /// is.
    pub(crate) fn second_logger(&self) -> Option<Self> {
        let second = Self::of(self.column, Family::Runit, &self.dir);
        let ours = self.column == Column::Ours && self.family == Family::Daemontools;
        (ours && self.dir.join(second.logger()).is_file()).then_some(second)
    }

    /// Whether its services can say that they are ready.
    pub(crate) fn knows_readiness(&self) -> bool {
        matches!(self.column, Column::Ours | Column::S6)
    }

    /// The name of the process that there is for each service.
    pub(crate) const fn keeper(&self) -> &'static str {
        self.family.programs()[1]
    }

    /// The name of its logger.
    pub(crate) const fn logger(&self) -> &'static str {
        match self.family {
            Family::Daemontools => "multilog",
            Family::Runit => "svlogd",
            Family::S6 => "s6-log",
        }
    }

    /// One of its programs, in an environment that is the same for all.
    pub(crate) fn program(&self, name: &str) -> Command {
        program(&self.dir, name)
    }

    /// Keep the services below `dir` up.
    pub(crate) fn scan(&self, dir: &Path) -> Command {
        let mut command = self.program(self.family.programs()[0]);
        command.args(self.room).arg(dir);
        command
    }

    /// Have the service in `dir` up.
    pub(crate) fn up(&self, dir: &Path) -> Command {
        self.control("-u", "up", dir)
    }

    /// Have the service in `dir` down.
    pub(crate) fn down(&self, dir: &Path) -> Command {
        self.control("-d", "down", dir)
    }

    /// Send ALRM to the service in `dir`.
    pub(crate) fn alarm(&self, dir: &Path) -> Command {
        self.control("-a", "alarm", dir)
    }

    fn control(&self, option: &str, word: &str, dir: &Path) -> Command {
        let word = match self.family {
            Family::Daemontools | Family::S6 => option,
            Family::Runit => word,
        };
        let mut command = self.program(self.family.programs()[2]);
        command.arg(word).arg(dir);
        command
    }

    /// The commands it takes to know the state of all services in `dirs`.
    pub(crate) fn status(&self, dirs: &[PathBuf]) -> Vec<Command> {
        match self.family {
            Family::Daemontools => {
                let mut command = self.program("svstat");
                command.args(dirs);
                vec![command]
            }
            Family::Runit => {
                let mut command = self.program("sv");
                command.arg("status").args(dirs);
                vec![command]
            }
            Family::S6 => {
                let one = |dir| {
                    let mut command = self.program("s6-svstat");
                    command.arg(dir);
                    command
                };
                dirs.iter().map(one).collect()
            }
        }
    }

    /// What a line of status says when the service is up.
    pub(crate) const fn says_up(&self) -> &'static str {
        match self.family {
            Family::Daemontools | Family::S6 => "up (pid ",
            Family::Runit => "run: ",
        }
    }

    /// The process that a status says is up.
    pub(crate) fn pid_in(&self, status: &str) -> Option<i32> {
        let line = status.lines().find(|l| l.contains(self.says_up()))?;
        let (_, rest) = line.split_once("(pid ")?;
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        rest[..end].parse().ok()
    }
}

/// Older versions of s6 take 500 services unless told otherwise.
fn room(family: Family, dir: &Path) -> &'static [&'static str] {
    if family != Family::S6 {
        return &[];
    }
    let usage = Command::new(dir.join("s6-svscan")).arg("-?").stdin(Stdio::null()).output();
    let usage = usage.map(|o| String::from_utf8_lossy(&o.stderr).into_owned());
    if usage.is_ok_and(|u| u.contains("-c maxservices")) { &["-c", "1000"] } else { &[] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pid_in_every_way_of_saying_it() {
        let suite = |family| Suite::of(Column::Ours, family, Path::new(""));
        let [daemontools, runit, s6] = [Family::Daemontools, Family::Runit, Family::S6].map(suite);
        assert_eq!(daemontools.pid_in("/x: up (pid 42) 7 seconds\n"), Some(42));
        assert_eq!(daemontools.pid_in("/x: down 7 seconds, normally up\n"), None);
        assert_eq!(runit.pid_in("run: /x: (pid 42) 7s\n"), Some(42));
        assert_eq!(runit.pid_in("down: /x: 7s, normally up\n"), None);
        assert_eq!(s6.pid_in("up (pid 42) 7 seconds\n"), Some(42));
        assert_eq!(s6.pid_in("up (pid 42 pgid 42) 7 seconds\n"), Some(42));
    }
}
