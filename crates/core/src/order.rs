//! Order among services: what one may conclude from another's record. Who is
//! asked is for others to find.

use crate::record::{Own, Record, Stage};
use crate::restart::Reason;
use crate::standing::Standing;
use crate::status::{Status, Want};

/// How a service depends on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tie {
    /// That one is started, and has to be ready; it does not go before this
    /// one has.
    Needs,
    /// That one is started, and has to be ready or to have failed.
    Wants,
    /// That one is waited for if it is wanted up anyway.
    After,
}

impl Tie {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Needs, Self::Wants, Self::After];
}

/// Whether a service that waits for others has them started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Calls {
    /// It stepped aside for one of them, or was started again by itself.
    #[default]
    Nobody,
    /// It is to be up from the start, and so are they; one that has failed
    /// meanwhile has failed.
    Idle,
    /// It was told to be up.
    All,
    /// It has called them, and waits.
    Called,
}

/// What there is to be seen of another service.
#[derive(Clone, Copy, Debug)]
pub enum Sight {
    /// There is no such service.
    Missing,
    /// Nobody supervises it, or not yet.
    Nobody {
        /// Whether it would start out up.
        normally_up: bool,
    },
    /// A supervise that is not ours does, and says this.
    Foreign(Status),
    /// Ours does.
    Known(Record),
}

/// Whether another service holds this one up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does not.
    Met,
    /// It does, and tells when that may have changed.
    Wait,
    /// It does, and tells nobody of a change.
    Ask,
    /// It does for a while: nobody supervises it yet.
    Doubt,
    /// It does, and will until somebody makes it.
    Lost,
}

/// Whether what is seen of another service holds up one that depends on it.
/// `heard` says that there is no call that it has not heard yet.
#[must_use]
pub fn verdict(tie: Tie, sight: &Sight, heard: bool) -> Verdict {
    let (status, own) = match sight {
        Sight::Missing if tie == Tie::Needs => return Verdict::Lost,
        Sight::Missing => return Verdict::Met,
        Sight::Nobody { normally_up: false } if tie == Tie::After => return Verdict::Met,
        Sight::Nobody { .. } => return Verdict::Doubt,
        Sight::Foreign(status) => (status, None),
        Sight::Known(record) => (&record.status, Some(&record.own)),
    };
    let standing = Standing::of(status, own);
    let stays = own.is_none_or(|own| !(own.told || own.intent));
    let is_there = standing.ready && stays;
    let is_down = standing.finished && status.want != Want::Up;
    let met = match tie {
        Tie::Needs => is_there,
        Tie::Wants => is_there || heard && (standing.over || is_down),
        Tie::After => is_there || standing.over || status.want == Want::Down || is_down,
    };
    match own {
        _ if met => Verdict::Met,
        Some(_) => Verdict::Wait,
        None => Verdict::Ask,
    }
}

/// How far a service has come up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rise {
    /// It may be on its way.
    Open,
    /// It waits for others.
    Waits,
    /// It is ready or over, or is to be down: nobody has to wait for it.
    Settled,
}

impl Rise {
    /// Of a service with this record.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let standing = Standing::of(&record.status, Some(&record.own));
        if standing.ready || standing.over || record.status.want == Want::Down {
            Self::Settled
        } else if record.own.stage == Stage::Needing {
            Self::Waits
        } else {
            Self::Open
        }
    }
}

/// Whether another service holds up one that depends on it as long as nobody
/// does anything about either: it does not come up, or waits itself. A call that
/// it has not heard yet is for others to know.
#[must_use]
pub fn holds(tie: Tie, sight: &Sight) -> bool {
    match (verdict(tie, sight, true), sight) {
        // What nobody tells of may be anything.
        (Verdict::Met | Verdict::Ask | Verdict::Doubt, _) => false,
        (Verdict::Lost, _) => true,
        (Verdict::Wait, Sight::Known(record)) => {
            let standing = Standing::of(&record.status, Some(&record.own));
            let goes = record.own.intent || record.own.told && !standing.finished;
            !goes && Rise::of(record) != Rise::Open
        }
        (Verdict::Wait, Sight::Missing | Sight::Nobody { .. } | Sight::Foreign(_)) => true,
    }
}

