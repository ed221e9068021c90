//! The judges of what only some kinds of services have: each hears what its
//! service tells and looks at what is seen of it.

use crate::control::Sight;
use crate::delays::Delays;
use crate::events::Event;
use crate::finishes::Finishes;
use crate::health::Health;
use crate::kinds::Kind;
use crate::limits::Limits;
use crate::moves::Role;
use crate::oneshots::Oneshots;
use crate::order::Going;
use crate::report::Report;
use crate::story::LETTERS;
use crate::world::Service;
use upkeep_outside::wait::SECOND;

/// What else there is to know when something is judged.
pub(crate) struct Scene<'a> {
    pub(crate) service: &'a Service,
    /// When the service was last sent a letter that may end its process.
    pub(crate) letter: u64,
    /// How often the last letter was sent.
    pub(crate) sendings: u64,
    /// The letters that may have had it go, with those that it needs.
    pub(crate) goings: &'a [Going],
    /// When everything was told to end.
    pub(crate) ending: Option<u64>,
    pub(crate) report: &'a Report,
}

impl Scene<'_> {
    /// Whether a letter may have ended what was started at that time.
    pub(crate) fn may_be_lettered(&self, since: u64) -> bool {
        self.letter.saturating_add(LETTERS) > since
    }

    /// Whether the supervise was killed of what was started at that time.
    pub(crate) fn lost_supervise(&self, since: u64) -> bool {
        // It may have been a moment before it said that it runs.
        let since = since.saturating_sub(2 * SECOND);
        !self.service.killed_as(Role::Supervise, since).is_empty()
    }

    /// A statement does not hold.
    pub(crate) fn blame(&self, facts: &str) {
        self.report.violation(self.service.name(), facts);
    }
}

/// The judge of one service.
pub(crate) enum Judge {
    /// There is nothing special about it.
    Nobody,
    OfFinishes(Finishes),
    OfHealth(Health),
    OfDelays(Delays),
    OfLimits(Limits),
    OfOneshots(Oneshots),
}

impl Judge {
    pub(crate) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Finish => Self::OfFinishes(Finishes::default()),
            Kind::Descriptor | Kind::Socket | Kind::Check | Kind::Alive | Kind::Silent => {
                Self::OfHealth(Health::default())
            }
            Kind::Delayed => Self::OfDelays(Delays::default()),
            Kind::Limited => Self::OfLimits(Limits::default()),
            Kind::Oneshot => Self::OfOneshots(Oneshots::default()),
            Kind::Plain
            | Kind::Unlogged
            | Kind::Crash
            | Kind::Helpers
            | Kind::Orphan
            | Kind::Deaf
            | Kind::Down
            | Kind::Once
            | Kind::Paused
            | Kind::Group => Self::Nobody,
        }
    }

    /// The service told something.
    pub(crate) fn hear(&mut self, event: &Event, scene: &Scene<'_>) {
        match self {
            Self::OfFinishes(judge) => judge.hear(event, scene),
            Self::OfHealth(judge) => judge.hear(event, scene),
            Self::OfDelays(judge) => judge.hear(event, scene),
            Self::OfOneshots(judge) => judge.hear(event, scene),
            Self::Nobody | Self::OfLimits(_) => {}
        }
    }

    /// The service was looked at, before it was heard.
    pub(crate) fn look(&mut self, sight: &Sight<'_>, scene: &Scene<'_>) {
        match self {
            Self::OfHealth(judge) => judge.look(sight, scene),
            Self::OfDelays(judge) => judge.look(sight, scene),
            Self::OfLimits(judge) => judge.look(sight, scene),
            Self::OfOneshots(judge) => judge.look(sight, scene),
            Self::Nobody | Self::OfFinishes(_) => {}
        }
    }

    /// Everything has ended as it should.
    pub(crate) fn conclude(&self, scene: &Scene<'_>) {
        match self {
            Self::OfFinishes(judge) => judge.conclude(scene),
            Self::OfOneshots(judge) => judge.conclude(scene),
            Self::Nobody | Self::OfHealth(_) | Self::OfDelays(_) | Self::OfLimits(_) => {}
        }
    }
}
