//! What a service's tree is called, so that a later supervise finds it: by
//! the device and inode of the service directory, which stay when it is
//! renamed.

use crate::text::Text;
use core::ffi::CStr;

/// The variable by which a process is known to be of a family.
pub const MARKER: &[u8] = b"UPKEEP_TREE";

/// The two names.
#[derive(Clone, Copy)]
pub(crate) struct Identity {
    cgroup: Text<48>,
    marker: Text<48>,
}

impl Identity {
    pub(crate) fn new(device: u64, inode: u64) -> Self {
        let name = |start: &[u8], between: &[u8]| {
            let text = Text::new().push(start).push_number(device, 16);
            text.push(between).push_number(inode, 16)
        };
        Self { cgroup: name(b"upkeep-", b"-"), marker: name(b"UPKEEP_TREE=", b":") }
    }

    /// The name of its cgroup.
    pub(crate) fn cgroup(&self) -> &CStr {
        self.cgroup.path().unwrap_or(c"")
    }

    /// The entry in the environment of its processes.
    pub(crate) fn marker(&self) -> &CStr {
        self.marker.path().unwrap_or(c"")
    }

    /// The part of `path`, a cgroup's, that ends with this service's own, if
    /// it is that one or one below it.
    pub(crate) fn own_part<'a>(&self, path: &'a [u8]) -> Option<&'a [u8]> {
        let name = self.cgroup.bytes();
        let mut end = 0;
        for part in path.split(|&b| b == b'/') {
            end += part.len();
            if part == name {
                return path.get(..end);
            }
            end += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_fit_whatever_the_numbers() {
        let small = Identity::new(0xfd01, 0x2a);
        assert_eq!(small.cgroup(), c"upkeep-fd01-2a");
        assert_eq!(small.marker(), c"UPKEEP_TREE=fd01:2a");
        let large = Identity::new(u64::MAX, u64::MAX);
        assert_eq!(large.cgroup().count_bytes(), 7 + 16 + 1 + 16);
        assert_eq!(large.marker().count_bytes(), 12 + 16 + 1 + 16);
    }

    #[test]
    fn its_cgroup_is_found_in_a_path() {
        let id = Identity::new(1, 2);
        assert_eq!(id.own_part(b"/a/upkeep-1-2"), Some(&b"/a/upkeep-1-2"[..]));
        assert_eq!(id.own_part(b"/upkeep-1-2/below/it"), Some(&b"/upkeep-1-2"[..]));
        for path in [&b"/"[..], b"/a", b"/a/upkeep-1-22", b"/xupkeep-1-2", b""] {
            assert_eq!(id.own_part(path), None);
        }
    }
}
