//! The services' names, one behind the other, so that a name takes as much
//! room as it is long and not as much as it could be.

use core::ffi::CStr;
use rustix::io::Result;
use upkeep_sys::table::Table;

/// Where a name is.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    at: usize,
    /// With its closing zero: 256 at most.
    len: u16,
}

/// All names, and the holes that some have left.
pub(crate) struct Names {
    bytes: Table<u8>,
    holes: usize,
}

/// Holes up to this size are not worth the work.
const HOLES: usize = 16 * 1024;

impl Names {
    pub(crate) const fn new() -> Self {
        Self { bytes: Table::new(), holes: 0 }
    }

    pub(crate) fn add(&mut self, name: &CStr) -> Result<Place> {
        let at = self.bytes.len();
        for byte in name.to_bytes_with_nul() {
            self.bytes.push(*byte).inspect_err(|_| self.bytes.truncate(at))?;
        }
        Ok(Place { at, len: u16::try_from(self.bytes.len() - at).unwrap_or(u16::MAX) })
    }

    pub(crate) fn get(&self, place: Place) -> &CStr {
        let bytes = self.bytes.get(place.at..place.at + usize::from(place.len));
        bytes.and_then(|bytes| CStr::from_bytes_with_nul(bytes).ok()).unwrap_or(c"")
    }

    pub(crate) fn remove(&mut self, place: Place) {
        self.holes += usize::from(place.len);
    }

    /// Closes the holes, if they are most of it. If there is no memory for
    /// the copy, they stay.
    pub(crate) fn tidy<'a>(&mut self, places: impl Iterator<Item = &'a mut Place>) {
        if self.holes < HOLES || self.holes < self.bytes.len() / 2 {
            return;
        }
        let mut fresh = Self::new();
        if fresh.bytes.reserve(self.bytes.len()).is_err() {
            return;
        }
        for place in places {
            if let Ok(new) = fresh.add(self.get(*place)) {
                *place = new;
            }
        }
        *self = fresh;
    }
}
