//! What is known of a service: what its record says, whoever wrote it, and
//! what its directory says besides. It prints nothing.

use core::ffi::CStr;
use rustix::io::Errno;
use rustix::process::{Pid, getpgid};
use upkeep_cli::words;
use upkeep_core::notice::Texts;
use upkeep_core::record::{Outcome, Own, Stage};
use upkeep_core::standing::Standing;
use upkeep_core::status::Status;
use upkeep_core::tai::Tai64n;
use upkeep_servicedir::order::{Waited, waits_for};
use upkeep_servicedir::{
    Finder, Log, StatusTrouble, enter, go, go_on_to_logger, is_logger, logger, normally_up,
    read_status, said_before,
};
use upkeep_sys::{clock, process};

/// What the line says of a service.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// What everybody writes.
    pub(crate) status: Status,
    /// What only our supervise does.
    pub(crate) own: Option<Own>,
    /// Whether it starts out up.
    pub(crate) normally_up: bool,
    /// The service that it waits for.
    pub(crate) waits_for: Option<Waited>,
}

/// Why nothing is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trouble {
    pub(crate) what: &'static str,
    pub(crate) why: Option<Errno>,
    /// Whether a supervise is there, if that is known.
    pub(crate) supervised: Option<bool>,
}

impl Trouble {
    pub(crate) const fn new(what: &'static str, why: Errno) -> Self {
        Self { what, why: Some(why), supervised: None }
    }

    /// Both parts of the words for it.
    pub(crate) fn words(&self) -> [&'static str; 2] {
        [self.what, self.why.map_or("", words)]
    }
}

/// All that is known of a service, or of its logger.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// As it was asked for; a logger has `/log` behind that.
    pub(crate) name: Vec<u8>,
    /// Where it is, from the root.
    pub(crate) path: Option<Vec<u8>>,
    /// What its logger is.
    pub(crate) log: Option<Log>,
    pub(crate) known: Result<Known, Trouble>,
    /// What the service has said for people.
    pub(crate) said: Texts,
    /// The process group of its process.
    pub(crate) group: Option<u32>,
    /// When this was looked at, by both clocks.
    pub(crate) at: Tai64n,
    pub(crate) monotonic: u64,
}

/// The state of the service whose directory is the current one, in the order
/// in which daemontools looks, so that the first trouble is the same.
pub(crate) fn look() -> Result<Known, Trouble> {
    let normally_up = normally_up().map_err(|why| Trouble::new("unable to stat down: ", why))?;
    let (status, own) = read_status().map_err(|trouble| {
        let (what, why, supervised) = match trouble {
            StatusTrouble::NotRunning => ("supervise not running", None, Some(false)),
            StatusTrouble::Ok(why) => {
                let supervised = (why == Errno::NOENT).then_some(false);
                ("unable to open supervise/ok: ", Some(why), supervised)
            }
            StatusTrouble::Open(why) => {
                ("unable to open supervise/status: ", Some(why), Some(true))
            }
            StatusTrouble::Read(why) => {
                ("unable to read supervise/status: ", Some(why), Some(true))
            }
            StatusTrouble::BadFormat => {
                ("unable to read supervise/status: bad format", None, Some(true))
            }
        };
        Trouble { what, why, supervised }
    })?;
    let needing = own.is_some_and(|own| own.stage == Stage::Needing);
    let waits_for = if needing { waits_for() } else { None };
    Ok(Known { status, own, normally_up, waits_for })
}

/// Looks at the service and gives `each` what is known of it, and of its
/// logger: of one that is a file always, of one that is a directory, and
/// therefore has a name of its own, if `loggers`. What `each` says ends it.
pub(crate) fn gather<E>(
    finder: &Finder,
    service: &CStr,
    loggers: bool,
    mut each: impl FnMut(Seen) -> Result<(), E>,
) -> Result<Result<(), E>, Errno> {
    let name = service.to_bytes();
    let seen = Seen::after(enter(service), name.to_vec());
    let log = seen.log;
    let mut done = each(seen);
    let entered = match log {
        Some(Log::File) => Some(go_on_to_logger().map(|_| ())),
        Some(Log::Directory) if loggers => Some(go(c"log")),
        Some(Log::Directory) | None => None,
    };
    if let Some(entered) = entered.filter(|_| done.is_ok()) {
        done = each(Seen::after(entered, below(name)));
    }
    finder.back()?;
    Ok(done)
}

