//! The judge of logs: whether the lines that a service counted are in its log,
//! whole and in order. It reads old logs in the order of their names, then
//! what is current; it knows nothing of processes.

use crate::lines;
use crate::report::Report;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use upkeep_outside::failure::{Context, Failure};

/// A stamp and the space behind it.
const STAMP: usize = 26;
/// Of each fault this many are told.
const TOLD: usize = 3;

/// What there is to know of a service before its log is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written {
    pub(crate) seed: u64,
    /// The number of the last line.
    pub(crate) last: u64,
    /// The numbers of lines that may be there or not.
    pub(crate) uncertain: BTreeSet<u64>,
    /// Whether its logger could read to the end. If not, what was written last
    /// may still have been on its way.
    pub(crate) flushed: bool,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Lines that are there, each once.
    pub(crate) lines: u64,
    /// Lines that are there again, and how often that began.
    pub(crate) doubled: u64,
    pub(crate) back: u64,
    /// Lines that are there in part at the end of a log whose writer was
    /// killed. No fault by itself: the whole line has to be there too.
    pub(crate) cut: u64,
    /// Lines that are not there.
    pub(crate) lost: u64,
    /// Lines that are no lines.
    pub(crate) torn: u64,
    /// Lines that came after one that was written later.
    pub(crate) disordered: u64,
    /// Lines that nobody counted.
    pub(crate) invented: u64,
    /// The first few faults, in words.
    pub(crate) faults: Vec<String>,
}

impl Verdict {
    /// Whether every line is there, whole, in order.
    pub(crate) fn is_good(&self) -> bool {
        self.lost + self.torn + self.disordered + self.invented == 0
    }

    /// Tells what is not as it should be with the lines of `whom`.
    pub(crate) fn report(&self, whom: &str, report: &Report) {
        if !self.is_good() {
            let Self { lost, torn, disordered, invented, .. } = self;
            let faults = self.faults.join("; ");
            let facts = format!(
                "{lost} lines lost, {torn} torn, {disordered} out of order, {invented} nobody's: \
                 {faults}"
            );
            report.violation(whom, &facts);
        }
    }

    /// Counts another one's lines too.
    pub(crate) fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.doubled += other.doubled;
        self.back += other.back;
        self.cut += other.cut;
        self.lost += other.lost;
        self.torn += other.torn;
        self.disordered += other.disordered;
        self.invented += other.invented;
    }

    fn fault(&mut self, so_far: u64, words: impl FnOnce() -> String) {
        if usize::try_from(so_far).is_ok_and(|n| n < TOLD) {
            self.faults.push(words());
        }
    }
}

