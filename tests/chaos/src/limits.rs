//! The judge of services that are given up: after as many ends as their
//! directory says, not before and not later. Each start is followed by an end,
//! so the starts are counted, by the record, which knows of those too that
//! never came to tell, and by what was told. Each letter that starts the
//! service may have begun another count.

use crate::control::Sight;
use crate::judges::Scene;
use crate::terms::LIMIT;

/// What is known so far.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    /// How often it was started when it was last given up.
    recorded: u64,
    told: u64,
    given_up: bool,
    /// Whether it was said already that it was started too often.
    complained: bool,
}

impl Limits {
    pub(crate) fn look(&mut self, sight: &Sight<'_>, scene: &Scene<'_>) {
        let Some(status) = sight.status else { return };
        let told = sight.story.starts - self.told;
        if told > LIMIT * scene.sendings.max(1) && !self.complained {
            self.complained = true;
            let sendings = scene.sendings;
            scene.blame(&format!("was started {told} times after {sendings} letters"));
        }
        let given_up = status.is_given_up();
        let recorded = u64::from(status.own.starts);
        // It may have been started, and given up again, since the last look.
        if given_up && !(self.given_up && recorded == self.recorded) {
            let ends = recorded.saturating_sub(self.recorded);
            // With another letter on its way it may be started again by now.
            if ends < LIMIT || told > ends && scene.sendings <= 1 {
                scene.blame(&format!("was given up after {ends} ends, {told} of which told"));
            }
            scene.report.figures().given_up += 1;
            *self = Self { recorded, told: sight.story.starts, ..Self::default() };
        }
        self.given_up = given_up;
    }
}
