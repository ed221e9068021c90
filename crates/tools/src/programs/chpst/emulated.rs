//! daemontools' programs, as chpst emulates them under their names: with its
//! own messages, and with exit code 100 for every wrong usage.

use crate::environment::Environment;
use crate::lock::lock;
use crate::number;
use crate::programs::chpst::change::{become_them, execute, find_account, no_lock, read, show};
use crate::programs::chpst::limits::{Limits, MOST};
use crate::programs::chpst::{Name, SYNOPSIS};
use core::ffi::CStr;
use rustix::process::setsid;
use upkeep_cli::{Exit, Options};
use upkeep_sys::{Args, exec};

type Emulated = fn(Args, Name) -> Result<Exit, Exit>;

/// What a name stands for.
pub(crate) fn find(name: &[u8]) -> Option<Emulated> {
    match name {
        b"envdir" => Some(envdir),
        b"envuidgid" => Some(envuidgid),
        b"pgrphack" => Some(pgrphack),
        b"setlock" => Some(setlock),
        b"setuidgid" => Some(setuidgid),
        b"softlimit" => Some(softlimit),
        _ => None,
    }
}

const ACCOUNT: &[u8] = b" account child";
const SETLOCK: &[u8] = b" [ -nNxX ] file program [ arg ... ]";
const SOFTLIMIT: &[u8] = b" [-a allbytes] [-c corebytes] [-d databytes] [-f filebytes] \
[-l lockbytes] [-m membytes] [-o openfiles] [-p processes] [-r residentbytes] [-s stackbytes] \
[-t cpusecs] child";

/// The first of `args`, if there is a program behind it.
fn first(args: Args, name: Name, synopsis: &[u8]) -> Result<(&'static CStr, Args), Exit> {
    let program = args.skip(1);
    match args.get(0) {
        Some(first) if !program.is_empty() => Ok((first, program)),
        _ => Err(name.usage(synopsis)),
    }
}

fn run(program: Args, environment: &Environment) -> Result<Exit, Exit> {
    execute(program, None, environment, &Limits::default())
}

fn setuidgid(args: Args, name: Name) -> Result<Exit, Exit> {
    let (account, program) = first(args.skip(1), name, ACCOUNT)?;
    become_them(&find_account(account)?)?;
    run(program, &Environment::inherited())
}

fn envuidgid(args: Args, name: Name) -> Result<Exit, Exit> {
    let (account, program) = first(args.skip(1), name, ACCOUNT)?;
    let mut environment = Environment::inherited();
    show(&mut environment, &find_account(account)?);
    run(program, &environment)
}

fn envdir(args: Args, name: Name) -> Result<Exit, Exit> {
    let (directory, program) = first(args.skip(1), name, b" dir child")?;
    let mut environment = Environment::inherited();
    read(&mut environment, directory, None)?;
    run(program, &environment)
}

fn pgrphack(args: Args, name: Name) -> Result<Exit, Exit> {
    let program = args.skip(1);
    if program.is_empty() {
        return Err(name.usage(b" child"));
    }
    // Refused only to a group leader, which is then where it wants to be.
    let _ = setsid();
    run(program, &Environment::inherited())
}

/// Here it is `-n` that waits for the lock: so does chpst, for whose users this
/// is.
fn setlock(args: Args, name: Name) -> Result<Exit, Exit> {
    let (mut waits, mut is_silent) = (false, false);
    let mut options = Options::new(args, "nNxX");
    for option in &mut options {
        match option {
            Ok(option) => match option.letter {
                b'n' => waits = true,
                b'N' => waits = false,
                b'x' => is_silent = true,
                _ => is_silent = false,
            },
            Err(bad) => {
                bad.report_as(name.whole);
                return Err(name.usage(SETLOCK));
            }
        }
    }
    let (file, program) = first(options.rest(), name, SETLOCK)?;
    match lock(file, waits) {
        Ok(()) => {}
        Err(_) if is_silent => return Ok(Exit::Success),
        Err(trouble) => return Err(no_lock(file, trouble)),
    }
    if is_silent {
        // Nor is anything said of a program that cannot be run.
        let _ = exec::run(program);
        return Ok(Exit::Success);
    }
    run(program, &Environment::inherited())
}

fn softlimit(args: Args, name: Name) -> Result<Exit, Exit> {
    let mut limits = Limits::default();
    let mut options = Options::new(args, "a:c:d:f:l:m:o:p:r:s:t:");
    for option in &mut options {
        let option = option.map_err(|bad| {
            bad.report_as(name.whole);
            name.usage(SOFTLIMIT)
        })?;
        let limit = match option.value.unwrap_or_default().to_bytes() {
            b"=" => MOST,
            // It is chpst's own usage that is shown then.
            digits => number::whole(digits).ok_or_else(|| name.usage(SYNOPSIS))?.cast_signed(),
        };
        limits.set(option.letter, limit);
    }
    let program = options.rest();
    if program.is_empty() {
        return Err(name.usage(SOFTLIMIT));
    }
    execute(program, None, &Environment::inherited(), &limits)
}
