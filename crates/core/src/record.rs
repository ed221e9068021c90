//! The whole record in `supervise/status`: what everybody's clients read, and
//! behind it what the next supervise needs to go on where this one was killed.
//!
//! A record is believed as far as it proves something. Its own part carries a
//! sum, so that one that is torn, foreign or of another layout is none, and
//! the boot it was written in, so that no process, no deadline and no count of
//! another boot is taken for one of this.

use crate::order::Calls;
use crate::restart::History;
use crate::status::{SIZE as CLASSIC, Status, Want};
use crate::tai::{PACKED, Tai64n};

/// The size of a record.
pub const SIZE: usize = 128;
/// What the own part begins with; the last byte is the layout.
const MAGIC: [u8; 4] = *b"upk\x01";
/// A bit of the first byte of the history that means nothing there.
const BEGUN: u8 = 128;
/// From this bit on, how the last process ended means something else.
const CALLS: u8 = 6;
/// Where the sum is.
const SUM: usize = SIZE - 8;

/// A boot of a kernel: its id as 16 bytes. In a record it stands for the
/// directory too, see `origin`.
pub type Boot = [u8; 16];

/// What a record is believed by: the boot and the directory that it was
/// written in. A directory that was copied with its record is another one, and
/// the process on record is not its.
#[must_use]
pub fn origin(boot: Boot, device: u64, inode: u64) -> Boot {
    if boot == [0; 16] {
        return boot;
    }
    let mut origin = boot;
    let place = device.to_le_bytes().into_iter().chain(inode.to_le_bytes());
    origin.iter_mut().zip(place).for_each(|(byte, other)| *byte ^= other);
    origin
}

/// What tells a process from every other one that has had or will have its
/// number. What is 0 is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Its number.
    pub pid: u32,
    /// When it was started, in the kernel's ticks since the boot.
    pub started: u64,
    /// The number that its pidfd has on kernels where no two have the same.
    pub unique: u64,
    /// The name space that its number belongs to.
    pub namespace: u64,
}

/// Whether a process that is there is the one that was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Same,
    /// It is not.
    Another,
    /// What is known does not tell.
    Unclear,
}

impl Identity {
    /// Compares what was recorded with what is there under the same number.
    #[must_use]
    pub fn compare(&self, there: &Self) -> Verdict {
        let known = |a: u64, b: u64| a != 0 && b != 0;
        if self.pid != there.pid
            || known(self.namespace, there.namespace) && self.namespace != there.namespace
            || known(self.started, there.started) && self.started != there.started
            || known(self.unique, there.unique) && self.unique != there.unique
        {
            return Verdict::Another;
        }
        if known(self.started, there.started) || known(self.unique, there.unique) {
            return Verdict::Same;
        }
        Verdict::Unclear
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// By itself, with this code.
    Exited(u8),
    /// By this signal.
    Killed(u8),
    /// Nobody can say any more.
    Unknown,
}

/// Where the service was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// No process, none due.
    Down,
    /// No process; one is due at the deadline.
    Waiting,
    /// The process runs, or may start to run any moment.
    Up,
    /// The process is dead; what it left behind is being ended.
    Clearing,
    /// supervise was told to leave, and has.
    Over,
    /// The process is dead, and the one on record is `finish`, or `stop`.
    Finishing,
    /// There is no process, and the one on record runs before it.
    Preparing,
    /// The process has exited, and what it has left behind is looked for until
    /// the deadline.
    Following,
    /// No process; something that it needs is not there.
    Needing,
    /// Up, and without a process.
    There,
}

/// What the next supervise needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    /// The boot and the directory in which this was written.
    pub boot: Boot,
    /// The process, if there is one.
    pub process: Identity,
    /// Where the service was.
    pub stage: Stage,
    /// Whether supervise is to leave when the service is down.
    pub exiting: bool,
    /// Whether `d` was about to be carried out.
    pub intent: bool,
    /// Whether `finish` is done for the process that died.
    pub closed: bool,
    /// Whether the service has come up since it was down for good.
    pub begun: bool,
    /// Whether the process has not said yet that it is ready, and is to.
    pub awaited: bool,
    /// Whether the process was told to end.
    pub told: bool,
    /// Whether it is being ended for the fault that the history names.
    pub blamed: bool,
    /// Whether `o` is shown as `d` in the part that everybody reads, as runit
    /// has it.
    pub plainly: bool,
    /// Whether the process is not the one that was started.
    pub followed: bool,
    /// Whether what it needs is started if that is down.
    pub calls: Calls,
    /// When it was ready; all zeros while it is not.
    pub ready: Tai64n,
    /// Before this time nothing is started; monotonic nanoseconds.
    pub not_before: u64,
    /// When the next start is due while `Waiting`, and when the process is
    /// killed while `Up`; 0 for never.
    pub deadline: u64,
    /// How often the service was started.
    pub starts: u32,
    /// How often the process is to give a sign of life, in milliseconds.
    pub every: u32,
    /// How the last process ended.
    pub last: Option<Outcome>,
    /// What decides whether and when it is started again.
    pub history: History,
}

