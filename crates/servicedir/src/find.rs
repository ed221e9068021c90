//! Finding a service: by path, or by name where services usually are.

use crate::Log;
use crate::facts::is_program;
use crate::names;
use crate::place::{self, Path};
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::fs::{self, FileType, Mode, OFlags};
use rustix::io::{Errno, Result};
use rustix::process::{chdir, fchdir};
use upkeep_sys::exec;

/// Goes from service to service and back to where the program began.
#[derive(Debug)]
pub struct Finder {
    start: OwnedFd,
}

impl Finder {
    /// Remembers the current directory.
    pub fn new() -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(Self { start: fs::open(c".", flags, Mode::empty())? })
    }

    /// Goes back, so that the next relative path means what its user meant.
    pub fn back(&self) -> Result<()> {
        fchdir(&self.start)
    }
}

/// Makes the service directory `name` the current one. A name without a slash
/// that is no directory here is looked up in `$SVDIR`, `/etc/service` and
/// `/service`; what is reported is what went wrong here.
pub fn enter(name: &CStr) -> Result<()> {
    let why = match go(name) {
        Err(why @ (Errno::NOENT | Errno::NOTDIR)) => why,
        answer => return answer,
    };
    let bytes = name.to_bytes();
    if bytes.is_empty() || bytes.contains(&b'/') {
        return Err(why);
    }
    let svdir = exec::variable(names::SVDIR).filter(|dir| !dir.is_empty());
    for dir in svdir.into_iter().chain(names::SCAN_DIRS) {
        let mut path = [0; 4096];
        if let Some(path) = join(dir, bytes, &mut path)
            && chdir(path).is_ok()
        {
            return place::arrive();
        }
    }
    Err(why)
}

/// Makes the service directory `name` the current one, by its path alone. Where
/// that is a program called `log`, it is the logger of the directory that it is
/// in.
pub fn go(name: &CStr) -> Result<()> {
    match chdir(name) {
        Ok(()) => place::arrive(),
        Err(Errno::NOTDIR) => {
            go_to(service_of(name).ok_or(Errno::NOTDIR)?)?;
            if is_program(names::LOG) { place::arrive_at_logger() } else { Err(Errno::NOTDIR) }
        }
        Err(why) => Err(why),
    }
}

/// The directory of the service whose logger has this name, as a path; an
/// empty one is the current directory's.
pub(crate) fn service_of(logger: &CStr) -> Option<&[u8]> {
    let service = logger.to_bytes().strip_suffix(names::LOG.to_bytes())?;
    (service.is_empty() || service.ends_with(b"/")).then_some(service)
}

#[inline(never)]
fn go_to(directory: &[u8]) -> Result<()> {
    if directory.is_empty() {
        return Ok(());
    }
    let mut path = Path::new();
    path.push(directory)?;
    chdir(path.as_c_str())
}

/// Goes on to the logger of the service whose directory is the current one, if
/// it is a file; says whether it is.
pub fn go_on_to_logger() -> Result<bool> {
    let is = !place::is_logger() && is_program(names::LOG);
    if is {
        place::arrive_at_logger()?;
    }
    Ok(is)
}

/// What the logger of the service is whose directory is the current one.
#[must_use]
pub fn logger() -> Option<Log> {
    if place::is_logger() {
        return None;
    }
    let kind = FileType::from_raw_mode(fs::stat(names::LOG).ok()?.st_mode);
    if kind == FileType::Directory {
        return Some(Log::Directory);
    }
    is_program(names::LOG).then_some(Log::File)
}

fn join<'a>(dir: &[u8], name: &[u8], into: &'a mut [u8; 4096]) -> Option<&'a CStr> {
    let (head, tail) = into.split_at_mut_checked(dir.len())?;
    head.copy_from_slice(dir);
    *tail.first_mut()? = b'/';
    tail.get_mut(1..=name.len())?.copy_from_slice(name);
    CStr::from_bytes_until_nul(into).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logger_is_called_log() {
        assert_eq!(service_of(c"log"), Some(b"".as_slice()));
        assert_eq!(service_of(c"/service/web/log"), Some(b"/service/web/".as_slice()));
        for other in [c"", c"weblog", c"web/log/", c"log/run"] {
            assert_eq!(service_of(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_path_that_does_not_fit_is_none() {
        let mut path = [0; 4096];
        assert_eq!(join(b"/service", b"a", &mut path), Some(c"/service/a"));
        assert_eq!(join(&[b'd'; 4096], b"a", &mut [0; 4096]), None);
        assert_eq!(join(&[b'd'; 4000], &[b'n'; 95], &mut [0; 4096]), None);
        assert!(join(&[b'd'; 4000], &[b'n'; 94], &mut [0; 4096]).is_some());
    }
}
