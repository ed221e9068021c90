//! The output of services that have no logger, and what all of them complain
//! of: svlines reads it and shows whole lines. It is started when svscan is
//! asked for that, and again when it ends; nothing here waits for it but the
//! end.

use crate::svscan::help::TOOL;
use crate::svscan::helper::Helper;
use crate::svscan::options::Options;
use crate::svscan::streams::Streams;
use crate::svscan::watch::Svscan;
use core::ffi::CStr;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsRawFd, BorrowedFd, OwnedFd};
use rustix::io::{Errno, Result};
use rustix::process::{Signal, kill_process};
use upkeep_core::hold::{Message, Pipe, Stream};
use upkeep_core::scan::{RETRY, Which};
use upkeep_servicedir::hold::{Answer, identify};
use upkeep_servicedir::{is_written, open_stream};
use upkeep_sys::clock;

/// How long what is left may take to be written and logged in the end.
pub(crate) const PATIENCE: u64 = 1_000_000_000;

/// What svscan knows of it.
pub(crate) struct Lines {
    pub(crate) helper: Helper,
    pub(crate) streams: Streams,
    args: &'static [&'static CStr],
    /// Whether nobody gets a pipe who has none: nothing is asked for.
    only_found: bool,
    /// Whether it was said that there is no pipe for a service.
    complained: bool,
}

impl Lines {
    /// As the options want it, if they do, and if there are services.
    pub(crate) fn new(options: &Options) -> Option<Self> {
        if !options.tree {
            return None;
        }
        let args: &[&CStr] = match (options.log.is_some(), options.lines, options.names) {
            (false, false, false) => return None,
            (false, _, true) => &[c"svlines", c"-n"],
            (false, true, false) => &[c"svlines"],
            (true, _, true) => &[c"svlines", c"-l", c"-n"],
            (true, true, false) => &[c"svlines", c"-l"],
            (true, false, false) => &[c"svlines", c"-l", c"-q"],
        };
        Some(Self::with(args, false))
    }

    fn with(args: &'static [&'static CStr], only_found: bool) -> Self {
        let mut helper = Helper::new(RETRY);
        helper.wanted = true;
        Self { helper, streams: Streams::new(), args, only_found, complained: false }
    }

    /// Tells of the stream at `place`; says whether nothing is left to tell.
    fn tell(&mut self, place: usize) -> bool {
        let (round, helper) = (self.helper.round, &mut self.helper);
        let told = self.streams.tell(place, round, |what| helper.send(what));
        helper.untold |= !told;
        told
    }
}

/// The ends of a service's streams that its supervise gets.
pub(crate) type Ends = [Option<OwnedFd>; 2];

impl Svscan {
    /// Opens the streams of a service that is to be started, if they are wanted.
    /// Without one the service has what svscan has.
    pub(crate) fn open_streams(&mut self, index: usize) -> Ends {
        let Some(lines) = &mut self.lines else { return [None, None] };
        if lines.only_found {
            // What is written there still is read.
            self.let_streams_go(index);
            return [None, None];
        }
        self.open_both(index)
    }

    /// A supervise was found that another svscan has started, perhaps with
    /// pipes: then they are read, for nobody else may do so any more.
    pub(crate) fn adopt_streams(&mut self, index: usize, which: Which) {
        let is_done = self.lines.as_ref().is_some_and(|lines| !lines.only_found);
        let name = self.roster.name(index);
        let writes = || Stream::BOTH.into_iter().any(|kind| is_written(name, kind));
        if which == Which::Main && !is_done && writes() {
            self.lines.get_or_insert_with(|| Lines::with(&[c"svlines"], true));
            self.open_both(index);
        }
    }

    /// Opens the streams of a service, and has them read and held before
    /// anybody writes.
    fn open_both(&mut self, index: usize) -> Ends {
        let mut ends = [None, None];
        self.start_lines();
        let owner = self.roster.identity(index);
        let has_logger = self.roster.get(index).service.log.is_some();
        let mut lacks = false;
        for kind in Stream::BOTH {
            let Some(lines) = &mut self.lines else { return ends };
            // Whoever cannot be started reads nothing.
            if lines.helper.complained && !lines.helper.is_there() {
                return ends;
            }
            if kind == Stream::Out && has_logger {
                lines.streams.let_go(owner, Some(kind));
                lines.helper.untold = true;
                continue;
            }
            let name = self.roster.name(index);
            let opened = open(name, kind, self.launcher.room()).and_then(|(pipe, read, write)| {
                Ok((lines.streams.add((owner, kind), name, (pipe, read))?, write))
            });
            match opened {
                Ok((place, write)) => {
                    lines.tell(place);
                    self.want_holder();
                    self.tell_of_stream(place);
                    ends[kind as usize] = Some(write);
                }
                Err(why) => {
                    lacks = true;
                    if !core::mem::replace(&mut lines.complained, true) {
                        let name = name.to_bytes();
                        TOOL.warn_os(&[b"unable to create pipe for ", name, LEFT, b": "], why);
                    }
                }
            }
        }
        if let Some(lines) = &mut self.lines {
            lines.complained &= lacks;
        }
        ends
    }