/// A whole record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// What everybody reads.
    pub status: Status,
    /// What the next supervise reads.
    pub own: Own,
}

impl Record {
    /// The bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; SIZE] {
        let mut out = [0; SIZE];
        let mut put = Cursor { bytes: &mut out, at: 0 };
        let own = &self.own;
        let shown = if own.plainly { Want::Down } else { self.status.want };
        put.bytes(&Status { want: shown, ..self.status }.encode());
        put.bytes(&MAGIC);
        put.bytes(&own.boot);
        put.number(own.process.namespace);
        put.number(own.process.started);
        put.number(own.process.unique);
        put.bytes(&own.process.pid.to_le_bytes());
        let (kind, value) = match own.last {
            None => (0, 0),
            Some(Outcome::Exited(code)) => (1, code),
            Some(Outcome::Killed(signal)) => (2, signal),
            Some(Outcome::Unknown) => (3, 0),
        };
        let flags = u8::from(own.exiting)
            | u8::from(own.intent) << 1
            | u8::from(own.closed) << 2
            | u8::from(own.awaited) << 3
            | u8::from(own.told) << 4
            | u8::from(own.blamed) << 5
            | u8::from(own.plainly) << 6
            | u8::from(own.followed) << 7;
        let kind = kind | (own.calls as u8) << CALLS;
        put.bytes(&[own.stage as u8, flags, kind, value]);
        put.number(own.not_before);
        put.number(own.deadline);
        put.number(u64::from(own.starts) | u64::from(own.every) << 32);
        put.bytes(&own.ready.pack());
        let mut history = own.history.encode();
        history[0] |= u8::from(own.begun) * BEGUN;
        put.bytes(&history);
        let sum = sum(&out[..SUM]);
        out[SUM..].copy_from_slice(&sum.to_le_bytes());
        out
    }

    /// What `bytes` say to a supervise; nothing if they are not a record that
    /// a supervise like this one wrote, whole.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; SIZE] = bytes.get(..SIZE)?.try_into().ok()?;
        let mut take = Taker { rest: &bytes[CLASSIC..SUM] };
        if take.bytes::<4>()? != MAGIC || sum(&bytes[..SUM]).to_le_bytes() != bytes[SUM..] {
            return None;
        }
        let boot = take.bytes()?;
        let (namespace, started, unique) = (take.number()?, take.number()?, take.number()?);
        let pid = u32::from_le_bytes(take.bytes()?);
        let [stage, flags, kind, value] = take.bytes()?;
        let deadlines = (take.number()?, take.number()?);
        let counts = take.number()?;
        let ready = Tai64n::unpack(&take.bytes::<PACKED>()?);
        let history: [u8; 12] = take.bytes()?;
        let own = Own {
            boot,
            process: Identity { pid, started, unique, namespace },
            stage: stage_of(stage)?,
            exiting: flags & 1 != 0,
            intent: flags & 2 != 0,
            closed: flags & 4 != 0,
            awaited: flags & 8 != 0,
            told: flags & 16 != 0,
            blamed: flags & 32 != 0,
            plainly: flags & 64 != 0,
            followed: flags & 128 != 0,
            not_before: deadlines.0,
            deadline: deadlines.1,
            starts: counts as u32,
            every: (counts >> 32) as u32,
            last: match kind & !(3 << CALLS) {
                0 => None,
                1 => Some(Outcome::Exited(value)),
                2 => Some(Outcome::Killed(value)),
                _ => Some(Outcome::Unknown),
            },
            calls: match kind >> CALLS {
                0 => Calls::Nobody,
                1 => Calls::Idle,
                2 => Calls::All,
                _ => Calls::Called,
            },
            begun: history[0] & BEGUN != 0,
            ready,
            history: History::decode(history),
        };
        let mut status = Status::decode(bytes)?;
        if own.plainly {
            status.want = Want::Once;
        }
        Some(Self { status, own })
    }

    /// The same for a supervise of this boot: of another one, nothing is left.
    #[must_use]
    pub fn of_this_boot(bytes: &[u8], boot: &Boot) -> Option<Self> {
        // A boot without an id cannot be told from another.
        Self::decode(bytes).filter(|record| record.own.boot == *boot && *boot != [0; 16])
    }
}

fn stage_of(byte: u8) -> Option<Stage> {
    use Stage::{
        Clearing, Down, Finishing, Following, Needing, Over, Preparing, There, Up, Waiting,
    };
    let all = [Down, Waiting, Up, Clearing, Over, Finishing, Preparing, Following, Needing, There];
    all.into_iter().find(|stage| *stage as u8 == byte)
}

/// FNV-1a: it has to find what was torn, not what was forged.
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

