//! Which directory it is, whatever it is called here: two that have the same
//! path, as in two containers, are two all the same. A state that is not in its
//! service directory says in a link, which takes no room, whose it is. One that
//! does not say so may be encore's, and is believed.

use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::fd::BorrowedFd;
use rustix::fs::{self, Stat};
use rustix::io::Result;
use upkeep_sys::decimal;

/// Two numbers, and what is between them.
const LONGEST: usize = 20 + 1 + 20;
const BETWEEN: u8 = b'-';

/// The device and the inode of a directory, as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Zeroes behind it end it.
    text: [u8; LONGEST + 1],
    len: usize,
}

impl Identity {
    /// That of the directory that was asked about.
    #[must_use]
    pub fn of(stat: &Stat) -> Self {
        let mut all = Self { text: [0; LONGEST + 1], len: 0 };
        let mut digits = [0; 20];
        all.push(decimal(stat.st_dev, &mut digits));
        all.push(&[BETWEEN]);
        all.push(decimal(stat.st_ino, &mut digits));
        all
    }

    /// That of the current one.
    pub fn here() -> Result<Self> {
        fs::stat(c".").map(|stat| Self::of(&stat))
    }

    fn push(&mut self, part: &[u8]) {
        self.text[self.len..self.len + part.len()].copy_from_slice(part);
        self.len += part.len();
    }

    /// As the name of a file.
    #[must_use]
    pub fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.text).unwrap_or_default()
    }

    /// The same without what ends it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.text[..self.len]
    }
}

/// Whether both are about the same file.
pub(crate) fn is_same(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

/// Whether a name is that of a directory's identity.
pub(crate) fn is_one(name: &[u8]) -> bool {
    let mut parts = name.split(|&b| b == BETWEEN);
    let is_number = |part: Option<&[u8]>| {
        part.is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit))
    };
    is_number(parts.next()) && is_number(parts.next()) && parts.next().is_none()
}

/// What the link says of whose the state is that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Nothing.
    Unknown,
    /// This directory's.
    Own,
    /// That of another one.
    Another,
}

/// Whether the link `path` names `directory`.
pub(crate) fn owner(from: BorrowedFd<'_>, path: &CStr, directory: &Stat) -> Owner {
    let mut buffer = [MaybeUninit::uninit(); LONGEST + 1];
    match fs::readlinkat_raw(from, path, &mut buffer[..]) {
        Ok((said, _)) if *said == *Identity::of(directory).bytes() => Owner::Own,
        Ok(_) => Owner::Another,
        Err(_) => Owner::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::CWD;

    #[test]
    fn a_directory_is_told_from_another() {
        let [root, shm] = [c"/", c"/dev/shm"].map(|path| fs::stat(path).unwrap());
        let name = Identity::of(&root);
        assert_eq!(name.bytes(), format!("{}-{}", root.st_dev, root.st_ino).as_bytes());
        assert_eq!(name.as_c_str().to_bytes(), name.bytes());
        assert!(is_one(name.bytes()) && name != Identity::of(&shm));
        let mut most = root;
        (most.st_dev, most.st_ino) = (u64::MAX, u64::MAX);
        assert_eq!(Identity::of(&most).as_c_str().count_bytes(), LONGEST);
        for other in ["", "-", "1", "1-", "-1", "1-2-3", ":1-2", "a-1", "1:2"] {
            assert!(!is_one(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_link_says_whose_it_is() {
        let path = std::env::temp_dir().join(format!("upkeep-identity-{}", std::process::id()));
        let link = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        let [root, shm] = [c"/", c"/dev/shm"].map(|path| fs::stat(path).unwrap());
        assert_eq!(owner(CWD, &link, &root), Owner::Unknown);
        fs::symlink(Identity::of(&root).as_c_str(), &link).unwrap();
        assert_eq!(owner(CWD, &link, &root), Owner::Own);
        assert_eq!(owner(CWD, &link, &shm), Owner::Another);
        fs::unlink(&link).unwrap();
    }
}
