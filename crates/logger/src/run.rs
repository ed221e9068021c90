//! From the arguments to the end of the input: signals, waiting, reading,
//! and the order in which they happen. What a line means is not known here.

use crate::engine::Engine;
use crate::input::{Input, Read};
use crate::ledger::Ledger;
use crate::plan::Plan;
use crate::script::{Hangup, Script};
use rustix::fd::IntoRawFd;
use rustix::fs::{Mode, OFlags};
use rustix::stdio::{stderr, stdin, stdout};
use upkeep_cli::{Exit, Tool};
use upkeep_logdir::Voice;
use upkeep_sys::signals::{Signal, Signals};
use upkeep_sys::{clock, point};

/// When nothing came for so long, what it took is given back: a second.
const QUIET: u64 = 1_000_000_000;
/// A line that has begun is given so long to end before logs are opened anew.
const MINUTE: u64 = 60 * 1_000_000_000;

/// Runs a logger, which is told what to do by `script`.
pub fn run(tool: &Tool, mut script: impl FnMut(&mut Voice) -> Result<Script, Exit>) -> Exit {
    let mut voice = Voice::new(*tool);
    let done = start(&mut script, &mut voice).and_then(|logger| logger.work(script, &mut voice));
    match done {
        Ok(()) => Exit::Success,
        Err(exit) => exit,
    }
}

/// What is at work.
struct Logger {
    engine: Engine,
    input: Input,
    ledger: Ledger,
    signals: Signals,
    hangup: Hangup,
    stubborn: bool,
    patience: Option<u64>,
}

/// What it takes only here is not taken from the stack afterwards.
#[inline(never)]
fn start(
    script: &mut impl FnMut(&mut Voice) -> Result<Script, Exit>,
    voice: &mut Voice,
) -> Result<Logger, Exit> {
    fill_standard_descriptors();
    rustix::process::umask(Mode::WGRP | Mode::WOTH);
    let heard = [Signal::TERM, Signal::ALARM, Signal::HUP, Signal::CHILD, Signal::PIPE];
    let signals = Signals::take(&heard, &[])
        .map_err(|why| voice.fatal(&[b"unable to catch signals: "], why))?;
    let mut input = Input::open().map_err(|_| voice.out_of_memory())?;
    let script = script(voice)?;
    let mut ledger = Ledger::new(&script, input.pipe());
    let look = |directory: &_| ledger.look_at(directory, &mut input);
    let plan = Plan::open(&script, signals.before(), look, voice)?;
    let mut engine = Engine::new(plan, voice)?;
    if let Some(recalled) = ledger.recalled() {
        engine.go_on_at(recalled.line);
        if recalled.ended {
            engine.end_line(&recalled.held, voice);
            engine.settle(voice);
            point!("start: ended");
            ledger.forget();
        }
    }
    if !ledger.owes() {
        engine.look_at_the_clock(None);
        engine.expect_report();
    }
    point!("start: ready");
    if let Some(ready) = &script.ready {
        // Whoever asked for it and has gone needs no answer.
        let _ = rustix::io::write(ready, b"\n");
    }
    let Script { hangup, stubborn, patience, .. } = script;
    Ok(Logger { engine, input, ledger, signals, hangup, stubborn, patience })
}

/// The first of two deadlines.
fn earlier(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}

/// Whoever starts this with a standard descriptor closed must not find a log
/// in its place.
fn fill_standard_descriptors() {
    for fd in [stdin(), stdout(), stderr()] {
        if rustix::io::fcntl_getfd(fd).is_err()
            && let Ok(null) = rustix::fs::open(c"/dev/null", OFlags::RDWR, Mode::empty())
        {
            // The lowest that is free is this one, and it stays open.
            let _ = null.into_raw_fd();
        }
    }
}

