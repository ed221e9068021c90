//! Which directories are on a file system of this machine, so that whoever looks
//! at one has an answer at once. One of another machine, or of a program, may
//! not answer for ever.

use rustix::fs::{self, CWD, Mode, OFlags};
use rustix::io::{Errno, Result};
use std::path::Path;

/// Those of other machines and of programs, or how their names begin.
const REMOTE: [&str; 14] = [
    "nfs",
    "cifs",
    "smb",
    "fuse",
    "9p",
    "virtiofs",
    "ceph",
    "afs",
    "auto",
    "coda",
    "lustre",
    "beegfs",
    "gpfs",
    "glusterfs",
];

/// What is mounted here, as the kernel tells it.
pub(super) struct Mounts(Vec<u8>);

impl Mounts {
    /// Unknown where there is no /proc.
    pub(super) fn read() -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = fs::openat(CWD, c"/proc/self/mountinfo", flags, Mode::empty())?;
        let (mut all, mut piece) = (Vec::new(), [0; 4096]);
        loop {
            match rustix::io::read(&file, &mut piece) {
                Ok(0) => return Ok(Self(all)),
                Ok(count) => all.extend_from_slice(&piece[..count]),
                Err(Errno::INTR) => {}
                Err(why) => return Err(why),
            }
        }
    }

    /// Whether none that may not answer is on the way to this path.
    pub(super) fn are_local(&self, path: &Path) -> bool {
        !self.0.split(|&b| b == b'\n').any(|line| is_remote_above(line, path))
    }
}

fn is_remote_above(line: &[u8], path: &Path) -> bool {
    let Ok(line) = core::str::from_utf8(line) else { return true };
    let Some((mount, kind)) = line.split_once(" - ") else { return false };
    if !REMOTE.iter().any(|name| kind.starts_with(name)) {
        return false;
    }
    // A blank in the name, and what else a line cannot have, is written in
    // another way: what comes before it is the same.
    let point = mount.split(' ').nth(4).unwrap_or("/");
    let (point, is_whole) =
        point.split_once('\\').map_or((point, true), |(start, _)| (start, false));
    if is_whole {
        path.starts_with(point)
    } else {
        path.to_str().is_none_or(|path| path.starts_with(point))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_may_not_answer_is_not_asked() {
        let mounts = Mounts(
            b"22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
              30 22 0:50 / /mnt/far rw shared:7 - nfs4 far:/x rw\n\
              31 22 0:51 / /mnt/a\\040b rw - fuse.sshfs far:/y rw\n\
              32 22 0:52 / /run rw - tmpfs none rw\n"
                .to_vec(),
        );
        for (path, is_local) in [
            ("/etc/service", true),
            ("/mnt/farther", true),
            ("/mnt", true),
            ("/run/service", true),
            ("/mnt/far", false),
            ("/mnt/far/service", false),
            ("/mnt/a b/service", false),
        ] {
            assert_eq!(mounts.are_local(Path::new(path)), is_local, "{path}");
        }
        assert!(Mounts::read().unwrap().0.ends_with(b"\n"));
    }
}
