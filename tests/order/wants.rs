//! `wants/NAME`: starts NAME, and waits until it is ready or has failed.

use super::tree::{DOWN, NEEDING, Tree, UP};
use crate::support::testing_originals;

fn pair() -> Tree {
    let mut tree = Tree::new();
    tree.slow("cache", &[]).down("cache").service("web", &["wants/cache"]);
    tree.start();
    tree.says("cache up");
    tree.until("web", NEEDING);
    tree.is_silent();
    tree
}

fn up() -> Tree {
    let mut tree = pair();
    tree.go("cache");
    tree.says("web up");
    tree.until("web", UP);
    tree
}

#[test]
fn start() {
    if testing_originals() {
        return;
    }
    let mut tree = up();
    tree.end();
    tree.says_all(&["cache down", "web down"]);
    tree.ends();
}

/// One that has failed is waited for no more, nor is one that was told to be
/// down.
#[test]
fn crash() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.slow("cache", &[]).service("web", &["wants/cache"]);
    tree.dir.file("scan/cache/restart", "never");
    tree.start();
    tree.says("cache up");
    tree.until("web", NEEDING);
    tree.svc("-1", "cache");
    tree.says("cache crashed");
    tree.says("web up");
    tree.until("web", UP);
    tree.end();
    tree.says("web down");
    tree.ends();
}

#[test]
fn restart() {
    if testing_originals() {
        return;
    }
    let mut tree = up();
    tree.svc("-r", "cache");
    tree.says("cache down");
    tree.says("cache up");
    // What was ready once is waited for again.
    tree.svc("-r", "web");
    tree.says("web down");
    tree.until("web", NEEDING);
    tree.go("cache");
    tree.says("web up");
    tree.until("web", UP);
    tree.end();
    tree.says_all(&["cache down", "web down"]);
    tree.ends();
}

#[test]
fn stop() {
    if testing_originals() {
        return;
    }
    let mut tree = pair();
    // Told to be down while it is waited for, it is waited for no more.
    tree.svc("-d", "cache");
    tree.says("cache down");
    tree.says("web up");
    tree.until("web", UP);
    assert_eq!(tree.wanted("cache"), b'd');
    tree.svc("-u", "cache");
    tree.says("cache up");
    tree.go("cache");
    // It can be without it.
    tree.svc("-d", "cache");
    tree.says("cache down");
    tree.until("cache", DOWN);
    assert_eq!(tree.svstat("web"), "up (pid N) N seconds");
    tree.end();
    tree.says("web down");
    tree.ends();
}

#[test]
fn clean_end() {
    if testing_originals() {
        return;
    }
    let mut tree = Tree::new();
    tree.service("web", &["wants/gone"]);
    tree.start();
    tree.svscan().complains("web/wants/gone: there is no such service");
    tree.says("web up");
    tree.end();
    tree.says("web down");
    tree.ends();
}
