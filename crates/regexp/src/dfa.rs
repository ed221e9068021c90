//! An automaton that is built while it runs: it remembers which places the
//! machine was in, and where each byte led from there. When there is no room
//! for more it forgets everything and begins again; when that happens too often
//! to be of use it says so, and leaves the line to the machine.

use crate::node::{Side, Wanted};
use crate::program::{Inst, Program};
use crate::threads::{Around, Machine};
use std::mem::size_of;

/// No state, but what becomes of a line: nothing can match any more,
const DEAD: u16 = 0;
/// something has matched,
const MATCH: u16 = 1;
/// or it has to be found out.
const UNKNOWN: u16 = 2;
/// Where in the table the first state's row begins. A state's name is where its
/// row is.
const FIRST: usize = 3;

/// How many bytes a state has to be good for; it takes about as long to make
/// one as the machine takes for a few bytes.
const WORTH: usize = 10;
/// How many lines are left to the machine when states were not worth it.
const LEFT: u32 = 256;

/// A state: the places it stands for.
#[derive(Clone, Copy, Debug)]
struct State {
    /// Where in `places` they begin, and how many there are.
    at: u32,
    len: u16,
    /// What is before them, where that matters.
    before: Side,
}

/// The automaton.
#[derive(Debug)]
pub(crate) struct Dfa {
    /// A row for each state: for each class of bytes, and for the end of the
    /// line, which state is next.
    table: Vec<u16>,
    stride: usize,
    states: Vec<State>,
    places: Vec<u16>,
    /// Where states are found by their places: their number and 1, or 0.
    index: Vec<u16>,
    /// The state in which a line begins.
    begin: u16,
    /// Whether something can still match in a line when all threads have died.
    restarts: bool,
    /// How many bytes were read since it last forgot everything.
    read: usize,
    /// How many times it has.
    forgotten: usize,
    /// How many lines it leaves to the machine.
    left: u32,
}

impl Dfa {
    /// One for this program that takes no more than `memory`.
    pub(crate) fn new(program: &Program, machine: &mut Machine, memory: usize) -> Self {
        let stride = program.class_count() + 1;
        // For each state its row, itself, its places and two cells in the
        // index. Most have few places.
        let fixed = (stride + 2) * size_of::<u16>() + size_of::<State>();
        let places = program.len().min(24) * size_of::<u16>();
        let most = (usize::from(u16::MAX) - FIRST) / stride;
        let states = (memory / (fixed + places)).clamp(4, most);
        let spare = memory.saturating_sub(states * fixed + FIRST * size_of::<u16>());
        let places = (spare / size_of::<u16>()).max(program.len() * 2).min(states * program.len());
        let restarts = [Side::Word, Side::Other].into_iter().any(|before| {
            machine.next.clear();
            machine.follow(program, program.entry(), 0, Around { before, after: None });
            machine.next.places().iter().any(|&place| stays(program, place, before))
        });
        let mut dfa = Self {
            table: Vec::with_capacity(FIRST + states * stride),
            stride,
            states: Vec::with_capacity(states),
            places: Vec::with_capacity(places),
            index: vec![0; states * 2],
            begin: UNKNOWN,
            restarts,
            read: 0,
            forgotten: 0,
            left: 0,
        };
        dfa.forget();
        dfa
    }

    /// Whether something in the line matches; nothing if that is for the
    /// machine to say.
    pub(crate) fn is_match(
        &mut self,
        program: &Program,
        machine: &mut Machine,
        line: &[u8],
    ) -> Option<bool> {
        if self.left > 0 {
            self.left -= 1;
            return None;
        }
        let mut state = self.begin;
        if state == UNKNOWN {
            state = self.begin(program, machine)?;
        }
        let mut at = 0;
        // The end of the line is read like a byte, of a class of its own, and
        // leads to no state.
        while state > UNKNOWN {
            let known = self.run(program.classes(), &mut state, &line[at..]);
            at += known;
            let byte = line.get(at).copied();
            let mut next = self.table[self.cell(program, state, byte)];
            if next == UNKNOWN {
                next = self.learn(program, machine, state, byte, at)?;
            }
            state = next;
            at += 1;
        }
        self.read += at.min(line.len());
        Some(state == MATCH)
    }

    /// Goes from state to state as far as the way is known, and says how many
    /// bytes that is.
    fn run(&self, classes: &[u8; 256], state: &mut u16, line: &[u8]) -> usize {
        let table = self.table.as_slice();
        for (at, &byte) in line.iter().enumerate() {
            let next = table[usize::from(*state) + usize::from(classes[usize::from(byte)])];
            if next <= UNKNOWN {
                return at;
            }
            *state = next;
        }
        line.len()
    }

    /// Where it is noted what follows on this byte, or on the end.
    fn cell(&self, program: &Program, state: u16, byte: Option<u8>) -> usize {
        let class =
            byte.map_or(self.stride - 1, |byte| usize::from(program.classes()[usize::from(byte)]));
        usize::from(state) + class
    }

    /// The state in which lines begin.
    fn begin(&mut self, program: &Program, machine: &mut Machine) -> Option<u16> {
        machine.next.clear();
        let around = Around { before: Side::Edge, after: None };
        let matched = machine.follow(program, program.entry(), 0, around);
        self.begin = if matched { MATCH } else { self.state(program, machine, Side::Edge, 0)? };
        Some(self.begin)
    }

