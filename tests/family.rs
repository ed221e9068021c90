//! A service's whole tree, with real processes that try to get away: found by
//! a cgroup and by walking through /proc, by root and by an ordinary user.

mod keeper;

use crate::support::{Dir, Process, testing_originals};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What the walk is forced by.
const WALK: &str = "cgroup";

/// A test's directory with the service `s` in it. What is left of the
/// service's cgroup when a test fails goes after its processes.
struct Home {
    dir: Dir,
    _cgroup: Option<Given>,
}

impl Home {
    fn new() -> Self {
        let dir = Dir::new();
        dir.mkdir("s");
        let name = format!("upkeep-{}", marker(&dir).replace(':', "-"));
        let cgroup = own_cgroup().map(|own| Given(own.join(name)));
        Self { dir, _cgroup: cgroup }
    }
}

impl std::ops::Deref for Home {
    type Target = Dir;

    fn deref(&self) -> &Dir {
        &self.dir
    }
}

/// A cgroup's directory that goes with the test.
struct Given(PathBuf);

impl Drop for Given {
    fn drop(&mut self) {
        for below in ["below/it", "below", ""] {
            let _ = fs::remove_dir(self.0.join(below));
        }
    }
}

/// Who keeps the service.
struct Kept {
    keeper: Process,
    stdin: std::process::ChildStdin,
    means: String,
}

impl Kept {
    /// A keeper for the service in `dir`, by root or who the tests are run by.
    fn new(dir: &Dir, refuse: &str) -> Self {
        Self::by(keeper(dir, &std::env::current_exe().unwrap(), []), refuse)
    }

    /// The same with a command that ends in the keeper.
    fn by(mut command: Command, refuse: &str) -> Self {
        command.env(keeper::ROLE, "1").env("UPKEEP_REFUSE", refuse).stdin(Stdio::piped());
        let mut keeper = Process::start(&mut command);
        let stdin = keeper.stdin();
        let means = keeper.prints("means ").replace("means ", "");
        Self { keeper, stdin, means }
    }

    fn tell(&mut self, words: &str) {
        use std::io::Write;
        writeln!(self.stdin, "{words}").unwrap();
    }

    fn ask(&mut self, words: &str, answer: &str) -> String {
        self.tell(words);
        let line = self.keeper.prints(answer);
        line.strip_prefix(answer).unwrap_or_else(|| panic!("said {line:?}")).trim().to_string()
    }

    fn start(&mut self) -> i32 {
        self.ask("start", "started ").parse().unwrap()
    }

    /// Kills, and sees for itself that nobody is left but the keeper.
    fn kill(&mut self, dir: &Dir) {
        assert_eq!(self.ask("kill", "killed "), "Nothing");
        self.alone(dir);
    }

    fn alone(&self, dir: &Dir) {
        let keeper = i32::try_from(self.keeper.pid()).unwrap();
        let all = dir.processes();
        let left: Vec<_> = all.iter().filter(|(pid, _)| *pid != keeper).collect();
        assert!(left.is_empty(), "{left:?}");
    }

    /// Clears away and ends. Whoever still had the keeper's output open would
    /// keep this from ending.
    fn end(mut self) {
        assert_eq!(self.ask("clear", "cleared "), "Ok(())");
        drop(self.stdin);
        let done = self.keeper.finish();
        assert_eq!(done.code, 0, "{}", done.err());
    }
}

/// A command that runs the keeper in the service directory, at the end of
/// `before`.
fn keeper<'a>(
    dir: &Dir,
    program: &std::path::Path,
    before: impl IntoIterator<Item = &'a str>,
) -> Command {
    let mut words = before.into_iter().map(PathBuf::from).collect::<Vec<_>>();
    words.push(program.to_path_buf());
    let mut command = dir.command(&words[0]);
    command.args(&words[1..]).current_dir(dir.path("s"));
    command.args(["--exact", keeper::NAME, "--nocapture", "--test-threads=1"]);
    command
}

