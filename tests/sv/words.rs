//! Both, runit's sv and ours, in the same directories: every command with every
//! status, and whatever can be wrong. What they print, send and exit with must
//! be the same bytes but for seconds.

use super::{Client, SV, masked};
use crate::support::{Dir, Fifo, Finished, Process, originals, testing_originals};
use std::fmt::Write;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

const COMMANDS: &[&str] = &[
    "status",
    "up",
    "down",
    "once",
    "pause",
    "cont",
    "hup",
    "alarm",
    "interrupt",
    "quit",
    "1",
    "2",
    "term",
    "kill",
    "exit",
    "start",
    "stop",
    "reload",
    "restart",
    "shutdown",
    "force-stop",
    "force-reload",
    "force-restart",
    "force-shutdown",
    "try-restart",
    "check",
    "X",
    "E",
    "D",
    "T",
    "s",
    "u",
    "dawn",
    "x",
    "t",
    "c",
    "upward",
    "checks",
    "starts",
];

/// What is not a command, and what is none for an init script.
const NONE: &[&str] = &["", "r", "restarts", "f", "force", "w", "l", "3", "-v", "S", "U"];

/// What runsv writes, `age` seconds ago.
fn record(age: i64, pid: u32, paused: bool, want: u8, term: bool, state: u8) -> Vec<u8> {
    const TAI: i64 = (1 << 62) + 10;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut record = (TAI + i64::try_from(now).unwrap() - age).to_be_bytes().to_vec();
    record.extend([0, 0, 1, 0]);
    record.extend(pid.to_le_bytes());
    record.extend([u8::from(paused), want, u8::from(term), state]);
    record
}

/// A directory with services that the test plays the supervise of.
struct World {
    dir: Dir,
    controls: Vec<(String, Fifo)>,
    held: Vec<Fifo>,
}

impl World {
    fn new() -> Self {
        Self { dir: Dir::new(), controls: Vec::new(), held: Vec::new() }
    }

    /// A service with this status, that looks supervised.
    fn service(&mut self, name: &str, status: &[u8]) {
        self.held.push(self.dir.fifo(format!("{name}/supervise/ok")));
        self.controls.push((name.into(), self.dir.fifo(format!("{name}/supervise/control"))));
        self.dir.file(format!("{name}/supervise/status"), status);
    }

    fn command(&self, client: Client, args: &[&str]) -> Command {
        let mut command = client.command(&self.dir);
        command.args(args).env("SVDIR", self.dir.path("")).env("SVWAIT", "0");
        command
    }

    /// What the command does: its exit code, its words, and what it sends.
    fn seen(&self, mut command: Command) -> String {
        let Finished { code, out, err } = Process::start(&mut command).finish();
        let [out, err] = [out, err].map(|text| String::from_utf8_lossy(&text).into_owned());
        let mut all = format!("{code}\n{}{}", masked(&out), masked(&without_version(&err)));
        for (name, control) in &self.controls {
            let sent = control.bytes();
            if !sent.is_empty() {
                writeln!(all, "{name} is told {}", sent.escape_ascii()).unwrap();
            }
        }
        all
    }

    #[track_caller]
    fn same(&self, what: &str, command: impl Fn(Client) -> Command) -> String {
        let [theirs, ours] = [Client::Theirs, Client::Ours].map(|c| self.seen(command(c)));
        assert!(ours == theirs, "{what}\nours: {ours}\ntheirs: {theirs}");
        ours
    }

    #[track_caller]
    fn same_args(&self, args: &[&str]) -> String {
        self.same(&format!("{args:?}"), |client| self.command(client, args))
    }
}

/// Each names itself with `-V`.
fn without_version(err: &str) -> String {
    let lines = err.lines().filter(|l| !l.starts_with("$Id: ") && !l.contains(" (upkeep) "));
    lines.collect::<Vec<_>>().join("\n")
}

fn left_out() -> bool {
    testing_originals() || originals().is_none() || !Path::new(SV).exists()
}

#[test]
fn every_command_with_every_status() {
    if left_out() {
        return;
    }
    std::thread::scope(|scope| {
        for commands in COMMANDS.chunks(5) {
            scope.spawn(|| with_every_status(commands));
        }
    });
}