/// Whether a service that depends on another has to call it.
#[must_use]
pub fn calls(tie: Tie, sight: &Sight, calls: Calls) -> bool {
    let over = |record: &Record| record.own.history.reason != Reason::None;
    match (calls, sight) {
        (Calls::Nobody | Calls::Called, _) => return false,
        (Calls::Idle, Sight::Known(record)) if over(record) => return false,
        // It may be down by its record, which is not asked.
        (Calls::All, Sight::Nobody { .. }) => return tie != Tie::After,
        (Calls::Idle | Calls::All, _) => {}
    }
    let stays_down = |status: &Status| match status.want {
        Want::Up => false,
        Want::Down => true,
        Want::Once => status.pid == 0,
    };
    tie != Tie::After
        && match sight {
            Sight::Missing => false,
            Sight::Nobody { normally_up } => !normally_up,
            Sight::Foreign(status) => stays_down(status),
            // One that has stepped aside, or is about to, calls nobody itself.
            Sight::Known(Record { own, .. }) if steps_aside(own) => true,
            Sight::Known(Record { own: Own { stage: Stage::There, .. }, status }) => {
                status.want == Want::Down
            }
            Sight::Known(record) => stays_down(&record.status),
        }
}

const fn steps_aside(own: &Own) -> bool {
    let ends = matches!(own.stage, Stage::Needing) || own.told || own.intent;
    ends && matches!(own.calls, Calls::Nobody)
}

/// Whether a service with this record goes down, or was told to be: whoever
/// needs it steps aside.
#[must_use]
pub fn goes(record: &Record) -> bool {
    let told = record.status.want == Want::Down && record.own.history.reason == Reason::None;
    record.own.intent || told
}

/// Whether nothing is left of a service with this record that needs another.
#[must_use]
pub const fn is_gone(record: &Record) -> bool {
    match record.own.stage {
        Stage::Down | Stage::Waiting | Stage::Needing | Stage::Over => true,
        Stage::Up
        | Stage::Clearing
        | Stage::Finishing
        | Stage::Preparing
        | Stage::Following
        | Stage::There => false,
    }
}

/// What others are to hear of when it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News {
    /// What those can see that depend on it.
    seen: [bool; 5],
    /// Whether it does not need anything any more.
    pub gone: bool,
}

