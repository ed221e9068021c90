//! One run from the beginning to the end: make the services, have svscan keep
//! them, kill, let everything come to rest, end it, judge.

use crate::command::{self, Ending};
use crate::control::{Stage, TURN};
use crate::logs::{Verdict, Written};
use crate::options::Options;
use crate::processes;
use crate::report::say;
use crate::service::Count;
use crate::shown::{self, Showing};
use crate::status::{OVER, Status};
use crate::wait::{gone, patient};
use crate::watch::Watcher;
use crate::world::{Service, World};
use crate::{files, killer, logs, scanner, summary, tree};
use rustix::fd::AsFd;
use rustix::process::{Signal, WaitStatus, pidfd_send_signal};
use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::thread::{Scope, ScopedJoinHandle};
use upkeep_outside::container;
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::processes::{Process, end_all};
use upkeep_outside::wait::{SECOND, first, now};

/// How long everything may take to come to rest.
const REST: u64 = 30 * SECOND;

type Scanning<'scope> = ScopedJoinHandle<'scope, Result<Option<WaitStatus>, Failure>>;

/// Runs it all in `work`; answers whether a statement does not hold.
pub(crate) fn run(options: &Options, work: &Path) -> Result<bool, Failure> {
    let seed = options.seed.unwrap_or_else(|| now() % 1_000_000_007);
    say(&format!("seed {seed}, {} services, in {}", options.services, work.display()));
    let programs = options.programs.canonicalize();
    let programs = programs.unable(format_args!("find {}", options.programs.display()))?;
    for name in ["svscan", "svhold", "svlines", "supervise", "svc", "multilog"] {
        let path = programs.join(name);
        path.metadata().unable(format_args!("find {}", path.display()))?;
    }
    if options.container {
        container::is_possible()?;
    }
    let showing = options.container.then(|| Showing::choose(seed));
    let services = tree::make(work, options.services, options.container, seed)?;
    let world = World::new(work.to_owned(), programs, showing, services)?;
    std::thread::scope(|scope| {
        scope.spawn(|| world.reaper.run());
        let outcome = judged(&world, options, seed, scope);
        // Whatever happened, every thread ends and nothing is left.
        world.over.ring();
        let cleared = end_all(gone());
        world.reaper.stop();
        outcome?;
        cleared
    })?;
    Ok(world.report.violations() > 0)
}

fn judged<'scope>(
    world: &'scope World,
    options: &'scope Options,
    seed: u64,
    scope: &'scope Scope<'scope, '_>,
) -> Result<(), Failure> {
    let mut watcher = Watcher::new(world, seed)?;
    let hearing = match world.showing {
        Some(showing) => Some(hear(world, showing, scope)?),
        None => None,
    };
    let started = scanner::start(world)?;
    let scanning = scope.spawn(move || {
        let end = scanner::run(world, seed, started);
        // Without svscan there is nothing to wait for.
        if !matches!(end, Ok(Some(_))) {
            world.over.ring();
        }
        end
    });
    watcher.settle(now() + patient(REST))?;
    if world.container {
        command_runs(world, &mut watcher)?;
    }
    let killing = scope.spawn(move || {
        let end = killer::run(world, seed, options);
        if end.is_err() {
            world.over.ring();
        }
        end
    });
    watcher.stage = Stage::Lively;
    if options.until_violation {
        world.report.ring_at_the_first(&world.over)?;
    }
    watcher.watch(now() + options.seconds * SECOND)?;
    world.mercy.ring();
    killing.join().unwrap_or(Err(Failure::Interrupted))?;
    for stage in [Stage::Resting, Stage::LayingDown] {
        watcher.stage = stage;
        watcher.settle(now() + patient(REST))?;
    }
    // At the first violation, where that is the end, nobody is asked to end.
    let clean = !world.over.rings()?
        && if world.container {
            end_all_by_command(world, seed, scanning)?
        } else {
            end(world, scanning)?
        };
    watcher.hear(true);
    if clean {
        watcher.conclude();
    } else {
        world.over.ring();
        end_all(gone())?;
        watcher.hear(false);
    }
    if let Some(hearing) = hearing {
        hearing.join().unwrap_or(Err(Failure::Interrupted))?;
    }
    let written = written(world, &watcher, clean)?;
    let mut verdicts = vec![("in the logs", judge_logs(world, &written)?)];
    if let Some(showing) = world.showing {
        let shown = |n: usize| Some(written[n].clone()).filter(|_| world.services[n].make.shown);
        let written: Vec<_> = (0..written.len()).map(shown).collect();
        verdicts.extend(shown::judge(world, showing, &written)?);
    }
    let said = summary::said(world)?;
    summary::judge_said(&said, world);
    summary::print(world, &said, &verdicts);
    Ok(())
}

/// Has everything read that svscan and svlines write.
fn hear<'scope>(
    world: &'scope World,
    showing: Showing,
    scope: &'scope Scope<'scope, '_>,
) -> Result<ScopedJoinHandle<'scope, Result<(), Failure>>, Failure> {
    say(&format!("the output: {}", showing.words()));
    let (read, write) = showing.prepare(world)?;
    *world.mouth.lock().unwrap_or_else(PoisonError::into_inner) = Some(write);
    scope.spawn(|| shown::keep(world));
    Ok(scope.spawn(move || shown::drain(world, &read)))
}

