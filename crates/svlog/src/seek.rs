//! Finding the place of a moment in a file without reading all of it.
//!
//! The place is the beginning of the first stamped line that is late enough,
//! and where the lines are in order of time, that is all there is to say. Where
//! a clock was set back they are not: then one is found that is late enough
//! and has one before it that is not, and no later one than the first of those
//! that are looked at anyway, sixty-four evenly spaced in every file.

use crate::entry::Stamps;
use crate::lines::LONGEST;
use memchr::{memchr, memrchr};
use rustix::fd::OwnedFd;
use rustix::io::Result;
use upkeep_core::tai::Tai64n;

/// So many places are looked at first.
const SAMPLES: u64 = 64;
/// A stretch that is read as a whole.
const SMALL: u64 = 16 * 1024;
/// As much of a line as is looked at for its stamp.
const STAMP: usize = 128;

/// Where the first stamped line begins for whose moment `late` holds, among
/// those that begin before `size`.
pub(crate) fn first(
    file: &OwnedFd,
    size: u64,
    stamps: &mut Stamps,
    late: impl Fn(Tai64n) -> bool,
) -> Result<Option<u64>> {
    // What begins before `low` is too early; `found` is late enough, and
    // between `high` and that nothing is stamped.
    let (mut low, mut high, mut found) = (0, size, None);
    let step = (size / SAMPLES).max(SMALL);
    let mut from = 0;
    while from < size {
        match one(file, from, size.min(from + step), stamps)? {
            Some((at, moment)) if late(moment) => {
                (high, found) = (from, Some(at));
                break;
            }
            Some((at, _)) => low = at,
            None => {}
        }
        from += step;
    }
    while high.saturating_sub(low) > SMALL {
        let middle = low + (high - low) / 2;
        match one(file, middle, high, stamps)? {
            Some((at, moment)) if !late(moment) => low = at,
            Some((at, _)) => (high, found) = (middle, Some(at)),
            None => high = middle,
        }
    }
    let mut first = None;
    scan(file, low, high, stamps, |at, moment| {
        first = Some(at).filter(|_| late(moment));
        first.is_some()
    })?;
    Ok(first.or(found))
}

fn one(file: &OwnedFd, from: u64, to: u64, stamps: &mut Stamps) -> Result<Option<(u64, Tai64n)>> {
    let mut found = None;
    scan(file, from, to, stamps, |at, moment| {
        found = Some((at, moment));
        true
    })?;
    Ok(found)
}

/// Goes through the stamped lines that begin in this stretch, until `enough`
/// says so.
fn scan(
    file: &OwnedFd,
    from: u64,
    to: u64,
    stamps: &mut Stamps,
    mut enough: impl FnMut(u64, Tai64n) -> bool,
) -> Result<()> {
    let mut buffer = [0; 8192];
    // A line begins behind a newline, and at the beginning.
    let (mut at, mut begins) = (from.saturating_sub(1), from == 0);
    while at < to {
        let len = fill(file, &mut buffer, at)?;
        if len == 0 {
            return Ok(());
        }
        let text = &buffer[..len];
        let is_last = len < buffer.len();
        let mut place = 0;
        loop {
            if !begins {
                let Some(end) = memchr(b'\n', &text[place..]) else {
                    at += len as u64;
                    break;
                };
                place += end + 1;
            }
            begins = true;
            let line = at + place as u64;
            if line >= to {
                return Ok(());
            }
            // It has to be there as far as its stamp may go.
            if place > 0 && len - place < STAMP && !is_last {
                at = line;
                break;
            }
            let rest = &text[place..];
            let end = memchr(b'\n', &rest[..rest.len().min(STAMP)]);
            if let Some(moment) = stamps.moment(&rest[..end.unwrap_or(rest.len().min(STAMP))])
                && enough(line, moment)
            {
                return Ok(());
            }
            begins = false;
        }
    }
    Ok(())
}

