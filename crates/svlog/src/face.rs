//! What becomes of the lines that are read: some are chosen, and shown with
//! those around them, as text or as JSON. Reads no log.

use crate::context::Context;
use crate::entry::{Entry, Stamps};
use crate::json::Json;
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

/// For whom.
#[derive(Debug)]
enum Form {
    Text(Box<Text>),
    Json(Box<Json>),
}

/// How, and where.
#[derive(Debug)]
struct Show {
    form: Form,
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
        let form = if asked.json {
            Form::Json(Box::new(Json::new()))
        } else {
            Form::Text(Box::new(Text::new(&names, asked.stamp, colours, visible)))
        };
        let output = if asked.pager && is_terminal { Output::paged()? } else { Output::standard() };
        let (before, after) = (asked.chosen.before, asked.chosen.after);
        // Shown in reverse, the later lines come first.
        let context = if asked.wanted.reverse {
            Context::new(after, before)
        } else {
            Context::new(before, after)
        };
        Ok(Self {
            names,
            stamps: asked.stamps(),
            matcher,
            context,
            show: Show { form, output },
            any: false,
        })
    }

    /// Writes what is left, and says how to end after a reading that went so.
    /// Whoever does not want to read any more is not told anything.
    #[must_use]
    pub fn finish(mut self, read: Result<(), Errno>) -> Exit {
        let done = read.and_then(|()| self.show.output.flush());
        let was_there = self.show.output.close();
        match done {
            _ if !was_there => Exit::System,
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
        let out = &mut self.output.held;
        match &mut self.form {
            Form::Text(text) => text.line(out, entry, found),
            Form::Json(json) => {
                let name = names.get(entry.source).map_or(&b""[..], Vec::as_slice);
                json.line(out, entry, name);
            }
        }
    }

    /// JSON has nothing to part lines with.
    fn gap(&mut self) {
        if let Form::Text(text) = &self.form {
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

    fn output(&self) -> BorrowedFd<'_> {
        self.show.output.fd()
    }
}

/// Where the first line ends, its newline included.
fn end_of_line(lines: &[u8]) -> usize {
    memchr(b'\n', lines).map_or(lines.len(), |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Chosen, Stamp};

    fn face(chosen: Chosen, names: &[&str]) -> Face {
        let asked = Asked { chosen, stamp: Stamp::Raw, colour: Colour::Never, ..Asked::default() };
        let names = names.iter().map(|name| name.as_bytes().to_vec()).collect();
        let mut face = Face::open(&asked, names).unwrap();
        // Whether or not the tests are looked at.
        face.show.form = Form::Text(Box::new(Text::new(&face.names, Stamp::Raw, false, false)));
        face
    }

    fn held(face: &mut Face) -> String {
        String::from_utf8(core::mem::take(&mut face.show.output.held)).unwrap()
    }

    fn by_line(face: &mut Face, source: usize, lines: &[u8]) -> String {
        let mut stamps = Stamps::new(|_| 0, false);
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let flow = face.entry(&Entry::of_line(source, line, &mut stamps)).unwrap();
            assert!(flow.is_continue());
        }
        held(face)
    }

    fn pattern(pattern: &'static str) -> Chosen {
        Chosen { pattern: Some(pattern.as_bytes()), ..Chosen::default() }
    }

    #[test]
    fn without_a_pattern_all_is_shown() {
        let mut face = face(Chosen::default(), &["web", "db"]);
        assert_eq!(by_line(&mut face, 1, b"a\n\nb"), "db  a\ndb  \ndb  b\n");
        assert!(face.block(0, b"a\n").unwrap().is_continue());
        assert_eq!(held(&mut face), "web a\n");
    }

    #[test]
    fn a_stamp_is_not_searched() {
        let lines = b"@400000006b08095300000000 a\n@400000006b08095300000000 4\n";
        let mut face = face(pattern("4"), &["web"]);
        assert_eq!(by_line(&mut face, 0, lines), "@400000006b08095300000000 4\n");
        assert!(face.block(0, lines).unwrap().is_continue());
        assert_eq!(held(&mut face), "@400000006b08095300000000 4\n");
    }

    #[test]
    fn in_reverse_later_lines_come_first() {
        let chosen = Chosen { after: 1, ..pattern("x") };
        let mut asked = Asked { chosen, json: true, ..Asked::default() };
        asked.wanted.reverse = true;
        let mut face = Face::open(&asked, vec![b"web".to_vec()]).unwrap();
        assert_eq!(texts(&by_line(&mut face, 0, b"4\n3\nx\n1\n")), ["3", "x"]);
    }

    fn texts(objects: &str) -> Vec<&str> {
        objects.lines().map(|line| line.rsplit('"').nth(1).unwrap()).collect()
    }

    #[test]
    fn json_is_not_parted() {
        let chosen = Chosen { after: 1, ..pattern("x") };
        let asked = Asked { chosen, json: true, ..Asked::default() };
        let mut face = Face::open(&asked, vec![b"web".to_vec()]).unwrap();
        assert_eq!(texts(&by_line(&mut face, 0, b"x\n1\n2\n3\nx\n")), ["x", "1", "x"]);
    }

    #[test]
    fn the_code_says_whether_a_line_was_chosen() {
        assert_eq!(face(pattern("x"), &["web"]).finish(Ok(())), Exit::Of(1));
        assert_eq!(face(Chosen::default(), &["web"]).finish(Ok(())), Exit::Success);
        assert_eq!(face(pattern("x"), &["web"]).finish(Err(Errno::PIPE)), Exit::Success);
        assert_eq!(face(pattern("x"), &["web"]).finish(Err(Errno::IO)), Exit::System);
    }

    #[test]
    fn many_lines_at_once_are_as_one_after_the_other() {
        let pieces: [&[u8]; 8] = [
            b"a",
            b"x",
            b"@400000006b08095300000000 ",
            b" ",
            b"\n",
            b"\n",
            b"bx\n",
            b"@400000006b08095300000000 x\n",
        ];
        let patterns = ["x", "^x", "b.?x", "0", "x$", "", "\\`x", "\\<x", "\\Bx", " x", "^$"];
        let mut n = 5_u32;
        let mut below = |most: usize| {
            n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (n >> 8) as usize % most
        };
        for _ in 0..4000 {
            let blocks: Vec<Vec<u8>> = (0..=below(3))
                .map(|_| {
                    let mut block: Vec<u8> =
                        (0..below(30)).flat_map(|_| pieces[below(8)].to_vec()).collect();
                    block.push(b'\n');
                    block
                })
                .collect();
            let chosen = Chosen {
                before: below(4),
                after: below(4),
                invert: below(4) == 0,
                ..pattern(patterns[below(patterns.len())])
            };
            let (mut lines, mut at_once) = (face(chosen, &["web"]), face(chosen, &["web"]));
            for block in &blocks {
                let expected = by_line(&mut lines, 0, block);
                assert!(at_once.block(0, block).unwrap().is_continue());
                let shown = held(&mut at_once);
                assert_eq!(shown, expected, "{chosen:?} {}", block.escape_ascii());
            }
        }
    }
}
