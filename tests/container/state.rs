//! Service directories that cannot be written to: where svscan keeps their
//! state, and how every program finds it without being told.

use crate::support::container::{Container, Plan, Who, both};
use crate::support::{Changes, Dir, Service, deadline, readable};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

const SAID: &str = "service directories cannot be written to, state is in ";

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
    let code = |tool: &str, args: &[&str]| container.start(tool, args).finish().code;
    let scan = format!("./{name}");
    let name = scan.as_str();
    assert_eq!(code("svwait", &["-t", "9000", "-u", name]), 0);
    let line = status(container, name);
    assert!(line.starts_with(&format!("{name}: up (pid {pid}) ")), "{line}");
    assert_eq!(code("svok", &[name]), 0);
    let done = container.start("sv", ["status", name]).finish();
    assert!(done.out().starts_with(&format!("run: {name}: (pid {pid}) ")), "{done:?}");
    // What is told is heard, and waited for.
    assert_eq!(code("svc", &["-t", name]), 0);
    up(service);
    assert_eq!(code("svc", &["-d", name]), 0);
    assert_eq!(code("svwait", &["-t", "9000", "-d", name]), 0);
    assert!(status(container, name).starts_with(&format!("{name}: down ")));
    // Nobody else becomes its supervise.
    let done = container.start("supervise", [name]).finish();
    assert_eq!(done.code, 111);
    assert!(done.err().contains("supervise/lock: temporary failure"), "{done:?}");
    assert_eq!(code("sv", &["-w", "9", "start", name]), 0);
    up(service)
}

/// What the variable says is meant for who could do so.
#[test]
fn a_place_that_was_meant_for_somebody_else_is_none() {
    both(|who| {
        if who == Who::Root {
            return;
        }
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/s", "");
        let plan = plan(&dir, who).setup("mkdir -m 555 /run/roots");
        let container = plan.environment(&["SUPERVISEDIR=/run/roots"]).start("svscan", ["scan"]);
        let pid = service.up();
        is_found(&container, "scan/s", &mut service, pid);
        let expected = "svscan: warning: unable to keep state in SUPERVISEDIR, doing without: \
                        /run/roots: access denied\n";
        assert_eq!(ends(container), expected);
    });
}

/// A supervise that somebody starts by hand lives there too, and stays there
/// when it is executed anew.
#[test]
fn a_supervise_by_hand_goes_where_svscan_would() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "s", "");
        let plan = plan(&dir, who).setup("mkdir -m 700 /run/upkeep");
        let container = plan.read_only(dir.path("s")).start("supervise", ["s"]);
        let pid = up(&mut service);
        let code = |tool: &str, args: &[&str]| container.start(tool, args).finish().code;
        assert_eq!(code("svwait", &["-t", "9000", "-u", "s"]), 0);
        assert_eq!(entries(container.path("/run/upkeep")), [colons(&service.path)]);
        assert_eq!(code("svc", &["-e", "s"]), 0);
        assert_eq!(code("svc", &["-t", "s"]), 0);
        assert_ne!(up(&mut service), pid);
        assert_eq!(code("svc", &["-dx", "s"]), 0);
        let done = container.process.finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""));
    });
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

/// The place that is to be had is found by whoever looks.
#[test]
fn the_first_place_that_is_to_be_had_is_taken() {
    both(|who| {
        let uid = if who == Who::Root { 0 } else { 65534 };
        for place in ["/run/upkeep", "/dev/shm/upkeep-U", "/tmp/upkeep-U"] {
            let dir = Dir::new();
            let mut service = Service::new(&dir, "scan/s", "");
            let plan = Plan::new(&dir, who).in_made_root();
            let (run, shm) = (plan.inside("/run"), plan.inside("/dev/shm"));
            fs::create_dir(&run).unwrap();
            let mut plan = plan.read_only(dir.path("scan"));
            let inside = plan.inside(dir.path("scan"));
            plan = plan.read_only(inside);
            plan = if place.starts_with("/run") { plan.tmpfs(run, "1m") } else { plan.hide(run) };
            plan = if place.starts_with("/dev") { plan.tmpfs(shm, "1m") } else { plan.hide(shm) };
            let container = plan.start("svscan", ["scan"]);
            let pid = up(&mut service);
            let path = place.replace('U', &uid.to_string());
            is_found(&container, "scan/s", &mut service, pid);
            let root = container.path(&path);
            assert_eq!(entries(root.clone()), [identity(&dir.path("scan"))]);
            let place = container.path(place_in(&path, &dir));
            assert_eq!(entries(place), [colons(&service.path)]);
            assert_eq!(entries(service.path.clone()), ["run"]);
            let mode = fs::metadata(&root).unwrap().permissions().mode();
            let expected = if path == "/run/upkeep" && uid == 0 { 0o755 } else { 0o700 };
            assert_eq!(mode & 0o7777, expected);
            assert_eq!(ends(container), said_of(&path, &dir));
        }
    });
}

