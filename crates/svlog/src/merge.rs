//! Several logs as one, by the moments of their lines. Lines of one moment
//! come in the order of their logs, and those of one log in its own. What is
//! not stamped counts as written at the moment of the line before it, and
//! before everything if there is none.

use crate::backward::Backward;
use crate::files::{Files, Place};
use crate::forward::{Forward, Step};
use crate::sink::{Flow, Sink, Wanted};
use core::cmp::Reverse;
use core::ops::ControlFlow;
use rustix::io::Errno;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use upkeep_core::tai::Tai64n;

/// Hands on all that is there, the oldest first.
pub(crate) fn forwards(logs: &mut [Forward], blocks: bool, sink: &mut impl Sink) -> Flow {
    if let [log] = logs {
        return alone(log, blocks, sink);
    }
    let mut heads = BinaryHeap::with_capacity(logs.len());
    for (number, log) in logs.iter_mut().enumerate() {
        if log.advance(false) == Step::Line {
            heads.push(Reverse((log.moment(), number)));
        }
    }
    while let Some(mut head) = heads.peek_mut() {
        let Reverse((_, number)) = *head;
        let log = &mut logs[number];
        if sink.entry(&log.entry())?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if log.advance(false) == Step::Line {
            *head = Reverse((log.moment(), number));
        } else {
            PeekMut::pop(head);
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn alone(log: &mut Forward, blocks: bool, sink: &mut impl Sink) -> Flow {
    loop {
        let flow = match log.advance(blocks) {
            Step::Line => sink.entry(&log.entry())?,
            Step::Block => sink.block(log.source(), log.block())?,
            Step::Pending | Step::End => return Ok(ControlFlow::Continue(())),
        };
        if flow.is_break() {
            return Ok(flow);
        }
    }
}

/// Goes through several logs, the newest line first.
#[derive(Debug)]
pub(crate) struct Backwards {
    logs: Vec<Backward>,
    heads: BinaryHeap<(Option<Tai64n>, usize)>,
    /// Where each of them begins that is wanted.
    starts: Vec<Place>,
    /// The one whose line was taken last, and where it began before that.
    taken: Option<(usize, Place)>,
}

impl Backwards {
    pub(crate) fn new(logs: Vec<Backward>) -> Self {
        let starts = logs.iter().map(Backward::place).collect();
        let mut all = Self { logs, heads: BinaryHeap::new(), starts, taken: None };
        (0..all.logs.len()).for_each(|number| all.go_on(number));
        all
    }

    fn go_on(&mut self, number: usize) {
        let is_alone = self.logs.len() == 1;
        let log = &mut self.logs[number];
        if log.advance() {
            self.heads.push((if is_alone { None } else { log.moment() }, number));
        }
    }

    /// Takes the next line.
    fn take(&mut self) -> Option<&mut Backward> {
        if let Some((number, _)) = self.taken.take() {
            self.go_on(number);
        }
        let (_, number) = self.heads.pop()?;
        let place = self.logs[number].place();
        self.taken = Some((number, core::mem::replace(&mut self.starts[number], place)));
        self.logs.get_mut(number)
    }

    /// Takes the last `count` lines that count, and `before` ones before them,
    /// as long as none of those counts. Answers where each log begins then.
    pub(crate) fn last(mut self, count: u64, before: u64, sink: &mut impl Sink) -> Vec<Last> {
        let ends = self.starts.clone();
        let mut left = count;
        while left > 0
            && let Some(log) = self.take()
        {
            left -= u64::from(sink.counts(&log.entry()));
        }
        for _ in 0..before {
            let Some(log) = self.take() else { break };
            if sink.counts(&log.entry())
                && let Some((number, place)) = self.taken
            {
                self.starts[number] = place;
                break;
            }
        }
        let starts = self.starts.into_iter().zip(ends);
        let logs = self.logs.into_iter().map(|log| log.files).zip(starts);
        logs.map(|(files, (from, to))| Last { files, from, to }).collect()
    }
}

/// The last lines of a log: where they begin, and where they end.
#[derive(Debug)]
pub(crate) struct Last {
    pub(crate) files: Files,
    pub(crate) from: Place,
    pub(crate) to: Place,
}

/// Hands on the newest first: all, or the last ones that are wanted.
pub(crate) fn backwards(
    logs: &mut Backwards,
    wanted: &Wanted,
    sink: &mut impl Sink,
) -> Result<(), Errno> {
    let (mut left, mut before) = (wanted.last, wanted.before);
    while let Some(log) = logs.take() {
        let entry = log.entry();
        match &mut left {
            None => {}
            Some(0) if before == 0 || sink.counts(&entry) => break,
            Some(0) => before -= 1,
            Some(left) => *left -= u64::from(sink.counts(&entry)),
        }
        if sink.entry(&entry)?.is_break() {
            break;
        }
    }
    Ok(())
}
