//! Where the state of all services is kept: in their directories or, where it
//! is said or those cannot be written to, in one of its own, which everything
//! that is started here learns by `$SUPERVISEDIR`, and every client finds.
//! Decided once, at the start.

use crate::svscan::environment::Environments;
use crate::svscan::help::TOOL;
use crate::svscan::options::Options;
use crate::svscan::renew::Start;
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::fs::{Access, AtFlags, CWD, OFlags, accessat, stat};
use rustix::io::Errno;
use std::ffi::CString;
use upkeep_cli::Exit;
use upkeep_servicedir::state::{
    Place, Pointer, Refusal, accept, announce, can_be_in_place, choose, found, go_on, hold, own,
};
use upkeep_servicedir::{Elsewhere, Log, keep_in, list_services, names};
use upkeep_sys::inherited::{close_on_exec, take};
use upkeep_sys::{exec, process};

/// What was left behind for it.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// The link by which clients find it.
    pointer: Option<Pointer>,
    /// Where it is, so that no other svscan takes it for dead.
    held: Option<OwnedFd>,
}

/// What the options name, from the root: it means what it meant where this
/// program began.
pub(crate) struct Told {
    state: Option<CString>,
    env: Vec<CString>,
}

impl Told {
    /// Of one that was executed anew, what does not lead anywhere any more is
    /// done without.
    pub(crate) fn read(options: &Options, start: Start) -> Result<Self, Exit> {
        let from_root = |path| match absolute(path) {
            Ok(path) => Ok(Some(path)),
            Err(why) => start.refuses(&[LOST], Some(why)).map(|()| None),
        };
        let state = options.state.map(from_root).transpose()?.flatten();
        let env = options.env.iter().map(|dir| from_root(dir)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { state, env: env.into_iter().flatten().collect() })
    }

    /// Decides both, in the scan directory, if there is one. What was executed
    /// anew has decided the one before.
    pub(crate) fn settle(
        self,
        options: &Options,
        start: Start,
    ) -> Result<(State, Environments), Exit> {
        let state = match () {
            () if !options.tree => State::default(),
            () if start == Start::Again => State::resume(),
            () => State::settle(self.state.as_deref())?,
        };
        match self.environments(options, start) {
            Ok(environments) => Ok((state, environments)),
            Err(exit) => {
                state.withdraw();
                Err(exit)
            }
        }
    }

    pub(crate) fn environments(
        &self,
        options: &Options,
        start: Start,
    ) -> Result<Environments, Exit> {
        Environments::read(options, &self.env, start)
    }
}

const LOST: &[u8] = b"unable to find out where this is: ";

/// `dir` as it is from the root.
fn absolute(dir: &CStr) -> Result<CString, Errno> {
    let mut path = Vec::new();
    if !dir.to_bytes().starts_with(b"/") {
        let mut here = [0; 4096];
        let here = process::current_directory(&mut here)?;
        path = [here.to_bytes(), b"/"].concat();
    }
    path.extend(dir.to_bytes());
    // A slash at its end would be one too many in the name of what is in it.
    while path.len() > 1 && path.ends_with(b"/") {
        path.pop();
    }
    Ok(CString::new(path).unwrap_or_default())
}

impl State {
    /// Decides it for the services of the current directory; `said` is from
    /// the root. Wherever services live that another svscan has left is where
    /// it goes on: a second supervise elsewhere would run them twice.
    fn settle(said: Option<&CStr>) -> Result<Self, Exit> {
        if let Some(dir) = said {
            accept(dir).map_err(|refusal| refused(dir, refusal))?;
        }
        let told = said.map_or_else(named, |dir| Some(dir.to_owned()));
        let services = list_services().unwrap_or_default();
        let is_there = told.as_ref().is_some_and(|dir| holds(dir, &services));
        let living = if is_there { None } else { living(&services) };
        if let Some((root, is_told)) = living {
            if let Some(dir) = &told {
                let parts = [LIVING, root.to_bytes(), b", not going to ", dir.to_bytes()];
                TOOL.warn(&parts);
            } else {
                TOOL.info(&[LIVING, root.to_bytes()]);
            }
            keep_in(root.to_bytes());
            let pointer = is_told.then(|| point_to(root)).flatten();
            return Ok(Self { pointer, held: go_on(root) });
        }
        if let Some(dir) = said {
            keep_in(dir.to_bytes());
            return Ok(Self { pointer: point_to(dir), held: hold(dir) });
        }
        let held = match told {
            Some(dir) if dir.to_bytes().starts_with(b"/") => hold(&dir),
            None if !is_possible_in_place(&services) => choose_one(),
            _ => None,
        };
        Ok(Self { pointer: None, held })
    }

    /// It is where it was, whatever has become of that: those who live there
    /// do. A link that is there is this one's.
    fn resume() -> Self {
        let dir = exec::variable(names::SUPERVISEDIR).filter(|dir| dir.starts_with(b"/"));
        let Some(dir) = dir.and_then(|dir| CString::new(dir).ok()) else { return Self::default() };
        let kept = stat(&dir).ok().and_then(|stat| take(&stat, OFlags::RDONLY.bits()));
        Self { pointer: found(&dir), held: kept.or_else(|| hold(&dir)) }
    }

