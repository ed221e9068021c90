//! What happens to a line: it is stamped, selected or not, and given to the
//! logs. It gets bytes and gives bytes; it waits for nothing and reads
//! nothing.

use crate::fronts::STAMPS;
use crate::note;
use crate::plan::Plan;
use crate::script::LINE;
use crate::status;
use upkeep_cli::Exit;
use upkeep_core::journal::{Line, PLACES};
use upkeep_core::rate::Rate;
use upkeep_core::rotation::READ;
use upkeep_core::stamp::ROOM;
use upkeep_core::tai::Tai64n;
use upkeep_core::treatment::PREFIX;
use upkeep_logdir::{LogDirectory, Voice};
use upkeep_sys::pages::Pages;
use upkeep_sys::{clock, point};

/// So many bytes of input are taken at once where no log is near its end.
const CALM: usize = 32 * READ;
/// The plan, and the line that it is at.
pub(crate) struct Engine {
    pub(crate) plan: Plan,
    /// Whether a step looks at lines.
    pub(crate) looks: bool,
    /// The logs that the line goes to, by number, and behind them whether it
    /// goes to standard output.
    pub(crate) chosen: Vec<bool>,
    /// As much of a line is judged at once, its stamp left out.
    pub(crate) judged: usize,
    /// Whether the line's beginning has been judged and its end not seen.
    inside: bool,
    pub(crate) now: Tai64n,
    /// When a line began that began earlier and is not yet judged.
    pub(crate) begun: Option<Tai64n>,
    /// What has come of the lines whose rate is limited.
    pub(crate) rate: Rate,
    /// When the lines that were left out are to be reported at the latest, on
    /// the monotonic clock.
    pub(crate) reported_at: Option<u64>,
    /// How many lines status files have been given.
    pub(crate) kept: u64,
    /// A line behind its stamp, for steps that look at it.
    pub(crate) line: Pages,
    /// A line behind a front, for steps that show it.
    pub(crate) shown: Pages,
    /// What selection sees of the line, and its end, where bytes of it are
    /// replaced.
    pub(crate) clean: Pages,
}

impl Engine {
    /// Follows `plan`.
    pub(crate) fn new(plan: Plan, voice: &mut Voice) -> Result<Self, Exit> {
        let mut chosen = Vec::new();
        let places = plan.directories.len() + 1;
        chosen.try_reserve_exact(places).map_err(|_| voice.out_of_memory())?;
        chosen.resize(places, false);
        let stamp = if plan.view.with_stamp { plan.fronts.longest_stamp() } else { 0 };
        let judged = plan.view.window.min(LINE) - stamp;
        // Memory that nothing needs costs nothing, and none is moved about.
        let mut room = |len| Pages::new(len).map_err(|_| voice.out_of_memory());
        Ok(Self {
            looks: plan.looks_at_lines(),
            plan,
            chosen,
            judged,
            inside: false,
            now: Tai64n::default(),
            begun: None,
            rate: Rate::default(),
            reported_at: None,
            kept: 0,
            line: room(ROOM + LINE)?,
            shown: room(STAMPS * ROOM + PREFIX + LINE)?,
            clean: room(LINE + 1)?,
        })
    }

    /// Whether all that was taken ends with the end of a line.
    pub(crate) fn is_between_lines(&self) -> bool {
        !self.inside
    }

    /// At what point of a line this is.
    pub(crate) fn line(&self) -> Line {
        let mut chosen = [0; PLACES / 64];
        for (n, _) in self.chosen.iter().take(PLACES).enumerate().filter(|(_, chosen)| **chosen) {
            chosen[n / 64] |= 1 << (n % 64);
        }
        Line { inside: self.inside, chosen, begun: self.begun, rate: self.rate }
    }

