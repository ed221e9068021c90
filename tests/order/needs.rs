//! `needs/NAME`: starts NAME, and waits until it is ready.

use super::tree::{DOWN, NEEDING, Tree, UP};
use crate::support::testing_originals;

/// A service that needs one that is ready when the test says so, and is down
/// at first.
fn pair() -> Tree {
    let mut tree = Tree::new();
    tree.slow("db", &[]).down("db").service("web", &["needs/db"]);
    tree.start();
    tree
}

fn up() -> Tree {
    let mut tree = pair();
    tree.says("db up");
    tree.go("db");
    tree.says("web up");
    tree.until("web", UP);
    tree
}

#[test]
fn start() {
    if testing_originals() {
        return;
    }
    let mut tree = pair();
    // It was down, and is called; nobody starts before it is ready.
    tree.says("db up");
    tree.until("web", NEEDING);
    assert_eq!((tree.wanted("db"), tree.wanted("web")), (b'u', b'u'));
    let waits = "down N seconds, normally up, want up, waiting for db";
    assert_eq!(tree.svstat("web"), waits);
    tree.is_silent();
    tree.go("db");
    tree.says("web up");
    tree.end();
    tree.says("web down");
    tree.says("db down");
    tree.ends();
}

#[test]
fn crash() {
    if testing_originals() {
        return;
    }
    let mut tree = up();
    // Who needs it stays as it is.
    tree.svc("-1", "db");
    tree.says("db crashed");
    tree.says("db up");
    assert_eq!(tree.svstat("web"), "up (pid N) N seconds");
    // Started again, it waits.
    tree.svc("-1", "web");
    tree.says("web crashed");
    tree.until("web", NEEDING);
    tree.is_silent();
    tree.go("db");
    tree.says("web up");
    tree.end();
    tree.says("web down");
    tree.says("db down");
    tree.ends();
}

#[test]
fn restart() {
    if testing_originals() {
        return;
    }
    let mut tree = up();
    tree.svc("-r", "web");
    tree.says("web down");
    tree.says("web up");
    tree.svc("-r", "db");
    tree.says("db down");
    tree.says("db up");
    tree.go("db");
    tree.until("db", UP);
    tree.end();
    tree.says("web down");
    tree.says("db down");
    tree.ends();
}

#[test]
fn stop() {
    if testing_originals() {
        return;
    }
    let mut tree = up();
    tree.svc("-d", "db");
    tree.says("web down");
    tree.says("db down");
    tree.until("db", DOWN);
    tree.until("web", NEEDING);
    assert_eq!((tree.wanted("db"), tree.wanted("web")), (b'd', b'u'));
    // It comes back with what it needs.
    tree.svc("-u", "db");
    tree.says("db up");
    tree.go("db");
    tree.says("web up");
    tree.until("web", UP);
    // Told to be up, it calls what it needs.
    tree.svc("-d", "db");
    tree.says("web down");
    tree.says("db down");
    tree.until("db", DOWN);
    tree.until("web", NEEDING);
    tree.svc("-u", "web");
    tree.says("db up");
    tree.go("db");
    tree.says("web up");
    tree.until("web", UP);
    // Alone, what needs others is stopped alone.
    tree.svc("-d", "web");
    tree.says("web down");
    tree.until("web", DOWN);
    tree.end();
    tree.says("db down");
    tree.ends();
}

/// Up to the leaves and back.
#[test]
fn clean_end() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.service("a", &[]).service("b", &["needs/a"]).service("c", &["needs/b"]);
    tree.service("d", &["needs/a", "needs/c"]);
    tree.start();
    tree.says_all(&["a up", "b up", "c up", "d up"]);
    tree.until("d", UP);
    tree.end();
    for name in ["d", "c", "b", "a"] {
        tree.says(&format!("{name} down"));
    }
    tree.ends();
}

/// The whole chain, when its first goes down and comes back.
#[test]
fn chain() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.service("a", &[]).service("b", &["needs/a"]).service("c", &["needs/b"]);
    tree.start();
    tree.says_all(&["a up", "b up", "c up"]);
    tree.until("c", UP);
    tree.svc("-d", "a");
    for name in ["c", "b", "a"] {
        tree.says(&format!("{name} down"));
    }
    tree.until("a", DOWN);
    // What only stepped aside is called too.
    tree.svc("-u", "c");
    tree.says_all(&["a up", "b up", "c up"]);
    tree.until("c", UP);
    tree.end();
    for name in ["c", "b", "a"] {
        tree.says(&format!("{name} down"));
    }
    tree.ends();
}

#[test]
fn nobody_there() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.service("web", &["needs/db"]).service("other", &[]);
    tree.start();
    tree.svscan().complains("web/needs/db: there is no such service, which is waited for");
    tree.says("other up");
    tree.until("web", NEEDING);
    tree.dir.mkdir("db");
    tree.service("db", &[]);
    tree.says_all(&["db up", "web up"]);
    tree.until("web", UP);
    tree.svc("-d", "other");
    tree.says("other down");
    tree.until("other", DOWN);
    tree.end();
    tree.says("web down");
    tree.says("db down");
    tree.ends();
}

#[test]
fn circle() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.service("a", &["needs/b"]).service("b", &["wants/c"]).service("c", &["after/a"]);
    tree.service("d", &[]);
    tree.start();
    let said = tree.svscan().complains("waits for the next");
    assert!(said.trim_end().ends_with("each waits for the next: a b c a"), "{said}");
    tree.says("d up");
    tree.until("a", NEEDING);
    tree.end();
    tree.says("d down");
    tree.ends();
}