/// A directory that belongs to whoever runs it is written to as ever, and
/// nothing is made elsewhere.
#[test]
fn what_can_be_written_to_is() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/s", "");
        let plan = plan(&dir, who);
        let container = plan.start("svscan", ["scan"]);
        let pid = up(&mut service);
        is_found(&container, "scan/s", &mut service, pid);
        assert_eq!(entries(service.path.clone()), ["run", "supervise"]);
        assert!(!container.path("/run/upkeep").exists());
        assert_eq!(entries(container.path("/dev/shm")), [""; 0]);
        assert_eq!(ends(container), "");
    });
}

/// Whoever may not write to it without any mount in the way.
#[test]
fn directories_of_somebody_else_are_not_written_to() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/s", "");
        // For root, that nobody may write does not count.
        let mode = format!("chmod 555 {0}/scan/s {0}/scan", dir.path("").display());
        let plan = plan(&dir, who).setup(&mode);
        let container = plan.start("svscan", ["scan"]);
        let pid = up(&mut service);
        let is_elsewhere = who == Who::Nobody;
        assert_eq!(container.path("/run/upkeep").is_dir(), is_elsewhere);
        is_found(&container, "scan/s", &mut service, pid);
        let said = if is_elsewhere { said_of("/run/upkeep", &dir) } else { String::new() };
        assert_eq!(ends(container), said);
    });
}

/// What an image has left of a supervise that another user ran is in nobody's
/// way.
#[test]
fn a_supervise_that_may_not_be_looked_into_is_none() {
    both(|who| {
        if who == Who::Root {
            return;
        }
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/s", "");
        let make = format!("mkdir -m 0 {}/supervise", service.path.display());
        let container = plan(&dir, who).setup(&make).start("svscan", ["scan"]);
        let pid = up(&mut service);
        is_found(&container, "scan/s", &mut service, pid);
        assert_eq!(ends(container), said_of("/run/upkeep", &dir));
    });
}

/// Who may not look is told so, and not that there is nothing.
#[test]
fn what_may_not_be_looked_into_is_said_to_whoever_asks() {
    both(|who| {
        if who == Who::Root {
            return;
        }
        let dir = Dir::new();
        dir.script("s/run", "");
        let make =
            format!("mkdir -m 0 {}/supervise; mkdir -m 700 /run/upkeep", dir.path("s").display());
        let container = plan(&dir, who).setup(&make).start("sleep", ["1000"]);
        for (tool, said) in [
            ("svstat", "s: unable to open supervise/ok: access denied\n"),
            ("svok", "svok: fatal: unable to open s/supervise/ok: access denied\n"),
        ] {
            let done = container.start(tool, ["s"]).finish();
            assert_eq!(done.out() + &done.err(), said);
        }
    });
}

