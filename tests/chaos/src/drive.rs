//! One run from the beginning to the end: make the services, have svscan keep
//! them, kill, let everything come to rest, end it, judge.

use crate::control::Stage;
use crate::logs::{Verdict, Written};
use crate::options::Options;
use crate::processes;
use crate::report::say;
use crate::service::Count;
use crate::wait::{gone, patient};
use crate::watch::Watcher;
use crate::world::World;
use crate::{files, killer, logs, scanner, summary, tree};
use rustix::fd::AsFd;
use rustix::process::{Signal, WaitStatus, pidfd_send_signal};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::thread::{Scope, ScopedJoinHandle};
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
    for name in ["svscan", "svhold", "supervise", "svc", "multilog"] {
        let path = programs.join(name);
        path.metadata().unable(format_args!("find {}", path.display()))?;
    }
    let services = tree::make(work, options.services, seed)?;
    let world = World::new(work.to_owned(), programs, services)?;
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
    let scanning = scope.spawn(move || {
        let end = scanner::run(world, seed);
        // Without svscan there is nothing to wait for.
        if !matches!(end, Ok(Some(_))) {
            world.over.ring();
        }
        end
    });
    watcher.settle(now() + patient(REST))?;
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
    let clean = !world.over.rings()? && end(world, scanning)?;
    watcher.hear(true);
    if clean {
        watcher.conclude();
    } else {
        world.over.ring();
        end_all(gone())?;
        watcher.hear(false);
    }
    let logs = judge_logs(world, &watcher, clean)?;
    let said = summary::said(world)?;
    summary::judge_said(&said, world);
    summary::print(world, &said, &logs);
    Ok(())
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
        let left = left_over(&[])?.join(", ");
        world.report.violation("svscan", &format!("does not end after TERM; there are {left}"));
        return Ok(false);
    }
    let status = scanning.join().unwrap_or(Err(Failure::Interrupted))?;
    if status.and_then(WaitStatus::exit_status) != Some(0) {
        world.report.violation("svscan", &format!("did not end with 0 after TERM, {status:?}"));
    }
    // What a service started and left alone ends by itself.
    for process in processes::below()?.iter().filter(|p| is_helper(p)) {
        if let Some(fd) = process.open() {
            first(&[fd.as_fd()], now() + patient(REST))?;
        }
    }
    let left = left_over(&[files::HELPER])?;
    if !left.is_empty() {
        world.report.violation("svscan", &format!("ended and left {}", left.join(", ")));
    }
    Ok(left.is_empty())
}

fn is_helper(process: &Process) -> bool {
    process.name == files::HELPER
}

fn left_over(besides: &[&str]) -> Result<Vec<String>, Failure> {
    let mut left = processes::below()?;
    left.retain(|p| !besides.contains(&p.name.as_str()));
    Ok(left.iter().map(|p| format!("{} {}", p.name, p.pid)).collect())
}

fn judge_logs(world: &World, watcher: &Watcher<'_>, clean: bool) -> Result<Verdict, Failure> {
    let mut sum = Verdict::default();
    for (service, story) in world.services.iter().zip(watcher.stories()) {
        let Some(log) = &service.log else { continue };
        let count = Count::find(&service.main.dir)?;
        let mut uncertain = story.uncertain.clone();
        if !count.closed {
            uncertain.insert(count.last + 1);
        }
        let (seed, last) = (service.make.seed, count.last);
        let written = Written { seed, last, uncertain, flushed: clean };
        let verdict = logs::judge(&log.dir.join(files::LOGS), &written)?;
        if !verdict.is_good() {
            let Verdict { lost, torn, disordered, invented, .. } = verdict;
            let faults = verdict.faults.join("; ");
            let facts = format!(
                "{lost} lines lost, {torn} torn, {disordered} out of order, {invented} nobody's: \
                 {faults}"
            );
            world.report.violation(&log.name, &facts);
        }
        sum.lines += verdict.lines;
        sum.doubled += verdict.doubled;
        sum.cut += verdict.cut;
        sum.lost += verdict.lost;
        sum.torn += verdict.torn;
        sum.disordered += verdict.disordered;
        sum.invented += verdict.invented;
    }
    Ok(sum)
}
