//! Readiness by a socket or a check, with its time-out; the watchdog; checks
//! that fail.

use crate::adopt::{kill, supervise_of, supervised_by_another};
use crate::s6::namespace::permitted;
use crate::support::{
    Changes, Dir, Process, Service, ours, program, supervised, testing_originals,
};
use std::fs;
use std::path::Path;

/// A service that does what it reads from the FIFO `go`, a line of shell at a
/// time, and says `did` after each. `say` is svnotify.
fn told(dir: &Dir, name: &str, files: &[(&str, &str)]) -> Service {
    let said = dir.fifo(format!("{name}.said"));
    let go = dir.fifo(format!("{name}.go"));
    let script = format!(
        "said={}\nexec 9<>{}\nsay() {{ {}/svnotify \"$@\"; }}\nrm -f sick\necho up $$ >$said\n\
         while read line <&9; do eval \"$line\"; echo did >$said; done",
        said.path().display(),
        go.path().display(),
        ours().display(),
    );
    dir.script(format!("{name}/run"), &script);
    for (file, content) in files {
        fs::write(dir.path(name).join(file), content).unwrap();
    }
    Service { path: dir.path(name), said }
}

/// Has the service do this.
fn tell(service: &Service, line: &str) {
    let go = service.path.with_extension("go");
    fs::write(go, format!("{line}\n")).unwrap();
}

/// Has the service do this, and waits until it has.
fn has(service: &mut Service, line: &str) {
    tell(service, line);
    assert_eq!(service.said.line(), "did", "{line}");
}

fn record(service: &Service) -> Vec<u8> {
    fs::read(service.path.join("supervise/status")).unwrap()
}

/// Whether it is ready, and whether it is still to say so, as on record.
fn ready(service: &Service) -> (bool, bool) {
    let record = record(service);
    (record[96..108] != [0; 12], record[69] & 8 != 0)
}

fn until_ready(service: &Service) {
    service.until("ready", |_| ready(service) == (true, false));
}

/// What the last process was ended for.
fn fault(service: &Service) -> u8 {
    record(service)[108] >> 4 & 7
}

fn said_file(service: &Service) -> String {
    fs::read_to_string(service.path.join("supervise/said")).unwrap_or_default()
}

const UP: &str = "up (pid N) N seconds";
const NOT_READY: &str = "up (pid N) N seconds, not ready";

#[test]
fn what_it_says_on_the_socket() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = told(&dir, "s", &[("ready-by", "notify\n")]);
    let supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    for _ in 0..2 {
        assert_eq!(service.svstat(&dir), NOT_READY);
        has(&mut service, "say 'STATUS=on the way'");
        assert_eq!(said_file(&service), "STATUS=on the way\n");
        has(&mut service, "say ready STATUS=there ERRNO=2");
        until_ready(&service);
        assert_eq!(service.svstat(&dir), UP);
        assert_eq!(said_file(&service), "STATUS=there\nERRNO=2\n");
        has(&mut service, "say reloading");
        assert_eq!(ready(&service), (false, true));
        has(&mut service, "say ready");
        until_ready(&service);
        has(&mut service, "say stopping");
        assert_eq!(service.svstat(&dir), NOT_READY);
        // What cannot be read changes nothing.
        has(&mut service, "say =; say X=1; say READY=0; say MAINPID=me");
        assert_eq!(service.svstat(&dir), NOT_READY);
        // The next process has to say it again.
        service.svc(&dir, "-k");
        service.up();
        assert_eq!(said_file(&service), "");
    }
    has(&mut service, "say STATUS=last");
    service.svc(&dir, "-d");
    service.until("the end", |seen| seen.pid == 0);
    assert_eq!(said_file(&service), "");
    service.svc(&dir, "-x");
    assert_eq!(supervise.finish().code, 0);
}

#[test]
fn a_stranger_is_not_heard() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = told(&dir, "s", &[("ready-by", "notify")]);
    let mut supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    let socket = fs::read_to_string(service.path.join("supervise/notify-socket")).unwrap();
    let mut stranger = dir.tool("svnotify", ["ready"]);
    stranger.env("NOTIFY_SOCKET", socket.trim_end());
    // It was read, and not believed.
    assert_eq!(Process::start(&mut stranger).finish().code, 0);
    supervise.complains("refusing a message for ");
    assert_eq!(service.svstat(&dir), NOT_READY);
    // Whatever the service has started is the service.
    has(&mut service, "(say ready)");
    until_ready(&service);
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

