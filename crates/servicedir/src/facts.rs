//! Files that say one fact each, in a word or a number.

use crate::names;
use core::ffi::CStr;
use rustix::fs::{self, Access, FileType, Mode, OFlags};
use rustix::io::Errno;
use upkeep_core::kill_mode::KillMode;
use upkeep_core::signals;

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
    bytes: [u8; LONGEST],
    len: usize,
}

/// The highest descriptor that a process has everywhere.
const HIGHEST: i32 = 255;
/// More than any word with a generous tail has.
const LONGEST: usize = 64;

impl Value {
    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// The first line, or as much of it as is kept.
    #[must_use]
    pub fn line(&self) -> &[u8] {
        let all = self.bytes();
        all.split(|&b| b == b'\n').next().unwrap_or(all).trim_ascii_end()
    }
}

/// What `kill-mode` says; without the file, the default.
pub fn kill_mode() -> Result<KillMode, FactTrouble> {
    let Some(value) = fact(names::KILL_MODE)? else { return Ok(KillMode::default()) };
    KillMode::parse(value.bytes()).map_err(|_| FactTrouble::Malformed(value))
}

/// How many milliseconds `timeout-kill` says, if it is there.
pub fn timeout_kill() -> Result<Option<u64>, FactTrouble> {
    number(names::TIMEOUT_KILL)
}

/// How many milliseconds `timeout-finish` says, if it is there.
pub fn timeout_finish() -> Result<Option<u64>, FactTrouble> {
    number(names::TIMEOUT_FINISH)
}

/// Whether there is a `finish` to be executed.
#[must_use]
pub fn has_finish() -> bool {
    fs::access(names::FINISH, Access::EXEC_OK).is_ok()
}

/// Whether the directory was written for s6, whose `finish` is told a death by
/// a signal in other words than runit's.
#[must_use]
pub fn speaks_s6() -> bool {
    names::OF_S6.iter().any(|file| fs::access(*file, Access::EXISTS).is_ok())
}

/// Whether somebody may read what runit says in words: where its supervise has
/// said it before, and where the directory was written for it.
#[must_use]
pub fn speaks_runit() -> bool {
    let exists = |file: &CStr| fs::access(file, Access::EXISTS).is_ok();
    let is_directory = |stat: fs::Stat| FileType::from_raw_mode(stat.st_mode).is_dir();
    exists(names::STAT) && exists(names::PID)
        || exists(names::CHECK)
        || fs::stat(names::SCRIPTS).is_ok_and(is_directory)
        || has_finish() && !speaks_s6()
}

/// The descriptor that `notification-fd` names, if it is there.
pub fn notification_fd() -> Result<Option<i32>, FactTrouble> {
    descriptor(names::NOTIFICATION_FD)
}

/// The descriptor that `lock-fd` names, if it is there.
pub fn lock_fd() -> Result<Option<i32>, FactTrouble> {
    descriptor(names::LOCK_FD)
}

/// Whether a service that does not go down in time is killed with its group.
#[must_use]
pub fn kills_group() -> bool {
    fs::access(names::FLAG_TIMEOUT_KILLPG, Access::EXISTS).is_ok()
}

fn descriptor(name: &CStr) -> Result<Option<i32>, FactTrouble> {
    let Some(value) = fact(name)? else { return Ok(None) };
    let digits = core::str::from_utf8(value.bytes().trim_ascii());
    let number = digits.ok().and_then(|digits| digits.parse().ok());
    let usable = number.filter(|number| (3..=HIGHEST).contains(number));
    usable.map(Some).ok_or(FactTrouble::Malformed(value))
}

/// The signal that `down-signal` names, if it is there.
pub fn down_signal() -> Result<Option<u8>, FactTrouble> {
    signal(names::DOWN_SIGNAL)
}

/// The signal that `reload-signal` names, if it is there.
pub fn reload_signal() -> Result<Option<u8>, FactTrouble> {
    signal(names::RELOAD_SIGNAL)
}

