//! Whether what somebody waits for has come: what was read of a service when
//! he began, and what is read now, give the answer. It waits for nothing
//! itself.

use crate::control::Command;
use crate::record::{Own, Stage};
use crate::standing::Standing;
use crate::status::{Status, Want};

/// What somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// It is up, or was started.
    Up,
    /// It is ready.
    Ready,
    /// It is down, or has been.
    Down,
    /// It is down and what tidies up after it has done so, or had.
    Finished,
    /// It was down and is up again.
    UpAgain,
    /// It was down and is ready again.
    ReadyAgain,
    /// It has failed and is not started again by itself.
    Failed,
}

/// Every goal with its letter, s6's but for the last.
pub const GOALS: [(u8, Goal); 7] = [
    (b'u', Goal::Up),
    (b'U', Goal::Ready),
    (b'd', Goal::Down),
    (b'D', Goal::Finished),
    (b'r', Goal::UpAgain),
    (b'R', Goal::ReadyAgain),
    (b'f', Goal::Failed),
];

/// Whether it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has.
    Satisfied,
    /// It may come.
    NotYet,
    /// It does not come by itself: the service has ended for good.
    Never,
    /// It is to be down, and was told nothing that changes that.
    StaysDown,
}

/// What a service was told when the waiting had begun, which may not show yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Nothing, or to be down: it is for others to start it.
    Nothing,
    /// Something that does not start it if it is down.
    Other,
    /// To be up.
    Start,
}

impl Told {
    /// What these control bytes say.
    #[must_use]
    pub fn of(letters: &[u8]) -> Self {
        let starts =
            |letter: &u8| matches!(Command::from_byte(*letter), Some(Command::Up | Command::Once));
        let ends = |letter: &u8| matches!(Command::from_byte(*letter), Some(Command::Down));
        match letters {
            _ if letters.iter().any(starts) => Self::Start,
            _ if letters.is_empty() || letters.iter().any(ends) => Self::Nothing,
            _ => Self::Other,
        }
    }
}

/// What was read of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What everybody writes.
    pub status: Status,
    /// What only our supervise does.
    pub own: Option<Own>,
}

impl Seen {
    fn standing(&self) -> Standing {
        Standing::of(&self.status, self.own.as_ref())
    }

    /// Whether the service was started since `before`. A start that follows at
    /// once on an end may be all that was written of that.
    fn started_since(&self, before: &Self) -> bool {
        match (self.own, before.own) {
            (Some(now), Some(then)) => now.starts != then.starts || self.is_there_again(before),
            // Of others it is known from the process, while there is one.
            _ => {
                let process = |seen: &Self| (seen.status.pid, seen.status.since);
                self.standing().up && process(self) != process(before)
            }
        }
    }

    /// Whether it is up without a process, as it was, and for the second time.
    fn is_there_again(&self, before: &Self) -> bool {
        let is_there = |seen: &Self| seen.own.is_some_and(|own| own.stage == Stage::There);
        is_there(self) && is_there(before) && self.status.since != before.status.since
    }

    /// Whether it is down, and stays so until it is told to be up.
    fn stays_down(&self) -> bool {
        match self.own {
            Some(own) => {
                own.stage == Stage::Down && self.status.want != Want::Up && !self.standing().up
            }
            // Of others, one that is to be up once may be about to.
            None => self.status.pid == 0 && self.status.want == Want::Down,
        }
    }

    /// Whether the service, which was not down before, has been since.
    fn ended_since(&self, before: &Self) -> bool {
        match (self.own, before.own) {
            (Some(now), Some(then)) => {
                // What was about to be up the first time was not down for it.
                let first = u32::from(then.stage == Stage::Preparing);
                now.starts.wrapping_sub(then.starts) > first || self.is_there_again(before)
            }
            _ => before.standing().up && self.started_since(before),
        }
    }
}

impl Goal {
    /// The goal for a letter.
    #[must_use]
    pub fn from_letter(letter: u8) -> Option<Self> {
        GOALS.iter().find(|row| row.0 == letter).map(|row| row.1)
    }