/// Nobody is followed who has put something in the way, and nobody denied.
#[test]
fn a_stranger_is_passed_over_and_named() {
    both(|who| {
        let uid = if who == Who::Root { 0 } else { 65534 };
        for (squat, why) in [
            ("ln -s /root /run/upkeep", "it is a link"),
            ("mkfifo /run/upkeep", "not a directory"),
            ("mkdir -m 777 /run/upkeep", "others can write to it"),
            ("mkdir /run/upkeep; chown 1000 /run/upkeep", "it belongs to another user"),
            ("chmod 777 /run; mkdir -m 700 /run/upkeep", "others can remove or rename it"),
        ] {
            if uid != 0 && squat.contains("chown") {
                continue;
            }
            let dir = Dir::new();
            let mut service = Service::new(&dir, "scan/s", "");
            let plan = plan(&dir, who);
            let plan = plan.setup(squat).read_only(dir.path("scan"));
            let container = plan.start("svscan", ["scan"]);
            let pid = up(&mut service);
            // Of the two, the programs see the one that is believed.
            assert_eq!(container.start("svwait", ["-t", "9000", "-u", "scan/s"]).finish().code, 0);
            let line = status(&container, "scan/s");
            assert!(line.starts_with(&format!("scan/s: up (pid {pid}) ")), "{line}");
            let said = said_of(&format!("/dev/shm/upkeep-{uid}"), &dir);
            let expected = format!("svscan: warning: unable to use /run/upkeep: {why}\n{said}");
            assert_eq!(ends(container), expected, "{squat}");
        }
    });
}

/// What looks like a living supervise is one only where it is believed.
#[test]
fn a_strangers_state_is_not_believed() {
    both(|who| {
        if who == Who::Nobody {
            // He cannot make anything a stranger's.
            return;
        }
        for (make, lives) in [
            ("chmod 700 $root", true),
            ("chmod 755 $root", true),
            ("chmod 775 $root", false),
            ("chown 1000 $root", false),
            ("mv $root /run/real; ln -s /run/real $root", false),
            ("chmod 777 /run", false),
            ("chown 1000 /run", false),
        ] {
            let dir = Dir::new();
            let service = dir.script("s/run", "").parent().unwrap().to_owned();
            let state = format!("$root/{}", colons(&service));
            let setup = format!(
                "root=/run/upkeep; mkdir -p {state}; mkfifo {state}/ok; {make}; exec 8<>{state}/ok"
            );
            let plan = plan(&dir, who).setup(&setup);
            let container = plan.start("sleep", ["1000"]);
            let code = container.start("svok", ["s"]).finish().code;
            assert_eq!(code, if lives { 0 } else { 100 }, "{make}");
        }
    });
}

/// The owner of a service decides where its state is, and of no other.
#[test]
fn an_owner_is_believed_of_his_own_services() {
    both(|who| {
        if who == Who::Nobody {
            return;
        }
        let dir = Dir::new();
        let names = ["his", "roots"];
        let mut setup = String::from("root=/tmpx; mkdir -p /dev/shm/upkeep-1000\n");
        for name in names {
            let service = dir.script(format!("{name}/run"), "").parent().unwrap().to_owned();
            let state = format!("/dev/shm/upkeep-1000/{}", colons(&service));
            setup += &format!("mkdir {state}; mkfifo {state}/ok; chown -R 1000 {state}\n");
        }
        setup += "chown 1000 /dev/shm/upkeep-1000\n";
        for (fd, name) in [(7, names[0]), (8, names[1])] {
            let state = format!("/dev/shm/upkeep-1000/{}", colons(&dir.path(name)));
            setup += &format!("exec {fd}<>{state}/ok\n");
        }
        setup += &format!("chown 1000 {}\n", dir.path("his").display());
        let plan = plan(&dir, who).setup(&setup.replace("root=/tmpx; ", ""));
        let container = plan.start("sleep", ["1000"]);
        let code = |name: &str| container.start("svok", [name]).finish().code;
        assert_eq!((code("his"), code("roots")), (0, 100));
        // Also by one program that has seen where his are.
        let done = container.start("svstat", names).finish();
        let expected = "his: unable to open supervise/status: file does not exist\n\
                        roots: unable to open supervise/ok: file does not exist\n";
        assert_eq!(done.out(), expected);
    });
}