fn signal(name: &CStr) -> Result<Option<u8>, FactTrouble> {
    let Some(value) = fact(name)? else { return Ok(None) };
    signals::number(value.line()).map(Some).ok_or(FactTrouble::Malformed(value))
}

fn number(name: &CStr) -> Result<Option<u64>, FactTrouble> {
    let Some(value) = fact(name)? else { return Ok(None) };
    let digits = value.bytes().trim_ascii();
    let number = core::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u32>().ok());
    number.map(|number| Some(u64::from(number))).ok_or(FactTrouble::Malformed(value))
}

/// What is in the file, if it is there.
fn fact(name: &CStr) -> Result<Option<Value>, FactTrouble> {
    // Without blocking: what is there may be a FIFO.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match fs::open(name, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(None),
        answer => answer.map_err(FactTrouble::Unreadable)?,
    };
    let mut value = Value { bytes: [0; LONGEST], len: 0 };
    while value.len < LONGEST {
        match rustix::io::read(&file, &mut value.bytes[value.len..]) {
            Ok(0) => return Ok(Some(value)),
            Ok(n) => value.len += n,
            Err(Errno::INTR) => {}
            Err(why) => return Err(FactTrouble::Unreadable(why)),
        }
    }
    Err(FactTrouble::Malformed(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test, because the current directory is the whole process's.
    #[test]
    fn what_the_file_can_be() {
        let dir = std::env::temp_dir().join(format!("upkeep-kill-mode-{}", std::process::id()));
        std::fs::create_dir(&dir).unwrap();
        std::env::set_current_dir(&dir).unwrap();
        let write = |content: &[u8]| std::fs::write("kill-mode", content).unwrap();
        let malformed = || match kill_mode() {
            Err(FactTrouble::Malformed(value)) => value.line().to_vec(),
            other => panic!("{other:?}"),
        };

        assert_eq!(kill_mode(), Ok(KillMode::Process));
        write(b"tree\n");
        assert_eq!(kill_mode(), Ok(KillMode::Tree));
        write(b"group");
        assert_eq!(kill_mode(), Ok(KillMode::Group));
        write(b"all of it \nand more\n");
        assert_eq!(malformed(), b"all of it");
        write(b"");
        assert_eq!(malformed(), b"");
        write(&[b"tree".as_slice(), &[b' '; 1000]].concat());
        assert_eq!(malformed(), b"tree");
        write(&[b'x'; 1000]);
        assert_eq!(malformed(), [b'x'; LONGEST]);

        assert_eq!(timeout_kill(), Ok(None));
        for (content, said) in [("0", 0), ("2500\n", 2500), ("  7  \n", 7)] {
            std::fs::write("timeout-kill", content).unwrap();
            assert_eq!(timeout_kill(), Ok(Some(said)));
        }
        for content in ["", "soon", "-1", "1.5", "99999999999999999999"] {
            std::fs::write("timeout-kill", content).unwrap();
            assert!(matches!(timeout_kill(), Err(FactTrouble::Malformed(_))), "{content}");
        }

        assert_eq!((down_signal(), reload_signal()), (Ok(None), Ok(None)));
        std::fs::write("down-signal", "SIGINT\n").unwrap();
        std::fs::write("reload-signal", "10").unwrap();
        assert_eq!((down_signal(), reload_signal()), (Ok(Some(2)), Ok(Some(10))));
        std::fs::write("down-signal", "now\n").unwrap();
        assert!(matches!(down_signal(), Err(FactTrouble::Malformed(_))));

        assert_eq!(notification_fd(), Ok(None));
        std::fs::write("notification-fd", "3\n").unwrap();
        assert_eq!(notification_fd(), Ok(Some(3)));
        for content in ["", "2", "-3", "256", "three"] {
            std::fs::write("notification-fd", content).unwrap();
            assert!(matches!(notification_fd(), Err(FactTrouble::Malformed(_))), "{content}");
        }

        std::fs::remove_file("kill-mode").unwrap();
        std::fs::create_dir("kill-mode").unwrap();
        assert_eq!(kill_mode(), Err(FactTrouble::Unreadable(Errno::ISDIR)));
        std::env::set_current_dir("/").unwrap();
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
