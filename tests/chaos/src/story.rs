//! What a service told of itself, and what of it should not have been.

use crate::events::{Event, Listener, What};
use crate::report::Report;
use crate::world::Service;
use std::collections::BTreeSet;
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::processes::{Place, Process};
use upkeep_outside::wait::SECOND;

/// A letter may be read by the process after the one that it was meant for.
pub(crate) const LETTERS: u64 = 3 * SECOND;

/// A service's story so far.
pub(crate) struct Story {
    listener: Listener,
    /// The last process that said that it runs.
    pid: i32,
    since: u64,
    ended: Option<u64>,
    /// The same, as long as it was seen to.
    process: Option<Process>,
    pub(crate) starts: u64,
    /// The numbers of lines that may be in the log or not.
    pub(crate) uncertain: BTreeSet<u64>,
}

impl Story {
    pub(crate) fn new(service: &Service) -> Result<Self, Failure> {
        let listener = Listener::open(&service.main.dir).unable("listen to a service")?;
        Ok(Self {
            listener,
            pid: 0,
            since: 0,
            ended: None,
            process: None,
            starts: 0,
            uncertain: BTreeSet::new(),
        })
    }

    /// Takes the next event, if there is one. `letter`: when the service was
    /// last sent one that may end it. Without a report nobody is blamed. The
    /// service is in that `place`.
    pub(crate) fn go_on(
        &mut self,
        service: &Service,
        place: Place,
        letter: u64,
        report: Option<&Report>,
    ) -> Option<Event> {
        let event = self.listener.next()?;
        let pid = event.pid;
        let blame = |facts: String| {
            if let Some(report) = report {
                report.violation(service.name(), &facts);
            }
        };
        match event.what {
            What::Start { uncertain } => {
                if let Some(report) = report {
                    report.figures().starts += 1;
                }
                let end = self.ended.or_else(|| service.killed(self.pid));
                let excused =
                    end.is_some() || self.pid == 0 || letter.saturating_add(LETTERS) > self.since;
                if !excused {
                    let before = self.pid;
                    blame(format!("{pid} took the place of {before}, which nobody killed"));
                }
                self.pid = pid;
                self.since = event.when;
                self.ended = None;
                self.process = place.find(pid);
                self.starts += 1;
                if uncertain != 0 {
                    self.uncertain.insert(uncertain);
                }
            }
            // It may be ended for a fault from now on.
            What::End { .. } | What::Fault { .. } if pid == self.pid => {
                self.ended = Some(event.when);
            }
            What::End { .. }
            | What::Fault { .. }
            | What::Ready
            | What::Finish { .. }
            | What::Undo
            | What::Closed { .. }
            | What::Lacks { .. } => {}
            What::Conflict => blame(format!("{pid} was started while {} runs", self.pid)),
            What::BrokenPipe => blame(format!("nobody reads what {pid} writes")),
            What::Trouble { errno } => {
                blame(format!("{pid} cannot work: error {errno} of the system"));
            }
        }
        Some(event)
    }

    /// The process that runs.
    pub(crate) fn alive(&self) -> Option<&Process> {
        self.process.as_ref().filter(|p| p.lives())
    }
}
