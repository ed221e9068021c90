//! The main command of a container: this program under the name `command`,
//! which does nothing but to be there, and what is to become of it in the end.
//! It is run once, whoever else is killed, and its end is everybody's.

use crate::events::{Listener, Teller, What};
use crate::files;
use crate::random::Random;
use crate::world::World;
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};
use rustix::process::{Signal, pidfd_send_signal};
use std::process::ExitCode;
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::processes::Process;

/// What a signal adds to in an exit code.
const SIGNALLED: i32 = 128;

/// Is the command: tells that it runs, and ends with the code that it is told.
pub(crate) fn run() -> ExitCode {
    let teller = Teller::open();
    teller.tell(What::Start { uncertain: 0 });
    let mut code = [0; 1];
    // It opens when somebody has something to say.
    let fifo = open(files::WORD, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    match fifo.and_then(|fifo| rustix::io::read(fifo, &mut code)) {
        Ok(_) => teller.tell(What::End { code: code[0] }),
        Err(why) => {
            teller.tell(What::Trouble { errno: u64::from(why.raw_os_error().unsigned_abs()) });
        }
    }
    ExitCode::from(code[0])
}

/// Makes where it is told its code.
pub(crate) fn prepare(world: &World) -> Result<(), Failure> {
    let path = world.root.join(files::WORD);
    mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0)
        .unable(format_args!("make {}", path.display()))
}

/// What everything ends by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It ends by itself, with this code.
    Exits(u8),
    /// It is killed.
    Killed,
    /// svscan is told to stop, and tells it.
    Stopped,
}

impl Ending {
    pub(crate) fn choose(seed: u64) -> Self {
        let mut random = Random::new(seed, 5);
        match random.below(3) {
            0 => Self::Exits(u8::try_from(random.below(120)).unwrap_or(0)),
            1 => Self::Killed,
            _ => Self::Stopped,
        }
    }

    /// What svscan has to end with.
    pub(crate) fn code(self) -> i32 {
        match self {
            Self::Exits(code) => i32::from(code),
            Self::Killed => SIGNALLED + Signal::KILL.as_raw(),
            Self::Stopped => SIGNALLED + Signal::TERM.as_raw(),
        }
    }

    /// For people.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Exits(code) => format!("the command exits with {code}"),
            Self::Killed => "the command is killed".to_owned(),
            Self::Stopped => "svscan gets TERM".to_owned(),
        }
    }

    /// Has it come about.
    pub(crate) fn bring_about(self, world: &World) -> Result<(), Failure> {
        let (whom, signal) = match self {
            Self::Exits(code) => {
                let path = world.root.join(files::WORD);
                let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let fifo = open(&path, flags, Mode::empty()).unable("tell the command its code")?;
                return rustix::io::write(fifo, &[code]).map(drop).unable("tell it its code");
            }
            Self::Killed => (itself(world)?, Signal::KILL),
            Self::Stopped => (world.place().find(1), Signal::TERM),
        };
        let fd = whom.and_then(|process| process.open());
        let fd = fd.ok_or("it is not there").unable(format_args!("see to it that {self:?}"))?;
        pidfd_send_signal(fd, signal).unable("signal it")
    }
}

/// Its process, if it is there.
fn itself(world: &World) -> Result<Option<Process>, Failure> {
    let all = world.place().all()?;
    Ok(all.into_iter().find(|p| p.name == files::COMMAND && p.parent == 1 && p.is_alive()))
}

/// How often it was started until now.
pub(crate) fn starts(world: &World) -> Result<usize, Failure> {
    Ok(told(world)?.iter().filter(|what| matches!(what, What::Start { .. })).count())
}

/// What it has told is judged, when everything is over.
pub(crate) fn judge(ending: Ending, world: &World) -> Result<(), Failure> {
    let mut expected = vec![What::Start { uncertain: 0 }];
    if let Ending::Exits(code) = ending {
        expected.push(What::End { code });
    }
    let told = told(world)?;
    if told != expected {
        world.report.violation(files::COMMAND, &format!("it told {told:?}, not {expected:?}"));
    }
    Ok(())
}

fn told(world: &World) -> Result<Vec<What>, Failure> {
    let mut listener = Listener::open(&world.root).unable("listen to the command")?;
    Ok(std::iter::from_fn(|| listener.next()).map(|event| event.what).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_and_its_code() {
        assert_eq!([Ending::Killed, Ending::Stopped].map(Ending::code), [137, 143]);
        assert_eq!(Ending::Exits(7).code(), 7);
        let all: Vec<Ending> = (0..100).map(Ending::choose).collect();
        for one in [Ending::Killed, Ending::Stopped] {
            assert!(all.contains(&one));
        }
        assert!(all.iter().any(|e| matches!(e, Ending::Exits(_))));
        assert!(all.iter().all(|e| (0..=143).contains(&e.code())));
    }
}
