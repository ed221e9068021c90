//! What services without a logger write in a container: how svscan is to show
//! and log it, who reads what it shows, and the judge of both. A line may be
//! there again only behind a kill of svlines.

use crate::logs::{self, Judge, Verdict, Written, logs_in};
use crate::moves::Role;
use crate::random::Random;
use crate::world::World;
use crate::{files, killer};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::inotify::WatchFlags;
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::process::Command;
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::wait::first;

/// Who else says something where lines are shown and logged.
const PROGRAMS: [&str; 5] = ["svscan", "svhold", "svlines", "supervise", "multilog"];
/// What svscan says if not all could be written in the end.
const LATE: &[u8] = b"the last lines of services in time";
/// As many streams, one of standard output and one of standard error, may be
/// in the middle of being written when svlines is killed.
const AT_ONCE: u64 = 2;
/// As many lines that nobody may have written are told.
const TOLD: usize = 3;

/// How it is shown and logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Showing {
    /// Whether it is shown, with names.
    names: bool,
    /// Whether it is logged.
    log: bool,
    /// How much is on its way to the reader at most.
    room: usize,
}

impl Showing {
    pub(crate) fn choose(seed: u64) -> Self {
        let mut random = Random::new(seed, 6);
        let [names, log] =
            [[true, false], [true, true], [false, true]][random.weighted(&[1, 1, 1])];
        let room = if random.once_in(2) { 4096 } else { 65536 };
        Self { names, log, room }
    }

    /// For people.
    pub(crate) fn words(self) -> String {
        let Self { names, log, room } = self;
        let option = |is, word| if is { word } else { "" };
        format!("svscan{}{}, to a pipe of {room} bytes", option(names, " -n"), option(log, " -L"))
    }

    /// Has svscan show and log it so.
    pub(crate) fn ask(self, command: &mut Command, world: &World) {
        if self.names {
            command.arg("-n");
        }
        if self.log {
            command.arg("-L").arg(world.root.join(files::ALL));
        }
    }

    /// What svscan writes to, and what is to be [`drain`]ed.
    pub(crate) fn prepare(self, world: &World) -> Result<(OwnedFd, OwnedFd), Failure> {
        for dir in [files::ALL, files::KEPT] {
            let path = world.root.join(dir);
            fs::create_dir(&path).unable(format_args!("make {}", path.display()))?;
        }
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).unable("make a pipe")?;
        fcntl_setpipe_size(&write, self.room).unable("make a pipe smaller")?;
        Ok((read, write))
    }
}

/// Writes what comes out of the pipe to the file of what is said, until nobody
/// writes any more, or everything is over.
pub(crate) fn drain(world: &World, pipe: &OwnedFd) -> Result<(), Failure> {
    let path = world.root.join(files::SAID);
    let said = OpenOptions::new().append(true).create(true).open(&path);
    let mut said = said.unable(format_args!("open {}", path.display()))?;
    let mut room = vec![0; 65536];
    while first(&[pipe.as_fd(), world.over.as_fd()], u64::MAX)? == Some(0) {
        match rustix::io::read(pipe, &mut room) {
            Ok(0) => break,
            Ok(n) => said.write_all(&room[..n]).unable("keep what is said")?,
            Err(Errno::INTR) => {}
            Err(why) => return Err(why).unable("hear what is said"),
        }
    }
    Ok(())
}

/// Keeps the logs that multilog removes, until everything is over.
pub(crate) fn keep(world: &World) -> Result<(), Failure> {
    let what = WatchFlags::MOVED_TO | WatchFlags::CREATE;
    let notices = killer::notices(&world.root.join(files::ALL), what)?;
    while first(&[world.over.as_fd(), notices.as_fd()], u64::MAX)? == Some(1) {
        killer::silence(&notices);
        keep_now(world)?;
    }
    Ok(())
}

fn keep_now(world: &World) -> Result<(), Failure> {
    for log in logs_in(&world.root.join(files::ALL))? {
        let Some(name) = log.file_name().filter(|_| logs::is_old(&log)) else { continue };
        // It may be there, or be gone already.
        let _ = fs::hard_link(&log, world.root.join(files::KEPT).join(name));
    }
    Ok(())
}

