//! What the script says about one line, and what is done with it then.

use crate::engine::Engine;
use crate::fronts::Fronts;
use crate::plan::{Plan, Step};
use upkeep_core::rate::Limit;
use upkeep_logdir::Voice;
use upkeep_sys::clock;

const SECOND: u64 = 1_000_000_000;

impl Engine {
    /// The rest of a line, its end included, goes where its beginning went.
    pub(crate) fn more<const CALM: bool>(&mut self, bytes: &[u8], voice: &mut Voice) {
        let Plan { directories, outlet, .. } = &mut self.plan;
        for (directory, chosen) in directories.iter_mut().zip(&self.chosen) {
            if *chosen {
                if CALM { directory.copy(bytes, voice) } else { directory.more(bytes, voice) }
            }
        }
        if let Some(outlet) = outlet
            && self.chosen.last() == Some(&true)
        {
            outlet.put(bytes, voice);
        }
    }

    /// Does what the script says with a line of `len` bytes, or with the
    /// beginning of one. If the line's end is there too, it comes along.
    pub(crate) fn judge<const CALM: bool>(&mut self, bytes: &[u8], len: usize, voice: &mut Voice) {
        if let Some(limit) = self.plan.limit
            && let Some(lines) = self.rate.over(limit, self.now)
        {
            self.report(lines, voice);
        }
        let begun = self.begun.take();
        if let Some(begun) = begun {
            self.plan.fronts.set(begun);
        }
        self.follow::<CALM>(bytes, len, 0, voice);
        if begun.is_some() {
            self.plan.fronts.set(self.now);
        }
    }

    /// When the time of the limit is over and no line has come since, says how
    /// many were left out.
    /// Answers whether it did.
    pub(crate) fn report_in_time(&mut self, voice: &mut Voice) -> bool {
        self.reported_at = None;
        let Some(limit) = self.plan.limit else { return false };
        self.look_at_the_clock(None);
        if !self.is_between_lines() {
            // The line that has begun has to end.
            self.reported_at = Some(clock::monotonic() + SECOND);
            return false;
        }
        let Some(lines) = self.rate.over(limit, self.now) else {
            // The clock that stamps are of has been set.
            self.expect_report();
            return false;
        };
        self.report(lines, voice);
        self.settle(voice);
        true
    }

    /// What was left out is to be reported when the time of the limit is over.
    pub(crate) fn expect_report(&mut self) {
        if let Some(limit) = self.plan.limit
            && self.rate.left_out > 0
            && self.reported_at.is_none()
        {
            let left = self.rate.left(limit, self.now).unwrap_or(0);
            self.reported_at = Some(clock::monotonic().saturating_add(left));
        }
    }

    /// Says, in the place of lines that were left out, how many they were.
    pub(crate) fn report(&mut self, lines: u64, voice: &mut Voice) {
        let limits = |step: &Step| matches!(step, Step::Limit(_));
        let Some(at) = self.plan.steps.iter().position(limits) else { return };
        self.reported_at = None;
        let Some(limit) = self.plan.limit else { return };
        let Limit { lines: most, seconds } = limit;
        let text = format!(
            "{}: {lines} lines left out: more than {most} in {seconds} seconds\n",
            voice.tool().name
        );
        self.follow::<false>(text.as_bytes(), text.len() - 1, at + 1, voice);
        // What comes now may be copied, and that does not wait.
        for directory in &mut self.plan.directories {
            directory.flush(voice);
        }
    }