    /// Lets it stay held over an exec, or not.
    pub(crate) fn bequeath(&self, survives: bool) {
        if let Some(held) = &self.held {
            let _ = close_on_exec(held, !survives);
        }
    }

    /// Nothing is kept there any more that anybody could look for.
    pub(crate) fn withdraw(&self) {
        if let Some(pointer) = &self.pointer {
            pointer.withdraw();
        }
    }
}

const LIVING: &[u8] = b"services that run keep their state in ";

/// What the variable says, if it is for this user.
fn named() -> Option<CString> {
    let dir = exec::variable(names::SUPERVISEDIR).filter(|dir| !dir.is_empty())?;
    let dir = CString::new(dir).unwrap_or_default();
    match can_be_kept_in(&dir) {
        Ok(()) => Some(dir),
        Err(why) => {
            ignore(&dir, why);
            None
        }
    }
}

fn refused(dir: &CStr, refusal: Refusal) -> Exit {
    let (words, why) = refusal.words();
    let hint: &[u8] = match refusal {
        Refusal::Open | Refusal::Anothers => b"; name a directory in it, to be made",
        Refusal::Os(_) | Refusal::Link | Refusal::Parent => b"",
    };
    let parts = [b"unable to keep state in ", dir.to_bytes(), b": ", words.as_bytes(), hint];
    why.map_or_else(|| TOOL.fatal(&parts), |why| TOOL.fatal_os(&parts, why))
}

/// Leaves word of where the state is.
fn point_to(dir: &CStr) -> Option<Pointer> {
    match announce(dir, &mut warn) {
        Some(Ok(pointer)) => return Some(pointer),
        Some(Err(why)) => TOOL.warn_os(&[UNANNOUNCED, b": "], why),
        None => TOOL.warn(&[UNANNOUNCED]),
    }
    None
}

const UNANNOUNCED: &[u8] =
    b"unable to leave word of where the state is: programs need SUPERVISEDIR to find it";

/// What somebody has put in the way is worth a word, even if there is another
/// way.
fn warn(path: &CStr, refusal: Refusal) {
    if refusal.is_somebodys() {
        let (words, why) = refusal.words();
        let parts = [b"unable to use ", path.to_bytes(), b": ", words.as_bytes()];
        match why {
            Some(why) => TOOL.warn_os(&parts, why),
            None => TOOL.warn(&parts),
        }
    }
}

/// Nobody has said where, and it cannot be in the services' directories.
fn choose_one() -> Option<OwnedFd> {
    let mut last = None;
    let place = choose(&mut |path, refusal| {
        warn(path, refusal);
        last = Some(refusal);
    });
    if let Some(Place { path, held }) = place {
        TOOL.info(&[b"service directories cannot be written to, state is in ", path.to_bytes()]);
        keep_in(path.to_bytes());
        return Some(held);
    }
    let (words, why) = last.map_or(("", None), Refusal::words);
    let parts = [NO_PLACE, words.as_bytes()];
    match why {
        Some(why) => TOOL.warn_os(&parts, why),
        None => TOOL.warn(&parts),
    }
    None
}

const NO_PLACE: &[u8] = b"unable to keep state: service directories cannot be written to, and \
    there is no other place; use --state: ";

/// What the variable says may have been meant for whoever started this, and
/// then it is no place for this user.
fn can_be_kept_in(dir: &CStr) -> Result<(), Errno> {
    if !dir.to_bytes().starts_with(b"/") {
        return Ok(());
    }
    let rights = Access::WRITE_OK | Access::EXEC_OK;
    match accessat(CWD, dir, rights, AtFlags::EACCESS) {
        // One that is not there is complained of as ever.
        Err(Errno::NOENT) => Ok(()),
        answer => answer,
    }
}

fn ignore(dir: &CStr, why: Errno) {
    let parts = [b"unable to keep state in SUPERVISEDIR, doing without: ", dir.to_bytes(), b": "];
    TOOL.warn_os(&parts, why);
    keep_in(b"");
}

/// Where services of the current directory live that another svscan has left,
/// and whether it was told that place.
fn living(services: &[CString]) -> Option<(&'static CStr, bool)> {
    own().into_iter().find(|(root, _)| holds(root, services))
}

/// Whether a service here lives there.
fn holds(root: &CStr, services: &[CString]) -> bool {
    let root = root.to_bytes();
    let lives = |service: &CStr, logger| Elsewhere { from: CWD, service, logger }.lives_in(root);
    services.iter().any(|service| {
        // Without a directory `log`, that one is nowhere.
        [None, Some(Log::File), Some(Log::Directory)].into_iter().any(|log| lives(service, log))
    })
}

/// It is if it is for any service: one that cannot be written to is a mistake
/// then. Without a service, what is added later would be written to here.
fn is_possible_in_place(services: &[CString]) -> bool {
    if services.is_empty() {
        return can_be_in_place(c".");
    }
    services.iter().any(|service| can_be_in_place(service))
}