/// Reads a log piece by piece.
pub(crate) struct Judge<'a> {
    written: &'a Written,
    verdict: Verdict,
    high: u64,
    /// The number of the line before.
    before: u64,
    /// Numbers that were passed over and have not come.
    missing: BTreeSet<u64>,
    /// Uncertain ones that have come.
    came: BTreeSet<u64>,
    room: Vec<u8>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(written: &'a Written) -> Self {
        Self {
            written,
            verdict: Verdict::default(),
            high: 0,
            before: 0,
            missing: BTreeSet::new(),
            came: BTreeSet::new(),
            room: Vec::new(),
        }
    }

    /// The next log. `unfinished`: its writer was killed.
    pub(crate) fn log(&mut self, name: &str, text: &[u8], unfinished: bool) {
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', text) {
            self.line(name, &text[from..end]);
            from = end + 1;
        }
        let rest = &text[from..];
        if !rest.is_empty() && unfinished {
            self.verdict.cut += 1;
        } else if !rest.is_empty() {
            self.tear(name, rest);
        }
    }

    pub(crate) fn line(&mut self, name: &str, line: &[u8]) {
        match lines::read(self.written.seed, without_stamp(line), &mut self.room) {
            Some(number) => self.number(name, number),
            None => self.tear(name, line),
        }
    }

    fn tear(&mut self, name: &str, line: &[u8]) {
        let (high, length) = (self.high, line.len());
        let begin = String::from_utf8_lossy(&line[..length.min(60)]).into_owned();
        self.verdict.fault(self.verdict.torn, || {
            format!("a torn line of {length} bytes after line {high}, in {name}: {begin:?}")
        });
        self.verdict.torn += 1;
    }

    fn number(&mut self, name: &str, number: u64) {
        let high = self.high;
        let uncertain = self.written.uncertain.contains(&number);
        if number > self.written.last && !uncertain || number == 0 {
            self.verdict.fault(self.verdict.invented, || {
                format!("line {number}, which nobody counted, in {name}")
            });
            self.verdict.invented += 1;
            return;
        }
        if number > high {
            self.missing.extend(high + 1..number);
            self.high = number;
            self.verdict.lines += 1;
        } else if self.missing.remove(&number) {
            self.verdict.fault(self.verdict.disordered, || {
                format!("line {number} came after line {high}, in {name}")
            });
            self.verdict.disordered += 1;
            self.verdict.lines += 1;
        } else {
            self.verdict.doubled += 1;
            self.verdict.back += u64::from(number <= self.before);
        }
        self.before = number;
        if uncertain {
            self.came.insert(number);
        }
    }

    /// The end of the last log.
    pub(crate) fn end(mut self) -> Verdict {
        if self.written.flushed {
            self.missing.extend(self.high + 1..=self.written.last);
        }
        let lost: Vec<u64> = self.missing.difference(&self.written.uncertain).copied().collect();
        self.verdict.lost = u64::try_from(lost.len()).unwrap_or(u64::MAX);
        for (from, to) in ranges(&lost).into_iter().take(TOLD) {
            let last = self.written.last;
            self.verdict.faults.push(if from == to {
                format!("line {from} of {last} is not there")
            } else {
                format!("lines {from} to {to} of {last} are not there")
            });
        }
        self.verdict
    }
}

/// Rows of numbers that follow each other.
fn ranges(numbers: &[u64]) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for &number in numbers {
        match ranges.last_mut() {
            Some((_, to)) if *to + 1 == number => *to = number,
            Some(_) | None => ranges.push((number, number)),
        }
    }
    ranges
}