/// One whose session was begun outside of this pid name space, as with what
/// `docker exec` starts: the kernel says that it is 0.
#[test]
fn a_stranger_of_no_session_is_not_heard() {
    if !permitted() {
        return;
    }
    let dir = Dir::new();
    let mut service = told(&dir, "s", &[("ready-by", "notify")]);
    let script = format!(
        "{} s & supervise=$!; read go <go
        NOTIFY_SOCKET=$(cat s/supervise/notify-socket) {} ready; wait $supervise",
        program("supervise").display(),
        ours().join("svnotify").display()
    );
    let go = dir.fifo("go");
    let mut command = dir.command("unshare");
    command.args(["--pid", "--fork", "--mount-proc", "sh", "-c", &script]);
    let mut supervise = Process::start(&mut command);
    service.up();
    supervised(&service.path);
    go.say("on");
    supervise.complains("refusing a message for ");
    assert_eq!(ready(&service), (false, true));
    has(&mut service, "(say ready)");
    until_ready(&service);
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

#[test]
fn without_a_socket_nothing_can_be_said() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = told(&dir, "s", &[]);
    let supervise = service.supervise(&dir);
    service.up();
    has(&mut service, "say ready 2>words; [ $? = 111 ]");
    let words = fs::read_to_string(service.path.join("words")).unwrap();
    assert_eq!(words, "svnotify: fatal: unable to say anything: NOTIFY_SOCKET is not set\n");
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
    for arguments in [vec![], vec!["soon"], vec!["ready", ""]] {
        assert_eq!(dir.run("svnotify", arguments).code, 100);
    }
    let mut deaf = dir.tool("svnotify", ["ready"]);
    deaf.env("NOTIFY_SOCKET", "@upkeep-nobody-has-this");
    let done = Process::start(&mut deaf).finish();
    assert_eq!(done.code, 111);
    assert!(
        done.err().ends_with("@upkeep-nobody-has-this: connection refused\n"),
        "{}",
        done.err()
    );
}

/// Files, a check, what is said to the service, and what it is ended for: by
/// number, in the message and in svstat's words.
type Case =
    (&'static [(&'static str, &'static str)], &'static str, &'static str, u8, [&'static str; 2]);

const LATE: [&str; 2] = ["it was not ready in time", "not ready in time"];
const SILENT: [&str; 2] = ["it gave no sign of life in time", "no sign of life"];
const UNHEALTHY: [&str; 2] = ["its check has failed too often", "check failed"];

/// Late, silent, unhealthy: ended for it, and started again.
#[test]
fn what_is_not_in_time_is_ended_for_it() {
    if testing_originals() {
        return;
    }
    let cases: [Case; 6] = [
        (&[("ready-by", "notify"), ("timeout-ready", "300")], "", "", 1, LATE),
        (&[("ready-by", "check"), ("timeout-ready", "300")], "false", "", 1, LATE),
        (&[("watchdog", "300")], "", "say alive", 2, SILENT),
        (&[("watchdog", "60000")], "", "say WATCHDOG=trigger", 2, SILENT),
        (&[("watchdog", "60000")], "", "say WATCHDOG_USEC=200000", 2, SILENT),
        (
            &[("check-interval", "50"), ("check-failures", "2")],
            "! [ -e sick ]",
            "touch sick",
            3,
            UNHEALTHY,
        ),
    ];
    for (files, check, say, number, [words, remark]) in cases {
        let dir = Dir::new();
        let mut service = told(&dir, "s", files);
        dir.script("s/check", check);
        fs::write(service.path.join("restart-limit"), "2 1000").unwrap();
        let mut supervise = service.supervise(&dir);
        for _ in 0..2 {
            // It may be ended before it can say that it did what it was told.
            while !service.said.line().starts_with("up ") {}
            if !say.is_empty() {
                tell(&service, say);
            }
            supervise.complains(words);
        }
        service.until("the end", |seen| seen.pid == 0 && seen.want == b'd');
        assert_eq!(fault(&service), number, "{words}");
        let expected = format!(
            "down N seconds, normally up, failed: {remark}, gave up after N deaths in N seconds"
        );
        assert_eq!(service.svstat(&dir), expected);
        service.svc(&dir, "-x");
        assert_eq!(supervise.finish().code, 0);
    }
}

