//! Where a log is cut. A log ends at a line's end within 2000 bytes of its
//! size, and hard at its size; which line's end that is depends on how much
//! arrives at once, so this keeps the original's steps: 1024 bytes read at a
//! time, 512 bytes held before they are passed on. Only the counting is the
//! same: nothing is copied here, and nothing written.
//!
//! svlogd is simpler: a log ends at the first line's end near its size, and
//! hard at its size, however much arrives at once.

/// What one read brings at most. Everything held is passed on before a read.
pub const READ: usize = 1024;
/// How near its size a log may end at a line's end.
const NEAR: u64 = 2000;
/// How many bytes are held before they are passed on.
const HELD: usize = 512;

/// Counts the bytes that are held.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    held: usize,
}

impl Pace {
    /// `len` bytes, at most 1000, come at once. Answers how many bytes are to
    /// be passed on now, in two portions; either may be 0.
    #[must_use]
    pub fn line(&mut self, len: usize) -> [usize; 2] {
        if len <= HELD - self.held {
            self.held += len;
            return [0, 0];
        }
        let before = self.held;
        if len <= HELD {
            self.held = len;
            [before, 0]
        } else {
            self.held = 0;
            [before, len]
        }
    }

    /// At least one and at most `len` bytes come one after the other. Answers
    /// how many are to be passed on before them, and how many they are.
    #[must_use]
    pub fn bytes(&mut self, len: usize) -> (usize, usize) {
        let before = if self.held == HELD { core::mem::take(&mut self.held) } else { 0 };
        let taken = len.min(HELD - self.held);
        self.held += taken;
        (before, taken)
    }

    /// Everything held is to be passed on: this much.
    #[must_use]
    pub fn flush(&mut self) -> usize {
        core::mem::take(&mut self.held)
    }
}

/// Counts the bytes in a log, and says where it ends.
#[derive(Clone, Debug)]
pub struct Cut {
    size: u64,
    /// From this many bytes on it ends at a line's end.
    soft: u64,
    which: Which,
    written: u64,
}

/// Which of several newlines a log ends at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The first.
    First,
    /// The last.
    Last,
}

/// The next thing to do with bytes that are passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Piece {
    /// The log must be ended first.
    pub end_before: bool,
    /// How many bytes go into it.
    pub len: usize,
    /// The log must be ended afterwards.
    pub end_after: bool,
}

impl Cut {
    /// A log that may grow to `size` (4096 at least) and already holds
    /// `written` bytes.
    #[must_use]
    pub const fn new(size: u64, written: u64) -> Self {
        Self { size, soft: size.saturating_sub(NEAR), which: Which::Last, written }
    }

    /// A log that ends at the first line's end within `near` bytes of `size`,
    /// which is above 0, and already holds `written` bytes. Where `size` is
    /// smaller than `near`, lines do not count.
    #[must_use]
    pub const fn at_first(size: u64, near: u64, written: u64) -> Self {
        let soft = if near > size { u64::MAX } else { size - near };
        Self { size, soft, which: Which::First, written }
    }

    /// How many bytes the log holds.
    #[must_use]
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// How many bytes can be added wherever their lines end, without coming
    /// near the log's end.
    #[must_use]
    pub const fn spare(&self) -> u64 {
        let soft = self.soft.saturating_sub(1);
        let spare = if soft < self.size { soft } else { self.size };
        spare.saturating_sub(self.written)
    }

    /// Adds `len` bytes if they can be spared.
    #[must_use]
    pub const fn add(&mut self, len: usize) -> bool {
        let fits = len as u64 <= self.spare();
        if fits {
            self.written += len as u64;
        }
        fits
    }

    /// The log was ended for a reason of the caller's.
    pub const fn restart(&mut self) {
        self.written = 0;
    }

