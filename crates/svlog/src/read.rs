//! Reading logs: which of their lines, in which order, and what is done when
//! no more are there.

use crate::backward::Backward;
use crate::entry::Stamps;
use crate::files::{Files, Log};
use crate::forward::{Forward, Span};
use crate::merge::{self, Backwards, Last};
use crate::sink::{Sink, Wanted};
use crate::trouble;
use crate::watch::Watcher;
use rustix::io::Errno;

/// Reads what is wanted of the logs. What it answers that went wrong, went
/// wrong in the sink.
pub fn read(
    logs: &[Log],
    wanted: &Wanted,
    stamps: &Stamps,
    sink: &mut impl Sink,
) -> Result<(), Errno> {
    // Whoever follows watches first, and reads then.
    let mut watcher = wanted.follow.then(Watcher::new);
    if let Some(watcher) = &mut watcher {
        logs.iter().enumerate().for_each(|(number, log)| watcher.watch(number, &log.place));
    }
    let mut opened = Vec::with_capacity(logs.len());
    for (number, log) in logs.iter().enumerate() {
        match Files::open(&log.place) {
            Ok(files) => opened.push((number, files)),
            Err(why) => {
                trouble::note_os(&[b"unable to read ", log.place.shown(), b": "], why);
            }
        }
    }
    if wanted.reverse {
        let mut logs = Backwards::new(backwards(opened, wanted, stamps));
        merge::backwards(&mut logs, wanted, sink)?;
    } else {
        let mut logs = forwards(opened, wanted, stamps, sink);
        follow(&mut logs, wanted, watcher.as_mut(), sink)?;
    }
    sink.idle()
}

/// Hands on what is there and, if that is wanted, what comes.
fn follow(
    logs: &mut [Forward],
    wanted: &Wanted,
    mut watcher: Option<&mut Watcher>,
    sink: &mut impl Sink,
) -> Result<(), Errno> {
    loop {
        if merge::forwards(logs, wanted.blocks, sink)?.is_break() {
            return Ok(());
        }
        let Some(watcher) = &mut watcher else { return Ok(()) };
        sink.idle()?;
        if logs.iter().all(Forward::has_ended) || !watcher.wait(logs, sink.output()) {
            return Ok(());
        }
    }
}

/// The logs from their ends back to where they begin.
fn backwards(opened: Vec<(usize, Files)>, wanted: &Wanted, stamps: &Stamps) -> Vec<Backward> {
    let all = opened.into_iter().map(|(number, mut files)| {
        let mut stamps = stamps.clone();
        let end = files.end();
        let place = |files: &mut Files, stamps: &mut Stamps, late: &dyn Fn(_) -> bool| {
            files.first(stamps, late).unwrap_or(end)
        };
        let from = wanted.since.map(|since| place(&mut files, &mut stamps, &|it| it >= since));
        let to = wanted.until.map(|until| place(&mut files, &mut stamps, &|it| it > until));
        let (from, to) = (from.unwrap_or_default(), to.unwrap_or(end));
        Backward::new(number, files, stamps, from, to)
    });
    all.collect()
}

/// The logs from where they begin.
fn forwards(
    opened: Vec<(usize, Files)>,
    wanted: &Wanted,
    stamps: &Stamps,
    sink: &mut impl Sink,
) -> Vec<Forward> {
    let are_several = opened.len() > 1;
    let span =
        Span { since: wanted.since, until: wanted.until, follow: wanted.follow, ..Span::default() };
    let Some(count) = wanted.last else {
        let all = opened.into_iter().map(|(number, mut files)| {
            let from = wanted.since.filter(|_| !files.is_input()).map(|since| {
                let place = files.first(&mut stamps.clone(), |it| it >= since);
                place.unwrap_or_else(|| files.end())
            });
            let span = Span { from: from.unwrap_or_default(), ..span };
            Forward::new(number, files, stamps.clone(), span)
        });
        return all.collect();
    };
    let numbers: Vec<_> = opened.iter().map(|(number, _)| *number).collect();
    let all = Backwards::new(backwards(opened, wanted, stamps));
    let mut logs = Vec::with_capacity(numbers.len());
    for (number, last) in numbers.into_iter().zip(all.last(count, wanted.before, sink)) {
        let Last { mut files, from, to } = last;
        let moment = are_several.then(|| files.moment_before(from, &mut stamps.clone())).flatten();
        let is_cut = !wanted.follow && to.part + 1 == files.list.len();
        let end = is_cut.then_some(to.offset);
        // From the first of them on all are wanted.
        let since = wanted.since.filter(|_| from == to);
        let mut log =
            Forward::new(number, files, stamps.clone(), Span { from, end, since, ..span });
        log.begin_at(moment);
        logs.push(log);
    }
    logs
}

#[cfg(test)]
mod follow_tests;
#[cfg(test)]
mod tests;
