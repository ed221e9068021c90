//! How long it takes until a supervise that was killed has a successor, and
//! whether that one knows what ran below its predecessor.

use crate::status::{Status, is_supervised};
use crate::world::{Vacancy, World};
use upkeep_outside::wait::now;

/// svscan's return that is being waited for.
#[derive(Default)]
pub(crate) struct Returning {
    generation: u64,
    /// Since when, if it found anything to do.
    since: Option<u64>,
}

impl Returning {
    /// Looks at what is vacant.
    pub(crate) fn look(&mut self, world: &World) {
        let generation = world.generation();
        let (current, started) = {
            let scanner = world.scanner();
            (scanner.generation, scanner.started)
        };
        let waiting = std::mem::take(&mut *world.vacancies());
        if current != self.generation {
            self.generation = current;
            let found = waiting.iter().any(|v| v.since < started);
            self.since = (found && current > 1).then_some(started);
        }
        let mut left: Vec<Vacancy> =
            waiting.into_iter().filter(|v| !filled(world, v, generation)).collect();
        if generation != current {
            // Killed before it was done.
            self.since = None;
        }
        if let Some(since) = self.since
            && !left.iter().any(|v| v.since < since)
        {
            world.report.figures().returns.push(now() - since);
            self.since = None;
        }
        let mut vacancies = world.vacancies();
        // What came meanwhile is newer.
        left.retain(|l| !vacancies.iter().any(|v| (v.service, v.of_log) == (l.service, l.of_log)));
        vacancies.append(&mut left);
    }
}

fn filled(world: &World, vacancy: &Vacancy, generation: u64) -> bool {
    let service = &world.services[vacancy.service];
    let half = if vacancy.of_log { service.log.as_ref() } else { Some(&service.main) };
    let Some(half) = half else { return true };
    if !is_supervised(&half.dir) {
        return false;
    }
    let passed = now() - vacancy.since;
    if generation == vacancy.generation && generation != 0 {
        world.report.figures().takeovers.push(passed);
    }
    if let Some(kept) = &vacancy.kept {
        let status = Status::read(&half.dir);
        let says = status.map(|s| s.pid);
        // Looked at afterwards: it lived when the status was written.
        if says != Some(kept.pid) && kept.lives() {
            let says = says.map_or("nothing".to_owned(), |p| p.to_string());
            let facts = format!(
                "{} ({}) runs on, but its new supervise says pid {says}",
                kept.pid, kept.name
            );
            world.report.violation(&half.name, &facts);
        }
    }
    true
}
