//! A second place to work in, for what is about a disk. It is made by the
//! outer process, found by the inner one, and removed by whichever ends last.

use crate::memory::never_clean;
use std::fs;
use std::path::PathBuf;
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::guard::GUARD;

/// A directory on a disk, which is removed again.
#[derive(Debug)]
pub(crate) struct Disk(pub(crate) PathBuf);

impl Disk {
    /// In the outer process. None: directories for temporary files are in
    /// memory.
    pub(crate) fn new() -> Result<Option<Self>, Failure> {
        let Some(path) = path(&std::process::id().to_string()) else { return Ok(None) };
        fs::create_dir(&path).unable(format_args!("make {}", path.display()))?;
        Ok(Some(Self(path)))
    }

    /// In the inner process: what the outer one made.
    pub(crate) fn given() -> Option<Self> {
        let outer = std::env::var(GUARD).ok()?;
        path(&outer).filter(|path| path.is_dir()).map(Self)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The other process may have been quicker.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Where the one of that process is.
fn path(outer: &str) -> Option<PathBuf> {
    let places = [std::env::temp_dir(), PathBuf::from("/var/tmp")];
    let place = places.into_iter().find(|place| never_clean(place).is_ok_and(|never| !never))?;
    Some(place.join(format!("upkeep-bench-disk-{outer}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_removed_again() {
        let Some(disk) = Disk::new().unwrap() else { return };
        let path = disk.0.clone();
        fs::write(path.join("file"), "x").unwrap();
        drop(disk);
        assert!(!path.exists());
        assert!(Disk::given().is_none());
    }
}
