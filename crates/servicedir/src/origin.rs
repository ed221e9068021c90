//! What the records of a directory are believed by: the boot and the directory.

use rustix::fd::AsFd;
use rustix::fs::{fstat, fstatfs};
use rustix::io::Result;
use upkeep_core::record::{self, Boot};

/// What stands for a boot that the kernel does not tell of where no other one
/// can have left anything.
const THIS: Boot = *b"kept in memory..";
/// Where that is so: tmpfs and ramfs.
const MEMORY: [u32; 2] = [0x0102_1994, 0x8584_58f6];

/// What those in `directory` are believed by in this boot. Without /proc the
/// boot has no id; what is kept in memory is of this one all the same, and
/// what is on a disk is not believed.
pub(crate) fn origin(boot: Boot, directory: impl AsFd) -> Result<Boot> {
    let is_unknown = boot == [0; 16];
    let boot = if is_unknown && is_in_memory(&directory)? { THIS } else { boot };
    fstat(directory).map(|stat| record::origin(boot, stat.st_dev, stat.st_ino))
}

fn is_in_memory(directory: impl AsFd) -> Result<bool> {
    let kind = fstatfs(directory)?.f_type;
    Ok(MEMORY.iter().any(|known| i64::from(*known) == kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{Mode, OFlags, open};

    fn of(path: &str) -> Boot {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        origin([0; 16], open(path, flags, Mode::empty()).unwrap()).unwrap()
    }

    #[test]
    fn what_is_in_memory_is_of_this_boot() {
        assert_eq!(of("/proc"), [0; 16]);
        let shm = of("/dev/shm");
        assert!(shm != [0; 16] && shm != of("/dev"));
    }
}