struct Cursor<'a> {
    bytes: &'a mut [u8; SIZE],
    at: usize,
}

impl Cursor<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        self.bytes[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }
}

struct Taker<'a> {
    rest: &'a [u8],
}

impl Taker<'_> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*taken)
    }

    fn number(&mut self) -> Option<u64> {
        self.bytes().map(u64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::restart::{Fault, Reason};

    const BOOT: Boot = *b"0123456789abcdef";

    fn record(stage: Stage, last: Option<Outcome>) -> Record {
        Record {
            status: Status {
                since: Tai64n { seconds: 5, nanos: 6 },
                pid: 77,
                paused: true,
                want: Want::Once,
                terminating: false,
                finishing: stage == Stage::Finishing,
            },
            own: Own {
                boot: BOOT,
                process: Identity { pid: 77, started: 8, unique: 9, namespace: 10 },
                stage,
                exiting: true,
                intent: stage == Stage::Up,
                closed: stage == Stage::Down,
                begun: stage == Stage::Waiting,
                awaited: stage == Stage::Up,
                told: stage == Stage::Waiting,
                blamed: stage == Stage::Up,
                plainly: false,
                followed: stage == Stage::Following,
                calls: if stage == Stage::Needing { Calls::Called } else { Calls::All },
                ready: Tai64n { seconds: 14, nanos: 15 },
                not_before: 11,
                deadline: 12,
                starts: 13,
                every: 14,
                last,
                history: History {
                    reason: Reason::GaveUp,
                    fault: Fault::Silent,
                    failed: true,
                    failures: 16,
                    deaths: 17,
                    window: 18,
                    wait: 19,
                },
            },
        }
    }

    #[test]
    fn every_record_comes_back() {
        for stage in [
            Stage::Down,
            Stage::Waiting,
            Stage::Up,
            Stage::Clearing,
            Stage::Over,
            Stage::Finishing,
            Stage::Following,
            Stage::Preparing,
            Stage::Needing,
            Stage::There,
        ] {
            for last in
                [None, Some(Outcome::Exited(100)), Some(Outcome::Killed(9)), Some(Outcome::Unknown)]
            {
                let record = record(stage, last);
                assert_eq!(Record::decode(&record.encode()), Some(record));
                assert_eq!(Record::of_this_boot(&record.encode(), &BOOT), Some(record));
                assert_eq!(Record::of_this_boot(&record.encode(), &[1; 16]), None);
            }
        }
    }

    #[test]
    fn the_beginning_is_everybodys() {
        let mut record = record(Stage::Up, None);
        assert_eq!(record.encode()[..CLASSIC], record.status.encode());
        record.own.plainly = true;
        assert_eq!(record.encode()[17], b'd');
        assert_eq!(Record::decode(&record.encode()), Some(record));
    }

    /// Any byte changed, any end missing: nothing is left of the own part.
    #[test]
    fn what_is_torn_is_no_record() {
        let whole = record(Stage::Up, None).encode();
        for at in 0..SIZE {
            let mut torn = whole;
            torn[at] ^= 0x40;
            assert_eq!(Record::decode(&torn), None, "byte {at}");
            assert_eq!(Record::decode(&whole[..at]), None, "{at} bytes");
        }
        assert_eq!(Record::decode(&[0; SIZE]), None);
    }

    #[test]
    fn without_a_boot_id_nothing_is_of_this_boot() {
        let mut record = record(Stage::Up, None);
        record.own.boot = [0; 16];
        assert_eq!(Record::of_this_boot(&record.encode(), &[0; 16]), None);
    }

    #[test]
    fn another_directory_is_another_origin() {
        let here = origin(BOOT, 1, 2);
        assert_ne!(here, BOOT);
        for (device, inode) in [(1, 3), (2, 2), (2, 1)] {
            assert_ne!(origin(BOOT, device, inode), here);
        }
        assert_eq!(origin([0; 16], 1, 2), [0; 16]);
    }

    #[test]
    fn a_process_is_the_same_only_if_that_is_proven() {
        let known = Identity { pid: 7, started: 100, unique: 200, namespace: 300 };
        let bare = Identity { pid: 7, ..Identity::default() };
        assert_eq!(known.compare(&known), Verdict::Same);
        assert_eq!(known.compare(&Identity { unique: 0, ..known }), Verdict::Same);
        assert_eq!(known.compare(&Identity { started: 0, ..known }), Verdict::Same);
        assert_eq!(known.compare(&bare), Verdict::Unclear);
        assert_eq!(bare.compare(&bare), Verdict::Unclear);
        for other in [
            Identity { pid: 8, ..known },
            Identity { started: 101, ..known },
            Identity { unique: 201, ..known },
            Identity { namespace: 301, ..known },
        ] {
            assert_eq!(known.compare(&other), Verdict::Another, "{other:?}");
        }
    }
}
