//! What the directories of some services ask of them, as the judges have to
//! know it. Times are as long as this machine needs them.

use crate::kinds::{Kind, Make};
use crate::wait::patient;
use upkeep_outside::wait::{MILLISECOND, SECOND};

/// After how many ends a service is given up.
pub(crate) const LIMIT: u64 = 4;
/// Within more seconds than the whole takes.
const WITHIN: u64 = 1_000_000;
/// The code that stands for a signal in a directory for runit, and for s6.
const KILLED: [i16; 2] = [-1, 256];

/// Within what time a service has to be ready that is asked to.
pub(crate) fn ready_within() -> u64 {
    patient(6 * SECOND)
}

/// How often a service has to give a sign of life.
pub(crate) fn life_every(kind: Kind) -> u64 {
    patient(if kind == Kind::Silent { 3 * SECOND } else { 5 * SECOND })
}

/// The delay after so many failures in a row.
pub(crate) fn delay(failures: u32) -> u64 {
    let doublings = failures.saturating_sub(1).min(8);
    (delay_first() << doublings).min(delay_longest())
}

fn delay_first() -> u64 {
    patient(400 * MILLISECOND)
}

pub(crate) fn delay_longest() -> u64 {
    patient(6 * SECOND)
}

/// The code that its `finish` is told for one that was killed.
pub(crate) const fn killed(make: &Make) -> i16 {
    KILLED[if make.is_strict() { 1 } else { 0 }]
}

/// The files in the directory of such a service.
pub(crate) fn files(make: &Make) -> Vec<(&'static str, String)> {
    let number = |time: u64| format!("{}\n", time / MILLISECOND);
    let mut files = match make.kind {
        Kind::Descriptor => vec![("notification-fd", "3\n".to_owned())],
        Kind::Socket => vec![("ready-by", "notify\n".to_owned())],
        Kind::Check => vec![("ready-by", "check\n".to_owned())],
        Kind::Alive | Kind::Silent => vec![("watchdog", number(life_every(make.kind)))],
        Kind::Delayed => vec![
            ("restart-delay", number(delay_first())),
            ("restart-delay-max", number(delay_longest())),
        ],
        Kind::Oneshot => {
            vec![("type", "oneshot\n".to_owned()), ("restart", "on-failure\n".to_owned())]
        }
        Kind::Limited => vec![("restart-limit", format!("{LIMIT} {WITHIN}\n"))],
        Kind::Finish
        | Kind::Plain
        | Kind::Unlogged
        | Kind::Crash
        | Kind::Helpers
        | Kind::Orphan
        | Kind::Deaf
        | Kind::Down
        | Kind::Once
        | Kind::Paused
        | Kind::Group => Vec::new(),
    };
    if make.is_strict() {
        if make.kind == Kind::Finish {
            // It makes the directory one for s6.
            files.push(("timeout-finish", number(patient(60 * SECOND))));
        }
        if make.kind.says_ready() {
            files.push(("timeout-ready", number(ready_within())));
        }
        if make.kind == Kind::Check {
            files.push(("check-interval", number(SECOND)));
        }
    }
    files
}
