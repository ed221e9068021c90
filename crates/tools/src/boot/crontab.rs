//! The user's crontab, which only crontab(1) may read and write.

use super::block::{self, Rest, Side, Torn};
use super::{Trouble, Why};
use rustix::io::Errno;
use std::io::Write;
use std::process::{Command, Stdio};

fn refused(verb: &'static str, why: Why) -> Trouble {
    Trouble { verb, path: "the crontab".to_owned(), why }
}

/// All that is in it. Who has none is told so with an exit code like any other:
/// only who is told so in words has none, for what cannot be read would be lost
/// when it is written anew.
fn read() -> Result<Vec<u8>, Trouble> {
    let mut command = Command::new("crontab");
    let done = command.arg("-l").env("LC_ALL", "C").output();
    let done = done.map_err(|why| refused("read", Why::System(errno(&why))))?;
    if done.status.success() {
        return Ok(done.stdout);
    }
    if says_there_is_none(&done.stderr) {
        return Ok(Vec::new());
    }
    // Its own words say why.
    let _ = std::io::stderr().write_all(&done.stderr);
    Err(refused("read", Why::Refused))
}

/// In the words of most, and in busybox's, which knows the file only.
fn says_there_is_none(words: &[u8]) -> bool {
    let words = String::from_utf8_lossy(words).to_lowercase();
    ["no crontab for ", "no such file or directory"].iter().any(|none| words.contains(none))
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
    let new =
        block::put(Some(&old), lines, Side::Last).map_err(|Torn| refused("change", Why::Torn))?;
    if new == old {
        return Ok(false);
    }
    write(&new).map(|()| true)
}

/// Takes them out; whether they were there.
pub(super) fn remove() -> Result<bool, Trouble> {
    match block::take(&read()?).map_err(|Torn| refused("change", Why::Torn))? {
        Rest::Text(rest) => write(&rest).map(|()| true),
        Rest::Nothing => write(b"").map(|()| true),
        Rest::Same => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::says_there_is_none;

    #[test]
    fn only_who_says_so_has_none() {
        for none in [
            "no crontab for me\n",
            "crontab: no crontab for root\n",
            "crontab: can't open 'me': No such file or directory\n",
        ] {
            assert!(says_there_is_none(none.as_bytes()), "{none}");
        }
        for trouble in [
            "",
            "crontab: input/output error\n",
            "You (me) are not allowed to use this program (crontab)\n",
            "crontabs/me: fopen: Permission denied\n",
        ] {
            assert!(!says_there_is_none(trouble.as_bytes()), "{trouble}");
        }
    }
}
