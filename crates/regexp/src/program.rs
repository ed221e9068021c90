//! A pattern as a program for a machine that is in several places at once
//! (Thompson's), and which bytes it cannot tell apart. It runs nothing.

use crate::node::{Look, Node};
use crate::parse::Parsed;
use crate::set::{ByteSet, is_word};
use std::mem::size_of;

/// One instruction. Places are numbers of instructions.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Inst {
    /// It has matched.
    Match,
    /// Takes one byte of a set.
    Set { set: u16, next: u16 },
    /// Goes on if this is around it.
    Look { look: Look, next: u16 },
    /// Goes on in both places.
    Split { one: u16, other: u16 },
}

/// All instructions of a pattern.
#[derive(Debug)]
pub(crate) struct Program {
    insts: Vec<Inst>,
    sets: Vec<ByteSet>,
    entry: u16,
    /// For each byte the number of its class.
    classes: [u8; 256],
    count: usize,
}

impl Program {
    /// What an instruction and a set take.
    pub(crate) const INST: usize = size_of::<Inst>();
    pub(crate) const SET: usize = size_of::<ByteSet>();

    /// The program for a pattern that the parser has found small enough.
    pub(crate) fn new(parsed: Parsed) -> Self {
        let mut insts = Vec::with_capacity(parsed.size + 1);
        insts.push(Inst::Match);
        let entry = emit(&mut insts, &parsed.node, 0);
        let mut sets = parsed.sets;
        sets.shrink_to_fit();
        let words =
            insts.iter().any(|i| matches!(i, Inst::Look { look, .. } if look.knows_words()));
        let (classes, count) = classes(&sets, words);
        Self { insts, sets, entry, classes, count }
    }

    pub(crate) fn len(&self) -> usize {
        self.insts.len()
    }

    pub(crate) fn entry(&self) -> u16 {
        self.entry
    }

    pub(crate) fn inst(&self, place: u16) -> Inst {
        self.insts[usize::from(place)]
    }

    /// Where a thread goes that is in this place when `byte` comes.
    pub(crate) fn step(&self, place: u16, byte: u8) -> Option<u16> {
        match self.inst(place) {
            Inst::Set { set, next } => self.sets[usize::from(set)].contains(byte).then_some(next),
            Inst::Match | Inst::Look { .. } | Inst::Split { .. } => None,
        }
    }

    /// Of each byte the class; bytes of one class do the same everywhere.
    pub(crate) fn classes(&self) -> &[u8; 256] {
        &self.classes
    }

    /// How many classes there are.
    pub(crate) fn class_count(&self) -> usize {
        self.count
    }

    /// The bytes it has allocated.
    pub(crate) fn allocated(&self) -> usize {
        self.insts.capacity() * Self::INST + self.sets.capacity() * Self::SET
    }
}

fn push(insts: &mut Vec<Inst>, inst: Inst) -> u16 {
    let place = u16::try_from(insts.len()).expect("the parser has counted");
    insts.push(inst);
    place
}

/// Writes down what matches `node` and then goes on at `next`, and says where
/// it begins. What comes last is written first, so every place is known.
fn emit(insts: &mut Vec<Inst>, node: &Node, next: u16) -> u16 {
    match node {
        Node::Empty => next,
        &Node::Set(set) => push(insts, Inst::Set { set, next }),
        &Node::Look(look) => push(insts, Inst::Look { look, next }),
        Node::Concat(all) => all.iter().rev().fold(next, |next, node| emit(insts, node, next)),
        Node::Alt(all) => {
            let mut places =
                all.iter().rev().map(|node| emit(insts, node, next)).collect::<Vec<_>>();
            let last = places.remove(0);
            places.iter().fold(last, |other, &one| push(insts, Inst::Split { one, other }))
        }
        Node::Repeat { node, min, max } => {
            let (min, mut next) = (*min, next);
            let mut plain = min;
            match max {
                None => {
                    let split = push(insts, Inst::Split { one: next, other: next });
                    let body = emit(insts, node, split);
                    insts[usize::from(split)] = Inst::Split { one: body, other: next };
                    next = if min == 0 { split } else { body };
                    plain = min.saturating_sub(1);
                }
                Some(max) => {
                    let end = next;
                    for _ in min..*max {
                        let one = emit(insts, node, next);
                        next = push(insts, Inst::Split { one, other: end });
                    }
                }
            }
            (0..plain).fold(next, |next, _| emit(insts, node, next))
        }
    }
}

/// Divides the bytes by all sets, and by whether they are of a word if that
/// matters.
fn classes(sets: &[ByteSet], words: bool) -> ([u8; 256], usize) {
    let mut classes = [0; 256];
    let mut count = 1;
    let words = words.then(|| ByteSet::of(is_word));
    for set in sets.iter().chain(&words) {
        // The class that becomes of the bytes of each class that are in it.
        let mut inside: [Option<u8>; 256] = [None; 256];
        let mut outside = [false; 256];
        for byte in 0..=u8::MAX {
            if !set.contains(byte) {
                outside[usize::from(classes[usize::from(byte)])] = true;
            }
        }
        for byte in set.bytes() {
            let class = &mut classes[usize::from(byte)];
            let old = usize::from(*class);
            if !outside[old] {
                continue;
            }
            *class = *inside[old].get_or_insert_with(|| {
                count += 1;
                u8::try_from(count - 1).expect("no more classes than bytes")
            });
        }
    }
    (classes, count)
}