/// With `--state` nothing is written to the service directory, and a link tells
/// where to look.
#[test]
fn a_place_that_is_told_is_announced() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/s", "");
        let plan = plan(&dir, who);
        let container = plan.start("svscan", ["--state", "here", "scan"]);
        let pid = up(&mut service);
        is_found(&container, "scan/s", &mut service, pid);
        assert_eq!(entries(service.path.clone()), ["run"]);
        assert_eq!(entries(dir.path("here")), [colons(&service.path)]);
        let [scan, here] = ["scan", "here"].map(|name| identity(&dir.path(name)));
        let pointer = format!(":{scan}-{here}");
        assert_eq!(entries(container.path("/run/upkeep")), std::slice::from_ref(&pointer));
        let target = fs::read_link(container.path("/run/upkeep").join(pointer)).unwrap();
        assert_eq!(target, dir.path("here"));
        // It goes when there is nothing left to be found.
        let root = fs::File::open(container.path("/run/upkeep")).unwrap();
        let root = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&root));
        assert_eq!(ends(container), "");
        assert_eq!(entries(PathBuf::from(root)), [""; 0]);
    });
}

#[test]
fn a_place_that_others_could_change_is_refused() {
    both(|who| {
        let dir = Dir::new();
        dir.mkdir("scan");
        for (make, named, said) in [
            (
                "mkdir -m 777 place",
                "place",
                "others can write to it; name a directory in it, to be made",
            ),
            ("ln -s scan place", "place", "it is a link"),
            (":>place", "place", "not a directory"),
            (":", "no/place", "file does not exist"),
            ("mkdir -m 777 place", "place/in", "others can remove or rename it"),
        ] {
            // Whoever is not root has meant it.
            if who == Who::Nobody && named == "place/in" {
                continue;
            }
            let here = dir.path("");
            let setup = format!("cd {}; rm -rf place; {make}", here.display());
            let plan = plan(&dir, who).setup(&setup);
            let mut command = plan.command("svscan", ["-S", named, "scan"]);
            let done = crate::support::Process::start(&mut command).finish();
            let path = here.join(named);
            let expected =
                format!("svscan: fatal: unable to keep state in {}: {said}\n", path.display());
            assert_eq!((done.code, done.err()), (111, expected), "{make}");
            assert!(!dir.path("place/in").exists());
        }
    });
}

/// The next svscan finds what the last one has left, also where it would not
/// have to go itself.
#[test]
fn what_lives_elsewhere_is_found_again() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/s", "");
        dir.script(
            "init",
            "svscan --state state scan & read go <go; kill -9 $!; wait $!
            exec svscan scan",
        );
        let go = dir.fifo("go");
        let programs = format!("PATH={}:/bin:/usr/bin", dir.path("programs").display());
        let plan = plan(&dir, who).environment(&[&programs]);
        let container = plan.start("./init", [""; 0]);
        let pid = up(&mut service);
        go.say("go");
        let mut container = container;
        let said = container.process.complains("keep their state in");
        assert!(said.contains(dir.path("state").to_str().unwrap()), "{said}");
        is_found(&container, "scan/s", &mut service, pid);
        assert_eq!(entries(service.path.clone()), ["run"]);
        ends(container);
    });
}

/// Executed anew, svscan keeps to the place that it has.
#[test]
fn the_place_stays_when_svscan_is_executed_anew() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/s", "");
        let plan = plan(&dir, who).read_only(dir.path("scan"));
        let container = plan.start("svscan", ["scan"]);
        let pid = up(&mut service);
        is_found(&container, "scan/s", &mut service, pid);
        let environ = || fs::read(format!("/proc/{}/environ", container.pid())).unwrap();
        let holds = |environ: Vec<u8>| {
            let entry = format!("SUPERVISEDIR={}", place_in("/run/upkeep", &dir));
            environ.split(|&b| b == 0).any(|other| other == entry.as_bytes())
        };
        assert!(!holds(environ()));
        container.signal(Signal::USR1);
        // Of two that come after the signal, the second is seen by the new one.
        for name in ["b", "c"] {
            let mut later = Service::new(&dir, name, "");
            for path in [&later.path, later.said.path(), &dir.path(format!("{name}.hold"))] {
                who.owns(path);
            }
            fs::rename(&later.path, dir.path("scan").join(name)).unwrap();
            up(&mut later);
        }
        assert!(holds(environ()));
        let line = status(&container, "scan/s");
        assert!(line.starts_with("scan/s: up (pid "), "{line}");
        assert_eq!(ends(container), said_of("/run/upkeep", &dir));
    });
}

