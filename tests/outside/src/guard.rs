//! Two processes of one program. The outer one makes the place to work in,
//! lets the inner one work, and clears away what that one left, however it
//! ended. If the outer one is ended instead, with ^C for instance, the inner
//! one notices and clears away itself. The outer one does nothing else.

use crate::failure::{Context, Failure};
use crate::{processes, wait};
use rustix::fs::{StatVfs, statvfs};
use rustix::process::{getpid, getppid, set_child_subreaper};
use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// In the environment of the inner process: the number of the outer one.
pub const GUARD: &str = "UPKEEP_GUARD";
/// In the environment of the inner process: the place to work in.
pub const WORK: &str = "UPKEEP_WORK";

/// What the inner process is to have.
#[derive(Clone, Copy, Debug)]
pub struct Inner<'a> {
    /// Its arguments, without the program's own name.
    pub args: &'a [OsString],
    /// The directory in which its place to work in is made.
    pub within: &'a Path,
    /// What that place is called, before the number of the outer process.
    pub name: &'a str,
    /// After an exit with one of these codes the place is left as it is.
    pub kept_after: &'a [u8],
    /// By when all that it left must have been ended, if that begins now.
    pub limit: fn() -> u64,
}

impl Inner<'_> {
    /// In the outer process: runs this program again, guarded, clears away,
    /// and says with which code it exited.
    pub fn run(&self) -> Result<u8, Failure> {
        set_child_subreaper(Some(getpid())).unable("become a subreaper")?;
        let work = self.within.join(format!("{}-{}", self.name, std::process::id()));
        fs::create_dir(&work).unable(format_args!("make {}", work.display()))?;
        let code = self.code(&work);
        let cleared = processes::end_all((self.limit)());
        if !code.as_ref().is_ok_and(|code| self.kept_after.contains(code)) {
            let removed = fs::remove_dir_all(&work);
            // The inner one may have cleared it away before.
            if work.exists() {
                removed.unable(format_args!("remove {}", work.display()))?;
            }
        }
        cleared?;
        code
    }

    fn code(&self, work: &Path) -> Result<u8, Failure> {
        let exe = std::env::current_exe().unable("find myself")?;
        let mut command = Command::new(exe);
        command.args(self.args).env(GUARD, std::process::id().to_string()).env(WORK, work);
        // Away from the terminal's signals, which are for this one.
        command.process_group(0);
        let status = command.status().unable("run myself")?;
        Ok(status.code().and_then(|c| u8::try_from(c).ok()).unwrap_or(111))
    }
}

/// In the inner process: the place to work in, and from now on every wait ends
/// when the outer one does. None: this is the outer one.
pub fn inner() -> Result<Option<PathBuf>, Failure> {
    let (Some(guard), Some(work)) = (std::env::var_os(GUARD), std::env::var_os(WORK)) else {
        return Ok(None);
    };
    let parent = getppid().filter(|p| guard == *p.as_raw_pid().to_string());
    wait::guarded_by(parent.ok_or(Failure::Interrupted)?)?;
    set_child_subreaper(Some(getpid())).unable("become a subreaper")?;
    Ok(Some(work.into()))
}

/// A directory in memory, if there are `room` bytes and it `suits`; else the
/// one for temporary files.
pub fn in_memory(room: u64, suits: impl FnOnce(&StatVfs) -> bool) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let good =
        statvfs(memory).is_ok_and(|s| s.f_bavail.saturating_mul(s.f_frsize) >= room && suits(&s));
    if good { memory.to_owned() } else { std::env::temp_dir() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_only_if_it_is_enough_and_suits() {
        assert_eq!(in_memory(u64::MAX, |_| true), std::env::temp_dir());
        assert_eq!(in_memory(0, |_| false), std::env::temp_dir());
    }
}
