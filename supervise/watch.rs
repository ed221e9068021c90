//! Noticing the end of the service's process. One that this supervise started
//! is its child, and the kernel says how it ended; one that it found running
//! is held by a descriptor, or, where there is none to be had, looked at.

use rustix::event::{PollFd, PollFlags};
use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, getpid, kill_process, kill_process_group,
    test_kill_process, waitid,
};
use upkeep_core::record::{Identity, Outcome, Verdict};
use upkeep_family::signal_group;
use upkeep_servicedir::word;
use upkeep_sys::group::group_of;
use upkeep_sys::process::{Held, started};
use upkeep_sys::refuse::refused;

const MILLISECOND: u64 = 1_000_000;
/// How often a process is looked at that cannot be held.
const LOOK: u64 = 100 * MILLISECOND;
/// How long after a death somebody may take to say how it came.
const WORD: u64 = 100 * MILLISECOND;

/// The process, if there is one, and how its end will be noticed.
#[derive(Debug)]
pub(crate) struct Watch {
    identity: Identity,
    how: How,
}

#[derive(Debug)]
enum How {
    /// There is none.
    Nobody,
    /// It is our child.
    Child,
    /// It is somebody else's, and held.
    Held(Held),
    /// It is dead, and how it died is waited for until this time.
    Dying(Held, u64),
    /// It cannot be held; it is looked at the next time then.
    Looked(u64),
    /// It cannot be told from a stranger: it is never signalled, nothing is
    /// started as long as it is there, and nobody is told that it is up.
    Doubtful(u64),
}

/// What became of a process that is on record.
pub(crate) enum Found {
    /// It is there.
    Alive,
    /// It is there, or a stranger is: nobody can tell.
    Doubtful,
    /// It is not.
    Dead(Outcome),
}

impl Watch {
    pub(crate) const fn nobody() -> Self {
        Self::was(NOBODY)
    }

    /// There is none any more; it was this one.
    pub(crate) const fn was(identity: Identity) -> Self {
        Self { identity, how: How::Nobody }
    }

    /// Watches a child that was just started.
    pub(crate) fn child(&mut self, identity: Identity) {
        *self = Self { identity, how: How::Child };
    }

    /// Takes up a process that is on record.
    pub(crate) fn adopt(&mut self, identity: Identity, now: u64) -> Found {
        let how = find(&identity, now);
        *self = Self { identity, how };
        match self.how {
            How::Nobody => {
                let status = word(identity.pid, identity.started);
                Found::Dead(status.map_or(Outcome::Unknown, outcome))
            }
            How::Doubtful(_) => Found::Doubtful,
            How::Child | How::Held(_) | How::Dying(..) | How::Looked(_) => Found::Alive,
        }
    }

    /// Who the process is, or was.
    pub(crate) const fn identity(&self) -> Identity {
        self.identity
    }

    /// Whether nobody may be told that it is up.
    pub(crate) const fn is_doubtful(&self) -> bool {
        matches!(self.how, How::Doubtful(_))
    }

    /// When to look again, whatever happens.
    pub(crate) const fn deadline(&self) -> Option<u64> {
        match self.how {
            How::Dying(_, at) | How::Looked(at) | How::Doubtful(at) => Some(at),
            How::Nobody | How::Child | How::Held(_) => None,
        }
    }