/// Where nothing can be written to at all, that is one line, and svscan goes
/// on.
#[test]
fn no_place_at_all_is_said() {
    both(|who| {
        let dir = Dir::new();
        dir.mkdir("scan");
        let plan = Plan::new(&dir, who).in_made_root();
        let inside = ["/", "/dev/shm"].map(|path| plan.inside(path));
        let scan = plan.inside(dir.path("scan"));
        let [root, shm] = inside;
        let plan = plan.hide(shm).read_only(root).read_only(scan);
        let mut container = plan.start("svscan", ["scan"]);
        container.process.complains("there is no other place; use --state: ");
        // And nothing else.
        assert_eq!(ends(container), "");
    });
}

/// A record is a page there, so that so many services have room, and the others
/// run without a record of their own.
#[test]
fn a_state_of_64_kilobytes_is_enough_for_a_small_tree() {
    both(|who| {
        let dir = Dir::new();
        let mut all: Vec<_> = ["a", "b", "c", "d", "e"]
            .map(|name| {
                let log = dir.path(format!("{name}.log"));
                let more = format!("echo {name} begins");
                let service = Service::new(&dir, &format!("scan/{name}"), &more);
                let run = format!("exec multilog t {}", log.display());
                dir.script(format!("scan/{name}/log/run"), &run);
                service
            })
            .into();
        let programs = format!("PATH={}:/bin:/usr/bin", dir.path("programs").display());
        let plan = plan(&dir, who).tmpfs("/run", "64k").read_only(dir.path("scan"));
        let container = plan.environment(&[&programs]).start("svscan", ["scan"]);
        for service in &mut all {
            up(service);
        }
        for (name, service) in ["./scan/a", "./scan/e"].iter().zip([0, 4]) {
            let code = |tool: &str, args: &[&str]| container.start(tool, args).finish().code;
            assert_eq!(code("svwait", &["-t", "9000", "-u", name]), 0);
            assert_eq!(code("svc", &["-t", name]), 0);
            up(&mut all[service]);
        }
        assert_eq!(ends(container), said_of("/run/upkeep", &dir));
        for name in ["a", "b", "c", "d", "e"] {
            let log = fs::read_to_string(dir.path(format!("{name}.log/current"))).unwrap();
            assert!(log.lines().all(|line| line.ends_with(&format!("{name} begins"))), "{log}");
            assert_eq!(log.lines().count(), if ["a", "e"].contains(&name) { 2 } else { 1 });
        }
    });
}

/// Past that, svscan and the services go on, and what is missing is said.
#[test]
fn a_state_that_is_full_stops_nobody() {
    both(|who| {
        let dir = Dir::new();
        let names: Vec<String> = (0..12).map(|n| format!("s{n}")).collect();
        let mut all: Vec<_> =
            names.iter().map(|name| Service::new(&dir, &format!("scan/{name}"), "")).collect();
        let plan = plan(&dir, who).tmpfs("/run", "32k").read_only(dir.path("scan"));
        let container = plan.start("svscan", ["scan"]);
        for service in &mut all {
            up(service);
        }
        let said = ends(container);
        assert!(said.contains("supervise/status"), "{said}");
        assert!(said.lines().skip(1).all(|line| line.contains("out of disk space")), "{said}");
    });
}