pub(crate) fn below(name: &[u8]) -> Vec<u8> {
    let slash: &[u8] = if name.ends_with(b"/") { b"" } else { b"/" };
    [name, slash, b"log"].concat()
}

impl Seen {
    /// What there is to see where `entered` has led to.
    pub(crate) fn after(entered: Result<(), Errno>, name: Vec<u8>) -> Self {
        match entered {
            Ok(()) => Self::here(name),
            Err(why) => Self::of(name, Err(Trouble::new("unable to chdir: ", why))),
        }
    }

    fn of(name: Vec<u8>, known: Result<Known, Trouble>) -> Self {
        let (seconds, nanos) = clock::wall();
        Self {
            name,
            path: None,
            log: None,
            known,
            said: Texts::NONE,
            group: None,
            at: Tai64n::from_unix(seconds, nanos),
            monotonic: clock::monotonic(),
        }
    }

    /// Of what the current directory is about.
    fn here(name: Vec<u8>) -> Self {
        let known = look();
        let supervised = known.is_ok();
        let mut seen = Self::of(name, known);
        let mut path = [0; 4096];
        if let Ok(path) = process::current_directory(&mut path) {
            let path = path.to_bytes();
            seen.path = Some(if is_logger() { below(path) } else { path.to_vec() });
        }
        seen.log = logger();
        if supervised {
            seen.said = said_before();
            seen.group = seen.pid().and_then(group_of);
        }
        seen
    }

    pub(crate) fn status(&self) -> Option<&Status> {
        self.known.as_ref().ok().map(|known| &known.status)
    }

    pub(crate) fn own(&self) -> Option<&Own> {
        self.known.as_ref().ok().and_then(|known| known.own.as_ref())
    }

    pub(crate) fn normally_up(&self) -> Option<bool> {
        self.known.as_ref().ok().map(|known| known.normally_up)
    }

    /// Whether it is down because it has failed, and stays so.
    pub(crate) fn failed(&self) -> Option<bool> {
        let (status, own) = (self.status()?, self.own()?);
        Some(Standing::of(status, Some(own)).failed)
    }

    /// Whom it waits for.
    pub(crate) fn waits_for(&self) -> Option<&[u8]> {
        self.known.as_ref().ok().and_then(|known| known.waits_for.as_ref()).map(Waited::name)
    }

    pub(crate) fn supervised(&self) -> Option<bool> {
        match &self.known {
            Ok(_) => Some(true),
            Err(trouble) => trouble.supervised,
        }
    }

    /// What is wrong, in the words of the line.
    pub(crate) fn error(&self) -> Option<Vec<u8>> {
        self.known.as_ref().err().map(|trouble| trouble.words().concat().into_bytes())
    }

    /// Where the service is. The one place that has a word for each stage.
    pub(crate) fn state(&self) -> Option<&'static str> {
        let status = self.status()?;
        let Some(own) = self.own() else {
            let runs = if status.finishing { "finishing" } else { "up" };
            return Some(if status.pid == 0 { "down" } else { runs });
        };
        Some(match own.stage {
            // It may run, and it is not known which process it is.
            Stage::Up if status.pid == 0 => "unclear",
            Stage::Up => "up",
            Stage::Down => "down",
            Stage::Waiting => "waiting",
            Stage::Needing => "needing",
            Stage::Preparing => "starting",
            Stage::Following => "following",
            Stage::There => "there",
            Stage::Finishing => "finishing",
            Stage::Clearing => "clearing",
            Stage::Over => "over",
        })
    }

    /// Whether it is up: with a process, in the sense of the line, or without
    /// one.
    pub(crate) fn up(&self) -> Option<bool> {
        let there = self.own().is_some_and(|own| own.stage == Stage::There);
        self.status().map(|status| there || status.pid != 0 && !status.finishing)
    }

    /// Its process; that of `finish` is none.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.status().filter(|status| !status.finishing).map(|status| status.pid).filter(is_some)
    }

    /// Whether it is ready, where that is known.
    pub(crate) fn ready(&self) -> Option<bool> {
        let own = self.own()?;
        self.status().map(|status| Standing::of(status, Some(own)).ready)
    }

    pub(crate) fn ready_since(&self) -> Option<Tai64n> {
        let ready = self.own().map(|own| own.ready);
        ready.filter(|ready| *ready != Tai64n::default() && self.ready() == Some(true))
    }

    /// How many whole seconds ago `moment` was. A clock that was set back
    /// gives no time, not a huge one.
    pub(crate) fn seconds(&self, moment: Tai64n) -> u64 {
        self.at.seconds.saturating_sub(moment.seconds)
    }

    pub(crate) fn last(&self) -> Option<Outcome> {
        self.own()?.last
    }

    /// In how many milliseconds the deadline of `stage` is.
    pub(crate) fn due(&self, stage: Stage) -> Option<u64> {
        let own = self.own().filter(|own| own.stage == stage && own.deadline != 0)?;
        Some(own.deadline.saturating_sub(self.monotonic).div_ceil(1_000_000))
    }

    /// The line of this name that the service has said.
    pub(crate) fn said(&self, name: &[u8]) -> Option<&[u8]> {
        let mut lines = self.said.bytes().split(|&b| b == b'\n');
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(b"="))
    }
}