    /// The service is forgotten: what it has written is read to the end.
    pub(crate) fn let_streams_go(&mut self, index: usize) {
        if let Some(lines) = &mut self.lines {
            lines.streams.let_go(self.roster.identity(index), None);
            lines.helper.untold = true;
        }
    }

    /// The service has another name now.
    pub(crate) fn rename_streams(&mut self, index: usize) {
        let Some(lines) = &mut self.lines else { return };
        match lines.streams.rename(self.roster.identity(index), self.roster.name(index)) {
            Ok(renamed) => lines.helper.untold |= renamed,
            Err(_) => self.look_again(),
        }
    }

    /// Takes what svlines says.
    pub(crate) fn hear_lines(&mut self) {
        let Some(lines) = &mut self.lines else { return };
        if let Answer::Done(pipe) = lines.helper.hear()
            && lines.streams.remove(pipe)
        {
            self.let_stream_go(pipe);
        }
    }

    /// svhold need not hold it any more. On the way out all go at once.
    fn let_stream_go(&mut self, pipe: Pipe) {
        if !self.leaving
            && self.holder.is_there()
            && !self.holder.send(|line| line.tell(Message::LetGo(pipe)))
        {
            // The next one will never have heard of it.
            self.holder.hang_up();
        }
    }

    /// Tells svhold of one stream; says whether nothing is left to tell of it.
    fn tell_of_stream(&mut self, place: usize) -> bool {
        let Some(lines) = &mut self.lines else { return true };
        let (round, holder) = (self.holder.round, &mut self.holder);
        lines.streams.tell_holder(place, round, |what| holder.send(what))
    }

    /// Tells svhold of all streams; says whether nothing is left to tell.
    pub(crate) fn tell_of_streams(&mut self) -> bool {
        let count = self.lines.as_ref().map_or(0, |lines| lines.streams.len());
        (0..count).all(|place| self.tell_of_stream(place))
    }

    /// Does what is due: starts svlines, and tells it what it was not told.
    pub(crate) fn keep_lines(&mut self) {
        self.start_lines();
        let Some(lines) = &mut self.lines else { return };
        lines.helper.tick();
        if !lines.helper.untold || !lines.helper.listens() {
            return;
        }
        if !(0..lines.streams.len()).all(|place| lines.tell(place)) {
            return;
        }
        // What is not there yet is told of when it is.
        lines.helper.untold = self.looked && !lines.helper.send(|line| line.tell(Message::Told));
    }

    fn start_lines(&mut self) {
        let Some(lines) = &mut self.lines else { return };
        let (launcher, args) = (&self.launcher, lines.args);
        let log = self.catch.as_ref().and_then(|catch| catch.write());
        let launch = |line: BorrowedFd<'_>, failed: &dyn Fn(Errno)| {
            launcher.start_lines(args, line, log, failed)
        };
        lines.helper.start(launch, complain);
    }

    /// Everything has ended: what is left of their output is written, and then
    /// logged. Not for ever: it may be that nobody reads it.
    pub(crate) fn end_output(&mut self) {
        let until = clock::monotonic() + PATIENCE;
        self.end_lines(until);
        self.lines = None;
        self.end_catch(until);
    }

    /// svlines writes what is left and ends; one that is killed before has a
    /// successor.
    fn end_lines(&mut self, until: u64) {
        let mut told = false;
        self.reap();
        while clock::monotonic() < until {
            self.keep_lines();
            let Some(lines) = &mut self.lines else { return };
            if lines.helper.pid().is_none() {
                if told && lines.helper.left {
                    return;
                }
                told = false;
                lines.helper.hasten();
            }
            told |= !lines.helper.untold && lines.helper.send(|line| line.tell(Message::End));
            let timeout = clock::until(until);
            let signals = PollFd::new(&self.signals, PollFlags::IN);
            let mut fds = [signals.clone(), lines.helper.poll().unwrap_or(signals)];
            let _ = poll(&mut fds, Some(&timeout));
            while self.signals.next_number().is_some() {}
            self.hear_lines();
            self.reap();
        }
        TOOL.warn(&[b"unable to write the last lines of services in time"]);
        if let Some(pid) = self.lines.as_ref().and_then(|lines| lines.helper.pid()) {
            // It has not been waited for, so the pid is its.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// One of the pipes, unless it would take a descriptor that svscan itself may
/// need.
fn open(name: &CStr, kind: Stream, room: i32) -> Result<(Pipe, OwnedFd, OwnedFd)> {
    let (read, write) = open_stream(name, kind)?;
    if read.as_raw_fd().max(write.as_raw_fd()) >= room {
        return Err(Errno::MFILE);
    }
    Ok((identify(&read)?, read, write))
}

fn complain(why: Errno) {
    TOOL.warn_os(&[b"unable to start svlines, ", b"services", LEFT, b": "], why);
}

const LEFT: &[u8] = b" writing where svscan does";