    /// Goes on at this point of a line.
    pub(crate) fn go_on_at(&mut self, line: Line) {
        self.inside = line.inside;
        self.begun = line.begun;
        if self.plan.limit.is_some() {
            self.rate = line.rate;
        }
        for (n, chosen) in self.chosen.iter_mut().enumerate() {
            *chosen = line.chosen.get(n / 64).is_none_or(|bits| bits >> (n % 64) & 1 == 1);
        }
    }

    /// The moment of which the stamps are.
    pub(crate) fn now(&self) -> Tai64n {
        self.now
    }

    /// Stamps are of this moment, or of now.
    pub(crate) fn look_at_the_clock(&mut self, moment: Option<Tai64n>) {
        if self.plan.fronts.are_stamped() || self.plan.limit.is_some() {
            let (seconds, nanos) = clock::wall();
            self.now = moment.unwrap_or_else(|| Tai64n::from_unix(seconds, nanos));
            self.plan.fronts.set(self.now);
        }
    }

    /// How many of the bytes `take` will take.
    pub(crate) fn reach(&self, bytes: &[u8]) -> usize {
        let whole = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        let inside = self.inside && whole == 0;
        if inside || bytes.len() - whole >= self.judged { bytes.len() } else { whole }
    }

    /// What comes now is the batch with this name.
    pub(crate) fn begin(&mut self, id: u64) {
        for directory in &mut self.plan.directories {
            directory.begin(id);
        }
        point!("begun");
    }

    /// Takes what was read, of which the first `seen` bytes were there at the
    /// last call and not taken. Answers how many are taken now; the others
    /// are the beginning of a line that cannot be judged yet.
    // In a place of its own it is made to be fast, not small.
    #[inline(never)]
    pub(crate) fn take(&mut self, bytes: &[u8], seen: usize, voice: &mut Voice) -> usize {
        let mut at = 0;
        let mut end = seen;
        let copies = !self.looks && self.plan.fronts.are_empty();
        while end < bytes.len() {
            let spare = self.spare();
            let blocks = spare.saturating_sub(LINE) / READ;
            if copies && blocks > 0 {
                end = bytes.len().min(end + blocks * READ);
                at += self.copy(&bytes[at..end], voice);
                continue;
            }
            let many = bytes.len().min(end + CALM);
            let calm = self.fits(&bytes[at..many], spare);
            end = if calm { many } else { bytes.len().min(end + READ) };
            if calm {
                at += self.stamp_whole(&bytes[at..end], voice);
                at += self.lines::<true>(&bytes[at..end], voice);
            } else {
                at += self.lines::<false>(&bytes[at..end], voice);
                for directory in &mut self.plan.directories {
                    directory.flush(voice);
                }
            }
        }
        if self.plan.fronts.are_stamped() && at < bytes.len() {
            self.begun.get_or_insert(self.now);
        }
        self.expect_report();
        at
    }

    /// Writes everything that has been taken.
    pub(crate) fn settle(&mut self, voice: &mut Voice) {
        for directory in &mut self.plan.directories {
            directory.write_out(voice);
            directory.secure(voice);
        }
        // Behind the logs, which may make room on a full disk.
        status::write_out(&mut self.plan.statuses, voice);
        note::write_out(&mut self.plan.notes, voice);
        if let Some(outlet) = &mut self.plan.outlet {
            outlet.write_out(voice);
        }
        voice.settle();
    }

    /// Nothing will come for a while.
    pub(crate) fn rest(&mut self) {
        for directory in &mut self.plan.directories {
            directory.rest();
        }
    }

    /// Begins new logs.
    pub(crate) fn rotate(&mut self, voice: &mut Voice) {
        for directory in &mut self.plan.directories {
            directory.rotate(voice);
        }
    }

    /// When there is something to do that no line asks for, on the monotonic
    /// clock.
    pub(crate) fn deadline(&self) -> Option<u64> {
        let directories = self.plan.directories.iter().filter_map(LogDirectory::deadline).min();
        [directories, self.reported_at].into_iter().flatten().min()
    }

