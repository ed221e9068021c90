//! What is removed, and what never is.

use super::super::tests::{Dir, path_of, set_mode};
use super::*;
use rustix::fs::{CWD, Mode};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use upkeep_core::status::{Status, Want};
use upkeep_core::supervise::Machine;
use upkeep_core::tai::Tai64n;

/// Not that of any place here.
const OWN: &[u8] = b"1-1";
/// What a supervise leaves, and one of a logger that is a file.
const NAMES: [&str; 6] = ["lock", "status", "owner", "needed/other", "log/lock", "log/status"];

/// A place without a scan directory, in which nobody lives.
fn dead(dir: &Dir, name: &str) {
    for file in NAMES {
        let path = dir.0.join(name).join("srv:web").join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "torn").unwrap();
    }
    for fifo in ["ok", "control", "output", "log/ok"] {
        let path = path_of(&dir.0.join(name).join("srv:web").join(fifo));
        fs::mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
    }
    set_mode(&dir.0.join(name), 0o700);
}

fn look_until(dir: &Dir, places: &[&str], later: i64, until: u64) {
    let places: Vec<_> = places.iter().map(|name| name.as_bytes()).collect();
    let now = clock::wall().0 + later;
    let cleaning = Cleaning::begin(&path_of(&dir.0), &places, OWN, now, until).unwrap();
    cleaning.look(&places, 0);
}

fn look(dir: &Dir, places: &[&str], later: i64) {
    look_until(dir, places, later, u64::MAX);
}

fn is_marked(path: &Path) -> bool {
    path.metadata().unwrap().permissions().mode() & 0o1000 != 0
}

#[test]
fn what_was_not_seen_for_an_hour_goes_and_no_link_is_followed() {
    let dir = Dir::new("clean");
    let outside = Dir::new("clean-outside");
    std::fs::write(outside.0.join("kept"), "").unwrap();
    dead(&dir, "2-2");
    let place = dir.0.join("2-2");
    symlink(&outside.0, place.join("link")).unwrap();
    symlink(&outside.0, place.join("srv:web/link")).unwrap();
    for (later, marked) in [(0, true), (0, true), (3590, true)] {
        look(&dir, &["2-2"], later);
        assert_eq!(is_marked(&place), marked, "{later}");
    }
    // A clock that was set back begins anew.
    look(&dir, &["2-2"], -100);
    assert!(is_marked(&place));
    look(&dir, &["2-2"], 3601);
    assert_eq!(std::fs::read_dir(&dir.0).unwrap().count(), 0);
    assert!(outside.0.join("kept").exists());
}

#[test]
fn a_scan_directory_that_is_there_keeps_its_place() {
    let dir = Dir::new("kept");
    dir.make("scan", 0o755);
    let scan = dir.0.join("scan");
    let stat = std::fs::metadata(&scan).unwrap();
    let name = format!("{}-{}", stat.dev(), stat.ino());
    dead(&dir, &name);
    let place = dir.0.join(&name);
    symlink(&scan, place.join(SCAN.to_str().unwrap())).unwrap();
    // Seen by this one, it is there again for all.
    set_mode(&place, 0o1700);
    look(&dir, &[&name], 4000);
    assert!(!is_marked(&place));
    look(&dir, &[&name], 4000);
    assert!(!is_marked(&place));
    // Another one in its place is another one.
    std::fs::rename(&scan, dir.0.join("old")).unwrap();
    dir.make("scan", 0o755);
    look(&dir, &[&name], 0);
    assert!(is_marked(&place));
    look(&dir, &[&name], 4000);
    assert!(!place.exists());
}

/// Opens a file as somebody who lives does.
type Opens<'a> = &'a dyn Fn(&CString) -> Option<OwnedFd>;

