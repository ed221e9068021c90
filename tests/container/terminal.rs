//! `svscan -- command` at a terminal.

use crate::support::{Dir, Process, Terminal};

#[test]
fn the_terminal_is_the_commands() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (mut terminal, slave) = Terminal::open();
    // A session of its own, whose terminal this is.
    let script = "ps -o tpgid= -o pgid= -p $$; read line; echo \"[$line]\"; exit 4";
    let mut command = dir.command("setsid");
    command.args(["--ctty", "--wait"]).arg(crate::support::program("svscan"));
    command.args(["--", "sh", "-c", script]).stdin(slave.try_clone().unwrap());
    let mut process = Process::start(&mut command);
    let line = process.prints(" ");
    let groups: Vec<_> = line.split_whitespace().collect();
    assert_eq!(groups[0], groups[1], "it has the terminal: {line}");
    terminal.types("hello\n");
    process.prints("[hello]");
    assert_eq!(process.finish().code, 4);
    drop((terminal.draws("hello", "\n"), slave));
}

/// The leader of a session has no shell that would have it go on.
#[test]
fn a_stop_at_the_terminal_is_undone_where_nobody_would_undo_it() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (mut terminal, slave) = Terminal::open();
    let script = "echo up; read line; echo \"[$line]\"; exit 4";
    let mut command = dir.command("setsid");
    command.args(["--ctty", "--wait"]).arg(crate::support::program("svscan"));
    command.args(["--", "sh", "-c", script]).stdin(slave.try_clone().unwrap());
    let mut process = Process::start(&mut command);
    process.prints("up");
    terminal.types("\x1a");
    terminal.types("hello\n");
    process.prints("[hello]");
    assert_eq!(process.finish().code, 4);
    drop((terminal.draws("hello", "\n"), slave));
}

#[test]
fn a_stop_at_the_terminal_stops_svscan_too() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (mut terminal, slave) = Terminal::open();
    // A shell with job control starts it, sees it stop, and goes on with it.
    let script = format!(
        "exec 2>/dev/tty; set -m; {} -- sh -c 'echo up; read line; echo \"[$line]\"; exit 4'; \
         echo stopped $?; fg >/dev/null; echo ended $?",
        crate::support::program("svscan").display()
    );
    let mut command = dir.command("setsid");
    command.args(["--ctty", "--wait", "bash", "-c", &script]).stdin(slave.try_clone().unwrap());
    let mut process = Process::start(&mut command);
    process.prints("up");
    terminal.types("\x1a");
    process.prints("stopped 147");
    terminal.types("again\n");
    process.prints("[again]");
    process.prints("ended 4");
    assert_eq!(process.finish().code, 0);
    drop((terminal.draws("again", "\n"), slave));
}

/// Whoever started svscan has the terminal again when the command has ended.
#[test]
fn the_terminal_is_given_back() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let (mut terminal, slave) = Terminal::open();
    // Without job control, nobody else would see to that.
    let svscan = crate::support::program("svscan");
    let script = "\"$0\" -- sh -c 'exit 4'; echo ended $?; read line; echo \"[$line]\"";
    let mut command = dir.command("setsid");
    command.args(["--ctty", "--wait", "sh", "-c", script]).arg(svscan);
    let mut process = Process::start(command.stdin(slave.try_clone().unwrap()));
    process.prints("ended 4");
    terminal.types("hello\n");
    process.prints("[hello]");
    assert_eq!(process.finish().code, 0);
    drop((terminal.draws("hello", "\n"), slave));
}
