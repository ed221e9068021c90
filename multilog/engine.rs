//! What happens to a line: it is stamped, selected or not, and given to the
//! logs. It gets bytes and gives bytes; it waits for nothing and reads
//! nothing.

use crate::plan::{Plan, Step};
use crate::status;
use upkeep_cli::Exit;
use upkeep_core::pattern::matches;
use upkeep_core::rotation::READ;
use upkeep_core::tai::{LABEL, Tai64n};
use upkeep_logdir::Voice;
use upkeep_sys::clock;

/// Selection sees this much of a line, its stamp included.
const LINE: usize = 1000;
/// A stamp and the space behind it.
type Stamp = [u8; LABEL + 1];

/// The plan, and the line that it is at.
pub(crate) struct Engine {
    plan: Plan,
    /// Whether a step looks at lines.
    looks: bool,
    /// The logs that the line goes to, by number.
    chosen: Vec<bool>,
    /// As much of a line is judged at once, its stamp left out.
    judged: usize,
    /// Whether the line's beginning has been judged and its end not seen.
    inside: bool,
    now: Stamp,
    /// The stamp of a line that began earlier and is not yet judged.
    begun: Option<Stamp>,
    /// How many lines status files have been given.
    kept: u64,
    /// The stamped line, for steps that look at it.
    line: [u8; LINE],
}

impl Engine {
    /// Follows `plan`.
    pub(crate) fn new(plan: Plan, voice: &mut Voice) -> Result<Self, Exit> {
        let mut chosen = Vec::new();
        chosen.try_reserve_exact(plan.directories.len()).map_err(|_| voice.out_of_memory())?;
        chosen.resize(plan.directories.len(), false);
        let judged = if plan.stamped { LINE - size_of::<Stamp>() } else { LINE };
        Ok(Self {
            looks: plan.looks_at_lines(),
            plan,
            chosen,
            judged,
            inside: false,
            now: [b' '; LABEL + 1],
            begun: None,
            kept: 0,
            line: [0; LINE],
        })
    }

    /// Whether all that was taken ends with the end of a line.
    pub(crate) fn is_between_lines(&self) -> bool {
        !self.inside
    }

    /// Takes what was read, of which the first `seen` bytes were there at the
    /// last call and not taken. Answers how many are taken now; the others
    /// are the beginning of a line that cannot be judged yet.
    pub(crate) fn take(&mut self, bytes: &[u8], seen: usize, voice: &mut Voice) -> usize {
        if self.plan.stamped {
            self.look_at_the_clock();
        }
        let mut at = 0;
        let mut end = seen;
        while end < bytes.len() {
            let copies = !self.looks && !self.plan.stamped;
            let blocks = if copies { self.spare_blocks() } else { 0 };
            end = bytes.len().min(end + blocks.max(1) * READ);
            if blocks > 0 {
                at += self.copy(&bytes[at..end], voice);
            } else {
                at += self.lines(&bytes[at..end], voice);
                for directory in &mut self.plan.directories {
                    directory.flush(voice);
                }
            }
        }
        if self.plan.stamped && at < bytes.len() {
            self.begun.get_or_insert(self.now);
        }
        at
    }

    /// Writes everything that has been taken.
    pub(crate) fn settle(&mut self, voice: &mut Voice) {
        status::write_out(&mut self.plan.statuses, voice);
        for directory in &mut self.plan.directories {
            directory.write_out(voice);
        }
        voice.settle();
    }

    /// Begins new logs.
    pub(crate) fn rotate(&mut self, voice: &mut Voice) {
        for directory in &mut self.plan.directories {
            directory.rotate(voice);
        }
    }

    /// The end of the input, with what was not taken: a line without an end
    /// gets one.
    pub(crate) fn finish(mut self, rest: &[u8], voice: &mut Voice) {
        if !rest.is_empty() {
            self.line(rest, rest.len(), voice);
        }
        if self.inside || !rest.is_empty() {
            self.more(b"\n", voice);
        }
        status::write_out(&mut self.plan.statuses, voice);
        for directory in self.plan.directories {
            directory.close(voice);
        }
        voice.settle();
    }

