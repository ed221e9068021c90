//! The judge of states: whether what the status says of a service is true, and
//! whether the service is what it is to be. What is wrong for a moment is not
//! yet a fault; time counts only while svscan is there and nothing is done to
//! this one.

use crate::control::Want;
use crate::processes::directory;
use crate::report::Report;
use crate::spell::Spell;
use crate::status::{NEEDING, Status, THERE};
use crate::wait::patient;
use crate::world::Half;
use upkeep_outside::processes::Process;
use upkeep_outside::wait::SECOND;

/// How long a service may be without a supervise, or down.
const DROPPED: u64 = 10 * SECOND;
/// How long a service may wait for what is there: for as long as for who has no
/// supervise, and then some.
const WAITED: u64 = 7 * SECOND;
/// How long a status may be wrong.
const UNTRUE: u64 = 3 * SECOND;

/// What is wrong with a half of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    NoSupervise,
    NoStatus,
    NotNamed(i32),
    Dead,
    Foreign,
    NotUp,
    NotDown,
    NotPaused,
    NotGoing,
    OtherWant,
    /// For nobody.
    Waits,
    /// A group, without what it is made of.
    Lacks,
}

impl Wrong {
    fn limit(self) -> u64 {
        match self {
            Self::NoSupervise | Self::NotUp => patient(DROPPED),
            Self::Foreign => 0,
            Self::Waits | Self::Lacks => patient(WAITED),
            Self::NoStatus
            | Self::NotNamed(_)
            | Self::Dead
            | Self::NotDown
            | Self::NotPaused
            | Self::NotGoing
            | Self::OtherWant => patient(UNTRUE),
        }
    }

    /// For people.
    pub(crate) fn words(self) -> String {
        let words = match self {
            Self::NoSupervise => "it has no supervise",
            Self::NoStatus => "it has no status",
            Self::NotNamed(pid) => return format!("its status does not name {pid}, which runs"),
            Self::Dead => "its status names a process that is dead",
            Self::Foreign => "its status names a process that is somebody else's",
            Self::NotUp => "it is to be up and is down",
            Self::NotDown => "it is to be down and is up",
            Self::NotPaused => "it is to be paused and is not",
            Self::NotGoing => "it is not to be paused and is",
            Self::Waits => "it waits, and all that it needs is there",
            Self::Lacks => "it is up, and not all that it is made of is",
            Self::OtherWant => "its status says that something else is wanted",
        };
        words.to_owned()
    }
}

/// All that is looked at at once.
pub(crate) struct Look<'a> {
    pub(crate) supervised: bool,
    pub(crate) status: Option<Status>,
    /// What the status names, if it lives.
    pub(crate) process: Option<&'a Process>,
    /// The process that said that it runs, and does.
    pub(crate) runs: Option<&'a Process>,
    /// Whether there is something that it has to wait for.
    pub(crate) lacks: bool,
    pub(crate) group: bool,
    /// What it is to be, if that is certain.
    pub(crate) want: Option<Want>,
}

impl Look<'_> {
    /// The first thing that is wrong.
    fn wrong(&self, half: &Half) -> Option<Wrong> {
        if !self.supervised {
            return Some(Wrong::NoSupervise);
        }
        let Some(status) = self.status else { return Some(Wrong::NoStatus) };
        if let Some(runs) = self.runs.filter(|r| r.pid != status.pid) {
            return Some(Wrong::NotNamed(runs.pid));
        }
        if status.pid != 0 && self.process.is_none() {
            return Some(Wrong::Dead);
        }
        if let Some(process) = self.process
            // Nothing: it is about to end.
            && directory(process).is_some_and(|d| d != half.dir)
            && process.lives()
            && Status::read(&half.dir).is_some_and(|s| s.id == status.id)
        {
            return Some(Wrong::Foreign);
        }
        let up = status.pid != 0 || status.own.stage == THERE;
        // It comes up when all that it needs is there.
        if status.own.stage == NEEDING && self.want != Some(Want::Down) {
            let other = matches!(self.want, Some(Want::Up | Want::Paused)) && status.want != b'u';
            let waits = (!self.lacks).then_some(Wrong::Waits);
            return if other { Some(Wrong::OtherWant) } else { waits };
        }
        if status.own.stage == THERE && self.lacks && self.group {
            return Some(Wrong::Lacks);
        }
        let stopped = self.process.is_some_and(|p| p.state == b'T');
        match self.want? {
            Want::Failing if status.is_given_up() => None,
            Want::Failing if !up => Some(Wrong::NotUp),
            Want::Failing | Want::Returning if status.want != b'u' => Some(Wrong::OtherWant),
            Want::Failing | Want::Returning if stopped => Some(Wrong::NotGoing),
            Want::Up | Want::Paused | Want::Stopping if !up => Some(Wrong::NotUp),
            Want::Up | Want::Paused if status.want != b'u' => Some(Wrong::OtherWant),
            Want::Paused if !(status.paused && stopped) => Some(Wrong::NotPaused),
            Want::Up if status.paused || stopped => Some(Wrong::NotGoing),
            Want::Down if up => Some(Wrong::NotDown),
            Want::Down | Want::Running | Want::Stopping if status.want == b'u' => {
                Some(Wrong::OtherWant)
            }
            Want::Up
            | Want::Paused
            | Want::Stopping
            | Want::Down
            | Want::Running
            | Want::Failing
            | Want::Returning => None,
        }
    }
}

