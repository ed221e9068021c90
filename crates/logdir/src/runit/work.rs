//! A processor beside the logging: one at a time in a directory, started again
//! until it succeeds.

use super::{Name, Svlogd, as_name, old, with_letter};
use crate::processor::Files;
use crate::rotate::Rotation;
use crate::{Voice, files, modes};
use core::ffi::CStr;
use rustix::fs::AtFlags;
use rustix::io::{Errno, Result};
use rustix::process::{Pid, WaitOptions, WaitStatus};
use upkeep_core::archives::NAME;
use upkeep_sys::{clock, point};

/// One that has failed is started again no sooner.
const SOONEST: u64 = 1_000_000_000;

/// An old log that is being processed.
#[derive(Debug)]
pub(crate) struct Work {
    /// What it is called until it is done.
    name: Name,
    processor: &'static CStr,
    step: Step,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Running(Pid),
    /// It failed, and is started again then.
    Again(u64),
}

impl Work {
    const fn at(self, step: Step) -> Self {
        Self { step, ..self }
    }
}

impl Rotation {
    /// Starts the processor on the old log `name`. No other one runs.
    pub(super) fn begin_work(
        &mut self,
        runit: &Svlogd,
        processor: &'static CStr,
        name: Name,
        voice: &mut Voice,
    ) {
        let step = self.start_work(runit, processor, &name, voice);
        self.work = Some(Work { name, processor, step });
    }

    fn start_work(
        &self,
        runit: &Svlogd,
        processor: &'static CStr,
        name: &Name,
        voice: &mut Voice,
    ) -> Step {
        let dir = self.place.name();
        runit.tell(&[b"processing: ", dir, b"/", &name[..NAME]], voice);
        match self.open_for_work(name) {
            Ok(files) => Step::Running(self.spawn(processor, &files, voice)),
            Err((what, why)) => {
                // It is the processor's trouble, and is tried again like it.
                let _ =
                    voice.fatal(&[b"unable to open ", what, b" for processor: ", dir, b": "], why);
                self.failed(name, voice)
            }
        }
    }

    fn open_for_work(&self, name: &Name) -> core::result::Result<Files, (&'static [u8], Errno)> {
        let place = &self.place;
        let state = || match place.read(files::STATE) {
            Err(Errno::NOENT) => {
                place.create(files::STATE)?;
                place.read(files::STATE)
            }
            other => other,
        };
        let from = place.read(as_name(name)).map_err(|why| (&b"input"[..], why))?;
        let into =
            place.create(as_name(&with_letter(name, b't'))).map_err(|why| (&b"output"[..], why))?;
        let state = state().map_err(|why| (&b"state"[..], why))?;
        let new_state = place.create(files::NEW_STATE).map_err(|why| (&b"newstate"[..], why))?;
        Ok(Files { from, into, state, new_state })
    }

    /// When there is something to do for a processor that has failed.
    pub(crate) fn work_is_due(&self) -> Option<u64> {
        match self.work.as_ref()?.step {
            Step::Running(_) => None,
            Step::Again(at) => Some(at),
        }
    }

    /// Looks whether the processor has ended, and does what is due then.
    pub(crate) fn look_at_work(&mut self, runit: &Svlogd, voice: &mut Voice) {
        let Some(work) = self.work.take() else { return };
        let step = match work.step {
            Step::Running(pid) => match wait(pid, WaitOptions::NOHANG) {
                Ok(None) => Some(work.step),
                ended => self.ended(runit, &work, ended, voice),
            },
            Step::Again(at) if clock::monotonic() < at => Some(work.step),
            Step::Again(_) => Some(self.start_work(runit, work.processor, &work.name, voice)),
        };
        self.work = step.map(|step| work.at(step));
    }

