//! setuidgid and envuidgid.

use super::said;
use crate::support::{Dir, Process, program, testing_originals};
use rustix::process::geteuid;

fn ids(code: i32, out: &str) -> (i32, String, String) {
    (code, out.to_owned(), String::new())
}

const SHOW: &str = "id -u; id -g; id -G";

#[test]
fn an_account_is_all_that_is_left() {
    if !geteuid().is_root() {
        return;
    }
    let dir = Dir::new();
    let shown = said(&dir, &["setuidgid", "nobody", "sh", "-c", SHOW]);
    assert_eq!(shown, ids(0, "65534\n65534\n65534\n"));
    let shown = said(&dir, &["setuidgid", "daemon", "sh", "-c", "exit 7"]);
    assert_eq!(shown, ids(7, ""));
}

#[test]
fn nobody_cannot_become_somebody() {
    let dir = Dir::new();
    let front: &[&str] = if geteuid().is_root() { &["setuidgid", "nobody"] } else { &["env"] };
    // Copied to where everybody may run it. By a program of its own: this
    // process may be forking, and a child with the file open to write would
    // make it busy.
    let copied = dir.command("cp").arg(program("setuidgid")).arg("inner").status().unwrap();
    assert!(copied.success());
    let mut command = dir.command(if front[0] == "env" { "env".into() } else { program(front[0]) });
    command.args(&front[1..]).args(["./inner", "root", "true"]);
    let done = Process::start(&mut command).finish();
    assert_eq!(done.err(), "setuidgid: fatal: unable to setgid: permission denied\n");
    assert_eq!(done.code, 111);
}

#[test]
fn unknown_accounts() {
    let dir = Dir::new();
    for name in ["no-such-account", "", "0", "+", "root "] {
        for tool in ["setuidgid", "envuidgid"] {
            let err = format!("{tool}: fatal: unknown account {name}\n");
            let expected = (111, String::new(), err);
            assert_eq!(said(&dir, &[tool, name, "true"]), expected, "{tool} {name}");
        }
    }
}

#[test]
fn a_group_of_its_own() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let shown = said(&dir, &["envuidgid", "nobody:root", "sh", "-c", "echo $UID $GID"]);
    assert_eq!(shown, ids(0, "65534 0\n"));
    for (wanted, what) in [
        ("nobody:no-such-group", "group no-such-group"),
        ("nobody:", "group "),
        ("nobody:root:x", "group root:x"),
        ("no-such-account:root", "account no-such-account"),
        (":root", "account "),
    ] {
        for tool in ["setuidgid", "envuidgid"] {
            let expected = (111, String::new(), format!("{tool}: fatal: unknown {what}\n"));
            assert_eq!(said(&dir, &[tool, wanted, "true"]), expected);
        }
    }
    if geteuid().is_root() {
        let shown = said(&dir, &["setuidgid", "nobody:root", "sh", "-c", SHOW]);
        assert_eq!(shown, ids(0, "65534\n0\n0\n"));
    }
}

#[test]
fn the_ids_go_to_the_environment() {
    let dir = Dir::new();
    let mut command = dir.tool("envuidgid", ["nobody", "/usr/bin/env"]);
    command.env_clear().envs([("A", "1"), ("UID", "x"), ("Z", "2")]);
    let done = Process::start(&mut command).finish();
    // GID, the last by then, took the place of the UID that was replaced.
    assert_eq!(done.out(), "A=1\nGID=65534\nZ=2\nUID=65534\n");
    assert_eq!((done.code, done.err()), (0, String::new()));
}
