//! What becomes of the lines that are read: some are chosen, and shown with
//! those around them, as text or as JSON. Reads no log.

use crate::context::Context;
use crate::entry::{Entry, Stamps};
use crate::json;
use crate::matcher::Matcher;
use crate::options::{Asked, Colour, TOOL};
use crate::output::Output;
use crate::sink::{Flow, Sink};
use crate::text::Text;
use core::ops::ControlFlow;
use memchr::{memchr, memrchr};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use rustix::termios::isatty;
use upkeep_cli::{Exit, terminal};
use upkeep_sys::localtime;

/// The exit code where no line was chosen, as grep has it.
const NONE_CHOSEN: Exit = Exit::Of(1);

/// Shows lines.
#[derive(Debug)]
pub struct Face {
    names: Vec<Vec<u8>>,
    stamps: Stamps,
    matcher: Option<Matcher>,
    context: Context,
    show: Show,
    any: bool,
}

/// How, and where.
#[derive(Debug)]
struct Show {
    /// Otherwise as JSON.
    text: Option<Text>,
    output: Output,
}

impl Face {
    /// For logs of these names. A pager is started where one is asked for.
    pub fn open(asked: &Asked, names: Vec<Vec<u8>>) -> Result<Self, Exit> {
        let matcher = Matcher::new(&asked.chosen)?;
        let is_terminal = isatty(rustix::stdio::stdout());
        let colours = match asked.colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => terminal::has_colours(),
        };
        // Who asks for colours elsewhere will look at them later.
        let visible = is_terminal || colours;
        let text = (!asked.json).then(|| Text::new(&names, asked.stamp, colours, visible));
        let output = if asked.pager && is_terminal { Output::paged()? } else { Output::standard() };
        let (before, after) = (asked.chosen.before, asked.chosen.after);
        // Shown in reverse, the later lines come first.
        let context = if asked.wanted.reverse {
            Context::new(after, before)
        } else {
            Context::new(before, after)
        };
        let stamps = Stamps::new(localtime::offset, asked.wanted.leaps);
        Ok(Self { names, stamps, matcher, context, show: Show { text, output }, any: false })
    }

    /// What is written to, so that its end can be noticed while nothing is.
    #[must_use]
    pub fn output(&self) -> BorrowedFd<'_> {
        self.show.output.fd()
    }

    /// Writes what is left, and says how to end after a reading that went so.
    /// Whoever does not want to read any more is not told anything.
    #[must_use]
    pub fn finish(mut self, read: Result<(), Errno>) -> Exit {
        let done = read.and_then(|()| self.show.output.flush());
        self.show.output.close();
        match done {
            Err(Errno::PIPE) => Exit::Success,
            Err(why) => TOOL.unwritable(why),
            Ok(()) if self.matcher.is_some() && !self.any => NONE_CHOSEN,
            Ok(()) => Exit::Success,
        }
    }

    /// A line that is chosen, with what was kept for it.
    fn choose(&mut self, entry: &Entry<'_>) -> Result<(), Errno> {
        let Self { names, matcher, context, show, .. } = self;
        self.any = true;
        context.choose(|held| match held {
            Some(held) => show.line(held, names, None),
            None => show.gap(),
        });
        show.line(entry, names, matcher.as_mut());
        show.output.added()
    }

    /// A line that is not.
    fn pass(&mut self, entry: &Entry<'_>) -> Result<(), Errno> {
        if self.context.pass(entry) {
            self.show.line(entry, &self.names, None);
            self.show.output.added()?;
        }
        Ok(())
    }

    /// Lines of which none is chosen. Only those are looked at that may be
    /// shown nevertheless.
    fn pass_all(&mut self, source: usize, mut lines: &[u8]) -> Result<(), Errno> {
        let (mut first, last) = self.context.asks();
        while first > 0 && !lines.is_empty() {
            let (line, rest) = lines.split_at(end_of_line(lines));
            let entry = Entry::of_line(source, line, &mut self.stamps);
            self.pass(&entry)?;
            (lines, first) = (rest, first - 1);
        }
        let mut from = lines.len();
        for _ in 0..last {
            if from == 0 {
                break;
            }
            from = memrchr(b'\n', &lines[..from - 1]).map_or(0, |at| at + 1);
        }
        if from > 0 {
            self.context.leave_out();
        }
        let mut lines = &lines[from..];
        while !lines.is_empty() {
            let (line, rest) = lines.split_at(end_of_line(lines));
            let entry = Entry::of_line(source, line, &mut self.stamps);
            self.pass(&entry)?;
            lines = rest;
        }
        Ok(())
    }
}

impl Show {
    fn line(&mut self, entry: &Entry<'_>, names: &[Vec<u8>], found: Option<&mut Matcher>) {
        match &mut self.text {
            Some(text) => text.line(&mut self.output.held, entry, found),
            None => {
                let name = names.get(entry.source).map_or(&b""[..], Vec::as_slice);
                json::line(&mut self.output.held, entry, name);
            }
        }
    }

    /// JSON has nothing to part lines with.
    fn gap(&mut self) {
        if let Some(text) = &self.text {
            text.gap(&mut self.output.held);
        }
    }
}

impl Sink for Face {
    fn entry(&mut self, entry: &Entry<'_>) -> Flow {
        if self.counts(entry) {
            self.choose(entry)?
        } else {
            self.pass(entry)?
        }
        Ok(ControlFlow::Continue(()))
    }

    fn block(&mut self, source: usize, lines: &[u8]) -> Flow {
        let mut left = lines;
        while !left.is_empty() {
            let candidate = match &mut self.matcher {
                Some(matcher) => matcher.candidate(left),
                None => Some(0),
            };
            let Some(at) = candidate else {
                self.pass_all(source, left)?;
                break;
            };
            let start = memrchr(b'\n', &left[..at]).map_or(0, |at| at + 1);
            let (passed, rest) = left.split_at(start);
            self.pass_all(source, passed)?;
            let (line, rest) = rest.split_at(end_of_line(rest));
            let entry = Entry::of_line(source, line, &mut self.stamps);
            if self.counts(&entry) {
                self.choose(&entry)?
            } else {
                self.pass(&entry)?
            }
            left = rest;
        }
        Ok(ControlFlow::Continue(()))
    }

    fn counts(&mut self, entry: &Entry<'_>) -> bool {
        self.matcher.as_mut().is_none_or(|matcher| matcher.chooses(entry))
    }

    fn idle(&mut self) -> Result<(), Errno> {
        self.show.output.flush()
    }
}

/// Where the first line ends, its newline included.
fn end_of_line(lines: &[u8]) -> usize {
    memchr(b'\n', lines).map_or(lines.len(), |at| at + 1)
}