/// What was found before a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// A stamped line of this moment.
    Moment(Tai64n),
    /// Nothing that is stamped.
    Nothing,
    /// Nothing as far as was looked.
    Far,
}

/// How far it is looked for a stamped line.
const FAR: usize = 1 << 20;

/// The last stamped line that begins before `place`.
pub(crate) fn before(file: &OwnedFd, place: u64, stamps: &mut Stamps) -> Before {
    let mut size = 4096;
    loop {
        let mut buffer = vec![0; usize::try_from(place).map_or(size, |place| place.min(size))];
        let from = place - buffer.len() as u64;
        let len = fill(file, &mut buffer, from).unwrap_or(0);
        let mut text = &buffer[..len];
        while let Some((_, before)) = text.split_last() {
            let start = match memrchr(b'\n', before) {
                Some(newline) => newline + 1,
                None if from == 0 => 0,
                None => break,
            };
            if let Some(moment) = stamps.moment(&text[start..]) {
                return Before::Moment(moment);
            }
            text = &text[..start];
        }
        if from == 0 {
            return Before::Nothing;
        }
        if size == FAR {
            return Before::Far;
        }
        size *= 4;
    }
}

/// Where the line begins that is not finished at `place`: there, if nothing is
/// unfinished. What is longer than is kept in memory is not gone back through.
pub(crate) fn line_at(file: &OwnedFd, place: u64) -> u64 {
    let mut buffer = [0; 8192];
    let mut from = place;
    while from > 0 && place - from < LONGEST as u64 {
        let start = from.saturating_sub(buffer.len() as u64);
        // It is no longer than the buffer.
        let len = (from - start) as usize;
        if fill(file, &mut buffer[..len], start) != Ok(len) {
            return place;
        }
        if let Some(newline) = memrchr(b'\n', &buffer[..len]) {
            return start + newline as u64 + 1;
        }
        from = start;
    }
    if from == 0 { 0 } else { place }
}

