//! The places in which a machine is at once, and the machine itself, which
//! walks a line byte by byte. It takes time in proportion to line and program,
//! whatever they are, and remembers nothing; the automaton beside it does.

use crate::node::{Side, Wanted};
use crate::program::{Inst, Program};
use std::mem::size_of;
use std::ops::Range;

/// A set of places in the order in which they were found, which is that of
/// where their threads began.
#[derive(Debug)]
pub(crate) struct Threads {
    places: Vec<u16>,
    starts: Vec<usize>,
    /// For each place where it would be in `places`.
    found: Vec<u16>,
}

impl Threads {
    fn new(len: usize) -> Self {
        Self {
            places: Vec::with_capacity(len),
            starts: Vec::with_capacity(len),
            found: vec![0; len],
        }
    }

    pub(crate) fn clear(&mut self) {
        self.places.clear();
        self.starts.clear();
    }

    pub(crate) fn contains(&self, place: u16) -> bool {
        self.places.get(usize::from(self.found[usize::from(place)])) == Some(&place)
    }

    /// Whether it is new.
    fn insert(&mut self, place: u16, start: usize) -> bool {
        if self.contains(place) {
            return false;
        }
        let at = u16::try_from(self.places.len()).expect("no more than there are instructions");
        self.found[usize::from(place)] = at;
        self.places.push(place);
        self.starts.push(start);
        true
    }

    pub(crate) fn places(&self) -> &[u16] {
        &self.places
    }

    fn allocated(&self) -> usize {
        (self.places.capacity() + self.found.capacity()) * size_of::<u16>()
            + self.starts.capacity() * size_of::<usize>()
    }
}

/// What is on the two sides of a place in a line; the one after it may not be
/// known yet.
#[derive(Clone, Copy)]
pub(crate) struct Around {
    pub(crate) before: Side,
    pub(crate) after: Option<Side>,
}

impl Around {
    /// What is around the place before the byte at `at`.
    fn at(line: &[u8], at: usize) -> Self {
        let before = at.checked_sub(1).map(|before| line[before]);
        Self { before: Side::of(before), after: Some(Side::of(line.get(at).copied())) }
    }
}

/// Two sets of threads, now and next, and what is still to be followed.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) now: Threads,
    pub(crate) next: Threads,
    open: Vec<u16>,
}

impl Machine {
    /// What it takes for each instruction.
    pub(crate) const INST: usize =
        2 * (2 * size_of::<u16>() + size_of::<usize>()) + size_of::<u16>();

    /// One for a program of `len` instructions.
    pub(crate) fn new(len: usize) -> Self {
        Self { now: Threads::new(len), next: Threads::new(len), open: Vec::with_capacity(len) }
    }

    /// Adds to those that are next the thread at `place`, and wherever it gets
    /// to without a byte. Where it depends on what comes after, and that is not
    /// known, it waits. Says whether it has matched.
    pub(crate) fn follow(
        &mut self,
        program: &Program,
        place: u16,
        start: usize,
        around: Around,
    ) -> bool {
        let mut matched = false;
        let mut place = place;
        loop {
            let mut on = None;
            if self.next.insert(place, start) {
                match program.inst(place) {
                    Inst::Match => matched = true,
                    Inst::Set { .. } => {}
                    Inst::Look { look, next } => {
                        let after = match around.after {
                            Some(side) => look.after.fits(side),
                            None => look.after == Wanted::Any,
                        };
                        on = (after && look.before.fits(around.before)).then_some(next);
                    }
                    Inst::Split { one, other } => {
                        self.open.push(other);
                        on = Some(one);
                    }
                }
            }
            match on.or_else(|| self.open.pop()) {
                Some(next) => place = next,
                None => return matched,
            }
        }
    }

    /// Makes what is next what is now.
    pub(crate) fn turn(&mut self) {
        std::mem::swap(&mut self.now, &mut self.next);
        self.next.clear();
    }

    /// Where the first match from `from` on is, and of those that begin there the longest; or
    /// the first one that shows, if `any` is as good.
    pub(crate) fn find(
        &mut self,
        program: &Program,
        line: &[u8],
        from: usize,
        any: bool,
    ) -> Option<Range<usize>> {
        self.next.clear();
        let mut best: Option<Range<usize>> = None;
        if self.follow(program, program.entry(), from, Around::at(line, from)) {
            best = Some(from..from);
        }
        for (at, &byte) in line.iter().enumerate().skip(from) {
            if any && best.is_some() {
                break;
            }
            self.turn();
            let around = Around::at(line, at + 1);
            // Threads are in the order of their starts: the first to match has
            // begun first, and those that began after a match are of no use.
            let first = best.as_ref().map_or(usize::MAX, |best| best.start);
            for thread in 0..self.now.places.len() {
                let start = self.now.starts[thread];
                if start > first {
                    break;
                }
                if let Some(next) = program.step(self.now.places[thread], byte)
                    && self.follow(program, next, start, around)
                {
                    best = Some(start..at + 1);
                }
            }
            if best.is_some() {
                if self.next.places.is_empty() {
                    break;
                }
            } else if self.follow(program, program.entry(), at + 1, around) {
                best = Some(at + 1..at + 1);
            }
        }
        best
    }

    /// The bytes it has allocated.
    pub(crate) fn allocated(&self) -> usize {
        self.now.allocated() + self.next.allocated() + self.open.capacity() * size_of::<u16>()
    }
}
