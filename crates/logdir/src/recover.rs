//! The beginning: what the last multilog left behind becomes old logs, and
//! there is a current to write to.

use crate::compress::remove_twins;
use crate::place::Refusal;
use crate::rotate::Rotation;
use crate::{Voice, files, modes};
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use upkeep_core::recovery::{self, Action, File, Found};
use upkeep_sys::point;

/// An open current, and how many bytes it holds.
pub(crate) struct Current {
    pub(crate) fd: OwnedFd,
    pub(crate) bytes: u64,
}

fn name(file: File) -> &'static CStr {
    match file {
        File::Current => files::CURRENT,
        File::Previous => files::PREVIOUS,
        File::Processed => files::PROCESSED,
        File::State => files::STATE,
        File::NewState => files::NEW_STATE,
    }
}

/// Recovers the directory.
pub(crate) fn recover(rotation: &mut Rotation, voice: &mut Voice) -> Result<Current, Refusal> {
    if let Some(runit) = rotation.settings.runit {
        return rotation.recover_as_runit(&runit, voice);
    }
    let (current, bytes) = find(rotation, files::CURRENT)?;
    let processed = match current {
        Found::Finished => Found::Nothing,
        Found::Nothing | Found::Open => find(rotation, files::PROCESSED)?.0,
    };
    // What was being compressed when its multilog was killed is still there as
    // it was.
    let _ = rotation.place.remove(files::COMPRESSING);
    if rotation.settings.keeping.compression.is_some() {
        // What cannot be removed now is tried again with the next log.
        let _ = remove_twins(&rotation.place);
    }
    let mut bytes = bytes;
    for action in recovery::plan(current, processed) {
        match *action {
            Action::Append => {}
            Action::Remove(file) => {
                // Most often it is not there. If it cannot be removed, what
                // needs its name says so.
                let _ = rotation.place.remove(name(file));
            }
            Action::Archive(file, ending) => rotation.archive(name(file), ending, voice),
            Action::Create(File::Current) => bytes = 0,
            Action::Create(file) => {
                if let Err(why) = rotation.place.create(name(file)) {
                    return Err(refusal(rotation, b"unable to write to ", name(file), why));
                }
            }
        }
    }
    let verb: &'static [u8] = match current {
        Found::Finished => b"unable to append to ",
        Found::Nothing | Found::Open => b"unable to write to ",
    };
    let fd = match rotation.place.append(files::CURRENT) {
        Ok(fd) => fd,
        Err(why) => return Err(refusal(rotation, verb, files::CURRENT, why)),
    };
    point!("recover: opened");
    if let Err(why) = rustix::fs::fchmod(&fd, modes::OPEN) {
        return Err(refusal(rotation, b"unable to set mode of ", files::CURRENT, why));
    }
    Ok(Current { fd, bytes })
}

fn find(rotation: &Rotation, file: &'static CStr) -> Result<(Found, u64), Refusal> {
    match rotation.place.look(file) {
        Ok(None) => Ok((Found::Nothing, 0)),
        Ok(Some(stat)) => {
            Ok((Found::with_mode(stat.st_mode), u64::try_from(stat.st_size).unwrap_or(0)))
        }
        Err(why) => Err(refusal(rotation, b"unable to stat ", file, why)),
    }
}

fn refusal(rotation: &Rotation, verb: &'static [u8], file: &'static CStr, why: Errno) -> Refusal {
    Refusal { verb, dir: rotation.place.name(), file: file.to_bytes(), why, left: None }
}