/// No /proc, no /dev/shm, no /etc, no /tmp that can be written to, a user
/// without a name, and no environment: a supervise that is killed is followed
/// by one that goes on with its service.
#[test]
fn what_is_missing_is_done_without() {
    both(|who| {
        let dir = Dir::new();
        let trap = "trap 'echo heard >$said' ALRM";
        let mut service = Service::new(&dir, "scan/s", trap);
        let plan = Plan::new(&dir, who).in_made_root();
        let inside = ["/", "/proc", "/dev/shm", "/run"].map(|path| plan.inside(path));
        let scan = plan.inside(dir.path("scan"));
        let [root, proc, shm, run] = inside;
        fs::create_dir(&run).unwrap();
        let plan = plan.hide(proc).hide(shm).read_only(root).read_only(scan).tmpfs(run, "64k");
        let container = plan.environment(&[]).start("svscan", ["scan"]);
        let pid = up(&mut service);
        let pid = is_found(&container, "scan/s", &mut service, pid);
        let pids = |name: &str| -> Vec<i32> {
            let all = container.processes().into_iter();
            all.filter(|(_, is)| is == name).map(|(pid, _)| pid).collect()
        };
        let [supervise] = pids("supervise")[..] else { panic!("{:?}", container.processes()) };
        let supervise = Pid::from_raw(supervise).unwrap();
        let place = container.path(place_in("/run/upkeep", &dir));
        let state = place.join(colons(&service.path));
        let openings = Changes::openings(&state);
        let held = pidfd_open(supervise, PidfdFlags::empty()).unwrap();
        kill_process(supervise, Signal::KILL).unwrap();
        assert!(readable(&held, deadline()));
        let lives = || {
            let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
            rustix::fs::open(state.join("ok"), flags, Mode::empty()).ok().map(drop)
        };
        openings.until("the next supervise", lives);
        // The next one knows the service, which has lost nothing by it.
        assert_eq!(container.start("svc", ["-a", "scan/s"]).finish().code, 0);
        assert_eq!(service.said.line(), "heard");
        assert_eq!(container.start("svwait", ["-t", "9000", "-u", "scan/s"]).finish().code, 0);
        let line = status(&container, "scan/s");
        assert!(line.starts_with(&format!("scan/s: up (pid {pid}) ")), "{line}");
        assert_ne!(pids("supervise"), [supervise.as_raw_pid()]);
        let expected = said_of("/run/upkeep", &dir);
        assert_eq!(ends(container), expected);
    });
}

/// What services tell each other, and a logger that is a file, are there too.
#[test]
fn order_and_loggers_need_no_service_directory() {
    both(|who| {
        let dir = Dir::new();
        let mut first = Service::new(&dir, "scan/a", "");
        let mut second = Service::new(&dir, "scan/b", "echo line");
        dir.file("scan/b/needs/a", "");
        dir.file("scan/a/down", "");
        dir.script("scan/b/log", &format!("exec cat >{}", dir.path("log").display()));
        let plan = plan(&dir, who).read_only(dir.path("scan"));
        let container = plan.start("svscan", ["scan"]);
        up(&mut first);
        let pid = up(&mut second);
        let code = |tool: &str, args: &[&str]| container.start(tool, args).finish().code;
        assert_eq!(code("svwait", &["-t", "9000", "-u", "scan/a", "scan/b", "scan/b/log"]), 0);
        let done = container.start("svstat", ["scan/b"]).finish();
        let lines: Vec<_> = done.out().lines().map(str::to_owned).collect();
        assert!(lines[0].starts_with(&format!("scan/b: up (pid {pid}) ")), "{done:?}");
        assert!(lines[1].starts_with("scan/b log: up (pid "), "{done:?}");
        // The one that is needed goes last, and takes the other along.
        assert_eq!(code("svc", &["-d", "scan/a"]), 0);
        assert_eq!(code("svwait", &["-t", "9000", "-d", "scan/a", "scan/b"]), 0);
        assert_eq!(code("svc", &["-dx", "scan/b/log"]), 0);
        assert_eq!(ends(container), said_of("/run/upkeep", &dir));
        assert_eq!(fs::read_to_string(dir.path("log")).unwrap(), "line\n");
    });
}

/// Without /proc the kernel has no name of a program that was called by a
/// relative one; where it began tells, and tells again when it is executed anew.
#[test]
fn the_other_programs_are_found_without_proc() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/s", "");
        let plan = plan(&dir, who).hide("/proc").environment(&[]);
        let begin = "cd programs && exec ./svscan ../scan";
        let container = plan.start("/bin/sh", ["-c", begin]);
        service.up();
        container.signal(Signal::USR1);
        for name in ["b", "c"] {
            let mut later = Service::new(&dir, name, "");
            for path in [&later.path, later.said.path(), &dir.path(format!("{name}.hold"))] {
                who.owns(path);
            }
            fs::rename(&later.path, dir.path("scan").join(name)).unwrap();
            up(&mut later);
        }
        // It would have said that it could not be.
        assert_eq!(ends(container), "");
    });
}

