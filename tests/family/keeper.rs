//! A supervise in little, to try a family with: this very test program,
//! started again for this one test, keeps one service and does what it is
//! told on its standard input.

use crate::support::{deadline, readable};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitOptions, wait};
use std::io::BufRead;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Instant;
use upkeep_family::{Enter, Family, Left, Means};
use upkeep_sys::signals::Signals;

/// The variable that makes a test program a keeper.
pub const ROLE: &str = "UPKEEP_TEST_KEEPER";

/// Its name among the tests.
pub const NAME: &str = "family::keeper::keeper";

struct Keeper {
    family: Family,
    service: Option<Pid>,
    deaths: Signals,
}

impl Keeper {
    fn start(&mut self) {
        let mut command = Command::new("/bin/sh");
        match self.family.enter() {
            Enter::Cgroup(door) => {
                // As the child does it between fork and exec.
                let enter = format!("echo 0 >/proc/$PPID/fd/{}; exec ./run", door.as_raw_fd());
                command.args(["-c", &enter]);
            }
            Enter::Marker(entry) => {
                let (name, value) = entry.to_str().unwrap().split_once('=').unwrap();
                command.args(["-c", "exec ./run"]).env(name, value);
            }
        }
        command.stdin(std::process::Stdio::null()).env_remove(ROLE).process_group(0);
        self.service = Some(Pid::from_child(&command.spawn().unwrap()));
    }

    fn reap(&mut self) {
        while self.deaths.next().is_some() {}
        while let Ok(Some((pid, _))) = wait(WaitOptions::NOHANG) {
            if self.service == Some(pid) {
                self.service = None;
            }
        }
    }

    /// Until `look` finds nothing left or nothing that it can reach; in
    /// between waits as supervise does.
    fn until_gone(
        &mut self,
        until: Instant,
        mut look: impl FnMut(&mut Family, Option<Pid>) -> Left,
    ) -> Left {
        loop {
            self.reap();
            let left = look(&mut self.family, self.service);
            if left != Left::Something {
                return left;
            }
            assert!(Instant::now() < until, "they do not go");
            let moment = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
            let mut fds = [
                PollFd::new(&self.deaths, PollFlags::IN),
                PollFd::from_borrowed_fd(
                    self.family.watch().unwrap_or(rustix::stdio::stdin()),
                    PollFlags::PRI,
                ),
            ];
            let _ = poll(&mut fds, Some(&moment));
        }
    }

    /// Until the cgroup says that it is empty, with nothing else to go by.
    fn watch(&mut self) -> Left {
        let until = deadline();
        loop {
            if self.family.left(None) == Left::Nothing {
                return Left::Nothing;
            }
            let left = until.saturating_duration_since(Instant::now());
            let watch = self.family.watch().unwrap();
            let mut fds = [PollFd::from_borrowed_fd(watch, PollFlags::PRI)];
            assert_ne!(poll(&mut fds, Some(&Timespec::try_from(left).unwrap())), Ok(0));
        }
    }
}

/// Not a test but a role.
#[test]
#[expect(clippy::print_stdout, reason = "these are its answers")]
fn keeper() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let deaths = Signals::take(&[Signal::CHILD], &[]).unwrap();
    let mut keeper = Keeper { family: Family::open().unwrap(), service: None, deaths };
    println!("\nmeans {:?}", keeper.family.means());
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["start"] => {
                keeper.start();
                println!("started {}", keeper.service.unwrap());
            }
            ["adopt", pid] => {
                keeper.service = Pid::from_raw(pid.parse().unwrap());
                keeper.family.adopt(keeper.service.unwrap());
                println!("adopted {:?}", keeper.family.means());
            }
            // It is nobody's child here, so nobody tells of its death.
            ["forget"] => keeper.service = None,
            ["term"] => keeper.family.signal(keeper.service, Signal::TERM),
            ["kill"] => println!("killed {:?}", keeper.until_gone(deadline(), Family::kill_all)),
            ["wait"] => println!("waited {:?}", keeper.until_gone(deadline(), Family::left)),
            ["watch"] => println!("watched {:?}", keeper.watch()),
            ["left"] => {
                keeper.reap();
                println!("left {:?}", keeper.family.left(keeper.service));
            }
            ["clear"] => println!("cleared {:?}", keeper.family.clear_away()),
            ["sealed"] => sealed(&mut keeper),
            _ => panic!("what is {line:?}?"),
        }
    }
}

/// Everything that supervise does after its start, with the allocator sealed.
fn sealed(keeper: &mut Keeper) {
    // It reads a variable, which std copies.
    let until = deadline();
    upkeep_sys::sealed::seal();
    keeper.family.signal(keeper.service, Signal::TERM);
    let left = keeper.until_gone(until, Family::kill_all);
    let cleared = keeper.family.clear_away();
    let entered = match keeper.family.enter() {
        Enter::Cgroup(_) => Means::Cgroup,
        Enter::Marker(_) => Means::Walk,
    };
    let again = Family::open().map(|family| family.means());
    let whole = again == Ok(entered) && keeper.family.clear_away().is_ok();
    let words: &[u8] = if left == Left::Nothing && cleared.is_ok() && whole {
        b"sealed and gone\n"
    } else {
        b"sealed but not gone\n"
    };
    let _ = rustix::io::write(rustix::stdio::stdout(), words);
    // The test harness would allocate on its way out.
    let _ = rustix::process::kill_process(rustix::process::getpid(), Signal::KILL);
    readable(&keeper.deaths, until);
}
