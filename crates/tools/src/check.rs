//! What svcheck knows of service directories, and how it says what is wrong
//! with one. Reads; starts, writes and asks nothing.

mod chain;
mod daemons;
mod habits;
pub mod kinds;
mod logger;
mod name;
mod order;
mod program;
pub mod report;
mod rights;
mod service;
pub mod shell;
pub mod spelling;
mod tree;
mod values;
pub mod written;

use crate::accounts::{self, Account};
use kinds::{DANGLING, UNREADABLE};
use report::{Report, Wanted};
use std::collections::{HashMap, HashSet};
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use upkeep_cli::words;
use upkeep_servicedir::Finder;
use upkeep_sys::Errno;

/// A look at any number of directories.
pub struct Check {
    /// What was found.
    pub report: Report,
    /// Where it began.
    start: Finder,
    /// The path of the current directory, for people.
    here: String,
    /// To whom the tree belongs that is looked at.
    owner: u32,
    owner_group: u32,
    /// The directories above it that were looked at.
    seen: HashSet<PathBuf>,
    /// Why each program cannot be executed, if so.
    programs: HashMap<String, Option<&'static str>>,
    passwd: Vec<u8>,
    /// The kernel's id of this boot.
    boot: [u8; 16],
}

/// A service directory that is looked at.
#[derive(Clone, Copy, Default)]
struct Place<'a> {
    /// Its path, for people.
    shown: &'a str,
    entries: &'a [(OsString, bool)],
    is_logger: bool,
    /// Whether somebody reads what it prints.
    has_log: bool,
    /// Whether a process is looked for that `run` leaves behind.
    follows: bool,
    /// Whether it is something to be done once.
    is_oneshot: bool,
    /// Whether `run` may end when it has done its work.
    ends: bool,
}

impl Check {
    /// One that has looked at nothing yet.
    pub fn new(wanted: Wanted) -> Result<Self, Errno> {
        Ok(Self {
            report: Report::new(wanted),
            start: Finder::new()?,
            here: String::new(),
            owner: 0,
            owner_group: 0,
            seen: HashSet::new(),
            programs: HashMap::new(),
            passwd: std::fs::read("/etc/passwd").unwrap_or_default(),
            boot: upkeep_sys::process::boot(),
        })
    }

    /// Goes into a directory, and comes back.
    fn go(&mut self, to: &OsStr, with: impl FnOnce(&mut Self)) -> Result<(), Errno> {
        let finder = Finder::new()?;
        let name = CString::new(to.as_bytes()).map_err(|_| Errno::INVAL)?;
        upkeep_servicedir::go(&name)?;
        with(self);
        finder.back()
    }

    fn trouble(&mut self, shown: &str, why: Errno) {
        let what = format!("unable to look into it: {}", words(why));
        self.report.file(&UNREADABLE, shown, &what, "run svcheck as its owner");
    }

    fn account(&self, name: &str) -> Option<Account> {
        let name = name.split(':').next().unwrap_or(name);
        accounts::account(&self.passwd, name.as_bytes())
    }

    /// Whether no account has this name, which may have groups behind it, and
    /// may be a number.
    fn is_nobodys(&self, name: &str) -> bool {
        let number = name.starts_with(':') || name.starts_with(|c: char| c.is_ascii_digit());
        !number && !self.passwd.is_empty() && self.account(name).is_none()
    }

    fn name_of_user(&self, uid: u32) -> String {
        let number = uid.to_string();
        let mut lines = self.passwd.split(|&byte| byte == b'\n').map(|line| {
            let mut fields = line.split(|&byte| byte == b':');
            (fields.next(), fields.nth(1))
        });
        let found = lines.find(|(_, uid)| *uid == Some(number.as_bytes()));
        let name = found.and_then(|(name, _)| name);
        name.map_or(number, |name| String::from_utf8_lossy(name).into_owned())
    }

    fn dangling(&mut self, shown: &str) {
        self.report.file(
            &DANGLING,
            shown,
            "the link leads to nothing: unable to stat it",
            "make what it leads to, or remove it",
        );
    }
}