/// An ordinary user's name, if the tests are root's and so can become one, and
/// the test program where he can run it.
fn somebody(dir: &Dir) -> Option<(String, PathBuf)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let accounts = fs::read_to_string("/etc/passwd").unwrap();
    let mut accounts = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let account = accounts.find(|fields| fields.len() == 7 && fields[2] != "0").unwrap();
    let (uid, gid) = (account[2].parse().unwrap(), account[3].parse().unwrap());
    let program = dir.mkdir("bin").join("suite");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::copy(crate::support::program("setuidgid"), dir.path("bin/setuidgid")).unwrap();
    for inside in ["", "bin", "s"] {
        fs::set_permissions(dir.path(inside), Permissions::from_mode(0o755)).unwrap();
    }
    chown(dir.path("s"), Some(uid), Some(gid)).unwrap();
    Some((account[0].to_string(), program))
}

/// A keeper that is an ordinary user.
fn kept_by(dir: &Dir, user: &str, program: &std::path::Path, refuse: &str) -> Kept {
    let setuidgid = dir.path("bin/setuidgid");
    Kept::by(keeper(dir, program, [setuidgid.to_str().unwrap(), user]), refuse)
}

/// Children in the background, in sessions of their own, forked twice, without
/// an environment, all deaf to TERM.
const RUNAWAYS: &str = "\
trap '' TERM
sleep 1000 &
setsid sh -c 'sleep 1000 & exec sleep 1000' &
(setsid sh -c 'sleep 1000 & (sleep 1000 &) ; exec sleep 1000' &)
(setsid sh -c '(setsid sh -c \"(setsid sleep 1000 &)\" &)' &)
env -i /bin/sh -c '(setsid /bin/sleep 1000 &)'
echo ready >$said
exec sleep 1000";

/// Forks as fast as it can, some hundred children in all.
const BOMB: &str = "\
trap '' TERM
more() { n=0; while [ $n -lt 18 ]; do n=$((n + 1)); sleep 1000 & done; wait; }
n=0
while [ $n -lt 18 ]; do
    n=$((n + 1)); more &
    [ $n -ne 3 ] || echo ready >$said
done
wait";

