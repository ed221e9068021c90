//! Keeps svscan running: starts it, and starts it again at once or a little
//! later when it was killed.

use crate::files;
use crate::random::Random;
use crate::wait::patient;
use crate::world::World;
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{Pid, WaitStatus};
use std::fs::OpenOptions;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use upkeep_outside::container::{Beginning, process_one};
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::guard;
use upkeep_outside::processes::Process;
use upkeep_outside::wait::{SECOND, first, now};

/// How long a container may take to end, and how long its command waits for
/// services that may never be ready.
const GRACE: u64 = 60 * SECOND;
const READY: u64 = 5 * SECOND;
/// Behind the programs in the PATH of all that is started.
const SYSTEM: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// svscan, and a descriptor of it; in a container `unshare`, which ends as it
/// does.
pub(crate) type Started = (Process, OwnedFd);

/// Starts it.
pub(crate) fn start(world: &World) -> Result<Started, Failure> {
    let mut command = program(world, "svscan");
    let scan = world.root.join(files::SCAN);
    if !world.container {
        command.arg(scan);
        return world.reaper.spawn(speaking(&mut command, world)?);
    }
    // It is to end by itself: who is late on the way is to be seen.
    command.args(["--grace", &(patient(GRACE) / SECOND).to_string()]);
    command.args(["--ready", &(patient(READY) / SECOND).to_string()]);
    if let Some(showing) = world.showing {
        showing.ask(&mut command, world);
    }
    command.arg(scan).arg("--").arg(world.root.join(files::COMMAND));
    command.current_dir(&world.root);
    let exe = std::env::current_exe().unable("find myself")?;
    symlink(&exe, world.root.join(files::COMMAND)).unable("make a command")?;
    crate::command::prepare(world)?;
    let (beginning, mut whole) = Beginning::prepare(&world.root, &exe, &command)?;
    whole.stdin(Stdio::null());
    let (process, fd) = world.reaper.spawn(speaking(&mut whole, world)?)?;
    let there = beginning.wait(fd.as_fd(), now() + patient(30 * SECOND))?;
    there.ok_or_else(|| Failure::Late("the beginning of process 1".to_owned()))?;
    let outer = Pid::from_raw(process.pid).ok_or("it is gone").unable("find unshare")?;
    world.settle_in(&process_one(outer)?);
    Ok((process, fd))
}

/// Keeps it running until it may end or everything is over. The answer is how
/// it ended when it might. The first one was started.
pub(crate) fn run(
    world: &World,
    seed: u64,
    started: Started,
) -> Result<Option<WaitStatus>, Failure> {
    let mut random = Random::new(seed, 2);
    let mut next = Some(started);
    loop {
        let (process, fd) = match next.take() {
            Some(started) => started,
            None => start(world)?,
        };
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
        if world.container {
            // Everybody has ended with it.
            return Ok(None);
        }
        // At once, or while everybody below has to do without.
        let pause = if random.once_in(2) { 0 } else { random.milliseconds(0, 1000) };
        if first(&[world.over.as_fd()], now() + pause)?.is_some() {
            return Ok(None);
        }
    }
}

/// What it says goes to a file; in a container to a pipe, of which another
/// thread writes it there.
fn speaking<'a>(command: &'a mut Command, world: &World) -> Result<&'a mut Command, Failure> {
    if let Some(mouth) = world.mouth.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let also = mouth.try_clone().unable("share a pipe")?;
        return Ok(command.stdout(mouth).stderr(also));
    }
    let path = world.root.join(files::SAID);
    let said = OpenOptions::new().append(true).create(true).open(&path);
    let said = said.unable(format_args!("open {}", path.display()))?;
    let also = said.try_clone().unable("share a file")?;
    Ok(command.stdout(said).stderr(also))
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