fn with_every_status(commands: &[&str]) {
    let mut world = World::new();
    let mut names = Vec::new();
    for bits in 0..16_u8 {
        let bit = |n: u8| bits & 1 << n != 0;
        for (state, pid) in [(0, 0), (1, 77), (2, u32::MAX / 2)] {
            // Neither is so without a process.
            if state == 0 && (bit(0) || bit(2)) {
                continue;
            }
            let (want, age) = (if bit(1) { b'u' } else { b'd' }, if bit(3) { 100 } else { -9999 });
            let name = format!("s{bits:x}{state}");
            world.service(&name, &record(age, pid, bit(0), want, bit(2), state));
            if bits % 2 == 1 {
                world.dir.file(format!("{name}/down"), "");
            }
            names.push(name);
        }
    }
    for command in commands {
        for options in [&[][..], &["-v"]] {
            let mut args = options.to_vec();
            args.push(command);
            args.extend(names.iter().map(String::as_str));
            world.same_args(&args);
        }
    }
}

#[test]
fn a_check_decides() {
    if left_out() {
        return;
    }
    let mut world = World::new();
    let up = record(-9999, 77, false, b'u', false, 1);
    let names = ["good", "bad", "plain", "text", "directory", "looping", "loud", "reads"];
    for name in names {
        world.service(name, &up);
    }
    let dir = &world.dir;
    dir.script("good/check", "exit 0");
    dir.script("bad/check", "exit 7");
    dir.file("plain/check", "");
    fs::set_permissions(dir.file("text/check", "text"), Permissions::from_mode(0o755)).unwrap();
    dir.mkdir("directory/check");
    symlink("check", dir.path("looping/check")).unwrap();
    dir.script("loud/check", "echo loud >&2; pwd >&2; echo $0 $# >&2; exit 3");
    dir.script("reads/check", "read x; test $? = 1");
    for command in ["start", "check", "restart", "try-restart", "stop", "reload", "force-reload"] {
        let answer = world.same_args(&[&["-w", "0", command][..], &names].concat());
        if command == "check" {
            assert!(answer.contains("ok: run: good:"), "{answer}");
            assert!(answer.contains("timeout: run: bad:"), "{answer}");
        }
    }
    world.service("killed", &up);
    world.service("prints", &up);
    world.dir.script("killed/check", "kill -9 $$");
    world.dir.script("prints/check", "echo lost; exec 3>file; echo kept >&3; grep kept file");
    // A check that was killed has not said yes, and one that prints can.
    for (name, theirs, ours) in [("killed", "ok", "timeout"), ("prints", "timeout", "ok")] {
        for (client, word) in [(Client::Theirs, theirs), (Client::Ours, ours)] {
            let answer = world.seen(world.command(client, &["-w", "0", "check", name]));
            assert!(answer.contains(&format!("{word}: run: {name}:")), "{client:?} {answer}");
        }
    }
}

#[test]
fn a_logger_is_shown_with_its_service() {
    if left_out() {
        return;
    }
    let mut world = World::new();
    let up = record(50, 77, false, b'u', false, 1);
    for name in ["none", "file", "looping", "both", "alone", "down", "mine"] {
        world.service(name, &up);
    }
    world.service("both/log", &record(10, 78, true, b'd', true, 1));
    world.service("down/log", &record(10, 0, false, b'd', false, 0));
    world.dir.file("down/log/down", "");
    world.dir.file("file/log", "");
    symlink("log", world.dir.path("looping/log")).unwrap();
    drop(world.dir.fifo("alone/log/supervise/ok"));
    world.dir.script("mine/log", "exec cat");
    world.same_args(&["status", "none", "file", "looping", "both", "alone", "down"]);
    world.same_args(&["-v", "hup", "both/log", "./both/log", "both", "none/log", "none/log/"]);
    let answer = |client, name| world.seen(world.command(client, &["status", name]));
    // A logger that is a file has its supervise, and may have it elsewhere.
    world.dir.fifo("mine/supervise/log/ok");
    let text = answer(Client::Ours, "mine");
    assert_eq!(text, "1\nrun: mine: (pid N) Ns; fail: mine/log: runsv not running\n");
    let _ok = world.dir.fifo("mine/there/supervise/log/ok");
    fs::remove_dir_all(world.dir.path("mine/supervise/log")).unwrap();
    symlink("../there/supervise/log", world.dir.path("mine/supervise/log")).unwrap();
    world.dir.file("mine/supervise/log/status", record(5, 79, false, b'u', true, 1));
    let text = answer(Client::Ours, "mine");
    assert_eq!(text, "0\nrun: mine: (pid N) Ns; run: log: (pid N) Ns, got TERM\n");
    let text = answer(Client::Ours, "mine/log");
    assert_eq!(text, "0\nrun: mine/log: (pid N) Ns, got TERM\n");
    // runit's shows the service's status again where the logger has none.
    world.dir.mkdir("none/log");
    let trouble = "; warning: none/log: unable to open supervise/ok: file does not exist\n";
    let ours = format!("1\nrun: none: (pid N) Ns{trouble}");
    assert_eq!(answer(Client::Ours, "none"), ours);
    assert_eq!(answer(Client::Theirs, "none"), format!("{ours}run: log: (pid N) Ns\n"));
}