/// Judges the log directory `dir`.
pub(crate) fn judge(dir: &Path, written: &Written) -> Result<Verdict, Failure> {
    let mut judge = Judge::new(written);
    for path in logs_in(dir)? {
        let text = fs::read(&path).unable(format_args!("read {}", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        judge.log(&name, &text, name.ends_with(".u"));
    }
    Ok(judge.end())
}

/// A line without what the logger has put in front.
pub(crate) fn without_stamp(line: &[u8]) -> &[u8] {
    match line {
        [b'@', ..] => line.get(STAMP..).unwrap_or(&[]),
        _ => line,
    }
}

/// Whether a log is one that has ended.
pub(crate) fn is_old(log: &Path) -> bool {
    log.file_name().is_some_and(|n| n.to_string_lossy().starts_with('@'))
}

/// The logs in the order in which they were written.
pub(crate) fn logs_in(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        // Of a service that never ran.
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) => return Err(why).unable(format_args!("read {}", dir.display())),
    };
    let mut old: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    old.retain(|p| is_old(p));
    old.sort();
    let now = ["previous", "current"].map(|n| dir.join(n));
    Ok(old.into_iter().chain(now.into_iter().filter(|p| p.exists())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: u64 = 11;

    fn text(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
        let (mut all, mut line) = (Vec::new(), Vec::new());
        for number in numbers {
            lines::write(SEED, number, &mut line);
            all.extend_from_slice(&line);
        }
        all
    }

    fn judged(last: u64, uncertain: &[u64], logs: &[(&[u8], bool)]) -> Verdict {
        let uncertain = uncertain.iter().copied().collect();
        let written = Written { seed: SEED, last, uncertain, flushed: true };
        let mut judge = Judge::new(&written);
        for (text, unfinished) in logs {
            judge.log("a log", text, *unfinished);
        }
        judge.end()
    }

    #[test]
    fn all_lines_in_two_logs() {
        let verdict = judged(9, &[], &[(&text(1..=5), false), (&text(6..=9), false)]);
        assert_eq!(verdict, Verdict { lines: 9, ..Verdict::default() });
    }

    #[test]
    fn stamps_are_no_part_of_a_line() {
        let mut stamped = Vec::new();
        for line in text(1..=3).split_inclusive(|&b| b == b'\n') {
            stamped.extend_from_slice(b"@400000006565656505050505 ");
            stamped.extend_from_slice(line);
        }
        assert_eq!(judged(3, &[], &[(&stamped, false)]).lines, 3);
    }

    #[test]
    fn lost_at_the_beginning_in_the_middle_and_at_the_end() {
        for numbers in [2..=9, 1..=8] {
            let verdict = judged(9, &[], &[(&text(numbers), false)]);
            assert_eq!((verdict.lost, verdict.is_good()), (1, false));
        }
        let verdict = judged(9, &[], &[(&text([1, 2, 6, 7, 8, 9]), false)]);
        assert_eq!((verdict.lost, verdict.is_good()), (3, false));
        assert_eq!(verdict.faults, ["lines 3 to 5 of 9 are not there"]);
        assert_eq!(judged(4, &[], &[]).lost, 4);
    }

    #[test]
    fn uncertain_lines_may_be_there_and_only_they() {
        let without = text([1, 2, 4]);
        assert!(judged(4, &[3], &[(&without, false)]).is_good());
        assert!(judged(4, &[3, 5], &[(&text(1..=5), false)]).is_good());
        assert_eq!(judged(4, &[2], &[(&without, false)]).lost, 1);
        let verdict = judged(4, &[6], &[(&text(1..=5), false)]);
        assert_eq!((verdict.invented, verdict.is_good()), (1, false));
    }

    #[test]
    fn a_line_that_comes_late() {
        let verdict = judged(5, &[], &[(&text([1, 2, 4, 3, 5]), false)]);
        assert_eq!((verdict.disordered, verdict.lost, verdict.is_good()), (1, 0, false));
        let late = judged(5, &[3], &[(&text([1, 2, 4, 3, 5]), false)]);
        assert_eq!((late.disordered, late.is_good()), (1, false));
    }

    #[test]
    fn doubled_lines_are_counted() {
        let verdict = judged(6, &[], &[(&text([1, 2, 3, 2, 3, 4, 5, 6]), false)]);
        assert_eq!((verdict.doubled, verdict.lines, verdict.is_good()), (2, 6, true));
        assert_eq!(verdict.back, 1);
        let verdict = judged(3, &[], &[(&text([1, 2, 1, 2, 2, 3]), false)]);
        assert_eq!((verdict.doubled, verdict.back), (3, 2));
    }

    #[test]
    fn torn_in_the_middle() {
        let mut torn = text(1..=2);
        torn.extend_from_slice(&text([3])[..12]);
        torn.extend_from_slice(&text(3..=5));
        let verdict = judged(5, &[], &[(&torn, false)]);
        assert_eq!((verdict.torn, verdict.lost), (1, 1));
        let mut ended = text(1..=2);
        ended.extend_from_slice(&text([3])[..12]);
        ended.push(b'\n');
        ended.extend_from_slice(&text(3..=5));
        let verdict = judged(5, &[], &[(&ended, false)]);
        assert_eq!((verdict.torn, verdict.lost, verdict.is_good()), (1, 0, false));
    }

    #[test]
    fn cut_at_the_end_of_a_log_whose_writer_was_killed() {
        let whole = text(1..=3);
        let (begun, rest) = (&whole[..whole.len() - 9], text(3..=5));
        let verdict = judged(5, &[], &[(begun, true), (&rest, false)]);
        assert_eq!((verdict.cut, verdict.torn, verdict.is_good()), (1, 0, true));
        let verdict = judged(5, &[], &[(begun, true), (&text(4..=5), false)]);
        assert_eq!((verdict.cut, verdict.lost), (1, 1));
        let verdict = judged(5, &[], &[(begun, false), (&rest, false)]);
        assert_eq!((verdict.torn, verdict.is_good()), (1, false));
    }
}