    /// Whether it has come, from what was read when the waiting began and what
    /// is read now.
    #[must_use]
    pub fn judge(self, before: &Seen, now: &Seen, told: Told) -> Answer {
        let (was, is) = (before.standing(), now.standing());
        let ended = now.ended_since(before);
        let has_come = match self {
            Self::Up => is.up || now.started_since(before),
            Self::Ready => is.ready,
            Self::Down => is.down || ended,
            Self::Finished => is.finished || ended,
            Self::UpAgain => (was.down || ended) && (is.up || now.started_since(before)),
            Self::ReadyAgain => (was.down || ended) && is.ready,
            Self::Failed => is.failed,
        };
        if has_come {
            return Answer::Satisfied;
        }
        let may_change = told == Told::Start && now == before;
        match self {
            Self::Up | Self::Ready | Self::UpAgain | Self::ReadyAgain | Self::Failed
                if is.over && !may_change =>
            {
                Answer::Never
            }
            Self::Up | Self::Ready | Self::UpAgain | Self::ReadyAgain
                if told == Told::Other && now.stays_down() =>
            {
                Answer::StaysDown
            }
            Self::Up
            | Self::Ready
            | Self::Down
            | Self::Finished
            | Self::UpAgain
            | Self::ReadyAgain
            | Self::Failed => Answer::NotYet,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Identity;
    use crate::restart::Reason;
    use crate::status::Want;
    use crate::supervise::Machine;
    use crate::tai::Tai64n;
    use Answer::{Never, NotYet, Satisfied, StaysDown};

    /// The ways to stand: the stage, whether readiness is awaited, and whether
    /// it is over, and then whether that is a failure.
    const STANDINGS: [(Stage, bool, Option<bool>); 16] = [
        (Stage::Up, false, None),
        (Stage::Up, true, None),
        (Stage::There, false, None),
        (Stage::Preparing, true, None),
        (Stage::Following, false, None),
        (Stage::Clearing, false, None),
        (Stage::Finishing, false, None),
        (Stage::Down, false, None),
        (Stage::Waiting, false, None),
        (Stage::Needing, false, None),
        (Stage::Over, false, None),
        (Stage::Clearing, false, Some(true)),
        (Stage::Down, false, Some(false)),
        (Stage::Down, false, Some(true)),
        (Stage::Over, false, Some(false)),
        (Stage::Over, false, Some(true)),
    ];

    fn seen((stage, awaited, over): (Stage, bool, Option<bool>), starts: u32) -> Seen {
        let runs = matches!(stage, Stage::Up | Stage::Preparing | Stage::Finishing);
        let pid = if runs { starts.wrapping_add(100) } else { 0 };
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
        (own.stage, own.awaited, own.starts) = (stage, awaited, starts);
        if let Some(failed) = over {
            own.history.reason = Reason::GaveUp;
            own.history.failed = failed;
        }
        Seen { status, own: Some(own) }
    }

    /// All goals, all standings before and now, started since or not.
    #[test]
    fn every_pair_of_standings() {
        for (_, goal) in GOALS {
            for before in STANDINGS {
                for now in STANDINGS {
                    for starts in 0..3 {
                        check(goal, (before, now), starts);
                    }
                }
            }
        }
    }

    type Way = (Stage, bool, Option<bool>);

    fn check(goal: Goal, (before, now): (Way, Way), starts: u32) {
        let (first, then) = (seen(before, 5), seen(now, 5 + starts));
        let answer = goal.judge(&first, &then, Told::Nothing);
        let what = (goal, before, now, starts);
        let is_up = matches!(now.0, Stage::Up | Stage::There);
        let is_ready = is_up && !now.1;
        let is_finished =
            matches!(now.0, Stage::Down | Stage::Waiting | Stage::Needing | Stage::Over);
        let is_down = is_finished || matches!(now.0, Stage::Clearing | Stage::Finishing);
        let was_down =
            !matches!(before.0, Stage::Up | Stage::There | Stage::Preparing | Stage::Following);
        let over = is_finished && now.2.is_some();
        let ended = starts > u32::from(before.0 == Stage::Preparing);
        let expected = match goal {
            Goal::Up => is_up || starts > 0,
            Goal::Ready => is_ready,
            Goal::Down => is_down || ended,
            Goal::Finished => is_finished || ended,
            Goal::UpAgain => (was_down || ended) && (is_up || starts > 0),
            Goal::ReadyAgain => (was_down || ended) && is_ready,
            Goal::Failed => over && now.2 == Some(true),
        };
        assert_eq!(answer == Satisfied, expected, "{what:?}");
        let waits_for_end = matches!(goal, Goal::Down | Goal::Finished);
        assert_eq!(answer == Never, !expected && over && !waits_for_end, "{what:?}");
        // What was told may not show yet, and then nothing is for ever.
        let told = goal.judge(&first, &then, Told::Start);
        assert_eq!(told, if first == then && answer == Never { NotYet } else { answer });
        // What does not start it changes nothing.
        assert_eq!(goal.judge(&first, &then, Told::Other), answer);
    }

    #[test]
    fn counts_go_round() {
        let up = (Stage::Up, false, None);
        assert_eq!(Goal::Down.judge(&seen(up, u32::MAX), &seen(up, 0), Told::Nothing), Satisfied);
        assert_eq!(
            Goal::Down.judge(&seen(up, u32::MAX), &seen(up, u32::MAX), Told::Nothing),
            NotYet
        );
    }

    #[test]
    fn without_a_process_the_time_tells() {
        let there = seen((Stage::There, false, None), 5);
        let mut again = there;
        again.status.since.seconds += 1;
        for goal in [Goal::Down, Goal::Finished, Goal::UpAgain, Goal::ReadyAgain] {
            assert_eq!(goal.judge(&there, &there, Told::Nothing), NotYet, "{goal:?}");
            assert_eq!(goal.judge(&there, &again, Told::Nothing), Satisfied, "{goal:?}");
        }
        // What has only now done what there was to do was not down.
        let doing = seen((Stage::Up, true, None), 5);
        assert_eq!(Goal::Down.judge(&doing, &again, Told::Nothing), NotYet);
        assert_eq!(Goal::Ready.judge(&doing, &again, Told::Nothing), Satisfied);
    }

    #[test]
    fn of_others_the_process_tells() {
        let other = |stage, starts| Seen { own: None, ..seen((stage, false, None), starts) };
        let (up, again) = (other(Stage::Up, 1), other(Stage::Up, 2));
        let (down, finishing) = (other(Stage::Down, 1), other(Stage::Finishing, 1));
        let answer = |goal: Goal, before, now| goal.judge(before, now, Told::Nothing);
        for goal in [Goal::Down, Goal::Finished, Goal::UpAgain, Goal::ReadyAgain] {
            assert_eq!(answer(goal, &up, &up), NotYet, "{goal:?}");
            assert_eq!(answer(goal, &up, &again), Satisfied, "{goal:?}");
        }
        assert_eq!(answer(Goal::Down, &up, &finishing), Satisfied);
        assert_eq!(answer(Goal::Finished, &up, &finishing), NotYet);
        assert_eq!(answer(Goal::Finished, &up, &down), Satisfied);
        assert_eq!(answer(Goal::UpAgain, &down, &down), NotYet);
        assert_eq!(answer(Goal::UpAgain, &down, &up), Satisfied);
        assert_eq!(answer(Goal::Up, &down, &up), Satisfied);
        // None that is ours says that it failed.
        assert_eq!(answer(Goal::Failed, &up, &down), NotYet);
    }

    /// Who is down and is to be stays so, if nothing that is said starts him.
    #[test]
    fn what_is_to_be_down_stays_so() {
        let up = seen((Stage::Up, false, None), 5);
        for own in [true, false] {
            for want in [Want::Up, Want::Once, Want::Down] {
                for stage in [Stage::Down, Stage::Waiting, Stage::Needing] {
                    let mut down = seen((stage, false, None), 5);
                    down.status.want = want;
                    down.own = down.own.filter(|_| own);
                    let stays = match want {
                        Want::Up => false,
                        Want::Once => own && stage == Stage::Down,
                        Want::Down => !own || stage == Stage::Down,
                    };
                    for goal in [Goal::Up, Goal::Ready, Goal::UpAgain, Goal::ReadyAgain] {
                        for before in [&down, &up] {
                            let answer = |told| goal.judge(before, &down, told);
                            let what = (goal, own, want, stage);
                            let expected = if stays { StaysDown } else { NotYet };
                            assert_eq!(answer(Told::Other), expected, "{what:?}");
                            assert_eq!(answer(Told::Start), NotYet, "{what:?}");
                            assert_eq!(answer(Told::Nothing), NotYet, "{what:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_letters_say() {
        for nothing in [&b""[..], b"d", b"dx", b"td"] {
            assert_eq!(Told::of(nothing), Told::Nothing, "{nothing:?}");
        }
        for starts in [&b"u"[..], b"o", b"du", b"tou"] {
            assert_eq!(Told::of(starts), Told::Start, "{starts:?}");
        }
        for other in [&b"h"[..], b"r", b"x", b"tkl", b"?"] {
            assert_eq!(Told::of(other), Told::Other, "{other:?}");
        }
    }

    #[test]
    fn letters_are_goals() {
        for (letter, goal) in GOALS {
            assert_eq!(Goal::from_letter(letter), Some(goal));
        }
        assert_eq!(Goal::from_letter(b'x'), None);
    }
}
