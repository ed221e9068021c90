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
    tree.says("db up");
    tree.says("web up");
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
    tree.says("db up");
    tree.says("web up");
    tree.until("web", UP);
    // svscan's end is the same.
    tree.svscan().signal(Signal::TERM);
    tree.says("web asked");
    tree.svc("-h", "web");
    tree.says("web down");
    tree.says("db down");
    tree.ends();
}