    fn look_at_the_clock(&mut self) {
        let (seconds, nanos) = clock::wall();
        self.now[..LABEL].copy_from_slice(&Tai64n::from_unix(seconds, nanos).label());
    }

    /// How many reads' worth of bytes, and the beginning of a line before
    /// them, go into every log without coming near its end.
    fn spare_blocks(&self) -> usize {
        let spare = self.plan.directories.iter().map(|directory| directory.spare()).min();
        let spare = spare.map_or(usize::MAX, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        spare.saturating_sub(LINE) / READ
    }

    /// Takes bytes that need no looking at, and answers how many.
    fn copy(&mut self, bytes: &[u8], voice: &mut Voice) -> usize {
        let mut taken = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        if taken > 0 {
            self.inside = false;
        }
        if self.inside || bytes.len() - taken >= self.judged {
            taken = bytes.len();
            self.inside = true;
            self.chosen.fill(true);
        }
        for directory in &mut self.plan.directories {
            directory.copy(&bytes[..taken], voice);
        }
        taken
    }

    /// Takes whole lines, and as much as can be taken of the last; answers
    /// how many bytes these are.
    fn lines(&mut self, bytes: &[u8], voice: &mut Voice) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            if self.inside {
                let end = memchr::memchr(b'\n', rest);
                let taken = end.map_or(rest.len(), |end| end + 1);
                self.more(&rest[..taken], voice);
                self.inside = end.is_none();
                at += taken;
                continue;
            }
            let window = &rest[..rest.len().min(self.judged)];
            if let Some(end) = memchr::memchr(b'\n', window) {
                self.line(window, end, voice);
                at += end + 1;
            } else if window.len() == self.judged {
                self.line(window, window.len(), voice);
                self.inside = true;
                at += window.len();
            } else {
                break;
            }
        }
        at
    }

    /// The rest of a line, its end included, goes where its beginning went.
    fn more(&mut self, bytes: &[u8], voice: &mut Voice) {
        for (directory, chosen) in self.plan.directories.iter_mut().zip(&self.chosen) {
            if *chosen {
                directory.more(bytes, voice);
            }
        }
    }

    /// Does what the script says with a line of `len` bytes, or with the
    /// beginning of one. If the line's end is there too, it comes along.
    fn line(&mut self, bytes: &[u8], len: usize, voice: &mut Voice) {
        let text = &bytes[..len];
        let stamp = self.begun.take().unwrap_or(self.now);
        let stamp = if self.plan.stamped { &stamp[..] } else { &[] };
        let whole = if self.plan.stamped && self.looks {
            let (front, back) = self.line.split_at_mut(stamp.len());
            front.copy_from_slice(stamp);
            back[..text.len()].copy_from_slice(text);
            &self.line[..stamp.len() + text.len()]
        } else {
            text
        };
        let mut selected = true;
        for step in &self.plan.steps {
            match *step {
                Step::Select(pattern) => {
                    selected = selected || matches(pattern, whole, memchr::memchr);
                }
                Step::Deselect(pattern) => {
                    selected = selected && !matches(pattern, whole, memchr::memchr);
                }
                Step::Alert => {
                    if selected {
                        voice.alert(whole);
                    }
                }
                Step::Status(number) => {
                    if selected {
                        self.kept += 1;
                        self.plan.statuses[number].keep(whole, self.kept);
                    }
                }
                Step::Directory(number) => self.chosen[number] = selected,
            }
        }
        let ended = &bytes[..bytes.len().min(len + 1)];
        for (directory, chosen) in self.plan.directories.iter_mut().zip(&self.chosen) {
            if *chosen {
                directory.line(stamp, ended, voice);
            }
        }
    }
}