#[test]
fn whoever_gives_signs_of_life_is_let_live() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let files = [("watchdog", "60000"), ("ready-by", "notify"), ("timeout-ready", "60000")];
    let mut service = told(&dir, "s", &files);
    let mut supervise = dir.tool("supervise", ["s"]);
    // What a supervise of systemd's was told is not for its services.
    supervise.env("WATCHDOG_PID", "1").env("WATCHDOG_USEC", "7");
    let supervise = Process::start(&mut supervise);
    service.up();
    tell(&service, "echo every $WATCHDOG_USEC for ${WATCHDOG_PID-anybody} >$said");
    assert_eq!(service.said.line(), "every 60000000 for anybody");
    assert_eq!(service.said.line(), "did");
    has(&mut service, "say ready alive");
    until_ready(&service);
    // Every time the next one is due a minute later; the record does not move.
    let before = record(&service);
    has(&mut service, "say alive; say alive");
    assert_eq!(record(&service), before);
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

/// With a check that succeeds after some looks.
#[test]
fn a_check_says_when_it_is_ready() {
    if testing_originals() {
        return;
    }
    for place in ["check", "data/check"] {
        let dir = Dir::new();
        let mut service = told(&dir, "s", &[("ready-by", "check")]);
        let said = service.said.path().display().to_string();
        // What it prints goes nowhere.
        let script = format!("echo noise; [ -e well ] || exit 1; echo checked >{said}; rm well");
        dir.script(format!("s/{place}"), &script);
        let supervise = service.supervise(&dir);
        service.up();
        supervised(&service.path);
        assert_eq!(service.svstat(&dir), NOT_READY);
        dir.file("s/well", "");
        assert_eq!(service.said.line(), "checked");
        until_ready(&service);
        // It is not asked again.
        assert_eq!(service.svstat(&dir), UP);
        service.svc(&dir, "-dx");
        let done = supervise.finish();
        assert_eq!((done.code, done.out().as_str()), (0, ""));
    }
}

/// One that hangs has failed, and is ended with what it has started.
#[test]
fn a_check_that_hangs_has_failed() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let files = [("check-interval", "20"), ("timeout-check", "200"), ("check-failures", "2")];
    let mut service = told(&dir, "s", &files);
    let _hold = dir.fifo("s/hold");
    dir.script("s/check", "exec 3<>hold; (read nothing <&3)& read nothing <&3");
    let mut supervise = service.supervise(&dir);
    service.up();
    supervise.complains("its check has failed too often");
    service.up();
    // One that runs when the service ends goes too.
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
    dir.nobody_is_left();
}

/// Whoever is being ended for a fault is, also by the next supervise, and it
/// counts as what it is.
#[test]
fn a_killed_supervise_forgets_no_fault() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let files = [("watchdog", "60000"), ("timeout-kill", "300")];
    let mut service = told(&dir, "scan/s", &files);
    let svscan = Process::start(&mut dir.tool("svscan", ["scan"]));
    let pid = service.up();
    supervised(&service.path);
    // It does not end of ABRT.
    has(&mut service, "trap '' ABRT");
    let first = supervise_of(&service);
    has(&mut service, "say WATCHDOG=trigger");
    service.until("the fault", |_| fault(&service) == 2);
    kill(first);
    let next = service.up();
    assert_ne!(next, pid);
    assert_eq!((fault(&service), record(&service)[70..72].to_vec()), (2, vec![2, 9]));
    svscan.signal(rustix::process::Signal::TERM);
    assert_eq!(svscan.finish().code, 0);
}

