//! Finding a service: by path, or by name where services usually are.

use crate::{names, place};
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::fs::{self, Mode, OFlags};
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
    let why = match chdir(name) {
        Err(why @ (Errno::NOENT | Errno::NOTDIR)) => why,
        answer => return answer.and_then(|()| place::arrive()),
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

/// Makes the service directory `name` the current one, by its path alone.
pub fn go(name: &CStr) -> Result<()> {
    chdir(name)?;
    place::arrive()
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
    fn a_path_that_does_not_fit_is_none() {
        let mut path = [0; 4096];
        assert_eq!(join(b"/service", b"a", &mut path), Some(c"/service/a"));
        assert_eq!(join(&[b'd'; 4096], b"a", &mut [0; 4096]), None);
        assert_eq!(join(&[b'd'; 4000], &[b'n'; 95], &mut [0; 4096]), None);
        assert!(join(&[b'd'; 4000], &[b'n'; 94], &mut [0; 4096]).is_some());
    }
}
