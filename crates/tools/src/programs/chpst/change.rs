//! What is changed, in its order, before the program is run.

use crate::accounts::{self, Ids, NoIds};
use crate::environment::{Environment, Trouble};
use crate::lock::{NoLock, lock};
use crate::programs::chpst::TOOL;
use crate::programs::chpst::limits::Limits;
use core::ffi::CStr;
use rustix::process::{chdir, chroot, nice, setsid};
use upkeep_cli::Exit;
use upkeep_sys::exec::Program;
use upkeep_sys::inherited::{Standard, close};
use upkeep_sys::{Args, Errno, ids};

/// All that can be asked for.
#[derive(Default)]
pub(crate) struct Change {
    pub(crate) own_session: bool,
    pub(crate) variables: Option<&'static CStr>,
    pub(crate) is_verbose: bool,
    pub(crate) root: Option<&'static CStr>,
    pub(crate) nicer: i32,
    pub(crate) shown_user: Option<&'static CStr>,
    pub(crate) user: Option<&'static CStr>,
    /// The file, and whether it is waited for.
    pub(crate) lock: Option<(&'static CStr, bool)>,
    pub(crate) closed: [bool; 3],
    pub(crate) limits: Limits,
    pub(crate) name: Option<&'static CStr>,
}

impl Change {
    pub(crate) fn run(&self, args: Args) -> Result<Exit, Exit> {
        if self.own_session {
            // Refused only to a group leader, which is then where it wants to
            // be.
            let _ = setsid();
        }
        let mut environment = Environment::inherited();
        if let Some(directory) = self.variables {
            let warn = |name: &CStr| {
                if self.is_verbose {
                    TOOL.warn_os(&file(directory, name), Errno::ISDIR);
                }
            };
            read(&mut environment, directory, Some(&warn))?;
        }
        if let Some(root) = self.root {
            chdir(root).map_err(|why| {
                TOOL.fatal_os(&[b"unable to change directory: ", root.to_bytes(), b": "], why)
            })?;
            chroot(c".").map_err(cannot(b"change root directory"))?;
        }
        if self.nicer != 0 {
            // What the kernel refuses as access is a matter of permission.
            let refused = |why| if why == Errno::ACCESS { Errno::PERM } else { why };
            nice(self.nicer).map_err(refused).map_err(cannot(b"set nice level"))?;
        }
        if let Some(user) = self.shown_user {
            show(&mut environment, &find(user)?);
        }
        if let Some(user) = self.user {
            become_them(&find(user)?)?;
        }
        if let Some((file, waits)) = self.lock {
            lock(file, waits).map_err(|trouble| no_lock(file, trouble))?;
        }
        for (standard, name, closed) in [
            (Standard::Input, &b"close stdin"[..], self.closed[0]),
            (Standard::Output, b"close stdout", self.closed[1]),
            (Standard::Error, b"close stderr", self.closed[2]),
        ] {
            if closed {
                close(standard).map_err(cannot(name))?;
            }
        }
        execute(args, self.name, &environment, &self.limits)
    }
}

/// `chpst: fatal: unable to <what>: <why>`
fn cannot(what: &[u8]) -> impl Fn(Errno) -> Exit {
    move |why| TOOL.fatal_os(&[b"unable to ", what, b": "], why)
}

fn file<'a>(directory: &'a CStr, name: &'a CStr) -> [&'a [u8]; 5] {
    [b"unable to read ", directory.to_bytes(), b"/", name.to_bytes(), b": "]
}

/// Applies the files of a directory.
pub(crate) fn read(
    environment: &mut Environment,
    directory: &CStr,
    passed_over: Option<&dyn Fn(&CStr)>,
) -> Result<(), Exit> {
    let fatal = |what: &[u8], why| TOOL.fatal_os(&[what, directory.to_bytes(), b": "], why);
    environment.read(directory, passed_over).map_err(|trouble| match trouble {
        Trouble::Here(why) => cannot(b"open current working directory")(why),
        Trouble::Enter(why) => fatal(b"unable to switch to directory: ", why),
        Trouble::Open(why) => fatal(b"unable to open directory: ", why),
        Trouble::List(why) => fatal(b"unable to read directory: ", why),
        Trouble::File(name, why) => TOOL.fatal_os(&file(directory, &name), why),
        Trouble::Back(why) => cannot(b"switch to starting directory")(why),
    })
}

/// The ids that are asked for.
fn find(user: &CStr) -> Result<Ids, Exit> {
    let user = user.to_bytes();
    accounts::ids(user).map_err(|trouble| match trouble {
        NoIds::Unknown => TOOL.fatal(&[b"unknown user/group: ", user]),
        NoIds::Invalid => {
            TOOL.fatal(&[b"invalid uid/gids: ", user.strip_prefix(b":").unwrap_or(user)])
        }
        NoIds::File(why) => cannot(b"get password/group file entry")(why),
    })
}

/// Those of an account.
pub(crate) fn find_account(name: &CStr) -> Result<Ids, Exit> {
    accounts::ids_of(name.to_bytes()).map_err(|trouble| match trouble {
        NoIds::Unknown | NoIds::Invalid => TOOL.fatal(&[b"unknown account: ", name.to_bytes()]),
        NoIds::File(why) => cannot(b"get password file entry")(why),
    })
}

/// Puts ids into variables.
pub(crate) fn show(environment: &mut Environment, them: &Ids) {
    environment.set("GID", them.gids.first().copied().unwrap_or_default());
    environment.set("UID", them.uid);
}

/// Groups first: the user may no longer be allowed to.
pub(crate) fn become_them(them: &Ids) -> Result<(), Exit> {
    ids::set_groups(&them.gids).map_err(cannot(b"setgroups"))?;
    ids::set_group(them.gids.first().copied().unwrap_or_default()).map_err(cannot(b"setgid"))?;
    ids::become_user(them.uid).map_err(cannot(b"setuid"))
}

pub(crate) fn no_lock(file: &CStr, trouble: NoLock) -> Exit {
    let (what, why): (&[u8], _) = match trouble {
        NoLock::Open(why) => (b"unable to open lock: ", why),
        NoLock::Lock(why) => (b"unable to lock: ", why),
    };
    TOOL.fatal_os(&[what, file.to_bytes(), b": "], why)
}

/// Runs the program, with its limits set last: it may be memory that is
/// limited.
pub(crate) fn execute(
    args: Args,
    name: Option<&CStr>,
    environment: &Environment,
    limits: &Limits,
) -> Result<Exit, Exit> {
    let Some(program) = Program::new(args, name, environment.variables()) else {
        return Err(Exit::Usage);
    };
    limits.apply().map_err(cannot(b"setrlimit()"))?;
    let why = program.run();
    let name = name.or(args.get(0)).unwrap_or_default();
    Err(TOOL.fatal_os(&[b"unable to run: ", name.to_bytes(), b": "], why))
}
