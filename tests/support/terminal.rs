//! Terminals, without anybody in front of them.

use super::wait::{deadline, readable};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;

/// A terminal, as the program behind it sees it; this is its other end.
pub struct Terminal {
    master: File,
    held: String,
}

impl Terminal {
    /// Both ends; the second is for the program.
    pub fn open() -> (Self, File) {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = rustix::fs::open(name.as_c_str(), flags, Mode::empty()).unwrap();
        (Self { master: master.into(), held: String::new() }, slave.into())
    }

    /// Gives it a size.
    pub fn resize(&self, columns: u16, lines: u16) {
        let size = Winsize { ws_col: columns, ws_row: lines, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.master, size).unwrap();
    }

    /// Types this.
    pub fn types(&mut self, text: &str) {
        std::io::Write::write_all(&mut self.master, text.as_bytes()).unwrap();
    }

    /// What is drawn up to the first `end` behind `text`.
    pub fn draws(&mut self, text: &str, end: &str) -> String {
        let until = deadline();
        loop {
            if let Some(at) = self.held.find(text)
                && let Some(behind) = self.held[at..].find(end)
            {
                return self.held.drain(..at + behind + end.len()).collect();
            }
            assert!(readable(&self.master, until), "no {text:?} in {:?}", self.held);
            let mut buffer = [0; 4096];
            let count = std::io::Read::read(&mut self.master, &mut buffer).unwrap();
            self.held.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }
}