impl Logger {
    /// Works until the end of the input, or until it is told to leave.
    fn work(
        mut self,
        mut script: impl FnMut(&mut Voice) -> Result<Script, Exit>,
        voice: &mut Voice,
    ) -> Result<(), Exit> {
        let (mut leaving, mut rereading) = (false, false);
        let (mut rest, mut latest) = (None, None);
        // A line is in one log, if it ends in time.
        let mut reopen_at: Option<u64> = None;
        loop {
            if rest.is_some_and(|deadline| deadline <= clock::monotonic()) {
                rest = None;
                self.input.rest();
                self.engine.rest();
            }
            if reopen_at.is_some_and(|latest| {
                self.engine.is_between_lines() || latest <= clock::monotonic()
            }) {
                reopen_at = None;
                self.engine.reopen(voice);
            }
            if rereading && self.may_reread() {
                rereading = false;
                self.reread(&mut script, voice)?;
            }
            let deadline = self.engine.deadline();
            let woken = self
                .input
                .wait(&self.signals, earlier(earlier(latest, reopen_at), earlier(rest, deadline)));
            let mut due = deadline.is_some_and(|deadline| deadline <= clock::monotonic());
            if woken.signal {
                while let Some(signal) = self.signals.next() {
                    voice.hear(signal);
                    let leave = match self.hangup {
                        Hangup::Leave => signal == Signal::HUP,
                        Hangup::Reopen | Hangup::Reread => false,
                    };
                    if leave || (signal == Signal::TERM && !self.stubborn) {
                        leaving = true;
                        self.input.leave();
                        latest = self.patience.map(|time| clock::monotonic().saturating_add(time));
                    }
                    match signal {
                        Signal::ALARM => self.engine.rotate(voice),
                        Signal::HUP => match self.hangup {
                            Hangup::Reopen => reopen_at = Some(clock::monotonic() + MINUTE),
                            Hangup::Reread => rereading = true,
                            Hangup::Leave => {}
                        },
                        Signal::CHILD => due = true,
                        // A write says it too.
                        _ => {}
                    }
                }
            }
            if due && self.engine.due(voice) {
                // It is not to be done again.
                let all = self.input.bytes().0;
                let (held, _) = self.input.apart(all.len());
                self.ledger.holding(&[], held, self.engine.line());
            }
            let may_reopen = reopen_at.is_some() && self.engine.is_between_lines();
            if may_reopen || (rereading && self.may_reread()) {
                continue;
            }
            if leaving && self.input.is_empty() && self.engine.is_between_lines() {
                break;
            }
            if latest.is_some_and(|latest| latest <= clock::monotonic()) {
                break;
            }
            // Reading would be waiting, and for nothing else.
            if !woken.input {
                continue;
            }
            match self.input.read() {
                Read::Some => {
                    batch(&mut self.engine, &mut self.input, &mut self.ledger, voice);
                    rest = self.input.is_spread().then(|| clock::monotonic() + QUIET);
                }
                Read::Begun => {
                    let all = self.input.bytes().0;
                    let (_, fresh) = self.input.apart(all.len());
                    self.ledger.holding(fresh, all, self.engine.line());
                    self.input.hold(&self.ledger);
                }
                Read::Nothing => {}
                Read::End => break,
            }
        }
        self.finish(voice);
        Ok(())
    }

    /// Whether nothing is in hand that another script might not follow.
    fn may_reread(&self) -> bool {
        self.engine.is_between_lines() && !self.ledger.owes()
    }

    /// Asks for the script again, with all logs ended, and follows it.
    fn reread(
        &mut self,
        script: &mut impl FnMut(&mut Voice) -> Result<Script, Exit>,
        voice: &mut Voice,
    ) -> Result<(), Exit> {
        self.engine.close(voice);
        point!("reread: closed");
        let script = script(voice)?;
        let all = self.input.bytes().0;
        let (held, _) = self.input.apart(all.len());
        if held.is_empty() {
            self.ledger.forget();
        }
        self.ledger.follow(&script);
        let (ledger, line) = (&mut self.ledger, self.engine.line());
        let look = |directory: &_| {
            ledger.move_to(directory, held, line);
            None
        };
        let plan = Plan::open(&script, self.signals.before(), look, voice)?;
        point!("reread: opened");
        self.hangup = script.hangup;
        self.engine.renew(plan, voice)
    }

    /// The end of the input, or of its last line.
    fn finish(self, voice: &mut Voice) {
        let Self { mut engine, mut input, mut ledger, .. } = self;
        let rest = input.bytes().0;
        let len = rest.len();
        let (held, fresh) = input.apart(len);
        engine.begin(ledger.writing(fresh, held, engine.now(), engine.line()));
        engine.finish(rest, voice);
        input.used(len, &ledger);
        point!("forgetting");
        ledger.forget();
        point!("forgotten");
    }
}

/// Writes what was read, as far as it can be judged, and then takes it.
fn batch(engine: &mut Engine, input: &mut Input, ledger: &mut Ledger, voice: &mut Voice) {
    let (bytes, seen) = input.bytes();
    let again = ledger.again();
    engine.look_at_the_clock(again);
    let used = engine.reach(bytes);
    if used > 0 && again.is_none() {
        let (held, fresh) = input.apart(used);
        engine.begin(ledger.writing(fresh, held, engine.now(), engine.line()));
    }
    let taken = engine.take(bytes, seen, voice);
    debug_assert_eq!(taken, used, "what is taken is what was noted");
    if taken == 0 {
        return;
    }
    // What is taken out of the pipe must be in the logs.
    engine.settle(voice);
    point!("settled");
    ledger.taking(engine.line());
    input.used(taken, ledger);
}