/// Ends svscan as a person would, and looks at what is left; answers whether
/// that was a clean end.
fn end(world: &World, scanning: Scanning<'_>) -> Result<bool, Failure> {
    world.ending.store(true, Ordering::SeqCst);
    world.ended.store(now(), Ordering::SeqCst);
    let svscan = world.scanner().process.clone();
    let Some((_, fd)) = svscan else {
        world.report.violation("svscan", "is not there in the end");
        return Ok(false);
    };
    let _ = pidfd_send_signal(&fd, Signal::TERM);
    if first(&[fd.as_fd()], now() + patient(2 * REST))?.is_none() {
        let left = left_over(&[], world)?.join(", ");
        world.report.violation("svscan", &format!("does not end after TERM; there are {left}"));
        return Ok(false);
    }
    let status = scanning.join().unwrap_or(Err(Failure::Interrupted))?;
    if status.and_then(WaitStatus::exit_status) != Some(0) {
        world.report.violation("svscan", &format!("did not end with 0 after TERM, {status:?}"));
    }
    // What a service started and left alone ends by itself.
    for process in processes::below(world.place())?.iter().filter(|p| is_helper(p)) {
        if let Some(fd) = process.open() {
            first(&[fd.as_fd()], now() + patient(REST))?;
        }
    }
    let left = left_over(&[files::HELPER], world)?;
    if !left.is_empty() {
        world.report.violation("svscan", &format!("ended and left {}", left.join(", ")));
    }
    Ok(left.is_empty())
}

/// Waits until the main command of the container runs.
fn command_runs(world: &World, watcher: &mut Watcher<'_>) -> Result<(), Failure> {
    let until = now() + patient(REST);
    while command::starts(world)? == 0 && !world.over.rings()? {
        if now() >= until {
            world.report.violation(files::COMMAND, "is not started");
            return Ok(());
        }
        watcher.watch(now() + TURN)?;
    }
    Ok(())
}

/// Has the main command end, or everything by svscan, and looks whether all of
/// the container went with it, in order and with the right code.
fn end_all_by_command(world: &World, seed: u64, scanning: Scanning<'_>) -> Result<bool, Failure> {
    let ending = Ending::choose(seed);
    say(&format!("the end: {}", ending.words()));
    let outer = world.scanner().process.clone();
    let Some((_, fd)) = outer else {
        world.report.violation("svscan", "is not there in the end");
        return Ok(false);
    };
    world.ending.store(true, Ordering::SeqCst);
    world.ended.store(now(), Ordering::SeqCst);
    ending.bring_about(world)?;
    if first(&[fd.as_fd()], now() + patient(3 * REST))?.is_none() {
        let left = left_over(&[], world)?.join(", ");
        world.report.violation("svscan", &format!("does not end; there are {left}"));
        return Ok(false);
    }
    let status = scanning.join().unwrap_or(Err(Failure::Interrupted))?;
    if status.and_then(WaitStatus::exit_status) != Some(ending.code()) {
        let facts = format!("ended with {status:?}, not {}: {}", ending.code(), ending.words());
        world.report.violation("svscan", &facts);
    }
    command::judge(ending, world)?;
    // Whoever was left was killed with process 1, and could not say so.
    let mut clean = true;
    for half in world.services.iter().flat_map(Service::halves) {
        let stage = Status::read(&half.dir).map(|status| status.own.stage);
        if stage != Some(OVER) {
            let facts = format!("its supervise did not leave before svscan did: stage {stage:?}");
            world.report.violation(&half.name, &facts);
            clean = false;
        }
    }
    Ok(clean)
}

fn is_helper(process: &Process) -> bool {
    process.name == files::HELPER
}

fn left_over(besides: &[&str], world: &World) -> Result<Vec<String>, Failure> {
    let mut left = processes::below(world.place())?;
    left.retain(|p| !besides.contains(&p.name.as_str()));
    Ok(left.iter().map(|p| format!("{} {}", p.name, p.pid)).collect())
}

/// What each service has written.
fn written(world: &World, watcher: &Watcher<'_>, clean: bool) -> Result<Vec<Written>, Failure> {
    let written = world.services.iter().zip(watcher.stories()).map(|(service, story)| {
        let count = Count::find(&service.main.dir)?;
        let mut uncertain = story.uncertain.clone();
        if !count.closed {
            uncertain.insert(count.last + 1);
        }
        let (seed, last) = (service.make.seed, count.last);
        Ok(Written { seed, last, uncertain, flushed: clean })
    });
    written.collect()
}

fn judge_logs(world: &World, written: &[Written]) -> Result<Verdict, Failure> {
    let mut sum = Verdict::default();
    for (service, written) in world.services.iter().zip(written) {
        let Some(log) = &service.log else { continue };
        let verdict = logs::judge(&log.dir.join(files::LOGS), written)?;
        verdict.report(&log.name, &world.report);
        sum.add(&verdict);
    }
    Ok(sum)
}