fn is_some(pid: &u32) -> bool {
    *pid != 0
}

fn group_of(pid: u32) -> Option<u32> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    getpgid(Some(pid)).ok()?.as_raw_pid().try_into().ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use upkeep_core::record::Identity;
    use upkeep_core::status::Want;
    use upkeep_core::supervise::Machine;

    /// A service that has been up for so many seconds, as process 4711.
    pub(crate) fn sample(name: &str, seconds: u64) -> Seen {
        let at = Tai64n::from_unix(1_000_000, 0);
        let since = Tai64n { seconds: at.seconds - seconds, nanos: 0 };
        let process = Identity { pid: 4711, ..Identity::default() };
        let mut own = Machine::new(true, 0).own([0; 16], process, since, false);
        (own.stage, own.starts) = (Stage::Up, 1);
        let status = Status {
            since,
            pid: 4711,
            paused: false,
            want: Want::Up,
            terminating: false,
            finishing: false,
        };
        Seen {
            name: name.as_bytes().to_vec(),
            path: None,
            log: None,
            known: Ok(Known { status, own: Some(own), normally_up: true, waits_for: None }),
            said: Texts::NONE,
            group: None,
            at,
            monotonic: 5_000_000_000,
        }
    }

    /// One that is not supervised.
    pub(crate) fn unsupervised(name: &str) -> Seen {
        let trouble = Trouble { what: "supervise not running", why: None, supervised: Some(false) };
        Seen { known: Err(trouble), ..sample(name, 0) }
    }

    fn with(stage: Stage, pid: u32) -> Seen {
        let mut seen = sample("s", 0);
        if let Ok(Known { status, own: Some(own), .. }) = &mut seen.known {
            (own.stage, status.pid) = (stage, pid);
            status.finishing = stage == Stage::Finishing;
        }
        seen
    }

    #[test]
    fn each_stage_has_a_word_of_its_own() {
        for (stage, pid, word) in [
            (Stage::Down, 0, "down"),
            (Stage::Waiting, 0, "waiting"),
            (Stage::Up, 7, "up"),
            (Stage::Up, 0, "unclear"),
            (Stage::Clearing, 0, "clearing"),
            (Stage::Over, 0, "over"),
            (Stage::Finishing, 7, "finishing"),
            (Stage::Preparing, 7, "starting"),
            (Stage::Following, 0, "following"),
            (Stage::Needing, 0, "needing"),
            (Stage::There, 0, "there"),
        ] {
            let seen = with(stage, pid);
            assert_eq!(seen.state(), Some(word));
            let process = Some(pid).filter(|pid| *pid != 0 && stage != Stage::Finishing);
            assert_eq!(seen.pid(), process, "{word}");
        }
        assert_eq!(unsupervised("s").state(), None);
        let there = with(Stage::There, 0);
        assert_eq!((there.up(), there.ready(), there.pid()), (Some(true), Some(true), None));
    }

    #[test]
    fn a_deadline_is_that_of_its_stage() {
        let mut seen = with(Stage::Waiting, 0);
        assert_eq!(seen.due(Stage::Waiting), None);
        if let Ok(Known { own: Some(own), .. }) = &mut seen.known {
            own.deadline = 5_001_500_000;
        }
        assert_eq!((seen.due(Stage::Waiting), seen.due(Stage::Up)), (Some(2), None));
        seen.monotonic = 6_000_000_000;
        assert_eq!(seen.due(Stage::Waiting), Some(0));
    }

    #[test]
    fn a_clock_that_was_set_back_gives_no_time() {
        let mut seen = sample("s", 0);
        let since = seen.at;
        seen.at.seconds -= 5;
        assert_eq!(seen.seconds(since), 0);
    }
}
