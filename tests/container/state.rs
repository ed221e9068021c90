//! Service directories that cannot be written to: where svscan keeps their
//! state, and how every program finds it without being told.

mod believed;
mod chosen;
mod cleaned;
mod scarce;
mod shared;
mod told;

use crate::support::container::{Container, Plan, Who};
use crate::support::{Dir, Service};
use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

const SAID: &str = "service directories cannot be written to, state is in ";

/// What in a place names its scan directory.
const SCAN: &str = ":scan";

/// The place for a scan directory in one of the roots.
fn place_in(root: &str, dir: &Dir) -> String {
    format!("{root}/{}", identity(&dir.path("scan")))
}

/// What names a directory that has the same path as another.
fn identity(path: &Path) -> String {
    let stat = fs::metadata(path).unwrap();
    format!("{}-{}", stat.dev(), stat.ino())
}

/// What is said of that place.
fn said_of(root: &str, dir: &Dir) -> String {
    format!("svscan: info: {SAID}{}\n", place_in(root, dir))
}

/// A container in which nobody has kept any state.
fn plan<'a>(dir: &'a Dir, who: Who) -> Plan<'a> {
    Plan::new(dir, who).tmpfs("/run", "1m").tmpfs("/dev/shm", "1m")
}

/// The next `up PID` of a service.
fn up(service: &mut Service) -> u32 {
    let line = service.said.line();
    line.strip_prefix("up ").unwrap_or_else(|| panic!("said {line:?}")).parse().unwrap()
}

/// What the status says of its process, asked by a program in the container.
fn status(container: &Container<'_>, service: &str) -> String {
    let done = container.start("svstat", [service]).finish();
    done.out().trim_end().to_owned()
}

/// Every program that looks for a service finds it.
fn is_found(container: &Container<'_>, name: &str, service: &mut Service, pid: u32) -> u32 {
    let scan = format!("./{name}");
    let name = scan.as_str();
    assert_eq!(code(container, "svwait", &["-t", "9000", "-u", name]), 0);
    let line = status(container, name);
    assert!(line.starts_with(&format!("{name}: up (pid {pid}) ")), "{line}");
    assert_eq!(code(container, "svok", &[name]), 0);
    let done = container.start("sv", ["status", name]).finish();
    assert!(done.out().starts_with(&format!("run: {name}: (pid {pid}) ")), "{done:?}");
    // What is told is heard, and waited for.
    assert_eq!(code(container, "svc", &["-t", name]), 0);
    up(service);
    assert_eq!(code(container, "svc", &["-d", name]), 0);
    assert_eq!(code(container, "svwait", &["-t", "9000", "-d", name]), 0);
    assert!(status(container, name).starts_with(&format!("{name}: down ")));
    // Nobody else becomes its supervise.
    for place in ["", "/nowhere", "nowhere"] {
        let place = format!("SUPERVISEDIR={place}");
        let done = container.start("env", [&place, "programs/supervise", name]).finish();
        assert_eq!(done.code, 111);
        assert!(done.err().contains("supervise/lock: temporary failure"), "{place} {done:?}");
    }
    assert_eq!(code(container, "sv", &["-w", "9", "start", name]), 0);
    up(service)
}

fn ends(container: Container<'_>) -> String {
    container.signal(Signal::TERM);
    let done = container.process.finish();
    assert_eq!(done.code, 0, "{done:?}");
    done.err()
}

fn entries(path: PathBuf) -> Vec<String> {
    let entries = fs::read_dir(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    let mut all: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    all.sort();
    all
}

/// What `path` is called where the state is.
fn colons(path: &Path) -> String {
    path.to_str().unwrap().trim_start_matches('/').trim_end_matches('/').replace('/', ":")
}

/// What a program in the container exits with.
fn code(container: &Container<'_>, tool: &str, args: &[&str]) -> i32 {
    container.start(tool, args).finish().code
}

/// Waits until a service is up.
fn comes_up(container: &Container<'_>, service: &str) {
    assert_eq!(code(container, "svwait", &["-t", "9000", "-u", service]), 0);
}

/// The status says that it is up as this process.
fn is_up_as(container: &Container<'_>, service: &str, pid: u32) {
    let line = status(container, service);
    assert!(line.starts_with(&format!("{service}: up (pid {pid}) ")), "{line}");
}

/// Whether somebody reads a FIFO.
fn is_read(fifo: &Path) -> bool {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::open(fifo, flags, Mode::empty()).is_ok()
}

/// Executed anew, it is no other process. Of two services that come after the
/// signal, the second is seen by the new program.
fn is_executed_anew(container: &Container<'_>, dir: &Dir, who: Who, scan: &str) {
    container.signal(Signal::USR1);
    for name in ["later", "last"] {
        comes_later(dir, who, &format!("{scan}/{name}"));
    }
}

/// A command that makes what is at one path be at another.
fn bind(from: &Path, to: &Path) -> String {
    format!("mount --bind {} {}", from.display(), to.display())
}

/// A directory for what containers share that is in memory. Nobody else can put
/// something into it.
fn shared(dir: &Dir) -> PathBuf {
    let shared = dir.mkdir("shared");
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o1777)).unwrap();
    shared
}

/// A variable by which a script finds the programs.
fn programs(dir: &Dir) -> String {
    format!("PATH={}:/bin:/usr/bin", dir.path("programs").display())
}

/// One more service, `service` in the scan directory, comes to those of a
/// container that runs.
fn comes_later(dir: &Dir, who: Who, service: &str) {
    let name = service.rsplit('/').next().unwrap();
    let mut later = Service::new(dir, name, "");
    for path in [&later.path, later.said.path(), &dir.path(format!("{name}.hold"))] {
        who.owns(path);
    }
    fs::rename(&later.path, dir.path(service)).unwrap();
    up(&mut later);
}