#[test]
fn who_lives_is_left_alone() {
    let open = |path: &CString, flags| {
        Some(fs::open(path, flags | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::RWXU).unwrap())
    };
    let reads = |path: &CString| open(path, OFlags::RDONLY);
    let writes = |path: &CString| {
        let reader = reads(path);
        let writer = open(path, OFlags::WRONLY);
        drop(reader);
        writer
    };
    let locks = |path: &CString| {
        let file = open(path, OFlags::RDWR).unwrap();
        fs::flock(&file, FlockOperation::LockExclusive).unwrap();
        Some(file)
    };
    let owns = |path: &CString| {
        let file = open(path, OFlags::RDWR | OFlags::CREATE).unwrap();
        assert_eq!(lock_open_file(&file), Ok(true));
        Some(file)
    };
    let kinds: [(&str, Opens<'_>); 8] = [
        ("ok", &reads),
        ("control", &reads),
        ("log/ok", &reads),
        ("output", &reads),
        ("output", &writes),
        ("lock", &locks),
        ("log/lock", &locks),
        ("service-lock", &owns),
    ];
    for (file, lives) in kinds {
        let dir = Dir::new("alive");
        dead(&dir, "2-2");
        let place = dir.0.join("2-2");
        let held = lives(&path_of(&place.join("srv:web").join(file)));
        set_mode(&place, 0o1700);
        look(&dir, &["2-2"], 4000);
        assert!(place.join("srv:web/status").exists(), "{file}");
        assert!(!is_marked(&place), "{file}");
        drop(held);
        look(&dir, &["2-2"], 0);
        look(&dir, &["2-2"], 4000);
        assert!(!place.exists(), "{file}");
    }
}

#[test]
fn a_process_on_record_is_looked_for_where_it_is_to_be_seen() {
    let own = rustix::process::getpid();
    let started = process::started(own).unwrap().0;
    let pid = own.as_raw_pid().unsigned_abs();
    let there = Process { pid, started, unique: 0, namespace: process::namespace() };
    assert!(is_alive(&there));
    assert!(!is_alive(&Process { started: started + 1, ..there }));
    assert!(!is_alive(&Process { namespace: there.namespace + 1, ..there }));
    assert!(!is_alive(&Process::default()));
}

/// It may live where it is not to be seen, as in another container, without a
/// lock and a FIFO that are open.
#[test]
fn whoever_would_not_be_seen_has_a_day() {
    let namespace = process::namespace();
    for (pid, namespace, later, is_left) in [
        (77, namespace + 1, LONG_ABSENCE - 10, true),
        (77, namespace + 1, LONG_ABSENCE + 10, false),
        (0, namespace + 1, ABSENCE + 10, false),
        (i32::MAX.unsigned_abs(), namespace, ABSENCE + 10, false),
    ] {
        let dir = Dir::new("unseen");
        dead(&dir, "2-2");
        set_mode(&dir.0.join("2-2"), 0o1700);
        let service = dir.0.join("2-2/srv:web");
        let here = fs::open(&service, DIRECTORY, Mode::empty()).unwrap();
        let boot = origin(process::boot(), here.as_fd()).unwrap();
        let process = Process { pid, started: 1, unique: 0, namespace };
        let since = Tai64n::default();
        let own = Machine::new(true, 0).own(boot, process, since, false);
        let status = Status {
            since,
            pid,
            paused: false,
            want: Want::Up,
            terminating: false,
            finishing: false,
        };
        let record = Record { status, own };
        std::fs::write(service.join("status"), record.encode()).unwrap();
        look(&dir, &["2-2"], later);
        assert_eq!(dir.0.join("2-2").exists(), is_left, "{pid} {later}");
    }
}

#[test]
fn a_svscan_that_has_nothing_yet_is_left_alone() {
    let dir = Dir::new("held");
    let place = dir.make("2-2", 0o1700);
    let held = make::hold_place(&place).unwrap();
    look(&dir, &["2-2"], 4000);
    assert!(dir.0.join("2-2").exists());
    drop(held);
    look(&dir, &["2-2"], 4000);
    assert!(!dir.0.join("2-2").exists());
}

#[test]
fn what_is_not_ours_is_not_touched() {
    let dir = Dir::new("strange");
    let outside = Dir::new("strange-outside");
    dead(&outside, "real");
    set_mode(&outside.0.join("real"), 0o1700);
    symlink(outside.0.join("real"), dir.0.join("2-2")).unwrap();
    std::fs::write(dir.0.join("3-3"), "").unwrap();
    dead(&dir, "4-4");
    set_mode(&dir.0.join("4-4"), 0o1777);
    dead(&dir, "5-5");
    set_mode(&dir.0.join("5-5"), 0o1700);
    if geteuid().is_root() {
        std::os::unix::fs::chown(dir.0.join("5-5"), Some(1000), None).unwrap();
    }
    dead(&dir, "1-1");
    set_mode(&dir.0.join("1-1"), 0o1700);
    look(&dir, &["1-1", "2-2", "3-3", "4-4", "5-5", "6-6"], 4000);
    assert!(outside.0.join("real/srv:web/log/status").exists());
    for name in ["1-1", "4-4", "5-5"] {
        let is_gone = name == "5-5" && !geteuid().is_root();
        assert_eq!(dir.0.join(name).join("srv:web/log/status").exists(), !is_gone, "{name}");
    }
    assert!(dir.0.join("3-3").exists());
}

#[test]
fn many_take_many_starts() {
    let dir = Dir::new("many");
    let names: Vec<_> = (10..50).map(|n| format!("{n}-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for name in &names {
        dead(&dir, name);
        set_mode(&dir.0.join(name), 0o1700);
    }
    let left = || names.iter().filter(|name| dir.0.join(name).exists()).count();
    look_until(&dir, &names, 4000, clock::monotonic());
    assert_eq!(left(), names.len());
    look(&dir, &names, 4000);
    assert_eq!(left(), names.len() - MOST);
    look(&dir, &names[MOST..], 4000);
    assert_eq!(left(), names.len() - 2 * MOST);
}

#[test]
fn what_was_being_removed_goes_at_once() {
    let dir = Dir::new("rests");
    dead(&dir, ":left:2-2");
    std::fs::remove_file(dir.0.join(":left:2-2/srv:web/lock")).unwrap();
    look(&dir, &[":left:2-2"], 0);
    assert_eq!(std::fs::read_dir(&dir.0).unwrap().count(), 0);
}