/// Reads until it is full, or nothing more is there.
pub(crate) fn fill(file: &OwnedFd, buffer: &mut [u8], at: u64) -> Result<usize> {
    let mut len = 0;
    while len < buffer.len() {
        let more = rustix::io::retry_on_intr(|| {
            rustix::io::pread(file, &mut buffer[len..], at + len as u64)
        })?;
        if more == 0 {
            break;
        }
        len += more;
    }
    Ok(len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::UTC;
    use crate::test_dir::TestDir;
    use upkeep_core::tai::Tai64n;

    struct Text {
        text: Vec<u8>,
        file: OwnedFd,
        /// All stamped lines.
        lines: Vec<(u64, Tai64n)>,
    }

    impl Text {
        fn new(text: Vec<u8>) -> Self {
            let dir = TestDir::new();
            dir.write("text", &text);
            let file = crate::listing::open(&dir.fd(), c"text").unwrap();
            let (mut lines, mut at) = (Vec::new(), 0);
            for line in text.split_inclusive(|byte| *byte == b'\n') {
                lines.extend(UTC.clone().moment(line).map(|moment| (at, moment)));
                at += line.len() as u64;
            }
            Self { text, file, lines }
        }

        fn first(&self, since: i64) -> Option<u64> {
            let size = self.text.len() as u64;
            first(&self.file, size, &mut UTC.clone(), |it| it >= moment(since)).unwrap()
        }

        fn naive(&self, since: i64) -> Option<u64> {
            let late = |line: &&(u64, Tai64n)| line.1 >= moment(since);
            self.lines.iter().find(late).map(|line| line.0)
        }
    }

    fn moment(second: i64) -> Tai64n {
        Tai64n::from_unix(second, 0)
    }

    fn line(out: &mut Vec<u8>, second: i64, text: &str) {
        out.extend_from_slice(&moment(second).label());
        out.extend_from_slice(format!(" {text}\n").as_bytes());
    }

    #[test]
    fn in_order_it_is_the_first() {
        let mut text = b"no stamp\n".to_vec();
        let mut seed = 1_u64;
        for number in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let kind = seed >> 60;
            if kind == 0 {
                text.extend_from_slice(b"a line\n\nwithout\n");
            } else if seed >> 52 == 0x300 {
                line(&mut text, number / 3 * 10, &"long ".repeat(20_000));
            }
            line(&mut text, number / 3 * 10, &"x".repeat((seed >> 58) as usize));
        }
        let text = Text::new(text);
        let last = 19_999 / 3 * 10;
        for since in (-5..last + 20).step_by(37).chain(last - 30..last + 20) {
            assert_eq!(text.first(since), text.naive(since), "{since}");
        }
    }

    #[test]
    fn small_and_odd_files() {
        for text in
            [&b""[..], b"\n", b"\n\n\n", b"none\n", b"@400000006b", b"@400000006b08095300000001"]
        {
            let text = Text::new(text.to_vec());
            for since in [0, i64::from(i32::MAX)] {
                assert_eq!(text.first(since), text.naive(since));
            }
        }
        let mut all = Vec::new();
        (0..3).for_each(|second| line(&mut all, second, ""));
        for len in 0..all.len() {
            let text = Text::new(all[..len].to_vec());
            (0..4).for_each(|since| assert_eq!(text.first(since), text.naive(since)));
        }
    }

    #[test]
    fn what_is_not_stamped_is_read_once() {
        let mut text = vec![b'\n'; 3_000_000];
        line(&mut text, 5, "five");
        text.resize(6_000_000, b'\n');
        let text = Text::new(text);
        assert_eq!(text.first(5), Some(3_000_000));
        assert_eq!(text.first(6), None);
    }

    /// Where a clock was set back, it is a place where it becomes late enough,
    /// and none of the lines that are looked at comes before.
    #[test]
    fn a_clock_that_was_set_back() {
        let mut text = Vec::new();
        for second in (0..30_000).chain(20_000..60_000) {
            line(&mut text, second, "some text that makes it longer");
        }
        let text = Text::new(text);
        let lines = &text.lines;
        for since in (0..60_001).step_by(613) {
            let found = text.first(since);
            assert_eq!(found.is_some(), since < 60_000, "{since}");
            let Some(found) = found else { continue };
            let at = lines.iter().position(|line| line.0 == found).unwrap();
            assert!(lines[at].1 >= moment(since));
            assert!(at == 0 || lines[at - 1].1 < moment(since));
            // The stretch that comes twice is longer than a sixty-fourth.
            let first = text.naive(since).unwrap();
            let step = text.text.len() as u64 / 64;
            assert!(found == first || since > 29_000 && found >= first, "{since} {found} {first}");
            assert!(
                found == first || found - first > 0 && since >= 30_000 - (step / 60).cast_signed()
            );
        }
    }

    #[test]
    fn the_moment_before() {
        let mut text = b"none\n".to_vec();
        line(&mut text, 7, "seven");
        text.extend_from_slice(b"more\nand\n");
        let text = Text::new(text);
        let before = |place| before(&text.file, place, &mut UTC.clone());
        let size = text.text.len() as u64;
        assert_eq!(before(size), Before::Moment(moment(7)));
        assert_eq!(before(size - 4), Before::Moment(moment(7)));
        assert_eq!((before(5), before(0)), (Before::Nothing, Before::Nothing));
        let mut far = Vec::new();
        line(&mut far, 1, "");
        far.resize(FAR / 2, b'\n');
        let near = Text::new(far.clone());
        let place = near.text.len() as u64;
        assert_eq!(super::before(&near.file, place, &mut UTC.clone()), Before::Moment(moment(1)));
        far.resize(FAR * 2, b'\n');
        let far = Text::new(far);
        let place = far.text.len() as u64;
        assert_eq!(super::before(&far.file, place, &mut UTC.clone()), Before::Far);
    }
}
