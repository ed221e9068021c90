//! A service directory as a test sees it: its script, its status, its events.

use super::dir::{Dir, Fifo};
use super::process::Process;
use super::wait::Changes;
use rustix::fs::{Mode, OFlags};
use std::fs;
use std::path::{Path, PathBuf};

/// The first 18 bytes of a status record, taken apart here on purpose and not
/// by the code under test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The process, 0 for none.
    pub pid: u32,
    /// Whether it is paused.
    pub paused: bool,
    /// `u`, `d` or zero.
    pub want: u8,
}

/// A service directory whose `run` tells the test of its starts.
pub struct Service {
    /// The directory.
    pub path: PathBuf,
    /// What `run` says.
    pub said: Fifo,
}

impl Service {
    /// A service that says `up PID` and then stays until it is killed. `more`
    /// is shell, before it waits; `$said` is the FIFO to the test.
    pub fn new(dir: &Dir, name: &str, more: &str) -> Self {
        let said = dir.fifo(format!("{name}.said"));
        let hold = dir.hold(format!("{name}.hold"));
        let script = format!(
            "said={}\nexec 3<>{}\n{more}\necho up $$ >$said\nwhile :; do read nothing <&3; done",
            said.path().display(),
            hold.path().display(),
        );
        dir.script(format!("{name}/run"), &script);
        Self { path: dir.path(name), said }
    }

    /// A service with this script.
    pub fn with_script(dir: &Dir, name: &str, script: &str) -> Self {
        let said = dir.fifo(format!("{name}.said"));
        dir.script(format!("{name}/run"), &format!("said={}\n{script}", said.path().display()));
        Self { path: dir.path(name), said }
    }

    /// Starts the supervise under test on it.
    pub fn supervise(&self, dir: &Dir) -> Process {
        dir.start("supervise", [&self.path])
    }

    /// Waits for the next `up PID`, and for the status to say it too.
    pub fn up(&mut self) -> u32 {
        let line = self.said.line();
        let pid = line.strip_prefix("up ").unwrap_or_else(|| panic!("said {line:?}"));
        let pid = pid.parse().unwrap();
        self.until("the status to name the process", |seen| seen.pid == pid);
        pid
    }

    /// The state as it is written now.
    pub fn seen(&self) -> Option<Seen> {
        seen(&self.path)
    }

    /// Waits until what is written is as `look` wants it.
    pub fn until(&self, what: &str, mut look: impl FnMut(&Seen) -> bool) -> Seen {
        let changes = Changes::of(&[&self.path.join("supervise")]);
        changes.until(what, || self.seen().filter(|seen| look(seen)))
    }

    /// Says something with the svc under test.
    pub fn svc(&self, dir: &Dir, letters: &str) {
        let done = dir.run("svc", [letters.as_ref(), self.path.as_os_str()]);
        assert_eq!((done.code, done.err().as_str()), (0, ""));
    }

    /// What the svstat under test prints for it, with the time and the
    /// process left out.
    pub fn svstat(&self, dir: &Dir) -> String {
        let line = dir.run("svstat", [&self.path]).out();
        let state = line.trim_end().rsplit_once("': ").map_or(line.trim_end(), |s| s.1);
        let state = state.strip_prefix(&format!("{}: ", self.path.display())).unwrap_or(state);
        let words = state.split(' ').map(|word| {
            let digits = word.trim_end_matches(')');
            if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
                word.replace(digits, "N")
            } else {
                word.to_string()
            }
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

/// What is written in the status of the service directory `path`.
pub fn seen(path: &Path) -> Option<Seen> {
    let record = fs::read(path.join("supervise/status")).ok()?;
    let pid = record.get(12..16)?;
    Some(Seen {
        pid: u32::from_le_bytes([pid[0], pid[1], pid[2], pid[3]]),
        paused: *record.get(16)? != 0,
        want: *record.get(17)?,
    })
}

/// Whether a supervise holds `supervise/ok` open, asked without a program.
pub fn is_supervised(path: &Path) -> bool {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::open(path.join("supervise/ok"), flags, Mode::empty()).is_ok()
}

/// Waits until a supervise is there: it opens `supervise/ok` last.
pub fn supervised(path: &Path) {
    let parent = Changes::of(&[path]);
    parent.until("supervise/ to appear", || path.join("supervise").is_dir().then_some(()));
    // An open that is refused is not an opening.
    let changes = Changes::openings(&path.join("supervise"));
    changes.until("a supervise", || is_supervised(path).then_some(()));
}
