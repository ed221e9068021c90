//! The soft limits that the program will have.

use crate::limits::resources;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use upkeep_sys::Errno;

/// What is limited; the last word on each counts.
#[derive(Default)]
pub(crate) struct Limits(Vec<(Resource, i64)>);

/// For as much as the hard limit allows.
pub(crate) const MOST: i64 = -1;

impl Limits {
    /// Limits what `letter` stands for. Numbers below `MOST`, which are those
    /// that are too big, limit nothing.
    pub(crate) fn set(&mut self, letter: u8, limit: i64) {
        for resource in resources(letter) {
            self.0.retain(|(other, _)| other != resource);
            self.0.push((*resource, limit));
        }
    }

    /// Sets them.
    pub(crate) fn apply(&self) -> Result<(), Errno> {
        for (resource, limit) in self.0.iter().filter(|(_, limit)| *limit >= MOST) {
            let Rlimit { maximum, .. } = getrlimit(*resource);
            let limit = u64::try_from(*limit).ok();
            let current =
                limit.map_or(maximum, |limit| Some(maximum.map_or(limit, |most| most.min(limit))));
            setrlimit(*resource, Rlimit { current, maximum })?;
        }
        Ok(())
    }
}
