//! The beginning: what the last multilog left behind becomes old logs, and
//! there is a current to write to.

use crate::rotate::Rotation;
use crate::{Voice, files, modes};
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use upkeep_cli::Exit;
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
pub(crate) fn recover(rotation: &mut Rotation, voice: &mut Voice) -> Result<Current, Exit> {
    if let Some(runit) = rotation.runit {
        return rotation.recover_as_runit(&runit, voice);
    }
    let (current, bytes) = find(rotation, files::CURRENT, voice)?;
    let processed = match current {
        Found::Finished => Found::Nothing,
        Found::Nothing | Found::Open => find(rotation, files::PROCESSED, voice)?.0,
    };
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
                    return Err(complain(rotation, voice, b"unable to write to ", name(file), why));
                }
            }
        }
    }
    let verb: &[u8] = match current {
        Found::Finished => b"unable to append to ",
        Found::Nothing | Found::Open => b"unable to write to ",
    };
    let fd = match rotation.place.append(files::CURRENT) {
        Ok(fd) => fd,
        Err(why) => return Err(complain(rotation, voice, verb, files::CURRENT, why)),
    };
    point!("recover: opened");
    if let Err(why) = rustix::fs::fchmod(&fd, modes::OPEN) {
        return Err(complain(rotation, voice, b"unable to set mode of ", files::CURRENT, why));
    }
    Ok(Current { fd, bytes })
}

fn find(rotation: &Rotation, file: &CStr, voice: &mut Voice) -> Result<(Found, u64), Exit> {
    match rotation.place.look(file) {
        Ok(None) => Ok((Found::Nothing, 0)),
        Ok(Some(stat)) => {
            Ok((Found::with_mode(stat.st_mode), u64::try_from(stat.st_size).unwrap_or(0)))
        }
        Err(why) => Err(complain(rotation, voice, b"unable to stat ", file, why)),
    }
}

fn complain(rotation: &Rotation, voice: &mut Voice, verb: &[u8], file: &CStr, why: Errno) -> Exit {
    voice.fatal(&[verb, rotation.place.name(), b"/", file.to_bytes(), b": "], why)
}