    /// Waits until the processor has succeeded.
    pub(super) fn wait_for_work(&mut self, runit: &Svlogd, voice: &mut Voice) {
        while let Some(work) = self.work.take() {
            let step = match work.step {
                Step::Running(pid) => {
                    voice.settle();
                    let ended = wait(pid, WaitOptions::empty());
                    self.ended(runit, &work, ended, voice)
                }
                Step::Again(at) => {
                    clock::pause_until(at);
                    Some(self.start_work(runit, work.processor, &work.name, voice))
                }
            };
            self.work = step.map(|step| work.at(step));
        }
    }

    /// Waits until the processor has ended. One that has failed is not
    /// started again: its log stays as it is.
    pub(crate) fn leave_work(&mut self, runit: &Svlogd, voice: &mut Voice) {
        if let Some(work) = self.work.take()
            && let Step::Running(pid) = work.step
        {
            voice.settle();
            let ended = wait(pid, WaitOptions::empty());
            let _ = self.ended(runit, &work, ended, voice);
        }
    }

    /// What to do next when it has ended; nothing if it has succeeded.
    fn ended(
        &self,
        runit: &Svlogd,
        work: &Work,
        ended: Result<Option<WaitStatus>>,
        voice: &mut Voice,
    ) -> Option<Step> {
        let succeeded = matches!(ended, Ok(Some(status)) if status.exit_status() == Some(0));
        if !succeeded {
            return Some(self.failed(&work.name, voice));
        }
        let dir = self.place.name();
        let (result, done) = (with_letter(&work.name, b't'), with_letter(&work.name, b's'));
        voice.insist(&[b"unable to rename processed: ", dir, b": "], || {
            self.place.rename(as_name(&result), as_name(&done))
        });
        point!("work: renamed");
        self.conclude(&work.name, voice);
        runit.tell(&[b"processed: ", dir, b"/", &done[..NAME]], voice);
        None
    }

    /// What is to be done when the result of a processor has its last name.
    /// The log that it was made of goes last, so that whoever finds it beside
    /// the result knows what is left to do.
    fn conclude(&self, name: &Name, voice: &mut Voice) {
        let (dir, done) = (self.place.name(), with_letter(name, b's'));
        voice.insist(&[b"unable to set mode of processed: ", dir, b": "], || {
            rustix::fs::chmodat(self.place.fd(), as_name(&done), modes::FINISHED, AtFlags::empty())
        });
        point!("work: marked");
        voice.insist(&[b"unable to rename state: ", dir, b": "], || {
            match self.place.rename(files::NEW_STATE, files::STATE) {
                // It was done, or somebody has cleaned up.
                Err(Errno::NOENT) => Ok(()),
                other => other,
            }
        });
        point!("work: kept");
        if let Err(why) = self.place.remove(as_name(name)) {
            voice.warn(&[b"unable to unlink: ", dir, b"/", &name[..NAME], b": "], why);
        }
        point!("work: removed");
    }

    /// Does that for one whose svlogd was killed over it.
    pub(super) fn conclude_interrupted(&self, voice: &mut Voice) {
        old::each(&self.place, voice, b"unable to read directory: ", |name, voice| {
            let done = with_letter(name, b's');
            if name.ends_with(b"u\0") && matches!(self.place.look(as_name(&done)), Ok(Some(_))) {
                self.conclude(name, voice);
            }
        });
    }

    fn failed(&self, name: &Name, voice: &mut Voice) -> Step {
        voice.caution(&[b"processor failed, restart: ", self.place.name()]);
        // Where there is none, there is nothing to remove.
        let _ = self.place.remove(as_name(&with_letter(name, b't')));
        Step::Again(clock::monotonic() + SOONEST)
    }
}

fn wait(pid: Pid, options: WaitOptions) -> Result<Option<WaitStatus>> {
    loop {
        match rustix::process::waitpid(Some(pid), options) {
            Err(Errno::INTR) => {}
            Err(why) => return Err(why),
            Ok(ended) => return Ok(ended.map(|(_, status)| status)),
        }
    }
}
