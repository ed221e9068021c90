//! The lines of one log, the oldest first, and those that come after them.

use crate::Entry;
use crate::entry::Stamps;
use crate::files::{Files, Place, Where};
use crate::lines::Lines;
use crate::part::{Feed, Part, size};
use crate::trouble;
use core::ops::Range;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::collections::VecDeque;
use std::rc::Rc;
use upkeep_core::tai::Tai64n;

/// What has come of going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// There is a line.
    Line,
    /// There are several.
    Block,
    /// There is none for now.
    Pending,
    /// There is none any more.
    End,
}

/// Which of its lines are read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub(crate) from: Place,
    /// As much of the last file as is read.
    pub(crate) end: Option<u64>,
    pub(crate) since: Option<Tai64n>,
    pub(crate) until: Option<Tai64n>,
    pub(crate) follow: bool,
}

/// Goes through a log.
#[derive(Debug)]
pub(crate) struct Forward {
    source: usize,
    files: Files,
    queue: VecDeque<Part>,
    feed: Option<Feed>,
    /// Where in the first of them it begins.
    at: u64,
    lines: Lines,
    stamps: Stamps,
    span: Span,
    /// The line that it is at.
    line: Range<usize>,
    moment: Option<Tai64n>,
    /// Whether the file has been replaced, so that it will not grow.
    is_last_look: bool,
    ended: bool,
    trouble: Option<Errno>,
}

impl Forward {
    pub(crate) fn new(source: usize, mut files: Files, stamps: Stamps, span: Span) -> Self {
        let parts = core::mem::take(&mut files.list);
        Self {
            source,
            files,
            queue: parts.into_iter().skip(span.from.part).collect(),
            feed: None,
            at: span.from.offset,
            lines: Lines::default(),
            stamps,
            span,
            line: 0..0,
            moment: None,
            is_last_look: false,
            ended: false,
            trouble: None,
        }
    }

    /// What lines count as that come before the first stamped one.
    pub(crate) fn begin_at(&mut self, moment: Option<Tai64n>) {
        self.moment = moment;
    }

    /// The moment of the line, or of the last one before it that has one.
    pub(crate) const fn moment(&self) -> Option<Tai64n> {
        self.moment
    }

    /// Whether nothing can come any more.
    pub(crate) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Its number.
    pub(crate) const fn source(&self) -> usize {
        self.source
    }

    /// Where it is.
    pub(crate) const fn log(&self) -> &Where {
        self.files.place()
    }

    /// The line that it is at.
    pub(crate) fn entry(&mut self) -> Entry<'_> {
        Entry::of_line(self.source, self.lines.get(self.line.clone()), &mut self.stamps)
    }

    /// The lines that it is at.
    pub(crate) fn block(&self) -> &[u8] {
        self.lines.get(self.line.clone())
    }

    /// What it waits for if that is no directory's change.
    pub(crate) fn stream(&self) -> Option<&OwnedFd> {
        match &self.feed {
            Some(Feed::Stream(stream)) if !self.ended => Some(stream),
            _ => None,
        }
    }

    /// Goes on to the next line, or to as many as are there.
    pub(crate) fn advance(&mut self, blocks: bool) -> Step {
        while !self.ended {
            let blocks = blocks && self.span.since.is_none() && self.span.until.is_none();
            let taken = if blocks { self.lines.take_all() } else { self.lines.take() };
            if let Some(line) = taken {
                if self.is_wanted(line, blocks) {
                    return if blocks { Step::Block } else { Step::Line };
                }
            } else if let Some(feed) = self.feed.take() {
                match self.read(feed) {
                    Some(Step::Pending) => return Step::Pending,
                    // What is left has no newline.
                    Some(_) => {
                        if let Some(rest) = self.lines.take_rest()
                            && self.is_wanted(rest, blocks)
                        {
                            return if blocks { Step::Block } else { Step::Line };
                        }
                    }
                    None => {}
                }
            } else if let Some(mut part) = self.queue.pop_front() {
                let at = core::mem::take(&mut self.at);
                self.feed = self.files.feed(&mut part, at);
            } else if !self.span.follow || self.files.is_input() {
                self.ended = true;
            } else if !self.look() {
                return Step::Pending;
            }
        }
        Step::End
    }

    /// Whether the line is, which then is the one that it is at.
    fn is_wanted(&mut self, line: Range<usize>, is_block: bool) -> bool {
        self.line = line;
        if is_block {
            return true;
        }
        let moment = self.stamps.moment(self.lines.get(self.line.clone()));
        self.moment = moment.or(self.moment);
        if self.span.since.is_some_and(|since| moment.is_none_or(|moment| moment < since)) {
            return false;
        }
        self.span.since = None;
        if let (Some(until), Some(moment)) = (self.span.until, moment)
            && moment > until
        {
            self.ended = true;
            return false;
        }
        true
    }

    /// Reads more; says what there is instead if nothing comes.
    fn read(&mut self, mut feed: Feed) -> Option<Step> {
        if self.span.follow
            && let Feed::Stream(stream) = &feed
            && !is_readable(stream)
        {
            self.feed = Some(feed);
            return Some(Step::Pending);
        }
        let room = self.lines.room();
        let mut most = room.len();
        if let (Some(end), Feed::File(_, at), true) = (self.span.end, &feed, self.queue.is_empty())
        {
            let left = end.saturating_sub(*at);
            most = usize::try_from(left).map_or(most, |left| most.min(left));
        }
        match feed.read(&mut room[..most]) {
            Ok(0) => {}
            Ok(len) => {
                self.lines.filled(len);
                self.feed = Some(feed);
                return None;
            }
            Err(why) => {
                trouble::note_os(&[b"unable to read ", self.files.place().shown(), b": "], why);
                return Some(Step::End);
            }
        }
        if let Feed::File(file, at) = &mut feed
            && self.span.follow
            && self.queue.is_empty()
            && !core::mem::take(&mut self.is_last_look)
        {
            if size(file) < *at {
                *at = 0;
                self.lines.clear();
            } else if self.files.is_replaced() {
                // It may have been written to until then.
                self.is_last_look = true;
            } else {
                self.feed = Some(feed);
                return Some(Step::Pending);
            }
            self.feed = Some(feed);
            return None;
        }
        Some(Step::End)
    }

    /// Looks for more files.
    fn look(&mut self) -> bool {
        match self.files.look() {
            Ok(()) => self.trouble = None,
            Err(why) => {
                if self.trouble.replace(why) != Some(why) {
                    trouble::note_os(&[b"unable to read ", self.files.place().shown(), b": "], why);
                }
            }
        }
        self.queue.extend(self.files.list.drain(..));
        !self.queue.is_empty()
    }
}

fn is_readable(stream: &Rc<OwnedFd>) -> bool {
    let mut fds = [PollFd::new(stream, PollFlags::IN)];
    !matches!(poll(&mut fds, Some(&Timespec::default())), Ok(0))
}
