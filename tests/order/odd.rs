//! What people do to services that depend on each other.

use super::tree::{DOWN, NEEDING, THERE, Tree, UP};
use crate::support::testing_originals;
use std::fs;

/// Told to be up in the middle of a stop, a chain comes back.
#[test]
fn up_in_the_middle_of_a_stop() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.service("a", &[]).service("b", &["needs/a"]).deaf("c", &["needs/b"]);
    tree.start();
    tree.says_all(&["a up", "b up", "c up"]);
    tree.until("c", UP);
    tree.svc("-d", "a");
    tree.says("c asked");
    tree.svc("-u", "c");
    tree.svc("-h", "c");
    tree.says("c down");
    tree.says("b down");
    tree.says("a down");
    tree.says_all(&["a up", "b up", "c up"]);
    tree.until("c", UP);
    tree.end();
    tree.says("c asked");
    tree.svc("-h", "c");
    tree.says("c down");
    tree.says("b down");
    tree.says("a down");
    tree.ends();
}

/// A service that is up calls nobody when it is started again by itself,
/// whatever it was told before.
#[test]
fn up_when_it_is_up() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.service("cache", &[]).service("web", &["wants/cache"]);
    tree.start();
    tree.says_all(&["cache up", "web up"]);
    tree.until("web", UP);
    tree.svc("-u", "web");
    tree.svc("-d", "cache");
    tree.says("cache down");
    tree.until("cache", DOWN);
    tree.svc("-1", "web");
    tree.says("web crashed");
    tree.says("web up");
    tree.until("web", UP);
    assert_eq!(tree.wanted("cache"), b'd');
    tree.end();
    tree.says("web down");
    tree.ends();
}

/// In a circle everybody waits, and nobody is busy with it.
#[test]
fn up_in_a_circle() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.service("a", &["needs/b"]).service("b", &["wants/a", "needs/b"]);
    tree.start();
    tree.svscan().complains("waits for the next");
    for name in ["a", "b"] {
        tree.until(name, NEEDING);
        tree.svc("-u", name);
    }
    // What was said is heard, and then nothing more is.
    for name in ["a", "b"] {
        tree.until_heard(name);
    }
    let records = ["a", "b"].map(|name| tree.record(name));
    tree.service("c", &[]);
    tree.says("c up");
    assert_eq!(records, ["a", "b"].map(|name| tree.record(name)));
    tree.end();
    tree.says("c down");
    tree.ends();
}

/// What is said to a group is said once to each, by whatever way it is reached.
#[test]
fn groups_of_groups() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.service("leaf", &[]).depends("x", &["needs/leaf", "wants/leaf"]);
    tree.depends("y", &["needs/leaf"]).depends("top", &["needs/x", "needs/y", "needs/leaf"]);
    tree.start();
    tree.says("leaf up");
    tree.until("top", THERE);
    tree.svc("-1", "top");
    tree.says("leaf crashed");
    tree.says("leaf up");
    tree.until("top", THERE);
    tree.svc("-d", "top");
    tree.says("leaf down");
    for name in ["top", "x", "y", "leaf"] {
        tree.until(name, DOWN);
        assert_eq!(tree.wanted(name), b'd');
    }
    tree.end();
    tree.ends();
}

/// A name is a name however it is written, and an order in which nobody signs
/// would be none.
#[test]
fn with_a_slash() {
    if testing_originals() {
        return;
    }
    for name in ["web/", "./web//", "web/."] {
        let mut tree = Tree::new();
        tree.service("db", &[]).down("db").service("web", &["needs/db"]);
        let all = ["db", name].map(|name| tree.dir.start("supervise", [tree.path(name)]));
        tree.says_all(&["db up", "web up"]);
        tree.until("web", UP);
        tree.svc("-d", "db");
        tree.says("web down");
        tree.says("db down");
        tree.until("db", DOWN);
        for name in ["db", "web"] {
            tree.svc("-dx", name);
        }
        assert_eq!(all.map(|supervise| supervise.finish().code), [0, 0]);
    }
}

/// A need that is added while the service is up counts from the next start on;
/// so does one that is there only later.
#[test]
fn a_need_that_comes_later() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.service("web", &[]);
    tree.start();
    tree.says("web up");
    tree.until("web", UP);
    tree.depends("web", &["needs/db"]);
    tree.svc("-r", "web");
    tree.says("web down");
    tree.until("web", NEEDING);
    tree.service("db", &[]);
    tree.says_all(&["db up", "web up"]);
    tree.until("web", UP);
    fs::remove_file(tree.path("web/needs/db")).unwrap();
    tree.svc("-d", "db");
    tree.says("db down");
    tree.until("db", DOWN);
    tree.end();
    tree.says("web down");
    tree.ends();
}

/// What cannot be listed is waited for, since it may be needed.
#[test]
fn needs_that_cannot_be_read() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.service("web", &[]);
    std::os::unix::fs::symlink("needs", tree.path("web/needs")).unwrap();
    tree.start();
    tree.svscan().complains("unable to read web/needs, waiting: ");
    tree.until("web", NEEDING);
    tree.is_silent();
    fs::remove_file(tree.path("web/needs")).unwrap();
    tree.says("web up");
    tree.until("web", UP);
    tree.end();
    tree.says("web down");
    tree.ends();
}

/// `k` waits for nobody.
#[test]
fn killed_while_it_waits_for_others() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.oneshot("schema", &[]).deaf("web", &["needs/schema"]);
    tree.start();
    tree.says_all(&["schema do", "web up"]);
    tree.until("web", UP);
    tree.svc("-d", "schema");
    tree.says("web asked");
    tree.svc("-k", "schema");
    tree.says("schema undo");
    tree.until("schema", DOWN);
    tree.svc("-h", "web");
    tree.says("web down");
    tree.until("web", NEEDING);
    tree.end();
    tree.ends();
}
