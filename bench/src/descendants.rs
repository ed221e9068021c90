//! The descendants of a service, one of each kind: this program itself under
//! another name. Each reports its start and waits for a signal for ever.

use crate::service::{Report, What, for_ever};
use rustix::process::setsid;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use upkeep_sys::signals::{Signal, Signals};

/// What they are called.
pub(crate) const NAME: &str = "descendant";

/// How a process is related to the service that started it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// As fork leaves it.
    Child,
    /// In a process group of its own.
    Group,
    /// In a session of its own.
    Session,
    /// In another session, and its parent has ended.
    Daemon,
    /// In the service's group, and TERM does nothing to it.
    Deaf,
    /// Not one of them: the parent of the daemon.
    Between,
}

impl Kind {
    const ALL: [Self; KINDS] = [Self::Child, Self::Group, Self::Session, Self::Daemon, Self::Deaf];

    const fn name(self) -> &'static str {
        match self {
            Self::Child => "a child",
            Self::Group => "one in a group of its own",
            Self::Session => "one in a session of its own",
            Self::Daemon => "a daemon",
            Self::Deaf => "one that ignores TERM",
            Self::Between => "between",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().chain([Self::Between]).find(|k| k.name() == name)
    }
}

/// How many kinds there are.
pub(crate) const KINDS: usize = 5;

/// The name of the descendant of that number.
pub(crate) fn name(number: u8) -> &'static str {
    Kind::ALL.get(usize::from(number)).map_or("unknown", |k| k.name())
}

/// Starts one of each kind. Whoever does not come about is missed by whoever
/// waits for the reports.
pub(crate) fn start() {
    for kind in Kind::ALL {
        let kind = if kind == Kind::Daemon { Kind::Between } else { kind };
        let Some(mut child) = start_one(kind) else { continue };
        if kind == Kind::Between {
            let _ = child.wait();
        }
    }
}

fn start_one(kind: Kind) -> Option<std::process::Child> {
    let mut command = Command::new(std::env::current_exe().ok()?);
    command.arg0(NAME).arg(kind.name());
    if kind == Kind::Group {
        command.process_group(0);
    }
    command.spawn().ok()
}

/// Is the descendant of that name.
pub(crate) fn run(name: Option<OsString>) -> ExitCode {
    let name = name.unwrap_or_default();
    let Some(kind) = name.to_str().and_then(Kind::named) else { return ExitCode::from(100) };
    let mut deaf = None;
    match kind {
        Kind::Child | Kind::Group | Kind::Daemon => {}
        Kind::Session => drop(setsid()),
        Kind::Deaf => deaf = Signals::take(&[Signal::TERM], &[]).ok(),
        Kind::Between => {
            let daemon = setsid().is_ok().then(|| start_one(Kind::Daemon)).flatten();
            return if daemon.is_some() { ExitCode::SUCCESS } else { ExitCode::from(111) };
        }
    }
    let number = Kind::ALL.iter().position(|&k| k == kind).and_then(|n| u8::try_from(n).ok());
    if let Some(number) = number.filter(|_| kind != Kind::Deaf || deaf.is_some()) {
        Report::new(What::Descends(number)).send();
    }
    for_ever()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_back() {
        for kind in Kind::ALL.into_iter().chain([Kind::Between]) {
            assert_eq!(Kind::named(kind.name()), Some(kind));
        }
        assert_eq!(Kind::named("run"), None);
        assert_eq!(name(3), "a daemon");
        assert_eq!(name(9), "unknown");
    }
}