#[test]
fn what_is_wrong_is_said_alike() {
    if left_out() {
        return;
    }
    let mut world = World::new();
    let up = record(50, 77, false, b'u', false, 1);
    for name in ["s", "short", "empty", "long", "unreadable", "a b", "d/e", "full", "unsaid"] {
        world.service(name, &up);
    }
    let dir = &world.dir;
    dir.file("short/supervise/status", &up[..18]);
    dir.file("empty/supervise/status", "");
    dir.file("long/supervise/status", [&up[..], &[7; 108]].concat());
    fs::remove_file(dir.path("unreadable/supervise/status")).unwrap();
    dir.mkdir("unreadable/supervise/status");
    symlink("down", dir.path("d/e/down")).unwrap();
    dir.mkdir("bare");
    dir.file("file", "");
    symlink("loop", dir.path("loop")).unwrap();
    drop(dir.fifo("dead/supervise/ok"));
    fs::remove_file(dir.path("unsaid/supervise/control")).unwrap();
    dir.file("gone/supervise/ok", "");
    let names = [
        "s",
        "short",
        "empty",
        "long",
        "unreadable",
        "a b",
        "d/e",
        "d//e",
        "bare",
        "file",
        "loop",
        "dead",
        "gone",
        "nowhere",
        "unsaid",
        "",
        ".",
        "./s",
        "../x",
        "/nowhere",
        "s/../s",
        "s/.",
        "...",
        "-v",
        "--",
    ];
    for command in ["status", "up", "down", "exit", "reload", "check", "shutdown"] {
        world.same_args(&[&["-w0", command][..], &names].concat());
    }
    for (command, name) in ["status", "up", "exit"].iter().flat_map(|c| names.map(|n| (c, n))) {
        world.same_args(&[command, name]);
    }
    // More than are counted.
    let many = ["nowhere"; 120];
    assert!(world.same_args(&[&["up"][..], &many].concat()).starts_with("99\n"));
    for args in [
        &[][..],
        &["-v"],
        &["--"],
        &["-"],
        &["-z"],
        &["-vz"],
        &["-:"],
        &["-w"],
        &["-vw"],
        &["-V"],
        &["-vV", "status", "s"],
        &["status"],
        &["--", "status", "s"],
        &["-", "s"],
        &["-v", "-w3", "status", "s"],
        &["status", "-v", "s"],
        &["-w", "x", "check", "s"],
        &["-w", "", "check", "s"],
        &["-w", "18446744073709551617", "stop", "s"],
    ] {
        world.same_args(args);
    }
    for word in NONE {
        world.same_args(&[word, "s"]);
    }
    for value in ["0", "x", "", "-5", "0x9", " 9", "1"] {
        world.same(&format!("SVWAIT={value}"), |client| {
            let mut command = world.command(client, &["stop", "s", "a b"]);
            command.env("SVWAIT", value);
            command
        });
    }
    for place in ["", "nowhere", ".", "./d", "file"] {
        world.same(&format!("SVDIR={place}"), |client| {
            let mut command = world.command(client, &["status", "s", "e", "./s"]);
            command.env("SVDIR", place);
            command
        });
    }
    world.same("no SVDIR", |client| {
        let mut command = world.command(client, &["status", "no-such-service", "./s"]);
        command.env_remove("SVDIR");
        command
    });
    // runit's looks for a name that ends with a slash elsewhere when it waits.
    let mut command = world.command(Client::Ours, &["check", "s/"]);
    command.env("SVDIR", world.dir.path("d"));
    assert_eq!(world.seen(command), "0\nok: run: s/: (pid N) Ns\n");
}

