//! The outer of two processes. It makes the place to work in, lets the inner
//! one work, and clears away what that one left, however it ended. If this one
//! is ended instead, with ^C for instance, the inner one notices and clears
//! away itself. Does not judge.

use crate::failure::{Context, Failure};
use crate::options::Options;
use crate::{processes, wait};
use rustix::fs::{StatVfsMountFlags, statvfs};
use rustix::process::{getpid, getppid, set_child_subreaper};
use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// In the environment of the inner process: the outer one and the place.
pub(crate) const GUARD: &str = "UPKEEP_CHAOS_GUARD";
pub(crate) const WORK: &str = "UPKEEP_CHAOS_WORK";
/// What the logs need at most.
const ROOM: u64 = 1_000_000_000;

/// Runs this program again, guarded, and says how it ended.
pub(crate) fn run_inside(args: &[OsString], options: &Options) -> Result<u8, Failure> {
    set_child_subreaper(Some(getpid())).unable("become a subreaper")?;
    let place = options.dir.clone().unwrap_or_else(place);
    let place = place.canonicalize().unable(format_args!("find {}", place.display()))?;
    let work = place.join(format!("upkeep-chaos-{}", std::process::id()));
    fs::create_dir(&work).unable(format_args!("make {}", work.display()))?;
    let code = inside(args, &work);
    let cleared = processes::end_all();
    let keeps = options.dir.is_some() && matches!(code, Ok(0 | 1));
    if !keeps {
        let removed = fs::remove_dir_all(&work);
        // The inner one may have cleared it away before.
        if work.exists() {
            removed.unable(format_args!("remove {}", work.display()))?;
        }
    }
    cleared?;
    code
}

fn inside(args: &[OsString], work: &Path) -> Result<u8, Failure> {
    let exe = std::env::current_exe().unable("find myself")?;
    let mut command = Command::new(exe);
    command.args(args).env(GUARD, std::process::id().to_string()).env(WORK, work);
    // Away from the terminal's signals, which are for this one.
    command.process_group(0);
    let status = command.status().unable("run myself")?;
    Ok(status.code().and_then(|c| u8::try_from(c).ok()).unwrap_or(111))
}

/// In the inner process: the place to work in. None: this is the outer one.
pub(crate) fn inner() -> Result<Option<PathBuf>, Failure> {
    let (Some(guard), Some(work)) = (std::env::var_os(GUARD), std::env::var_os(WORK)) else {
        return Ok(None);
    };
    let parent = getppid().filter(|p| guard == *p.as_raw_pid().to_string());
    wait::guarded_by(parent.ok_or(Failure::Interrupted)?)?;
    set_child_subreaper(Some(getpid())).unable("become a subreaper")?;
    Ok(Some(work.into()))
}

/// In memory if there is room and programs may be run there.
fn place() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let good = statvfs(memory).is_ok_and(|s| {
        s.f_bavail.saturating_mul(s.f_frsize) >= ROOM
            && !s.f_flag.contains(StatVfsMountFlags::NOEXEC)
    });
    if good { memory.to_owned() } else { std::env::temp_dir() }
}