/// A volume that everybody may write to, as engines make them, will do for
/// whoever is not root.
#[test]
fn a_volume_for_everybody_has_room_for_a_place() {
    both(|who| {
        if who == Who::Root {
            return;
        }
        let dir = Dir::new();
        let mut service = Service::new(&dir, "scan/s", "");
        let plan = plan(&dir, who).setup("mkdir -m 777 /run/volume").read_only(dir.path("scan"));
        let container = plan.start("svscan", ["-S", "/run/volume/state/", "scan"]);
        let pid = up(&mut service);
        is_found(&container, "scan/s", &mut service, pid);
        assert_eq!(entries(container.path("/run/volume/state")), [colons(&service.path)]);
        assert_eq!(ends(container), "");
    });
}

/// Two containers that share what is in memory, with other directories by the
/// same path, as those of a pod do, have nothing to do with each other.
#[test]
fn containers_that_share_their_memory_stay_apart() {
    both(|who| {
        let dir = Dir::new();
        let shared = dir.mkdir("shared");
        // Nobody else can put something into it.
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o1777)).unwrap();
        let sides = ["a", "b"].map(|side| {
            let service = Service::new(&dir, &format!("{side}/s"), "");
            let scan = service.path.parent().unwrap().to_owned();
            (service, scan)
        });
        dir.mkdir("scan");
        let bind =
            |from: &Path, to: &Path| format!("mount --bind {} {}", from.display(), to.display());
        let [(mut first, first_scan), (mut second, second_scan)] = sides;
        let start = |scan: &Path| {
            Plan::new(&dir, who)
                .setup(&bind(&shared, Path::new("/run")))
                .setup(&bind(scan, &dir.path("scan")))
                .read_only(dir.path("scan"))
                .start("svscan", ["scan"])
        };
        let one = start(&first_scan);
        let pid = up(&mut first);
        assert_eq!(one.start("svwait", ["-t", "9000", "-u", "scan/s"]).finish().code, 0);
        let other = start(&second_scan);
        up(&mut second);
        assert_eq!(other.start("svwait", ["-t", "9000", "-u", "scan/s"]).finish().code, 0);
        // Each program means its own.
        let before = status(&one, "scan/s");
        assert_eq!(other.start("svc", ["-t", "scan/s"]).finish().code, 0);
        up(&mut second);
        ends(other);
        let line = status(&one, "scan/s");
        let begins = format!("scan/s: up (pid {pid}) ");
        assert!(before.starts_with(&begins) && line.starts_with(&begins), "{before} {line}");
        ends(one);
    });
}

/// Where they are told the same place, the second one's services cannot be, and
/// say so; nothing of the first is touched.
#[test]
fn a_shared_place_belongs_to_whoever_was_there_first() {
    both(|who| {
        let dir = Dir::new();
        dir.mkdir("state");
        let mut first = Service::new(&dir, "a/s", "");
        dir.script("b/s/run", "exec sleep 1000");
        dir.mkdir("scan");
        let start = |scan: &str| {
            let (scan, to) = (dir.path(scan), dir.path("scan"));
            plan(&dir, who)
                .setup(&format!("mount --bind {} {}", scan.display(), to.display()))
                .start("svscan", ["-S", "state", "scan"])
        };
        let one = start("a");
        let pid = up(&mut first);
        assert_eq!(one.start("svwait", ["-t", "9000", "-u", "scan/s"]).finish().code, 0);
        let mut other = start("b");
        other.process.complains("another directory with this path has its state there");
        assert_eq!(other.start("svok", ["scan/s"]).finish().code, 100);
        let done = other.start("svc", ["-d", "scan/s"]).finish();
        assert!(done.err().starts_with("svc: warning: unable to "), "{done:?}");
        ends(other);
        let line = status(&one, "scan/s");
        assert!(line.starts_with(&format!("scan/s: up (pid {pid}) ")), "{line}");
        ends(one);
    });
}

