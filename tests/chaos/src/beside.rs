//! What runs beside a service or after it: this program under the names
//! `helper`, `check` and `finish`; and what is done once, and undone.

use crate::events::{Teller, What};
use crate::files;
use crate::random::Random;
use crate::service::{alone, look_at_needs};
use crate::status::Status;
use rustix::process::getpid;
use std::path::Path;
use std::process::ExitCode;
use upkeep_outside::wait::{first, now};

/// Is what a service starts beside itself: it stays a while.
pub(crate) fn help() -> ExitCode {
    stay(100, 2500);
    ExitCode::SUCCESS
}

/// Is the check: whether the process that is well is the one that runs.
pub(crate) fn check() -> ExitCode {
    let well = std::fs::read_to_string(files::WELL).ok().and_then(|t| t.trim().parse().ok());
    let runs = Status::read(Path::new(".")).map(|s| s.pid);
    ExitCode::from(u8::from(well.is_none() || well != runs))
}

/// Is what tidies up: it tells what it was told, and nothing runs beside it.
pub(crate) fn finish(args: &[String]) -> ExitCode {
    let teller = Teller::open();
    let alone = alone();
    teller.tell(match (&alone, told(args)) {
        (Ok(_), Some(what)) => what,
        (Ok(_), None) => What::Trouble { errno: 0 },
        (Err(_), _) => What::Conflict,
    });
    stay(0, 500);
    if let Some(What::Finish { of, .. }) = told(args) {
        teller.tell(What::Closed { of });
    }
    drop(alone);
    ExitCode::SUCCESS
}

/// Is what is done once.
pub(crate) fn bring_about() -> ExitCode {
    let teller = Teller::open();
    look_at_needs(&teller);
    let Ok(alone) = alone() else {
        teller.tell(What::Conflict);
        return ExitCode::FAILURE;
    };
    teller.tell(What::Start { uncertain: 0 });
    stay(0, 700);
    teller.tell(What::End { code: 0 });
    drop(alone);
    ExitCode::SUCCESS
}

/// Is what undoes it.
pub(crate) fn undo() -> ExitCode {
    let teller = Teller::open();
    let alone = alone();
    teller.tell(if alone.is_ok() { What::Undo } else { What::Conflict });
    stay(0, 500);
    teller.tell(What::Closed { of: 0 });
    drop(alone);
    ExitCode::SUCCESS
}

fn told(args: &[String]) -> Option<What> {
    let [code, signal, name, of] = args else { return None };
    let dir = std::env::current_dir().ok()?;
    (dir.file_name()? == name.as_str()).then_some(())?;
    let (of, code, signal) = (of.parse().ok()?, code.parse().ok()?, signal.parse().ok()?);
    Some(What::Finish { of, code, signal })
}

fn stay(least: u64, most: u64) {
    let mut random = Random::new(now(), getpid().as_raw_pid().unsigned_abs().into());
    let _ = first(&[], now() + random.milliseconds(least, most));
}
