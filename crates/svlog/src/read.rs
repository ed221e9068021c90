//! Reading logs: which of their lines, in which order, and what is done when
//! no more are there.

use crate::backward::Backward;
use crate::entry::Stamps;
use crate::files::{Files, Log, Place};
use crate::forward::{Forward, Span};
use crate::merge::{self, Backwards, Last};
use crate::sink::{Sink, Wanted};
use crate::trouble;
use crate::watch::Watcher;
use rustix::fs;
use rustix::io::Errno;
use upkeep_core::tai::Tai64n;

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
        match Files::open(&log.place, wanted.follow) {
            Ok(files) => {
                if wanted.follow && files.list.is_empty() {
                    waits_for(log.place.shown());
                }
                opened.push((number, files));
            }
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

/// What is waited for may be misspelt.
fn waits_for(path: &[u8]) {
    let what = if fs::stat(path).is_ok() {
        b" has no log in it yet, waiting for one"
    } else {
        &b" is not there yet, waiting for it"[..]
    };
    trouble::warn(&[path, what]);
}

/// The logs from their ends back to where they begin.
fn backwards(opened: Vec<(usize, Files)>, wanted: &Wanted, stamps: &Stamps) -> Vec<Backward> {
    let all = opened.into_iter().map(|(number, mut files)| {
        let end = files.end();
        let since = wanted.since;
        let from = since.map(|since| first_since(&mut files, stamps, since, end).unwrap_or(end));
        let to = wanted.until.and_then(|until| files.first(&mut stamps.clone(), |it| it > until));
        let (from, to) = (from.unwrap_or(files.begin), to.unwrap_or(end));
        Backward::new(number, files, stamps.clone(), from, to)
    });
    all.collect()
}

/// Where the first line is of that moment or later, if there is one before the
/// end. Who asks for times of what has none is told.
fn first_since(files: &mut Files, stamps: &Stamps, since: Tai64n, end: Place) -> Option<Place> {
    let place = files.first(&mut stamps.clone(), |it| it >= since);
    if place.is_none() && end > files.begin && files.first(&mut stamps.clone(), |_| true).is_none()
    {
        files.place().tell_unstamped();
    }
    place
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
    // Of what is followed and comes but once, everything is still to come.
    let (whole, counted): (Vec<_>, Vec<_>) = opened
        .into_iter()
        .partition(|(_, files)| wanted.last.is_none() || wanted.follow && files.is_stream());
    let whole = whole.into_iter().map(|(number, mut files)| {
        let (mut from, mut is_new) = (files.begin, wanted.follow && files.is_stream());
        if let Some(since) = wanted.since.filter(|_| !files.is_stream()) {
            let end = files.end();
            let place = first_since(&mut files, stamps, since, end);
            is_new = wanted.follow && place.is_none();
            from = place.unwrap_or_else(|| if is_new { files.line_at(end) } else { end });
        }
        Forward::new(number, files, stamps.clone(), Span { from, is_new, ..span })
    });
    let mut logs: Vec<_> = whole.collect();
    let numbers: Vec<_> = counted.iter().map(|(number, _)| *number).collect();
    let all = Backwards::new(backwards(counted, wanted, stamps));
    let last = all.last(wanted.last.unwrap_or(0), wanted.before, sink);
    for (number, last) in numbers.into_iter().zip(last) {
        let Last { mut files, from, to } = last;
        let moment = are_several.then(|| files.moment_before(from, &mut stamps.clone())).flatten();
        let is_cut = !wanted.follow && to.part + 1 == files.list.len();
        let end = is_cut.then_some(to.offset);
        // From the first of them on all are wanted.
        let since = wanted.since.filter(|_| from == to);
        let is_new = wanted.follow && from == to;
        let from = if is_new { files.line_at(from) } else { from };
        let span = Span { from, end, since, is_new, ..span };
        let mut log = Forward::new(number, files, stamps.clone(), span);
        log.begin_at(moment);
        logs.push(log);
    }
    logs.sort_by_key(Forward::source);
    logs
}

#[cfg(test)]
mod follow_tests;
#[cfg(test)]
mod tests;
