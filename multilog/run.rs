//! From the arguments to the end of the input: signals, waiting, reading,
//! and the order in which they happen. What a line means is not known here.

use crate::engine::Engine;
use crate::input::{Input, Read};
use crate::plan::Plan;
use rustix::fd::IntoRawFd;
use rustix::fs::{Mode, OFlags};
use rustix::stdio::{stderr, stdin, stdout};
use upkeep_cli::{Exit, Tool};
use upkeep_logdir::Voice;
use upkeep_sys::Args;
use upkeep_sys::signals::{Signal, Signals};

/// Runs multilog.
pub(crate) fn run(tool: &Tool, args: Args) -> Exit {
    // With anything behind it, `-h` is a pattern and no question.
    if args.len() == 2
        && let Some(exit) = tool.answer(args)
    {
        return exit;
    }
    let mut voice = Voice::new(*tool);
    match start(args.skip(1), &mut voice) {
        Ok((engine, input, signals)) => {
            work(engine, input, &signals, &mut voice);
            Exit::Success
        }
        Err(exit) => exit,
    }
}

fn start(args: Args, voice: &mut Voice) -> Result<(Engine, Input, Signals), Exit> {
    fill_standard_descriptors();
    rustix::process::umask(Mode::WGRP | Mode::WOTH);
    let signals = Signals::take(&[Signal::TERM, Signal::ALARM], &[])
        .map_err(|why| voice.fatal(&[b"unable to catch signals: "], why))?;
    let plan = Plan::read(args, signals.before(), voice)?;
    let input = Input::open().map_err(|_| voice.out_of_memory())?;
    let engine = Engine::new(plan, voice)?;
    Ok((engine, input, signals))
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

fn work(mut engine: Engine, mut input: Input, signals: &Signals, voice: &mut Voice) {
    let mut leaving = false;
    loop {
        if input.wait(signals) {
            while let Some(signal) = signals.next() {
                if signal == Signal::ALARM {
                    engine.rotate(voice);
                } else {
                    leaving = true;
                    input.leave();
                }
            }
        }
        if leaving && input.is_empty() && engine.is_between_lines() {
            break;
        }
        match input.read() {
            Read::Some => {
                let (bytes, seen) = input.bytes();
                let used = engine.take(bytes, seen, voice);
                // What is taken out of the pipe must be in the logs.
                engine.settle(voice);
                input.used(used);
            }
            Read::Nothing => {}
            Read::End => break,
        }
    }
    let rest = input.bytes().0;
    let len = rest.len();
    engine.finish(rest, voice);
    input.used(len);
}
