//! Who could change what is run: owners and modes of the service directory,
//! of what is in it, and of what it is in.

use super::Check;
use super::kinds::{GROUP_WRITABLE, OWNER, WRITABLE};
use super::name::text;
use crate::accounts::Account;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const STICKY: u32 = 0o1000;
const BY_GROUP: u32 = 0o020;
const BY_OTHERS: u32 = 0o002;

impl Check {
    /// What is looked at is in this directory, which is to be its owner's.
    pub(super) fn begin_tree(&mut self, path: &Path) {
        (self.owner, self.owner_group) =
            fs::metadata(path).map_or((0, 0), |stat| (stat.uid(), stat.gid()));
        self.seen.clear();
    }

    /// Looks at something that is executed or read, and, where it is elsewhere
    /// by a link, at what that is in.
    pub(super) fn rights(&mut self, shown: &str, file: &str, is_link: bool) {
        let Ok(stat) = fs::metadata(file) else { return };
        self.judge(shown, &stat, false);
        if is_link && let Ok(target) = fs::canonicalize(file) {
            self.parents(&target);
        }
    }

    /// Looks at all that this is in.
    pub(super) fn parents(&mut self, path: &Path) {
        for parent in path.ancestors().skip(1) {
            if !self.seen.insert(parent.to_owned()) {
                // What is above it was looked at then.
                return;
            }
            if let Ok(stat) = fs::metadata(parent) {
                self.judge(&text(parent), &stat, true);
            }
        }
    }

    fn judge(&mut self, shown: &str, stat: &Metadata, is_parent: bool) {
        let (uid, gid, mode) = (stat.uid(), stat.gid(), stat.mode());
        if uid != 0 && uid != self.owner {
            let who = self.name_of_user(uid);
            let tree = self.name_of_user(self.owner);
            let what = format!("it belongs to {who}, who can change what runs for {tree}");
            self.report.file(&OWNER, shown, &what, &format!("chown {tree} it"));
        }
        // There, nobody can remove what is somebody else's.
        if is_parent && stat.is_dir() && mode & STICKY != 0 {
            return;
        }
        if mode & BY_OTHERS != 0 {
            self.report.file(
                &WRITABLE,
                shown,
                "anybody can change it, and so what runs",
                "chmod o-w it",
            );
        } else if mode & BY_GROUP != 0 && gid != 0 && gid != uid {
            // A group with the user's number is his own.
            let what = format!("the group {gid} can change it, and so what runs");
            self.report.file(&GROUP_WRITABLE, shown, &what, "chmod g-w it");
        }
    }
}

/// Whether a process of `who`, in no other group, has all of these rights.
pub(super) fn may(stat: &Metadata, who: Account, rights: u32) -> bool {
    let shift = if stat.uid() == who.uid {
        6
    } else if stat.gid() == who.gid {
        3
    } else {
        0
    };
    who.uid == 0 || stat.mode() >> shift & rights == rights
}
