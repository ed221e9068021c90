//! What a record means for whoever waits for a service: the one place that
//! says when it is up, ready, down, or over.

use crate::record::{Own, Stage};
use crate::restart::Reason;
use crate::status::{Status, Want};

/// How a service stands. One whose process has ended and whose daemon is still
/// looked for, or that runs something before its process, is neither up nor
/// down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// It runs.
    pub up: bool,
    /// It runs and has said so, or need not say it.
    pub ready: bool,
    /// It does not run.
    pub down: bool,
    /// The same, and what tidies up after it has done so.
    pub finished: bool,
    /// It does not run and is not started again by itself, though nobody told
    /// it to be down: a failure, or the end that its directory asks for.
    pub over: bool,
    /// The last of that was a failure.
    pub failed: bool,
}

impl Standing {
    /// Of a service whose supervise may not be ours; then it is ready when it
    /// is up, and never over.
    #[must_use]
    pub fn of(status: &Status, own: Option<&Own>) -> Self {
        let runs = status.pid != 0 && !status.finishing;
        let Some(own) = own else {
            let (down, finished) = (!runs, status.pid == 0);
            return Self { up: runs, ready: runs, down, finished, over: false, failed: false };
        };
        if own.begun && own.stage == Stage::Down && status.want == Want::Once {
            // It has come up with its `start`, and has no `run`.
            let (up, ready, down, finished) = (true, true, false, false);
            return Self { up, ready, down, finished, over: false, failed: false };
        }
        let up = runs && own.stage == Stage::Up || own.stage == Stage::There;
        let (down, finished) = match own.stage {
            Stage::Up | Stage::There | Stage::Preparing | Stage::Following => (false, false),
            Stage::Clearing | Stage::Finishing => (true, false),
            Stage::Down | Stage::Waiting | Stage::Needing | Stage::Over => (true, true),
        };
        let over = finished && own.history.reason != Reason::None;
        Self {
            up,
            ready: up && !own.awaited,
            down,
            finished,
            over,
            failed: over && own.history.failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Identity, Record};
    use crate::supervise::Machine;
    use crate::tai::Tai64n;

    fn record(stage: Stage, pid: u32) -> Record {
        let status = Status {
            since: Tai64n::default(),
            pid,
            paused: false,
            want: Want::Up,
            terminating: false,
            finishing: stage == Stage::Finishing,
        };
        let process = Identity { pid, ..Identity::default() };
        let mut own = Machine::new(true, 0).own([0; 16], process, Tai64n::default(), false);
        own.stage = stage;
        Record { status, own }
    }

    fn words(standing: Standing) -> [bool; 6] {
        let Standing { up, ready, down, finished, over, failed } = standing;
        [up, ready, down, finished, over, failed]
    }

    #[test]
    fn every_stage_stands_somewhere() {
        let stands = |stage, pid| {
            let Record { status, own } = record(stage, pid);
            words(Standing::of(&status, Some(&own)))
        };
        let (yes, no) = (true, false);
        assert_eq!(stands(Stage::Up, 7), [yes, yes, no, no, no, no]);
        assert_eq!(stands(Stage::There, 0), [yes, yes, no, no, no, no]);
        // It may run, and it is not known which process it is.
        assert_eq!(stands(Stage::Up, 0), [no, no, no, no, no, no]);
        assert_eq!(stands(Stage::Preparing, 7), [no, no, no, no, no, no]);
        assert_eq!(stands(Stage::Following, 0), [no, no, no, no, no, no]);
        assert_eq!(stands(Stage::Finishing, 7), [no, no, yes, no, no, no]);
        assert_eq!(stands(Stage::Clearing, 0), [no, no, yes, no, no, no]);
        for stage in [Stage::Down, Stage::Waiting, Stage::Needing, Stage::Over] {
            assert_eq!(stands(stage, 0), [no, no, yes, yes, no, no]);
        }
    }

    #[test]
    fn what_is_not_ready_is_up() {
        let Record { status, mut own } = record(Stage::Up, 7);
        own.awaited = true;
        assert_eq!(words(Standing::of(&status, Some(&own)))[..2], [true, false]);
    }

    #[test]
    fn what_has_nothing_to_run_is_up() {
        let Record { mut status, mut own } = record(Stage::Down, 0);
        own.begun = true;
        status.want = Want::Once;
        let standing = Standing::of(&status, Some(&own));
        assert_eq!(words(standing), [true, true, false, false, false, false]);
        own.begun = false;
        assert!(Standing::of(&status, Some(&own)).finished);
    }

    #[test]
    fn what_has_given_up_is_over() {
        let Record { status, mut own } = record(Stage::Down, 0);
        own.history.reason = Reason::GaveUp;
        own.history.failed = true;
        let standing = Standing::of(&status, Some(&own));
        assert!(standing.over && standing.failed && standing.finished);
        own.history.failed = false;
        let standing = Standing::of(&status, Some(&own));
        assert!(standing.over && !standing.failed);
        own.stage = Stage::Up;
        assert!(!Standing::of(&status, Some(&own)).over);
    }

    #[test]
    fn of_others_what_they_say_is_known() {
        let Record { mut status, .. } = record(Stage::Up, 7);
        assert_eq!(words(Standing::of(&status, None)), [true, true, false, false, false, false]);
        status.finishing = true;
        assert_eq!(words(Standing::of(&status, None)), [false, false, true, false, false, false]);
        status.pid = 0;
        status.finishing = false;
        assert_eq!(words(Standing::of(&status, None)), [false, false, true, true, false, false]);
    }
}
