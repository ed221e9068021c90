//! A directory for a test, which goes with it.

use rustix::fd::OwnedFd;
use rustix::fs::{self, Mode, OFlags};
use std::fs as files;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

#[derive(Debug)]
pub(crate) struct TestDir(PathBuf);

impl TestDir {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("upkeep-svlog-{}-{count}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        files::create_dir(&dir).unwrap();
        Self(dir)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        files::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn append(&self, name: &str, bytes: &[u8]) {
        use std::io::Write;
        let file = files::OpenOptions::new().create(true).append(true).open(self.path(name));
        file.unwrap().write_all(bytes).unwrap();
    }

    pub(crate) fn remove(&self, name: &str) {
        files::remove_file(self.path(name)).unwrap();
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        files::rename(self.path(from), self.path(to)).unwrap();
    }

    pub(crate) fn fd(&self) -> OwnedFd {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        fs::open(&self.0, flags, Mode::empty()).unwrap()
    }
}

impl Drop for TestDir {
    fn drop(&mut self) {
        let _ = files::remove_dir_all(&self.0);
    }
}
