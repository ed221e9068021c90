//! What is told of, what is not, and that nothing is missed.

use super::*;
use rustix::fs::{FileType, Mode, OFlags};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory for one test.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("upkeep-changes-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.0.join(inside)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The directory `supervise` of a service, which others write.
struct Kept(PathBuf);

impl Kept {
    fn new(path: PathBuf) -> Self {
        fs::create_dir_all(&path).unwrap();
        let mode = Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(CWD, path.join("ok"), FileType::Fifo, mode, 0).unwrap();
        Self(path)
    }

    fn write(&self, content: impl AsRef<[u8]>) {
        fs::write(self.0.join("status.new"), content).unwrap();
        fs::rename(self.0.join("status.new"), self.0.join("status")).unwrap();
    }

    fn read(&self) -> u32 {
        String::from_utf8(fs::read(self.0.join("status")).unwrap()).unwrap().parse().unwrap()
    }

    fn begin(&self) -> OwnedFd {
        open(&self.0.join("ok"), OFlags::RDONLY).unwrap()
    }
}

fn open(path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    rustix::fs::open(path, flags | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())
}

fn changes() -> Changes {
    Changes::open().unwrap()
}

impl Changes {
    fn on(&mut self, service: usize, directory: &Path) -> bool {
        let path = CString::new(directory.as_os_str().as_bytes()).unwrap();
        let look = || match open(&directory.join("ok"), OFlags::WRONLY) {
            Err(Errno::NXIO | Errno::NOENT) => Ok(None),
            answer => answer.map(Some).map_err(WatchTrouble::Os),
        };
        self.subscribe_to(service, &path, look).unwrap()
    }

    /// What has changed until now, and whether a supervise has ended.
    fn told(&mut self) -> Vec<(usize, bool)> {
        self.wait(Some(0)).unwrap();
        core::iter::from_fn(|| self.take()).map(|one| (one.service, one.ended)).collect()
    }
}

#[test]
fn a_new_status_is_told_of_and_nothing_else_is() {
    let dir = Dir::new();
    let kept = Kept::new(dir.path("supervise"));
    let _supervise = kept.begin();
    kept.write("1");
    let mut changes = changes();
    assert!(changes.on(0, &kept.0));
    assert_eq!(changes.told(), []);
    for other in ["stat", "pid", "lock", "control", "status.new"] {
        fs::write(kept.0.join(other), "x").unwrap();
        fs::read(kept.0.join(other)).unwrap();
    }
    drop(open(&kept.0.join("ok"), OFlags::WRONLY).unwrap());
    assert_eq!(changes.told(), []);
    kept.write("2");
    assert_eq!(changes.told(), [(0, false)]);
    assert_eq!(changes.told(), []);
    // Written over where the disk is full.
    fs::write(kept.0.join("status"), "3").unwrap();
    assert_eq!(changes.told(), [(0, false)]);
    // Whoever looks does not wake himself up.
    for _ in 0..3 {
        assert!(changes.on(0, &kept.0));
        kept.read();
    }
    assert_eq!(changes.told(), []);
}

#[test]
fn a_supervise_begins_and_ends() {
    let dir = Dir::new();
    let kept = Kept::new(dir.path("supervise"));
    let mut changes = changes();
    assert!(!changes.on(0, &kept.0));
    assert_eq!(changes.told(), []);
    let supervise = kept.begin();
    assert_eq!(changes.told(), [(0, false)]);
    assert!(changes.on(0, &kept.0));
    // It may have been told of its own look, once.
    changes.told();
    assert!(changes.on(0, &kept.0));
    assert_eq!(changes.told(), []);
    drop(supervise);
    assert_eq!(changes.told(), [(0, true)]);
    assert!(!changes.on(0, &kept.0));
    assert_eq!(changes.told(), []);
}

/// The kernel tells that a descriptor is closed right before it closes it, so
/// whoever looks then finds a supervise that is not there any more a moment
/// later. Here another one closes first.
#[test]
fn an_end_that_is_told_too_early_is_told_again() {
    let dir = Dir::new();
    let kept = Kept::new(dir.path("supervise"));
    let (first, last) = (kept.begin(), kept.begin());
    let mut changes = changes();
    assert!(changes.on(0, &kept.0));
    drop(first);
    assert_eq!(changes.told(), [(0, true)]);
    assert!(changes.on(0, &kept.0));
    // Without this one only what is held can tell.
    inotify::remove_watch(&changes.inotify, changes.services.all[0].watch.unwrap()).unwrap();
    assert_eq!(changes.told(), [(0, false)]);
    drop(last);
    assert!(changes.wait(Some(clock::monotonic() + 30_000_000_000)).unwrap());
    assert_eq!(changes.told(), [(0, false)]);
    assert!(!changes.on(0, &kept.0));
}

#[test]
fn what_is_not_there_is_waited_for() {
    let dir = Dir::new();
    let mut changes = changes();
    let far = dir.path("run/sv/web/supervise");
    assert!(!changes.on(0, &far));
    for step in ["run", "run/sv", "run/sv/web", "run/sv/web/supervise"] {
        assert_eq!(changes.told(), [], "{step}");
        fs::create_dir(dir.path(step)).unwrap();
        assert_eq!(changes.told(), [(0, false)], "{step}");
        assert!(!changes.on(0, &far));
    }
    let kept = Kept::new(far.clone());
    changes.told();
    let _supervise = kept.begin();
    assert_eq!(changes.told(), [(0, false)]);
    assert!(changes.on(0, &far));
    // As long as `ok` is open, the directory is not gone for the kernel.
    fs::remove_dir_all(&far).unwrap();
    assert_eq!(changes.told(), [(0, false)]);
    assert!(!changes.on(0, &far));
    fs::create_dir(&far).unwrap();
    assert_eq!(changes.told(), [(0, false)]);
}

/// Whatever has appeared when the way to it is looked at: it is found in the
/// end.
#[test]
fn what_appears_meanwhile_is_found() {
    let dir = Dir::new();
    let mut changes = changes();
    for round in 0..300 {
        let path = dir.path(&format!("{round}/a/b/c/d/e"));
        std::thread::scope(|scope| {
            scope.spawn(|| Kept::new(path.clone()).write("1"));
            while !changes.on(round, &path) && !path.join("status").exists() {
                let deadline = clock::monotonic() + 30_000_000_000;
                assert!(changes.wait(Some(deadline)).unwrap(), "round {round}");
                changes.told();
            }
        });
    }
}

#[test]
fn where_a_link_points_to_is_waited_for() {
    let dir = Dir::new();
    fs::create_dir(dir.path("web")).unwrap();
    symlink("../state", dir.path("web/supervise")).unwrap();
    let mut changes = changes();
    assert!(!changes.on(0, &dir.path("web/supervise")));
    let kept = Kept::new(dir.path("state"));
    assert_eq!(changes.told(), [(0, false)]);
    let _supervise = kept.begin();
    assert!(changes.on(0, &dir.path("web/supervise")));
}

/// What is kept of a logger that is a file is in what is kept of its service.
#[test]
fn one_directory_may_be_watched_for_several() {
    let dir = Dir::new();
    let kept = Kept::new(dir.path("supervise"));
    let mut changes = changes();
    for service in [0, 1] {
        assert!(!changes.on(service, &kept.0));
    }
    assert!(!changes.on(2, &kept.0.join("log")));
    let _supervise = kept.begin();
    assert_eq!(changes.told(), [(0, false), (1, false)]);
    fs::create_dir(kept.0.join("log")).unwrap();
    assert_eq!(changes.told(), [(2, false)]);
    assert!(!changes.on(2, &kept.0.join("log")));
    kept.write("1");
    assert_eq!(changes.told(), [(0, false), (1, false)]);
}

#[test]
fn a_thousand_are_told_apart() {
    let dir = Dir::new();
    let mut changes = changes();
    let all: Vec<_> = (0..1000).map(|i| Kept::new(dir.path(&i.to_string()))).collect();
    for (service, kept) in all.iter().enumerate() {
        assert!(!changes.on(service, &kept.0));
    }
    for service in [7, 999, 0, 500] {
        all[service].write("1");
    }
    assert_eq!(changes.told(), [(0, false), (7, false), (500, false), (999, false)]);
    all.iter().for_each(|kept| kept.write("2"));
    let every: Vec<_> = (0..1000).map(|service| (service, false)).collect();
    assert_eq!(changes.told(), every);
}

#[test]
fn when_too_much_has_happened_everything_may_have_changed() {
    let dir = Dir::new();
    let (busy, calm) = (Kept::new(dir.path("busy")), Kept::new(dir.path("calm")));
    let mut changes = changes();
    changes.on(0, &busy.0);
    changes.on(1, &calm.0);
    let most = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let most: u32 = most.trim().parse().unwrap();
    (0..most.div_ceil(3) + 1).for_each(|round| busy.write(round.to_string()));
    assert_eq!(changes.told(), [(0, false), (1, false)]);
}

/// Whoever subscribes before he reads is told of each reading that is old.
#[test]
fn of_thousands_of_quick_changes_the_last_is_never_missed() {
    const LAST: u32 = 5000;
    let dir = Dir::new();
    let all: Vec<_> = (0..3).map(|i| Kept::new(dir.path(&i.to_string()))).collect();
    all.iter().for_each(|kept| kept.write("0"));
    let mut changes = changes();
    let mut read = [0; 3];
    for (service, kept) in all.iter().enumerate() {
        changes.on(service, &kept.0);
        read[service] = kept.read();
    }
    std::thread::scope(|scope| {
        for kept in &all {
            scope.spawn(|| (1..=LAST).for_each(|count| kept.write(count.to_string())));
        }
        while read != [LAST; 3] {
            assert!(changes.wait(Some(clock::monotonic() + 30_000_000_000)).unwrap(), "{read:?}");
            while let Some(Change { service, .. }) = changes.take() {
                changes.on(service, &all[service].0);
                let now = all[service].read();
                assert!(now >= read[service]);
                read[service] = now;
            }
        }
    });
}

#[test]
fn outwards_leads_to_what_is_there() {
    let way = |path: &CStr| {
        let next = |path: &CString| outwards(path);
        core::iter::successors(Some(path.to_owned()), next).skip(1).collect::<Vec<_>>()
    };
    assert!(way(c"supervise").is_empty());
    assert_eq!(way(c"run/sv"), [c"run".to_owned()]);
    assert_eq!(way(c"/nowhere/sv"), [c"/nowhere".to_owned(), c"/".to_owned()]);
}