/// What it says after its supervise was killed is heard by the next one, on
/// the same socket.
#[test]
fn the_next_supervise_hears_it() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = told(&dir, "scan/s", &[("ready-by", "notify")]);
    let svscan = Process::start(&mut dir.tool("svscan", ["scan"]));
    let pid = service.up();
    supervised(&service.path);
    let first = supervise_of(&service);
    kill(first);
    supervised_by_another(&service, first);
    assert_eq!(service.svstat(&dir), NOT_READY);
    has(&mut service, "say ready STATUS=again");
    until_ready(&service);
    assert_eq!(service.seen().unwrap().pid, pid);
    assert_eq!(said_file(&service), "STATUS=again\n");
    // Executed anew, it has the same socket all the time.
    service.svc(&dir, "-e");
    has(&mut service, "say reloading");
    assert_eq!(ready(&service), (false, true));
    svscan.signal(rustix::process::Signal::TERM);
    assert_eq!(svscan.finish().code, 0);
}

/// Executed anew while the service is down, supervise keeps nothing that it
/// does not need.
#[test]
fn an_upgrade_leaves_no_descriptor_behind() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = told(&dir, "s", &[("ready-by", "notify")]);
    let supervise = service.supervise(&dir);
    let open = || fs::read_dir(format!("/proc/{}/fd", supervise.pid())).unwrap().count();
    service.up();
    let before = open();
    for _ in 0..3 {
        service.svc(&dir, "-d");
        service.until("the end", |seen| seen.pid == 0);
        service.svc(&dir, "-eu");
        service.up();
        assert_eq!(open(), before);
        has(&mut service, "say ready");
        until_ready(&service);
    }
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

/// Where there can be no socket, what does not need one is asked all the same.
#[test]
fn without_a_socket_the_descriptor_still_counts() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = told(&dir, "s", &[("notification-fd", "3"), ("watchdog", "300")]);
    dir.mkdir("s/supervise/notify-socket.new");
    let mut supervise = service.supervise(&dir);
    service.up();
    supervise.complains("/supervise/notify-socket: ");
    supervised(&service.path);
    assert_eq!(service.svstat(&dir), NOT_READY);
    has(&mut service, "echo >&3");
    until_ready(&service);
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

#[test]
fn what_is_not_known_is_reported_and_not_used() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let files = [
        ("ready-by", "magic\n"),
        ("check-failures", "0\n"),
        ("timeout-check", "1.5\n"),
        ("timeout-ready", "soon\n"),
        ("watchdog", "-1\n"),
        ("check-interval", "often\n"),
    ];
    let mut service = told(&dir, "s", &files);
    let mut supervise = service.supervise(&dir);
    service.up();
    for (file, _) in files {
        supervise.complains(&format!("s/{file}, using"));
    }
    assert_eq!(service.svstat(&dir), UP);
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

/// systemd's own tool, which waits until its message was read.
#[test]
fn systemd_notify_is_heard() {
    if testing_originals() || !installed("/usr/bin/systemd-notify") {
        return;
    }
    let dir = Dir::new();
    let mut service = told(&dir, "s", &[("ready-by", "notify")]);
    let supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    has(&mut service, "systemd-notify --status=starting");
    assert_eq!((ready(&service), said_file(&service)), ((false, true), "STATUS=starting\n".into()));
    has(&mut service, "systemd-notify --ready --status='at work'");
    assert_eq!((ready(&service), said_file(&service)), ((true, false), "STATUS=at work\n".into()));
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

/// A daemon of Debian's that speaks for itself.
#[test]
fn redis_is_heard() {
    if testing_originals() || !installed("/usr/bin/redis-server") {
        return;
    }
    let dir = Dir::new();
    let run = "echo up $$ >$said\nexec redis-server --port 0 --unixsocket ./socket --save '' \
        --supervised systemd --daemonize no";
    let mut service = Service::with_script(&dir, "s", run);
    fs::write(service.path.join("ready-by"), "notify\n").unwrap();
    let supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    until_ready(&service);
    assert!(service.path.join("socket").exists(), "ready, and serves");
    let words = "STATUS=Ready to accept connections\n";
    let changes = Changes::of(&[&service.path.join("supervise")]);
    changes.until("the status", || (said_file(&service) == words).then_some(()));
    service.svc(&dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

/// Whether a program of Debian's is there to be tested with.
fn installed(program: &str) -> bool {
    let is = Path::new(program).exists();
    let required = std::env::var_os("UPKEEP_REQUIRE_ORIGINALS").is_some();
    assert!(is || !required, "{program} is not installed");
    is
}