/// Is never the same process for long: each starts the next one and ends.
const HOPPER: &str = "\
trap '' TERM
if [ \"$1\" ]; then
    [ $1 -ne 5 ] || echo ready >$said
    [ $1 -lt 3000 ] || { echo escaped >$said; exec sleep 1000; }
    setsid ./run $(($1 + 1)) &
    exit
fi
setsid ./run 0 &
exec sleep 1000";

/// A service and the FIFO on which it says `ready`.
fn service(dir: &Dir, script: &str) -> crate::support::Fifo {
    let said = dir.fifo("said");
    fs::set_permissions(said.path(), Permissions::from_mode(0o666)).unwrap();
    dir.script("s/run", &format!("said={}\n{script}", said.path().display()));
    said
}

/// `runs` times: the service starts, says that it is ready and is killed.
fn nobody_survives(dir: &Dir, mut kept: Kept, mut said: crate::support::Fifo, runs: usize) {
    for _ in 0..runs {
        kept.start();
        assert_eq!(said.line(), "ready");
        kept.kill(dir);
        assert!(said.is_silent());
    }
    kept.end();
}

/// As before, where the tree is found by `means`; elsewhere nothing.
fn by(means: &str, refuse: &str, script: &str, runs: usize) {
    if testing_originals() {
        return;
    }
    let dir = Home::new();
    let said = service(&dir, script);
    let kept = Kept::new(&dir, refuse);
    if kept.means == means {
        nobody_survives(&dir, kept, said, runs);
    } else {
        // Only a cgroup may be refused to us.
        assert_eq!((means, kept.means.as_str()), ("Cgroup", "Walk"));
    }
}

#[test]
fn nobody_gets_away_from_a_cgroup() {
    by("Cgroup", "", RUNAWAYS, 100);
}

#[test]
fn nobody_gets_away_from_the_walk() {
    by("Walk", WALK, RUNAWAYS, 100);
}

#[test]
fn nor_where_the_kernel_is_old() {
    by("Cgroup", "cgroup-kill,pidfd", RUNAWAYS, 20);
    by("Walk", "cgroup,pidfd", RUNAWAYS, 20);
}

#[test]
fn nor_from_an_ordinary_user() {
    let dir = Home::new();
    let said = service(&dir, RUNAWAYS);
    let Some((user, program)) = somebody(&dir) else { return };
    let kept = kept_by(&dir, &user, &program, "");
    assert_eq!(kept.means, "Walk");
    nobody_survives(&dir, kept, said, 100);
}

#[test]
fn a_bomb_cannot_outrun_it() {
    for script in [BOMB, HOPPER] {
        by("Cgroup", "", script, 5);
        by("Cgroup", "cgroup-kill", script, 5);
        by("Walk", WALK, script, 5);
    }
}

/// Four processes in four places, each of which says so when TERM comes.
const POLITE: &str = "\
polite='trap \"echo term >'$said'; exit\" TERM; echo up >'$said'; while :; do read x <>'$said.hold'; done'
sh -c \"$polite\" &
setsid sh -c \"$polite\" &
(setsid sh -c \"$polite\" &)
eval \"$polite\"";

#[test]
fn each_gets_a_signal_once() {
    if testing_originals() {
        return;
    }
    for refuse in ["", "pidfd", WALK, "cgroup,pidfd"] {
        let dir = Home::new();
        let mut said = service(&dir, POLITE);
        let _hold = dir.hold("said.hold");
        let mut kept = Kept::new(&dir, refuse);
        let service = kept.start();
        for _ in 0..4 {
            assert_eq!(said.line(), "up");
        }
        assert!(service > 0 && kept.ask("left", "left ") == "Something");
        kept.tell("term");
        for _ in 0..4 {
            assert_eq!(said.line(), "term");
        }
        if kept.means == "Cgroup" {
            assert_eq!(kept.ask("watch", "watched "), "Nothing");
        }
        assert_eq!(kept.ask("wait", "waited "), "Nothing");
        kept.alone(&dir);
        assert!(said.is_silent());
        kept.end();
    }
}

#[test]
fn the_next_keeper_finds_what_the_killed_one_left() {
    if testing_originals() {
        return;
    }
    // Also when only the second one has a cgroup to give.
    for (first, second) in [("", ""), (WALK, WALK), (WALK, "")] {
        for adopted in [true, false] {
            let dir = Home::new();
            let mut said = service(&dir, &RUNAWAYS.replace("env -i", "env"));
            let mut kept = Kept::new(&dir, first);
            let service = kept.start();
            assert_eq!(said.line(), "ready");
            kept.keeper.signal(rustix::process::Signal::KILL);
            assert_eq!(kept.keeper.ends(), 137);

            let mut kept = Kept::new(&dir, second);
            if adopted {
                kept.ask(&format!("adopt {service}"), "adopted ");
            } else if first != second {
                // Nobody tells the second one where to look.
                continue;
            }
            assert_eq!(kept.ask("left", "left "), "Something");
            kept.kill(&dir);
            // What it started itself is found as ever.
            kept.tell("forget");
            kept.start();
            assert_eq!(said.line(), "ready");
            kept.kill(&dir);
            kept.end();
        }
    }
}

/// The marker of the service, made by hand.
fn marker(dir: &Dir) -> String {
    let at = fs::metadata(dir.path("s")).unwrap();
    format!("{:x}:{:x}", at.dev(), at.ino())
}

#[test]
fn those_above_it_and_other_keepers_are_spared() {
    if testing_originals() {
        return;
    }
    let dir = Home::new();
    let mut said = service(&dir, RUNAWAYS);
    let sleep = dir.path("s/supervise");
    fs::copy("/bin/sleep", &sleep).unwrap();
    let mut other =
        dir.command(&sleep).arg("1000").env("UPKEEP_TREE", marker(&dir)).spawn().unwrap();
    // Started from a shell that is itself of the family, by its marker.
    let shell = "\"$@\"; echo still here";
    let program = std::env::current_exe().unwrap();
    let mut command = keeper(&dir, &program, ["sh", "-c", shell, "sh"]);
    command.env("UPKEEP_TREE", marker(&dir));
    let mut kept = Kept::by(command, WALK);
    kept.start();
    assert_eq!(said.line(), "ready");
    assert_eq!(kept.ask("kill", "killed "), "Nothing");
    assert_eq!(dir.processes().len(), 3, "the shell, the keeper and the other one");
    assert!(other.try_wait().unwrap().is_none());
    other.kill().unwrap();
    other.wait().unwrap();
    drop(kept.stdin);
    kept.keeper.prints("still here");
    assert_eq!(kept.keeper.finish().code, 0);
}

#[test]
fn without_proc_it_says_that_it_cannot_see() {
    if testing_originals() {
        return;
    }
    let dir = Home::new();
    let _hold = dir.fifo("said.hold");
    let left = "echo ready >$0; read x <>$0.hold";
    let script = format!("sleep 1000 & setsid sh -c '{left}' $said & wait");
    let mut said = service(&dir, &script);
    let mut kept = Kept::new(&dir, "cgroup,proc");
    assert_eq!(kept.means, "Blind");
    kept.start();
    assert_eq!(said.line(), "ready");
    assert_eq!(kept.ask("kill", "killed "), "OutOfReach");
    // The group is gone, the one that left it is not.
    let keeper = i32::try_from(kept.keeper.pid()).unwrap();
    let left = dir.processes();
    let left: Vec<_> = left.iter().filter(|(pid, _)| *pid != keeper).collect();
    assert!(left.iter().any(|(_, line)| line.starts_with("sh -c echo ready")), "{left:?}");
}

#[test]
fn nothing_is_allocated() {
    if testing_originals() {
        return;
    }
    for refuse in ["", "cgroup-kill", WALK, "cgroup,pidfd"] {
        let dir = Home::new();
        let mut said = service(&dir, RUNAWAYS);
        let mut kept = Kept::new(&dir, refuse);
        kept.start();
        assert_eq!(said.line(), "ready");
        kept.tell("sealed");
        assert_eq!(kept.keeper.prints("sealed "), "sealed and gone");
        assert_eq!(kept.keeper.finish().code, 137);
        dir.nobody_is_left();
    }
}

/// The directory of the cgroup that the tests are in.
fn own_cgroup() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mount = mounts.lines().find(|line| line.contains(" - cgroup2 "))?;
    let own = fs::read_to_string("/proc/self/cgroup").unwrap();
    let own = own.lines().find_map(|line| line.strip_prefix("0::/"))?.to_string();
    Some(PathBuf::from(mount.split(' ').nth(4)?).join(own))
}

#[test]
fn cgroups_that_the_service_made_go_with_it() {
    let Some(cgroup) = own_cgroup() else { return };
    let dir = Home::new();
    let script = format!(
        "trap '' TERM
        cd {}/upkeep-$UPKEEP_ID && mkdir -p below/it || exit
        sleep 1000 & echo $! >below/cgroup.procs
        sleep 1000 & echo $! >below/it/cgroup.procs
        echo ready >$said
        exec sleep 1000",
        cgroup.display()
    );
    let mut said = service(&dir, &script);
    for refuse in ["", "cgroup-kill"] {
        let mut command = keeper(&dir, &std::env::current_exe().unwrap(), ["env"]);
        let id = marker(&dir).replace(':', "-");
        command.env("UPKEEP_ID", &id);
        let mut kept = Kept::by(command, refuse);
        if kept.means != "Cgroup" {
            return;
        }
        kept.start();
        assert_eq!(said.line(), "ready");
        assert!(kept.ask("clear", "cleared ").contains("Err"));
        kept.kill(&dir);
        kept.end();
        assert!(!cgroup.join(format!("upkeep-{id}")).exists());
    }
}

#[test]
fn a_user_who_was_given_a_cgroup_uses_it() {
    let dir = Home::new();
    let said = service(&dir, RUNAWAYS);
    let (Some((user, program)), Some(cgroup)) = (somebody(&dir), own_cgroup()) else { return };
    let given = Given(cgroup.join(format!("upkeep-test-{}", std::process::id())));
    if fs::create_dir(&given.0).is_err() {
        return;
    }
    let owner = fs::metadata(dir.path("s")).unwrap();
    for name in ["", "cgroup.procs"] {
        chown(given.0.join(name), Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    let enter = format!("echo 0 >{}/cgroup.procs; exec \"$@\"", given.0.display());
    let setuidgid = dir.path("bin/setuidgid");
    let before = ["sh", "-c", &enter, "sh", setuidgid.to_str().unwrap(), &user];
    let kept = Kept::by(keeper(&dir, &program, before), "");
    assert_eq!(kept.means, "Cgroup");
    nobody_survives(&dir, kept, said, 20);
    // It is empty, and nothing was left below it.
    fs::remove_dir(&given.0).unwrap();
}