    /// Follows the script from a step on.
    #[inline(never)]
    fn follow<const CALM: bool>(
        &mut self,
        bytes: &[u8],
        len: usize,
        first: usize,
        voice: &mut Voice,
    ) {
        // What is not asked gets nothing.
        self.chosen.fill(false);
        let ended = &bytes[..bytes.len().min(len + 1)];
        let ended = match self.plan.view.replace {
            None => ended,
            Some(table) => {
                for (clean, &byte) in self.clean.iter_mut().zip(ended) {
                    *clean = table[usize::from(byte)];
                }
                if ended.len() > len {
                    self.clean[len] = b'\n';
                }
                &self.clean[..ended.len()]
            }
        };
        let text = &ended[..len];
        let Plan { fronts, view, steps, statuses, notes, directories, homes, outlet, .. } =
            &mut self.plan;
        let stamp = fronts.stamp();
        let whole =
            if view.with_stamp && self.looks { compose(&mut self.line, stamp, text) } else { text };
        let output = directories.len();
        self.chosen[output] = false;
        let mut selected = true;
        let (mut mentioned, mut acted) = (false, false);
        let end: &[u8] = if len == self.judged { b"...\n" } else { b"\n" };
        for step in steps.iter_mut().skip(first) {
            match step {
                Step::Select(pattern) => selected = selected || pattern.matches(whole),
                Step::Deselect(pattern) => selected = selected && !pattern.matches(whole),
                Step::Afresh => selected = true,
                Step::Rest => selected = !acted,
                Step::Mention(pattern) => mentioned = mentioned || pattern.matches(whole),
                Step::Pass(pattern) => mentioned = mentioned && !pattern.matches(whole),
                Step::Show(front) => {
                    if core::mem::take(&mut mentioned) {
                        voice.show(&[fronts.get(*front), text, end]);
                    }
                }
                Step::Directory(number) => {
                    self.chosen[*number] = selected;
                    acted = acted || selected;
                }
                _ if !selected => {}
                Step::Limit(limit) => {
                    selected = self.rate.admits(*limit, self.now);
                }
                Step::Output(front) => {
                    acted = true;
                    // The rest of a line can follow one copy of its beginning.
                    let is_whole = ended.len() > len;
                    let again = core::mem::replace(&mut self.chosen[output], true);
                    if let Some(outlet) = outlet
                        && (is_whole || !again)
                    {
                        outlet.put(fronts.get(*front), voice);
                        outlet.put(ended, voice);
                    }
                }
                Step::Alert(front) => {
                    voice.alert(behind(fronts, *front, whole, &mut self.shown, text));
                }
                Step::Warn(size, front) => {
                    acted = true;
                    let name = voice.tool().name.as_bytes();
                    let (shown, end) = match *size {
                        0 => (text, end),
                        size if size + 3 < len => (&text[..size], &b"...\n"[..]),
                        _ => (text, end),
                    };
                    voice.show(&[name, b": alert: ", fronts.get(*front), shown, end]);
                }
                Step::Note(number, front) => {
                    acted = true;
                    self.kept += 1;
                    notes[*number].keep(&[fronts.get(*front), text], self.kept);
                }
                Step::Status(number, front) => {
                    self.kept += 1;
                    let line = behind(fronts, *front, whole, &mut self.shown, text);
                    statuses[*number].keep(line, self.kept);
                }
                Step::Send { host, front, only, ended: false } => {
                    host.send(&[fronts.prefix(*front), text], voice);
                    selected = !*only;
                }
                Step::Send { host, front, only, ended: true } => {
                    host.send(&[fronts.get(*front), text, end], voice);
                    selected = !*only;
                }
            }
        }
        let homes = homes.iter().map(|home| fronts.get(*home));
        for ((directory, chosen), front) in directories.iter_mut().zip(&self.chosen).zip(homes) {
            if *chosen {
                if CALM {
                    directory.put(front, ended, voice);
                } else {
                    directory.line(front, ended, voice);
                }
            }
        }
    }
}

/// The text behind a front. `whole` is what it is behind the stamp alone.
fn behind<'a>(
    fronts: &Fronts,
    front: usize,
    whole: &'a [u8],
    room: &'a mut [u8],
    text: &'a [u8],
) -> &'a [u8] {
    match fronts.prefix(front) {
        b"" => whole,
        _ => compose(room, fronts.get(front), text),
    }
}

/// Puts one behind the other.
fn compose<'a>(room: &'a mut [u8], front: &[u8], text: &'a [u8]) -> &'a [u8] {
    if front.is_empty() {
        return text;
    }
    let (first, rest) = room.split_at_mut(front.len());
    first.copy_from_slice(front);
    rest[..text.len()].copy_from_slice(text);
    &room[..front.len() + text.len()]
}
