//! Whoever is killed, the order holds.

use super::tree::{DOWN, NEEDING, THERE, Tree, UP};
use crate::support::testing_originals;
use rustix::process::Signal;

/// Each supervise, in each stage.
#[test]
fn supervises() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.slow("db", &[]).down("db").oneshot("schema", &["needs/db"]);
    tree.service("web", &["needs/schema"]).depends("all", &["needs/web"]);
    tree.start();
    tree.says("db up");
    for name in ["schema", "web", "all"] {
        tree.until(name, NEEDING);
    }
    for name in ["web", "db", "schema", "all"] {
        tree.kill_supervise(name);
    }
    for name in ["schema", "web", "all"] {
        tree.until(name, NEEDING);
    }
    tree.is_silent();
    tree.go("db");
    tree.says("schema do");
    tree.says("web up");
    tree.until("all", THERE);
    for name in ["db", "all", "web", "schema"] {
        tree.kill_supervise(name);
    }
    tree.until("schema", THERE);
    tree.until("all", THERE);
    tree.is_silent();
    tree.svc("-d", "db");
    tree.says("web down");
    tree.says("schema undo");
    tree.says("db down");
    tree.until("db", DOWN);
    for name in ["all", "web", "schema"] {
        tree.until(name, NEEDING);
        tree.kill_supervise(name);
        tree.until(name, NEEDING);
    }
    tree.is_silent();
    tree.svc("-u", "all");
    tree.says("db up");
    tree.go("db");
    tree.says("schema do");
    tree.says("web up");
    tree.until("all", THERE);
    tree.end();
    tree.says("web down");
    tree.says("schema undo");
    tree.says("db down");
    tree.ends();
}

/// One that waits for those that need it, by its mark on record.
#[test]
fn in_the_middle_of_a_stop() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.service("db", &[]).service("web", &["needs/db"]);
    tree.stubborn("web", "");
    tree.start();
    tree.says_all(&["db up", "web up"]);
    tree.until("web", UP);
    tree.svc("-d", "db");
    tree.says("web asked");
    tree.kill_supervise("db");
    tree.kill_supervise("web");
    tree.is_silent();
    assert_eq!(tree.svstat("db"), "up (pid N) N seconds, want down");
    tree.svc("-h", "web");
    tree.says("web down");
    tree.says("db down");
    tree.until("db", DOWN);
    tree.svc("-u", "db");
    tree.says_all(&["db up", "web up"]);
    tree.until("web", UP);
    // svscan's end is the same.
    tree.svscan().signal(Signal::TERM);
    tree.says("web asked");
    tree.svc("-h", "web");
    tree.says("web down");
    tree.says("db down");
    tree.ends();
}

/// What was on record and not told when a supervise was killed is told by the
/// next one: to those that wait for it to be ready,
#[test]
fn between_a_start_and_the_word() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.service("db", &[]).service("web", &["needs/db"]);
    tree.down("db").depends("db", &["death"]);
    tree.start_killing("start: executed");
    tree.says_all(&["db up", "web up"]);
    tree.until("web", UP);
    tree.end();
    tree.says("web down");
    tree.says("db down");
    tree.ends();
}

/// and to one that waits for it to go.
#[test]
fn between_an_end_and_the_word() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.service("db", &[]).service("web", &["needs/db"]);
    tree.stubborn("web", "echo >death; ");
    tree.start_killing("status: written");
    tree.says_all(&["db up", "web up"]);
    tree.until("web", UP);
    tree.svc("-o", "web");
    tree.svc("-d", "db");
    tree.says("web asked");
    tree.svc("-h", "web");
    tree.says("web down");
    tree.says("db down");
    tree.until("db", DOWN);
    assert!(!tree.path("web").join("death").exists());
    tree.end();
    tree.ends();
}

/// What is up without a process is waited for too while nobody supervises it.
#[test]
fn what_has_no_process() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.service("db", &[]).oneshot("schema", &["needs/db"]);
    tree.start();
    tree.says_all(&["db up", "schema do"]);
    tree.until("schema", THERE);
    tree.svscan().signal(Signal::STOP);
    tree.kill("schema");
    tree.svc("-d", "db");
    tree.is_silent();
    tree.svscan().signal(Signal::CONT);
    tree.says("schema undo");
    tree.says("db down");
    tree.until("db", DOWN);
    tree.end();
    tree.ends();
}
