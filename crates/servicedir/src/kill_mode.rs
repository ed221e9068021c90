//! The file `kill-mode`, read as far as a word of it can reach.

use crate::names;
use rustix::fs::{self, Mode, OFlags};
use rustix::io::Errno;
use upkeep_core::kill_mode::KillMode;

/// Why the mode is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KillModeTrouble {
    /// The file could not be read.
    Unreadable(Errno),
    /// What is in it is no mode.
    Malformed(Value),
}

/// The beginning of what is in the file, for the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    bytes: [u8; LONGEST],
    len: usize,
}

/// More than any mode with a generous tail has.
const LONGEST: usize = 64;

impl Value {
    /// The first line, or as much of it as is kept.
    #[must_use]
    pub fn line(&self) -> &[u8] {
        let all = &self.bytes[..self.len];
        all.split(|&b| b == b'\n').next().unwrap_or(all).trim_ascii_end()
    }
}

/// What `kill-mode` says; without the file, the default.
pub fn kill_mode() -> Result<KillMode, KillModeTrouble> {
    // Without blocking: what is there may be a FIFO.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match fs::open(names::KILL_MODE, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(KillMode::default()),
        answer => answer.map_err(KillModeTrouble::Unreadable)?,
    };
    let mut value = Value { bytes: [0; LONGEST], len: 0 };
    while value.len < LONGEST {
        match rustix::io::read(&file, &mut value.bytes[value.len..]) {
            Ok(0) => {
                return KillMode::parse(&value.bytes[..value.len])
                    .map_err(|_| KillModeTrouble::Malformed(value));
            }
            Ok(n) => value.len += n,
            Err(Errno::INTR) => {}
            Err(why) => return Err(KillModeTrouble::Unreadable(why)),
        }
    }
    Err(KillModeTrouble::Malformed(value))
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
            Err(KillModeTrouble::Malformed(value)) => value.line().to_vec(),
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

        std::fs::remove_file("kill-mode").unwrap();
        std::fs::create_dir("kill-mode").unwrap();
        assert_eq!(kill_mode(), Err(KillModeTrouble::Unreadable(Errno::ISDIR)));
        std::env::set_current_dir("/").unwrap();
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