/// What is known of one half from turn to turn.
#[derive(Debug, Default)]
pub(crate) struct State(Spell<Wrong>);

impl State {
    /// Looks again, so much time after the last look.
    pub(crate) fn look(&mut self, look: &Look<'_>, half: &Half, passed: u64, report: &Report) {
        let lasts = self.0.look(look.wrong(half), half.touched(), passed, Wrong::limit);
        if let Some(wrong) = lasts {
            report.violation(&half.name, &format!("{}, {:?}", wrong.words(), look.status));
        }
    }

    /// What is wrong.
    pub(crate) const fn wrong(&self) -> Option<Wrong> {
        self.0.wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Own;

    fn status(pid: i32, want: u8, paused: bool) -> Status {
        Status { pid, paused, want, own: Own::default(), id: (1, 1, 1) }
    }

    fn wrong(
        status: Status,
        process: Option<&Process>,
        runs: Option<&Process>,
        want: Want,
    ) -> Option<Wrong> {
        let half = Half::new(std::env::current_dir().unwrap_or_default(), "a".to_owned());
        let status = Some(status);
        Look {
            supervised: true,
            status,
            process,
            runs,
            lacks: false,
            group: false,
            want: Some(want),
        }
        .wrong(&half)
    }

    #[test]
    fn each_kind_of_untruth() {
        // This process works in the directory that is meant.
        let me = Process::find(rustix::process::getpid().as_raw_pid()).expect("this process");
        let (pid, me) = (me.pid, Some(&me));
        assert_eq!(wrong(status(pid, b'u', false), me, me, Want::Up), None);
        assert_eq!(wrong(status(0, b'u', false), None, me, Want::Up), Some(Wrong::NotNamed(pid)));
        assert_eq!(wrong(status(pid, b'u', false), None, None, Want::Up), Some(Wrong::Dead));
        assert_eq!(wrong(status(0, b'u', false), None, None, Want::Up), Some(Wrong::NotUp));
        assert_eq!(wrong(status(pid, b'd', false), me, me, Want::Down), Some(Wrong::NotDown));
        assert_eq!(wrong(status(pid, b'u', true), me, me, Want::Up), Some(Wrong::NotGoing));
        assert_eq!(wrong(status(pid, b'u', true), me, me, Want::Paused), Some(Wrong::NotPaused));
        assert_eq!(wrong(status(pid, b'd', false), me, me, Want::Up), Some(Wrong::OtherWant));
        assert_eq!(wrong(status(0, b'u', false), None, None, Want::Down), Some(Wrong::OtherWant));
        assert_eq!(wrong(status(0, 0, false), None, None, Want::Down), None);
    }

    #[test]
    fn somebody_else() {
        let me = Process::find(rustix::process::getpid().as_raw_pid()).expect("this process");
        let half = Half::new("/".into(), "a".to_owned());
        let look = Look {
            supervised: true,
            status: None,
            process: Some(&me),
            runs: None,
            lacks: false,
            group: false,
            want: Some(Want::Up),
        };
        assert_eq!(look.wrong(&half), Some(Wrong::NoStatus));
        assert_eq!(Look { supervised: false, ..look }.wrong(&half), Some(Wrong::NoSupervise));
    }
}