    /// Does what the clock asks for, and looks after children.
    /// Answers whether it wrote anything.
    pub(crate) fn due(&mut self, voice: &mut Voice) -> bool {
        for directory in &mut self.plan.directories {
            directory.due(voice);
        }
        self.reported_at.is_some_and(|at| at <= clock::monotonic()) && self.report_in_time(voice)
    }

    /// Ends all logs, as at the end of the input.
    pub(crate) fn close(&mut self, voice: &mut Voice) {
        if let Some(outlet) = &mut self.plan.outlet {
            outlet.write_out(voice);
        }
        status::write_out(&mut self.plan.statuses, voice);
        note::write_out(&mut self.plan.notes, voice);
        for directory in self.plan.directories.drain(..) {
            directory.close(voice);
        }
        voice.settle();
    }

    /// Follows another plan, from the end of a line on.
    pub(crate) fn renew(&mut self, plan: Plan, voice: &mut Voice) -> Result<(), Exit> {
        let Self { now, begun, rate, kept, .. } = *self;
        *self = Self { now, begun, rate, kept, ..Self::new(plan, voice)? };
        Ok(())
    }

    /// Opens everything anew that may have been moved away.
    pub(crate) fn reopen(&mut self, voice: &mut Voice) {
        for directory in &mut self.plan.directories {
            directory.reopen(voice);
        }
    }

    /// No more of the line will come than what was not taken: without an end,
    /// it gets one.
    pub(crate) fn end_line(&mut self, rest: &[u8], voice: &mut Voice) {
        if !rest.is_empty() {
            self.judge::<false>(rest, rest.len(), voice);
        }
        if self.inside || !rest.is_empty() {
            self.more::<false>(b"\n", voice);
        }
        self.inside = false;
        for directory in &mut self.plan.directories {
            directory.flush(voice);
        }
    }

    /// The end of the input, with what was not taken.
    pub(crate) fn finish(mut self, rest: &[u8], voice: &mut Voice) {
        self.end_line(rest, voice);
        if let Some(lines) = self.rate.end() {
            self.report(lines, voice);
        }
        self.close(voice);
    }

    /// How many bytes go into every log without coming near its end.
    fn spare(&self) -> usize {
        let spare = self.plan.directories.iter().map(|directory| directory.spare()).min();
        spare.map_or(usize::MAX, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    /// Whether what is made of these bytes in a log can be spared there.
    fn fits(&self, bytes: &[u8], spare: usize) -> bool {
        let front = self.plan.fronts.longest();
        let of = |lines| bytes.len() + (lines + 1) * front;
        of(bytes.len()) <= spare || of(memchr::memchr_iter(b'\n', bytes).count()) <= spare
    }

    /// Takes whole lines that need a front and no looking at, and answers how
    /// many bytes these are.
    fn stamp_whole(&mut self, bytes: &[u8], voice: &mut Voice) -> usize {
        let Plan { fronts, directories, homes, .. } = &mut self.plan;
        if fronts.are_empty() || self.looks || self.inside || self.begun.is_some() {
            return 0;
        }
        let whole = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        for (directory, home) in directories.iter_mut().zip(homes) {
            directory.put_lines(fronts.get(*home), &bytes[..whole], voice);
        }
        whole
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
    fn lines<const CALM: bool>(&mut self, bytes: &[u8], voice: &mut Voice) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            if self.inside {
                let end = memchr::memchr(b'\n', rest);
                let taken = end.map_or(rest.len(), |end| end + 1);
                self.more::<CALM>(&rest[..taken], voice);
                self.inside = end.is_none();
                at += taken;
                continue;
            }
            let window = &rest[..rest.len().min(self.judged)];
            if let Some(end) = memchr::memchr(b'\n', window) {
                self.judge::<CALM>(window, end, voice);
                at += end + 1;
            } else if window.len() == self.judged {
                self.judge::<CALM>(window, window.len(), voice);
                self.inside = true;
                at += window.len();
            } else {
                break;
            }
        }
        at
    }
}
