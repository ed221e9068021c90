//! What is noted of the input before something is done with it, in the
//! journal of the first log directory: so that a multilog that takes over
//! from one that was killed goes on where that one was. Without a directory,
//! or where there can be no journal, nothing is noted, and everything else
//! is the same.

use crate::input::Input;
use crate::pipe::Pipe;
use crate::script::Script;
use rustix::stdio::stdin;
use upkeep_core::digest;
use upkeep_core::journal::{Here, Line, PLACES, Phase, Raw, Record, Verdict};
use upkeep_core::tai::Tai64n;
use upkeep_logdir::{Again, Claimed, Journal};
use upkeep_sys::{clock, point};

/// The notes.
pub(crate) struct Ledger {
    journal: Option<Journal>,
    /// What was noted last, or what the next note begins with.
    record: Record,
    /// Whether a directory has been looked at.
    asked: bool,
    again: Option<Again>,
    recalled: Option<Recalled>,
}

/// Where the last multilog was when it was killed.
pub(crate) struct Recalled {
    /// At what point of a line.
    pub(crate) line: Line,
    /// What it held of that line.
    pub(crate) held: Vec<u8>,
    /// Whether nothing more of the line will come.
    pub(crate) ended: bool,
}

impl Ledger {
    /// Notes for this script, and for this pipe if it can be looked into.
    pub(crate) fn new(script: &Script, pipe: Option<(u64, u64)>) -> Self {
        let script = identity(script);
        let (seconds, nanos) = clock::wall();
        let record = Record {
            id: seconds.cast_unsigned().wrapping_mul(1_000_000_000).wrapping_add(nanos.into()),
            here: Here { boot: boot(), pipe, script },
            phase: Phase::Taking,
            raw: Raw::default(),
            now: Tai64n::default(),
            line: Line::default(),
        };
        Self { journal: None, record, asked: false, again: None, recalled: None }
    }

    /// Looks at each directory in turn, and into the journal of the first.
    /// Answers which batch is to be written again.
    pub(crate) fn look_at(&mut self, directory: &Claimed, input: &mut Input) -> Option<Again> {
        if self.asked {
            directory.forget_input();
        } else {
            self.asked = true;
            self.journal = directory.journal();
            self.recalled = self.recall(input);
            if self.recalled.is_none() {
                self.forget();
            }
        }
        self.again
    }

    /// Another script is followed from here on, and nothing is in hand.
    pub(crate) fn follow(&mut self, script: &Script) {
        self.record.here.script = identity(script);
        self.asked = false;
    }

    /// Goes on in the first of its directories, which is shown first.
    pub(crate) fn move_to(&mut self, directory: &Claimed, held: &[u8], line: Line) {
        if core::mem::replace(&mut self.asked, true) {
            directory.forget_input();
        } else if self.record.here.pipe.is_some() {
            self.journal = directory.journal();
            self.holding(&[], held, line);
        }
    }

    /// Whether a batch is still to be written again.
    pub(crate) const fn owes(&self) -> bool {
        self.again.is_some()
    }

    fn recall(&mut self, input: &mut Input) -> Option<Recalled> {
        let (record, held, taken) = self.journal.as_ref()?.record()?;
        let here = self.record.here;
        self.record.id = self.record.id.max(record.id.wrapping_add(1));
        let mut line = record.line;
        if record.here.script != here.script {
            // What the numbers meant is not known: it may go anywhere.
            line.chosen = [u64::MAX; PLACES / 64];
        }
        let mut ended = false;
        match record.verdict(taken, &here, |len| input.look_at_head(len)) {
            Verdict::Unknown => return None,
            Verdict::Behind => input.forget_head(),
            Verdict::Take(_) => {
                point!("recall: taking");
                self.record.raw = record.raw;
                input.take_head(self);
            }
            Verdict::Again { same } => {
                self.again = Some(Again { id: record.id, same });
                // Without any bytes it was the end of the input.
                ended = record.raw.len == 0;
                if same && !ended {
                    self.record = record;
                } else {
                    input.forget_head();
                }
            }
            Verdict::Ended => {
                input.forget_head();
                line.inside = false;
                ended = true;
            }
        }
        if !ended {
            input.hold_first(held.bytes());
        }
        Some(Recalled { line, held: held.bytes().to_vec(), ended })
    }

    /// Where the last multilog was, if that is known and matters; once.
    pub(crate) fn recalled(&mut self) -> Option<Recalled> {
        self.recalled.take()
    }

    /// The stamp of a batch that is to be written again as it was; once.
    pub(crate) fn again(&mut self) -> Option<Tai64n> {
        let again = self.again.take()?;
        (again.id == self.record.id).then_some(self.record.now)
    }

    /// Notes that a batch of these bytes, from the pipe, will be written, and
    /// gives it a name. `held` comes before it.
    pub(crate) fn writing(&mut self, bytes: &[u8], held: &[u8], now: Tai64n, line: Line) -> u64 {
        if let Some(journal) = &mut self.journal {
            let id = self.record.id.wrapping_add(1);
            let raw = Raw::of(bytes);
            self.record = Record { id, phase: Phase::Writing, raw, now, line, ..self.record };
            journal.note(&self.record, held);
            point!("noted: writing");
        }
        self.record.id
    }

    /// Notes that the batch is written, and that it is taken now.
    pub(crate) fn taking(&mut self, line: Line) {
        if let Some(journal) = &mut self.journal {
            self.record = Record { phase: Phase::Taking, line, ..self.record };
            journal.note(&self.record, &[]);
            point!("noted: taking");
        }
    }

    /// Notes that these bytes are taken now, the last of `held`.
    pub(crate) fn holding(&mut self, bytes: &[u8], held: &[u8], line: Line) {
        if let Some(journal) = &mut self.journal {
            let raw = Raw::of(bytes);
            self.record = Record { phase: Phase::Taking, raw, line, ..self.record };
            journal.note(&self.record, held);
            point!("noted: holding");
        }
    }

    /// Takes bytes that were looked at out of the pipe, as it was noted.
    pub(crate) fn take(&self, pipe: &Pipe, count: usize) {
        let Some(journal) = &self.journal else { return pipe.take_out(count) };
        let Raw { len, tail, .. } = self.record.raw;
        let ahead = if tail > 0 && len == count as u64 { len - tail } else { 0 };
        // That goes wholly or not at all, and in no time. What is left is read
        // together with the mark.
        let moved = pipe.move_out(usize::try_from(ahead).unwrap_or(0));
        point!("moved");
        let left = count - moved;
        let taken = journal.take(stdin(), left).unwrap_or(0);
        pipe.drop_moved(moved);
        if taken < left {
            // The journal's memory is at fault, or somebody else has some.
            pipe.take_out(left - taken);
            journal.set_taken(self.record.raw.last);
        }
        point!("taken");
    }

    /// There is nothing in hand and nothing held. Of what is no pipe nothing
    /// is noted from then on.
    pub(crate) fn forget(&mut self) {
        if let Some(journal) = &self.journal {
            journal.forget();
        }
        self.journal.take_if(|_| self.record.here.pipe.is_none());
    }
}

/// What names a script and who follows it.
fn identity(script: &Script) -> u64 {
    // Another version may make something else of the same lines.
    let version = digest::bytes(env!("CARGO_PKG_VERSION").as_bytes());
    digest::words(&[version, script.identity])
}

/// Which boot of the system this is; 0 if that cannot be known.
fn boot() -> u64 {
    let id = upkeep_sys::process::boot();
    if id == [0; 16] { 0 } else { digest::bytes(&id).max(1) }
}
