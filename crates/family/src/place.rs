//! Where cgroups are: the mount, and the cgroup that a process is in.

use crate::text::{Lines, Text};
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::fs::{self, Mode, OFlags};
use upkeep_sys::refuse::refused;

/// As long a path as is looked at.
pub(crate) type Path = Text<2048>;

/// The path of a process's cgroup, from the `cgroup` file in /proc that
/// `file` names.
#[inline(never)]
pub(crate) fn path_of(file: &CStr) -> Option<Path> {
    let mut lines = Lines::of(file).ok()?;
    loop {
        if let Some(path) = lines.next()?.strip_prefix(b"0::") {
            return Some(Path::new().push(path));
        }
    }
}

/// The directory of the cgroup `path`, where one is mounted.
#[inline(never)]
pub(crate) fn open(path: &[u8]) -> Option<OwnedFd> {
    if refused(b"cgroup") {
        return None;
    }
    let mut mounts = Lines::of(c"/proc/self/mountinfo").ok()?;
    loop {
        let Some((root, point)) = mount(mounts.next()?) else { continue };
        let Some(rest) = below(path, root) else { continue };
        let directory = unescape(point).push(b"/").push(rest);
        let Some(directory) = directory.path() else { continue };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(directory) = fs::open(directory, flags, Mode::empty()) else { continue };
        // Something else may be mounted over it.
        if fs::fstatfs(&directory).is_ok_and(|is| is.f_type == CGROUP2) {
            return Some(directory);
        }
    }
}

const CGROUP2: fs::FsWord = 0x6367_7270;

/// Of a line of mountinfo: what is mounted and where, if it is cgroups.
fn mount(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut fields = line.split(|&b| b == b' ');
    let root = fields.nth(3)?;
    let point = fields.next()?;
    fields.find(|&field| field == b"-")?;
    (fields.next()? == b"cgroup2").then_some((root, point))
}

/// What is left of `path` where `root` is mounted. A path that goes up first
/// is outside of what this process may see.
fn below<'a>(path: &'a [u8], root: &[u8]) -> Option<&'a [u8]> {
    let rest = path.strip_prefix(root.strip_suffix(b"/").unwrap_or(root))?;
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(b"/")? };
    (!rest.split(|&b| b == b'/').any(|part| part == b"..")).then_some(rest)
}

/// Undoes mountinfo's way to write blanks: a backslash and three digits.
fn unescape(point: &[u8]) -> Path {
    let mut path = Path::new();
    let mut left = point;
    while let Some((&byte, rest)) = left.split_first() {
        let octal = |digit: &u8| digit.checked_sub(b'0').filter(|&value| value < 8);
        let digits = rest.first_chunk().filter(|_| byte == b'\\');
        let code = digits.and_then(|[a, b, c]| {
            octal(a)?.checked_mul(64)?.checked_add(octal(b)? * 8)?.checked_add(octal(c)?)
        });
        path = path.push(&[code.unwrap_or(byte)]);
        left = if code.is_some() { &rest[3..] } else { rest };
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_of_cgroups_is_told_from_others() {
        let line = b"41 31 0:38 / /sys/fs/cgroup rw shared:9 master:1 - cgroup2 cgroup2 rw";
        assert_eq!(mount(line), Some((&b"/"[..], &b"/sys/fs/cgroup"[..])));
        let line = b"41 31 0:38 /a /b rw - cgroup2 x rw,nsdelegate";
        assert_eq!(mount(line), Some((&b"/a"[..], &b"/b"[..])));
        let others: [&[u8]; 4] = [
            b"32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu",
            b"41 31 0:38 / /cgroup2 rw - tmpfs cgroup2 rw",
            b"41 31 0:38 / /x rw",
            b"",
        ];
        assert!(others.iter().all(|line| mount(line).is_none()));
    }

    #[test]
    fn a_path_is_seen_from_what_is_mounted() {
        let rest = |path: &'static str, root: &str| below(path.as_bytes(), root.as_bytes());
        assert_eq!(rest("/", "/"), Some(&b""[..]));
        assert_eq!(rest("/a/b", "/"), Some(&b"a/b"[..]));
        assert_eq!(rest("/docker/x", "/docker/x"), Some(&b""[..]));
        assert_eq!(rest("/docker/x/y", "/docker/x"), Some(&b"y"[..]));
        assert_eq!(rest("/docker/xy", "/docker/x"), None);
        assert_eq!(rest("/other", "/docker/x"), None);
        assert_eq!(rest("/../other", "/"), None);
    }

    #[test]
    fn blanks_in_a_mount_point_are_understood() {
        assert_eq!(unescape(br"/a\040b\134c").bytes(), br"/a b\c");
        assert_eq!(unescape(br"/a\04").bytes(), br"/a\04");
        assert_eq!(unescape(br"/a\999b\777").bytes(), br"/a\999b\777");
    }
}
