//! The table, on a terminal and elsewhere.

use super::events::ends;
use crate::support::{Dir, Process, Service, Terminal, supervised, testing_originals};
use rustix::process::{Signal, WaitId, WaitIdOptions, waitid};

#[test]
fn a_table_is_as_wide_as_it_may_be() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "a-service-with-a-long-name", "");
    let _supervise = service.supervise(&dir);
    let pid = service.up();
    supervised(&service.path);
    dir.mkdir("new");
    let shown = |columns: &str| {
        let mut command = dir.tool("svstat", ["-t", "a-service-with-a-long-name", "new"]);
        let done = Process::start(command.env("COLUMNS", columns)).finish();
        assert_eq!((done.code, done.err().as_str()), (0, ""));
        done.out().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let wide = shown("200");
    assert!(wide[0].ends_with("  READY  RESTARTS  LAST EXIT  REMARKS"), "{wide:?}");
    assert!(
        wide[1].starts_with("a-service-with-a-long-name  up ")
            && wide[1].contains(&format!(" {pid}  "))
    );
    assert!(wide[2].ends_with("  unable to open supervise/ok: file does not exist"), "{wide:?}");
    for columns in ["80", "50", "20", "nonsense"] {
        let lines = shown(columns);
        let width = columns.parse().unwrap_or(80);
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| line.len() <= width), "{columns}: {lines:?}");
        assert!(lines[0].starts_with("NAME") && lines[1].contains("  up"), "{columns}: {lines:?}");
    }
}

#[test]
fn a_table_goes_on_where_there_is_no_terminal() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let _supervise = service.supervise(&dir);
    let pid = service.up();
    supervised(&service.path);
    let mut table = dir.start("svstat", ["-tf", "s"]);
    let head = table.prints("NAME");
    assert!(head.contains("SINCE") && !head.contains('\x1b'), "{head:?}");
    assert!(table.prints("s     up  ").contains(&format!(" {pid}  ")));
    service.svc(&dir, "-d");
    let down = table.prints("s     down");
    assert!(down.ends_with("  SIGTERM    normally up"), "{down:?}");
    ends(table, Signal::TERM);
}

#[test]
fn a_table_on_a_terminal_stays_true() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let _supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    let (mut terminal, slave) = Terminal::open();
    terminal.resize(80, 24);
    let mut command = dir.tool("svstat", ["-f", "s", "t"]);
    command.env("TERM", "xterm").env("NO_COLOR", "").stdout(slave.try_clone().unwrap());
    let mut child = command.spawn().unwrap();
    drop((command, slave));
    let pid = rustix::process::Pid::from_child(&child);
    let tell = |signal| rustix::process::kill_process(pid, signal).unwrap();
    const END: &str = "\x1b[J";
    let first = terminal.draws("\x1b[?1049h\x1b[?25l\x1b[H\x1b[KNAME", END);
    assert!(first.contains("READY") && first.contains("\x1b[32mup\x1b[0m"), "{first:?}");
    service.svc(&dir, "-d");
    let down = terminal.draws("s     down", END);
    assert!(down.contains("  SIGTERM") && !down.contains("1049"), "{down:?}");
    // Narrower, and too low for all.
    terminal.resize(40, 2);
    tell(Signal::WINCH);
    let small = terminal.draws("and 2 more", "more");
    let small = small.rsplit("\x1b[H").next().unwrap();
    assert!(small.contains("NAME") && !small.contains("READY"), "{small:?}");
    // It leaves the screen to others while it is stopped.
    terminal.resize(80, 24);
    tell(Signal::TSTP);
    terminal.draws("\x1b[?25h", "\x1b[?1049l");
    let stops = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    waitid(WaitId::Pid(pid), stops).unwrap();
    tell(Signal::CONT);
    terminal.draws("\x1b[?1049h", END);
    tell(Signal::TERM);
    terminal.draws("\x1b[?25h", "\x1b[?1049l");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn no_colours_where_none_are_wanted() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    for (variable, value, colours) in
        [("NO_COLOR", "", true), ("NO_COLOR", "1", false), ("TERM", "dumb", false)]
    {
        let (mut terminal, slave) = Terminal::open();
        let mut command = dir.tool("svstat", ["-t", "nowhere"]);
        command.env_remove("NO_COLOR").env("TERM", "xterm").env(variable, value).stdout(slave);
        let mut child = command.spawn().unwrap();
        drop(command);
        let shown = terminal.draws("nowhere", "chdir");
        assert_eq!(shown.contains("\x1b[31m"), colours, "{variable}={value}: {shown:?}");
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}
