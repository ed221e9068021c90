//! What the loggers are fed: lines of one length, the same bytes every time.

/// What only a few lines hold. No other line has any letter of its first, so
/// that a matcher that stops there has to go through all of every line.
pub(crate) const NEEDLE: &str = "needle";
/// One line in so many has it.
const RARE: usize = 1000;
/// Letters of all other lines.
const LETTERS: &[u8] = b"abcdefghijklmopqrstuvwxyz 0123456789=:/.";

/// Whole lines, to be written again and again.
pub(crate) struct Input {
    block: Vec<u8>,
    times: usize,
    line: usize,
}

impl Input {
    /// About `total` bytes, in blocks of about `block`, in lines of `line`
    /// bytes with their ends.
    pub(crate) fn new(line: usize, block: usize, total: usize) -> Self {
        let lines = (block / line).next_multiple_of(RARE);
        let mut bytes = Vec::with_capacity(lines * line);
        let mut state: u32 = 1;
        for number in 0..lines {
            for _ in 1..line {
                // Any numbers will do, as long as they are always the same.
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                bytes.push(LETTERS[(state >> 16) as usize % LETTERS.len()]);
            }
            bytes.push(b'\n');
            if number % RARE == RARE / 2 {
                let at = bytes.len() - line / 2;
                bytes[at..at + NEEDLE.len()].copy_from_slice(NEEDLE.as_bytes());
            }
        }
        let times = (total / bytes.len()).max(1);
        Self { block: bytes, times, line }
    }

    /// The pieces, as a program would write them.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.times).flat_map(|_| self.block.chunks(64 * 1024))
    }

    /// Bytes in all.
    pub(crate) fn total(&self) -> usize {
        self.block.len() * self.times
    }

    /// A line; behind the last comes the first again.
    pub(crate) fn line(&self, number: usize) -> &[u8] {
        let at = number * self.line % self.block.len();
        &self.block[at..at + self.line]
    }

    /// Lines in all.
    pub(crate) fn lines(&self) -> usize {
        self.total() / self.line
    }

    /// Whether these are the last bytes, if they are not more than are kept.
    pub(crate) fn ends_with(&self, bytes: &[u8]) -> bool {
        self.block.ends_with(bytes)
    }

    /// Bytes of lines without the needle.
    pub(crate) fn plain(&self) -> usize {
        self.total() - self.total() / RARE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_bytes_lines_and_needles_as_it_says() {
        for line in [80, 200, 1000] {
            let input = Input::new(line, 300_000, 1_000_000);
            let all: Vec<u8> = input.pieces().flatten().copied().collect();
            assert_eq!(all.len(), input.total());
            let text = String::from_utf8(all).expect("letters only");
            assert!(text.lines().all(|l| l.len() + 1 == line));
            assert_eq!(text.lines().count(), input.lines());
            let (with, without): (Vec<&str>, Vec<&str>) =
                text.lines().partition(|l| l.contains(NEEDLE));
            assert_eq!(with.len() * line, input.total() - input.plain());
            assert!(!without.iter().any(|l| l.contains('n')));
            let (last, count) = (input.line(input.lines() - 1), input.lines());
            assert_eq!(text.as_bytes().chunks(line).next_back(), Some(last));
            assert_eq!(input.line(count), input.line(0));
            assert!(input.ends_with(&text.as_bytes()[text.len() - 1000..]));
            assert!(!input.ends_with(&text.as_bytes()[text.len() - 1000..text.len() - 1]));
        }
    }
}