impl News {
    /// Of a record.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let standing = Standing::of(&record.status, Some(&record.own));
        let there = standing.ready && !record.own.told && !record.own.intent;
        let up = record.status.want == Want::Up;
        let stays_down = standing.finished && !up;
        let seen = [there, standing.over, up, goes(record), stays_down];
        Self { seen, gone: is_gone(record) }
    }

    /// Whether those that depend on it have to look again.
    #[must_use]
    pub fn is_news(&self, before: &Self) -> bool {
        self.seen != before.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Identity;
    use crate::supervise::Machine;
    use crate::tai::Tai64n;

    fn record(stage: Stage, want: Want) -> Record {
        let pid = u32::from(matches!(stage, Stage::Up | Stage::Preparing | Stage::Finishing));
        let status = Status {
            since: Tai64n::default(),
            pid,
            paused: false,
            want,
            terminating: false,
            finishing: stage == Stage::Finishing,
        };
        let mut own =
            Machine::new(true, 0).own([0; 16], Identity::default(), Tai64n::default(), false);
        own.stage = stage;
        Record { status, own }
    }

    const STAGES: [Stage; 10] = [
        Stage::Down,
        Stage::Waiting,
        Stage::Needing,
        Stage::Preparing,
        Stage::Up,
        Stage::Following,
        Stage::There,
        Stage::Finishing,
        Stage::Clearing,
        Stage::Over,
    ];

    fn verdicts(tie: Tie, want: Want) -> [Verdict; 10] {
        STAGES.map(|stage| verdict(tie, &Sight::Known(record(stage, want)), true))
    }

    #[test]
    fn every_tie_with_every_stage() {
        use Verdict::{Met, Wait};
        for want in [Want::Up, Want::Down, Want::Once] {
            let needs = [Wait, Wait, Wait, Wait, Met, Wait, Met, Wait, Wait, Wait];
            assert_eq!(verdicts(Tie::Needs, want), needs);
        }
        let up = [Wait, Wait, Wait, Wait, Met, Wait, Met, Wait, Wait, Wait];
        let down = [Met, Met, Met, Wait, Met, Wait, Met, Wait, Wait, Met];
        assert_eq!(verdicts(Tie::Wants, Want::Up), up);
        assert_eq!(verdicts(Tie::Wants, Want::Down), down);
        assert_eq!(verdicts(Tie::Wants, Want::Once), down);
        assert_eq!(verdicts(Tie::After, Want::Up), up);
        assert_eq!(verdicts(Tie::After, Want::Down), [Met; 10]);
        assert_eq!(verdicts(Tie::After, Want::Once), down);
    }

    #[test]
    fn who_is_held_for_good() {
        let held = |tie, want| {
            STAGES.map(|stage| u8::from(holds(tie, &Sight::Known(record(stage, want)))))
        };
        // What waits itself, and what nobody brings up.
        for (tie, want, all) in [
            (Tie::Needs, Want::Up, [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
            (Tie::Wants, Want::Up, [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
            (Tie::After, Want::Up, [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
            (Tie::Needs, Want::Down, [1, 1, 1, 1, 0, 1, 0, 1, 1, 1]),
            (Tie::Wants, Want::Down, [0, 0, 0, 1, 0, 1, 0, 1, 1, 0]),
            (Tie::After, Want::Down, [0; 10]),
        ] {
            assert_eq!(held(tie, want), all, "{tie:?} {want:?}");
        }
        let mut it = record(Stage::Down, Want::Up);
        it.own.history.reason = Reason::GaveUp;
        assert_eq!(Rise::of(&it), Rise::Settled);
        let all = Tie::ALL.map(|tie| holds(tie, &Sight::Known(it)));
        assert_eq!(all, [true, false, false]);
        // What is about to go may come back.
        for change in [|own: &mut Own| own.told = true, |own: &mut Own| own.intent = true] {
            let mut it = record(Stage::Up, Want::Up);
            change(&mut it.own);
            assert!(!Tie::ALL.into_iter().any(|tie| holds(tie, &Sight::Known(it))));
        }
        // What has gone because it was told to does not.
        let mut it = record(Stage::Down, Want::Down);
        it.own.told = true;
        assert!(holds(Tie::Needs, &Sight::Known(it)));
        assert_eq!(Tie::ALL.map(|tie| holds(tie, &Sight::Missing)), [true, false, false]);
        for normally_up in [true, false] {
            let nobody = Sight::Nobody { normally_up };
            assert!(!Tie::ALL.into_iter().any(|tie| holds(tie, &nobody)));
        }
        let foreign = Sight::Foreign(record(Stage::Down, Want::Down).status);
        assert!(!holds(Tie::Needs, &foreign));
    }

    #[test]
    fn what_is_about_to_go_is_not_there() {
        for tie in Tie::ALL {
            let mut it = record(Stage::Up, Want::Up);
            assert!(!goes(&it) && !is_gone(&it));
            it.own.intent = true;
            assert_eq!(verdict(tie, &Sight::Known(it), true), Verdict::Wait);
            assert!(goes(&it));
            it.own.intent = false;
            it.own.told = true;
            assert_eq!(verdict(tie, &Sight::Known(it), true), Verdict::Wait);
            it.own.told = false;
            it.own.awaited = true;
            assert_eq!(verdict(tie, &Sight::Known(it), true), Verdict::Wait);
        }
    }

    #[test]
    fn what_has_failed_is_waited_for_by_who_needs_it_only() {
        let mut it = record(Stage::Down, Want::Down);
        it.own.history.reason = Reason::GaveUp;
        let all = Tie::ALL.map(|tie| verdict(tie, &Sight::Known(it), true));
        assert_eq!(all, [Verdict::Wait, Verdict::Met, Verdict::Met]);
        // Unless it has not heard yet that it is to be up.
        assert_eq!(verdict(Tie::Wants, &Sight::Known(it), false), Verdict::Wait);
        // It was not told to go: who needs it stays.
        assert!(!goes(&it));
    }

    #[test]
    fn where_nobody_is_yet() {
        use Verdict::{Ask, Doubt, Lost, Met};
        let all = |sight: Sight| Tie::ALL.map(|tie| verdict(tie, &sight, false));
        assert_eq!(all(Sight::Missing), [Lost, Met, Met]);
        assert_eq!(all(Sight::Nobody { normally_up: true }), [Doubt, Doubt, Doubt]);
        assert_eq!(all(Sight::Nobody { normally_up: false }), [Doubt, Doubt, Met]);
        assert_eq!(all(Sight::Foreign(record(Stage::Up, Want::Up).status)), [Met, Met, Met]);
        assert_eq!(all(Sight::Foreign(record(Stage::Down, Want::Up).status)), [Ask, Ask, Ask]);
        assert_eq!(all(Sight::Foreign(record(Stage::Down, Want::Down).status)), [Ask, Ask, Met]);
    }

    #[test]
    fn who_is_called() {
        let all = |tie, record| calls(tie, &Sight::Known(record), Calls::All);
        let called = |stage, want| all(Tie::Needs, record(stage, want));
        assert!(called(Stage::Down, Want::Down) && called(Stage::Down, Want::Once));
        assert!(called(Stage::Up, Want::Down) && !called(Stage::Up, Want::Once));
        assert!(!called(Stage::Waiting, Want::Up) && !called(Stage::There, Want::Once));
        let mut aside = record(Stage::Needing, Want::Up);
        aside.own.calls = Calls::Nobody;
        assert!(all(Tie::Wants, aside) && !all(Tie::After, aside));
        for calls in [Calls::Idle, Calls::All, Calls::Called] {
            aside.own.calls = calls;
            assert!(!all(Tie::Needs, aside));
        }
        let nobody = |normally_up, by| calls(Tie::Wants, &Sight::Nobody { normally_up }, by);
        assert!(nobody(true, Calls::All) && nobody(false, Calls::Idle));
        assert!(!nobody(true, Calls::Idle) && !nobody(false, Calls::Called));
        assert!(!calls(Tie::Needs, &Sight::Missing, Calls::All));
        for stage in [Stage::Up, Stage::Finishing, Stage::Clearing, Stage::Waiting] {
            let mut goes = record(stage, Want::Up);
            goes.own.calls = Calls::Nobody;
            assert!(!all(Tie::Needs, goes));
            goes.own.told = true;
            assert!(all(Tie::Needs, goes));
        }
        let mut failed = record(Stage::Down, Want::Down);
        let by = |record, by| calls(Tie::Needs, &Sight::Known(record), by);
        assert!(by(failed, Calls::Idle) && !by(failed, Calls::Nobody));
        failed.own.history.reason = Reason::GaveUp;
        assert!(!by(failed, Calls::Idle) && by(failed, Calls::All));
    }

    #[test]
    fn news_is_what_others_can_see() {
        let of = |stage, want| News::of(&record(stage, want));
        let up = of(Stage::Up, Want::Up);
        assert!(!up.is_news(&up) && !up.gone);
        for other in
            [of(Stage::Waiting, Want::Up), of(Stage::Up, Want::Down), of(Stage::Up, Want::Once)]
        {
            assert!(other.is_news(&up));
        }
        assert!(of(Stage::Waiting, Want::Up).gone);
        // What has gone and was told to is down now.
        assert!(of(Stage::Clearing, Want::Down).is_news(&of(Stage::Down, Want::Down)));
        // How it dies is not.
        assert!(!of(Stage::Clearing, Want::Up).is_news(&of(Stage::Waiting, Want::Up)));
    }
}