    /// Takes the beginning of `waiting`, which is not empty, and counts it.
    /// `newline` says where the first or the last newline of a slice is.
    pub fn piece(
        &mut self,
        waiting: &[u8],
        newline: impl Fn(Which, &[u8]) -> Option<usize>,
    ) -> Piece {
        let end_before = self.written >= self.size;
        if end_before {
            self.written = 0;
        }
        let room = usize::try_from(self.size - self.written).unwrap_or(usize::MAX);
        let mut len = waiting.len().min(room);
        let mut ends_line = false;
        if self.written + len as u64 >= self.soft {
            let before = match self.which {
                Which::First => self.soft.saturating_sub(self.written).saturating_sub(1),
                Which::Last => 0,
            };
            let before = usize::try_from(before).map_or(len, |before| before.min(len));
            if let Some(at) = newline(self.which, &waiting[before..len]) {
                len = before + at + 1;
                ends_line = true;
            }
        }
        self.written += len as u64;
        let end_after = ends_line && self.written >= self.soft;
        if end_after {
            self.written = 0;
        }
        Piece { end_before, len, end_after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    fn last_newline(bytes: &[u8]) -> Option<usize> {
        bytes.iter().rposition(|&b| b == b'\n')
    }

    fn newline(which: Which, bytes: &[u8]) -> Option<usize> {
        match which {
            Which::First => bytes.iter().position(|&b| b == b'\n'),
            Which::Last => last_newline(bytes),
        }
    }

    /// One log directory as the original treats it: a real buffer, and every
    /// byte copied.
    struct Original {
        size: usize,
        buffer: Vec<u8>,
        current: Vec<u8>,
        old: Vec<Vec<u8>>,
    }

    impl Original {
        fn full(&mut self) {
            self.old.push(core::mem::take(&mut self.current));
        }

        fn write(&mut self, mut bytes: &[u8]) {
            while !bytes.is_empty() {
                if self.current.len() >= self.size {
                    self.full();
                }
                let mut len = bytes.len().min(self.size - self.current.len());
                if self.current.len() + len >= self.size - 2000
                    && let Some(at) = last_newline(&bytes[..len])
                {
                    len = at + 1;
                }
                self.current.extend(&bytes[..len]);
                if self.current.len() >= self.size - 2000 && bytes[len - 1] == b'\n' {
                    self.full();
                }
                bytes = &bytes[len..];
            }
        }

        fn flush(&mut self) {
            let bytes = core::mem::take(&mut self.buffer);
            self.write(&bytes);
        }

        fn line(&mut self, line: &[u8]) {
            if self.buffer.len() + line.len() > 512 {
                self.flush();
                if line.len() > 512 {
                    return self.write(line);
                }
            }
            self.buffer.extend(line);
        }

        fn byte(&mut self, byte: u8) {
            if self.buffer.len() == 512 {
                self.flush();
            }
            self.buffer.push(byte);
        }
    }

    /// The same on top of what is above.
    struct Ours {
        pace: Pace,
        cut: Cut,
        out: Vec<u8>,
        old: Vec<Vec<u8>>,
        passed: usize,
    }

    impl Ours {
        fn full(&mut self) {
            let rest = self.out.split_off(self.passed);
            self.old.push(core::mem::replace(&mut self.out, rest));
            self.passed = 0;
        }

        fn pass(&mut self, mut n: usize) {
            if self.cut.add(n) {
                self.passed += n;
                return;
            }
            while n > 0 {
                let waiting = self.out[self.passed..self.passed + n].to_vec();
                let piece = self.cut.piece(&waiting, newline);
                if piece.end_before {
                    self.full();
                }
                self.passed += piece.len;
                n -= piece.len;
                if piece.end_after {
                    self.full();
                }
            }
        }

        fn line(&mut self, line: &[u8]) {
            self.out.extend(line);
            for n in self.pace.line(line.len()) {
                self.pass(n);
            }
        }

        fn bytes(&mut self, mut bytes: &[u8]) {
            while !bytes.is_empty() {
                let (before, taken) = self.pace.bytes(bytes.len());
                self.pass(before);
                self.out.extend(&bytes[..taken]);
                bytes = &bytes[taken..];
            }
        }
    }

    fn random(seed: &mut u64) -> usize {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        usize::try_from(*seed >> 33).unwrap()
    }

    #[test]
    fn cut_where_the_original_cuts() {
        for case in 1..300_u64 {
            let mut seed = case;
            let size = 4096 + random(&mut seed) % 6000;
            let held = random(&mut seed) % (size + 3000);
            let mut theirs =
                Original { size, buffer: Vec::new(), current: vec![b'x'; held], old: Vec::new() };
            let mut ours = Ours {
                pace: Pace::default(),
                cut: Cut::new(size as u64, held as u64),
                out: vec![b'x'; held],
                old: Vec::new(),
                passed: held,
            };
            for step in 0..400 {
                let kind = random(&mut seed) % 8;
                let len = random(&mut seed) % if kind < 4 { 120 } else { 1001 };
                let text = vec![b'a' + u8::try_from(step % 26).unwrap(); len];
                if kind == 7 {
                    theirs.flush();
                    let n = ours.pace.flush();
                    ours.pass(n);
                    continue;
                }
                if kind == 6 {
                    text.iter().for_each(|&b| theirs.byte(b));
                    ours.bytes(&text);
                } else {
                    theirs.line(&text);
                    ours.line(&text);
                }
                theirs.byte(b'\n');
                ours.bytes(b"\n");
            }
            theirs.flush();
            let n = ours.pace.flush();
            ours.pass(n);
            assert_eq!(ours.old, theirs.old, "case {case}");
            assert_eq!(ours.out, theirs.current, "case {case}");
            assert_eq!(ours.cut.written(), theirs.current.len() as u64, "case {case}");
        }
    }

    #[test]
    fn what_can_be_spared_is_never_cut() {
        let mut cut = Cut::new(4096, 0);
        assert_eq!(cut.spare(), 2095);
        assert!(!cut.add(2096) && cut.add(2095) && !cut.add(1));
        let piece = cut.piece(b"\n", newline);
        assert_eq!(piece, Piece { end_before: false, len: 1, end_after: true });
        assert_eq!(cut.spare(), 2095);
    }

    #[test]
    fn cut_where_svlogd_cuts() {
        for case in 1..400_u64 {
            let mut seed = case;
            let size = 1 + random(&mut seed) as u64 % 300;
            let near = random(&mut seed) as u64 % 310;
            let mut written = random(&mut seed) as u64 % 320;
            let input: Vec<u8> = (0..2000)
                .map(|_| if random(&mut seed).is_multiple_of(20) { b'\n' } else { b'x' })
                .collect();
            // One byte after the other, as the original's manual has it.
            let mut theirs: Vec<Vec<u8>> = vec![Vec::new()];
            let mut cut = Cut::at_first(size, near, written);
            for &byte in &input {
                if written >= size {
                    theirs.push(Vec::new());
                    written = 0;
                }
                theirs.last_mut().unwrap().push(byte);
                written += 1;
                if byte == b'\n' && near <= size && written >= size - near {
                    theirs.push(Vec::new());
                    written = 0;
                }
            }
            let mut ours: Vec<Vec<u8>> = vec![Vec::new()];
            let mut waiting = &input[..];
            while !waiting.is_empty() {
                let most = waiting.len().min(1 + random(&mut seed) % 400);
                if random(&mut seed).is_multiple_of(2) && cut.add(most) {
                    ours.last_mut().unwrap().extend(&waiting[..most]);
                    waiting = &waiting[most..];
                    continue;
                }
                let piece = cut.piece(&waiting[..most], newline);
                if piece.end_before {
                    ours.push(Vec::new());
                }
                ours.last_mut().unwrap().extend(&waiting[..piece.len]);
                waiting = &waiting[piece.len..];
                if piece.end_after {
                    ours.push(Vec::new());
                }
            }
            assert_eq!(ours, theirs, "case {case}");
            assert_eq!(cut.written(), written, "case {case}");
        }
    }
}