/// Judges where the lines came out; answers what is there, and where. What is
/// known of each service that is shown, `written` says.
pub(crate) fn judge(
    world: &World,
    showing: Showing,
    written: &[Option<Written>],
) -> Result<Vec<(&'static str, Verdict)>, Failure> {
    let path = world.root.join(files::SAID);
    let said = fs::read(&path).unable(format_args!("read {}", path.display()))?;
    let late = memchr::memmem::find(&said, LATE).is_some();
    let mut written = written.to_vec();
    for one in written.iter_mut().flatten() {
        one.flushed &= !late;
    }
    let mut verdicts = Vec::new();
    let none = vec![None; written.len()];
    let mut all = All::new(world, if showing.names { &written } else { &none });
    all.text("the output", &said, late);
    let verdict = all.end("the output");
    if showing.names {
        verdicts.push(("shown", verdict));
    }
    if showing.log {
        keep_now(world)?;
        let mut all = All::new(world, &written);
        let now = logs_in(&world.root.join(files::ALL))?;
        let now = now.into_iter().filter(|log| !logs::is_old(log));
        for log in logs_in(&world.root.join(files::KEPT))?.into_iter().chain(now) {
            let text = fs::read(&log).unable(format_args!("read {}", log.display()))?;
            let name = log.file_name().unwrap_or_default().to_string_lossy();
            all.text(&name, &text, name.ends_with(".u"));
        }
        verdicts.push(("logged", all.end("the log of all")));
    }
    Ok(verdicts)
}

/// The name in front of a line, and what follows.
pub(crate) fn speaker(line: &[u8]) -> Option<(&str, &[u8])> {
    let at = memchr::memmem::find(line, b": ")?;
    Some((std::str::from_utf8(&line[..at]).ok()?, &line[at + 2..]))
}

/// The lines of all services in one text.
struct All<'a> {
    world: &'a World,
    names: HashMap<&'a str, Judge<'a>>,
    /// Lines that are nobody's, or end before they should.
    strays: Vec<String>,
    cut: u64,
}

impl<'a> All<'a> {
    fn new(world: &'a World, written: &'a [Option<Written>]) -> Self {
        let services = world.services.iter().zip(written);
        let judged = |(service, written): (&'a crate::world::Service, &'a Option<Written>)| {
            Some((service.name(), Judge::new(written.as_ref()?)))
        };
        let names = services.filter_map(judged).collect();
        Self { world, names, strays: Vec::new(), cut: 0 }
    }

    /// Some more of it. `unfinished`: its writer was killed.
    fn text(&mut self, place: &str, text: &[u8], unfinished: bool) {
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', text) {
            self.line(place, logs::without_stamp(&text[from..end]));
            from = end + 1;
        }
        let rest = &text[from..];
        if !rest.is_empty() && unfinished {
            self.cut += 1;
        } else if !rest.is_empty() {
            self.stray(place, rest);
        }
    }

    fn line(&mut self, place: &str, line: &[u8]) {
        let Some((name, text)) = speaker(line) else { return self.stray(place, line) };
        let says_program = |(name, _)| PROGRAMS.contains(&name);
        match self.names.get_mut(name) {
            // What its supervise complains of is shown with its name as well.
            _ if says_program((name, text)) || speaker(text).is_some_and(says_program) => {}
            Some(judge) => judge.line(place, text),
            None => self.stray(place, line),
        }
    }

    fn stray(&mut self, place: &str, line: &[u8]) {
        let begin = String::from_utf8_lossy(&line[..line.len().min(60)]);
        self.strays.push(format!("{} bytes in {place}: {begin:?}", line.len()));
    }

    /// There is no more.
    fn end(self, place: &str) -> Verdict {
        let report = &self.world.report;
        let mut sum = Verdict { cut: self.cut, ..Verdict::default() };
        for (name, judge) in self.names {
            let verdict = judge.end();
            verdict.report(&format!("{name} in {place}"), report);
            sum.add(&verdict);
        }
        if !self.strays.is_empty() {
            let (count, told) = (self.strays.len(), self.strays.len().min(TOLD));
            let facts = format!("{count} lines are nobody's: {}", self.strays[..told].join("; "));
            report.violation(place, &facts);
        }
        let kills = report.figures().kills.get(Role::Lines.name()).copied().unwrap_or(0);
        if sum.back > AT_ONCE * kills {
            let facts = format!("lines are there again {} times after {kills} kills", sum.back);
            report.violation(place, &facts);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_showing() {
        let all: Vec<Showing> = (0..100).map(Showing::choose).collect();
        for (names, log) in [(true, false), (true, true), (false, true)] {
            for room in [4096, 65536] {
                assert!(all.contains(&Showing { names, log, room }));
            }
        }
    }
}
