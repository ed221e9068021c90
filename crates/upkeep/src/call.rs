//! Which program is meant, and links by which each can be called.

use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, Mode, OFlags, Stat, statat, symlinkat};
use rustix::io::Errno;
use upkeep_cli::{Exit, Tool, put};
use upkeep_sys::{Args, exec};
use upkeep_tools::programs;

const TOOL: Tool = Tool {
    name: "upkeep",
    help: "\
usage: upkeep program [argument ...]
       upkeep --install dir

All programs of upkeep in one file. Called by the name of one of them, as by a
link, it is that one; called by any other name, it is the one that its first
argument names. svscan starts its supervises from the same file.

      --install dir  make a link in dir for each program; what is there
                     already stays as it is
  -l, --list         print the programs' names
  -h, --help         print this
      --version      print the version

    upkeep svscan /etc/service
    upkeep --install /usr/local/bin

exit: the program's; 0 the links are there, 100 usage, 111 a link could not be
made.
",
};

type Program = fn(Args) -> Exit;

/// Every program, readproctitle excepted, which has to know all of its own
/// memory.
const PROGRAMS: [(&CStr, Program); 27] = [
    (c"svscan", upkeep::svscan::run_whole),
    (c"supervise", upkeep::supervise::run),
    (c"svc", upkeep::svc::run),
    (c"svstat", upkeep::svstat::run),
    (c"multilog", upkeep::multilog::run),
    (c"sv", programs::sv::run),
    (c"svboot", programs::svboot::run),
    (c"svcheck", programs::svcheck::run),
    (c"svhold", programs::svhold::run),
    (c"svlines", programs::svlines::run),
    (c"svlog", upkeep_svlog::run::run),
    (c"svlogd", programs::svlogd::run),
    (c"s6-log", programs::s6_log::run),
    (c"svnotify", programs::svnotify::run),
    (c"svok", programs::svok::run),
    (c"svup", programs::svup::run),
    (c"svwait", programs::svwait::run),
    (c"fghack", programs::fghack::run),
    (c"pgrphack", programs::pgrphack::run),
    (c"tai64n", programs::tai64n::run),
    (c"tai64nlocal", programs::tai64nlocal::run),
    (c"setuidgid", programs::setuidgid::run),
    (c"envuidgid", programs::envuidgid::run),
    (c"envdir", programs::envdir::run),
    (c"softlimit", programs::softlimit::run),
    (c"setlock", programs::setlock::run),
    (c"chpst", programs::chpst::run),
];

pub(crate) fn run(args: Args) -> Exit {
    if let Some(program) = args.get(0).and_then(called) {
        return program(args);
    }
    let Some(first) = args.get(1) else { return TOOL.usage("upkeep program [argument ...]") };
    if let Some(program) = called(first) {
        return program(args.skip(1));
    }
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    match (first.to_bytes(), args.get(2), args.len()) {
        (b"-l" | b"--list", None, _) => list(),
        (b"--install", Some(dir), 3) => install(dir),
        (word, _, _) if word.starts_with(b"-") => TOOL.usage("upkeep --install dir"),
        (name, _, _) => {
            let _ = TOOL.fatal(&[b"there is no program ", name, b": try upkeep --list"]);
            Exit::Usage
        }
    }
}

/// A machine's first program, which is svscan. No link is made for it: that is
/// for whoever makes the machine.
const INIT: &[u8] = b"init";

/// The program of that name, wherever it is.
fn called(path: &CStr) -> Option<Program> {
    let name = path.to_bytes().rsplit(|&b| b == b'/').next()?;
    if name == INIT {
        return Some(upkeep::svscan::run_whole);
    }
    PROGRAMS.iter().find(|(known, _)| known.to_bytes() == name).map(|(_, program)| *program)
}

fn list() -> Exit {
    for (name, _) in PROGRAMS {
        if put(rustix::stdio::stdout(), &[name.to_bytes(), b"\n"]).is_err() {
            return Exit::System;
        }
    }
    Exit::Success
}

fn install(dir: &CStr) -> Exit {
    let Some(own) = exec::own_path() else {
        return TOOL.fatal(&[b"unable to find out where this program is: is /proc there?"]);
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let open = match rustix::fs::open(dir, flags, Mode::empty()) {
        Ok(open) => open,
        Err(why) => return TOOL.fatal_os(&[b"unable to open ", dir.to_bytes(), b": "], why),
    };
    let target = target(&own, &open);
    let mut exit = Exit::Success;
    for (name, _) in PROGRAMS {
        match symlinkat(target, &open, name) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(why) => {
                let parts: [&[u8]; 5] =
                    [b"unable to create ", dir.to_bytes(), b"/", name.to_bytes(), b": "];
                exit = TOOL.fatal_os(&parts, why);
            }
        }
    }
    exit
}

/// What the links in `dir` contain: this program's name alone where it is in
/// `dir` itself, so that they are true wherever that is moved or copied to.
fn target<'a>(own: &'a CStr, dir: &OwnedFd) -> &'a CStr {
    let bytes = own.to_bytes_with_nul();
    let name = bytes.rsplit(|&b| b == b'/').next().unwrap_or_default();
    let Ok(name) = CStr::from_bytes_with_nul(name) else { return own };
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    let identity = |stat: Stat| (stat.st_dev, stat.st_ino);
    let here = statat(dir, name, flags).map(identity);
    let there = statat(rustix::fs::CWD, own, flags).map(identity);
    if here.is_ok() && here == there { name } else { own }
}
