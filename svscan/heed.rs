//! What each signal means: for a machine, for the main command, or for the
//! services alone.

use crate::svscan::help::TOOL;
use crate::svscan::machine;
use crate::svscan::options::Options;
use crate::svscan::watch::Svscan;
use rustix::io::Result;
use rustix::process::getpid;
use upkeep_core::scan;
use upkeep_core::whole::{End, Event};
use upkeep_sys::decimal;
use upkeep_sys::signals::{Signals, bit};

const HUP: u8 = 1;
const INT: u8 = 2;
const QUIT: u8 = 3;
const ILL: u8 = 4;
const TRAP: u8 = 5;
const ABRT: u8 = 6;
const BUS: u8 = 7;
const FPE: u8 = 8;
const KILL: u8 = 9;
const USR1: u8 = 10;
const SEGV: u8 = 11;
const ALRM: u8 = 14;
const TERM: u8 = 15;
const CHLD: u8 = 17;
const STOP: u8 = 19;
const TTIN: u8 = 21;
const TTOU: u8 = 22;
const PWR: u8 = 30;
const SYS: u8 = 31;

/// What cannot be caught, what only this process's own faults and terminal
/// cause, and what tells of children: none of that is the command's.
const NOT_FORWARDED: [u8; 13] =
    [ILL, TRAP, ABRT, BUS, FPE, KILL, SEGV, CHLD, STOP, TTIN, TTOU, SYS, 0];

/// Whether a signal can come from somebody, and is not this process's own.
pub(crate) fn is_anybodys(number: u8) -> bool {
    !NOT_FORWARDED.contains(&number)
}

/// So many are heeded before anything else has its turn.
const AT_ONCE: usize = 64;

fn set(numbers: &[u8]) -> u64 {
    numbers.iter().filter(|number| **number != 0).fold(0, |set, number| set | bit((*number).into()))
}

/// Takes the signals that mean something.
pub(crate) fn take(options: &Options) -> Result<Signals> {
    let always = set(&[CHLD, TERM, ALRM, USR1, PWR, options.stop]);
    if options.command.is_some() {
        let all = !set(&NOT_FORWARDED) | set(&[CHLD]);
        // Nobody starts process 1 in the background, or to outlive a terminal.
        let polite = if getpid().is_init() { 0 } else { set(&[HUP, INT, QUIT]) };
        // What was asked for by name was asked for.
        let polite = polite & !set(&[options.stop]);
        return Signals::take_all(all & !polite, polite);
    }
    if options.machine {
        return Signals::take_all(always | set(&[HUP, INT]) | set(&machine::SIGNALS), 0);
    }
    Signals::take_all(always, set(&[INT, HUP, QUIT]))
}

impl Svscan {
    /// Takes what has come.
    pub(crate) fn hear(&mut self) {
        for _ in 0..AT_ONCE {
            let Some(came) = self.signals.next_came() else { break };
            // What this process's own messages come to is nobody's.
            if came.number != CHLD && !came.by_itself {
                self.heed(came.number);
            }
        }
        self.course.command.follow_stop();
    }

    fn heed(&mut self, number: u8) {
        if self.course.plan.machine
            && let Some(end) = machine::meaning(number)
        {
            // It is not the command's, which is told in its own way.
            self.course.command.told = false;
            return self.proceed(Event::Stop(number, end));
        }
        if self.course.command.is_wanted() {
            return self.heed_beside_command(number);
        }
        let stop = number == self.course.stop;
        match number {
            number if stop => self.proceed(Event::Stop(number, End::Code(0))),
            TERM | INT | PWR => self.proceed(Event::Stop(number, End::Code(0))),
            QUIT => self.proceed(Event::StopNow(number, End::Code(0))),
            HUP if !self.leaving => {
                self.look();
                self.feed_all(scan::Event::Leave, |listed| !listed);
            }
            ALRM if !self.leaving => self.scan_at = 0,
            USR1 if !self.leaving => self.renew(),
            _ => {}
        }
    }

    fn heed_beside_command(&mut self, number: u8) {
        let command = &mut self.course.command;
        // Before the command is there, and afterwards, nobody else could hear.
        // Nothing is kept for one that is still to come: what has just begun has
        // no handler yet, so that most signals would end it, and what they ask
        // for, as to read its files again, it does when it begins.
        let alone = !command.runs();
        let got = command.forward(number);
        command.told = got.is_some();
        if self.course.tells[1] {
            let (mut came, mut went) = ([0; 20], [0; 20]);
            let came = decimal(number.into(), &mut came);
            if let Some(got) = got {
                let went = decimal(got.into(), &mut went);
                TOOL.info(&[b"signal ", came, b" forwarded as ", went]);
            } else if alone {
                TOOL.info(&[b"signal ", came, b" not forwarded, the command does not run"]);
            }
        }
        if number == self.course.stop || number == PWR || alone && number == INT {
            self.proceed(Event::Stop(number, End::Code(0)));
        } else if alone && number == QUIT && !self.course.plan.machine {
            self.proceed(Event::StopNow(number, End::Code(0)));
        }
    }
}
