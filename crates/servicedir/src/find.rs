//! Finding a service: by path, or by name where services usually are.

use crate::Log;
use crate::facts::is_program;
use crate::names;
use crate::place::{self, Path};
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::fs::{self, Dir, FileType, Mode, OFlags};
use rustix::io::{Errno, Result};
use rustix::process::{chdir, fchdir};
use std::ffi::CString;
use upkeep_core::glob;
use upkeep_sys::{exec, process};

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

    /// The same for who may go there and not see what is in it.
    pub fn blind() -> Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
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
    if in_scan_dirs(bytes, |path| chdir(path).is_ok()) { place::arrive() } else { Err(why) }
}

/// Whether `is` holds for what has this name in one of the directories where
/// services usually are; the first is enough.
fn in_scan_dirs(name: &[u8], is: impl Fn(&CStr) -> bool) -> bool {
    scan_dirs().any(|dir| join(dir, name, &mut [0; 4096]).is_some_and(&is))
}

/// The directory of this name where services usually are. A name with a slash,
/// or one that svscan does not look at, is none.
#[must_use]
pub fn installed(name: &CStr) -> Option<CString> {
    let bytes = name.to_bytes();
    if bytes.is_empty() || bytes.starts_with(b".") || bytes.contains(&b'/') {
        return None;
    }
    let paths = scan_dirs().filter_map(|dir| CString::new([dir, b"/", bytes].concat()).ok());
    paths.into_iter().find(|path| is_directory(path))
}

/// The services that `name` stands for, as `enter` takes them. A name without a
/// slash that is no service's and that holds `*`, `?` or `[` is a pattern for
/// the names in the first of `$SVDIR`, `/etc/service` and `/service` that is
/// there. One that matches nothing stands for itself.
#[must_use]
pub fn services(name: &CStr) -> Vec<CString> {
    let bytes = name.to_bytes();
    let is_service = || is_directory(name) || in_scan_dirs(bytes, is_directory);
    if glob::is_pattern(bytes) && !bytes.contains(&b'/') && !is_service() {
        let all = matching(bytes);
        if !all.is_empty() {
            return all;
        }
    }
    vec![name.to_owned()]
}

/// The paths of the directories that match, in the order of their names.
fn matching(pattern: &[u8]) -> Vec<CString> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    for dir in scan_dirs() {
        let Ok(list) = fs::open(dir, flags, Mode::empty()).and_then(Dir::read_from) else {
            continue;
        };
        let names = list.filter_map(|entry| Some(entry.ok()?.file_name().to_bytes().to_vec()));
        let paths = names.filter(|name| glob::matches(pattern, name));
        let paths = paths.filter_map(|name| CString::new([dir, b"/", &name].concat()).ok());
        let mut all: Vec<_> = paths.filter(|path| is_directory(path)).collect();
        all.sort_unstable();
        return all;
    }
    Vec::new()
}

pub(crate) fn scan_dirs() -> impl Iterator<Item = &'static [u8]> {
    let svdir = exec::variable(names::SVDIR).filter(|dir| !dir.is_empty());
    svdir.into_iter().chain(names::SCAN_DIRS)
}

fn is_directory(path: &CStr) -> bool {
    fs::stat(path).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

/// The path by which `go` comes back to where it is now, from anywhere.
pub(crate) fn here() -> Result<CString> {
    let mut path = [0; 4096];
    let mut path = process::current_directory(&mut path)?.to_bytes().to_vec();
    if place::is_logger() {
        path.extend_from_slice(place::LOGGER);
    }
    CString::new(path).map_err(|_| Errno::INVAL)
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
