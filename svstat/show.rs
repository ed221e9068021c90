//! One line for each service, as daemontools prints it.

use core::ffi::CStr;
use rustix::io::Errno;
use upkeep_cli::{Exit, Out, Tool, words};
use upkeep_core::record::{Outcome, Own, Stage};
use upkeep_core::restart::{Fault, Reason};
use upkeep_core::status::{Status, Want};
use upkeep_core::tai::Tai64n;
use upkeep_servicedir::{Finder, StatusTrouble, enter, go_on_to_logger, normally_up, read_status};
use upkeep_sys::{Args, clock};

const TOOL: Tool = Tool {
    name: "svstat",
    help: "\
usage: svstat service ...

Prints a line for each service: up or down, since how many seconds, the
process, and what differs from what was asked for; and another one for a
logger that is a file log. A name without a slash
that is no directory here is looked up in $SVDIR, /etc/service and /service.

  -h, --help     print this
      --version  print the version

    svstat /service/*
    /service/myapp: up (pid 4711) 86400 seconds
    /service/other: down 3 seconds, normally up, want up

exit: 0 always, unless the current directory cannot be opened: 111.
",
};

pub(crate) fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    let finder = match Finder::new() {
        Ok(finder) => finder,
        Err(why) => return TOOL.fatal_os(&[b"unable to open current directory: "], why),
    };
    let mut out = Out::to(rustix::stdio::stdout());
    for service in args.skip(1).iter() {
        // Nobody can be told that standard output does not work.
        let _ = line(&mut out, service);
        if let Err(why) = finder.back() {
            return TOOL.fatal_os(&[b"unable to set directory: "], why);
        }
    }
    let _ = out.flush();
    Exit::Success
}

fn line(out: &mut Out<'_>, service: &CStr) -> Result<(), Errno> {
    out.push(service.to_bytes())?;
    out.push(b": ")?;
    let entered = enter(service).map_err(|why| ("unable to chdir: ", Some(why)));
    let seen = entered.and_then(|()| look());
    let there = seen.is_ok();
    show(out, seen)?;
    if there && go_on_to_logger() == Ok(true) {
        out.push(service.to_bytes())?;
        out.push(b" log: ")?;
        show(out, look())?;
    }
    Ok(())
}

fn show(out: &mut Out<'_>, seen: Result<Seen, Trouble>) -> Result<(), Errno> {
    match seen {
        Ok((status, own, normally_up)) => state(out, &status, own.as_ref(), normally_up)?,
        Err((trouble, why)) => {
            out.push(trouble.as_bytes())?;
            out.push(why.map_or("", words).as_bytes())?;
        }
    }
    out.push(b"\n")
}

type Seen = (Status, Option<Own>, bool);
type Trouble = (&'static str, Option<Errno>);

/// The state of a service and whether it starts out up, in the order in which
/// daemontools looks, so that the first trouble is the same.
fn look() -> Result<Seen, Trouble> {
    let normally_up = normally_up().map_err(|why| ("unable to stat down: ", Some(why)))?;
    let (status, own) = read_status().map_err(|trouble| match trouble {
        StatusTrouble::NotRunning => ("supervise not running", None),
        StatusTrouble::Ok(why) => ("unable to open supervise/ok: ", Some(why)),
        StatusTrouble::Open(why) => ("unable to open supervise/status: ", Some(why)),
        StatusTrouble::Read(why) => ("unable to read supervise/status: ", Some(why)),
        StatusTrouble::BadFormat => ("unable to read supervise/status: bad format", None),
    })?;
    Ok((status, own, normally_up))
}

fn state(
    out: &mut Out<'_>,
    status: &Status,
    own: Option<&Own>,
    normally_up: bool,
) -> Result<(), Errno> {
    // What has been done, and a group, is up without a process.
    let there = own.is_some_and(|own| own.stage == Stage::There);
    let up = there || status.pid != 0 && !status.finishing;
    let starting = up && own.is_some_and(|own| own.stage == Stage::Preparing);
    if there {
        out.push(b"up ")?;
    } else if up {
        out.push(b"up (pid ")?;
        out.number(u64::from(status.pid))?;
        out.push(b") ")?;
    } else {
        out.push(b"down ")?;
    }
    let (seconds, nanos) = clock::wall();
    let now = Tai64n::from_unix(seconds, nanos);
    // A clock that was set back gives no time, not a huge one.
    out.number(now.seconds.saturating_sub(status.since.seconds))?;
    out.push(b" seconds")?;
    let remarks = [
        (up && !normally_up, ", normally down"),
        (!up && normally_up, ", normally up"),
        (status.finishing, ", finishing"),
        (own.is_some_and(|own| own.stage == Stage::Following), ", following"),
        (starting, ", starting"),
        (up && !starting && own.is_some_and(|own| own.awaited), ", not ready"),
        (up && status.paused, ", paused"),
        (!up && status.want == Want::Up, ", want up"),
        (up && status.want == Want::Down, ", want down"),
    ];
    for (_, remark) in remarks.iter().filter(|(applies, _)| *applies) {
        out.push(remark.as_bytes())?;
    }
    own.map_or(Ok(()), |own| reason(out, own))
}

/// Why it is not started again by itself.
fn reason(out: &mut Out<'_>, own: &Own) -> Result<(), Errno> {
    let history = &own.history;
    if history.reason == Reason::None {
        return Ok(());
    }
    if history.failed {
        out.push(b", failed")?;
        match own.last {
            _ if history.fault != Fault::None => {
                out.push(b": ")?;
                out.push(fault(history.fault))?;
            }
            Some(Outcome::Exited(code)) => {
                out.push(b": exited ")?;
                out.number(u64::from(code))?;
            }
            Some(Outcome::Killed(signal)) => {
                out.push(b": killed by ")?;
                out.number(u64::from(signal))?;
            }
            Some(Outcome::Unknown) | None => {}
        }
    }
    if history.reason == Reason::GaveUp {
        out.push(b", gave up after ")?;
        out.number(u64::from(history.deaths))?;
        out.push(b" deaths in ")?;
        out.number(u64::from(history.window))?;
        out.push(b" seconds")?;
    }
    Ok(())
}

/// What it was ended for.
const fn fault(fault: Fault) -> &'static [u8] {
    match fault {
        Fault::None => b"",
        Fault::Late => b"not ready in time",
        Fault::Silent => b"no sign of life",
        Fault::Unhealthy => b"check failed",
    }
}
