//! All services: those in the first of the directories where services are
//! looked for by name.

use crate::find::scan_dirs;
use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags, RawDir};
use rustix::io::{Errno, Result};
use rustix::process::chdir;
use std::ffi::CString;

/// Makes the directory of all services the current one: that in `$SVDIR`,
/// `/etc/service` or `/service`, the first that is there. What is reported is
/// what went wrong with the last.
pub fn go_to_services() -> Result<()> {
    let mut answer = Err(Errno::NOENT);
    for dir in scan_dirs() {
        answer = chdir(dir);
        if !matches!(answer, Err(Errno::NOENT | Errno::NOTDIR)) {
            break;
        }
    }
    answer
}

/// The names of the services in the current directory, as svscan takes them,
/// in order.
pub fn list_services() -> Result<Vec<CString>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = fs::open(c".", flags, Mode::empty())?;
    let mut buffer = [MaybeUninit::uninit(); 8192];
    let mut entries = RawDir::new(&dir, &mut buffer);
    let mut found = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(Errno::INTR) => continue,
            Err(why) => return Err(why),
        };
        let name = entry.file_name();
        if !name.to_bytes().starts_with(b".") && is_directory(entry.file_type(), name) {
            found.push(name.to_owned());
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Most file systems say so in the listing; a link is followed.
fn is_directory(listed: FileType, name: &CStr) -> bool {
    let looks = matches!(listed, FileType::Symlink | FileType::Unknown);
    listed == FileType::Directory
        || looks
            && fs::statat(CWD, name, AtFlags::empty())
                .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}
