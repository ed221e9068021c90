//! What is on the disk and what is not yet, and when it has to be.

use crate::{LogDirectory, Voice};
use upkeep_core::treatment::Durability;
use upkeep_sys::{clock, point};

/// What of current is not on the disk.
#[derive(Debug, Default)]
pub(crate) struct Durable {
    /// How many bytes.
    waiting: u64,
    /// When they have to be, on the monotonic clock.
    pub(crate) at: Option<u64>,
}

impl LogDirectory {
    /// So much more was written to current.
    pub(crate) fn has_written(&mut self, bytes: u64) {
        self.durable.waiting += bytes;
        if let Durability::Time(time) = self.rotation.settings.durability {
            self.durable.at.get_or_insert_with(|| clock::monotonic() + time);
        }
    }

    /// Current is another one now; the last one is on the disk.
    pub(crate) fn is_another(&mut self) {
        self.durable = Durable::default();
    }

    /// Puts on the disk what has to be there now.
    pub fn secure(&mut self, voice: &mut Voice) {
        let due = match self.rotation.settings.durability {
            Durability::Kernel => false,
            Durability::Line => self.durable.waiting > 0,
            Durability::Bytes(most) => self.durable.waiting >= most,
            Durability::Time(_) => self.durable.at.is_some_and(|at| at <= clock::monotonic()),
        };
        if due {
            let dir = self.rotation.place.name();
            let unable = [b"unable to write ", dir, b"/current to disk, pausing: "];
            self.rotation.insist(voice, &unable, || rustix::fs::fdatasync(&self.current));
            self.durable = Durable::default();
            point!("secured");
        }
    }
}
