//! An expression that is more than a text: what is asked first, what next, and
//! what when that has no answer.

use crate::Options;
use crate::dfa::Dfa;
use crate::error::Error;
use crate::literals::Literals;
use crate::parse::{self, Cost, Parsed};
use crate::program::Program;
use crate::threads::Machine;
use memchr::memchr;
use std::mem::size_of;
use std::ops::Range;

/// After so many lines it is seen what the filter was good for, and after so
/// many without it, it is tried again.
const TRIED: u32 = 256;
const UNTRIED: u32 = 4096;

/// A program with all that makes it fast.
#[derive(Debug)]
pub(crate) struct Automatic {
    program: Program,
    machine: Machine,
    dfa: Dfa,
    /// Texts of which a line has to contain one.
    filter: Option<Literals>,
    /// How many lines were asked about, with the filter or without it.
    asked: u32,
    /// How many of them the filter has kept out.
    kept_out: u32,
    /// Whether lines are not filtered: they contain the texts anyway.
    unfiltered: bool,
}

impl Automatic {
    /// Reads a pattern that takes no more than `memory` as a program.
    pub(crate) fn parse(pattern: &[u8], options: Options, memory: usize) -> Result<Parsed, Error> {
        let cost = Cost { instruction: Program::INST + Machine::INST, set: Program::SET };
        parse::parse(pattern, options, cost, memory)
    }

    /// What runs a pattern, in no more than `memory`.
    pub(crate) fn new(parsed: Parsed, filter: Option<Literals>, memory: usize) -> Self {
        let program = Program::new(parsed);
        let mut machine = Machine::new(program.len());
        let taken = program.allocated()
            + machine.allocated()
            + filter.as_ref().map_or(0, Literals::allocated)
            + size_of::<Self>();
        let dfa = Dfa::new(&program, &mut machine, memory.saturating_sub(taken));
        Self { program, machine, dfa, filter, asked: 0, kept_out: 0, unfiltered: false }
    }

    pub(crate) fn is_match(&mut self, line: &[u8]) -> bool {
        self.passes(line) && self.matches(line)
    }

    pub(crate) fn find(&mut self, line: &[u8]) -> Option<Range<usize>> {
        if !self.is_match(line) {
            return None;
        }
        self.find_from(line, 0)
    }

    pub(crate) fn find_from(&mut self, line: &[u8], from: usize) -> Option<Range<usize>> {
        self.machine.find(&self.program, line, from, false)
    }

    pub(crate) fn find_in_block(&mut self, block: &[u8]) -> Option<usize> {
        if let Some(filter) = &self.filter {
            return filter.find_in_block(block);
        }
        let mut at = 0;
        while at < block.len() {
            let end = memchr(b'\n', &block[at..]).map_or(block.len(), |len| at + len);
            if self.matches(&block[at..end]) {
                return Some(at);
            }
            at = end + 1;
        }
        None
    }

    fn matches(&mut self, line: &[u8]) -> bool {
        self.dfa
            .is_match(&self.program, &mut self.machine, line)
            .unwrap_or_else(|| self.machine.find(&self.program, line, 0, true).is_some())
    }

    /// Whether the filter lets the line through, as far as that is worth
    /// asking. Who searches blocks has asked already.
    fn passes(&mut self, line: &[u8]) -> bool {
        let Some(filter) = &self.filter else { return true };
        self.asked += 1;
        if self.unfiltered {
            if self.asked == UNTRIED {
                (self.asked, self.unfiltered) = (0, false);
            }
            return true;
        }
        let passes = filter.any(line);
        self.kept_out += u32::from(!passes);
        if self.asked == TRIED {
            self.unfiltered = self.kept_out < TRIED / 4;
            (self.asked, self.kept_out) = (0, 0);
        }
        passes
    }

    /// The bytes it has allocated.
    pub(crate) fn allocated(&self) -> usize {
        self.program.allocated()
            + self.machine.allocated()
            + self.dfa.allocated()
            + self.filter.as_ref().map_or(0, Literals::allocated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::required;

    fn automatic(pattern: &str, memory: usize) -> Automatic {
        let parsed = Automatic::parse(pattern.as_bytes(), Options::default(), 1 << 20).unwrap();
        let filter = required::texts(&parsed.node, &parsed.sets)
            .required()
            .filter(|texts| required::worth(texts) > 0)
            .map(|texts| Literals::new(&texts));
        Automatic::new(parsed, filter, memory)
    }

    /// Lines of these bytes that look random.
    fn lines(bytes: &'static [u8], count: u64) -> impl Iterator<Item = Vec<u8>> {
        (1..=count).map(move |seed| {
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let len = state >> 58;
            let next = move |_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                bytes[(state >> 40) as usize % bytes.len()]
            };
            (0..len).map(next).collect()
        })
    }

    #[test]
    fn what_is_forgotten_is_found_out_again() {
        for pattern in
            ["(a|b)*a(a|b){5}c", "\\<a(b|\\>).{3}", "a.*b.*c$|(ab){3}", "(^| )(b+|ca?b+)c?( |$)"]
        {
            // Room for the fewest states that there can be.
            let mut automatic = automatic(pattern, 0);
            let mut matches = [0; 2];
            for line in lines(b"aabbc ", 3000) {
                let wanted = automatic.machine.find(&automatic.program, &line, 0, true).is_some();
                matches[usize::from(wanted)] += 1;
                let Automatic { dfa, program, machine, .. } = &mut automatic;
                // It would leave most lines to the machine.
                dfa.insist();
                if let Some(found) = dfa.is_match(program, machine, &line) {
                    assert_eq!(found, wanted, "{pattern} on {line:?}");
                }
                assert_eq!(automatic.is_match(&line), wanted, "{pattern} on {line:?}");
            }
            assert!(automatic.dfa.has_forgotten() > 20, "{pattern}");
            assert!(matches[0] > 50 && matches[1] > 50, "{pattern}: {matches:?}");
        }
    }

    #[test]
    fn states_that_are_not_worth_it_are_not_made() {
        let mut automatic = automatic("a(a|b){12}c", 8192);
        for line in lines(b"ab", 3000) {
            assert!(!automatic.is_match(&line));
        }
        // Each time it tries, it gives up once more.
        let forgotten = automatic.dfa.has_forgotten();
        assert!((3..3000 / 256 + 2).contains(&forgotten), "{forgotten}");
    }

    #[test]
    fn a_filter_that_keeps_nothing_out_is_left_out_for_a_while() {
        let mut automatic = automatic("[0-9]+needle", 65536);
        let ask = |automatic: &mut Automatic, line: &[u8], times: u32| {
            (0..times).for_each(|_| assert!(!automatic.is_match(line)));
            automatic.unfiltered
        };
        assert!(automatic.filter.is_some());
        assert!(!ask(&mut automatic, b"hay", TRIED));
        assert!(ask(&mut automatic, b"a needle", TRIED));
        assert!(ask(&mut automatic, b"hay", UNTRIED - 1));
        assert!(!ask(&mut automatic, b"hay", 1));
        assert!(!ask(&mut automatic, b"hay", TRIED));
    }
}
