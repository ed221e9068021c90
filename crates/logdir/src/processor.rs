//! The processor: a shell command between previous and processed, with a
//! state that it hands on from one run to the next.

use crate::rotate::Rotation;
use crate::{Voice, files, limit};
use core::ffi::CStr;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::{Errno, Result};
use rustix::process::{Pid, WaitOptions, WaitStatus};
use upkeep_sys::spawn::{Directory, Inherit, Spawn};

/// What the processor finds as its descriptors.
const PREVIOUS: i32 = 0;
const PROCESSED: i32 = 1;
const STATE: i32 = 4;
const NEW_STATE: i32 = 5;

/// The files that it works with.
pub(crate) struct Files {
    pub(crate) from: OwnedFd,
    pub(crate) into: OwnedFd,
    pub(crate) state: OwnedFd,
    pub(crate) new_state: OwnedFd,
}

impl Rotation {
    /// Runs the processor again and again until it exits 0, or there is no
    /// directory to run it in; says which.
    pub(crate) fn run_until_it_succeeds(
        &self,
        processor: &'static CStr,
        voice: &mut Voice,
    ) -> bool {
        let dir = self.place.name();
        while !self.place.is_removed() {
            let status = match self.start(processor, voice) {
                None => None,
                Some(pid) => voice
                    .insist(&[b"wait failed for processor in ", dir, b", pausing: "], || wait(pid)),
            };
            let what: &[u8] = match status {
                Some(status) if status.exit_status() == Some(0) => break,
                Some(status) if status.terminating_signal().is_some() => b"crashed",
                _ => b"failed",
            };
            if self.is_full() && self.make_room(Errno::NOSPC, voice) {
                continue;
            }
            voice.pause(&[b"processor ", what, b" in ", dir, b", pausing"]);
        }
        !self.place.is_removed()
    }

    /// Starts it, or says why it cannot be run.
    fn start(&self, processor: &'static CStr, voice: &mut Voice) -> Option<Pid> {
        let opened = (|| {
            let from = self.place.read(files::PREVIOUS)?;
            let into = self.place.create(files::PROCESSED)?;
            let state = self.place.read(files::STATE)?;
            Ok(Files { from, into, state, new_state: self.place.create(files::NEW_STATE)? })
        })();
        match opened {
            Ok(files) => Some(self.spawn(processor, &files, voice)),
            Err(why) => {
                // It is the processor's trouble, and is tried again like it.
                let _ = voice.fatal(&[b"unable to run ", processor.to_bytes(), b": "], why);
                None
            }
        }
    }

    /// Starts it with these files.
    pub(crate) fn spawn(&self, processor: &'static CStr, files: &Files, voice: &mut Voice) -> Pid {
        let unable = [b"unable to run ", processor.to_bytes(), b": "];
        let spawn = Spawn {
            candidates: &[c"/bin/sh"],
            args: &[c"sh", c"-c", processor],
            fds: &[
                (files.from.as_fd(), PREVIOUS),
                (files.into.as_fd(), PROCESSED),
                (files.state.as_fd(), STATE),
                (files.new_state.as_fd(), NEW_STATE),
            ],
            directory: Some(Directory::Open(self.place.fd())),
            inherit: Inherit::Everything(Some(self.mask)),
            open_files: limit::before(),
            environment: None,
            variables: &[],
            bound: false,
            lets_go: Some(self.place.lock()),
            last: None,
            first: false,
        };
        let tool = voice.tool();
        let dir = self.place.name();
        let unable_to_fork: [&[u8]; 3] = match self.settings.runit {
            None => [b"unable to fork for processor in ", dir, b", pausing: "],
            Some(_) => [b"unable to fork for processor: ", dir, b": "],
        };
        voice.insist(&unable_to_fork, || {
            spawn.start(&|_, why| {
                // The child exits 111 by itself.
                let _ = tool.fatal_os(&unable, why);
            })
        })
    }
}

fn wait(pid: Pid) -> Result<Option<WaitStatus>> {
    Ok(rustix::process::waitpid(Some(pid), WaitOptions::empty())?.map(|(_, status)| status))
}
