//! What is believed, and of whom.

use super::make::accept;
use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path as FilePath, PathBuf};

/// A directory for one test, removed at its end.
pub(super) struct Dir(pub(super) PathBuf);

impl Dir {
    pub(super) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("upkeep-state-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self(path)
    }

    pub(super) fn make(&self, name: &str, mode: u32) -> CString {
        let path = self.0.join(name);
        std::fs::create_dir(&path).unwrap();
        set_mode(&path, mode);
        path_of(&path)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn set_mode(path: &FilePath, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

pub(super) fn path_of(path: &FilePath) -> CString {
    CString::new(path.to_str().unwrap()).unwrap()
}

fn me() -> u32 {
    geteuid().as_raw()
}

#[test]
fn only_what_nobody_else_can_write_to_is_a_root() {
    let dir = Dir::new("modes");
    for (name, mode, is) in
        [("a", 0o700, true), ("b", 0o755, true), ("c", 0o770, false), ("d", 0o777, false)]
    {
        let root = dir.make(name, mode);
        assert_eq!(is_root_of(&root, me()), is, "{mode:o}");
        assert_eq!(accept(&root), if is { Ok(()) } else { Err(Refusal::Open) });
    }
    let sticky = dir.make("sticky", 0o1777);
    assert_eq!(is_private(&sticky, me()), Err(Refusal::Open));
}

#[test]
fn a_stranger_is_not_believed() {
    let dir = Dir::new("stranger");
    let root = dir.make("root", 0o700);
    let other = me() + 1;
    assert_eq!(is_private(&root, other), Err(Refusal::Anothers));
    assert!(!is_root_of(&root, other) && is_root_of(&root, me()));
}

#[test]
fn a_link_and_a_fifo_are_no_roots() {
    let dir = Dir::new("links");
    let real = dir.make("real", 0o700);
    let link = dir.0.join("link");
    symlink(dir.0.join("real"), &link).unwrap();
    assert_eq!(is_private(&path_of(&link), me()), Err(Refusal::Link));
    assert_eq!(accept(&path_of(&link)), Err(Refusal::Link));
    let fifo = path_of(&dir.0.join("fifo"));
    fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RWXU, 0).unwrap();
    // Nothing waits for its writer.
    assert_eq!(is_private(&fifo, me()), Err(Refusal::Os(Errno::NOTDIR)));
    assert_eq!(is_private(&real, me()), Ok(()));
}

#[test]
fn what_others_can_rename_is_not_safe() {
    let dir = Dir::new("parents");
    dir.make("open", 0o777);
    let root = dir.make("open/root", 0o700);
    assert_eq!(safe_parent(&root, me()), Err(Refusal::Parent));
    set_mode(&dir.0.join("open"), 0o1777);
    assert_eq!(safe_parent(&root, me()), Ok(()));
    let nowhere = path_of(&dir.0.join("nowhere/root"));
    assert_eq!(safe_parent(&nowhere, me()), Err(Refusal::Os(Errno::NOENT)));
}

#[test]
fn pointers_lead_from_the_root_directory_only() {
    let dir = Dir::new("pointers");
    for (name, target) in [(":etc:service", "/state"), (":a", "relative"), ("other", "/other")] {
        symlink(target, dir.0.join(name)).unwrap();
    }
    dir.make(":not-a-link", 0o700);
    let inner = dir.make("12-345", 0o700);
    dir.make("12-", 0o700);
    let rest = dir.make(":left:1-2", 0o700);
    let expected =
        Entries { within: vec![inner], pointed_to: vec![c"/state".to_owned()], left: vec![rest] };
    assert_eq!(entries(&path_of(&dir.0)), expected);
}

#[test]
fn what_is_told_is_made_for_this_user_alone() {
    let dir = Dir::new("told");
    let state = path_of(&dir.0.join("state"));
    assert_eq!(accept(&state), Ok(()));
    assert_eq!(fs::stat(&state).unwrap().st_mode & 0o7777, 0o700);
    assert_eq!(accept(&state), Ok(()));
    let nowhere = path_of(&dir.0.join("no/where"));
    assert_eq!(accept(&nowhere), Err(Refusal::Os(Errno::NOENT)));
}

#[test]
fn the_number_is_in_the_name() {
    let all: Vec<_> = paths(1000).collect();
    assert_eq!(
        all,
        [c"/run/upkeep", c"/dev/shm/upkeep-1000", c"/tmp/upkeep-1000"].map(CStr::to_owned)
    );
}

#[test]
fn all_of_the_way_has_to_be_safe() {
    let dir = Dir::new("way");
    dir.make("open", 0o777);
    dir.make("open/inner", 0o700);
    let state = dir.make("open/inner/state", 0o700);
    assert_eq!(safe_way(&state, me()), Err(Refusal::Parent));
    assert_eq!(is_within_reach(&state, me()), me() != 0);
    assert_eq!(accept(&state).is_ok(), me() != 0);
    set_mode(&dir.0.join("open"), 0o1777);
    assert_eq!(safe_way(&state, me()), Ok(()));
    // By a link that leads through it, too.
    symlink(dir.0.join("open/inner"), dir.0.join("link")).unwrap();
    let linked = path_of(&dir.0.join("link/state"));
    assert_eq!(safe_way(&linked, me()), Ok(()));
    set_mode(&dir.0.join("open"), 0o777);
    assert_eq!(safe_way(&linked, me()), Err(Refusal::Parent));
}