/// A directory that takes the place of one that has gone begins anew.
#[test]
fn what_another_directory_has_left_is_not_gone_on_with() {
    both(|who| {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "s", "");
        dir.script(
            "init",
            "supervise s & read go <go; kill -9 $!; wait $!
            mv s old; cp -R old s; exec supervise s",
        );
        let go = dir.fifo("go");
        let programs = format!("PATH={}:/bin:/usr/bin", dir.path("programs").display());
        let place = format!("SUPERVISEDIR={}", dir.mkdir("state").display());
        let plan = plan(&dir, who).environment(&[&programs, &place]);
        let _container = plan.start("./init", [""; 0]);
        let pid = up(&mut service);
        let state = dir.path("state").join(colons(&service.path));
        let owner = || fs::read_link(state.join("owner")).unwrap();
        assert_eq!(owner().to_str().unwrap(), identity(&service.path));
        go.say("go");
        assert_ne!(up(&mut service), pid);
        assert_eq!(owner().to_str().unwrap(), identity(&service.path));
    });
}

/// A svscan that is told another place goes where its services live.
#[test]
fn no_service_runs_twice_in_two_places() {
    both(|who| {
        for (begin, next) in [
            ("svscan -S one scan", "svscan -S two scan"),
            ("svscan -S one scan", "env SUPERVISEDIR=$PWD/three svscan scan"),
        ] {
            let dir = Dir::new();
            dir.mkdir("three");
            let mut service = Service::new(&dir, "scan/s", "");
            let script = format!("{begin} & read go <go; kill -9 $!; wait $!; exec {next}");
            dir.script("init", &script);
            let go = dir.fifo("go");
            let programs = format!("PATH={}:/bin:/usr/bin", dir.path("programs").display());
            let plan = plan(&dir, who).environment(&[&programs]);
            let mut container = plan.start("./init", [""; 0]);
            let pid = up(&mut service);
            assert_eq!(container.start("svwait", ["-t", "9000", "-u", "scan/s"]).finish().code, 0);
            go.say("go");
            let said = container.process.complains("services that run keep their state in");
            assert!(said.contains(&format!("{}, not going to", dir.path("one").display())));
            is_found(&container, "scan/s", &mut service, pid);
            // Its link is this one's now.
            let root = fs::File::open(container.path("/run/upkeep")).unwrap();
            let root = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&root));
            ends(container);
            assert_eq!(entries(PathBuf::from(root)), [""; 0]);
        }
    });
}

/// Two containers that have the same directory, read-only, and nothing else in
/// common, show what their own services write.
#[test]
fn who_shows_the_output_of_one_container_is_not_in_the_way_of_another() {
    both(|who| {
        let dir = Dir::new();
        dir.script("scan/s/run", "echo line; exec sleep 1000");
        let start = || plan(&dir, who).read_only(dir.path("scan")).start("svscan", ["-n", "scan"]);
        let mut one = start();
        one.process.prints("s: line");
        let mut other = start();
        other.process.prints("s: line");
        ends(one);
        ends(other);
    });
}

/// What has a colon in its name is not taken for what is below it, and a path
/// may be longer than a name.
#[test]
fn every_path_has_a_state_of_its_own() {
    both(|who| {
        let dir = Dir::new();
        let long = "n".repeat(200);
        let names = ["web", "web:log", &long];
        let mut all = names.map(|name| Service::new(&dir, &format!("{long}/{name}"), "echo line"));
        let log = format!("exec cat >{}", dir.path("log").display());
        dir.script(format!("{long}/web:log/log/run"), &log);
        dir.script(format!("{long}/web/log/run"), "exec cat >/dev/null");
        let plan = plan(&dir, who).read_only(dir.path(&long));
        let container = plan.start("svscan", [&long]);
        for (service, name) in all.iter_mut().zip(names) {
            let pid = up(service);
            is_found(&container, &format!("{long}/{name}"), service, pid);
        }
        let said = ends(container);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(fs::read_to_string(dir.path("log")).unwrap().starts_with("line\n"));
    });
}
