//! One line for each service, as daemontools prints it.

use crate::svstat::gather::{Known, Trouble, look};
use core::ffi::CStr;
use rustix::io::Errno;
use upkeep_cli::{Out, decimal};
use upkeep_core::record::{Outcome, Own, Stage};
use upkeep_core::restart::{Fault, Reason};
use upkeep_core::status::Want;
use upkeep_core::tai::Tai64n;
use upkeep_servicedir::{enter, go_on_to_logger};
use upkeep_sys::clock;

pub(crate) fn line(out: &mut Out<'_>, service: &CStr) -> Result<(), Errno> {
    out.push(service.to_bytes())?;
    out.push(b": ")?;
    let entered = enter(service).map_err(|why| Trouble::new("unable to chdir: ", why));
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

fn show(out: &mut Out<'_>, seen: Result<Known, Trouble>) -> Result<(), Errno> {
    match seen {
        Ok(known) => state(out, &known)?,
        Err(trouble) => {
            for part in trouble.words() {
                out.push(part.as_bytes())?;
            }
        }
    }
    out.push(b"\n")
}

fn state(out: &mut Out<'_>, known: &Known) -> Result<(), Errno> {
    let Known { status, own, normally_up, waits_for } = known;
    let (own, normally_up) = (own.as_ref(), *normally_up);
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
    if let Some(waits_for) = waits_for {
        out.push(b", waiting for ")?;
        out.push(waits_for.name())?;
    }
    own.map_or(Ok(()), |own| reason(own, |part| out.push(part)))
}

/// Why it is not started again by itself, a part at a time.
pub(crate) fn reason(
    own: &Own,
    mut put: impl FnMut(&[u8]) -> Result<(), Errno>,
) -> Result<(), Errno> {
    let history = &own.history;
    if history.reason == Reason::None {
        return Ok(());
    }
    let mut room = [0; 20];
    if history.failed {
        put(b", failed")?;
        match own.last {
            _ if history.fault != Fault::None => {
                put(b": ")?;
                put(fault(history.fault))?;
            }
            Some(Outcome::Exited(code)) => {
                put(b": exited ")?;
                put(decimal(u64::from(code), &mut room))?;
            }
            Some(Outcome::Killed(signal)) => {
                put(b": killed by ")?;
                put(decimal(u64::from(signal), &mut room))?;
            }
            Some(Outcome::Unknown) | None => {}
        }
    }
    if history.reason == Reason::GaveUp {
        put(b", gave up after ")?;
        put(decimal(u64::from(history.deaths), &mut room))?;
        put(b" deaths in ")?;
        put(decimal(u64::from(history.window), &mut room))?;
        put(b" seconds")?;
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
