//! The user's crontab, which only crontab(1) may read and write.

use super::block::{self, Torn};
use super::{Trouble, Why};
use rustix::io::Errno;
use std::io::Write;
use std::process::{Command, Stdio};

fn refused(verb: &'static str, why: Why) -> Trouble {
    Trouble { verb, path: "the crontab".to_owned(), why }
}

/// All that is in it. Who has none is told so with an exit code like any other,
/// and an empty one is the same.
fn read() -> Result<Vec<u8>, Trouble> {
    let done = Command::new("crontab").arg("-l").stderr(Stdio::null()).output();
    let done = done.map_err(|why| refused("read", Why::System(errno(&why))))?;
    Ok(if done.status.success() { done.stdout } else { Vec::new() })
}

fn write(text: &[u8]) -> Result<(), Trouble> {
    // It may refuse before it has read anything.
    upkeep_sys::signals::ignore_broken_pipes();
    let trouble = |why: std::io::Error| refused("write", Why::System(errno(&why)));
    let mut child =
        Command::new("crontab").arg("-").stdin(Stdio::piped()).spawn().map_err(trouble)?;
    let written = child.stdin.take().map_or(Ok(()), |mut pipe| pipe.write_all(text));
    if !child.wait().map_err(trouble)?.success() {
        return Err(refused("write", Why::Refused));
    }
    written.map_err(trouble)
}

fn errno(why: &std::io::Error) -> Errno {
    Errno::from_io_error(why).unwrap_or(Errno::IO)
}

/// Puts `lines` in; whether that changed anything.
pub(super) fn install(lines: &str) -> Result<bool, Trouble> {
    let old = read()?;
    let new = block::put(&old, lines).map_err(|Torn| refused("change", Why::Torn))?;
    if new == old {
        return Ok(false);
    }
    write(&new).map(|()| true)
}

/// Takes them out; whether they were there.
pub(super) fn remove() -> Result<bool, Trouble> {
    match block::take(&read()?).map_err(|Torn| refused("change", Why::Torn))? {
        Some(rest) => write(&rest).map(|()| true),
        None => Ok(false),
    }
}
