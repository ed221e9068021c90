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
    // It goes when it is told a second time.
    let said = tree.dir.path("said").display().to_string();
    let hold = tree.dir.path("hold").display().to_string();
    let script = format!(
        "trap 'echo web asked >{said}' TERM\ntrap 'echo web down >{said}; exit 0' HUP\n\
         echo web up >{said}\nexec 3<>{hold}\nwhile :; do read nothing <&3; done"
    );
    tree.dir.script("scan/web/run", &script);
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

/// The first supervise that gets there, at each step of a start, a stop and a
/// start again.
#[test]
fn at_every_step() {
    if testing_originals() {
        return;
    }
    for point in [
        "order: waits",
        "order: told",
        "order: looked back",
        "start: executed",
        "down: intended",
        "signal: sent",
        "status: written",
        "death: noticed",
    ] {
        let mut tree = Tree::new();
        tree.service("db", &[]).down("db").oneshot("schema", &["needs/db"]);
        tree.service("web", &["needs/schema"]);
        tree.start_to_be_killed(point, "one");
        let mut killed = 0;
        tree.says_all_perhaps_again(&["db up", "schema do", "web up"], "schema do");
        tree.until("web", UP);
        for _ in 0..2 {
            killed += u32::from(!tree.is_to_be_killed("one"));
            tree.kill_the_next("one");
            tree.svc("-d", "db");
            tree.says("web down");
            tree.says_after("web down", "schema undo");
            tree.says_after("schema undo", "db down");
            tree.until("db", DOWN);
            for name in ["web", "schema"] {
                tree.until(name, NEEDING);
            }
            killed += u32::from(!tree.is_to_be_killed("one"));
            tree.kill_the_next("one");
            tree.svc("-u", "web");
            tree.says_all_perhaps_again(&["db up", "schema do", "web up"], "schema do");
            tree.until("web", UP);
        }
        assert!(killed > 0, "nobody gets to {point:?}");
        tree.end();
        tree.says("web down");
        tree.says_after("web down", "schema undo");
        tree.says_after("schema undo", "db down");
        tree.ends();
    }
}

/// A call that was not heard yet is heard by the next supervise.
#[test]
fn a_call_is_not_lost() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.service("db", &[]).down("db").service("web", &["needs/db"]).down("web");
    tree.start();
    tree.until("db", DOWN);
    tree.until("web", DOWN);
    tree.stop_supervise("db");
    tree.svc("-u", "web");
    tree.until("web", NEEDING);
    tree.kill_supervise("db");
    tree.says_all(&["db up", "web up"]);
    tree.until("web", UP);
    tree.end();
    tree.says("web down");
    tree.says("db down");
    tree.ends();
}

/// Who has not heard yet that he is wanted is not taken for one that was told
/// to be down.
#[test]
fn a_call_is_waited_for() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.service("a", &[]).down("a").service("b", &[]).down("b");
    tree.service("web", &["wants/a", "wants/b"]).down("web");
    tree.start();
    for name in ["a", "b", "web"] {
        tree.until(name, DOWN);
    }
    let stopped = tree.stop_supervise("b");
    tree.svc("-u", "web");
    tree.says("a up");
    tree.until("a", UP);
    tree.until("web", NEEDING);
    tree.look("web");
    tree.is_silent();
    tree.continue_supervise(stopped);
    tree.says_all(&["b up", "web up"]);
    tree.until("web", UP);
    tree.end();
    tree.says_all(&["a down", "b down", "web down"]);
    tree.ends();
}

/// That what it needs goes down is seen by the next supervise, when the last
/// one has not read it.
#[test]
fn word_of_a_stop_is_not_missed() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.service("db", &[]).service("web", &["needs/db"]);
    tree.start();
    tree.says_all(&["db up", "web up"]);
    tree.until("web", UP);
    tree.stop_supervise("web");
    tree.svc("-d", "db");
    tree.until_heard("db");
    tree.kill_supervise("web");
    tree.says("web down");
    tree.says("db down");
    tree.until("db", DOWN);
    tree.end();
    tree.ends();
}