    /// Finds out which state follows when `byte` comes, or the end, and
    /// remembers it.
    fn learn(
        &mut self,
        program: &Program,
        machine: &mut Machine,
        state: u16,
        byte: Option<u8>,
        at: usize,
    ) -> Option<u16> {
        let State { at: first, len, before } = self.states[self.number(state)];
        let first = first as usize;
        // Those that waited to see what comes next go on or die.
        machine.next.clear();
        let around = Around { before, after: Some(Side::of(byte)) };
        let mut matched = false;
        for &place in &self.places[first..first + usize::from(len)] {
            matched |= machine.follow(program, place, 0, around);
        }
        let cell = self.cell(program, state, byte);
        let Some(byte) = byte.filter(|_| !matched) else {
            self.table[cell] = if matched { MATCH } else { DEAD };
            return Some(self.table[cell]);
        };
        machine.turn();
        let before = Side::of(Some(byte));
        let around = Around { before, after: None };
        for thread in 0..machine.now.places().len() {
            if let Some(next) = program.step(machine.now.places()[thread], byte) {
                matched |= machine.follow(program, next, 0, around);
            }
        }
        matched |= machine.follow(program, program.entry(), 0, around);
        let forgotten = self.forgotten;
        let next = if matched { MATCH } else { self.state(program, machine, before, at)? };
        // The row is gone with everything else if it has forgotten that.
        if self.forgotten == forgotten {
            self.table[cell] = next;
        }
        Some(next)
    }

    /// The state for the places that are next, an old one or a new one. When
    /// there is no room it forgets all others, unless they were not worth it,
    /// with `at` bytes read of this line.
    fn state(
        &mut self,
        program: &Program,
        machine: &mut Machine,
        before: Side,
        at: usize,
    ) -> Option<u16> {
        // Only what waits, or takes a byte, makes a difference; so does what
        // was before only to those that wait.
        let mut waits = false;
        let fits = machine.next.places().len() + self.places.len() <= self.places.capacity();
        if !fits || self.states.len() == self.states.capacity() {
            let worth = self.states.len() * WORTH <= self.read + at;
            self.forget();
            if !worth {
                self.left = LEFT;
                return None;
            }
        }
        let first = self.places.len();
        for &place in machine.next.places() {
            if stays(program, place, before) {
                waits |= matches!(program.inst(place), Inst::Look { .. });
                self.places.push(place);
            }
        }
        let new = &mut self.places[first..];
        new.sort_unstable();
        let before = if waits { before } else { Side::Other };
        if new.is_empty() && !self.restarts {
            return Some(DEAD);
        }
        let mut cell = hash(&self.places[first..], before) % self.index.len();
        while let Some(number) = usize::from(self.index[cell]).checked_sub(1) {
            let State { at, len, before: side } = self.states[number];
            let known = &self.places[at as usize..at as usize + usize::from(len)];
            if side == before && *known == self.places[first..] {
                self.places.truncate(first);
                return Some(self.name(number));
            }
            cell = (cell + 1) % self.index.len();
        }
        let number = self.states.len();
        let len = u16::try_from(self.places.len() - first).expect("as many as instructions");
        let first = u32::try_from(first).expect("the room was measured");
        self.states.push(State { at: first, len, before });
        self.table.resize(self.table.len() + self.stride, UNKNOWN);
        self.index[cell] = u16::try_from(number + 1).expect("names are as short");
        Some(self.name(number))
    }

    fn name(&self, number: usize) -> u16 {
        u16::try_from(FIRST + number * self.stride).expect("the table is no longer")
    }

    fn number(&self, state: u16) -> usize {
        (usize::from(state) - FIRST) / self.stride
    }

    /// Forgets all states.
    fn forget(&mut self) {
        self.table.clear();
        self.table.resize(FIRST, UNKNOWN);
        self.states.clear();
        self.places.clear();
        self.index.fill(0);
        self.begin = UNKNOWN;
        self.read = 0;
        self.forgotten = self.forgotten.wrapping_add(1);
    }

    /// How many times it has forgotten everything since it was made.
    #[cfg(test)]
    pub(crate) fn has_forgotten(&self) -> usize {
        self.forgotten - 1
    }

    /// Takes the next line, whatever has been.
    #[cfg(test)]
    pub(crate) fn insist(&mut self) {
        (self.left, self.read) = (0, usize::MAX / 2);
    }

    /// The bytes it has allocated.
    pub(crate) fn allocated(&self) -> usize {
        (self.table.capacity() + self.places.capacity() + self.index.capacity()) * size_of::<u16>()
            + self.states.capacity() * size_of::<State>()
    }
}

/// Whether a thread at this place needs what comes next to go on.
fn stays(program: &Program, place: u16, before: Side) -> bool {
    match program.inst(place) {
        Inst::Set { .. } => true,
        Inst::Look { look, .. } => look.after != Wanted::Any && look.before.fits(before),
        Inst::Match | Inst::Split { .. } => false,
    }
}

/// FNV's, of the places and the side.
fn hash(places: &[u16], before: Side) -> usize {
    let start = 0xcbf2_9ce4_8422_2325 ^ before as u64;
    let mixed = places
        .iter()
        .fold(start, |hash, &place| (hash ^ u64::from(place)).wrapping_mul(0x0100_0000_01b3));
    usize::try_from((mixed ^ mixed >> 32) & 0xffff_ffff).expect("32 bits")
}
