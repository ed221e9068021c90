//! A `type` of `oneshot`: done once, ready when it is, undone when it goes down.

use super::tree::{DOWN, NEEDING, THERE, Tree, UP};
use crate::support::{Process, testing_originals};
use std::fs;

fn oneshot() -> Tree {
    let mut tree = Tree::new();
    tree.service("db", &[]).oneshot("schema", &["needs/db"]).service("web", &["needs/schema"]);
    tree.start();
    tree.says_all(&["db up", "schema do", "web up"]);
    tree.until("web", UP);
    tree.until("schema", THERE);
    tree
}

#[test]
fn start() {
    if testing_originals() {
        return;
    }
    let mut tree = oneshot();
    assert_eq!(tree.svstat("schema"), "up N seconds");
    tree.end();
    tree.says("web down");
    tree.says("schema undo");
    tree.says("db down");
    tree.ends();
}

/// One that fails is not ready, and is not started again by itself.
#[test]
fn crash() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.oneshot("schema", &[]).service("web", &["needs/schema"]);
    fs::write(tree.path("schema").join("code"), "7\n").unwrap();
    tree.start();
    tree.says("schema do");
    tree.until("schema", DOWN);
    assert_eq!(tree.svstat("schema"), "down N seconds, normally up, failed: exited N");
    tree.until("web", NEEDING);
    fs::remove_file(tree.path("schema").join("code")).unwrap();
    tree.svc("-u", "schema");
    tree.says("schema do");
    tree.says("web up");
    tree.until("web", UP);
    // With a policy it is.
    tree.svc("-d", "schema");
    tree.says("web down");
    tree.says("schema undo");
    tree.until("schema", DOWN);
    fs::write(tree.path("schema").join("code"), "7\n").unwrap();
    fs::write(tree.path("schema").join("restart"), "on-failure\n").unwrap();
    tree.svc("-u", "schema");
    tree.says("schema do");
    tree.says("schema do");
    fs::remove_file(tree.path("schema").join("code")).unwrap();
    tree.says("schema do");
    tree.says("web up");
    tree.until("web", UP);
    tree.end();
    tree.says("web down");
    tree.says("schema undo");
    tree.ends();
}

#[test]
fn restart() {
    if testing_originals() {
        return;
    }
    let mut tree = oneshot();
    tree.svc("-r", "schema");
    tree.says("web down");
    tree.says("schema undo");
    tree.says("schema do");
    tree.says("web up");
    tree.until("web", UP);
    // There is nobody who could hear a signal.
    tree.svc("-tkh12pc", "schema");
    tree.until("schema", THERE);
    tree.end();
    tree.says("web down");
    tree.says("schema undo");
    tree.says("db down");
    tree.ends();
}

#[test]
fn stop() {
    if testing_originals() {
        return;
    }
    let mut tree = oneshot();
    tree.svc("-d", "schema");
    tree.says("web down");
    tree.says("schema undo");
    tree.until("schema", DOWN);
    tree.svc("-u", "schema");
    tree.says("schema do");
    tree.says("web up");
    tree.until("web", UP);
    // With what it needs it is undone, and done again.
    tree.svc("-d", "db");
    tree.says("web down");
    tree.says("schema undo");
    tree.says("db down");
    tree.until("db", DOWN);
    tree.until("schema", NEEDING);
    tree.svc("-u", "db");
    tree.says_all(&["db up", "schema do", "web up"]);
    tree.until("web", UP);
    tree.end();
    tree.says("web down");
    tree.says("schema undo");
    tree.says("db down");
    tree.ends();
}

/// Also with `run` and `stop`, and with s6-rc's files, which are no programs.
#[test]
fn clean_end() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    let said = tree.dir.path("said").display().to_string();
    tree.dir.file("scan/run/type", "oneshot");
    tree.dir.script("scan/run/run", &format!("echo run do >{said}"));
    tree.dir.script("scan/run/stop", &format!("echo run undo >{said}"));
    tree.dir.script("scan/run/finish", &format!("echo never >{said}"));
    tree.dir.file("scan/s6/type", "oneshot");
    tree.dir.file("scan/s6/up", format!("redirfd -w 1 {said} echo s6 do\n"));
    tree.dir.file("scan/s6/down", format!("redirfd -w 1 {said} echo s6 undo\n"));
    tree.start();
    tree.says_all(&["run do", "s6 do"]);
    tree.until("run", THERE);
    tree.until("s6", THERE);
    tree.end();
    tree.says_all(&["run undo", "s6 undo"]);
    tree.ends();
}

/// runit's sv waits until it is done, and undone.
#[test]
fn sv() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.oneshot("schema", &[]);
    tree.start();
    tree.says("schema do");
    tree.until("schema", THERE);
    let up = (0, "ok: run: schema: Ns\n".to_owned());
    assert_eq!(tree.sv("start", "schema"), up);
    tree.is_silent();
    assert_eq!(tree.sv("restart", "schema"), up);
    tree.says_all(&["schema undo", "schema do"]);
    let down = (0, "ok: down: schema: Ns, normally up\n".to_owned());
    assert_eq!(tree.sv("stop", "schema"), down);
    tree.says("schema undo");
    tree.until("schema", DOWN);
    assert_eq!(tree.sv("start", "schema"), up);
    tree.says("schema do");
    // An init script's status.
    let script = tree.dir.path("schema");
    std::os::unix::fs::symlink(crate::support::ours().join("sv"), &script).unwrap();
    let mut status = tree.dir.command(&script);
    let done = Process::start(status.arg("status").env("SVDIR", tree.dir.path("scan"))).finish();
    assert_eq!(done.code, 0, "{}", done.out());
    tree.end();
    tree.says("schema undo");
    tree.ends();
}
