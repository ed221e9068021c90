//! Keeps svscan running: starts it, and starts it again at once or a little
//! later when it was killed.

use crate::files;
use crate::random::Random;
use crate::wait::patient;
use crate::world::World;
use rustix::fd::AsFd;
use rustix::process::WaitStatus;
use std::fs::OpenOptions;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::guard;
use upkeep_outside::wait::{SECOND, first, now};

/// Behind the programs in the PATH of all that is started.
const SYSTEM: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// Keeps it running until it may end or everything is over. The answer is how
/// it ended when it might.
pub(crate) fn run(world: &World, seed: u64) -> Result<Option<WaitStatus>, Failure> {
    let mut random = Random::new(seed, 2);
    loop {
        let (process, fd) = world.reaper.spawn(&mut command(world)?)?;
        let fd = Arc::new(fd);
        let generation = {
            let mut scanner = world.scanner();
            scanner.process = Some((process.clone(), Arc::clone(&fd)));
            scanner.generation += 1;
            scanner.started = now();
            scanner.generation
        };
        world.report.figures().scanners += 1;
        world.news.ring();
        if first(&[fd.as_fd(), world.over.as_fd()], u64::MAX)? != Some(0) {
            return Ok(None);
        }
        let end = world.reaper.end((&process, &fd), patient(SECOND))?;
        let killed = {
            let mut scanner = world.scanner();
            scanner.process = None;
            scanner.killed == generation
        };
        if world.ending.load(Ordering::SeqCst) {
            return Ok(end);
        }
        if !killed {
            world.report.violation("svscan", &format!("ended by itself, {end:?}"));
        }
        // At once, or while everybody below has to do without.
        let pause = if random.once_in(2) { 0 } else { random.milliseconds(0, 1000) };
        if first(&[world.over.as_fd()], now() + pause)?.is_some() {
            return Ok(None);
        }
    }
}

fn command(world: &World) -> Result<Command, Failure> {
    let mut command = program(world, "svscan");
    let path = world.root.join(files::SAID);
    let said = OpenOptions::new().append(true).create(true).open(&path);
    let said = said.unable(format_args!("open {}", path.display()))?;
    let also = said.try_clone().unable("share a file")?;
    command.arg(world.root.join(files::SCAN)).stdout(said).stderr(also);
    Ok(command)
}

/// One of the programs under test, in an environment that has what is meant
/// for them and nothing else.
pub(crate) fn program(world: &World, name: &str) -> Command {
    let mut command = Command::new(world.programs.join(name));
    command.env_clear().env("PATH", format!("{}:{SYSTEM}", world.programs.display()));
    for (name, value) in std::env::vars_os() {
        let ours = name.to_str().is_some_and(|n| n.starts_with("UPKEEP_"));
        if ours && name != guard::GUARD && name != guard::WORK {
            command.env(name, value);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}