    /// What to wait for.
    pub(crate) fn poll(&self) -> Option<PollFd<'_>> {
        match &self.how {
            How::Held(held) => Some(PollFd::new(held, PollFlags::IN)),
            // Now only that it was waited for, which is when the kernel tells.
            How::Dying(held, _) => Some(PollFd::new(held, PollFlags::empty())),
            How::Nobody | How::Child | How::Looked(_) | How::Doubtful(_) => None,
        }
    }

    /// How the process ended, if it has. A child's end comes by `ended`.
    pub(crate) fn look(&mut self, now: u64) -> Option<Outcome> {
        match &self.how {
            How::Nobody | How::Child => return None,
            How::Held(held) => {
                if !is_ready(held, PollFlags::IN) {
                    return None;
                }
                if let How::Held(held) = core::mem::replace(&mut self.how, How::Nobody) {
                    self.how = How::Dying(held, now + WORD);
                }
            }
            How::Dying(..) => {}
            How::Looked(at) | How::Doubtful(at) if now < *at => return None,
            How::Looked(_) | How::Doubtful(_) => {
                self.how = find(&self.identity, now);
                if !matches!(self.how, How::Nobody) {
                    return None;
                }
            }
        }
        let status = match &self.how {
            How::Dying(held, until) => {
                let told = held.outcome().or_else(|| self.word());
                if told.is_none() && now < *until && !is_ready(held, PollFlags::empty()) {
                    return None;
                }
                told
            }
            How::Nobody | How::Child | How::Held(_) | How::Looked(_) | How::Doubtful(_) => {
                self.word()
            }
        };
        self.how = How::Nobody;
        Some(status.map_or(Outcome::Unknown, outcome))
    }

    fn word(&self) -> Option<i32> {
        word(self.identity.pid, self.identity.started)
    }

    /// Whether this child, which was waited for, is the process: one that was
    /// found running can have become a child since.
    pub(crate) fn ended(&mut self, pid: Pid) -> bool {
        let is_over = match &self.how {
            How::Child | How::Dying(..) | How::Looked(_) => true,
            How::Held(held) => is_ready(held, PollFlags::IN),
            How::Nobody | How::Doubtful(_) => false,
        };
        let is = is_over && number(pid) == self.identity.pid;
        if is {
            self.how = How::Nobody;
        }
        is
    }

    /// Signals the process: a child that was not waited for, whose number is
    /// still its own, or one that is held. One that cannot be held is looked
    /// at first.
    pub(crate) fn signal(&self, signal: Signal) {
        // It may be dead already; then there is nothing to do.
        let _ = match &self.how {
            How::Child => self.kill(signal),
            How::Held(held) => held.signal(signal),
            How::Looked(_) if matches!(find(&self.identity, 0), How::Looked(_)) => {
                self.kill(signal)
            }
            How::Nobody | How::Dying(..) | How::Looked(_) | How::Doubtful(_) => Ok(()),
        };
    }

    /// Signals the group that the process leads, or is in. The number is the group's at
    /// least as long as the process has not been waited for.
    pub(crate) fn signal_group(&self, signal: Signal) {
        let Some(pid) = self.living() else { return };
        let answer = match &self.how {
            How::Held(held) => signal_group(pid, Some(held.as_fd()), signal),
            How::Looked(_) if !matches!(find(&self.identity, 0), How::Looked(_)) => Ok(()),
            How::Child | How::Looked(_) => signal_group(pid, None, signal),
            How::Nobody | How::Dying(..) | How::Doubtful(_) => Ok(()),
        };
        // One that was followed need not lead any.
        if answer == Err(Errno::SRCH)
            && let Some(group) = group_of(pid)
            && Some(group) != group_of(getpid())
            && self.is_there()
        {
            let _ = kill_process_group(group, signal);
        }
    }

    /// Whether the number is still its own.
    fn is_there(&self) -> bool {
        match &self.how {
            How::Child => true,
            How::Held(held) => !is_ready(held, PollFlags::IN),
            How::Looked(_) => matches!(find(&self.identity, 0), How::Looked(_)),
            How::Nobody | How::Dying(..) | How::Doubtful(_) => false,
        }
    }

    /// The process, if it is known to be there.
    pub(crate) fn living(&self) -> Option<Pid> {
        match self.how {
            How::Child | How::Held(_) | How::Looked(_) => {
                Pid::from_raw(self.identity.pid.cast_signed())
            }
            How::Nobody | How::Dying(..) | How::Doubtful(_) => None,
        }
    }

    fn kill(&self, signal: Signal) -> rustix::io::Result<()> {
        Pid::from_raw(self.identity.pid.cast_signed())
            .map_or(Ok(()), |pid| kill_process(pid, signal))
    }
}

const NOBODY: Identity = Identity { pid: 0, started: 0, unique: 0, namespace: 0 };

pub(crate) fn number(pid: Pid) -> u32 {
    pid.as_raw_pid().unsigned_abs()
}

/// How the wait status `status` says that a process ended.
pub(crate) fn outcome(status: i32) -> Outcome {
    match (status >> 8 & 0xff, status & 0x7f) {
        (code, 0) => Outcome::Exited(code.unsigned_abs() as u8),
        (_, signal) => Outcome::Killed(signal.unsigned_abs() as u8),
    }
}

fn is_ready(held: &Held, flags: PollFlags) -> bool {
    let mut fds = [PollFd::new(held, flags)];
    rustix::event::poll(&mut fds, Some(&rustix::event::Timespec::default())) == Ok(1)
}

/// Looks for the process that is on record, and answers how it can be
/// watched.
fn find(recorded: &Identity, now: u64) -> How {
    let Some(pid) = Pid::from_raw(recorded.pid.cast_signed()) else { return How::Nobody };
    if refused(b"adopt") {
        return How::Nobody;
    }
    let seen = started(pid);
    let there = |unique| Identity { started: seen.map_or(0, |seen| seen.0), unique, ..*recorded };
    let (verdict, held) = match Held::open(pid) {
        Ok(held) => (recorded.compare(&there(held.unique())), Some(held)),
        Err(Errno::SRCH) => return How::Nobody,
        Err(_) => (recorded.compare(&there(0)), None),
    };
    let child = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    match (verdict, held) {
        (Verdict::Another, _) => How::Nobody,
        (Verdict::Same, _) if waitid(WaitId::Pid(pid), child).is_ok() => How::Child,
        (Verdict::Same, Some(held)) => How::Held(held),
        // Dead is dead, also if nobody has waited for it.
        (_, None) if matches!(seen, Some((_, b'Z' | b'X'))) => How::Nobody,
        (Verdict::Same, None) => How::Looked(now + LOOK),
        (Verdict::Unclear, _) if test_kill_process(pid) == Err(Errno::SRCH) => How::Nobody,
        (Verdict::Unclear, _) => How::Doubtful(now + LOOK),
    }
}