#[test]
fn an_init_script_is_for_its_service() {
    if left_out() {
        return;
    }
    std::thread::scope(|scope| {
        for name in ["up", "down", "bad", "odd", "dead", "bare", "nowhere", "svd"] {
            scope.spawn(|| scripts(name));
        }
    });
}

/// Every command to the init script `name`.
fn scripts(name: &str) {
    let mut world = World::new();
    world.service("up", &record(-9999, 77, false, b'u', false, 1));
    world.service("down", &record(50, 0, false, b'd', false, 0));
    world.service("bad", b"bad");
    world.service("odd", &record(50, 77, false, b'u', false, 1));
    symlink("down", world.dir.path("odd/down")).unwrap();
    drop(world.dir.fifo("dead/supervise/ok"));
    world.dir.mkdir("bare");
    world.service("logged", &record(50, 77, false, b'u', false, 1));
    world.service("logged/log", &record(50, 0, false, b'd', false, 0));
    for client in [Client::Theirs, Client::Ours] {
        for name in [name, "logged"] {
            symlink(client.path(), world.dir.mkdir(format!("{client:?}")).join(name)).unwrap();
        }
    }
    // runit's exits with what it has found of the logger.
    for (client, code) in [(Client::Theirs, 3), (Client::Ours, 0)] {
        let mut command = world.dir.command(world.dir.path(format!("{client:?}/logged")));
        let shown = format!("{code}\nrun: logged: (pid N) Ns; down: log: Ns, normally up\n");
        command.arg("status").env("SVDIR", world.dir.path(""));
        assert_eq!(world.seen(command), shown, "{client:?}");
    }
    let same = |args: &[&str]| {
        world.same(&format!("{name} {args:?}"), |client| {
            let mut command = world.dir.command(world.dir.path(format!("{client:?}/{name}")));
            command.args(args).env("SVDIR", world.dir.path("")).env("SVWAIT", "0");
            command
        })
    };
    for command in COMMANDS.iter().chain(NONE) {
        same(&[command]);
    }
    for args in [&[][..], &["-z"], &["-w"], &["-V"], &["status", "x", "y"], &["--help"]] {
        same(args);
    }
}

#[test]
fn who_may_not_is_told_so() {
    if left_out() || !rustix::process::geteuid().is_root() {
        return;
    }
    let mut world = World::new();
    let up = record(50, 77, false, b'u', false, 1);
    for name in ["s", "closed", "status", "ok"] {
        world.service(name, &up);
    }
    let mode = |path: &str, mode| {
        fs::set_permissions(world.dir.path(path), Permissions::from_mode(mode)).unwrap();
    };
    mode("closed", 0o700);
    mode("status/supervise/status", 0o600);
    mode("ok/supervise/ok", 0o600);
    mode("s/supervise/control", 0o600);
    let ours = world.dir.copy(Client::Ours.path(), "bin/sv");
    symlink("sv", world.dir.path("bin/s")).unwrap();
    symlink(SV, world.dir.mkdir("theirs").join("s")).unwrap();
    symlink(SV, world.dir.path("theirs/sv")).unwrap();
    for (name, args) in [("sv", &["status", "s"][..]), ("s", &["status"]), ("s", &["start"])] {
        let answer = world.same(name, |client| {
            let whose = if client == Client::Ours { "bin" } else { "theirs" };
            let mut nobody = world.dir.command("setpriv");
            nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
            nobody.arg(world.dir.path(whose).join(name)).args(args);
            nobody.current_dir(world.dir.path("closed"));
            nobody
        });
        assert!(answer.contains("fatal: unable to open current directory: "), "{answer}");
    }
    for command in ["status", "down", "check", "exit", "restart"] {
        let args = ["-w0", command, "s", "closed", "status", "ok"];
        let answer = world.same(command, |client| {
            let path = if client == Client::Ours { &*ours } else { Path::new(SV) };
            let mut nobody = world.dir.command("setpriv");
            nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(path).args(args);
            nobody.env("SVDIR", world.dir.path(""));
            nobody
        });
        assert!(answer.contains("access denied"), "{answer}");
    }
}
