//! `.svscan/init`, which runs before the services, and `.svscan/finish`, which
//! runs after them. One that is not there, or not executable, is none.

use crate::svscan::help::TOOL;
use crate::svscan::watch::Svscan;
use core::ffi::CStr;
use rustix::fs::{AtFlags, CWD, FileType};
use rustix::process::{Pid, Signal, kill_process};
use upkeep_core::whole::{End, Event};
use upkeep_sys::decimal;
use upkeep_sys::spawn::{Apart, Inherit, Spawn};

/// Which of the two.
pub(crate) type Script = usize;
pub(crate) const INIT: Script = 0;
pub(crate) const FINISH: Script = 1;

const PATHS: [&CStr; 2] = [c".svscan/init", c".svscan/finish"];
/// What a shell says where it cannot execute something.
const NOT_RUN: u8 = 126;

/// The processes of both.
pub(crate) struct Scripts([Option<Pid>; 2]);

impl Scripts {
    pub(crate) const fn new() -> Self {
        Self([None; 2])
    }

    /// Whether it was this script that ended.
    pub(crate) fn ended(&mut self, script: Script, pid: Pid) -> bool {
        let is_this = self.0[script] == Some(pid);
        if is_this {
            self.0[script] = None;
        }
        is_this
    }

    /// Sends its process group a signal. It has not been waited for.
    pub(crate) fn tell(&self, script: Script, signal: Signal) {
        if let Some(pid) = self.0[script] {
            let _ = rustix::process::kill_process_group(pid, signal);
            let _ = kill_process(pid, signal);
        }
    }
}

impl Svscan {
    /// Runs it, or says that there is nothing to run.
    pub(crate) fn run_script(&mut self, script: Script, code: u8) {
        let path = PATHS[script];
        let started = if is_program(path) { self.start_script(script, code) } else { Ok(None) };
        let code = match started {
            Ok(Some(pid)) => {
                self.course.scripts.0[script] = Some(pid);
                return;
            }
            Ok(None) => 0,
            Err(why) => {
                TOOL.warn_os(&[b"unable to fork for ", path.to_bytes(), b": "], why);
                NOT_RUN
            }
        };
        self.proceed(if script == INIT { Event::Prepared(code) } else { Event::Finished(code) });
    }

    fn start_script(&self, script: Script, code: u8) -> rustix::io::Result<Option<Pid>> {
        let path = PATHS[script];
        // Three digits, and the zero that ends them.
        let (mut digits, mut text) = ([0; 20], [0; 4]);
        let number = decimal(code.into(), &mut digits);
        text[..number.len()].copy_from_slice(number);
        let code = CStr::from_bytes_until_nul(&text).unwrap_or(c"0");
        let whole = [path, code, self.course.whole.ending().map_or(c"exit", word)];
        let args = match (script, self.course.plan.machine) {
            (INIT, _) => &whole[..1],
            (_, true) => &whole[..],
            (_, false) => &whole[..2],
        };
        let spawn = Spawn {
            candidates: &[path],
            args,
            fds: &[],
            directory: None,
            inherit: Inherit::Nothing(Apart::Group),
            open_files: Some(self.launcher.open_files),
            environment: self.environments.command.as_ref(),
            variables: &[],
            bound: false,
            lets_go: None,
            last: None,
            first: false,
        };
        let complain = |why| TOOL.warn_os(&[b"unable to run ", path.to_bytes(), b": "], why);
        spawn.start(&|_, why| complain(why)).map(Some)
    }
}

/// What a machine's end is called.
const fn word(end: End) -> &'static CStr {
    match end {
        End::Code(_) | End::Failed(_) => c"exit",
        End::Halt => c"halt",
        End::PowerOff => c"poweroff",
        End::Restart => c"reboot",
    }
}

fn is_program(path: &CStr) -> bool {
    rustix::fs::statat(CWD, path, AtFlags::empty()).is_ok_and(|stat| {
        FileType::from_raw_mode(stat.st_mode).is_file() && stat.st_mode & 0o111 != 0
    })
}
