//! The lines of one log, the oldest first, and those that come after them.

use crate::Entry;
use crate::entry::Stamps;
use crate::files::{Files, Place, Where};
use crate::lines::Lines;
use crate::part::{Feed, Part, size};
use crate::seek::fill;
use crate::trouble;
use core::ops::Range;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::collections::VecDeque;
use std::rc::Rc;
use upkeep_core::tai::Tai64n;
use upkeep_sys::clock;

/// So many bytes tell whether a file is still the one that was read.
const SEEN: usize = 64;

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
    /// Whether what comes is written now, as far as no stamp says else.
    pub(crate) is_new: bool,
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
    /// What is read now, for people.
    reading: Vec<u8>,
    /// The last bytes before where it is in a file that may grow.
    seen: Vec<u8>,
    /// Whether it has waited for that.
    waited: bool,
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
            reading: Vec::new(),
            seen: Vec::new(),
            waited: false,
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
        let step = self.next(blocks);
        if step != Step::Pending || matches!(self.feed, Some(Feed::Stream(_))) {
            return step;
        }
        self.span.is_new = true;
        // Where nothing is stamped, what would come is later than its end.
        self.ended = self.moment.is_none() && self.span.until.is_some_and(|until| now() > until);
        if self.ended { Step::End } else { step }
    }

    fn next(&mut self, blocks: bool) -> Step {
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
                self.reading = part.shown(self.files.shown());
                self.begin_seen();
            } else if !self.span.follow || self.files.is_input() {
                self.ended = true;
                if self.line.end > 0 && self.moment.is_none() && self.span.since.is_some() {
                    self.log().tell_unstamped();
                }
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
        if self.span.since.is_none() && self.span.until.is_none() {
            return true;
        }
        let moment = moment.or_else(|| (self.span.is_new && self.moment.is_none()).then(now));
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
        if core::mem::take(&mut self.waited)
            && let Feed::File(file, at) = &mut feed
            && self.is_rewritten(file, *at)
        {
            *at = 0;
            self.seen.clear();
            self.lines.clear();
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
                if self.span.follow {
                    self.seen.clear();
                    self.seen.extend_from_slice(&room[len.saturating_sub(SEEN)..len]);
                }
                self.lines.filled(len);
                self.feed = Some(feed);
                return None;
            }
            Err(Errno::AGAIN) if self.span.follow => {
                self.feed = Some(feed);
                return Some(Step::Pending);
            }
            Err(why) => {
                trouble::note_os(&[b"unable to read ", &self.reading, b": "], why);
                return Some(Step::End);
            }
        }
        if self.span.follow
            && let Feed::Stream(_) = feed
            && let Some(stream) = self.files.reopened()
        {
            self.feed = Some(Feed::Stream(Rc::new(stream)));
            return Some(Step::Pending);
        }
        if let Feed::File(..) = feed
            && self.span.follow
            && self.queue.is_empty()
            && !core::mem::take(&mut self.is_last_look)
        {
            self.feed = Some(feed);
            // It may have been written to until then.
            self.is_last_look = self.files.is_replaced();
            self.waited = true;
            return (!self.is_last_look).then_some(Step::Pending);
        }
        Some(Step::End)
    }

    /// Remembers what is before the place where a file is begun to be read.
    fn begin_seen(&mut self) {
        self.seen.clear();
        if self.span.follow
            && let Some(Feed::File(file, at)) = &self.feed
        {
            let len = SEEN.min(usize::try_from(*at).unwrap_or(SEEN));
            self.seen.resize(len, 0);
            if fill(file, &mut self.seen, *at - len as u64) != Ok(len) {
                self.seen.clear();
            }
        }
    }

    /// Whether the file is not what was read, with more behind it.
    fn is_rewritten(&self, file: &OwnedFd, at: u64) -> bool {
        let mut there = [0; SEEN];
        let there = &mut there[..self.seen.len()];
        let from = at.saturating_sub(there.len() as u64);
        size(file) < at || fill(file, there, from).is_ok() && *there != *self.seen
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

fn now() -> Tai64n {
    let (seconds, nanos) = clock::wall();
    Tai64n::from_unix(seconds, nanos)
}

fn is_readable(stream: &Rc<OwnedFd>) -> bool {
    let mut fds = [PollFd::new(stream, PollFlags::IN)];
    !matches!(poll(&mut fds, Some(&Timespec::default())), Ok(0))
}
