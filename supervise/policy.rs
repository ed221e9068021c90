//! When the service is started again: what its directory says about it, and
//! what is said when it is not.

use crate::supervise::keep::{Supervise, TOOL};
use crate::supervise::reach::or_none;
use core::ffi::CStr;
use upkeep_cli::decimal;
use upkeep_core::dialect::Dialect;
use upkeep_core::restart::{DELAY_THAT_GROWS, Ends, Policy, Reason, When};
use upkeep_core::supervise::Kind;
use upkeep_servicedir::Facts;

/// The exit code after which encore starts a service no more.
const NEVER_AGAIN: u8 = 100;

/// Reads it for the process that is about to be started or was found.
pub(crate) fn read(facts: &Facts, kind: Kind, dialect: Dialect, dir: &CStr) -> Policy {
    let mut default = Policy::ALWAYS;
    let mut never: &[u8] = b"using none";
    if dialect == Dialect::Encore {
        default.never = Ends::code(NEVER_AGAIN);
        never = b"using 100";
    }
    let mut otherwise: &[u8] = b"using always";
    if kind == Kind::Oneshot {
        default.when = When::Never;
        otherwise = b"using never";
    }
    let longest = or_none(
        dir,
        facts.restart_delay_max(),
        b"restart-delay-max",
        b"letting the delay not grow",
    );
    let base = if longest.is_some() { DELAY_THAT_GROWS } else { default.delay };
    Policy {
        when: or_none(dir, facts.restart(), b"restart", otherwise).unwrap_or(default.when),
        success: or_none(dir, facts.restart_success(), b"restart-success", b"using 0")
            .unwrap_or(default.success),
        never: or_none(dir, facts.restart_never(), b"restart-never", never)
            .unwrap_or(default.never),
        delay: or_none(dir, facts.restart_delay(), b"restart-delay", b"using the default")
            .unwrap_or(base),
        longest,
        limit: or_none(dir, facts.restart_limit(), b"restart-limit", b"using none"),
    }
}

impl Supervise {
    /// Tells that the service, which has just ended, is given up.
    pub(crate) fn say_if_given_up(&self) {
        let history = &self.machine.history;
        if history.reason == Reason::GaveUp {
            let (mut deaths, mut seconds) = ([0; 20], [0; 20]);
            TOOL.warn(&[
                b"giving up ",
                self.dir.to_bytes(),
                b": it has ended ",
                decimal(u64::from(history.deaths), &mut deaths),
                b" times in ",
                decimal(u64::from(history.window), &mut seconds),
                b" seconds",
            ]);
        }
    }
}
